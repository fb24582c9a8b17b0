//! Handlers without any gateway: an interaction is written down, and its responses are recorded.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::handle;
use crate::bot::guild_cache::GuildCache;
use crate::bot::handlers::Handlers;
use crate::bot::interaction::{
    CommandOptions, ComponentClick, ComponentInput, Interaction, InteractionKind, InteractionMember,
    InteractionUser, SubmittedDialog, SuggestedOption,
};
use crate::bot::reply::{FirstResponse, ReplyBody};
use crate::bot::responder::{FirstReturned, Outlet, Responded, Responder, ResponseError};
use crate::bot::{Bot, CommandDeps};
use crate::clock::Clock;
use crate::config::DiscordBase;
use crate::discord::Access;
use crate::hub::{Condition, Guilds, Hub, Rules};
use crate::key::Key;
use crate::model::ping::Pings;
use crate::model::route::RouteMap;
use crate::model::{Snowflake, Token};
use crate::secret::Secret;
use crate::store::{HintSender, Store};
use crate::xtsystems::Registrar;

const HOME: Snowflake = Snowflake::new(1);
const ELSEWHERE: Snowflake = Snowflake::new(2);
const ALICE: Snowflake = Snowflake::new(7);
const BOB: Snowflake = Snowflake::new(8);
const ADMINISTRATOR: u64 = 1 << 3;
const STRANGE: &str = "Commands and buttons do not work in this server";

/// Records every response; refuses each with `error`, if there is one.
#[derive(Clone, Default)]
struct Recorder {
    sent: Arc<Mutex<Vec<(&'static str, Value)>>>,
    error: Option<ResponseError>,
}

impl Recorder {
    fn record(&self, what: &'static str, body: Value) -> BoxFuture<'_, Responded> {
        self.sent.lock().unwrap().push((what, body));
        Box::pin(std::future::ready(self.error.clone().map_or(Ok(()), Err)))
    }
}

impl Outlet for Recorder {
    fn respond(&self, response: FirstResponse) -> BoxFuture<'_, Responded> {
        self.record("first", response.body())
    }

    fn edit(&self, reply: ReplyBody) -> BoxFuture<'_, Responded> {
        self.record("edit", json!(reply))
    }

    fn follow_up(&self, reply: ReplyBody) -> BoxFuture<'_, Responded> {
        self.record("follow-up", json!(reply))
    }
}

/// The handlers over a database of their own.
struct Desk {
    handlers: Handlers,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let (hints, _received) = HintSender::channel();
        let store = Store::open(&folder.path().join("nuncio.db"), clock.clone(), hints).await.unwrap();
        store.unlock(&Key::random()).await.unwrap();
        let hub =
            Hub::new(store.clone(), clock.clone(), RouteMap::default(), Pings::default()).await.unwrap();
        hub.decide_by(Rules { guilds: vec![HOME], ..Rules::default() });
        let all = [(HOME, "Acme"), (ELSEWHERE, "Mallory")].map(|(id, name)| (id, Some(name.to_owned())));
        hub.set_guilds(Guilds { all: all.into(), ..Guilds::default() });
        let base = "http://127.0.0.1:9/api";
        let access =
            Access::new(DiscordBase::parse(base).unwrap(), Some(Secret::new("a.b.c")), clock.clone());
        let errands = CommandDeps {
            platform: None,
            registrar: Registrar::new(None, base.to_owned(), Some(Secret::new("s"))),
            ticket_url: None,
        };
        let client = access.client().cloned().unwrap();
        let bot = Bot::new(client, Vec::new(), errands, store.clone(), hub, clock);
        let handlers = Handlers::new(bot.shared, GuildCache::default());
        Self { handlers, store, _folder: folder }
    }

    /// Handles an interaction; returns what was sent, in order.
    async fn answers(&self, interaction: &Interaction) -> Vec<(&'static str, Value)> {
        let recorder = Recorder::default();
        handle(&self.handlers, interaction, &Responder::new(recorder.clone())).await;
        let sent = recorder.sent.lock().unwrap();
        sent.clone()
    }

    /// Handles an interaction, which is answered with one sentence for this person alone; returns the sentence.
    async fn says(&self, interaction: &Interaction) -> String {
        let sent = self.answers(interaction).await;
        let [("first", only)] = &sent[..] else { panic!("{sent:#?}") };
        assert_eq!((&only["type"], &only["data"]["flags"]), (&json!(4), &json!(64)), "{only:#}");
        assert_eq!(only["data"]["allowed_mentions"], json!({"parse": []}));
        only["data"]["content"].as_str().unwrap().to_owned()
    }

    /// Action and outcome of the audit log's entries, the newest first.
    async fn audited(&self) -> Vec<(String, String)> {
        let entries = self.store.audited(10).await.unwrap();
        entries.into_iter().map(|entry| (entry.action, entry.outcome)).collect()
    }
}

/// Alice, who may manage the operator's server, does something there.
fn alice(kind: InteractionKind) -> Interaction {
    Interaction {
        id: Snowflake::new(100),
        token: Secret::new("interaction-token"),
        application: Snowflake::new(9),
        kind,
        user: InteractionUser { id: ALICE, username: "alice".to_owned(), display_name: None },
        member: Some(InteractionMember { permissions: ADMINISTRATOR, ..InteractionMember::default() }),
        guild: Some(HOME),
        channel: Snowflake::new(3),
        message: None,
    }
}

fn button(custom_id: impl Into<String>) -> InteractionKind {
    InteractionKind::Component(ComponentClick { custom_id: custom_id.into(), input: ComponentInput::Button })
}

fn dialog(custom_id: impl Into<String>, text: &str) -> InteractionKind {
    let fields = vec![("text".to_owned(), text.to_owned())];
    InteractionKind::Dialog(SubmittedDialog { custom_id: custom_id.into(), fields })
}

fn command(options: CommandOptions) -> InteractionKind {
    InteractionKind::Command { name: "a command".to_owned(), options }
}

// Control: without the look at the reader, Bob turns Alice's page.
#[tokio::test]
async fn a_list_is_turned_by_its_reader_only() {
    let desk = Desk::open().await;
    let mut turned = alice(button(format!("v1:page:failed:0:{ALICE}")));
    let sent = desk.answers(&turned).await;
    assert_eq!(sent[0], ("first", json!({"type": 6})));
    assert_eq!((sent[1].0, &sent[1].1["content"]), ("edit", &json!("Nothing was given up.")));
    assert_eq!((sent.len(), &sent[1].1["embeds"], &sent[1].1["components"]), (2, &json!([]), &json!([])));
    turned.user.id = BOB;
    assert!(desk.says(&turned).await.starts_with("This list belongs to whoever asked for it"));
}

// Control: without `check_guild` in `Hub::may`, in `may_operate`, or before a command, one of them is not refused.
#[tokio::test]
async fn a_stranger_s_server_is_refused_whatever_is_done_there() {
    let desk = Desk::open().await;
    let token = Token::random();
    let kinds = [
        button(format!("v1:approve:{}", token.as_str())),
        button(format!("v1:page:failed:0:{ALICE}")),
        button("v1:route"),
        dialog(format!("v1:deny:{}", token.as_str()), "not ours"),
        command(CommandOptions::WebhookStatus),
        command(CommandOptions::Unreadable),
    ];
    for (id, kind) in (100..).zip(kinds) {
        let there = Interaction { id: Snowflake::new(id), guild: Some(ELSEWHERE), ..alice(kind) };
        let sentence = desk.says(&there).await;
        assert!(sentence.starts_with(STRANGE), "{there:?}: {sentence}");
    }
    let refused = desk.audited().await;
    assert_eq!((refused.len(), refused.iter().all(|(_, outcome)| outcome == "refused")), (6, true));
    let typed = InteractionKind::Suggestion { option: SuggestedOption::MutableKind, typed: String::new() };
    let none = json!({"type": 8, "data": {"choices": []}});
    let there = Interaction { guild: Some(ELSEWHERE), ..alice(typed.clone()) };
    assert_eq!(desk.answers(&there).await, [("first", none)]);
    // At home there is something to suggest.
    let here = desk.answers(&alice(typed)).await;
    assert!(!here[0].1["data"]["choices"].as_array().unwrap().is_empty(), "{here:#?}");
}

// Control: without `dialog::check` the first is carried out as well.
#[tokio::test]
async fn a_dialog_without_a_reason_does_nothing_yet() {
    let desk = Desk::open().await;
    let deny = format!("v1:deny:{}", Token::random().as_str());
    let sentence = desk.says(&alice(dialog(&deny, "  "))).await;
    assert!(sentence.starts_with("Please write 3 to 400 characters"), "{sentence}");
    assert_eq!(desk.audited().await, []);
    // With a reason the click goes on, to a card that is none.
    let sent = desk.answers(&alice(dialog(&deny, "not ours"))).await;
    assert_eq!(sent[0], ("first", json!({"type": 6})));
    let (what, last) = &sent[1];
    assert_eq!((*what, &last["flags"]), ("follow-up", &json!(64)));
    assert!(last["content"].as_str().unwrap().starts_with("This button has expired"), "{last:#}");
    assert_eq!(desk.audited().await, [("decision.deny".to_owned(), "refused".to_owned())]);
}

// Control: without the look at `is_stopping`, each begins its work.
#[tokio::test]
async fn at_the_end_of_the_process_nothing_begins() {
    let desk = Desk::open().await;
    desk.handlers.shared.stopping.cancel();
    for kind in [
        button(format!("v1:approve:{}", Token::random().as_str())),
        button(format!("v1:page:failed:0:{ALICE}")),
        button("v1:route"),
        dialog(format!("v1:deny:{}", Token::random().as_str()), "not ours"),
        command(CommandOptions::MachinePending),
    ] {
        let sentence = desk.says(&alice(kind)).await;
        assert!(sentence.starts_with("nuncio is restarting"), "{sentence}");
    }
}

// Control: with the refused response of a command not handed to the rival, nobody learns of the other program.
#[rstest::rstest]
#[case::by_another_program(1, true)]
#[case::by_ourselves_after_a_resume(2, false)]
#[tokio::test]
async fn who_has_answered_already_is_told_apart(#[case] arrivals: usize, #[case] is_rival: bool) {
    let answered = ResponseError { status: Some(400), code: Some(40060), sentence: "answered".to_owned() };
    for kind in [command(CommandOptions::MachinePending), button(format!("v1:page:failed:0:{ALICE}"))] {
        let desk = Desk::open().await;
        let interaction = alice(kind);
        for _ in 0..arrivals {
            desk.handlers.record_arrival(interaction.id);
        }
        let recorder = Recorder { error: Some(answered.clone()), ..Recorder::default() };
        handle(&desk.handlers, &interaction, &Responder::new(recorder.clone())).await;
        let conditions = desk.handlers.shared.hub.conditions();
        assert_eq!(conditions.holds(Condition::TokenShared), is_rival, "{interaction:?}");
        let firsts = recorder.sent.lock().unwrap().iter().filter(|(what, _)| *what == "first").count();
        assert_eq!(firsts, 1, "no second answer");
    }
}

// What an HTTP endpoint needs: the first response is its answer, the others are sent.
#[tokio::test]
async fn the_first_response_can_be_returned_and_the_others_sent() {
    let desk = Desk::open().await;
    let recorder = Recorder::default();
    let (outlet, first) = FirstReturned::new(recorder.clone());
    let responder = Responder::new(outlet);
    handle(&desk.handlers, &alice(command(CommandOptions::MachinePending)), &responder).await;
    assert_eq!(first.await.unwrap(), FirstResponse::Deferred);
    let sent = recorder.sent.lock().unwrap().clone();
    assert_eq!((sent.len(), sent[0].0, &sent[0].1["flags"]), (1, "follow-up", &json!(64)));
    assert_eq!(sent[0].1["content"], "No machine waits for a decision.");
    assert!(responder.acknowledge().await.unwrap_err().is_over(), "it is returned once");
}
