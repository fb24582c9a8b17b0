//! Who may use which command: every one that was registered, none left out.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `gate::may_operate` in one command | `whoever_is_neither_changes_nothing_by_any_command` |
//! | the question at each step of setting a route | `a_role_that_was_taken_away_meanwhile_sets_no_route` |

use serde_json::{Value, json};

use super::{Stage, content};

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
    assert_eq!(s.platform.told(), []);
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

// D-4
#[tokio::test]
async fn a_role_that_was_taken_away_meanwhile_sets_no_route() {
    let s = Stage::with(|_| {}).await;
    let role = s.t.discord.role_id("Operators").unwrap();
    let mut s = s;
    s.t.set("OPERATOR_ROLES", role.to_string());
    s.t.restart().await;
    s.t.online().await;
    s.t.discord.set_roles("alice", &["Operators"]);
    s.types("webhook-config", json!([])).await;
    let config = s.sees("the configuration", |now| now.buttons() == ["Set channel"]).await;
    s.chooses(&config, 2, &config.custom_id("Set channel"), &[]).await;
    let asked = s.sees("the first step", |now| now.content() == "Which events?").await;
    s.chooses(&asked, 3, "v1:route-key", &["ticket.created"]).await;
    let asked = s.sees("the second step", |now| now.content().starts_with("Where do events of")).await;

    s.t.discord.set_roles("alice", &[]);
    let sentence = format!("Only <@&{role}> can do this: ask one of them.");
    let general = s.t.discord.channel_id("general").unwrap().to_string();
    for (n, (on, kind, id, values)) in [
        (&config, 2, config.custom_id("Set channel"), vec![]),
        (&asked, 8, "v1:route-to:ticket.created".to_owned(), vec![general.as_str()]),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = s.chooses(on, kind, &id, &values).await;
        assert_eq!((&answer["type"], &answer["data"]["flags"]), (&json!(4), &json!(64)), "{answer:#}");
        assert_eq!(content(&answer["data"]), sentence);
        let entry = s.audited(n + 1).await;
        assert_eq!((entry.action.as_str(), entry.outcome.as_str()), ("route.set", "refused"));
    }
    assert_eq!(s.t.hub().set_routes(), []);
    s.finish().await;
}
