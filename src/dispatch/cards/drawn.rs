//! Draws the card of a group of deliveries, once, with what the table records of it when it is in Discord.

use crate::dispatch::Context;
use crate::dispatch::cards::draw::{draw, guarded};
use crate::dispatch::cards::group::CardGroup;
use crate::model::{CardLifetime, CardState, Event, EventId, Message, Tag, closes, fold};
use crate::render::{self, Card};
use crate::store::{CardOf, Result};

/// How many events of a subject are folded into its card: the newest ones.
pub(super) const FOLDED: u32 = 100;

/// Which events a card covers.
#[derive(Clone, Copy, Debug)]
pub(super) enum CardSpan {
    /// A new card: those of its subject, or the repeats since the first one that it carries.
    New,
    /// A card that is edited: those since this one.
    Since(EventId),
    /// A card whose subject has moved to another message: what it carried.
    Left,
}

/// A drawn card.
pub(super) struct DrawnCard {
    pub(super) card: Card,
    /// What it shows of its subject; `None` if no later event edits it here.
    pub(super) shown: Option<CardState>,
    /// The tags that its footer may carry.
    pub(super) tags: Vec<Tag>,
    /// The events that it covers.
    pub(super) events: Vec<Event>,
}

/// Draws the card of `group`, whose first event is `first`.
pub(super) async fn draw_group(
    context: &Context,
    message: &Message,
    group: &CardGroup,
    first: &Event,
    place: usize,
    span: CardSpan,
) -> Result<DrawnCard> {
    let mut drawn = match group.lifetime {
        CardLifetime::PerEvent => {
            DrawnCard { card: draw(context, first), shown: None, tags: Vec::new(), events: Vec::new() }
        }
        CardLifetime::PerSubject | CardLifetime::FoldRepeats => {
            living(context, message, group, first, place, span).await?
        }
    };
    drawn.card = drawn.card.redelivered(group.redelivered);
    drawn.tags.extend(drawn.card.tag());
    Ok(drawn)
}

/// Draws a card that may cover several events.
async fn living(
    context: &Context,
    message: &Message,
    group: &CardGroup,
    event: &Event,
    place: usize,
    span: CardSpan,
) -> Result<DrawnCard> {
    let (store, destination) = (&context.store, message.destination_id);
    let repeats = group.lifetime == CardLifetime::FoldRepeats;
    let (source, subject) = (group.source, group.subject.as_str());
    let first_here = group.events.iter().map(|event| event.id).min();
    let since = match span {
        CardSpan::New => first_here.filter(|_| repeats),
        CardSpan::Since(since) => Some(since),
        CardSpan::Left => None,
    };
    let mut events = match (span, since.filter(|_| repeats)) {
        (CardSpan::Left, _) => group.events.clone(),
        (_, Some(since)) => store.repeats(destination, source, subject, since, FOLDED).await?,
        (_, None) => store.shown_events(destination, source, subject, FOLDED).await?,
    };
    if events.is_empty() {
        events.clone_from(&group.events);
    }
    let times = match since.filter(|_| repeats) {
        Some(since) => store.times_shown(destination, source, subject, since).await?,
        None => events.len() as u64,
    };
    let worst = events.iter().map(Event::severity).max().flatten();
    let telling: Vec<Event> =
        events.iter().filter(|event| !repeats || event.severity() == worst).cloned().collect();
    let first = events.iter().min_by_key(|event| event.id).unwrap_or(event);
    let now = fold(&telling).unwrap_or_else(|| event.clone());
    let shown = (!matches!(span, CardSpan::Left)).then(|| CardState {
        source,
        subject: subject.to_owned(),
        place,
        since: since.unwrap_or(first.id),
        state: worst.filter(|_| repeats).map(|worst| worst.as_str().to_owned()).unwrap_or_default(),
        state_at: now.occurred_at,
        closed: closes(&now),
    });
    let card = guarded(context, &now, |view| render::living(&now, times, first, view));
    // An earlier composition may have shown fewer events, but none older than those it carried.
    let newer = events.iter().filter(|event| Some(event.id) >= first_here);
    let tags = newer.map(|event| Tag::new(event.id.short(), group.redelivered)).collect();
    Ok(DrawnCard { card, shown, tags, events })
}

/// Adds buttons to a card that is alone in its message, unless its subject is settled. What became of clicks is shown
/// either way.
pub(super) async fn buttons(
    context: &Context,
    message: &Message,
    first: &Event,
    shown: Option<&CardState>,
    card: Card,
) -> Result<Card> {
    let is_closed = shown.map_or_else(|| closes(first), |shown| shown.closed);
    let since = shown.map_or(first.id, |shown| shown.since);
    let of = CardOf { destination: message.destination_id, since };
    let has_none = is_closed || message.no_buttons.is_some();
    let mut asked = context.hub.decision_context(first, &of, has_none).await?;
    asked.no_buttons = asked.no_buttons.filter(|_| !has_none);
    let card = render::with_buttons(card, &asked);
    Ok(if has_none { Card { buttons: None, ..card } } else { card })
}
