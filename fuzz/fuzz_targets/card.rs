//! Any signed body is an event or a sentence that says why not; any event is a message within Discord's limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio::clock::Timestamp;
use nuncio::ingress::source::xtsystems;
use nuncio::model::{Event, EventId, Links, Payload};
use nuncio::render::{self, View};
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_secs(1_705_314_600);

fuzz_target!(|body: &[u8]| {
    let body = bytes::Bytes::copy_from_slice(body);
    let event = match xtsystems::parse(&body, "1705314600", NOW) {
        Ok(event) => event,
        Err(why) => {
            assert!(why.len() < 400, "{why}");
            return;
        }
    };
    let data = Payload::of(event.source, event.body);
    assert_eq!(data.severity(), event.severity, "the door and the card read different things");
    let event = Event {
        id: EventId::new(),
        source: event.source,
        kind: event.kind,
        company: event.company,
        subject: event.subject,
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        data,
        size: body.len(),
    };
    let links = Links::default();
    let view = View { company_name: None, links: &links, asked: None };
    let cards = [render::card(&event, &view), render::unreadable(&event)];
    for message in [render::message(&cards, &[]), render::plain(&cards, &[]), render::message(&cards[..1], &[])] {
        check(&serde_json::to_value(&message).expect("a message is JSON"));
    }
});

/// Discord: "Embed limits"; content ≤ 2,000. Counted in UTF-16 units, which are never fewer than characters.
fn check(message: &Value) {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.encode_utf16().count());
    assert!(length(&message["content"]) <= 2000);
    assert_eq!(message["allowed_mentions"]["parse"], serde_json::json!([]));
    let mut total = 0;
    for embed in message["embeds"].as_array().into_iter().flatten() {
        let parts = [
            (length(&embed["title"]), 256),
            (length(&embed["description"]), 4096),
            (length(&embed["footer"]["text"]), 2048),
        ];
        let fields: Vec<_> = embed["fields"].as_array().into_iter().flatten().collect();
        assert!(fields.len() <= 25);
        for field in &fields {
            assert!(!field["name"].as_str().unwrap_or_default().trim().is_empty());
            assert!(!field["value"].as_str().unwrap_or_default().trim().is_empty());
        }
        let fields = fields.iter().flat_map(|f| [(length(&f["name"]), 256), (length(&f["value"]), 1024)]);
        for (length, limit) in parts.into_iter().chain(fields) {
            assert!(length <= limit, "{length} > {limit}");
            total += length;
        }
    }
    assert!(total <= 6000, "{total}");
}
