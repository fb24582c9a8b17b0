use std::sync::Arc;

use reqwest::Method;
use tokio::sync::broadcast::Receiver;

use super::ask::{ApiAnswer, next};
use super::*;
use crate::sandbox::discord::Dispatch;

/// A stage with a card in `#tickets`, and its dispatches.
struct Scene {
    t: Stage,
    events: Receiver<Arc<Dispatch>>,
    card: Value,
}

impl Scene {
    async fn start() -> Self {
        let t = Stage::start().await;
        let button = |id: &str, disabled: bool| json!({"type": 2, "style": 1, "label": id, "custom_id": id, "disabled": disabled});
        let menu = json!({"type": 3, "custom_id": "menu", "max_values": 2,
            "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]});
        let rows = json!([
            {"type": 1, "components": [button("ok", false), button("off", true)]},
            {"type": 1, "components": [menu]},
            {"type": 1, "components": [{"type": 5, "custom_id": "who"}]},
        ]);
        let (_, card) = t.posted(&json!({"content": "card", "components": rows})).await;
        let events = t.discord.dispatches();
        Self { t, events, card }
    }

    fn click_body(&self, kind: u64, custom_id: &str, values: &[&str]) -> Value {
        json!({
            "type": 3, "channel_id": self.card["channel_id"], "message_id": self.card["id"], "nonce": "n",
            "data": {"component_type": kind, "custom_id": custom_id, "values": values},
        })
    }

    async fn click(&self, who: &str, custom_id: &str) -> ApiAnswer {
        self.t.say(who, "/interactions", &self.click_body(2, custom_id, &[])).await
    }

    /// Clicks `ok` and returns the interaction as the application receives it.
    async fn clicked(&mut self, who: &str) -> Value {
        assert_eq!(self.click(who, "ok").await.status, 204);
        self.interaction().await
    }

    async fn interaction(&mut self) -> Value {
        next(&mut self.events, "INTERACTION_CREATE").await
    }

    async fn outcome(&mut self) -> Value {
        loop {
            let outcome = next(&mut self.events, "SANDBOX_INTERACTION").await;
            if outcome["state"] != "opened" {
                return outcome;
            }
        }
    }

    async fn answer(&self, interaction: &Value, body: &Value) -> ApiAnswer {
        let path = format!(
            "/interactions/{}/{}/callback?with_response=true",
            text_of(&interaction["id"]),
            text_of(&interaction["token"])
        );
        self.t.say("nobody", &path, body).await
    }

    /// A path below the interaction's webhook.
    fn hook(&self, interaction: &Value, rest: &str) -> String {
        format!("/webhooks/{}/{}{rest}", self.t.discord.application_id(), text_of(&interaction["token"]))
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn a_click_reaches_the_application_with_all_that_client_libraries_want() {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    for key in [
        "id",
        "application_id",
        "token",
        "locale",
        "guild_locale",
        "guild_id",
        "channel_id",
        "app_permissions",
    ] {
        assert!(got[key].is_string(), "{key}");
    }
    for key in ["user", "roles", "permissions", "joined_at"] {
        assert!(!got["member"][key].is_null(), "{key}");
    }
    assert_eq!((&got["type"], &got["version"], &got["context"]), (&json!(3), &json!(1), &json!(0)));
    assert_eq!(got["entitlements"], json!([]));
    assert_eq!(got["authorizing_integration_owners"]["0"], got["guild_id"]);
    assert_eq!(got["member"]["user"]["username"], "bob");
    assert_eq!(got["message"]["id"], s.card["id"]);
    assert_eq!((&got["data"]["custom_id"], &got["data"]["component_type"]), (&json!("ok"), &json!(2)));
    assert!(got["attachment_size_limit"].is_u64() && got["channel"]["permissions"].is_string());
    s.t.end().await;
}

#[rstest]
#[case("gone", 2, &[], 50035)]
#[case("off", 2, &[], 50035)]
#[case("ok", 3, &[], 50035)]
#[case("menu", 3, &["c"], 50035)]
#[case("menu", 3, &["a", "b", "a"], 50035)]
#[case("menu", 3, &[], 50035)]
#[case("who", 5, &["1"], 50035)]
#[tokio::test]
async fn clicks_on_what_is_not_there_are_refused(
    #[case] custom_id: &str,
    #[case] kind: u64,
    #[case] values: &[&str],
    #[case] code: u64,
) {
    let s = Scene::start().await;
    let answer = s.t.say("alice", "/interactions", &s.click_body(kind, custom_id, values)).await;
    assert_eq!(answer.refused(), (400, code));
    s.t.end().await;
}

#[tokio::test]
async fn menus_bring_what_was_chosen() {
    let mut s = Scene::start().await;
    let carol = s.t.discord.user_id("carol").unwrap().to_string();
    assert_eq!(s.t.say("bob", "/interactions", &s.click_body(3, "menu", &["b", "a"])).await.status, 204);
    assert_eq!(s.interaction().await["data"]["values"], json!(["b", "a"]));
    assert_eq!(s.t.say("bob", "/interactions", &s.click_body(5, "who", &[&carol])).await.status, 204);
    let got = s.interaction().await;
    assert_eq!(got["data"]["resolved"]["users"][&carol]["username"], "carol");
    assert!(got["data"]["resolved"]["members"][&carol]["permissions"].is_string());
    s.t.end().await;
}

#[tokio::test]
async fn only_people_click_and_only_where_they_can_see() {
    let s = Scene::start().await;
    let body = s.click_body(2, "ok", &[]);
    assert_eq!(s.t.say("bot", "/interactions", &body).await.refused(), (403, 20001));
    assert_eq!(s.t.say("nobody", "/interactions", &body).await.refused(), (401, 0));
    let deny = json!({"type": 1, "allow": "0", "deny": "1024"});
    let path = format!("/channels/{}/permissions/{}", s.t.tickets(), s.t.discord.user_id("bob").unwrap());
    assert_eq!(s.t.ask("alice", Method::PUT, &path, Some(&deny)).await.status, 204);
    assert_eq!(s.click("bob", "ok").await.refused(), (403, 50001));
    s.t.end().await;
}

#[tokio::test]
async fn an_update_changes_the_card_and_a_second_answer_is_refused() {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    let done =
        s.answer(&got, &json!({"type": 7, "data": {"content": "done", "components": []}})).await.done();
    assert_eq!(done["interaction"]["response_message_id"], s.card["id"]);
    assert_eq!(done["resource"]["message"]["content"], "done");
    assert_eq!(s.outcome().await["state"], "answered");
    let outcome = s.t.discord.interaction(text_of(&got["id"]).parse().unwrap()).unwrap();
    assert_eq!((&outcome["state"], &outcome["message_id"]), (&json!("answered"), &s.card["id"]));
    assert_eq!(s.t.discord.messages(s.t.tickets())[0]["content"], "done");
    assert_eq!(s.answer(&got, &json!({"type": 6})).await.refused(), (400, 40060));
    // The components are gone, so they cannot be clicked.
    assert_eq!(s.click("bob", "ok").await.refused(), (400, 50035));
    s.t.end().await;
}

#[tokio::test]
async fn who_does_not_answer_in_three_seconds_has_failed() {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    s.t.clock.advance(Duration::from_secs(3));
    let event = s.outcome().await;
    assert_eq!((&event["state"], &event["id"], &event["nonce"]), (&json!("failed"), &got["id"], &json!("n")));
    assert_eq!(s.answer(&got, &json!({"type": 6})).await.refused(), (404, 10062));
    let hook = s.hook(&got, "");
    assert_eq!(s.t.say("nobody", &hook, &text("late")).await.refused(), (404, 10015));
    let stranger = json!({"id": "123", "token": "x"});
    assert_eq!(s.answer(&stranger, &json!({"type": 6})).await.refused(), (404, 10062));
    s.t.end().await;
}

#[tokio::test]
async fn tokens_live_for_fifteen_minutes() {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    s.answer(&got, &json!({"type": 6})).await.done();
    s.t.clock.advance(Duration::from_secs(14 * 60));
    let hook = s.hook(&got, "");
    s.t.say("nobody", &hook, &text("in time")).await.done();
    s.t.clock.advance(Duration::from_secs(60));
    assert_eq!(s.t.say("nobody", &hook, &text("late")).await.refused(), (401, 50027));
    let original = s.hook(&got, "/messages/@original");
    assert_eq!(
        s.t.ask("nobody", Method::PATCH, &original, Some(&text("late"))).await.refused(),
        (401, 50027)
    );
    s.t.end().await;
}

#[tokio::test]
async fn what_one_person_sees_nobody_else_does() {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    let button =
        json!([{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x"}]}]);
    let data = json!({"content": "psst", "flags": 64, "components": button});
    let done = s.answer(&got, &json!({"type": 4, "data": data})).await.done();
    let message = &done["resource"]["message"];
    assert_eq!(
        (&message["flags"], &message["interaction_metadata"]["user"]["username"]),
        (&json!(64), &json!("bob"))
    );
    let event = next(&mut s.events, "SANDBOX_EPHEMERAL").await;
    assert_eq!((&event["event"], &event["message"]["content"]), (&json!("MESSAGE_CREATE"), &json!("psst")));
    assert_eq!(event["user_id"], json!(s.t.discord.user_id("bob")));
    assert_eq!(s.t.shown(), 1);
    let seen = |who: &str| s.t.discord.ephemerals(s.t.discord.user_id(who).unwrap()).len();
    assert_eq!((seen("bob"), seen("carol")), (1, 0));
    let path = format!("/channels/{}/messages/{}", s.t.tickets(), text_of(&message["id"]));
    assert_eq!(s.t.read(&path).await.refused(), (404, 10008));
    // The user who sees it can click its buttons.
    let mut click = s.click_body(2, "x", &[]);
    click["message_id"] = message["id"].clone();
    assert_eq!(s.t.say("carol", "/interactions", &click).await.refused(), (404, 10008));
    assert_eq!(s.t.say("bob", "/interactions", &click).await.status, 204);
    let again = s.interaction().await;
    let done =
        s.answer(&again, &json!({"type": 7, "data": {"content": "pssst", "components": []}})).await.done();
    assert_eq!(
        (&done["resource"]["message"]["content"], &done["resource"]["message"]["flags"]),
        (&json!("pssst"), &json!(64))
    );
    let original = s.hook(&again, "/messages/@original");
    assert_eq!(s.t.ask("nobody", Method::DELETE, &original, None).await.status, 204);
    assert_eq!(s.t.ask("nobody", Method::GET, &original, None).await.refused(), (404, 10008));
    s.t.end().await;
}

#[rstest]
#[case(0, 64, 0)]
#[case(64, 0, 64)]
#[tokio::test]
async fn the_first_message_after_a_deferral_fills_it(
    #[case] deferred: u64,
    #[case] sent: u64,
    #[case] shown: u64,
) {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    let done = s.answer(&got, &json!({"type": 5, "data": {"flags": deferred}})).await.done();
    assert_eq!(done["interaction"]["response_message_loading"], true);
    assert_eq!(s.outcome().await["state"], "deferred");
    let hook = s.hook(&got, "");
    let filled = s.t.say("nobody", &hook, &json!({"content": "here", "flags": sent})).await.done();
    assert_eq!(filled["id"], done["interaction"]["response_message_id"]);
    assert_eq!((&filled["flags"], &filled["content"]), (&json!(shown), &json!("here")));
    assert_eq!(s.outcome().await["state"], "answered");
    let more = s.t.say("nobody", &hook, &text("and more")).await.done();
    assert_ne!(more["id"], filled["id"]);
    let path = s.hook(&got, &format!("/messages/{}", text_of(&more["id"])));
    let edited = s.t.ask("nobody", Method::PATCH, &path, Some(&text("still more"))).await.done();
    assert_eq!(edited["content"], "still more");
    assert_eq!(s.t.ask("nobody", Method::DELETE, &path, None).await.status, 204);
    let original = s.hook(&got, "/messages/@original");
    assert_eq!(s.t.ask("nobody", Method::GET, &original, None).await.done()["content"], "here");
    s.t.end().await;
}

#[rstest]
#[case(json!({"type": 1}), ".type: BASE_TYPE_CHOICES")]
#[case(json!({"type": 8, "data": {"choices": []}}), ".type: BASE_TYPE_CHOICES")]
#[case(json!({"type": 4, "data": {"content": "x".repeat(2001)}}), ".data.content: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"type": 7, "data": {"embeds": [{}]}}), ".data.embeds.0.description: BASE_TYPE_REQUIRED")]
#[case(json!({"type": 9, "data": {"custom_id": "m", "title": "t".repeat(46), "components": []}}), ".data.title: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"type": 9, "data": {"custom_id": "m", "title": "t", "components": []}}), ".data.components: BASE_TYPE_BAD_LENGTH")]
#[tokio::test]
async fn answers_that_do_not_fit_are_refused_and_can_be_given_better(
    #[case] body: Value,
    #[case] error: &str,
) {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    assert_eq!(s.answer(&got, &body).await.first_error(), error);
    assert_eq!(s.answer(&got, &json!({"type": 4})).await.refused(), (400, 50006));
    s.answer(&got, &json!({"type": 6})).await.done();
    s.t.end().await;
}

#[tokio::test]
async fn a_modal_is_filled_in_once() {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    let input = json!({"type": 4, "custom_id": "why", "style": 2, "label": "Why?", "min_length": 3, "max_length": 10});
    let modal =
        json!({"custom_id": "deny", "title": "Deny", "components": [{"type": 1, "components": [input]}]});
    s.answer(&got, &json!({"type": 9, "data": modal})).await.done();
    let outcome = s.outcome().await;
    assert_eq!((&outcome["state"], &outcome["modal"]["title"]), (&json!("modal"), &json!("Deny")));
    let send = |why: &str| {
        let filled = json!([{"type": 1, "components": [{"type": 4, "custom_id": "why", "value": why}]}]);
        json!({"type": 5, "channel_id": s.card["channel_id"], "data": {"custom_id": "deny", "components": filled}})
    };
    for (why, error) in
        [("", "BASE_TYPE_REQUIRED"), ("no", "BASE_TYPE_BAD_LENGTH"), ("far too long", "BASE_TYPE_BAD_LENGTH")]
    {
        let answer = s.t.say("bob", "/interactions", &send(why)).await;
        assert_eq!(answer.first_error(), format!(".data.components.0.components.0.value: {error}"));
    }
    assert_eq!(s.t.say("alice", "/interactions", &send("because")).await.refused(), (400, 50035));
    assert_eq!(s.t.say("bob", "/interactions", &send("because")).await.status, 204);
    let again = send("because");
    let sent = s.interaction().await;
    assert_eq!((&sent["type"], &sent["message"]["id"]), (&json!(5), &s.card["id"]));
    assert_eq!(sent["data"]["components"][0]["components"][0]["value"], "because");
    let modal = json!({"type": 9, "data": {"custom_id": "m", "title": "t", "components": []}});
    assert_eq!(s.answer(&sent, &modal).await.first_error(), ".type: BASE_TYPE_CHOICES");
    s.answer(&sent, &json!({"type": 7, "data": {"content": "denied"}})).await.done();
    assert_eq!(s.t.say("bob", "/interactions", &again).await.refused(), (400, 50035));
    s.t.end().await;
}

#[tokio::test]
async fn a_replayed_interaction_is_the_same_one() {
    let mut s = Scene::start().await;
    let got = s.clicked("bob").await;
    assert!(s.t.discord.replay_interaction(None));
    assert_eq!(s.interaction().await, got);
    s.t.end().await;
}
