//! Decisions: asked by a card, made by a click, told to the platform once. D-4 to D-8 of the attacks.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `verdict = 'open'` in the UPDATE of a decision | `a_hundred_…`, `approve_and_deny_at_once_…` |
//! | the look for the click in the audit log | `a_click_that_the_gateway_tells_twice_…`, `…_told_again_after_a_restart_…` |
//! | the answer before the database is asked | `a_locked_database_delays_no_answer_…` |
//! | the answer before the platform has answered others | `a_platform_that_hangs_delays_no_answer` |
//! | asking a busy database again | `a_locked_database_delays_no_answer_and_loses_no_click` |
//! | the call as a delivery | `killed_between_…`, `killed_while_…`, `a_machine_is_approved_…` |
//! | the same key for every try | `trouble_is_tried_again_…`, `killed_while_the_platform_is_told_…` |
//! | `404 \| 405` held; 408, 429 and 5xx tried again; the pause after a refused key | the cases of `outcomes` |
//! | the word after 15 minutes | `trouble_is_tried_again_and_the_card_tells` |
//! | who may: no roles at all, roles instead of permissions, no server, time-out | `a_forged_click_changes_nothing` |
//! | where: the place, the server, the channel, the author, another machine's card | `a_forged_click_changes_nothing` |
//! | who may, once more when a dialog is sent | `a_role_that_was_taken_away_…` |
//! | what a dialog must hold | `a_denial_needs_a_reason_and_is_told_with_it` |
//! | the note of a refusal | `whoever_lacks_the_role_…` |
//! | `attempts = 0` in the UPDATE of an undo | `what_the_platform_may_have_heard_cannot_be_undone` |
//! | expired questions for commands only | `the_button_of_an_earlier_round_decides_nothing` |
//! | the call that is cancelled when the platform says so itself | `what_the_platform_says_after_our_decision_…` |
//! | a waiting machine that asks again is no new question | `while_it_waits_…` |
//! | the index of wishes on their way | `a_ticket_is_taken_once_at_a_time` |
//! | a word that Discord has no time for is said again | `a_word_that_discord_has_no_time_for_…` |
//! | the last word to whoever is cut off by the end | `a_click_that_the_end_cuts_off_…` |
//! | the question for the other gateway | `a_server_without_a_gateway_for_bots_…` |
//! | whom answers may notify, in `bot::http`; the same of a changed answer | `a_machine_…`, and whoever presses Details |
//! | the look for the platform's key | `without_the_key_an_old_button_says_what_to_do` |
//! | urgent rank for what closes a card; muted destinations; the pressed card | the tests of `behind` |
//! | reading what serenity cannot | `a_click_told_in_fewer_words_counts`, `a_command_told_in_fewer_words_…` |

mod behind;
mod machines;
mod old_map;
mod order;
mod outcomes;
mod paused;
mod permission;
mod races;
mod redelivery;
mod rerouting;
mod servers;
mod states;
mod tickets;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Harness, Message, Receiver, within};

/// A canary: it may stand nowhere but in the header of a call.
const KEY: &str = "canary-of-the-platform-key-5a1d";
/// What `DECISION_GRACE` is here: no test may need as long between two clicks.
pub const GRACE: Duration = Duration::from_secs(60);

/// The harness with the bot online, a key for the platform, and roles who may decide.
pub struct Stage {
    pub t: Harness,
    pub platform: Receiver,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with the bot offline.
    pub async fn unheard() -> Self {
        let set = |variables: &mut BTreeMap<String, String>| {
            variables.insert("DISCORD_GATEWAY".to_owned(), "off".to_owned());
        };
        Self::offline(set).await
    }

    pub async fn with(change: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        let stage = Self::offline(change).await;
        stage.t.online().await;
        stage
    }

    async fn offline(change: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        let platform = Receiver::start().await;
        let url = platform.url();
        let t = Harness::with_discord(|variables, discord| {
            let role = |name: &str| discord.role_id(name).unwrap().to_string();
            variables.insert("APPROVER_ROLES".to_owned(), role("Approvers"));
            variables.insert("OPERATOR_ROLES".to_owned(), role("Operators"));
            variables.remove("DISCORD_GATEWAY");
            variables.insert("DECISION_GRACE".to_owned(), format!("{}s", GRACE.as_secs()));
            variables.insert("XTSYSTEMS_API_URL".to_owned(), url);
            variables.insert("XTSYSTEMS_API_KEY".to_owned(), KEY.to_owned());
            change(variables);
        })
        .await;
        Self { t, platform }
    }

    /// A machine asks to join; its card.
    pub async fn asks(&self) -> Message {
        self.t.sends("machine_registered.json").await;
        self.t.channel("machines").next_message().await
    }

    /// Waits until the card says this in its title.
    pub async fn says(&self, card: &Message, title: &str) -> Message {
        self.t.channel("machines").becomes(card.id(), title, |now| now.title().contains(title)).await
    }

    /// Presses a button that opens no dialog, and sees it acknowledged.
    pub async fn clicks(&self, who: &str, card: &Message, label: &str) {
        let answer = self.t.person(who).clicks("machines", card, label).await;
        assert_eq!(answer["type"], 6, "acknowledged: {answer:#}");
    }

    /// Presses Deny and says why.
    pub async fn denies(&self, who: &str, card: &Message, why: &str) -> Value {
        let opened = self.t.person(who).clicks("machines", card, "Deny").await;
        self.t.person(who).submits("machines", &opened, why).await
    }

    /// What the audit log says, the oldest first: `action outcome`.
    pub async fn audit(&self) -> Vec<String> {
        let mut rows = self.t.store().audited(1000).await.unwrap();
        rows.reverse();
        rows.iter().map(|row| format!("{} {} {}", row.actor_name, row.action, row.outcome)).collect()
    }

    /// Waits until the audit log holds so many entries: refusals are noted after they were answered.
    pub async fn audited(&self, count: usize) {
        let waiting = async {
            while self.audit().await.len() < count {
                tokio::task::yield_now().await;
            }
        };
        within("the audit log", waiting).await;
    }

    /// Ends the test: nothing is left over, the log is whole, and the key stands nowhere.
    pub async fn finish(self) {
        self.t.settle().await;
        assert!(self.t.store().verify_audit(None).await.unwrap().fault.is_none(), "the audit log is whole");
        self.keeps_its_key().await;
        self.notifies_nobody();
        self.t.finish().await;
    }

    // D-1: whatever carries words carries whom it may notify.
    fn notifies_nobody(&self) {
        for asked in self.t.discord.requests() {
            let body = asked.body.clone().unwrap_or_default();
            let words = if body["data"].is_object() { &body["data"] } else { &body };
            let is_bots = !asked.path.ends_with("/commands") && body["type"] != 3 && body["type"] != 5;
            let speaks =
                words.get("content").is_some_and(|content| content != "old") || words.get("embeds").is_some();
            if is_bots && speaks {
                assert_eq!(
                    words["allowed_mentions"]["parse"],
                    json!([]),
                    "{} {}: {body:#}",
                    asked.method,
                    asked.path
                );
            }
        }
    }

    // S-1
    async fn keeps_its_key(&self) {
        let log = self.t.log.all();
        assert!(!log.iter().any(|line| line.contains("canary-of-th")), "in the log: {log:#?}");
        let discord: Vec<Value> =
            self.t.discord.requests().iter().filter_map(|asked| asked.body.clone()).collect();
        assert!(!json!(discord).to_string().contains("canary-of-th"), "told to Discord");
        let (_, health) = self.t.looks_at("/health").await;
        assert!(!health.contains("canary-of-th"), "{health}");
        let mut files: Vec<_> =
            std::fs::read_dir(self.t.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.is_file());
        assert!(!files.is_empty());
        for path in files {
            let bytes = std::fs::read(&path).unwrap();
            let canary = b"canary-of-th";
            assert!(!bytes.windows(canary.len()).any(|window| window == canary), "in {}", path.display());
        }
    }
}

#[tokio::test]
async fn a_machine_is_approved_and_the_platform_told_once() {
    let s = Stage::start().await;
    let card = s.asks().await;
    assert_eq!(card.title(), "🖥️ DESKTOP-001 wants to join");
    assert_eq!(card.buttons(), ["Approve", "Deny", "Details"]);

    s.clicks("alice", &card, "Approve").await;
    let deciding = s.says(&card, "⏳ DESKTOP-001: approved by @Alice").await;
    assert_eq!(deciding.buttons(), ["Undo"]);
    assert!(deciding.description().contains("telling XTSystems <t:"), "{}", deciding.description());
    assert!(s.platform.recorded_requests().is_empty(), "not before its time");

    s.t.clock.advance(GRACE);
    let done = s.says(&card, "✅ DESKTOP-001 approved").await;
    assert_eq!(done.buttons(), ["Details"]);
    assert!(done.description().contains("approved by @Alice"), "{}", done.description());
    assert!(done.description().contains("XTSystems confirmed"), "{}", done.description());
    let told = s.platform.call(1).await;
    assert_eq!(told.line, "POST /v1/machines/asset-uuid/approve");
    assert_eq!(told.authorization, format!("Bearer {KEY}"));
    assert!(told.idempotency_key.starts_with("dec_"), "{told:?}");
    assert_eq!(told.body["decision"], "approved");
    assert_eq!(told.body["machine_id"], "asset-uuid");
    assert_eq!(told.body["actor"]["name"], "Alice");
    assert_eq!(told.body["actor"]["discord_id"], json!(s.t.discord.user_id("alice").unwrap()));
    assert_eq!(told.body["reason"], Value::Null);
    assert!(told.body["decided_at"].as_str().unwrap().ends_with('Z'), "{told:?}");
    assert_eq!(s.audit().await, ["Alice decision.approve done"]);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.finish().await;
}

#[tokio::test]
async fn a_denial_needs_a_reason_and_is_told_with_it() {
    let s = Stage::start().await;
    let card = s.asks().await;
    let opened = s.t.person("bob").clicks("machines", &card, "Deny").await;
    assert_eq!(opened["type"], 9, "a dialog: {opened:#}");
    let input = &opened["data"]["components"][0]["components"][0];
    assert_eq!((&input["min_length"], &input["max_length"]), (&json!(3), &json!(400)));

    let blank = s.t.person("bob").submits("machines", &opened, "     ").await;
    assert_eq!(blank["type"], 4);
    assert!(blank["data"]["content"].as_str().unwrap().contains("3 to 400 characters"), "{blank:#}");
    assert_eq!(s.t.channel("machines").now(card.id()).buttons(), ["Approve", "Deny", "Details"]);

    let answer = s.denies("bob", &card, "not ours: see *ticket* 12").await;
    assert_eq!(answer["type"], 6, "{answer:#}");
    s.says(&card, "⏳ DESKTOP-001: denied by @Bob").await;
    s.t.clock.advance(GRACE);
    let done = s.says(&card, "❌ DESKTOP-001 denied").await;
    assert!(done.description().contains(r"*not ours: see \*ticket\* 12*"), "{}", done.description());
    let told = s.platform.call(1).await;
    assert_eq!(told.line, "POST /v1/machines/asset-uuid/deny");
    assert_eq!(told.body["decision"], "denied");
    assert_eq!(told.body["reason"], "not ours: see *ticket* 12");
    s.finish().await;
}

#[tokio::test]
async fn undo_takes_it_back_before_the_platform_hears_of_it() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    let deciding = s.says(&card, "⏳").await;
    s.clicks("bob", &deciding, "Undo").await;
    let open = s.says(&card, "wants to join").await;
    assert_eq!(open.buttons(), ["Approve", "Deny", "Details"]);
    s.t.clock.advance(GRACE);
    s.t.settle().await;
    assert!(s.platform.recorded_requests().is_empty(), "it was taken back");

    // It was asked once, and can be answered again.
    s.denies("alice", &open, "after all, no").await;
    s.says(&card, "⏳ DESKTOP-001: denied by @Alice").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "❌").await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.finish().await;
}
