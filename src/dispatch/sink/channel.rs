//! The channel sink: posts or edits messages as the bot.

mod in_doubt;

use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{Client, Permit, Share};
use crate::dispatch::Context;
use crate::dispatch::sink::channel::in_doubt::{LookupResult, Search};
use crate::dispatch::sink::prepare::prepare;
use crate::dispatch::sink::share::share_of;
use crate::model::{Action, Arrived, Attempt, Message, Outcome, PostedAfter, Snowflake};
use crate::render::Body;
use crate::store::Result;

/// How long after its first try a message is sent again without reading the channel, under the same nonce. Discord does
/// not document how long it keeps a nonce ("the past few minutes": "Create Message"): this is shorter than any reading
/// of that, even if the last try takes until its deadline.
const NONCE_WINDOW: Duration = Duration::from_secs(15);

/// Discord: "Tried to perform an operation on an archived thread".
const ARCHIVED: u64 = 50083;

/// Posts to channels as the bot.
pub(in crate::dispatch) struct ChannelSink {
    client: Client,
}

impl ChannelSink {
    pub(in crate::dispatch) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Tries to send `message`. If it may have been posted, so long ago that Discord may have forgotten its nonce, the
    /// channel is searched first. If the search is inconclusive, the message is sent again, marked as a possible
    /// duplicate.
    pub(in crate::dispatch) async fn send(
        &self,
        context: &Context,
        channel: Snowflake,
        message: &mut Message,
        mut permit: Permit,
    ) -> Result<Attempt> {
        let (composed, mut body) = match prepare(context, message).await? {
            Ok(prepared) => prepared,
            Err(unsent) => return Ok(unsent),
        };
        if self.may_be_forgotten(context, message) {
            match Search::new(context, &self.client).look_for(channel, message, &body, permit).await? {
                LookupResult::Settled(attempt) => return Ok(*attempt),
                LookupResult::Absent => {}
                LookupResult::Unclear => {
                    context.store.note_maybe_duplicate(message.id).await?;
                    message.maybe_duplicate = true;
                    body = composed.body(message.maybe_duplicate);
                }
            }
            permit = self.permit().await;
        }
        if message.ambiguous_since.is_none() {
            message.tried_at = Some(context.clock.elapsed());
        }
        let mut attempt = match message.action {
            Action::Create => {
                let is_repeat = message.ambiguous_since.is_some();
                self.client.create_message(channel, &message.nonce, &body, is_repeat).await
            }
            Action::Edit { channel, message: edited } => {
                permit = self.ready_to_edit(context, channel, share_of(message), permit).await;
                self.edit(channel, edited, body).await
            }
        };
        permit.report(&attempt);
        if attempt.code == Some(ARCHIVED)
            && message.action == Action::Create
            && self.reopen_thread(channel).await
        {
            attempt.outcome = Outcome::Retry { after: None, arrived: Arrived::No };
        }
        Ok(attempt)
    }

    /// Edits a message and leaves nothing of its old content: without new buttons, the old ones are removed.
    async fn edit(&self, channel: Snowflake, message: Snowflake, mut body: Body) -> Attempt {
        body.components.get_or_insert_default();
        self.client.edit_message(channel, message, &body).await
    }

    /// Waits for a permit to send a request.
    pub(in crate::dispatch) async fn permit(&self) -> Permit {
        self.client.circuit_breaker().acquire().await
    }

    /// A lower bound for what a message planned now is posted after; `newest` is the newest message known to be there.
    pub(in crate::dispatch) fn posted_after(&self, newest: Option<Snowflake>, clock: &Clock) -> PostedAfter {
        PostedAfter { message: newest, time: self.client.time_at(clock.elapsed()) }
    }

    /// How long the next message must wait for its rate-limit bucket.
    pub(in crate::dispatch) fn ready_in(&self, channel: Snowflake, share: Share) -> Duration {
        self.client.ready_in(channel, share)
    }

    /// Waits for the edit bucket, which is separate. The permit is released meanwhile, so no other request waits.
    async fn ready_to_edit(
        &self,
        context: &Context,
        channel: Snowflake,
        share: Share,
        mut permit: Permit,
    ) -> Permit {
        loop {
            let wait = self.client.ready_to_edit_in(channel, share);
            if wait.is_zero() {
                return permit;
            }
            drop(permit);
            context.clock.sleep(wait).await;
            permit = self.permit().await;
        }
    }

    /// Reopens an archived thread. Returns whether that worked.
    async fn reopen_thread(&self, thread: Snowflake) -> bool {
        let permit = self.permit().await;
        self.client.unarchive(permit, thread).await.is_ok()
    }

    /// Whether it may have been posted under a nonce that is forgotten by now, or was never honored: Discord honors a
    /// nonce for a while, compatible servers need not. No wall clock proves how long ago an earlier process tried it.
    /// An edit is simply repeated.
    fn may_be_forgotten(&self, context: &Context, message: &Message) -> bool {
        let age = message.tried_at.map(|at| context.clock.elapsed().saturating_sub(at));
        let is_known = self.client.nonces_work() && age.is_some_and(|age| age <= NONCE_WINDOW);
        message.action == Action::Create && message.ambiguous_since.is_some() && !is_known
    }
}
