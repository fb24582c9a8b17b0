//! The channel sink: posts or changes a message through the bot.

use std::sync::Arc;
use std::time::Duration;

use crate::discord::Client;
use crate::dispatch::Context;
use crate::dispatch::compose::compose;
use crate::dispatch::plan::load;
use crate::model::{Action, Attempt, Event, Form, Links, Message, Outcome, Receipt, Sink, Snowflake};
use crate::render::{self, Body};
use crate::store::Result;

/// How long a nonce surely brings back the first message. Discord says "the past few minutes".
const NONCE_WINDOW: Duration = Duration::from_secs(60);

/// Posts to channels as the bot.
pub(super) struct Channel {
    client: Client,
    links: Links,
}

impl Channel {
    pub(super) const fn new(client: Client, links: Links) -> Self {
        Self { client, links }
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
        let composed = compose(context, &self.links, message).await?;
        message.shows = composed.shows;
        if self.may_be_forgotten(context, message)
            && let Some(found) = self.look_for(context, channel, message).await?
        {
            return Ok(found);
        }
        let mut body = match message.form {
            Form::Single => render::message(&composed.cards, &message.pings),
            Form::Plain => render::plain(&composed.cards, &message.pings),
        };
        Ok(match message.action {
            Action::Create => {
                body.message_reference = composed.replaces.map(|card| render::Reference::to(card.message));
                self.client.create_message(channel, &message.nonce, &body).await
            }
            Action::Edit { channel, message } => self.edit(channel, message, &body).await,
        })
    }

    async fn edit(&self, channel: Snowflake, message: Snowflake, body: &Body) -> Attempt {
        self.client.edit_message(channel, message, body).await
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
    ) -> Result<Option<Attempt>> {
        let (started_at, began) = (context.clock.now(), context.clock.elapsed());
        let event: Option<Arc<Event>> = match message.deliveries.first_mut() {
            Some(delivery) => Some(load(&context.store, delivery).await?),
            None => None,
        };
        let tag = event.map(|event| event.id.short()).unwrap_or_default();
        match self.client.find_message(channel, &message.nonce, &tag, message.created_at).await {
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
