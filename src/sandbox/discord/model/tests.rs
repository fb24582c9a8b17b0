use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::discord::{Setup, validate};

const NOW: Timestamp = Timestamp::from_secs(1_705_314_600);

struct Scene {
    world: World,
    channel: Snowflake,
}

fn scene() -> Scene {
    let world = Setup { permissions: Permissions::pinging(), ..Setup::default() }.build(NOW);
    let channel = world.channel_named("tickets").unwrap();
    Scene { world, channel }
}

impl Scene {
    fn send(&mut self, body: &Value, now: Timestamp) -> Result<Posted, Refusal> {
        self.world.post(self.world.bot(), self.channel, validate::draft(body)?, now)
    }

    fn made(&mut self, body: &Value) -> Value {
        match self.send(body, NOW) {
            Ok(Posted::Made(object)) => object,
            other => panic!("{other:?}"),
        }
    }

    fn user(&self, name: &str) -> Snowflake {
        self.world.user_named(name).unwrap()
    }
}

fn id(object: &Value) -> Snowflake {
    object["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn ids_tell_their_time_and_grow_also_when_the_clock_goes_back() {
    let mut scene = scene();
    let first = id(&scene.made(&json!({"content": "a"})));
    assert_eq!(first.created_at(), NOW);
    let Posted::Made(second) =
        scene.send(&json!({"content": "b"}), NOW.minus(Duration::from_secs(9))).unwrap()
    else {
        panic!("not made")
    };
    assert!(id(&second) > first);
}

#[test]
fn a_message_is_shown_with_all_that_client_libraries_want() {
    let mut scene = scene();
    let mut object = scene.made(&json!({"content": "hi", "nonce": "n1"}));
    for key in ["id", "channel_id"] {
        assert!(object[key].is_string());
        object[key] = "…".into();
    }
    assert_eq!(object["author"]["id"], json!(scene.world.bot()));
    object["author"]["id"] = "…".into();
    insta::assert_json_snapshot!(object, @r#"
    {
      "id": "…",
      "channel_id": "…",
      "type": 0,
      "content": "hi",
      "author": {
        "id": "…",
        "username": "nuncio",
        "avatar": null,
        "discriminator": "4242",
        "public_flags": 0,
        "flags": 0,
        "banner": null,
        "accent_color": null,
        "global_name": null,
        "avatar_decoration_data": null,
        "collectibles": null,
        "primary_guild": null,
        "bot": true
      },
      "timestamp": "2024-01-15T10:30:00.000000+00:00",
      "edited_timestamp": null,
      "tts": false,
      "pinned": false,
      "flags": 0,
      "mentions": [],
      "mention_roles": [],
      "mention_everyone": false,
      "attachments": [],
      "embeds": [],
      "components": [],
      "nonce": "n1"
    }
    "#);
}

#[test]
fn a_nonce_known_within_the_window_returns_its_message_and_makes_none() {
    let mut scene = scene();
    let body = json!({"content": "once", "nonce": "n1", "enforce_nonce": true});
    let first = scene.made(&body);
    assert_eq!(scene.send(&body, NOW.plus(Duration::from_millis(119_999))), Ok(Posted::Found(first.clone())));
    assert_eq!(scene.world.history(scene.channel, 9).len(), 1);
    let Ok(Posted::Made(second)) = scene.send(&body, NOW.plus(Duration::from_secs(120))) else {
        panic!("the window is over")
    };
    assert_ne!(first["id"], second["id"]);
}

#[test]
fn a_nonce_counts_only_when_enforced_and_for_its_own_author() {
    let mut scene = scene();
    scene.made(&json!({"content": "a", "nonce": 7}));
    scene.made(&json!({"content": "b", "nonce": 7}));
    let alice = scene.user("alice");
    let draft = validate::draft(&json!({"content": "c", "nonce": 7, "enforce_nonce": true})).unwrap();
    assert!(matches!(scene.world.post(alice, scene.channel, draft, NOW), Ok(Posted::Made(_))));
}

#[test]
fn the_nonce_of_a_deleted_message_is_an_unknown_message() {
    let mut scene = scene();
    let body = json!({"content": "once", "nonce": "n1", "enforce_nonce": true});
    let message = id(&scene.made(&body));
    scene.world.delete(scene.world.bot(), scene.channel, message).unwrap();
    assert_eq!(scene.send(&body, NOW), Err(Refusal::UnknownMessage));
}

#[rstest]
#[case::nothing_said(json!(null), true, 1, 1)]
#[case::parse_nothing(json!({"parse": []}), false, 0, 0)]
#[case::users(json!({"parse": ["users"]}), false, 1, 0)]
#[case::everyone(json!({"parse": ["everyone"]}), true, 0, 0)]
#[case::some_other_role(json!({"roles": ["1"]}), false, 0, 0)]
fn only_what_is_allowed_pings(
    #[case] allowed: Value,
    #[case] everyone: bool,
    #[case] users: usize,
    #[case] roles: usize,
) {
    let mut scene = scene();
    let (alice, guild) = (scene.user("alice"), scene.world.first_guild());
    let role = scene.world.guild(alice, guild).unwrap().roles.last().unwrap().id;
    let content = format!("@everyone <@{alice}> <@!{alice}> <@&{role}> <@99>");
    let message = scene.made(&json!({"content": content, "allowed_mentions": allowed}));
    assert_eq!(message["mention_everyone"], everyone);
    assert_eq!(message["mentions"].as_array().unwrap().len(), users);
    assert_eq!(message["mention_roles"].as_array().unwrap().len(), roles);
}

#[test]
fn a_role_listed_pings_that_role_and_embeds_never_ping() {
    let mut scene = scene();
    let (alice, guild) = (scene.user("alice"), scene.world.first_guild());
    let role = scene.world.guild(alice, guild).unwrap().roles.last().unwrap().id;
    let message = scene.made(&json!({
        "content": format!("<@&{role}>"), "embeds": [{"description": format!("@everyone <@{alice}>")}],
        "allowed_mentions": {"parse": [], "roles": [role]},
    }));
    assert_eq!(message["mention_roles"], json!([role]));
    assert_eq!((&message["mention_everyone"], &message["mentions"]), (&json!(false), &json!([])));
}

#[test]
fn missing_permissions_are_told_apart_from_missing_access() {
    let mut scene = scene();
    let (bot, channel) = (scene.world.bot(), scene.channel);
    let (text, card) = (json!({"content": "a"}), json!({"embeds": [{"title": "a"}]}));
    scene.world.deny(channel, bot, Permission::EmbedLinks);
    assert_eq!(scene.send(&card, NOW), Err(Refusal::MissingPermissions));
    let message = id(&scene.made(&text));
    scene.world.deny(channel, bot, Permission::ReadMessageHistory);
    assert_eq!(scene.world.page(bot, channel, Page::Latest, 9), Ok(Vec::new()));
    assert_eq!(scene.world.message(bot, channel, message), Err(Refusal::MissingAccess));
    scene.world.deny(channel, bot, Permission::SendMessages);
    assert_eq!(scene.send(&text, NOW), Err(Refusal::MissingPermissions));
    scene.world.deny(channel, bot, Permission::ViewChannel);
    assert_eq!(scene.send(&text, NOW), Err(Refusal::MissingAccess));
    scene.world.undeny(channel, bot, Permission::ViewChannel);
    scene.world.undeny(channel, bot, Permission::SendMessages);
    scene.made(&text);
    scene.world.delete_channel(channel).unwrap();
    assert_eq!(scene.send(&text, NOW), Err(Refusal::UnknownChannel));
}

#[test]
fn only_ones_own_messages_are_edited_and_deleted() {
    let mut scene = scene();
    let (alice, carol, bot) = (scene.user("alice"), scene.user("carol"), scene.world.bot());
    let message = id(&scene.made(&json!({"content": "a", "embeds": [{"title": "t"}]})));
    let change = || validate::edit(&json!({"content": "b"}), 0).unwrap();
    let later = NOW.plus(Duration::from_secs(1));
    assert_eq!(scene.world.edit(alice, scene.channel, message, change(), later), Err(Refusal::NotTheAuthor));
    assert_eq!(scene.world.delete(carol, scene.channel, message), Err(Refusal::MissingPermissions));
    let edited = scene.world.edit(bot, scene.channel, message, change(), later).unwrap();
    assert_eq!((&edited["content"], &edited["embeds"][0]["title"]), (&json!("b"), &json!("t")));
    assert_eq!(edited["edited_timestamp"], "2024-01-15T10:30:01.000000+00:00");
    let nothing = validate::edit(&json!({"content": null, "embeds": []}), 0).unwrap();
    assert_eq!(scene.world.edit(bot, scene.channel, message, nothing, later), Err(Refusal::EmptyMessage));
    // The owner has all permissions.
    assert_eq!(scene.world.delete(alice, scene.channel, message), Ok(()));
}

#[test]
fn an_empty_message_is_refused() {
    let mut scene = scene();
    for body in [json!({}), json!({"content": " \n"}), json!({"embeds": [], "components": []})] {
        assert_eq!(scene.send(&body, NOW), Err(Refusal::EmptyMessage), "{body}");
    }
}

#[test]
fn a_reply_shows_and_pings_what_it_answers() {
    let mut scene = scene();
    let alice = scene.user("alice");
    let draft = validate::draft(&json!({"content": "?"})).unwrap();
    let Ok(Posted::Made(asked)) = scene.world.post(alice, scene.channel, draft, NOW) else {
        panic!("not made")
    };
    let reply = scene.made(&json!({"content": "!", "message_reference": {"message_id": asked["id"]}}));
    assert_eq!((&reply["type"], &reply["referenced_message"]["content"]), (&json!(19), &json!("?")));
    assert_eq!(reply["mentions"][0]["id"], asked["author"]["id"]);
    let gone = json!({"content": "!", "message_reference": {"message_id": "5"}});
    assert_eq!(scene.send(&gone, NOW).unwrap_err().code(), 50035);
    let patient =
        json!({"content": "!", "message_reference": {"message_id": "5", "fail_if_not_exists": false}});
    assert_eq!(scene.made(&patient)["type"], 0);
}

#[test]
fn pages_are_newest_first_on_the_asked_side() {
    let mut scene = scene();
    let ids: Vec<Snowflake> = (0..7).map(|n| id(&scene.made(&json!({"content": format!("{n}")})))).collect();
    let asked = |page, limit| -> String {
        let found = scene.world.page(scene.world.bot(), scene.channel, page, limit).unwrap();
        found.iter().map(|message| message["content"].as_str().unwrap()).collect()
    };
    assert_eq!(asked(Page::Latest, 3), "654");
    assert_eq!(asked(Page::Before(ids[3]), 2), "21");
    assert_eq!(asked(Page::After(ids[3]), 2), "54");
    assert_eq!(asked(Page::Around(ids[3]), 3), "432");
    assert_eq!(asked(Page::After(ids[6]), 9), "");
}

#[test]
fn every_change_leaves_a_dispatch() {
    let mut scene = scene();
    let message = id(&scene.made(&json!({"content": "a", "nonce": "n"})));
    let bot = scene.world.bot();
    scene.world.edit(bot, scene.channel, message, Edit::default(), NOW).unwrap();
    scene.world.delete(bot, scene.channel, message).unwrap();
    scene.world.delete_channel(scene.channel).unwrap();
    let dispatches = scene.world.take_dispatches();
    let names: Vec<&str> = dispatches.iter().map(|dispatch| dispatch.t).collect();
    assert_eq!(names, ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "CHANNEL_DELETE"]);
    assert_eq!(
        (&dispatches[0].d["nonce"], &dispatches[0].d["guild_id"]),
        (&json!("n"), &json!(scene.world.first_guild()))
    );
    assert!(dispatches[0].d["member"]["roles"].is_array());
}

#[test]
fn old_messages_are_forgotten_beyond_the_bound() {
    let mut scene = scene();
    let first = id(&scene.made(&json!({"content": "first"})));
    for _ in 0..5_000 {
        scene.made(&json!({"content": "more"}));
    }
    assert_eq!(scene.world.history(scene.channel, usize::MAX).len(), 5_000);
    assert_eq!(scene.world.message(scene.world.bot(), scene.channel, first), Err(Refusal::UnknownMessage));
}
