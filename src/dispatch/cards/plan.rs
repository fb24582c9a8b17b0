//! Message planning: which deliveries a lane sends next, as one planned message. Nothing is sent here.
//!
//! Whether a card is posted or edited, what shares its message, and which roles it pings is decided once, and stored
//! with the message before it is sent. Decisions are never packed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::clock::SteadyTime;
use crate::dispatch::Context;
use crate::dispatch::cards::decision::{self, CardAction};
use crate::dispatch::cards::draw::draw;
use crate::dispatch::cards::lifetime::lifetime;
use crate::dispatch::cards::load::load;
use crate::model::schedule::PING_AGAIN;
use crate::model::{
    Action, CardLifetime, Delivery, DeliveryId, DestinationId, Event, Form, LivingCard, Message, Priority,
    Severity, Slot, Snowflake,
};
use crate::render::{self, Card};
use crate::store::Result;

/// Maximum number of deliveries in a message: what one unit of the store touches.
const MOST: usize = 100;
/// Maximum number of one-line replies in a message.
const LINES: usize = 10;

/// A lane's in-memory queue of waiting deliveries, in sending order.
pub(in crate::dispatch) type Queue = BTreeMap<(Priority, DeliveryId), Delivery>;

/// The state of a lane that its planning depends on.
#[derive(Clone, Copy)]
pub(in crate::dispatch) struct Pressure<'a> {
    /// Whether several cards may share a message.
    pub(in crate::dispatch) pack: bool,
    /// Whether the table holds more than the queue.
    pub(in crate::dispatch) more: bool,
    /// Deliveries that were refused as part of a group, and are sent alone.
    pub(in crate::dispatch) alone: &'a HashSet<DeliveryId>,
}

/// Plans the next message from `queue`, starting at the first delivery of priority `turn` or lower; `None` if there is
/// none.
pub(in crate::dispatch) async fn next(
    context: &Context,
    destination: DestinationId,
    queue: &mut Queue,
    turn: Priority,
    pressure: Pressure<'_>,
) -> Result<Option<Message>> {
    let Some(mut head) = head(queue, turn).and_then(|key| queue.remove(&key)) else { return Ok(None) };
    let now = context.clock.moment();
    if head.replies_from().is_some() {
        let mut message = Message::new(destination, Action::Create, Form::Reply, now);
        message.deliveries = if pressure.pack { lines_behind(queue, head) } else { vec![head] };
        return Ok(Some(message));
    }
    if head.redraws() {
        return redraw(context, destination, head).await;
    }
    let event = load(&context.store, &mut head).await?;
    let card_action = decision::card_action(context, destination, &event).await?;
    if let Some(action) = card_action.action() {
        let mut message = Message::new(destination, action, Form::Single, now);
        if action == Action::Create {
            message.pings = pings(context, &head, &event, now.steady, false).await?;
        }
        message.deliveries.push(head);
        return Ok(Some(message));
    }
    if matches!(card_action, CardAction::Nothing) {
        context.store.drop_delivery(&head, "there is no card to change").await?;
        context.hub.progressed();
        return Ok(None);
    }
    decision::substitute_asking_event(context, &mut head, &event).await?;
    let event = load(&context.store, &mut head).await?;
    let lifetime = lifetime(context, &event, &head.route);
    let card = current_card(context, destination, &event, lifetime).await?;
    // A redelivery that an operator requested gets a message of its own.
    let editable =
        card.clone().filter(|card| head.generation == 0 && changes(context, card, &event, lifetime));
    let broke_out = editable.is_none() && card.is_some_and(|card| severity(&event) > severity_of(&card));
    let action = editable
        .as_ref()
        .map_or(Action::Create, |card| Action::Edit { channel: card.channel, message: card.message });
    let mut message = Message::new(destination, action, Form::Single, now);
    let mut wishes = vec![pings(context, &head, &event, now.steady, broke_out).await?];
    let alone = pressure.alone.contains(&head.id);
    message.deliveries.push(head);
    if lifetime != CardLifetime::PerEvent && !alone {
        let fits = |other: &Event| match (lifetime, &editable) {
            (CardLifetime::FoldRepeats, Some(card)) => changes(context, card, other, lifetime),
            (CardLifetime::FoldRepeats, None) => {
                severity(other) <= severity(&event) && in_window(context, &event, other)
            }
            _ => true,
        };
        take_same(context, queue, &mut message, &event, pressure, fits).await?;
    }
    if pressure.pack && action == Action::Create && !alone {
        wishes.extend(fill(context, queue, &mut message, &event, pressure).await?);
    }
    // An edited message notifies no member.
    if action == Action::Create {
        for role in wishes.into_iter().flatten() {
            if !message.pings.contains(&role) {
                message.pings.push(role);
            }
        }
    }
    Ok(Some(message))
}

/// The first delivery in `queue` of priority `turn` or lower.
pub(in crate::dispatch) fn head(queue: &Queue, turn: Priority) -> Option<(Priority, DeliveryId)> {
    queue.range((turn, DeliveryId::earliest(SteadyTime::default()))..).next().map(|(key, _)| *key)
}

/// Plans the edit of a card whose newer events are in a digest; `None` if the card no longer exists.
async fn redraw(
    context: &Context,
    destination: DestinationId,
    mut head: Delivery,
) -> Result<Option<Message>> {
    let event = load(&context.store, &mut head).await?;
    let lifetime = lifetime(context, &event, &head.route);
    let card = current_card(context, destination, &event, lifetime).await?;
    let Some(card) = card.filter(|card| lifetime == CardLifetime::PerSubject && !card.frozen) else {
        context.store.drop_delivery(&head, "there is no card to change").await?;
        context.hub.progressed();
        return Ok(None);
    };
    let action = Action::Edit { channel: card.channel, message: card.message };
    let mut message = Message::new(destination, action, Form::Single, context.clock.moment());
    message.deliveries.push(head);
    Ok(Some(message))
}

async fn current_card(
    context: &Context,
    destination: DestinationId,
    event: &Event,
    lifetime: CardLifetime,
) -> Result<Option<LivingCard>> {
    if lifetime == CardLifetime::PerEvent {
        return Ok(None);
    }
    context.store.card(destination, event.source, &event.subject).await
}

/// Whether `event` edits `card` instead of getting a new card.
fn changes(context: &Context, card: &LivingCard, event: &Event, lifetime: CardLifetime) -> bool {
    let repeats = || {
        let age = event.id.minted_at().since(card.shown.since.minted_at());
        age <= context.composition.fold_repeats && severity(event) <= severity_of(card)
    };
    !card.frozen && (lifetime == CardLifetime::PerSubject || repeats())
}

fn in_window(context: &Context, first: &Event, other: &Event) -> bool {
    other.id.minted_at().since(first.id.minted_at()) <= context.composition.fold_repeats
}

fn severity(event: &Event) -> Option<Severity> {
    event.severity()
}

fn severity_of(card: &LivingCard) -> Option<Severity> {
    Severity::from_word(&card.shown.state)
}

/// The roles that a delivery pings with a new card: none if it is late, or if its subject pinged recently and has not
/// become worse since.
async fn pings(
    context: &Context,
    delivery: &Delivery,
    event: &Event,
    now: SteadyTime,
    worse: bool,
) -> Result<Vec<Snowflake>> {
    let pings = context.hub.pings(event, &delivery.route);
    let quiet = render::is_late(delivery.age(&context.clock))
        || (!worse
            && !pings.is_empty()
            && context.store.pinged_since(delivery.destination_id, event, now.minus(PING_AGAIN)).await?);
    Ok(if quiet { Vec::new() } else { pings })
}

/// Removes from the queue the one-line replies that wait behind `head`, and returns them with it.
fn lines_behind(queue: &mut Queue, head: Delivery) -> Vec<Delivery> {
    let priority = head.priority;
    let keys: Vec<_> = queue
        .iter()
        .filter(|((other, _), delivery)| *other == priority && delivery.replies_from().is_some())
        .map(|(key, _)| *key)
        .take(LINES - 1)
        .collect();
    std::iter::once(head).chain(keys.iter().filter_map(|key| queue.remove(key))).collect()
}

/// Moves the deliveries about the same subject into `message`: from the queue, and from the table if that holds more.
async fn take_same(
    context: &Context,
    queue: &mut Queue,
    message: &mut Message,
    event: &Event,
    pressure: Pressure<'_>,
    fits: impl Fn(&Event) -> bool,
) -> Result<()> {
    let priority = message.deliveries.first().map(|head| head.priority);
    let mut keys = Vec::new();
    for (key, delivery) in queue.iter_mut().filter(|((other, _), _)| Some(*other) == priority) {
        if delivery.slot == Slot::Card && delivery.generation == 0 && !pressure.alone.contains(&delivery.id) {
            let other = load(&context.store, delivery).await?;
            if same(&other, event) && fits(&other) {
                keys.push(*key);
            }
        }
    }
    let room = MOST - message.deliveries.len();
    message.deliveries.extend(keys.iter().take(room).filter_map(|key| queue.remove(key)));
    if pressure.more && message.deliveries.len() > 1 {
        let waiting = context.store.waiting_about(message.destination_id, event, MOST as u32).await?;
        for mut delivery in waiting {
            let known = message.deliveries.iter().any(|other| other.id == delivery.id)
                || queue.contains_key(&(delivery.priority, delivery.id));
            if known
                || delivery.generation > 0
                || Some(delivery.priority) != priority
                || message.deliveries.len() == MOST
            {
                continue;
            }
            if fits(&*load(&context.store, &mut delivery).await?) {
                message.deliveries.push(delivery);
            }
        }
    }
    Ok(())
}

/// Packs the cards that wait behind the first one, in order, while there is room. Returns the roles that they ping.
async fn fill(
    context: &Context,
    queue: &mut Queue,
    message: &mut Message,
    first: &Event,
    pressure: Pressure<'_>,
) -> Result<Vec<Vec<Snowflake>>> {
    let mut cards: Vec<Card> = vec![draw(context, first)];
    let mut events: Vec<Arc<Event>> = Vec::new();
    let (mut taken, mut wishes) = (Vec::new(), Vec::new());
    let priority = message.deliveries.first().map(|head| head.priority);
    for (key, delivery) in queue.iter_mut().filter(|((other, _), _)| Some(*other) == priority) {
        if delivery.slot != Slot::Card || pressure.alone.contains(&delivery.id) {
            continue;
        }
        let event = load(&context.store, delivery).await?;
        if decision::may_decide(&event) {
            // Its card is sent alone, or it closes one that is.
            continue;
        }
        let lifetime = lifetime(context, &event, &delivery.route);
        let current = current_card(context, message.destination_id, &event, lifetime).await?;
        if delivery.generation == 0 && current.is_some_and(|card| changes(context, &card, &event, lifetime)) {
            continue;
        }
        let known = lifetime != CardLifetime::PerEvent
            && (same(first, &event) || events.iter().any(|other| same(other, &event)));
        if known && lifetime == CardLifetime::FoldRepeats {
            // Whether it folds into that card is decided at its turn.
            continue;
        }
        if !known {
            cards.push(draw(context, &event));
            if render::pack(&cards) < cards.len() {
                break;
            }
            wishes.push(pings(context, delivery, &event, message.planned_at, false).await?);
            events.push(event);
        }
        taken.push(*key);
        if taken.len() + message.deliveries.len() == MOST {
            break;
        }
    }
    if !taken.is_empty() {
        message.form = Form::Pack;
        message.deliveries.extend(taken.iter().filter_map(|key| queue.remove(key)));
    }
    Ok(wishes)
}

fn same(one: &Event, other: &Event) -> bool {
    (one.source, &one.subject) == (other.source, &other.subject)
}
