use reqwest::Method;

use super::ask::{ApiAnswer, next};
use super::*;

fn ask_command() -> Value {
    let text = |name: &str| json!({"type": 3, "name": name, "description": "d"});
    let mut prio = text("priority");
    prio["choices"] = json!([{"name": "High", "value": "high"}]);
    let mut title = text("title");
    title["required"] = true.into();
    title["max_length"] = 5.into();
    let mut host = text("host");
    host["autocomplete"] = true.into();
    json!({"name": "create-ticket", "description": "Opens one", "options": [
        title, prio, host, {"type": 4, "name": "count", "description": "d", "min_value": 1, "max_value": null},
        {"type": 6, "name": "who", "description": "d"}, {"type": 8, "name": "role", "description": "d"},
        {"type": 7, "name": "where", "description": "d", "channel_types": []},
    ]})
}

impl Stage {
    fn commands(&self) -> String {
        format!("/applications/{}/guilds/{}/commands", self.discord.application_id(), self.discord.guild_id())
    }

    fn use_body(&self, kind: u8, name: &str, options: &Value) -> Value {
        json!({"type": kind, "channel_id": self.tickets(), "data": {"name": name, "type": 1, "options": options}})
    }

    async fn used(&self, who: &str, name: &str, options: &Value) -> ApiAnswer {
        self.say(who, "/interactions", &self.use_body(2, name, options)).await
    }
}

#[tokio::test]
async fn commands_are_registered_changed_and_taken_away() {
    let t = Stage::start().await;
    let path = t.commands();
    let made = t.say("bot", &path, &ask_command()).await;
    assert_eq!(made.status, 201);
    let again = t.say("bot", &path, &ask_command()).await;
    assert_eq!((again.status, &again.body["id"]), (200, &made.body["id"]));
    assert_ne!(again.body["version"], made.body["version"]);
    let one = format!("{path}/{}", made.body["id"].as_str().unwrap());
    let changed = t.ask("bot", Method::PATCH, &one, Some(&json!({"description": "New"}))).await.done();
    assert_eq!((&changed["description"], &changed["options"][0]["name"]), (&json!("New"), &json!("title")));
    // In serenity's format.
    let all = json!([
        ask_command(),
        {"name": "ping", "description": "p", "options": [], "type": 1, "nsfw": false},
        {"name": "Look at it", "type": 3, "description": ""},
    ]);
    let listed = t.ask("bot", Method::PUT, &path, Some(&all)).await.done();
    assert_eq!((listed[0]["id"].clone(), listed.as_array().unwrap().len()), (made.body["id"].clone(), 3));
    assert_eq!(t.read(&path).await.done(), listed);
    assert_eq!(t.ask("bot", Method::DELETE, &one, None).await.status, 204);
    assert_eq!(t.read(&one).await.refused(), (404, 10063));
    assert_eq!(t.say("alice", &path, &ask_command()).await.refused(), (403, 20012));
    t.end().await;
}

#[tokio::test]
async fn a_command_reaches_the_application_as_it_was_written() {
    let t = Stage::start().await;
    t.say("bot", &t.commands(), &ask_command()).await.done();
    let mut events = t.discord.dispatches();
    let [carol, role, channel] =
        [t.discord.user_id("carol"), t.discord.role_id("Approvers"), t.discord.channel_id("alerts")]
            .map(|id| id.unwrap().to_string());
    let options = json!([
        {"name": "title", "value": "Disk"}, {"name": "count", "value": 3}, {"name": "who", "value": carol},
        {"name": "role", "value": role}, {"name": "where", "value": channel},
    ]);
    assert_eq!(t.used("carol", "create-ticket", &options).await.status, 204);
    let got = next(&mut events, "INTERACTION_CREATE").await;
    assert_eq!((&got["type"], &got["data"]["name"]), (&json!(2), &json!("create-ticket")));
    assert_eq!(got["data"]["options"][1], json!({"name": "count", "type": 4, "value": 3}));
    for (kind, id) in [("users", &carol), ("members", &carol), ("roles", &role), ("channels", &channel)] {
        assert!(got["data"]["resolved"][kind][id].is_object(), "{kind}");
    }
    let path =
        format!("/interactions/{}/{}/callback", got["id"].as_str().unwrap(), got["token"].as_str().unwrap());
    assert_eq!(t.say("nobody", &path, &json!({"type": 4, "data": text("made")})).await.status, 204);
    let message = &t.discord.messages(t.tickets())[0];
    assert_eq!((&message["type"], &message["interaction"]["name"]), (&json!(20), &json!("create-ticket")));
    assert_eq!(message["interaction_metadata"]["user"]["username"], "carol");
    t.end().await;
}

#[rstest]
#[case(json!([]), ".data.options: APPLICATION_COMMAND_REQUIRED_OPTION_MISSING")]
#[case(json!([{"name": "title", "value": "too long"}]), ".data.options.0: APPLICATION_COMMAND_OPTION_INVALID")]
#[case(json!([{"name": "titel", "value": "x"}]), ".data.options.0.name: APPLICATION_COMMAND_OPTION_UNKNOWN")]
#[case(json!([{"name": "title", "value": "x"}, {"name": "count", "value": 0}]), ".data.options.1: APPLICATION_COMMAND_OPTION_INVALID")]
#[case(json!([{"name": "title", "value": "x"}, {"name": "priority", "value": "low"}]), ".data.options.1: APPLICATION_COMMAND_OPTION_INVALID")]
#[case(json!([{"name": "title", "value": "x"}, {"name": "who", "value": "7"}]), ".data.options.1: APPLICATION_COMMAND_OPTION_INVALID")]
#[tokio::test]
async fn what_a_command_does_not_take_is_refused(#[case] options: Value, #[case] error: &str) {
    let t = Stage::start().await;
    t.say("bot", &t.commands(), &ask_command()).await.done();
    assert_eq!(t.used("carol", "create-ticket", &options).await.first_error(), error);
    t.end().await;
}

#[tokio::test]
async fn completions_are_offered_to_who_is_writing() {
    let t = Stage::start().await;
    t.say("bot", &t.commands(), &ask_command()).await.done();
    let mut events = t.discord.dispatches();
    let writing = t.use_body(4, "create-ticket", &json!([{"name": "host", "value": "srv", "focused": true}]));
    assert_eq!(t.say("bob", "/interactions", &writing).await.status, 204);
    let got = next(&mut events, "INTERACTION_CREATE").await;
    assert_eq!(
        got["data"]["options"][0],
        json!({"name": "host", "type": 3, "value": "srv", "focused": true})
    );
    let path =
        format!("/interactions/{}/{}/callback", got["id"].as_str().unwrap(), got["token"].as_str().unwrap());
    let choices = |count: usize| -> Value {
        let all = (0..count).map(|n| json!({"name": format!("n{n}"), "value": n}));
        json!({"type": 8, "data": {"choices": all.collect::<Vec<_>>()}})
    };
    let answer = t.say("nobody", &path, &choices(26)).await;
    assert_eq!(answer.first_error(), ".data.choices: BASE_TYPE_MAX_LENGTH");
    assert_eq!(t.say("nobody", &path, &choices(25)).await.status, 204);
    let event = loop {
        let event = next(&mut events, "SANDBOX_INTERACTION").await;
        if event["state"] != "opened" {
            break event;
        }
    };
    assert_eq!((&event["state"], event["choices"].as_array().unwrap().len()), (&json!("autocomplete"), 25));
    t.end().await;
}

#[tokio::test]
async fn commands_are_for_those_who_may_use_them() {
    let t = Stage::start().await;
    let all = json!([
        {"name": "manage", "description": "d", "default_member_permissions": "32"},
        {"name": "admin", "description": "d", "default_member_permissions": "0"},
        {"name": "group", "description": "d", "options": [
            {"type": 2, "name": "inner", "description": "d", "options": [
                {"type": 1, "name": "do", "description": "d"}]}]},
    ]);
    t.ask("bot", Method::PUT, &t.commands(), Some(&all)).await.done();
    for name in ["manage", "admin"] {
        assert_eq!(t.used("carol", name, &json!([])).await.refused(), (403, 50013), "{name}");
        assert_eq!(t.used("alice", name, &json!([])).await.status, 204, "{name}");
    }
    assert_eq!(t.used("alice", "nothing", &json!([])).await.refused(), (404, 10063));
    assert_eq!(t.used("alice", "group", &json!([])).await.refused(), (400, 50035));
    let sub = json!([{"name": "inner", "options": [{"name": "do"}]}]);
    assert_eq!(t.used("alice", "group", &sub).await.status, 204);
    t.end().await;
}
