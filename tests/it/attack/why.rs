//! What the operator learns: the reason of a refusal, how far the sender's clock is off, and what is in quarantine.

use nuncio::hub::Finding;
use serde_json::Value;
use tracing::Level;

use crate::attack::sender::{Post, TICKET};
use crate::harness::Harness;
use crate::program::Program;

#[tokio::test]
async fn every_refusal_has_its_reason() {
    let t = Harness::start().await;
    let at = |offset: i64| (t.clock.now().as_secs() + offset).to_string();
    let spoilt = |name: &str, value: &str| Post::signed(&t, TICKET).but(name, value);
    let sent = [
        (Post::signed_at(&at(-412), TICKET), Finding::Skewed, "behind our clock: check NTP on both machines"),
        (Post::bare(TICKET), Finding::Unsigned, "no signature: the webhook has no secret in XTSystems"),
        (
            Post::bare(TICKET).with("X-Hub-Signature-256", format!("sha256={}", "0".repeat(64))),
            Finding::Foreign,
            "this looks like GitHub's signature",
        ),
        (
            Post::signed_at(&format!("{}000", at(0)), TICKET),
            Finding::MalformedTimestamp,
            "timestamp has 13 digits: milliseconds, seconds are expected",
        ),
        (
            spoilt("X-XTSystems-Signature", &format!("sha256={}", "0".repeat(64))),
            Finding::Mismatch,
            "signature does not match (another secret, or a proxy changed the body)",
        ),
        (
            spoilt("X-XTSystems-Signature", "sha1=00"),
            Finding::MalformedSignature,
            "does not begin with sha256=",
        ),
        (
            Post::signed(&t, TICKET).with("X-XTSystems-Signature", "x"),
            Finding::Ambiguous,
            "X-XTSystems-Signature was sent twice",
        ),
        (Post::signed(&t, "{"), Finding::Unreadable, "nuncio events --quarantined"),
        (
            Post::signed(&t, TICKET).with("Content-Encoding", "gzip"),
            Finding::UnsupportedMedia,
            "Content-Encoding",
        ),
        (Post::signed(&t, TICKET).but("Content-Length", "9999999"), Finding::TooLarge, "WEBHOOK_BODY_LIMIT"),
        (
            Post::signed(&t, TICKET).at_path("/webhooks/xt-systems"),
            Finding::UnknownSource,
            "Webhooks are received at /webhooks/xtsystems",
        ),
    ];
    for (post, finding, sentence) in &sent {
        post.send(&t).await.unwrap();
        // In the log, and nothing else there.
        t.log.expect(Level::WARN, sentence);
        assert_eq!(t.log.at(Level::WARN), [""; 0]);
        let found = t.hub().refusals().into_iter().find(|found| found.finding == *finding).unwrap();
        assert_eq!((found.last_hour, found.last_day), (1, 1));
        assert!(found.sentence.contains(sentence), "{found:?}");
        // The clock went on while all that was made and sent.
        let is_measured = found.seconds_behind.is_some_and(|behind| (411..500).contains(&behind));
        assert_eq!(is_measured, *finding == Finding::Skewed, "{found:?}");
    }
    assert_eq!(t.hub().refusals().len(), sent.len());
    // The path that was tried is a stranger's word: it is not repeated.
    let told: String = t.hub().findings().iter().map(|found| found.sentence.clone()).collect();
    assert!(!told.contains("xt-systems"), "{told}");
    t.finish().await;
}

#[tokio::test]
async fn events_and_quarantine_can_be_listed() {
    let t = Harness::start().await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    Post::signed(&t, b"{\"event_type\":\"\x1b[2J\xff\"".as_slice()).send(&t).await.unwrap();
    let program = Program::bare()
        .env("WEBHOOK_SECRET", crate::harness::SECRET)
        .env("NUNCIO_DATABASE_URL", t.variable("NUNCIO_DATABASE_URL"));

    let run = program.run(&["events", "--json"]);
    let events: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["kind"], "ticket.created");
    assert_eq!(events[0]["deliveries"]["delivered"], 1);
    let run = program.run(&["events"]);
    assert!(run.stdout.contains("ticket.created") && run.stdout.contains("delivered"), "{}", run.stdout);

    let run = program.run(&["events", "--quarantined", "--json"]);
    let bodies: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(bodies.as_array().unwrap().len(), 1);
    assert_eq!((&bodies[0]["source"], &bodies[0]["size"]), (&"xtsystems".into(), &21.into()));
    assert_eq!(bodies[0]["sha256"].as_str().unwrap().len(), 64);
    let run = program.run(&["events", "--quarantined"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{}", run.stdout);
    assert!(run.stdout.contains("not a JSON object") && !run.stdout.contains('\x1b'), "{:?}", run.stdout);

    let empty = Program::with_dotenv("WEBHOOK_SECRET=0123456789abcdef\n");
    let run = empty.run(&["events"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.ends_with("\nNo events yet.\n"), "{}", run.stderr);
    assert_eq!(empty.run(&["events", "--json"]).stdout, "[]\n");
    t.finish().await;
}
