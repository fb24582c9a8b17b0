//! One-line replies: after a card was edited, a line below it says what changed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dispatch::Context;
use crate::dispatch::cards::composed::{Composed, Content};
use crate::dispatch::cards::draw::draw;
use crate::dispatch::cards::drawn::FOLDED;
use crate::dispatch::cards::load::loaded;
use crate::model::{Delivery, Event, EventId, Message, fold};
use crate::render::{self, Markdown, View};
use crate::store::Result;

/// The delivery of the one-line reply that is due after `deliveries` have edited the card.
pub(super) fn after(context: &Context, deliveries: &[Delivery], events: &[Event]) -> Option<Delivery> {
    let first = deliveries.iter().map(|delivery| delivery.event_id).min()?;
    let last = deliveries.iter().max_by_key(|delivery| delivery.event_id)?;
    line(context, events, first, last.event_id)?;
    Some(last.reply(first))
}

/// Composes a message of one-line replies; a single line replies to its card.
pub(super) async fn compose(
    context: &Context,
    message: &Message,
    deliveries: &[Delivery],
) -> Result<Composed> {
    let destination = message.destination_id;
    let (mut lines, mut answered) = (Vec::new(), Vec::new());
    for delivery in deliveries {
        let event = loaded(delivery)?;
        let events = context.store.shown_events(destination, event.source, &event.subject, FOLDED).await?;
        let first = delivery.replies_from().unwrap_or(event.id);
        // A user may have changed what is shown in the meantime: then the line is the event's own summary.
        lines.push(line(context, &events, first, event.id).unwrap_or_else(|| draw(context, event).summary));
        answered.extend(context.store.card(destination, event.source, &event.subject).await?);
    }
    answered.dedup_by_key(|card| card.message);
    let answers = match &answered[..] {
        [card] => Some(card.message),
        _ => None,
    };
    Ok(Composed { answers, ..Composed::new(message, Content::Lines(lines)) })
}

/// One line that summarizes the changes from event `first` to `last`.
fn line(context: &Context, events: &[Event], first: EventId, last: EventId) -> Option<Markdown> {
    let until = |fits: &dyn Fn(EventId) -> bool| {
        fold(&events.iter().filter(|event| fits(event.id)).cloned().collect::<Vec<_>>())
    };
    let (before, after) = (until(&|id| id < first)?, until(&|id| id <= last)?);
    let changes: Vec<&Event> = events.iter().filter(|event| (first..=last).contains(&event.id)).collect();
    let name = context.hub.company_name(&after);
    let view = View { company_name: name.as_deref(), links: &context.links, asked: None };
    catch_unwind(AssertUnwindSafe(|| render::reply(&before, &after, &changes, &view))).unwrap_or_default()
}
