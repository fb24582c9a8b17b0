//! `PUBLIC_URL`: whether it leads to this nuncio, proven by a nonce, and what a proxy does to a webhook.

use nuncio::doctor::Code;
use rstest::rstest;
use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpListener;

use super::proxy::{self, Dialect};
use super::rig::{NOTHING, Rig};
use crate::harness::{http, within};

/// An address with nobody at it a moment ago.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

// Controls: with `open` not asking for its code, the other nuncio is taken for this one; without the door that doctor opens
// itself, the second half is red.
#[tokio::test]
async fn public_url_leads_to_this_nuncio_and_not_to_another() {
    let (mut rig, mut other) = (Rig::set().await, Rig::set().await);
    let port = rig.serve_on_a_port().await;
    let proxy = proxy::before(&format!("http://127.0.0.1:{port}"), Dialect::Faithful).await;
    rig.is_reached_by(&proxy);
    let seen = rig.finds(0, &NOTHING).await;
    assert!(seen.text.contains(&format!("PUBLIC_URL ({proxy}) leads to this nuncio")), "{}", seen.text);
    let theirs = other.serve_on_a_port().await;
    rig.is_reached_by(&format!("http://127.0.0.1:{theirs}"));
    rig.finds(1, &["public-url-other-nuncio"]).await;
    rig.is_reached_by(&rig.discord_address());
    rig.finds(1, &["public-url-elsewhere"]).await;
    rig.ends_serving().await;
    rig.folds_the_log_in().await;
    // Before a start doctor answers itself, with the key of this nuncio or, before the very first, with one of the moment.
    let mut before = Rig::set().await;
    for rig in [&mut rig, &mut before] {
        let port = free_port().await;
        let proxy = proxy::before(&format!("http://127.0.0.1:{port}"), Dialect::Faithful).await;
        rig.set_to("WEBHOOK_PORT", &port.to_string());
        rig.is_reached_by(&proxy);
        let files = rig.files();
        let seen = rig.finds(0, &NOTHING).await;
        assert!(seen.text.contains("leads to this nuncio"), "{}", seen.text);
        assert!(rig.files() == files || rig.files() == [".env"], "it wrote {:?}", rig.files());
        TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free again");
        rig.set_to("WEBHOOK_PORT", &theirs.to_string());
        rig.finds(1, &["other-nuncio"]).await;
    }
}

// Each with the faithful proxy of the test above as its near miss. Controls: without the comparison of the path, of the
// digests, of the body, each of the first five is not named.
#[rstest]
#[case(Dialect::StripsPrefix, &["public-url-path"])]
#[case(Dialect::OnlyHealth, &["public-url-path"])]
#[case(Dialect::Drops("x-xtsystems-signature"), &["public-url-headers"])]
#[case(Dialect::Drops("x-xtsystems-timestamp"), &["public-url-headers"])]
#[case(Dialect::RewritesBody, &["public-url-body"])]
#[case(Dialect::Redirects, &["public-url-redirects"])]
// Nothing that a webhook needs.
#[case(Dialect::Drops("user-agent"), &[])]
#[tokio::test]
async fn what_a_proxy_does_to_a_webhook_is_named(#[case] manner: Dialect, #[case] wrong: &[&str]) {
    let mut rig = Rig::set().await;
    let port = rig.serve_on_a_port().await;
    let proxy = proxy::before(&format!("http://127.0.0.1:{port}"), manner).await;
    rig.is_reached_by(&proxy);
    rig.finds(i32::from(!wrong.is_empty()), wrong).await;
}

// Controls: with `is_handed_on` always true, the faithful proxy, which cannot be seen, is named; always false, the first
// case is not.
#[rstest]
#[case(Dialect::Appends, None, &["proxy-not-trusted"])]
#[case(Dialect::Appends, Some("127.0.0.1"), &[])]
#[case(Dialect::Faithful, None, &[])]
#[case(Dialect::Faithful, Some("127.0.0.1"), &["proxy-believes-senders"])]
#[case(Dialect::Hides, Some("127.0.0.1"), &["proxy-hides-sender"])]
#[tokio::test]
async fn whose_address_counts_behind_a_proxy(
    #[case] manner: Dialect,
    #[case] trusted: Option<&str>,
    #[case] wrong: &[&str],
) {
    let mut rig = Rig::set().await;
    if let Some(trusted) = trusted {
        rig.set_to("TRUSTED_PROXIES", trusted);
    }
    let port = rig.serve_on_a_port().await;
    let proxy = proxy::before(&format!("http://127.0.0.1:{port}"), manner).await;
    rig.is_reached_by(&proxy);
    rig.finds(0, wrong).await;
}

// Control: with the outermost error asked alone, each is a `public-url-unreachable`.
#[rstest]
#[case("localhost", 30, true, "")]
#[case("localhost", 30, false, "signed by itself")]
#[case("localhost", -1, true, "has expired")]
#[case("nuncio.example", 30, true, "for another name")]
#[tokio::test]
async fn a_certificate_that_nobody_accepts(
    #[case] name: &str,
    #[case] ends_in_days: i64,
    #[case] is_trusted: bool,
    #[case] fault: &str,
) {
    let mut rig = Rig::set().await;
    let port = rig.serve_on_a_port().await;
    let certificate = proxy::certificate(&rig.path(""), name, ends_in_days);
    if is_trusted {
        rig.environment.push(("SSL_CERT_FILE".to_owned(), certificate.file.display().to_string()));
    }
    let tls = proxy::tls_before(format!("127.0.0.1:{port}"), certificate);
    rig.is_reached_by(&format!("https://localhost:{tls}"));
    if fault.is_empty() {
        rig.finds(0, &NOTHING).await;
    } else {
        let seen = rig.finds(1, &["public-url-certificate"]).await;
        assert!(seen.text.contains(fault), "{}", seen.text);
    }
}

// Control: with `uses` always true, the first is not named.
#[tokio::test]
async fn a_running_nuncio_that_has_another_secret_than_its_file() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    rig.finds(1, &["secret-stale"]).await;
    // Each look writes the file anew: whoever reads it just then is told again.
    let heard = async {
        loop {
            rig.signals(Signal::HUP);
            if rig.looks().await.code == 0 {
                break;
            }
        }
    };
    within("the new secret to count", heard).await;
    rig.set_to("WEBHOOK_PORT", &free_port().await.to_string());
    rig.finds(0, &["port-not-served"]).await;
}

// Strangers cannot tell a probe from an unknown address, and a probe counts against RATE_LIMIT.
// Controls: without the code of a question checked, the first is 200; with `asked` not counted, the second never is 429.
#[tokio::test]
async fn a_probe_answers_nobody_who_has_no_key_and_is_counted() {
    let mut rig = Rig::set().await;
    rig.set_to("RATE_LIMIT", "5/1h");
    rig.serve_on_a_port().await;
    let forged = format!("0-1700000000-{}-{}", "ab".repeat(16), "cd".repeat(32));
    let url = format!("{}?nuncio-probe={forged}", rig.webhook_address());
    let mut answers = Vec::new();
    for _ in 0..7 {
        let answer = http().post(&url).json(&json!({})).send().await.unwrap();
        answers.push((answer.status().as_u16(), answer.text().await.unwrap()));
    }
    assert_eq!(answers[0], (404, "{\"error\":\"Not found\"}".to_owned()));
    assert_eq!(answers[6].0, 429);
    // Whoever has used it up is not told that this is another nuncio.
    let seen = rig.looks().await;
    assert!(!seen.wrong.contains(&Code::OtherNuncio.as_str().to_owned()), "{}", seen.text);
}
