//! D-13: redelivery in each state of a decision and each round, through each entrance. The platform hears only what the
//! newest card shows, from somebody who may.
//!
//! | protection | test that covers it |
//! | --- | --- |
//! | the look for the sink in `Revive` | `what_is_not_the_newest_…`, `a_refused_call_is_retried_by_name_…` |
//! | `is_newest` by subject, by either id | the cases `Superseded…`, `OtherId` |
//! | the right in `retry::refusal` | `an_operator_revives_no_decision` |
//! | `is_bulk` | `a_refused_call_is_retried_by_name_…` |
//! | `is_asked_for` in `BeginCall`, in `finish_delivery` | `a_call_that_was_overtaken_…` |
//! | `is_replaced` in `decided::compose` | `an_earlier_round_takes_no_card_…` |
//! | the new call in `announce_retry` | `after_retention_try_again_still_calls` |

mod later;
mod tickets;

use std::time::Duration;

use nuncio::model::{DeliveryDetails, DeliveryFilter, DeliveryId, EventId, Sink};
use serde_json::{Value, json};

use super::{GRACE, KEY, Stage};
use crate::harness::{Answering, Message, at_shell, by};

/// The longest wait between two tries.
const BACKOFF: Duration = Duration::from_secs(300);
/// How long a question waits for an answer here.
const EXPIRY: Duration = Duration::from_secs(24 * 3600);
const NO: &str = r#"{"detail":"the licence is used up"}"#;

/// How a decision stands when it is redelivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Taken back within the grace.
    Undone,
    /// Its call waits for the end of the grace.
    Waiting,
    /// The platform did not answer well, and is called again by itself.
    Retrying,
    Confirmed,
    /// Approved here, and in XTSystems before the call.
    Elsewhere,
    /// Denied here, which the platform refused; the machine was approved there since.
    DeniedThenElsewhere,
    /// The machine has asked again since: its question is open.
    SupersededOpen,
    /// And nobody answered it in time.
    SupersededExpired,
    /// And was denied.
    SupersededDenied,
    /// And was denied, under its other id.
    OtherId,
    /// The newest round, refused.
    Refused,
    /// The newest round, held.
    Held,
}

const BOTH: &[&str] = &["Approvers", "Operators"];

impl Stage {
    /// Alice may type commands, for the server is hers; what she may by them her `roles` say.
    async fn commanding(roles: &[&str]) -> Self {
        let s =
            Self::with(|variables| drop(variables.insert("DECISION_EXPIRY".to_owned(), "24h".to_owned())))
                .await;
        s.t.commands().await;
        s.t.discord.set_roles("alice", roles);
        s
    }

    async fn registers(&self, data: Value) -> Message {
        self.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
        self.t.channel("machines").next_message().await
    }

    async fn approves(&self, card: &Message) {
        self.clicks("bob", card, "Approve").await;
        self.says(card, "⏳").await;
    }

    /// Brings a machine's first decision into `state`; its card.
    async fn reaches(&self, state: State) -> Message {
        let card = self.registers(json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7"})).await;
        let answer = match state {
            State::Held => Some(Answering::With(404, "{}")),
            State::Retrying => Some(Answering::With(503, "{}")),
            State::DeniedThenElsewhere
            | State::SupersededOpen
            | State::SupersededExpired
            | State::SupersededDenied
            | State::OtherId
            | State::Refused => Some(Answering::With(409, NO)),
            State::Undone | State::Waiting | State::Confirmed | State::Elsewhere => None,
        };
        answer.iter().for_each(|answer| self.platform.next(1, answer));
        if state == State::DeniedThenElsewhere {
            self.denies("bob", &card, "not ours").await;
            self.says(&card, "⏳").await;
        } else {
            self.approves(&card).await;
        }
        if state == State::Waiting {
            return card;
        }
        if state == State::Undone {
            let deciding = self.t.channel("machines").now(card.id());
            self.clicks("bob", &deciding, "Undo").await;
            return self.says(&card, "wants to join").await;
        }
        if state == State::Elsewhere {
            self.platform_approves().await;
            return self.says(&card, "✅").await;
        }
        self.t.clock.advance(GRACE);
        match state {
            State::Confirmed => drop(self.says(&card, "✅ LAB-7 approved").await),
            State::Retrying => drop(self.platform.call(1).await),
            _ => drop(self.says(&card, "**not** in XTSystems").await),
        }
        match state {
            State::DeniedThenElsewhere => {
                self.platform_approves().await;
                self.says(&card, "✅").await;
            }
            State::SupersededOpen | State::SupersededExpired => {
                let again = json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7", "n": 2});
                let newest = self.registers(again).await;
                if state == State::SupersededExpired {
                    self.t.clock.advance(EXPIRY);
                    self.says(&newest, "⌛").await;
                }
            }
            State::SupersededDenied => {
                let again = json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7", "n": 2});
                self.is_denied_now(again).await;
            }
            // The platform names a machine by either of its ids.
            State::OtherId => self.is_denied_now(json!({"asset_id": "a-1", "hostname": "LAB-7"})).await,
            State::Held => self.t.log.expect(tracing::Level::ERROR, "set XTSYSTEMS_APPROVE"),
            _ => {}
        }
        card
    }

    async fn platform_approves(&self) {
        self.t.sends_body(json!({"event_type": "machine.approved", "data": {"asset_id": "a-1"}})).await;
    }

    async fn is_denied_now(&self, asks: Value) {
        let card = self.registers(asks).await;
        self.denies("bob", &card, "not ours").await;
        self.says(&card, "⏳").await;
        self.t.clock.advance(GRACE);
        self.says(&card, "❌ LAB-7 denied").await;
    }

    /// The call of the first decision.
    async fn first_call(&self) -> DeliveryDetails {
        let mut letters = self.t.store().delivery_details_of(DeliveryFilter::All, 1000).await.unwrap();
        letters.retain(|letter| letter.sink == Some(Sink::XtSystems));
        letters.pop().expect("there is a call")
    }

    /// Types `/deliveries retry`; what it comes to.
    async fn retries(&self, id: DeliveryId) -> String {
        let options = json!([{"name": "id", "type": 3, "value": id.to_string()}]);
        let data = json!({"name": "deliveries", "type": 1, "options": [{"name": "retry", "type": 1, "options": options}]});
        self.commands("general", data).await
    }

    async fn commands(&self, channel: &str, data: Value) -> String {
        let (discord, before) = (&self.t.discord, self.t.whispers().len());
        let body = json!({
            "type": 2, "channel_id": discord.channel_id(channel), "guild_id": discord.guild_id(), "data": data,
        });
        let id = self.t.person("alice").acts(&body).await;
        let first = self.t.person("alice").answer(&id).await;
        let said = if first["type"] == 5 { self.t.whisper(before + 1).await } else { first["data"].clone() };
        said["content"].as_str().unwrap_or_else(|| panic!("no content: {said:#}")).to_owned()
    }

    /// The newest entry of the audit log: who, what, what came of it.
    async fn last_entry(&self) -> (String, String, String) {
        let entry = self.t.store().audited(1).await.unwrap().remove(0);
        (entry.actor_id, entry.action, entry.outcome)
    }

    /// Reads whatever cards a redelivery of channel messages posted.
    async fn reads_all(&self) {
        let unread = self.t.channel("machines").unread().len();
        self.t.channel("machines").next_messages(unread).await;
    }
}

// D-13: what the newest card does not show reaches the platform through no entrance.
#[rstest::rstest]
#[case(State::Undone, "the decision was taken back")]
#[case(State::Confirmed, "XTSystems has confirmed it")]
#[case(State::Elsewhere, "XTSystems has confirmed it")]
#[case(State::DeniedThenElsewhere, "the machine was approved in XTSystems itself")]
#[case(State::SupersededOpen, "a newer one")]
#[case(State::SupersededExpired, "a newer one")]
#[case(State::SupersededDenied, "a newer one")]
#[case(State::OtherId, "a newer one")]
#[tokio::test]
async fn what_is_not_the_newest_refused_decision_reaches_the_platform_through_no_entrance(
    #[case] state: State,
    #[case] why: &str,
) {
    let mut s = Stage::commanding(BOTH).await;
    let card = s.reaches(state).await;
    s.t.settle().await;
    let why = if state == State::DeniedThenElsewhere {
        "the machine was approved in XTSystems itself"
    } else {
        why
    };
    let (call, told) = (s.first_call().await, s.platform.recorded_requests().len());
    let (id, event) = (call.id.to_string(), call.event_id);

    let ran = s.t.runs(&["redeliver", &id]).await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains(why), "{state:?}: {}", ran.stderr);
    assert_eq!(
        s.last_entry().await,
        ("shell".to_owned(), "command.redeliver".to_owned(), "refused".to_owned())
    );
    let said = s.retries(call.id).await;
    assert!(said.contains(why) && said.contains("Nothing was changed"), "{state:?}: {said}");
    let alice = s.t.discord.user_id("alice").unwrap().to_string();
    assert_eq!(s.last_entry().await, (alice, "command.deliveries-retry".to_owned(), "refused".to_owned()));

    s.t.runs(&["redeliver", &event.to_string()]).await;
    for bulk in ["--dead", "--unrouted"] {
        let ran = s.t.runs(&["redeliver", bulk]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stderr.contains("Try again"), "{state:?}: no button would do it: {}", ran.stderr);
    }
    let menu = json!({"name": "Redeliver", "type": 3, "target_id": card.id()});
    s.commands("machines", menu).await;
    let asked = s.t.hub().shown_in(card.id().parse().unwrap()).await.unwrap();
    let asked: Vec<EventId> = asked.into_iter().map(|(_, event)| event).collect();
    for event in asked {
        s.t.hub().redeliver_event(event, &at_shell()).await.unwrap();
    }
    s.t.settle().await;
    s.reads_all().await;
    s.t.clock.advance(BACKOFF);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), told, "{state:?}: the platform heard of it");
    s.t.restart().await;
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), told, "{state:?}: after a restart");
    s.finish().await;
}

// D-13: what is under way is called once more by itself, and no redelivery makes it two.
#[rstest::rstest]
#[case(State::Waiting, 1)]
#[case(State::Retrying, 2)]
#[tokio::test]
async fn what_is_under_way_is_not_doubled(#[case] state: State, #[case] calls: usize) {
    let s = Stage::commanding(BOTH).await;
    let card = s.reaches(state).await;
    if state == State::Retrying {
        let waits = |now: &Message| now.description().contains("ttempt 1, next");
        s.t.channel("machines").becomes(card.id(), "the attempt", waits).await;
    }
    let call = s.first_call().await;
    for args in [[call.id.to_string()], [call.event_id.to_string()], ["--dead".to_owned()]] {
        let ran = s.t.runs(&["redeliver", &args[0]]).await;
        assert!(!ran.stdout.contains("made again"), "{}", ran.stdout);
    }
    let said = s.retries(call.id).await;
    assert!(said.contains("has not answered yet"), "{said}");
    s.t.clock.advance(if state == State::Waiting { GRACE } else { BACKOFF });
    s.says(&card, "✅ LAB-7 approved").await;
    s.t.settle().await;
    s.reads_all().await;
    assert_eq!(s.platform.recorded_requests().len(), calls);
    s.finish().await;
}

// D-13, A1: the newest refused or held decision, by those who may.
#[rstest::rstest]
#[case(State::Refused, Answering::With(409, NO))]
#[case(State::Held, Answering::With(404, "{}"))]
#[tokio::test]
async fn a_refused_call_is_retried_by_name_and_left_to_its_card_in_bulk(
    #[case] state: State,
    #[case] again: Answering,
) {
    let s = Stage::commanding(BOTH).await;
    let card = s.reaches(state).await;
    s.t.settle().await;
    let call = s.first_call().await;

    let ran = s.t.runs(&["redeliver", "--dead"]).await;
    assert_eq!(ran.stdout, "0 dead deliveries are due again.\n", "{}", ran.stderr);
    assert!(ran.stderr.contains("1 decision left alone: press Try again on its card."), "{}", ran.stderr);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1, "{state:?}");

    s.platform.next(2, &again);
    for (n, name) in [call.id.to_string(), call.event_id.to_string()].into_iter().enumerate() {
        let ran = s.t.runs(&["redeliver", &name]).await;
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, "The call to XTSystems is made again.\n"),
            "{}",
            ran.stderr
        );
        assert_eq!(
            s.last_entry().await,
            ("shell".to_owned(), "command.redeliver".to_owned(), "done".to_owned())
        );
        s.platform.call(n + 2).await;
        s.t.settle().await;
        s.says(&card, "**not** in XTSystems").await;
        if state == State::Held {
            s.t.log.expect(tracing::Level::ERROR, "set XTSYSTEMS_APPROVE");
        }
    }
    assert_eq!(s.retries(call.id).await, "The call to XTSystems is made again.");
    s.says(&card, "✅ LAB-7 approved").await;
    s.t.settle().await;
    let told = s.platform.recorded_requests();
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|call| call.idempotency_key == told[0].idempotency_key), "one and the same call");
    let tries: Value =
        serde_json::from_str(&s.t.runs(&["deliveries", &call.id.to_string(), "--json"]).await.stdout)
            .unwrap();
    assert_eq!(tries["tries"].as_array().unwrap().len(), 4, "nothing of its history is lost");
    s.finish().await;
}

// D-13, A1: the right is asked for in the unit.
#[tokio::test]
async fn an_operator_revives_no_decision_and_is_told_who_can() {
    let s = Stage::commanding(&["Operators"]).await;
    let card = s.reaches(State::Refused).await;
    s.t.settle().await;
    let call = s.first_call().await;
    let approvers = s.t.discord.role_id("Approvers").unwrap();
    let said = s.retries(call.id).await;
    assert_eq!(said, format!("Only <@&{approvers}> can decide about machines: ask one of them."));
    let alice = s.t.discord.user_id("alice").unwrap().to_string();
    assert_eq!(s.last_entry().await, (alice, "command.deliveries-retry".to_owned(), "refused".to_owned()));
    let menu = json!({"name": "Redeliver", "type": 3, "target_id": card.id()});
    s.commands("machines", menu).await;
    s.t.settle().await;
    s.reads_all().await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.finish().await;
}

// Issue 14, item 22: what the shell does stands in the log when the command has ended.
#[tokio::test]
async fn the_shell_mutes_unmutes_and_redelivers_with_an_entry_each() {
    let s = Stage::start().await;
    s.t.hub().mute("ticket.*", Duration::from_secs(60), "", &by("Alice")).await.unwrap();
    for (args, action) in [
        (&["mute", "alert.*", "--for", "1h"][..], "command.mute"),
        (&["unmute", "alert.*"][..], "command.unmute"),
    ] {
        let ran = s.t.runs(args).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(s.last_entry().await, ("shell".to_owned(), action.to_owned(), "done".to_owned()));
        let subject = s.t.store().audited(1).await.unwrap().remove(0).subject;
        assert_eq!(subject, "mute alert.*");
    }
    s.t.sends("ticket_updated.json").await;
    s.t.settle().await;
    s.t.sends("asset_created.json").await;
    s.t.channel("assets").next_message().await;
    s.t.settle().await;
    let letters = s.t.store().delivery_details_of(DeliveryFilter::All, 1).await.unwrap();
    let ran = s.t.runs(&["redeliver", &letters[0].id.to_string()]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    s.t.channel("assets").next_message().await;
    assert_eq!(s.last_entry().await, ("shell".to_owned(), "command.redeliver".to_owned(), "done".to_owned()));
    s.finish().await;
}
