//! What a lane sends next: deliveries → a planned message. Nothing is composed here and nothing leaves.
//!
//! Whether a card is posted or changed, and whom it pings, is decided once, and written down with the message before
//! it leaves.

use std::sync::Arc;
use std::time::Duration;

use crate::dispatch::Context;
use crate::model::route::Cards;
use crate::model::{Action, Delivery, Event, Form, Message, MessageId, Nonce};
use crate::store::{Error, Result, Store};

/// A subject pings at most once in this span.
const PING_AGAIN: Duration = Duration::from_secs(600);

/// Plans a message for one delivery: a new card, or the change of the one that shows its subject already.
pub(super) async fn plan(context: &Context, mut delivery: Delivery) -> Result<Message> {
    let event = load(&context.store, &mut delivery).await?;
    let destination_id = delivery.destination_id;
    let card = if lives(context, &event, &delivery.route) {
        context.store.card(destination_id, event.source, &event.subject).await?
    } else {
        None
    };
    let action = match card.filter(|card| !card.frozen) {
        Some(card) => Action::Edit { channel: card.channel, message: card.message },
        None => Action::Create,
    };
    let now = context.clock.now();
    let mut pings = context.hub.pings(&event, &delivery.route);
    // A changed message notifies nobody.
    let silent = matches!(action, Action::Edit { .. });
    if silent
        || !pings.is_empty()
            && context.store.pinged_since(destination_id, &event, now.minus(PING_AGAIN)).await?
    {
        pings.clear();
    }
    Ok(Message {
        id: MessageId::new(),
        destination_id,
        nonce: Nonce::random(),
        action,
        form: Form::Single,
        pings,
        deliveries: vec![delivery],
        shows: Vec::new(),
        created_at: now,
        attempts: 0,
        ambiguous_since: None,
        maybe_duplicate: false,
    })
}

/// Whether events of this kind share one card in a place that `route` leads to.
pub(super) fn lives(context: &Context, event: &Event, route: &str) -> bool {
    let cards = context.hub.cards(route).unwrap_or(context.composition.cards);
    let family = event.subject.split(':').next().unwrap_or_default();
    cards == Cards::Living && ["ticket", "asset", "machine"].contains(&family)
}

/// The event of a delivery, from memory or from disk.
pub(super) async fn load(store: &Store, delivery: &mut Delivery) -> Result<Arc<Event>> {
    if let Some(event) = &delivery.event {
        return Ok(Arc::clone(event));
    }
    let event = store.event(delivery.event_id).await?;
    let event = event
        .ok_or_else(|| Error::Corrupt(format!("a delivery of {}, which is not there", delivery.event_id)))?;
    Ok(Arc::clone(delivery.event.insert(Arc::new(event))))
}
