//! What a planned message says: its deliveries → cards, each with what it shows of which subject.
//!
//! A message is composed anew for every try, from what the table says: after a crash it comes out the same, or newer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dispatch::Context;
use crate::dispatch::plan::{lives, load};
use crate::model::{Action, Delivery, Event, Links, LivingCard, Message, Shown, closes, fold};
use crate::render::{self, Card, View};
use crate::store::Result;

/// How many events of a subject are folded into its card: the newest.
const FOLDED: u32 = 100;

/// A message, composed.
pub(super) struct Composed {
    /// Its cards, in order.
    pub(super) cards: Vec<Card>,
    /// What they show of which subject.
    pub(super) shows: Vec<Shown>,
    /// The card that cannot be changed any more, whose place the first one takes.
    pub(super) replaces: Option<LivingCard>,
}

/// The deliveries of one card.
struct Group {
    events: Vec<Event>,
    living: bool,
}

/// Composes `message`.
pub(super) async fn compose(context: &Context, links: &Links, message: &mut Message) -> Result<Composed> {
    let groups = match message.action {
        Action::Create => group(context, &mut message.deliveries).await?,
        Action::Edit { .. } => {
            let mut carried = carried(context, message).await?;
            group(context, if carried.is_empty() { &mut message.deliveries } else { &mut carried }).await?
        }
    };
    let mut composed = Composed { cards: Vec::new(), shows: Vec::new(), replaces: None };
    for (place, group) in groups.into_iter().enumerate() {
        let first = group.events.first();
        if let Some(first) = first.filter(|_| group.living) {
            let destination = message.destination_id;
            let card = context.store.card(destination, first.source, &first.subject).await?;
            if place == 0 {
                composed.replaces = card.filter(|card| card.frozen && message.action == Action::Create);
            }
            let events =
                context.store.shown_events(destination, first.source, &first.subject, None, FOLDED).await?;
            let events = if events.is_empty() { group.events } else { events };
            let Some(now) = fold(&events) else { continue };
            composed.shows.push(Shown {
                source: now.source,
                subject: now.subject.clone(),
                place,
                since: events.iter().map(|event| event.id).min().unwrap_or(now.id),
                state: String::new(),
                state_at: now.occurred_at,
                closed: closes(&now),
            });
            composed.cards.push(draw(context, links, &now));
        } else if let Some(event) = first {
            composed.cards.push(draw(context, links, event));
        }
    }
    Ok(composed)
}

/// The deliveries that the message to be changed carried when it was posted.
async fn carried(context: &Context, edit: &mut Message) -> Result<Vec<Delivery>> {
    let Some(delivery) = edit.deliveries.first_mut() else { return Ok(Vec::new()) };
    let event = load(&context.store, delivery).await?;
    match context.store.card(edit.destination_id, event.source, &event.subject).await? {
        Some(card) => context.store.carried(card.message_id).await,
        None => Ok(Vec::new()),
    }
}

/// Puts deliveries that share a card together, in the order of the first of each.
async fn group(context: &Context, deliveries: &mut [Delivery]) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for delivery in deliveries {
        let event = load(&context.store, delivery).await?.as_ref().clone();
        let living = lives(context, &event, &delivery.route);
        let same = groups.iter_mut().find(|group| {
            living
                && group.living
                && group
                    .events
                    .first()
                    .is_some_and(|first| (first.source, &first.subject) == (event.source, &event.subject))
        });
        match same {
            Some(group) => group.events.push(event),
            None => groups.push(Group { events: vec![event], living }),
        }
    }
    Ok(groups)
}

/// The card of an event. One that cannot be rendered still says what it is.
fn draw(context: &Context, links: &Links, event: &Event) -> Card {
    let name = context.hub.company_name(event);
    let view = View { company_name: name.as_deref(), links };
    catch_unwind(AssertUnwindSafe(|| render::card(event, &view))).unwrap_or_else(|_| {
        tracing::error!(event.id = %event.id, "the card of a {} could not be made: please report this", event.kind);
        render::unreadable(event)
    })
}
