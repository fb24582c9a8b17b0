//! TS-18: no spelling of an inner address, and no answer of a name server, reaches anything inside.
//!
//! Control: without `allows` in `check`, `no_spelling_of_an_inner_address_passes` and the literals of
//! `nothing_inside_is_ever_connected_to` fail; without the filter in the resolver, its names do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;

use std::io;

use super::*;

const DEADLINE: Duration = Duration::from_secs(5);

/// A-3's spellings, and TS-18's.
const INNER: &[&str] = &[
    "https://localhost/",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://%31%32%37.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://[fd00:ec2::254]/",
    "https://metadata.google.internal/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    "https://192.0.0.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001::1]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fc00::1]/",
    "https://[fe80::1]/",
    "https://[ff02::1]/",
];

/// Not addresses, but ways around a check.
const TRICKS: &[&str] = &[
    "https://localhost./",
    "https://public.example./",
    "https://user:pass@public.example/",
    "https://user@public.example/",
    "https://public.example\\@127.0.0.1/",
    "https://127.0.0.1\\@public.example/",
    "https://pub\tlic.example/",
    "https://pub\nlic.example/",
    "https://127.0.\r\n0.1/",
    " https://public.example/",
    "https://public.example:22/",
    "https://public.example:25/",
    "https://public.example:6379/",
    "https://public.example:0/",
    "http://public.example/",
    "file:///etc/passwd",
    "gopher://public.example/",
    "ftp://public.example/",
    "javascript:alert(1)",
    "//public.example/",
    "public.example",
    "",
];

#[test]
fn no_spelling_of_an_inner_address_passes() {
    let guard = Guard::default();
    for text in INNER.iter().chain(TRICKS) {
        let refused = guard.check(text, Schemes::Https);
        assert!(refused.is_err(), "{text:?} passes as {refused:?}");
        let sentence = refused.map_err(|why| why.to_string()).unwrap_err();
        assert!(!sentence.contains("127.0") && !sentence.contains("169.254"), "{sentence}");
    }
    let plain: Vec<String> = INNER.iter().map(|text| text.replace("https:", "http:")).collect();
    for text in plain {
        assert!(guard.check(&text, Schemes::HttpToo).is_err(), "{text:?}");
    }
    assert!(guard.check(&format!("https://public.example/{}", "x".repeat(LONGEST)), Schemes::Https).is_err());
}

// What is public passes: the guard is no wall.
#[rstest::rstest]
#[case("https://public.example/icon.png")]
#[case("https://public.example:8443/icon.png?size=64#top")]
#[case("https://1.1.1.1/")]
#[case("https://100.63.255.255/")]
#[case("https://100.128.0.0/")]
#[case("https://172.32.0.1/")]
#[case("https://198.20.0.1/")]
#[case("https://[2606:4700:4700::1111]/")]
#[case("https://[2001:4860:4860::8888]/")]
#[case("https://[::ffff:1.1.1.1]/")]
#[case("https://xn--bcher-kva.example/")]
fn public_targets_pass(#[case] text: &str) {
    let checked = Guard::default().check(text, Schemes::Https);
    assert!(checked.is_ok(), "{checked:?}");
}

// the seed runs everything on one machine.
#[test]
fn what_the_operator_allows_passes_and_nothing_beside_it() {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap(), "10.1.0.0/16".parse().unwrap()], None);
    for text in [
        "http://localhost:3000/webhooks/xtsystems",
        "http://127.1:3000/",
        "http://[::ffff:127.0.0.1]/",
        "http://10.1.2.3/",
    ] {
        assert!(guard.check(text, Schemes::HttpToo).is_ok(), "{text}");
    }
    for text in ["http://10.2.0.1/", "http://[::1]/", "http://169.254.169.254/", "http://127.0.0.1:6379/"] {
        assert!(guard.check(text, Schemes::HttpToo).is_err(), "{text}");
    }
}

/// A guard whose name service answers with `found`, and a listener that nobody may reach.
async fn guarded(found: Vec<&'static str>) -> (GuardedClient, TcpListener, u16) {
    let sentinel = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = sentinel.local_addr().unwrap().port();
    let look_up = move |_: &str| Ok(found.iter().map(|ip| ip.parse().unwrap()).collect());
    let guard = Guard::with_lookup(Vec::new(), None, Lookup::Of(Arc::new(look_up)));
    (guard.client(DEADLINE).unwrap(), sentinel, port)
}

/// Whether somebody has connected.
fn is_connected(sentinel: &TcpListener) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    sentinel.poll_accept(&mut context).is_ready()
}

async fn asks(client: &GuardedClient, target: &str) -> Result<u16, String> {
    let request = client.request(Method::GET, target, Schemes::HttpToo).map_err(|why| why.to_string())?;
    match request.send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) => {
            Err(blocked(&error).map_or_else(|| format!("let through: {error}"), |why| why.to_string()))
        }
    }
}

#[tokio::test]
async fn nothing_inside_is_ever_connected_to() {
    let (client, sentinel, port) = guarded(vec!["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"]).await;
    for text in INNER {
        let target = text.replace("https:", "http:");
        let (host, path) = target["http://".len()..].split_once('/').unwrap();
        assert!(asks(&client, &format!("http://{host}:{port}/{path}")).await.is_err(), "{text}");
    }
    let why = asks(&client, &format!("http://rebound.example:{port}/")).await.unwrap_err();
    assert!(why.starts_with("blocked_address") && !why.contains("127."), "{why}");
    assert!(!is_connected(&sentinel));
    // Control: the sentinel sees whoever may come.
    let address = sentinel.local_addr().unwrap();
    let allowed = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], None).client(DEADLINE).unwrap();
    let asked = tokio::spawn(async move { asks(&allowed, &format!("http://{address}/")).await });
    sentinel.accept().await.unwrap();
    asked.abort();
}

// a name that leads outside for the check and inside for the request; a name server that fails; 1,000 tries.
#[tokio::test]
async fn a_name_that_changes_its_mind_reaches_nothing_inside() {
    let sentinel = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = sentinel.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let look_up = move |_: &str| match count.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => Ok(vec!["127.0.0.1".parse().unwrap()]),
        1 => Err(io::Error::other("SERVFAIL")),
        _ => Ok(vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap(), "10.0.0.1".parse().unwrap()]),
    };
    let guard = Guard::with_lookup(Vec::new(), None, Lookup::Of(Arc::new(look_up)));
    let client = guard.client(DEADLINE).unwrap();
    for _ in 0..1000 {
        let why = asks(&client, &format!("http://rebound.example:{port}/")).await.unwrap_err();
        assert!(why.starts_with("blocked_address") || why == BlockedTarget::Unresolved.to_string(), "{why}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1000, "each request resolves once");
    assert!(!is_connected(&sentinel));
}

// Of a name with a public and an inner address only the public one is used.
#[tokio::test]
async fn every_address_of_a_name_is_filtered() {
    use std::str::FromStr as _;

    use reqwest::dns::{Name, Resolve as _};
    let look_up = |_: &str| {
        Ok(["1.1.1.1", "127.0.0.1", "169.254.169.254", "::1"].map(|ip| ip.parse().unwrap()).to_vec())
    };
    let guard = Guard::with_lookup(Vec::new(), None, Lookup::Of(Arc::new(look_up)));
    let resolver = resolver::GuardedResolver { guard, to_own: None };
    let found = resolver.resolve(Name::from_str("mixed.example").unwrap()).await.unwrap();
    assert_eq!(found.map(|address| address.ip().to_string()).collect::<Vec<_>>(), ["1.1.1.1"]);
}

// nuncio's own listener is always allowed, by address and by name; other ports of this machine are not.
#[tokio::test]
async fn the_own_listener_is_reached_and_redirects_are_not_followed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (own, sentinel) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, inner) = (own.local_addr().unwrap(), sentinel.local_addr().unwrap());
    let look_up = |_: &str| Ok(vec!["127.0.0.1".parse().unwrap()]);
    let guard = Guard::with_lookup(Vec::new(), Some(address), Lookup::Of(Arc::new(look_up)));
    let client = guard.client(DEADLINE).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = own.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let answer = format!(
                "HTTP/1.1 302 Found\r\nlocation: http://{inner}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    assert_eq!(asks(&client, &format!("http://{address}/webhooks/xtsystems")).await, Ok(302));
    assert_eq!(asks(&client, &format!("http://localhost:{}/", address.port())).await, Ok(302));
    assert!(asks(&client, &format!("http://{inner}/")).await.is_err());
    assert!(asks(&client, &format!("http://rebound.example:{}/", inner.port())).await.is_err());
    assert!(!is_connected(&sentinel));
}
