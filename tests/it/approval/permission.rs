//! D-4, D-5: who may press what, from the click itself; and what a button must be to count.

use nuncio::hub::{Click, ClickOrigin, Error, Person, Refusal};
use nuncio::model::{DecisionAction, Snowflake, Token};
use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};
use tracing::Level;

use super::{GRACE, Stage};
use crate::harness::{Message, nuncio_id};

fn sentence(answer: &Value) -> &str {
    assert_eq!((&answer["type"], &answer["data"]["flags"]), (&json!(4), &json!(64)), "{answer:#}");
    assert_eq!(answer["data"]["allowed_mentions"]["parse"], json!([]), "D-1: nobody is notified");
    answer["data"]["content"].as_str().unwrap()
}

#[tokio::test]
async fn whoever_lacks_the_role_is_told_who_has_it_and_changes_nothing() {
    let s = Stage::start().await;
    let card = s.asks().await;
    let approvers = s.t.discord.role_id("Approvers").unwrap();
    for (n, label) in ["Approve", "Deny"].into_iter().enumerate() {
        let answer = s.t.person("carol").clicks("machines", &card, label).await;
        assert_eq!(
            sentence(&answer),
            format!("Only <@&{approvers}> can decide about machines: ask one of them.")
        );
        s.audited(n + 1).await;
    }
    assert_eq!(s.audit().await, ["Carol decision.approve refused", "Carol decision.deny refused"]);
    assert_eq!(s.t.channel("machines").now(card.id()).buttons(), ["Approve", "Deny", "Details"]);
    s.t.clock.advance(GRACE);
    s.t.settle().await;
    assert!(s.platform.recorded_requests().is_empty());
    s.finish().await;
}

// Control: judged when the dialog opens only, the denial goes through.
#[tokio::test]
async fn a_role_that_was_taken_away_does_not_count_any_more() {
    let s = Stage::start().await;
    let card = s.asks().await;
    let opened = s.t.person("bob").clicks("machines", &card, "Deny").await;
    s.t.discord.set_roles("bob", &[]);
    let answer = s.t.person("bob").submits("machines", &opened, "not ours").await;
    assert!(sentence(&answer).starts_with("Only <@&"), "{answer:#}");
    let answer = s.t.person("bob").clicks("machines", &card, "Approve").await;
    assert!(sentence(&answer).starts_with("Only <@&"), "{answer:#}");
    s.audited(2).await;
    assert_eq!(s.t.channel("machines").now(card.id()).buttons(), ["Approve", "Deny", "Details"]);
    s.finish().await;
}

#[tokio::test]
async fn without_roles_it_is_whoever_may_manage_the_server() {
    let s = Stage::with(|variables| {
        variables.remove("APPROVER_ROLES");
        variables.remove("OPERATOR_ROLES");
    })
    .await;
    let card = s.asks().await;
    let answer = s.t.person("bob").clicks("machines", &card, "Approve").await;
    assert!(sentence(&answer).contains("the permission Manage Server"), "{answer:#}");
    s.audited(1).await;
    // Alice owns the server.
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.finish().await;
}

/// A click as the bot would hand it over, for what no sandbox lets anybody do.
fn click(s: &Stage, card: &Message, interaction: u64) -> Click {
    let id = card.custom_id("Approve");
    Click {
        interaction: Snowflake::new(interaction),
        person: Person {
            id: nuncio_id(s.t.discord.user_id("alice").unwrap()),
            name: "Alice".to_owned(),
            guild: Some(nuncio_id(s.t.discord.guild_id())),
            roles: vec![nuncio_id(s.t.discord.role_id("Approvers").unwrap())],
            may_manage: true,
            is_timed_out: false,
        },
        press: DecisionAction::Approve,
        token: id.rsplit(':').next().unwrap().parse().unwrap(),
        place: Some(ClickOrigin {
            channel: nuncio_id(s.t.discord.channel_id("machines").unwrap()),
            message: Some(card.id().parse().unwrap()),
            is_ours: true,
        }),
        text: None,
    }
}

/// Alice approves what a card asks by a command.
pub fn command(s: &Stage, card: &Message) -> Click {
    Click { place: None, ..click(s, card, 4000) }
}

/// Alice presses Undo.
pub fn undo(s: &Stage, card: &Message, custom_id: &str) -> Click {
    let token = custom_id.rsplit(':').next().unwrap().parse().unwrap();
    Click { press: DecisionAction::Undo, token, ..click(s, card, 3000) }
}

// D-4, D-5. Control: without the look at the place, each of them approves.
#[tokio::test]
async fn a_button_counts_only_where_its_card_stands() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #machines  ok").await;
    let card = s.asks().await;
    s.t.settle().await;
    type Change<'a> = &'a dyn Fn(&mut Click);
    let general = nuncio_id(s.t.discord.channel_id("general").unwrap());
    let place = |change: fn(&mut ClickOrigin, Snowflake)| {
        move |click: &mut Click| change(click.place.as_mut().unwrap(), general)
    };
    let cases: [(&str, Change<'_>, Refusal); 8] = [
        ("another channel", &place(|place, general| place.channel = general), Refusal::Misplaced),
        (
            "a copy by a webhook",
            &place(|place, _| (place.is_ours, place.message) = (false, Some(Snowflake::new(4242)))),
            Refusal::Misplaced,
        ),
        // 39: its card is recorded, and this is another message.
        (
            "another message of ours",
            &place(|place, _| place.message = Some(Snowflake::new(4242))),
            Refusal::Misplaced,
        ),
        (
            "another server",
            &|click| click.person.guild = Some(Snowflake::new(99)),
            Refusal::ForeignGuild(Snowflake::new(99)),
        ),
        ("a direct message", &|click| click.person.guild = None, Refusal::NoGuild),
        ("in timeout", &|click| click.person.is_timed_out = true, Refusal::TimedOut),
        ("a token of nobody's", &|click| click.token = Token::random(), Refusal::Unknown),
        ("a ticket's button", &|click| click.press = DecisionAction::Take, Refusal::NotOperator(Vec::new())),
    ];
    for (n, (what, change, expected)) in cases.into_iter().enumerate() {
        let mut click = click(&s, &card, 1000 + n as u64);
        change(&mut click);
        let Err(Error::Forbidden(refusal)) = s.t.hub().click(&click).await else { panic!("{what} counted") };
        assert_eq!(
            std::mem::discriminant(&refusal),
            std::mem::discriminant(&expected),
            "{what}: {refusal:?}"
        );
    }
    assert_eq!(s.audit().await.iter().filter(|line| line.ends_with("refused")).count(), 8);
    assert_eq!(s.t.channel("machines").now(card.id()).buttons(), ["Approve", "Deny", "Details"]);

    s.finish().await;
}

// D-5: our own message in the right place, whose id we were not told yet, is the card.
#[tokio::test]
async fn a_card_whose_id_was_not_told_yet_is_heard() {
    let s = Stage::start().await;
    s.t.discord.faults().next_on("POST", 1, Fault::HangAfter);
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    s.audited(1).await;
    assert_eq!(s.audit().await, ["Alice decision.approve done"]);
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.finish().await;
}

// D-5: buttons of old bots under the same application, and garbage.
#[tokio::test]
async fn a_button_that_is_not_ours_is_answered_and_makes_no_noise() {
    let s = Stage::start().await;
    let ids = ["approve_machine_77".to_owned(), "x".repeat(100), format!("v9:approve:{}", "a".repeat(26))];
    let ids = ids.iter().map(String::as_str).chain(["v1:approve:short"]);
    for id in ids {
        let card = s.t.posts_with_button("machines", id).await;
        let answer = s.t.person("alice").clicks("machines", &card, "Old").await;
        assert!(sentence(&answer).starts_with("This button has expired"), "{answer:#}");
    }
    s.finish().await;
}

#[tokio::test]
async fn where_nobody_could_approve_it_is_said_at_the_start_and_on_demand() {
    let s =
        Stage::with(|variables| drop(variables.insert("APPROVER_ROLES".to_owned(), "4242".to_owned()))).await;
    let sentence = "Acme NOC / #machines: nobody can approve machines there";
    s.t.log.seen(Level::WARN, sentence).await;
    s.t.commands().await;
    let answer = s.t.person("alice").types("webhook-status").await;
    assert!(answer["data"]["embeds"][0]["description"].as_str().unwrap().contains(sentence), "{answer:#}");
    s.finish().await;
}

#[tokio::test]
async fn a_button_that_nobody_hears_is_none() {
    let s = Stage::unheard().await;
    let card = s.asks().await;
    assert!(card.buttons().is_empty());
    assert!(card.description().contains("No buttons: DISCORD_GATEWAY is off"), "{}", card.description());
    assert!(s.t.log.at(Level::WARN).iter().any(|line| line.contains("buttons do not work")));
    s.finish().await;
}
