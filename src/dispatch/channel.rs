//! The channel sink: posts or changes a message through the bot.

use std::time::Duration;

use crate::discord::{Client, Traces};
use crate::dispatch::Context;
use crate::dispatch::compose::compose;
use crate::model::{Action, Attempt, Message, Outcome, Receipt, Sink, Snowflake};
use crate::render::Body;
use crate::store::Result;

/// How long a nonce surely brings back the first message. Discord says "the past few minutes".
const NONCE_WINDOW: Duration = Duration::from_secs(60);

/// Posts to channels as the bot.
pub(super) struct Channel {
    client: Client,
}

impl Channel {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Tries to send `message`. One that may have been posted, so long ago that its nonce may be forgotten, is looked
    /// for first.
    pub(super) async fn send(
        &self,
        context: &Context,
        sink: &Sink,
        message: &mut Message,
    ) -> Result<Attempt> {
        let Sink::Channel(channel) = *sink;
        let body = compose(context, message).await?;
        if self.may_be_forgotten(context, message)
            && let Some(found) = self.look_for(context, channel, message, &body).await?
        {
            return Ok(found);
        }
        Ok(match message.action {
            Action::Create => self.client.create_message(channel, &message.nonce, &body).await,
            Action::Edit { channel, message } => self.client.edit_message(channel, message, &body).await,
        })
    }

    /// Whether Discord may have posted it and forgotten its nonce. A change is simply made again.
    fn may_be_forgotten(&self, context: &Context, message: &Message) -> bool {
        message.action == Action::Create
            && message.ambiguous_since.is_some_and(|since| context.clock.now().since(since) > NONCE_WINDOW)
    }

    async fn look_for(
        &self,
        context: &Context,
        channel: Snowflake,
        message: &mut Message,
        body: &Body,
    ) -> Result<Option<Attempt>> {
        let (started_at, began) = (context.clock.now(), context.clock.elapsed());
        let traces = Traces {
            nonce: message.nonce.as_str(),
            // What has no embed is known by its words.
            content: body.embeds.is_empty().then_some(body.content.as_str()),
            footer: body.embeds.first().map(|embed| embed.footer.text.as_str()),
        };
        match self.client.find_message(channel, &traces, message.created_at).await {
            Ok(found) => Ok(found.map(|id| Attempt {
                started_at,
                took: context.clock.elapsed().saturating_sub(began),
                status: Some(200),
                code: None,
                response: Vec::new(),
                shared_limit: false,
                cooldown: Duration::ZERO,
                outcome: Outcome::Sent(Receipt { channel, message: Some(id) }),
            })),
            Err(failure) => {
                tracing::warn!(
                    message.id = %message.id,
                    "the channel could not be read to see whether a message had arrived: {failure}. It is sent again and may stand twice"
                );
                Ok(None)
            }
        }
    }
}
