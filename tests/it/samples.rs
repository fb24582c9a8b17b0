//! `nuncio send` into real channels: nobody takes a sample for an event, is pinged by it, or changes anything with it.

use serde_json::{Value, json};

use crate::harness::Harness;

const ROLE: &str = "100000000000000077";

async fn stage() -> Harness {
    let t = Harness::with_discord(|variables, _| {
        variables.remove("DISCORD_GATEWAY");
        variables.insert("COALESCE".to_owned(), "off".to_owned());
        let ping = json!({"alert.triggered": [ROLE], "machine.registered": [ROLE], "ticket.*": [ROLE]});
        variables.insert("PING".to_owned(), ping.to_string());
    })
    .await;
    t.online().await;
    t
}

fn sentence(answer: &Value) -> &str {
    assert_eq!((&answer["type"], &answer["data"]["flags"]), (&json!(4), &json!(64)), "{answer:#}");
    answer["data"]["content"].as_str().unwrap()
}

// Item 18. Controls: without the mark in the body, all of it is red; without the look at samples in `Hub::pings`, the
// pings; without the one in `Hub::asks`, the question.
#[tokio::test]
async fn every_sample_is_marked_pings_nobody_and_asks_nothing() {
    let t = stage().await;
    let to = t.url("/");
    let ran = t.runs(&["send", "--all", "--to", &to]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    t.settle().await;

    let mut seen = 0;
    for (channel, count) in [("tickets", 3), ("machines", 2), ("assets", 2), ("alerts", 1), ("general", 4)] {
        for message in t.channel(channel).next_messages(count).await {
            let embed = &message.0["embeds"][0];
            assert!(embed["title"].as_str().unwrap().starts_with("🧪 Sample · "), "{embed:#}");
            assert!(embed["footer"]["text"].as_str().unwrap().contains(" · sample · "), "{embed:#}");
            let content = message.0["content"].as_str().unwrap();
            assert!(content.starts_with("Sample: ") && !content.contains("<@"), "{content}");
            assert!(!message.0.to_string().contains("**Acme**"), "{:#}", message.0);
            assert_eq!(message.0["mention_roles"], json!([]), "{:#}", message.0);
            seen += 1;
            for label in message.buttons() {
                let answer = t.person("alice").clicks(channel, &message, label).await;
                assert!(
                    sentence(&answer).starts_with("This card is a sample: nothing is sent."),
                    "{answer:#}"
                );
            }
        }
    }
    assert_eq!(seen, nuncio::samples::all().len());
    assert!(t.store().undecided_machines(0, 10).await.unwrap().is_empty());
    let names = t.store().company_names().await.unwrap();
    assert!(names.is_empty(), "a sample names no customer: {names:?}");
    t.finish().await;
}

// The mark is a field of its own, beside the data, and true. Control: with any value taken for the mark, the first is red.
#[tokio::test]
async fn no_real_event_is_taken_for_a_sample_by_accident() {
    let t = stage().await;
    let data = json!({"id": 7, "title": "Router down", "priority": "high", "company_name": "Acme", "nuncio_sample": true});
    for mark in [json!(false), json!("true"), json!(1), json!(null), json!({"nuncio_sample": true})] {
        let body = json!({"event_type": "ticket.created", "data": data, "nuncio_sample": mark, "company_id": mark.to_string()});
        assert_eq!(t.sends_body(body).await.status, 200);
        // Each is another customer's ticket.
        let message = t.channel("tickets").next_message().await;
        let content = message.content();
        assert!(content.starts_with("Ticket, high: Router down"), "{content}");
        assert!(content.contains(&format!("<@&{ROLE}>")), "{content}");
        assert!(message.title().starts_with("🎫"), "{:#}", message.0);
    }
    t.finish().await;
}

// D
#[tokio::test]
async fn a_file_that_is_not_there_is_named_by_its_option() {
    let t = Harness::start().await;
    let ran = t.runs(&["send", "ticket.created", "--data", "/nonexistent"]).await;
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (2, "nuncio: --data: there is no file /nonexistent (use - for stdin).\n")
    );
    let ran = t.runs(&["send", "ticket.created", "--data", "/"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (2, "nuncio: --data: / is a folder. Name a file in it.\n"));
    t.finish().await;
}
