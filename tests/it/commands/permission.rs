//! Who may use which command: every one that was registered, none left out.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `authorize::may_operate` in one command | `whoever_is_neither_changes_nothing_by_any_command` |
//! | the question at each step of setting and removing a route; the one of its dialog | `a_role_that_was_taken_away_meanwhile_…` |

use serde_json::{Value, json};

use super::{Stage, content, route};
use crate::harness::Message;

/// What only reads: Discord's own permissions decide.
const READING: [&str; 6] = [
    "webhook-status",
    "webhook-config",
    "machine pending",
    "machine show",
    "deliveries failed",
    "deliveries show",
];
/// What decides.
const DECIDING: [&str; 2] = ["machine approve", "machine deny"];
const NOBODYS: &str = "123456789012345678";

/// Every command there is, as it is typed: its whole name, its data.
pub fn all(registered: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for command in registered.as_array().unwrap() {
        let name = command["name"].as_str().unwrap();
        if command["type"] == 3 {
            all.push((name.to_owned(), json!({"name": name, "type": 3})));
            continue;
        }
        let options = command["options"].as_array().cloned().unwrap_or_default();
        let below: Vec<&Value> = options.iter().filter(|option| option["type"] == 1).collect();
        if below.is_empty() {
            all.push((name.to_owned(), json!({"name": name, "type": 1, "options": filled(&options)})));
        }
        for sub in below {
            let options = filled(sub["options"].as_array().map(Vec::as_slice).unwrap_or_default());
            let options = json!([{"name": sub["name"], "type": 1, "options": options}]);
            let name_of_sub = format!("{name} {}", sub["name"].as_str().unwrap());
            all.push((name_of_sub, json!({"name": name, "type": 1, "options": options})));
        }
    }
    all
}

/// What a command needs, with something in it.
fn filled(options: &[Value]) -> Vec<Value> {
    let needed = options.iter().filter(|option| option["required"] == true);
    needed.map(|option| json!({"name": option["name"], "type": 3, "value": "asset-uuid"})).collect()
}

pub fn registered(s: &Stage) -> Value {
    let requests = s.t.discord.requests();
    let put = requests.iter().find(|asked| asked.method == "PUT" && asked.path.ends_with("/commands"));
    put.unwrap().body.clone().unwrap()
}

// D-4, D-10
#[tokio::test]
async fn whoever_is_neither_changes_nothing_by_any_command() {
    let s = Stage::with(|variables| {
        variables.insert("OPERATOR_ROLES".to_owned(), NOBODYS.to_owned());
        variables.insert("APPROVER_ROLES".to_owned(), NOBODYS.to_owned());
    })
    .await;
    s.t.sends("machine_registered.json").await;
    let card = s.t.channel("machines").next_message().await;
    s.t.settle().await;
    let (mut refused, mut read) = (0, Vec::new());
    for (name, mut data) in all(&registered(&s)) {
        if data["type"] == 3 {
            data["target_id"] = json!(card.id());
        }
        let id = s.invoke("machines", data).await;
        let said = s.outcome(&id).await;
        if READING.contains(&name.as_str()) {
            read.push(name);
            continue;
        }
        let what = if DECIDING.contains(&name.as_str()) { "decide about machines" } else { "do this" };
        assert_eq!(content(&said), format!("Only <@&{NOBODYS}> can {what}: ask one of them."), "{name}");
        refused += 1;
        let entry = s.audited(refused).await;
        assert_eq!(entry.outcome, "refused", "{name}");
        assert!(entry.detail.starts_with("has none of "), "{name}: {}", entry.detail);
        if what == "do this" {
            let action = format!("command.{}", name.replace(' ', "-").to_lowercase());
            assert_eq!(entry.action, action);
        }
    }
    read.sort_unstable();
    let mut reading = READING.map(str::to_owned);
    reading.sort_unstable();
    assert_eq!(read, reading);
    assert_eq!(s.platform.recorded_requests(), []);
    assert_eq!(s.t.hub().mutes().await.unwrap(), []);
    assert_eq!(s.t.channel("machines").now(card.id()).buttons(), ["Approve", "Deny", "Details"]);
    s.finish().await;
}

/// Whoever may not is not even offered what changes something, by Discord's own permissions.
#[tokio::test]
async fn every_command_is_offered_to_those_who_manage_the_server_only() {
    let s = Stage::start().await;
    for command in registered(&s).as_array().unwrap() {
        // Discord: "Permissions", MANAGE_GUILD.
        assert_eq!(command["default_member_permissions"], "32", "{}", command["name"]);
    }
    s.finish().await;
}

// D-10: Discord holds people to it; what each command does with more is tested where it is done.
#[tokio::test]
async fn every_text_says_how_long_it_may_be() {
    fn check(name: &str, options: &Value) {
        for option in options.as_array().into_iter().flatten() {
            let name = format!("{name} {}", option["name"].as_str().unwrap());
            if option["type"] == 1 {
                check(&name, &option["options"]);
            } else if option["type"] == 3 && option["choices"].as_array().is_none_or(Vec::is_empty) {
                assert!(matches!(option["max_length"].as_u64(), Some(1..=4000)), "{name}");
            }
        }
    }
    let s = Stage::start().await;
    for command in registered(&s).as_array().unwrap() {
        check(command["name"].as_str().unwrap(), &command["options"]);
    }
    s.finish().await;
}

/// What can be pressed or chosen on a message: its type, its custom id, and every choice.
fn offered(on: &Message, channel: &str) -> Vec<(u64, String, Vec<String>)> {
    let rows = on.0["components"].as_array().unwrap().iter();
    let parts = rows.flat_map(|row| row["components"].as_array().unwrap());
    parts
        .map(|part| {
            let kind = part["type"].as_u64().unwrap();
            let options = part["options"].as_array().into_iter().flatten();
            let values = match kind {
                8 => vec![channel.to_owned()],
                _ => options.map(|option| option["value"].as_str().unwrap().to_owned()).collect(),
            };
            (kind, part["custom_id"].as_str().unwrap().to_owned(), values)
        })
        .collect()
}

// D-4: everything that Set channel and Remove ever show, and the dialog.
#[tokio::test]
async fn a_role_that_was_taken_away_meanwhile_sets_and_removes_no_route() {
    let mut s = Stage::with(|_| {}).await;
    let role = s.t.discord.role_id("Operators").unwrap();
    s.t.set("OPERATOR_ROLES", role.to_string());
    s.t.restart().await;
    s.t.online().await;
    s.t.table_line("Acme NOC / #general  ok").await;
    s.t.discord.set_roles("alice", &["Operators"]);
    route::sets(&s, "asset.*", "general").await;
    let before = s.t.hub().set_routes();
    let config = route::config(&s, &["Set channel", "Remove"]).await;
    let step = async |from: &Message, kind, id: &str, chosen: &[&str], says: &'static str| {
        s.chooses(from, kind, id, chosen).await;
        s.sees(says, |now| now.content().starts_with(says)).await
    };
    let keys = step(&config, 2, "v1:route", &[], "Which events?").await;
    let other = step(&config, 2, "v1:route", &[], "Which events?").await;
    let dialog = s.chooses(&other, 3, "v1:route-key", &["v1:route-other"]).await;
    let begun = step(&config, 2, "v1:route", &[], "Which events?").await;
    let places = step(&begun, 3, "v1:route-key", &["ticket.created"], "Where do events of").await;
    let set = step(&config, 2, "v1:unroute", &[], "Which setting do you want to remove?").await;

    s.t.discord.set_roles("alice", &[]);
    let sentence = format!("Only <@&{role}> can do this: ask one of them.");
    let general = s.t.discord.channel_id("general").unwrap().to_string();
    let (mut noted, mut tried) = (1, std::collections::BTreeSet::new());
    let mut refused = async |answer: Value, id: &str| {
        assert_eq!((&answer["type"], &answer["data"]["flags"]), (&json!(4), &json!(64)), "{id}: {answer:#}");
        assert_eq!(content(&answer["data"]), sentence, "{id}");
        noted += 1;
        let entry = s.audited(noted).await;
        let action = if id.starts_with("v1:unroute") { "route.remove" } else { "route.set" };
        assert_eq!((entry.action.as_str(), entry.outcome.as_str()), (action, "refused"), "{id}");
        assert!(entry.detail.starts_with("has none of "), "{id}: {}", entry.detail);
    };
    for on in [&config, &keys, &places, &set] {
        for (kind, id, values) in offered(on, &general) {
            let choices = values.iter().map(|value| vec![value.as_str()]);
            let choices: Vec<Vec<&str>> = if kind == 2 { vec![Vec::new()] } else { choices.collect() };
            assert!(!choices.is_empty(), "{id}");
            for chosen in choices {
                refused(s.chooses(on, kind, &id, &chosen).await, &id).await;
            }
            tried.insert(id);
        }
    }
    refused(s.t.person("alice").submits("general", &dialog, "backup.*").await, "v1:route-other").await;
    let steps = ["v1:route", "v1:route-key", "v1:route-to:ticket.created", "v1:unroute", "v1:unroute-key"];
    assert_eq!(tried.iter().map(String::as_str).collect::<Vec<_>>(), steps);
    assert_eq!(s.t.hub().set_routes(), before);
    s.finish().await;
}
