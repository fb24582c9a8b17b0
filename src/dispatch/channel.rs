//! The channel sink: posts or changes a message through the bot.

use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{Client, Permit, Share};
use crate::dispatch::Context;
use crate::dispatch::cards::compose::compose;
use crate::dispatch::guard::isolate;
use crate::dispatch::in_doubt::{Looked, Search};
use crate::dispatch::share::share_of;
use crate::model::{Action, Arrived, Attempt, Message, Outcome, PostedAfter, Snowflake};
use crate::render::Body;
use crate::store::Result;

/// For how long after its first try a message is sent again without a look, under the same nonce. How long Discord knows
/// a nonce it says nowhere ("the past few minutes": "Create Message"): this is less than any reading of that, also if the
/// last try takes until its deadline.
const NONCE_WINDOW: Duration = Duration::from_secs(15);

/// Discord: "Tried to perform an operation on an archived thread".
const ARCHIVED: u64 = 50083;

/// Posts to channels as the bot.
pub(super) struct Channel {
    client: Client,
}

impl Channel {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Tries to send `message`. One that may have been posted, so long ago that its nonce may be forgotten, is looked
    /// for first; if that cannot be told, it is sent again and says that it may be a duplicate.
    pub(super) async fn send(
        &self,
        context: &Context,
        channel: Snowflake,
        message: &mut Message,
        mut pass: Permit,
    ) -> Result<Attempt> {
        let mut body = match isolate(compose(context, message)).await? {
            Ok(body) => body,
            Err(poison) => return Ok(poison.unsent(context.clock.now())),
        };
        if self.may_be_forgotten(context, message) {
            match Search::new(context, &self.client).look_for(channel, message, &body, pass).await? {
                Looked::Settled(attempt) => return Ok(*attempt),
                Looked::Absent => {}
                Looked::Unclear => {
                    context.store.note_maybe_duplicate(message.id).await?;
                    message.maybe_duplicate = true;
                    body = match isolate(compose(context, message)).await? {
                        Ok(body) => body,
                        Err(poison) => return Ok(poison.unsent(context.clock.now())),
                    };
                }
            }
            pass = self.pass().await;
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
                pass = self.ready_to_edit(context, channel, share_of(message), pass).await;
                self.edit(channel, edited, body).await
            }
        };
        pass.report(&attempt);
        if attempt.code == Some(ARCHIVED) && message.action == Action::Create && self.opens(channel).await {
            attempt.outcome = Outcome::Retry { after: None, arrived: Arrived::No };
        }
        Ok(attempt)
    }

    /// A change leaves nothing of what stood there: no buttons are taken away as well.
    async fn edit(&self, channel: Snowflake, message: Snowflake, mut body: Body) -> Attempt {
        body.components.get_or_insert_default();
        self.client.edit_message(channel, message, &body).await
    }

    /// Waits until a request may leave.
    pub(super) async fn pass(&self) -> Permit {
        self.client.gate().pass().await
    }

    /// What a message is surely posted after that is planned now, where `newest` is the last that is known to be there.
    pub(super) fn posted_after(&self, newest: Option<Snowflake>, clock: &Clock) -> PostedAfter {
        PostedAfter { message: newest, time: self.client.time_at(clock.elapsed()) }
    }

    /// How long the next message should wait for its bucket.
    pub(super) fn ready_in(&self, channel: Snowflake, share: Share) -> Duration {
        self.client.ready_in(channel, share)
    }

    /// Changes have a bucket of their own. Nobody else waits because this one does.
    async fn ready_to_edit(
        &self,
        context: &Context,
        channel: Snowflake,
        share: Share,
        mut pass: Permit,
    ) -> Permit {
        loop {
            let wait = self.client.ready_to_edit_in(channel, share);
            if wait.is_zero() {
                return pass;
            }
            drop(pass);
            context.clock.sleep(wait).await;
            pass = self.pass().await;
        }
    }

    /// Whether an archived thread could be opened again.
    async fn opens(&self, thread: Snowflake) -> bool {
        let pass = self.pass().await;
        self.client.unarchive(pass, thread).await.is_ok()
    }

    /// Whether it may have been posted under a nonce that is forgotten by now, or that nobody ever heeded: Discord heeds
    /// it for a while, servers written by others need not. How long ago an earlier process tried it no wall clock proves.
    /// A change is simply made again.
    fn may_be_forgotten(&self, context: &Context, message: &Message) -> bool {
        let age = message.tried_at.map(|at| context.clock.elapsed().saturating_sub(at));
        let is_known = self.client.heeds_nonces() && age.is_some_and(|age| age <= NONCE_WINDOW);
        message.action == Action::Create && message.ambiguous_since.is_some() && !is_known
    }
}
