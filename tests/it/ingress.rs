//! What happens at the door.

use nuncio::secret::Secret;
use nuncio::signature;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::harness::{Harness, SECRET, http};

const TICKET: &str = r#"{"event_type":"ticket.created","data":{"id":"t","seq_id":7,"title":"Printer"}}"#;

/// A signed request that may still be spoilt.
fn signed(t: &Harness, timestamp: &str, body: impl Into<Vec<u8>>) -> reqwest::RequestBuilder {
    let body = body.into();
    let signature = signature::sign(&Secret::new(SECRET), &[timestamp.as_bytes(), &body]);
    http()
        .post(t.url("/webhooks/xtsystems"))
        .header("x-xtsystems-timestamp", timestamp)
        .header("x-xtsystems-signature", signature)
        .body(body)
}

fn now(t: &Harness) -> String {
    t.clock.now().as_secs().to_string()
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_signed_webhook_becomes_a_card() {
    let t = Harness::start().await;
    let answer = t.sends("ticket_created.json").await;
    assert_eq!(answer.body["success"], true);
    assert_eq!(answer.body["message"], "Webhook processed successfully");
    assert_eq!(answer.body["duplicate"], false);
    let card = t.channel("tickets").next_message().await;
    assert_eq!(card.title(), "🎫 #1001 Network Issue");
    assert!(card.content().starts_with("Ticket #1001, high: Network Issue"), "{}", card.content());
    t.finish().await;
}

#[tokio::test]
async fn every_sample_becomes_a_card_in_its_channel() {
    let t = Harness::plain().await;
    for sample in nuncio::samples::all() {
        t.sends_body(serde_json::from_str(sample.body).unwrap()).await;
        let channel = match sample.kind.split('.').next().unwrap() {
            "ticket" => "tickets",
            "machine" => "machines",
            "asset" => "assets",
            "alert" => "alerts",
            _ => "general",
        };
        let card = t.channel(channel).next_message().await;
        let footer = card.0["embeds"][0]["footer"]["text"].as_str().unwrap();
        assert!(footer.starts_with(&format!("XTSystems · {}", sample.kind)), "{footer}");
    }
    t.finish().await;
}

// I-8
#[tokio::test]
async fn the_same_event_again_is_one_card() {
    let mut t = Harness::start().await;
    let timestamp = now(&t);
    let (status, first) = answer(signed(&t, &timestamp, TICKET)).await;
    assert_eq!((status, &first["duplicate"]), (200, &json!(false)));
    let again =
        futures_util::future::join_all((0..100).map(|_| answer(signed(&t, &timestamp, TICKET)))).await;
    for (status, body) in again {
        assert_eq!((status, &body["duplicate"], &body["event_id"]), (200, &json!(true), &first["event_id"]));
    }
    t.channel("tickets").next_message().await;
    t.restart().await;
    let (_, body) = answer(signed(&t, &timestamp, TICKET)).await;
    assert_eq!((&body["duplicate"], &body["event_id"]), (&json!(true), &first["event_id"]));
    t.finish().await;
}

#[tokio::test]
async fn a_platforms_retry_is_signed_anew_and_still_the_same_event() {
    let t = Harness::plain().await;
    let body = r#"{"event_type":"ticket.created","data":{"seq_id":7},"timestamp":1705314600}"#;
    let (first, second) = (t.clock.now().as_secs() - 10, t.clock.now().as_secs());
    let (_, one) = answer(signed(&t, &first.to_string(), body)).await;
    let (_, two) = answer(signed(&t, &second.to_string(), body)).await;
    assert_eq!((&two["duplicate"], &two["event_id"]), (&json!(true), &one["event_id"]));
    // Without a time of its own, the same bytes at another time are another event.
    let (_, three) = answer(signed(&t, &first.to_string(), TICKET)).await;
    let (_, four) = answer(signed(&t, &second.to_string(), TICKET)).await;
    assert_ne!(three["event_id"], four["event_id"]);
    t.channel("tickets").next_messages(3).await;
    t.finish().await;
}

// I-1, I-2, I-5, I-6, I-7
#[tokio::test]
async fn what_is_not_signed_is_refused_and_leaves_nothing() {
    let t = Harness::start().await;
    let at = now(&t);
    let offset = |by: i64| (t.clock.now().as_secs() + by).to_string();
    let header = signature::sign(&Secret::new(SECRET), &[at.as_bytes(), TICKET.as_bytes()]);
    let post = |timestamp: Option<&str>, signature: Option<&str>| {
        let mut request = http().post(t.url("/webhooks/xtsystems")).body(TICKET);
        if let Some(timestamp) = timestamp {
            request = request.header("x-xtsystems-timestamp", timestamp);
        }
        if let Some(signature) = signature {
            request = request.header("x-xtsystems-signature", signature);
        }
        request
    };
    let missing = json!({"error": "Missing signature or timestamp"});
    let too_old = json!({"error": "Timestamp too old"});
    let invalid = json!({"error": "Invalid signature"});
    let other =
        signature::sign(&Secret::new("another secret, long enough"), &[at.as_bytes(), TICKET.as_bytes()]);
    let shifted = format!("{}{}", &at[1..], 'x');
    for (request, expected) in [
        (post(None, Some(&header)), &missing),
        (post(Some(&at), None), &missing),
        (post(Some(""), Some(&header)), &missing),
        (post(Some(&at), Some("")), &missing),
        (post(Some(&at), Some(&other)), &invalid),
        (post(Some(&at), Some(&header[7..])), &invalid),
        (post(Some(&at), Some(&header.replace("sha256", "sha1"))), &invalid),
        (post(Some(&at), Some(&format!("{header},{header}"))), &invalid),
        (post(Some(&at), Some(&header)).header("x-xtsystems-signature", &header), &invalid),
        (post(Some(&at), Some(&header)).header("x-xtsystems-timestamp", &at), &invalid),
        (post(Some(&shifted), Some(&header)), &invalid),
        (post(Some(&format!("{at}000")), Some(&header)), &invalid),
        (post(Some(&format!("+{}", &at[1..])), Some(&header)), &invalid),
        (signed(&t, &offset(-400), TICKET), &too_old),
        (signed(&t, &offset(400), TICKET), &too_old),
        // The delimiter that is not there: a digit of the body's in the timestamp, under the same MAC.
        (signed(&t, &at[..9], format!("{}{TICKET}", &at[9..])), &invalid),
    ] {
        let (status, body) = answer(request).await;
        assert_eq!((status, &body), (401, expected));
    }
    let backlog = t.store().backlog().await.unwrap();
    assert_eq!(backlog, nuncio::model::Backlog::default());
    t.finish().await;
}

// I-11, I-12, I-13
#[rstest::rstest]
#[case(&[("content-encoding", "gzip")], 415, "Unsupported media type")]
#[case(&[("content-type", "text/plain")], 415, "Unsupported media type")]
#[case(&[("content-type", "application/x-www-form-urlencoded")], 415, "Unsupported media type")]
#[tokio::test]
async fn what_cannot_be_a_webhook_is_refused_unread(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] error: &str,
) {
    let t = Harness::start().await;
    let mut request = signed(&t, &now(&t), TICKET);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    assert_eq!(answer(request).await, (status, json!({"error": error})));
    t.finish().await;
}

#[tokio::test]
async fn json_with_parameters_is_json() {
    let t = Harness::start().await;
    let request = signed(&t, &now(&t), TICKET).header("content-type", "application/json; charset=utf-8");
    assert_eq!(answer(request).await.0, 200);
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// I-11
#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let t = Harness::with(|variables| {
        variables.insert("WEBHOOK_BODY_LIMIT".into(), "1KiB".into());
    })
    .await;
    let body = |length: usize| {
        let frame = r#"{"event_type":"ticket.created","data":{"title":""}}"#;
        frame.replace(r#""""#, &format!(r#""{}""#, "x".repeat(length - frame.len())))
    };
    assert_eq!(answer(signed(&t, &now(&t), body(1024))).await.0, 200);
    let too_large = (413, json!({"error": "Payload too large"}));
    assert_eq!(answer(signed(&t, &now(&t), body(1025))).await, too_large);
    // Without a length said beforehand.
    let chunked = signed(&t, &now(&t), "").body(reqwest::Body::wrap_stream(futures_util::stream::iter(
        (0..100).map(|_| Ok::<_, std::io::Error>("x".repeat(100))),
    )));
    assert_eq!(answer(chunked).await, too_large);
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// I-14
#[tokio::test]
async fn signed_but_unreadable_is_quarantined_once() {
    let t = Harness::start().await;
    let at = now(&t);
    for _ in 0..3 {
        let (status, body) = answer(signed(&t, &at, r#"{"event_type":"a","event_type":"b"}"#)).await;
        assert_eq!((status, body), (400, json!({"error": "Invalid JSON"})));
    }
    assert_eq!(answer(signed(&t, &at, "{not json")).await.0, 400);
    assert_eq!(t.store().quarantined().await.unwrap(), 2);
    t.finish().await;
}

#[tokio::test]
async fn other_addresses_and_methods_are_answered_in_a_friendly_way() {
    let t = Harness::start().await;
    assert_eq!(t.looks_at("/webhooks/other").await, (404, r#"{"error":"Not found"}"#.to_owned()));
    let (status, text) = t.looks_at("/webhooks/xtsystems").await;
    assert_eq!(status, 405);
    assert!(text.contains("It works"), "{text}");
    let (status, page) = t.looks_at("/").await;
    assert_eq!(status, 200);
    assert!(page.contains("Everything works"), "{page}");
    let delete = http().delete(t.url("/health")).send().await.unwrap();
    assert_eq!(delete.status(), StatusCode::METHOD_NOT_ALLOWED);
    let put = http().put(t.url("/webhooks/xtsystems")).send().await.unwrap();
    assert_eq!(
        (put.status(), &put.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("POST"))
    );
    assert_eq!(put.text().await.unwrap(), r#"{"error":"Method not allowed"}"#);
    t.finish().await;
}

#[tokio::test]
async fn health_tells_how_things_stand() {
    let t = Harness::start().await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    let mut health = t.health().await;
    health["timestamp"].take();
    health["version"].take();
    assert_eq!(health["configuration"].take().as_str().unwrap().len(), 8);
    insta::assert_json_snapshot!(health, @r#"
    {
      "status": "ok",
      "problems": [],
      "codes": [],
      "service": "nuncio",
      "version": null,
      "timestamp": null,
      "discord": "connected",
      "database": "ok",
      "pending": 0,
      "unrouted": 0,
      "configuration": null,
      "refused": []
    }
    "#);
    assert_eq!(t.looks_at("/health/live").await.0, 200);
    assert_eq!(t.looks_at("/health/ready").await.0, 200);
    t.finish().await;
}

// A body may hold a megabyte of either, and ten thousand of them are kept at hand.
#[tokio::test]
async fn of_a_customers_name_no_more_is_learnt_than_can_be_shown() {
    let t = Harness::plain().await;
    for (id, name) in [("acme", "n".repeat(50_000)), (&*"i".repeat(50_000), "Beta".to_owned())] {
        t.sends_body(
            json!({"event_type": "printer.jammed", "company_id": id, "data": {"company_name": name}}),
        )
        .await;
    }
    t.channel("general").next_messages(2).await;
    let learnt = t.store().company_names().await.unwrap();
    let [(_, id, name)] = &*learnt else { panic!("{learnt:?}") };
    assert_eq!((&**id, &**name), ("acme", &*format!("{}…", "n".repeat(100))));
    t.finish().await;
}
