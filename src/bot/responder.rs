//! The responses to one interaction: the first within three seconds, later ones for 15 minutes.
//!
//! Handlers answer through a [`Responder`] and do not know where its responses go. That is an [`Outlet`]: a trait and
//! not an enum, because the set is open and its members live apart. The gateway's sends each response to Discord's REST
//! API (`bot/gateway/callback.rs`). [`FirstReturned`] returns the first one to its caller, who delivers it: poise does
//! so with suggestions, an HTTP endpoint can write it into the body of its answer. The tests' outlet records them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::bot::reply::{Choice, Dialog, FirstResponse, ReplyBody};

/// Discord: "JSON Error Codes", the interaction was answered.
const ALREADY_ANSWERED: i64 = 40060;
/// Discord: "JSON Error Codes", the interaction is unknown: it expired.
const UNKNOWN_INTERACTION: i64 = 10062;

/// Whether a response arrived.
pub(super) type Responded = Result<(), ResponseError>;

/// Why a response did not arrive. It holds no URL: those of interactions contain tokens.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{sentence}")]
pub(super) struct ResponseError {
    /// The HTTP status of Discord's response, if there was one.
    pub(super) status: Option<u16>,
    /// Discord's JSON error code, if there was one.
    pub(super) code: Option<i64>,
    pub(super) sentence: String,
}

impl ResponseError {
    /// Whether the interaction was answered before: by us, if the gateway delivered it twice, or by another program.
    pub(super) fn is_answered_already(&self) -> bool {
        self.code == Some(ALREADY_ANSWERED)
    }

    /// Whether the interaction can no longer be answered: it was answered already, or it expired.
    pub(super) fn is_over(&self) -> bool {
        self.is_answered_already() || self.code == Some(UNKNOWN_INTERACTION)
    }

    /// Whether Discord is rate limiting.
    pub(super) fn is_rate_limited(&self) -> bool {
        self.status == Some(429)
    }
}

/// Where the responses to one interaction go.
pub(super) trait Outlet: Send + Sync {
    /// Sends the first response.
    fn respond(&self, response: FirstResponse) -> BoxFuture<'_, Responded>;
    /// Edits the message of the first response.
    fn edit(&self, reply: ReplyBody) -> BoxFuture<'_, Responded>;
    /// Sends another message.
    fn follow_up(&self, reply: ReplyBody) -> BoxFuture<'_, Responded>;
}

/// Answers one interaction.
pub(super) struct Responder {
    outlet: Box<dyn Outlet>,
    /// Whether the first response arrived.
    has_responded: AtomicBool,
}

impl Responder {
    pub(super) fn new(outlet: impl Outlet + 'static) -> Self {
        Self { outlet: Box::new(outlet), has_responded: AtomicBool::new(false) }
    }

    /// The first response: the click was received, and the card shows its result.
    pub(super) async fn acknowledge(&self) -> Responded {
        self.respond(FirstResponse::Acknowledged).await
    }

    /// The first response: a message that only this person sees follows.
    pub(super) async fn defer(&self) -> Responded {
        self.respond(FirstResponse::Deferred).await
    }

    /// A message: the first response, or one more after it.
    pub(super) async fn reply(&self, reply: ReplyBody) -> Responded {
        if self.has_responded.load(Ordering::Acquire) {
            return self.follow_up(reply).await;
        }
        self.respond(FirstResponse::Message(reply)).await
    }

    /// The first response: the clicked message becomes this one.
    pub(super) async fn update(&self, reply: ReplyBody) -> Responded {
        self.respond(FirstResponse::Updated(reply)).await
    }

    /// The first response: a dialog.
    pub(super) async fn dialog(&self, dialog: Dialog) -> Responded {
        self.respond(FirstResponse::Dialog(dialog)).await
    }

    /// The first response: suggestions, at most 25.
    pub(super) async fn choices(&self, choices: Vec<Choice>) -> Responded {
        self.respond(FirstResponse::Choices(choices)).await
    }

    /// Edits the message of the first response: the deferred one, or the clicked one.
    pub(super) async fn edit(&self, reply: ReplyBody) -> Responded {
        self.outlet.edit(reply).await
    }

    /// One more message, after the first response.
    pub(super) async fn follow_up(&self, reply: ReplyBody) -> Responded {
        self.outlet.follow_up(reply).await
    }

    async fn respond(&self, response: FirstResponse) -> Responded {
        let responded = self.outlet.respond(response).await;
        if responded.is_ok() {
            self.has_responded.store(true, Ordering::Release);
        }
        responded
    }
}

/// Returns the first response to its caller, who delivers it; `later` sends the others.
pub(super) struct FirstReturned<L> {
    first: Mutex<Option<oneshot::Sender<FirstResponse>>>,
    later: L,
}

impl<L: Outlet> FirstReturned<L> {
    /// The outlet, and the receiver of the first response. It fails if the handler ends without one.
    pub(super) fn new(later: L) -> (Self, oneshot::Receiver<FirstResponse>) {
        let (sender, first) = oneshot::channel();
        (Self { first: Mutex::new(Some(sender)), later }, first)
    }
}

impl<L: Outlet> Outlet for FirstReturned<L> {
    fn respond(&self, response: FirstResponse) -> BoxFuture<'_, Responded> {
        let sender = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let error =
            |sentence: &str, code| ResponseError { status: None, code, sentence: sentence.to_owned() };
        let responded = match sender.map(|sender| sender.send(response).is_ok()) {
            Some(true) => Ok(()),
            Some(false) => Err(error("nobody waits for the response any more", Some(UNKNOWN_INTERACTION))),
            None => Err(error("it was answered before", Some(ALREADY_ANSWERED))),
        };
        Box::pin(std::future::ready(responded))
    }

    fn edit(&self, reply: ReplyBody) -> BoxFuture<'_, Responded> {
        self.later.edit(reply)
    }

    fn follow_up(&self, reply: ReplyBody) -> BoxFuture<'_, Responded> {
        self.later.follow_up(reply)
    }
}
