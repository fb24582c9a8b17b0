//! `/register-webhook`, `/test-webhook`, `/webhook-config`, `/create-ticket`.

use nuncio::demo::PlatformFault;
use nuncio::secret::Secret;
use serde_json::json;

use super::{KEY, Stage, content, option};
use crate::database::Database;
use crate::harness::SECRET;

#[tokio::test]
async fn registering_makes_the_webhook_once_and_then_keeps_it_up_to_date() {
    let s = Stage::start().await;
    let said = s.types("register-webhook", json!([])).await;
    assert!(content(&said).starts_with("Registered: XTSystems sends `*` to `http://localhost:"), "{said:#}");
    let said = s.types("register-webhook", json!([option("events", "ticket.*, alert.triggered")])).await;
    assert!(content(&said).starts_with("The registration was there"), "{said:#}");
    let asked: Vec<String> =
        s.platform.recorded_requests().iter().map(|told| format!("{} {}", told.method, told.path)).collect();
    assert_eq!(asked, ["POST /v1/webhooks", "PUT /v1/webhooks/whk-1"]);
    let told = s.platform.recorded_requests();
    assert_eq!(told[0].body["name"], "Discord Bot Integration");
    assert_eq!(told[1].body["events"], json!(["ticket.*", "alert.triggered"]));
    let entry = s.audited(2).await;
    assert_eq!(
        (entry.action.as_str(), entry.outcome.as_str(), entry.actor_name.as_str()),
        ("command.register-webhook", "done", "Alice")
    );
    s.finish().await;
}

#[tokio::test]
async fn the_old_bots_registration_is_taken_over_by_its_name() {
    let s = Stage::start().await;
    s.platform.add_webhook("Discord Bot Integration", "http://old.example/hook", Secret::new("old"));
    s.types("register-webhook", json!([])).await;
    let told = s.platform.recorded_requests();
    assert_eq!((told[0].method.as_str(), told[0].path.as_str()), ("PUT", "/v1/webhooks/whk-1"));
    // The new secret came with it: what the platform sends now is accepted.
    let answers = s.platform.emit("ticket.created", json!({"id": "t-1", "title": "New"})).await;
    assert_eq!((answers.len(), answers[0].status), (1, 200));
    s.t.channel("tickets").next_message().await;
    s.finish().await;
}

#[tokio::test]
async fn a_platform_elsewhere_is_not_sent_to_localhost() {
    let s = Stage::with(|variables| {
        variables.insert("XTSYSTEMS_API_URL".to_owned(), "http://192.0.2.1".to_owned());
    })
    .await;
    let said = s.types("register-webhook", json!([])).await;
    assert!(content(&said).contains("set PUBLIC_URL"), "{said:#}");
    assert_eq!(s.audited(1).await.outcome, "refused");
    s.finish().await;
}

#[tokio::test]
async fn a_public_url_is_what_is_registered() {
    let s = Stage::with(|variables| {
        variables.insert("PUBLIC_URL".to_owned(), "https://nuncio.example/base/".to_owned());
    })
    .await;
    s.types("register-webhook", json!([])).await;
    assert_eq!(
        s.platform.recorded_requests()[0].body["url"],
        "https://nuncio.example/base/webhooks/xtsystems"
    );
    s.finish().await;
}

#[tokio::test]
async fn a_test_is_followed_leg_by_leg() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #general  ok").await;
    let said = s.types("test-webhook", json!([])).await;
    assert!(content(&said).contains("`/register-webhook` makes one"), "{said:#}");
    s.types("register-webhook", json!([])).await;
    let said = s.types("test-webhook", json!([])).await;
    let legs: Vec<&str> = content(&said).split(" → ").collect();
    assert_eq!(legs.len(), 3, "{said:#}");
    assert!(legs[0].starts_with("XTSystems ") && legs[0].ends_with(" ms"), "{said:#}");
    assert!(legs[1].starts_with("nuncio ") && legs[1].ends_with(" ms on disk"), "{said:#}");
    assert!(legs[2].ends_with(" ms"), "{said:#}");
    assert_eq!(s.t.channel("general").next_message().await.title(), "🧪 Test arrived");
    assert_eq!(s.audited(3).await.outcome, "done");
    s.finish().await;
}

#[tokio::test]
async fn a_test_that_does_not_arrive_says_where_it_was_lost() {
    let s = Stage::start().await;
    let url = s.t.url("/webhooks/xtsystems").replace("127.0.0.1", "localhost");
    s.platform.add_webhook("Discord Bot Integration", &url, Secret::new("another secret altogether"));
    let said = s.types("test-webhook", json!([])).await;
    assert!(content(&said).contains("nothing arrived here"), "{said:#}");
    assert!(content(&said).contains("answered 401"), "{said:#}");
    s.finish().await;
}

#[tokio::test]
async fn without_a_platform_it_tests_itself() {
    let s = Stage::with(|variables| drop(variables.remove("XTSYSTEMS_API_KEY"))).await;
    s.t.table_line("Acme NOC / #general  ok").await;
    let said = s.types("test-webhook", json!([])).await;
    assert!(content(&said).starts_with("Without XTSystems"), "{said:#}");
    assert!(content(&said).contains(" ms on disk → ") && content(&said).ends_with(" ms"), "{said:#}");
    s.t.channel("general").next_message().await;
    for command in ["register-webhook", "create-ticket"] {
        let options = if command == "create-ticket" {
            json!([option("title", "No net"), option("description", "x")])
        } else {
            json!([])
        };
        let said = s.types(command, options).await;
        assert!(content(&said).starts_with("nuncio has no XTSYSTEMS_API_KEY"), "{said:#}");
    }
    s.finish().await;
}

#[tokio::test]
async fn a_ticket_is_made_once_and_its_card_comes_back() {
    let s = Stage::start().await;
    s.types("register-webhook", json!([])).await;
    let options =
        json!([option("title", "No internet"), option("description", "2F"), option("priority", "high")]);
    let options = options.as_array().unwrap().clone();
    // The value of a choice is its place in the list.
    let choice = json!({"name": "priority", "type": 4, "value": 2});
    let said = s.types("create-ticket", json!([options[0], options[1], choice])).await;
    assert!(content(&said).starts_with("Ticket #5001 is created."), "{said:#}");
    let card = s.t.channel("tickets").next_message().await;
    assert!(card.title().contains("No internet"), "{}", card.title());
    let made = s.platform.recorded_requests().into_iter().find(|told| told.path == "/v1/tickets").unwrap();
    assert_eq!(made.body["priority"], "high");
    assert_eq!(made.body["created_by"], "Alice");
    assert!(made.idempotency_key.unwrap().starts_with("cmd_"));
    assert_eq!(s.audited(2).await.action, "command.create-ticket");
    s.finish().await;
}

#[tokio::test]
async fn what_the_platform_refuses_is_told_without_the_key() {
    let s = Stage::start().await;
    let echo = json!({"detail": format!("you sent Bearer {KEY}")});
    s.platform.fails_next("POST /v1/tickets", 1, PlatformFault::Status(401, echo));
    let options = json!([option("title", "No net"), option("description", "x")]);
    let said = s.types("create-ticket", options).await;
    assert!(content(&said).contains("refused XTSYSTEMS_API_KEY (401)"), "{said:#}");
    assert_eq!(s.audited(1).await.outcome, "failed");
    s.finish().await;
}

#[tokio::test]
async fn the_configuration_is_shown_without_a_secret() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #tickets  ok").await;
    let said = s.types("webhook-config", json!([])).await;
    let text = said.to_string();
    assert!(text.contains("Acme NOC / #tickets") && text.contains("machine.registered"), "{said:#}");
    assert!(!text.contains(SECRET) && !text.contains(KEY));
    s.finish().await;
}

#[tokio::test]
async fn kinds_are_suggested_for_the_last_of_the_list() {
    let s = Stage::start().await;
    let typed = |value: &str| json!([{"name": "events", "type": 3, "value": value, "focused": true}]);
    assert_eq!(s.suggestions("register-webhook", typed("machine.r")).await, ["machine.registered"]);
    assert_eq!(
        s.suggestions("register-webhook", typed("ticket.*,alert.t")).await,
        ["ticket.*, alert.triggered"]
    );
    s.finish().await;
}

#[tokio::test]
async fn a_ticket_without_a_title_is_refused_in_a_sentence() {
    let s = Stage::start().await;
    let options = json!([option("title", "   "), option("description", "It smokes")]);
    let said = s.types("create-ticket", options).await;
    assert_eq!(
        content(&said),
        "The title is empty. No ticket was created: write one of at most 200 characters."
    );
    assert_eq!(s.audited(1).await.outcome, "refused");
    assert!(s.platform.recorded_requests().iter().all(|told| !told.path.contains("tickets")));
    s.finish().await;
}

#[tokio::test]
async fn a_command_that_fails_says_what_to_do_and_its_code_is_in_the_log() {
    let s = Stage::start().await;
    let database = Database::open(s.t.store().path()).await.unwrap();
    database.execute("ALTER TABLE mutes RENAME TO mutes_elsewhere", ()).await.unwrap();
    let said = s.types("unmute", json!([])).await;
    let code = content(&said).split('`').nth(1).unwrap().to_owned();
    assert_eq!(
        content(&said),
        format!(
            "The command failed. Try again in a minute; if it fails again, give your operator the code `{code}`."
        )
    );
    database.execute("ALTER TABLE mutes_elsewhere RENAME TO mutes", ()).await.unwrap();
    let errors = s.t.log.at(tracing::Level::ERROR);
    assert!(errors.iter().any(|line| line.contains("/unmute") && line.contains(&code)), "{errors:#?}");
    s.t.log.expect(
        tracing::Level::ERROR,
        "/unmute failed, and its user was given the code in `reference`. If it fails again, report this",
    );
    s.finish().await;
}
