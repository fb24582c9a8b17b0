//! `/deliveries`, and a message's menu.

use nuncio::sandbox::discord::Fault;
use serde_json::json;

use super::{Stage, content, option};

fn below(name: &str, options: serde_json::Value) -> serde_json::Value {
    json!([{"name": name, "type": 1, "options": options}])
}

#[tokio::test]
async fn what_was_given_up_is_listed_shown_and_sent_again() {
    let s = Stage::start().await;
    let said = s.types("deliveries", below("failed", json!([]))).await;
    assert_eq!(content(&said), "Nothing was given up.");
    s.t.table_line("Acme NOC / #tickets  ok").await;

    let tickets = s.t.discord.channel_id("tickets").unwrap();
    let part = format!("POST /api/v10/channels/{tickets}/messages");
    s.t.discord.faults().next_on(&part, 2, Fault::refusal(400, 50035, "Invalid Form Body"));
    s.t.sends("ticket_created.json").await;
    s.t.settle().await;
    s.t.log.expect(tracing::Level::ERROR, "#tickets refused a message for good");

    let said = s.types("deliveries", below("failed", json!([]))).await;
    let line = said["embeds"][0]["description"].as_str().unwrap();
    assert!(line.contains("`ticket.created` → ") && line.contains("50035"), "{said:#}");
    let dead: Vec<_> = s.t.hub().given_up(0, 5).await.unwrap().into_iter().flatten().collect();
    let id = dead[0].id.to_string();
    let said = s.types("deliveries", below("show", json!([option("id", &dead[0].id.short())]))).await;
    assert!(content(&said).contains("refused, 400 50035"), "{said:#}");
    let typed = json!([{"name": "id", "type": 3, "value": "ticket", "focused": true}]);
    assert_eq!(s.suggestions("deliveries", below("retry", typed)).await.len(), 1);

    let said = s.types("deliveries", below("retry", json!([option("id", &id)]))).await;
    assert_eq!(content(&said), "It is sent again, as a new message.");
    s.t.channel("tickets").next_message().await;
    let entry = s.audited(1).await;
    assert_eq!(
        (entry.action.as_str(), entry.subject),
        ("command.deliveries-retry", format!("delivery {id}"))
    );
    s.finish().await;
}

#[tokio::test]
async fn an_id_that_is_none_is_told_what_to_do() {
    let s = Stage::start().await;
    for (id, expected) in [
        ("x", "`x` is not a delivery id. Use the 8 characters that `/deliveries failed` shows."),
        (
            "'; DROP TABLE deliveries",
            "is not a delivery id. Use the 8 characters that `/deliveries failed` shows.",
        ),
        ("dlv_0000000000000000", "`/deliveries failed` lists what was given up."),
        ("evt_00", "is not a delivery id. Use the 8 characters that `/deliveries failed` shows."),
    ] {
        let said = s.types("deliveries", below("show", json!([option("id", id)]))).await;
        assert!(content(&said).ends_with(expected), "{id}: {said:#}");
    }
    s.finish().await;
}

#[tokio::test]
async fn a_messages_menu_shows_what_is_behind_it_and_sends_it_again() {
    let s = Stage::start().await;
    s.t.sends("ticket_created.json").await;
    let card = s.t.channel("tickets").next_message().await;
    s.t.settle().await;
    let said = s.picks("Show raw", card.id(), "tickets").await;
    assert!(content(&said).contains("\n  \"event_type\": \"ticket.created\""), "{said:#}");
    assert!(
        content(&said).starts_with("```\n{\n") && content(&said).ends_with("\n}\n```"),
        "it is whole: {said:#}"
    );
    let entry = s.audited(1).await;
    assert_eq!(
        (entry.action.as_str(), entry.outcome.as_str(), entry.detail.as_str()),
        ("command.show-raw", "done", "one event was shown as it came")
    );
    let said = s.picks("Redeliver", card.id(), "tickets").await;
    assert_eq!(content(&said), "It is sent again, as a new message.");
    s.t.channel("tickets").next_message().await;
    assert_eq!(s.audited(2).await.action, "command.redeliver");
    s.finish().await;
}

// 40. Control: without `without_secrets` in `pretty` it stands there.
#[tokio::test]
async fn what_is_secret_by_its_name_is_not_shown_raw_either() {
    let s = Stage::start().await;
    let data = json!({"host": "SRV-1", "login": {"user": "bob", "api_key": "canary-1"}});
    s.t.sends_body(json!({"event_type": "backup.failed", "data": data})).await;
    let card = s.t.channel("general").next_message().await;
    s.t.settle().await;
    let said = s.picks("Show raw", card.id(), "general").await;
    assert!(
        content(&said).contains("\"api_key\": \"(hidden)\"") && content(&said).contains("SRV-1"),
        "{said:#}"
    );
    assert!(!said.to_string().contains("canary"), "{said:#}");
    s.audited(1).await;
    s.finish().await;
}
