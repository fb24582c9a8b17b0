//! `PUBLIC_URL`: whether it leads to this nuncio, proven by a nonce, and what a proxy does to a webhook.

use nuncio::clock::{Clock, Timestamp};
use nuncio::doctor::Code;
use nuncio::ingress::probe::{ProbeKey, ProbeQuestion};
use nuncio::key::Key;
use rstest::rstest;
use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpListener;

use super::proxy::{self, Dialect};
use super::rig::{NOTHING, Rig};
use crate::harness::{free_port, http, within};

// Controls: without the codes of question and answer, without the door that doctor opens itself, without a key of the moment
// before the first start, without the second look at who answers, or with an address tried whose port is another's, this
// fails. One of the two codes alone is enough here; each has its unit test.
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
        let port = free_port();
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

// Each with the faithful proxy of the test above as its near miss. Controls: without the comparison of the path, of either
// digest or of the body, of the type, of how often a header comes, without `is_encoded`, without the second question to
// `/health`, or without the look at a redirect, its case fails.
#[rstest]
#[case(Dialect::StripsPrefix, &["public-url-path"])]
#[case(Dialect::OnlyHealth, &["public-url-path"])]
#[case(Dialect::Drops("x-xtsystems-signature"), &["public-url-headers"])]
#[case(Dialect::Drops("x-xtsystems-timestamp"), &["public-url-headers"])]
#[case(Dialect::RewritesBody, &["public-url-body"])]
#[case(Dialect::Redirects, &["public-url-redirects"])]
// Nothing that a webhook needs.
#[case(Dialect::Drops("user-agent"), &[])]
#[case(Dialect::Says("content-type", "text/plain"), &["public-url-headers"])]
#[case(Dialect::Doubles("x-xtsystems-signature"), &["public-url-headers"])]
#[case(Dialect::Says("content-encoding", "gzip"), &["public-url-body"])]
#[case(Dialect::Says("content-type", "application/json; charset=utf-8"), &[])]
#[tokio::test]
async fn what_a_proxy_does_to_a_webhook_is_named(#[case] manner: Dialect, #[case] wrong: &[&str]) {
    let mut rig = Rig::set().await;
    let port = rig.serve_on_a_port().await;
    let proxy = proxy::before(&format!("http://127.0.0.1:{port}"), manner).await;
    rig.is_reached_by(&proxy);
    rig.finds(i32::from(!wrong.is_empty()), wrong).await;
}

// Controls: with `is_handed_on` always true, case 3 fails, always false, case 1; without `is_ours`, case 3; without the look
// at CLAIMED, case 4; without that at a missing header, case 5; without `is_marked`, case 6; without `forwarded`, case 7.
#[rstest]
#[case(Dialect::Appends, None, &["proxy-not-trusted"])]
#[case(Dialect::Appends, Some("127.0.0.1"), &[])]
#[case(Dialect::Faithful, None, &[])]
#[case(Dialect::Faithful, Some("127.0.0.1"), &["proxy-believes-senders"])]
#[case(Dialect::Hides, Some("127.0.0.1"), &["proxy-hides-sender"])]
#[case(Dialect::Hides, None, &["proxy-not-trusted"])]
#[case(Dialect::SaysForwarded, Some("127.0.0.1"), &[])]
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

// What comes without a proxy says nothing about one, even from an address that is trusted as one. Control: without
// `is_listener` this fails.
#[tokio::test]
async fn an_address_without_a_proxy_is_not_judged_as_one() {
    let mut rig = Rig::set().await;
    rig.set_to("TRUSTED_PROXIES", "127.0.0.1");
    rig.serve_on_a_port().await;
    rig.finds(0, &NOTHING).await;
}

// Control: without `certificate_fault` cases 2 to 4 fail.
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

// Controls: without `uses`, or without `is_served`, this fails.
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
    rig.set_to("WEBHOOK_PORT", &free_port().to_string());
    rig.finds(0, &["port-not-served"]).await;
}

// Strangers cannot tell a probe from an unknown address, and a probe counts against RATE_LIMIT.
// Controls: without the code of a question checked, with `asked` not counted, or without `is_busy`, this fails.
#[tokio::test]
async fn a_probe_answers_nobody_who_has_no_key_and_is_counted() {
    let mut rig = Rig::set().await;
    rig.set_to("RATE_LIMIT", "5/1h");
    rig.serve_on_a_port().await;
    // Of now, or its age alone would refuse it.
    let now = Clock::system().now().as_secs();
    let forged = format!("0-{now}-{}-{}", "ab".repeat(16), "cd".repeat(32));
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

// Whoever has the key is told what they ask for, and a question is worth nothing later. Controls: with refusals listed
// unasked, without `is_new`, or without LARGEST this fails.
#[tokio::test]
async fn a_probe_is_answered_as_it_asks_and_while_it_is_new() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    let key = ProbeKey::of(&Key::read(&rig.path("nuncio.key")).unwrap().unwrap());
    let now = Clock::system().now();
    let asks = async |question: &ProbeQuestion, body: String| {
        let url = format!("{}?nuncio-probe={}", rig.webhook_address(), key.write(question));
        let answer = http().post(&url).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    };
    let lists = ProbeKey::ask(now, true);
    let (status, body) = asks(&lists, "{}".to_owned()).await;
    assert_eq!((status, key.open(&lists, &body).unwrap().refusals), (200, Some(Vec::new())));
    // What goes through a proxy tells nobody there whom this nuncio refused.
    let plain = ProbeKey::ask(now, false);
    let (status, body) = asks(&plain, "{}".to_owned()).await;
    assert_eq!((status, key.open(&plain, &body).unwrap().refusals), (200, None));
    let old = ProbeKey::ask(Timestamp::from_secs(now.as_secs() - 301), true);
    assert_eq!(asks(&old, "{}".to_owned()).await.0, 404);
    assert_eq!(asks(&plain, "x".repeat(16 * 1024 + 1)).await.0, 413);
}

// Before a start doctor has the port for a moment: an event that comes then is not lost. Control: with 404 in place of 503
// this fails.
#[tokio::test]
async fn an_event_that_comes_while_doctor_has_the_port_is_sent_again() {
    let mut rig = Rig::set().await;
    let port = free_port();
    let (proxy, answers) = proxy::with_events(&format!("http://127.0.0.1:{port}")).await;
    rig.set_to("WEBHOOK_PORT", &port.to_string());
    rig.is_reached_by(&proxy);
    rig.finds(0, &NOTHING).await;
    let answers = answers.lock().unwrap().clone();
    assert!(!answers.is_empty() && answers.iter().all(|status| *status == 503), "{answers:?}");
}

// Controls: without the look at `prober`, or with a key of the moment beside a server, this fails.
#[tokio::test]
async fn a_nuncio_that_cannot_be_asked_for_want_of_a_key_is_not_called_another_one() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    std::fs::write(rig.path("nuncio.key"), "no key").unwrap();
    let seen = rig.finds(1, &["key-file-unusable"]).await;
    assert!(seen.text.contains("which one is not known: there is no key to ask it with"), "{}", seen.text);
    // Without the file it is not asked with one of the moment either.
    std::fs::remove_file(rig.path("nuncio.key")).unwrap();
    rig.finds(1, &["key-file-missing"]).await;
}

// It says it is well, in the words of a nuncio whose bot is offline, but not that it is one. Controls: without the look at
// `service`, in `probe` or in `beside`, this fails.
#[tokio::test]
async fn a_program_that_is_no_nuncio_is_not_taken_for_one() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    let body =
        json!({"status": "ok", "service": "web", "discord": "disconnected", "problems": ["The bot is off"]});
    let port = proxy::program(200, body).await;
    rig.set_to("WEBHOOK_PORT", &port.to_string());
    rig.is_reached_by(&format!("http://127.0.0.1:{port}"));
    rig.finds(1, &["port-taken"]).await;
}

// Control: without the look at 429 this fails.
#[tokio::test]
async fn an_address_that_has_had_enough_requests_is_not_judged() {
    let mut rig = Rig::set().await;
    let port = proxy::program(429, json!({"error": "Too many requests"})).await;
    rig.set_to("WEBHOOK_PORT", &free_port().to_string());
    rig.is_reached_by(&format!("http://127.0.0.1:{port}"));
    let seen = rig.finds(0, &["public-url"]).await;
    assert!(seen.text.contains("was not checked"), "{}", seen.text);
}
