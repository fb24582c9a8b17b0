//! The channel sink: composes a message from its deliveries and posts it through the bot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{Client, Failure, Look, Pass};
use crate::hub::Hub;
use crate::model::{
    Arrived, Attempt, Delivery, Event, Form, Links, Message, MessageId, Nonce, Outcome, Receipt, Sink,
    Snowflake,
};
use crate::render::{self, Body, Card, View};
use crate::store::{Error, Result, Store};

/// How long a nonce surely brings back the first message. Discord says "the past few minutes".
const NONCE_WINDOW: Duration = Duration::from_secs(60);
/// How often a channel is read before a message whose fate is unknown is sent again.
const LOOKS: u32 = 10;
/// How far Discord's clock and ours may be apart.
const SKEW: Duration = Duration::from_secs(30);
/// Discord: "Tried to perform an operation on an archived thread".
const ARCHIVED: u64 = 50083;
/// A subject pings at most once in this span.
const PING_AGAIN: Duration = Duration::from_secs(600);

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
            maybe_duplicate: false,
        })
    }

    /// Tries to send `message`. One that may have arrived, so long ago that its nonce may be forgotten, is looked for
    /// first; if that cannot be told, it is sent again and says that it may stand twice.
    pub(super) async fn send(
        &self,
        store: &Store,
        sink: &Sink,
        message: &mut Message,
        mut pass: Pass,
    ) -> Result<Attempt> {
        let Sink::Channel(channel) = *sink;
        let mut events = Vec::with_capacity(message.deliveries.len());
        for delivery in &mut message.deliveries {
            events.push(load(store, delivery).await?);
        }
        let forgotten =
            message.ambiguous_since.is_some_and(|since| self.clock.now().since(since) > NONCE_WINDOW);
        if forgotten {
            let tag = events.first().map(|event| event.id.short()).unwrap_or_default();
            match self.look_for(channel, message, &tag, pass).await {
                Looked::Settled(attempt) => return Ok(*attempt),
                Looked::Absent => {}
                Looked::Unclear => {
                    store.note_maybe_duplicate(message.id).await?;
                    message.maybe_duplicate = true;
                }
            }
            pass = self.client.gate().pass().await;
        }
        let mut cards: Vec<Card> = events.iter().map(|event| self.card(event)).collect();
        if message.maybe_duplicate {
            cards = cards.into_iter().map(Card::maybe_twice).collect();
        }
        let body = self.body(message, &cards);
        let mut attempt = self.client.create_message(channel, &message.nonce, &body).await;
        pass.report(&attempt);
        if attempt.code == Some(ARCHIVED) && self.opens(channel).await {
            attempt.outcome = Outcome::Retry { after: None, arrived: Arrived::No };
        }
        Ok(attempt)
    }

    /// Waits until a request may leave.
    pub(super) async fn pass(&self) -> Pass {
        self.client.gate().pass().await
    }

    /// How long the next message should wait for its bucket.
    pub(super) fn ready_in(&self, sink: &Sink) -> Duration {
        let Sink::Channel(channel) = *sink;
        self.client.ready_in(channel)
    }

    /// Whether an archived thread could be opened again.
    async fn opens(&self, thread: Snowflake) -> bool {
        let pass = self.client.gate().pass().await;
        self.client.unarchive(pass, thread).await.is_ok()
    }

    async fn look_for(&self, channel: Snowflake, message: &Message, tag: &str, pass: Pass) -> Looked {
        let (started_at, began) = (self.clock.now(), self.clock.elapsed());
        let attempt = |status, code, response: String, outcome| {
            Looked::Settled(Box::new(Attempt {
                started_at,
                took: self.clock.elapsed().saturating_sub(began),
                status,
                code,
                response: response.into_bytes(),
                shared_limit: false,
                cooldown: Duration::ZERO,
                outcome,
            }))
        };
        let looked = self.client.find_message(pass, channel, &message.nonce, tag, message.created_at).await;
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

    /// The card of an event. One that cannot be rendered still says what it is.
    fn card(&self, event: &Event) -> Card {
        let name = self.hub.company_name(event);
        let view = View { company_name: name.as_deref(), links: &self.links };
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
