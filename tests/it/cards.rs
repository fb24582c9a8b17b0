//! What every kind of event looks like, and that nothing an event says can make a message wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use nuncio::clock::Timestamp;
use nuncio::model::{Event, EventId, Kind, Links, Snowflake, Source};
use nuncio::render::{self, Body, View};
use nuncio::samples;
use serde_json::Value;

/// An event as ingress would make it of `body`, with an id and times that never change.
fn event(kind: &str, company: &str, data: Value) -> Event {
    let occurred_at = Timestamp::from_secs(1_705_314_600);
    let id: EventId = "evt_018d0cd5f04070008000c0ffee123456".parse().unwrap();
    Event {
        id,
        source: Source::XtSystems,
        kind: Kind::new(kind),
        company: company.to_owned(),
        subject: String::new(),
        occurred_at,
        received_at: Timestamp::from_millis(occurred_at.as_millis() + 38),
        data,
        size: 0,
    }
}

fn sample(kind: &str) -> Event {
    let body: Value = serde_json::from_str(samples::find(kind).unwrap().body).unwrap();
    let company = body.get("company_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    event(kind, &company, body["data"].clone())
}

fn sent(event: &Event, pings: &[Snowflake]) -> Body {
    let view = View { company_name: None, links: &Links::default() };
    render::message(&[render::card(event, &view)], pings)
}

#[test]
fn ticket_created() {
    insta::assert_json_snapshot!(sent(&sample("ticket.created"), &[]), @"");
}

#[test]
fn ticket_updated() {
    insta::assert_json_snapshot!(sent(&sample("ticket.updated"), &[]), @"");
}

#[test]
fn ticket_closed() {
    insta::assert_json_snapshot!(sent(&sample("ticket.closed"), &[]), @"");
}

#[test]
fn asset_created() {
    insta::assert_json_snapshot!(sent(&sample("asset.created"), &[]), @"");
}

#[test]
fn asset_updated() {
    insta::assert_json_snapshot!(sent(&sample("asset.updated"), &[]), @"");
}

#[test]
fn user_created() {
    insta::assert_json_snapshot!(sent(&sample("user.created"), &[]), @"");
}

#[test]
fn company_created() {
    insta::assert_json_snapshot!(sent(&sample("company.created"), &[]), @"");
}

#[test]
fn machine_registered() {
    insta::assert_json_snapshot!(sent(&sample("machine.registered"), &[]), @"");
}

#[test]
fn machine_approved() {
    insta::assert_json_snapshot!(sent(&sample("machine.approved"), &[]), @"");
}

#[test]
fn alert_triggered() {
    insta::assert_json_snapshot!(sent(&sample("alert.triggered"), &[]), @"");
}

#[test]
fn webhook_test() {
    insta::assert_json_snapshot!(sent(&sample("webhook.test"), &[]), @"");
}

#[test]
fn a_kind_without_a_card_of_its_own() {
    insta::assert_json_snapshot!(sent(&sample("printer.jammed"), &[]), @"");
}
