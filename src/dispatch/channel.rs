//! The channel sink: posts or changes a message through the bot.

use std::time::Duration;

use crate::discord::{Client, DEADLINE, Failure, Look, Pass};
use crate::dispatch::Context;
use crate::dispatch::compose::compose;
use crate::dispatch::guard::survive;
use crate::model::{Action, Arrived, Attempt, Message, Outcome, Receipt, Snowflake};
use crate::render::Body;
use crate::store::Result;

/// How long Discord surely knows a nonce. It says "the past few minutes" (Discord: "Create Message"), and no figure:
/// half a minute is less than any reading of that.
const NONCE_WINDOW: Duration = Duration::from_secs(30);
/// How long after the first try of a message may begin another one that its nonce protects: Discord may have taken the
/// first as soon as it began, and the other one may come there at the very end of its deadline. Later than this the
/// channel is read first, which costs one request; what is sent then still carries the nonce.
const TRUSTED: Duration = NONCE_WINDOW.saturating_sub(DEADLINE);

/// How often a channel is read before a message whose fate is unknown is sent again.
const LOOKS: u32 = 10;
/// How far Discord's clock and ours may be apart.
const SKEW: Duration = Duration::from_secs(30);
/// Discord: "Tried to perform an operation on an archived thread".
const ARCHIVED: u64 = 50083;

/// What a look for a message brought.
enum Looked {
    /// It need not be sent, or cannot be sent now.
    Settled(Box<Attempt>),
    /// It does not stand there.
    Absent,
    /// Nobody can tell.
    Unclear,
}

/// Posts to channels as the bot.
pub(super) struct Channel {
    client: Client,
}

impl Channel {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Tries to send `message`. One that may have been posted, so long ago that its nonce may be forgotten, is looked
    /// for first; if that cannot be told, it is sent again and says that it may stand twice.
    pub(super) async fn send(
        &self,
        context: &Context,
        channel: Snowflake,
        message: &mut Message,
        mut pass: Pass,
    ) -> Result<Attempt> {
        let mut body = match survive(compose(context, message)).await? {
            Ok(body) => body,
            Err(poison) => return Ok(poison.unsent(context.clock.now())),
        };
        if self.may_be_forgotten(context, message) {
            match self.look_for(context, channel, message, &body, pass).await {
                Looked::Settled(attempt) => return Ok(*attempt),
                Looked::Absent => {}
                Looked::Unclear => {
                    context.store.note_maybe_duplicate(message.id).await?;
                    message.maybe_duplicate = true;
                    body = match survive(compose(context, message)).await? {
                        Ok(body) => body,
                        Err(poison) => return Ok(poison.unsent(context.clock.now())),
                    };
                }
            }
            pass = self.pass().await;
        }
        let mut attempt = match message.action {
            Action::Create => self.client.create_message(channel, &message.nonce, &body).await,
            Action::Edit { channel, message } => {
                pass = self.ready_to_edit(context, channel, pass).await;
                self.edit(channel, message, body).await
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
    pub(super) async fn pass(&self) -> Pass {
        self.client.gate().pass().await
    }

    /// How long the next message should wait for its bucket.
    pub(super) fn ready_in(&self, channel: Snowflake) -> Duration {
        self.client.ready_in(channel)
    }

    /// Changes have a bucket of their own. Nobody else waits because this one does.
    async fn ready_to_edit(&self, context: &Context, channel: Snowflake, mut pass: Pass) -> Pass {
        loop {
            let wait = self.client.ready_to_edit_in(channel);
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
    /// it for a while, servers written by others need not. A change is simply made again.
    fn may_be_forgotten(&self, context: &Context, message: &Message) -> bool {
        let trusted = if self.client.heeds_nonces() { TRUSTED } else { Duration::ZERO };
        message.action == Action::Create
            && message
                .ambiguous_since
                .is_some_and(|since| trusted.is_zero() || context.clock.now().since(since) > trusted)
    }

    async fn look_for(
        &self,
        context: &Context,
        channel: Snowflake,
        message: &Message,
        body: &Body,
        pass: Pass,
    ) -> Looked {
        // The short ids of events that stand in the footers it may have been posted with.
        let is_id = |word: &&str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let shown = body
            .embeds
            .iter()
            .flat_map(|embed| embed.footer.text.split(' ').filter(is_id).map(str::to_owned));
        let carried = message.deliveries.iter().map(|delivery| delivery.event_id.short());
        let tags: Vec<String> = carried.chain(shown).collect();
        let (started_at, began) = (context.clock.now(), context.clock.elapsed());
        let attempt = |status, code, response: String, outcome| {
            Looked::Settled(Box::new(Attempt {
                took: context.clock.elapsed().saturating_sub(began),
                status,
                code,
                response: response.into_bytes(),
                ..Attempt::unanswered(started_at, outcome)
            }))
        };
        // What has no embed is known by its words.
        let content = body.embeds.is_empty().then_some(body.content.as_str());
        let looked =
            self.client.find_message(pass, channel, &message.nonce, &tags, content, message.created_at).await;
        let why = match looked {
            Ok(Look::Found(id)) => {
                let receipt = Receipt { channel, message: Some(id) };
                return attempt(Some(200), None, String::new(), Outcome::Sent(receipt));
            }
            Ok(Look::Absent) => return Looked::Absent,
            Ok(Look::Unclear) if self.is_older(channel, message).await => return Looked::Absent,
            Ok(Look::Unclear) => "Discord does not show it all (Read Message History is missing?)".to_owned(),
            // Whoever may not read may still write.
            Err(Failure { outcome: Outcome::Denied(why), .. }) => why.to_string(),
            // The look is made again, as long as there is hope that it says something.
            Err(failure) if message.attempts < LOOKS || !matches!(failure.outcome, Outcome::Retry { .. }) => {
                let outcome = match &failure.outcome {
                    // Whatever this request was, the message itself was not sent by it.
                    Outcome::Retry { after, .. } => Outcome::Retry { after: *after, arrived: Arrived::No },
                    Outcome::Refused(_) => Outcome::Retry { after: None, arrived: Arrived::No },
                    outcome => outcome.clone(),
                };
                return attempt(failure.status, failure.code, failure.to_string(), outcome);
            }
            Err(failure) => failure.to_string(),
        };
        tracing::warn!(
            message.id = %message.id,
            "the channel could not be read to see whether a message had arrived: {why}. It is sent again and may stand twice"
        );
        Looked::Unclear
    }

    /// Whether nothing was posted in `channel` since `message` was planned.
    async fn is_older(&self, channel: Snowflake, message: &Message) -> bool {
        let pass = self.client.gate().pass().await;
        let planned = message.created_at.minus(SKEW);
        let place = self.client.channel(pass, channel).await;
        place.is_ok_and(|place| place.last_message_id.is_none_or(|last| last.created_at() < planned))
    }
}
