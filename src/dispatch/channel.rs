//! The channel sink: composes a message from its deliveries and posts it through the bot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::discord::Client;
use crate::hub::Hub;
use crate::model::{
    Attempt, Delivery, Event, Form, Links, Message, MessageId, Nonce, Outcome, Receipt, Sink, Snowflake,
};
use crate::render::{self, Body, Card, View};
use crate::store::{Error, Result, Store};

/// How long a nonce surely brings back the first message. Discord says "the past few minutes".
const NONCE_WINDOW: Duration = Duration::from_secs(60);
/// A subject pings at most once in this span.
const PING_AGAIN: Duration = Duration::from_secs(600);

/// Posts to channels as the bot.
pub(super) struct Channel {
    client: Client,
    hub: Hub,
    links: Links,
    clock: Clock,
}

impl Channel {
    pub(super) fn new(client: Client, hub: Hub, links: Links, clock: Clock) -> Self {
        Self { client, hub, links, clock }
    }

    /// Plans a message for one delivery: whom it pings is decided now, once.
    pub(super) async fn plan(&self, store: &Store, mut delivery: Delivery) -> Result<Message> {
        let event = load(store, &mut delivery).await?;
        let now = self.clock.now();
        let mut pings = self.hub.pings(&event, &delivery.route);
        if !pings.is_empty()
            && store.pinged_since(delivery.destination_id, &event, now.minus(PING_AGAIN)).await?
        {
            pings.clear();
        }
        Ok(Message {
            id: MessageId::new(),
            destination_id: delivery.destination_id,
            nonce: Nonce::random(),
            form: Form::Single,
            pings,
            deliveries: vec![delivery],
            created_at: now,
            attempts: 0,
            ambiguous_since: None,
        })
    }

    /// Tries to send `message`. One that may have arrived, so long ago that its nonce may be forgotten, is looked for
    /// first.
    pub(super) async fn send(&self, store: &Store, sink: &Sink, message: &mut Message) -> Result<Attempt> {
        let Sink::Channel(channel) = *sink else {
            return Err(Error::Corrupt("a message for no channel".to_owned()));
        };
        let mut events = Vec::with_capacity(message.deliveries.len());
        for delivery in &mut message.deliveries {
            events.push(load(store, delivery).await?);
        }
        let forgotten =
            message.ambiguous_since.is_some_and(|since| self.clock.now().since(since) > NONCE_WINDOW);
        if forgotten && let Some(found) = self.look_for(channel, message, &events).await {
            return Ok(found);
        }
        let cards: Vec<Card> = events.iter().map(|event| self.card(event)).collect();
        let body = self.body(message, &cards);
        Ok(self.client.create_message(channel, &message.nonce, &body).await)
    }

    async fn look_for(
        &self,
        channel: Snowflake,
        message: &Message,
        events: &[Arc<Event>],
    ) -> Option<Attempt> {
        let (started_at, began) = (self.clock.now(), self.clock.elapsed());
        let tag = events.first().map(|event| event.id.short()).unwrap_or_default();
        match self.client.find_message(channel, &message.nonce, &tag, message.created_at).await {
            Ok(found) => found.map(|id| Attempt {
                started_at,
                took: self.clock.elapsed().saturating_sub(began),
                status: Some(200),
                code: None,
                response: Vec::new(),
                shared_limit: false,
                cooldown: Duration::ZERO,
                outcome: Outcome::Sent(Receipt { channel, message: Some(id) }),
            }),
            Err(failure) => {
                tracing::warn!(
                    message.id = %message.id,
                    "the channel could not be read to see whether a message had arrived: {failure}. It is sent again and may stand twice"
                );
                None
            }
        }
    }

    /// The card of an event. One that cannot be rendered still says what it is.
    fn card(&self, event: &Event) -> Card {
        let name = self.hub.company_name(event);
        let view = View { company_name: name.as_deref(), links: &self.links, asked: None };
        catch_unwind(AssertUnwindSafe(|| render::card(event, &view))).unwrap_or_else(|_| {
            tracing::error!(event.id = %event.id, "the card of a {} could not be made: please report this", event.kind);
            render::unreadable(event)
        })
    }

    fn body(&self, message: &Message, cards: &[Card]) -> Body {
        match message.form {
            Form::Single => render::message(cards, &message.pings),
            Form::Plain => render::plain(cards, &message.pings),
        }
    }
}

/// The event of a delivery, from memory or from disk.
async fn load(store: &Store, delivery: &mut Delivery) -> Result<Arc<Event>> {
    if let Some(event) = &delivery.event {
        return Ok(Arc::clone(event));
    }
    let event = store.event(delivery.event_id).await?;
    let event = event
        .ok_or_else(|| Error::Corrupt(format!("a delivery of {}, which is not there", delivery.event_id)))?;
    Ok(Arc::clone(delivery.event.insert(Arc::new(event))))
}
