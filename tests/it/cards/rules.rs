//! The rules that all cards keep.

use nuncio::model::{LinkTemplate, Links, Snowflake};
use nuncio::render::{self, Body, Card, View};
use nuncio::samples;
use rstest::rstest;
use serde_json::{Value, json};

use super::{event, sample, sent};

fn cards(count: usize, kind: &str, data: &Value) -> Vec<Card> {
    let view = View { company_name: None, links: &Links::default(), asked: None };
    (0..count).map(|_| render::card(&event(kind, "", data.clone()), &view)).collect()
}

fn only(kind: &str, data: Value) -> render::Embed {
    sent(&event(kind, "", data), &[]).embeds.remove(0)
}

#[test]
fn samples_are_what_they_say_and_new_events_each_time() {
    for sample in samples::all() {
        let body: Value = serde_json::from_str(sample.body).unwrap();
        assert_eq!(body["event_type"], sample.kind);
        assert!(body["data"].is_object() && body.get("timestamp").is_none(), "{}", sample.kind);
        assert_eq!(samples::find(&sample.kind.replace('.', "_")).unwrap().kind, sample.kind);
    }
    assert!(samples::find("ticket.exploded").is_none());
}

#[test]
fn roles_are_pinged_behind_the_summary_and_only_by_id() {
    let body = sent(&sample("alert.triggered"), &[Snowflake::new(7), Snowflake::new(9), Snowflake::new(7)]);
    assert_eq!(body.content, "CRITICAL: Disk full on SRV-DB1 (Acme) <@&7> <@&9>");
    assert_eq!(
        serde_json::to_value(body.allowed_mentions).unwrap(),
        json!({"parse": [], "roles": ["7", "9"]})
    );
}

#[rstest]
#[case(json!({"company_name": "Acme"}), Some("Learnt"), "**Acme**")]
#[case(json!({"company_name": "n/a"}), Some("Learnt"), "**Learnt**")]
#[case(json!({"company_name": {"a": 1}}), None, "**`7f9c24e8…`**")]
#[case(json!({}), Some("Unknown"), "**`7f9c24e8…`**")]
fn the_customer_comes_first_by_the_best_name_known(
    #[case] data: Value,
    #[case] learnt: Option<&str>,
    #[case] first: &str,
) {
    let event = event("ticket.created", "7f9c24e8-3b1d-4c6e-a5f2-90d1b8e4c377", data);
    let card = render::card(&event, &View { company_name: learnt, links: &Links::default(), asked: None });
    assert_eq!(render::message(&[card], &[]).embeds[0].description, first);
}

#[rstest]
#[case(json!("low"), 3_447_003, "ℹ️ INFO")]
#[case(json!("Warning"), 16_776_960, "⚠️ WARNING")]
#[case(json!("high"), 15_158_332, "🚨 ERROR")]
#[case(json!("EMERGENCY"), 15_158_332, "🚨 CRITICAL")]
#[case(json!("p1"), 15_105_570, "🚨 P1")]
#[case(json!(5), 15_105_570, "🚨 5")]
#[case(json!("unknown"), 15_105_570, "🚨 ALERT")]
#[case(json!(["critical"]), 15_105_570, "🚨 ALERT")]
fn an_alert_says_how_bad_it_is_in_a_word_and_a_colour(
    #[case] severity: Value,
    #[case] color: u32,
    #[case] title: &str,
) {
    let embed = only("alert.triggered", json!({ "severity": severity }));
    assert_eq!((embed.color, embed.title.as_str()), (color, title));
}

#[rstest]
#[case("ticket.created", "Ticket", "🎫 New ticket")]
#[case("ticket.updated", "Ticket updated", "📝 Ticket updated")]
#[case("ticket.closed", "Ticket closed", "🔒 Ticket closed")]
#[case("asset.created", "New asset", "💻 New asset")]
#[case("asset.updated", "Asset updated", "🔧 Asset updated")]
#[case("user.created", "New user", "👤 New user")]
#[case("company.created", "New company", "🏢 New company")]
#[case("machine.registered", "A machine asks to join", "🖥️ A machine wants to join")]
#[case("machine.approved", "A machine approved", "✅ A machine approved")]
#[case("alert.triggered", "ALERT", "🚨 ALERT")]
#[case("webhook.test", "Test arrived", "🧪 Test arrived")]
#[case("Printer_Jammed", "Printer\\_Jammed", "📨 Printer\\_Jammed")]
fn an_event_without_data_is_still_told(#[case] kind: &str, #[case] content: &str, #[case] title: &str) {
    for data in [Value::Null, json!({}), json!({"title": null, "name": "", "severity": " "})] {
        let body = sent(&event(kind, "", data), &[]);
        assert_eq!((body.content.as_str(), body.embeds[0].title.as_str()), (content, title));
    }
}

#[rstest]
#[case(json!("2024-01-15T10:30:00Z"), "asked <t:1705314600:R>")]
#[case(json!("2024-01-15 10:30:00.123"), "asked <t:1705314600:R>")]
#[case(json!("2024-01-15T12:30:00+02:00"), "asked <t:1705314600:R>")]
#[case(json!(1_705_314_600), "asked <t:1705314600:R>")]
#[case(json!("1705314600000"), "asked <t:1705314600:R>")]
#[case(json!("yesterday"), "")]
#[case(json!(-5), "")]
#[case(json!(0), "")]
#[case(json!(i64::MAX), "")]
#[case(json!({"$date": 1}), "")]
fn times_are_shown_as_the_reader_counts_them(#[case] at: Value, #[case] description: &str) {
    assert_eq!(only("machine.registered", json!({ "registered_at": at })).description, description);
}

#[test]
fn titles_lead_to_the_operators_pages_only() {
    let template = |text| Some(LinkTemplate::parse(text).unwrap());
    let links = Links {
        ticket: template("https://x.example/tickets/{id}"),
        asset: None,
        machine: template("https://x.example/m?id={id}"),
    };
    let url = |kind, data| {
        let card =
            render::card(&event(kind, "", data), &View { company_name: None, links: &links, asked: None });
        render::message(&[card], &[]).embeds.remove(0).url
    };
    let evil = "https://evil.example";
    assert_eq!(
        url("ticket.created", json!({"id": "a/b"})).as_deref(),
        Some("https://x.example/tickets/a%2Fb")
    );
    assert_eq!(url("ticket.closed", json!({"url": evil})), None);
    assert_eq!(url("asset.created", json!({"id": 1, "url": evil})), None);
    assert_eq!(
        url("machine.registered", json!({"asset_id": 5})).as_deref(),
        Some("https://x.example/m?id=5")
    );
}

#[test]
fn ten_cards_give_up_long_texts_first_and_titles_never() {
    let title = "T".repeat(190);
    let data =
        json!({"seq_id": 1, "title": title, "priority": "high", "description": "long *** ".repeat(50)});
    let body = render::message(&cards(10, "ticket.created", &data), &[]);
    assert_eq!(body.embeds.len(), 10);
    for embed in &body.embeds {
        assert_eq!(embed.title, format!("🎫 #1 {title}"));
        let (facts, text) = embed.description.split_once('\n').unwrap();
        assert_eq!(facts, "high");
        assert!(text.starts_with("long \\*") && text.ends_with('…') && text.len() < 390, "{text}");
    }
}

#[test]
fn fields_go_from_the_last_and_it_is_said() {
    let details = json!({"log": "*".repeat(500)});
    let data = json!({"title": "T".repeat(190), "message": "m", "details": details});
    let mut cards = cards(10, "alert.triggered", &data);
    for card in &mut cards {
        let field = card.fields[0].clone();
        card.fields = vec![field; 2];
    }
    let embeds = render::message(&cards, &[]).embeds;
    assert_eq!(embeds[0].fields.len(), 2);
    assert_eq!(embeds[9].fields.len(), 0);
    assert!(embeds[9].description.ends_with("… (2 more)"), "{}", embeds[9].description);
}

#[test]
fn what_does_not_fit_into_one_message_is_counted() {
    let cards = cards(13, "ticket.created", &json!({"title": "t".repeat(200), "priority": "p".repeat(200)}));
    let body = render::message(&cards, &[]);
    assert_eq!(body.embeds.len(), 10);
    assert!(body.content.ends_with("\n… (3 more)"));
    let pings: Vec<Snowflake> = (0..60).map(|n| Snowflake::new(u64::MAX - n)).collect();
    let body = render::message(&cards, &pings);
    assert!(body.content.contains("… (7 more) <@&"), "{}", body.content);
}

fn content(body: &Body) -> &str {
    assert!(body.embeds.is_empty());
    &body.content
}

#[test]
fn the_plain_form_says_the_same_without_embeds() {
    let view = View { company_name: None, links: &Links::default(), asked: None };
    let card = render::card(&sample("alert.triggered"), &view);
    insta::assert_snapshot!(content(&render::plain(&[card], &[Snowflake::new(7)])), @r"
    🚨 CRITICAL · Disk full
    SRV-DB1 · Acme · first <t:1705309920:R>, ×14
    Volume /var is 97 % full and grows by 1 GB an hour.
    Details: mount: /var
    used\_percent: 97
    free: 3.1 GB
    device: /dev/sda3
    XTSystems · alert.triggered · ee123456 <@&7>
    ");
    let links = json!({"title": "https://evil.example discord.gg/x @everyone"});
    let body = render::plain(&cards(1, "ticket.created", &links), &[]);
    assert!(
        !body.content.contains("://")
            && !body.content.contains("discord.gg/")
            && !body.content.contains("@every")
    );
}

#[test]
fn the_card_of_last_resort_reads_nothing_but_kind_and_id() {
    let body = render::message(&[render::unreadable(&sample("alert.triggered"))], &[]);
    assert_eq!(body.content, "alert.triggered arrived, but could not be shown");
    assert_eq!(body.embeds[0].title, "📨 alert.triggered");
    assert_eq!(
        body.embeds[0].description,
        "This event could not be shown; it is kept: `nuncio events show evt_018d0cd5f04070008000c0ffee123456`"
    );
}

#[test]
fn a_megabyte_of_anything_is_drawn() {
    for piece in [
        "a",
        "\u{301}",
        "क्\u{200D}",
        "\u{1100}",
        "🇩",
        "👨\u{200D}",
        "://",
        "discord.gg/",
        "`",
        "@everyone",
        "\n",
    ] {
        let long = piece.repeat(1_000_000 / piece.len());
        let data = json!({"title": long, "description": long, "name": long, "notes": long, "details": long});
        for kind in ["ticket.created", "ticket.updated", "alert.triggered", "printer.jammed"] {
            assert_eq!(sent(&event(kind, &long, data.clone()), &[]).embeds.len(), 1);
        }
    }
    let many: Vec<Value> = (0..100_000).map(|n| format!("f{n}").into()).collect();
    let embed = only("asset.updated", json!({ "changes": many, "details": many }));
    assert!(embed.fields[0].value.ends_with("… (99994 more)"));
}
