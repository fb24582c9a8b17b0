//! `docs/events.md`: what every kind of event shows, made from what the running program sends to Discord.
//!
//! `UPDATE_DOCS=1 cargo test --test it events_page` makes its tables anew.

use std::fmt::Write as _;

use nuncio::clock::Timestamp;
use nuncio::model::{Event, EventId, Kind, KindMeaning, Links, Payload, Severity, Source};
use nuncio::render::{self, View};
use nuncio::samples;
use serde_json::{Value, json};

use crate::commands::Stage;

/// The channel of the harness's map in which an event of `kind` is shown.
fn channel(kind: &str) -> &'static str {
    match kind.split('.').next().unwrap() {
        "ticket" => "tickets",
        "asset" => "assets",
        "machine" => "machines",
        "alert" => "alerts",
        _ => "general",
    }
}

/// The meaning of an embed's color: the legend that all cards share.
fn color(number: &Value) -> &'static str {
    match number.as_u64().unwrap() {
        3_066_993 => "green: done",
        15_158_332 => "red: failed",
        16_776_960 => "yellow: a warning, or in progress",
        3_447_003 => "blue: information",
        15_105_570 => "orange: somebody must look or decide",
        65_535 => "cyan: support",
        other => panic!("{other} has no meaning"),
    }
}

/// In one cell of a table; times as people see them, for each looks at the page at another time.
fn cell(text: &str) -> String {
    let text = regex::Regex::new(r"<t:\d+:R>").unwrap().replace_all(text, "*3 minutes ago*");
    let text = regex::Regex::new(r"here \d+ ms|→ here").unwrap().replace_all(&text, "→ here 12 ms");
    text.replace("→ → ", "→ ").replace('|', "\\|").replace('\n', "<br>")
}

fn row(page: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        writeln!(page, "| {name} | {text} |").unwrap();
    }
}

/// What people see of `message`, as a table.
fn table(page: &mut String, message: &Value) {
    let embed = &message["embeds"][0];
    let text = |field: &Value| cell(field.as_str().unwrap_or_default());
    page.push_str("| | |\n| --- | --- |\n");
    row(page, "push", &text(&message["content"]));
    row(page, "title", &text(&embed["title"]));
    row(page, "color", color(&embed["color"]));
    row(page, "text", &text(&embed["description"]));
    for field in embed["fields"].as_array().into_iter().flatten() {
        row(page, &format!("*{}*", field["name"].as_str().unwrap()), &text(&field["value"]));
    }
}

/// How soon a card is sent when others wait as well.
fn priority(kind: &str, body: &Value) -> &'static str {
    let word = Severity::NAMES.iter().find_map(|name| body["data"][*name].as_str());
    match KindMeaning::of(Source::XtSystems, &Kind::new(kind)).priority(word.and_then(Severity::from_word)) {
        nuncio::model::Priority::Decision => "before everything else",
        nuncio::model::Priority::Urgent => "urgent: after decisions, before the rest",
        _ => "in the order of arrival",
    }
}

/// How long a card lives.
fn lifetime(kind: &str) -> &'static str {
    match kind.split('.').next().unwrap() {
        "ticket" => {
            "one card for each ticket: later events of it change the card, and a line in reply says what changed"
        }
        "asset" => "one card for each asset, which later events of it change",
        "machine" => "one card for each time that a machine asks: decisions and the approval change it",
        "alert" => {
            "the same alert within `FOLD_REPEATS` changes its card (×14); if it gets worse, it gets a new one"
        }
        _ => "a card for each event",
    }
}

fn heading(page: &mut String, kind: &str) {
    let family = match kind {
        "ticket.created" => "tickets",
        "asset.created" => "assets",
        "machine.registered" => "machines",
        "alert.triggered" => "alerts",
        "webhook.test" => "others",
        _ => "",
    };
    writeln!(page, "\n### {kind}\n").unwrap();
    if !family.is_empty() {
        writeln!(page, "![What these cards look like](cards/{family}.png)\n").unwrap();
    }
}

/// Every kind of XTSystems, then one that nuncio has no card for.
async fn of_senders() -> String {
    let s = Stage::with(|variables| {
        variables.insert("CARDS".to_owned(), "append".to_owned());
        variables.insert("COALESCE".to_owned(), "off".to_owned());
    })
    .await;
    let mut page = String::new();
    // First the approval: afterwards it would change the card of the machine that asked.
    let (approval, others): (Vec<&samples::Sample>, Vec<&samples::Sample>) =
        samples::all().iter().partition(|sample| sample.kind == "machine.approved");
    let mut shown = std::collections::BTreeMap::new();
    for sample in approval.into_iter().chain(others) {
        let body: Value = serde_json::from_str(sample.body).unwrap();
        assert_eq!(s.t.sends_body(body).await.status, 200);
        shown.insert(sample.kind, s.t.channel(channel(sample.kind)).next_message().await);
    }
    for sample in samples::all() {
        let (body, message) = (serde_json::from_str(sample.body).unwrap(), &shown[sample.kind]);
        heading(&mut page, sample.kind);
        table(&mut page, &message.0);
        let buttons = message.buttons();
        row(&mut page, "buttons", &if buttons.is_empty() { "none".to_owned() } else { buttons.join(" · ") });
        row(&mut page, "priority", priority(sample.kind, &body));
        row(&mut page, "lifetime", lifetime(sample.kind));
        writeln!(page, "\n```json\n{}\n```", serde_json::to_string_pretty(&body).unwrap()).unwrap();
    }
    s.finish().await;
    page
}

/// What nuncio tells people itself.
fn of_nuncio() -> String {
    let mut page = String::from(
        "\n## nuncio's own events\n\nNo sender can send these: an event of such a name from outside is shown as a plain card. They go to the\n`default` channels, but for the one they are about, and have no buttons.\n",
    );
    for sample in samples::own() {
        let body: Value = serde_json::from_str(sample.body).unwrap();
        let at = Timestamp::from_secs(1_705_314_600);
        let event = Event {
            id: "evt_018d0cd5f04070008000c0ffee123456".parse::<EventId>().unwrap(),
            source: Source::Nuncio,
            kind: Kind::new(sample.kind),
            company: String::new(),
            subject: String::new(),
            occurred_at: at,
            received_at: at,
            data: Payload::parsed(Source::Nuncio, body["data"].clone()),
            size: 0,
        };
        let view = View { company_name: None, links: &Links::default(), asked: None };
        let message = json!(render::message(&[render::card(&event, &view)], &[]));
        assert!(
            !message["embeds"][0]["title"].as_str().unwrap().contains(sample.kind),
            "it has a card of its own"
        );
        heading(&mut page, sample.kind);
        table(&mut page, &message);
        let is_good =
            matches!(sample.kind, "destination.reopened" | "nuncio.source.accepted" | "nuncio.mute.ended");
        row(
            &mut page,
            "priority",
            if is_good { "in the order of arrival" } else { "urgent: after decisions, before the rest" },
        );
        row(&mut page, "what to do", &format!("[runbook](runbook.md#{})", sample.kind.replace('.', "")));
    }
    page
}

/// What a hosting platform dispatches.
fn of_dispatches() -> String {
    let mut page = String::from(
        "\n## Dispatches\n\nWhat a hosting platform reports through the API ([dispatcher.md](dispatcher.md)). They go to stored Discord webhooks of\ntheir category, not along the map, and have no buttons. The footer is the brand (`DISPATCH_FOOTER`) and the event's id. The\nbodies are as nuncio keeps them.\n",
    );
    for sample in samples::dispatched() {
        let body: Value = serde_json::from_str(sample.body).unwrap();
        let at = Timestamp::from_secs(1_705_314_600);
        let event = Event {
            id: "evt_018d0cd5f04070008000c0ffee123456".parse::<EventId>().unwrap(),
            source: Source::Dispatch,
            kind: Kind::new(sample.kind),
            company: String::new(),
            subject: String::new(),
            occurred_at: at,
            received_at: at,
            data: Payload::parsed(Source::Dispatch, body["data"].clone()),
            size: 0,
        };
        let view = View { company_name: None, links: &Links::default(), asked: None };
        let message = json!(render::message(&[render::card(&event, &view)], &[]));
        heading(&mut page, sample.kind);
        table(&mut page, &message);
        row(&mut page, "category", body["category"].as_str().unwrap());
        let folds = matches!(sample.kind, "node.alert" | "system.alert");
        let once = "the same again within `FOLD_REPEATS` changes its card (×14); if it gets worse, it gets a new one";
        row(&mut page, "lifetime", if folds { once } else { "a card for each event" });
        writeln!(page, "\n```json\n{}\n```", serde_json::to_string_pretty(&body).unwrap()).unwrap();
    }
    page
}

// Control: with another title on a card, or another sample, it is red.
#[tokio::test]
async fn the_page_about_events_shows_what_the_program_shows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events.md");
    let made = of_senders().await + &of_dispatches() + &of_nuncio() + "\n";
    let page = std::fs::read_to_string(path).unwrap();
    let (head, rest) = page.split_once("<!-- events -->\n").unwrap();
    let (committed, tail) = rest.split_once("<!-- /events -->").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{head}<!-- events -->\n{made}<!-- /events -->{tail}")).unwrap();
        return;
    }
    assert!(
        committed == made,
        "docs/events.md is not what nuncio shows; make it anew with\n    UPDATE_DOCS=1 cargo test --test it events_page\n{made}"
    );
}
