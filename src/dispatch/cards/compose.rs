//! Message composition: a planned message's deliveries → cards, with what each card shows of which subject.
//!
//! A message is composed anew for every try, from the current table: after a crash the result is equal or newer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::clock::SteadyTime;
use crate::dispatch::Context;
use crate::dispatch::cards::decision;
use crate::dispatch::cards::draw::{draw, guarded};
use crate::dispatch::cards::lifetime::lifetime;
use crate::dispatch::cards::load::load;
use crate::model::{
    Action, CardLifetime, CardState, Delivery, Event, EventHeader, EventId, Form, LivingCard, Message,
    MessageId, Snowflake, Source, Tag, closes, fold,
};
use crate::render::{self, AllowedMentions, Body, Card, Digest, Markdown, Reference, View};
use crate::store::{CardOf, Result};

/// How many events of a subject are folded into its card: the newest ones.
const FOLDED: u32 = 100;

/// Composes `message`: returns its body, and records in `message` what it shows and what must follow.
pub(in crate::dispatch) async fn compose(context: &Context, message: &mut Message) -> Result<Body> {
    let Action::Edit { channel, message: changed } = message.action else {
        return draw_all(context, message).await;
    };
    // Roles that the card pinged stay named; they are not pinged again.
    let named = context.store.named_in(channel, changed).await?;
    let pings = std::mem::replace(&mut message.pings, named);
    let body = draw_all(context, message).await;
    message.pings = pings;
    Ok(Body { allowed_mentions: AllowedMentions { parse: [], roles: Vec::new() }, ..body? })
}

/// Draws the body as for a new post.
async fn draw_all(context: &Context, message: &mut Message) -> Result<Body> {
    if let Some((card, replaces)) = decision::compose(context, message).await? {
        let card = card.redelivered(decision::redelivered(context, message).await?);
        message.tags = vec![card.tag().into_iter().collect()];
        let card = if message.maybe_duplicate { card.mark_possible_duplicate() } else { card };
        let (cards, pings) = ([card], &message.pings);
        let body = match message.form {
            Form::Plain => render::plain(&cards, pings),
            _ => render::message(&cards, pings),
        };
        return Ok(Body { message_reference: replaces.map(Reference::to), ..body });
    }
    match message.form {
        Form::Digest => {
            let digest = digest(context, message).await?;
            let age = |at: Option<SteadyTime>| at.map(|at| context.clock.age(at)).unwrap_or_default();
            let late = Some(age(digest.oldest())).filter(|age| render::is_late(*age));
            let card = digest.card(message.id, late.map(|age| (age, message.late.as_deref())));
            message.tags = vec![card.tag().into_iter().collect()];
            let card = if message.maybe_duplicate { card.mark_possible_duplicate() } else { card };
            let quiet = render::is_late(age(digest.newest()));
            Ok(render::message(&[card], if quiet { &[] } else { &message.pings }))
        }
        Form::Reply => lines(context, message).await,
        Form::Single | Form::Pack => {
            let CardContent { cards, replaces, pings } = cards(context, message).await?;
            Ok(Body { message_reference: replaces.map(Reference::to), ..render::message(&cards, &pings) })
        }
        Form::Plain => {
            let CardContent { cards, replaces, pings } = cards(context, message).await?;
            Ok(Body { message_reference: replaces.map(Reference::to), ..render::plain(&cards, &pings) })
        }
    }
}

/// The deliveries that share one card.
struct CardGroup {
    /// In order; at least one.
    events: Vec<Event>,
    source: Source,
    subject: String,
    first: Delivery,
    lifetime: CardLifetime,
    /// How often one of them was redelivered: the highest count.
    redelivered: u32,
}

/// The content of a message with cards.
struct CardContent {
    cards: Vec<Card>,
    /// The Discord message that the first card replaces.
    replaces: Option<Snowflake>,
    /// The roles to ping: late events ping no role.
    pings: Vec<Snowflake>,
}

async fn cards(context: &Context, message: &mut Message) -> Result<CardContent> {
    for delivery in &mut message.deliveries {
        load(&context.store, delivery).await?;
    }
    let base = base(context, message).await?;
    let groups = match base {
        Some(base) => group(context, context.store.carried(base).await?).await?,
        None => group(context, message.deliveries.clone()).await?,
    };
    let edited = message.deliveries.first().and_then(|delivery| delivery.event.clone());
    let (mut cards, mut replaces) = (Vec::new(), None);
    let (mut any_late, mut in_time) = (false, Vec::new());
    message.shows.clear();
    message.replies.clear();
    message.tags.clear();
    for (place, group) in groups.iter().enumerate() {
        let Some(first) = group.events.first() else { continue };
        let target = edited.as_ref().is_some_and(|event| event.subject == first.subject);
        let carrier = if base.is_some() && target { message.deliveries.first() } else { Some(&group.first) };
        let carrier = carrier.filter(|_| base.is_none() || target);
        let age = carrier.map(|delivery| delivery.age(&context.clock)).unwrap_or_default();
        match render::is_late(age) {
            true => any_late = true,
            false => in_time.extend(context.hub.pings(first, &group.first.route)),
        }
        let mut may_show = Vec::new();
        let card = match group.lifetime {
            CardLifetime::PerEvent => draw(context, first),
            CardLifetime::PerSubject | CardLifetime::FoldRepeats => {
                let current =
                    context.store.card(message.destination_id, first.source, &first.subject).await?;
                if place == 0 && base.is_none() {
                    replaces = current.as_ref().filter(|card| card.frozen).map(|card| card.message);
                }
                let (card, shown, events) =
                    living(context, message, group, first, place, current.as_ref(), base).await?;
                message.shows.extend(shown);
                let tells = !message.deliveries.iter().any(Delivery::redraws);
                if base.is_some() && target && group.lifetime == CardLifetime::PerSubject && tells {
                    message.replies = answer(context, &message.deliveries, &events).into_iter().collect();
                }
                // An earlier composition may have shown fewer events, but none older than those it carried.
                let oldest = group.events.iter().map(|event| event.id).min();
                let newer = events.iter().filter(|event| Some(event.id) >= oldest);
                may_show.extend(newer.map(|event| Tag::new(event.id.short(), group.redelivered)));
                card
            }
        };
        let card = card.redelivered(group.redelivered);
        may_show.extend(card.tag());
        message.tags.push(may_show);
        let card = match groups.len() {
            1 => with_buttons(context, message, first, card).await?,
            _ => card,
        };
        cards.push(render::late(card, age, message.late.as_deref()));
    }
    if message.maybe_duplicate {
        cards = cards.into_iter().map(Card::mark_possible_duplicate).collect();
    }
    // An edited message keeps the roles that it names.
    let all = !any_late || message.action != Action::Create;
    let pings = message.pings.iter().filter(|role| all || in_time.contains(role)).copied().collect();
    Ok(CardContent { cards, replaces, pings })
}

/// Adds buttons to a card that is alone in its message, unless its subject is settled. What became of clicks is shown
/// either way.
async fn with_buttons(context: &Context, message: &Message, first: &Event, card: Card) -> Result<Card> {
    let shown = message.shows.last();
    let is_closed = shown.map_or_else(|| closes(first), |shown| shown.closed);
    let since = shown.map_or(first.id, |shown| shown.since);
    let of = CardOf { destination: message.destination_id, since };
    let has_none = is_closed || message.no_buttons.is_some();
    let mut asked = context.hub.decision_context(first, &of, has_none).await?;
    asked.no_buttons = asked.no_buttons.filter(|_| !has_none);
    let card = render::with_buttons(card, &asked);
    Ok(if has_none { Card { buttons: None, ..card } } else { card })
}

/// The message that created the card which `message` edits.
async fn base(context: &Context, message: &Message) -> Result<Option<MessageId>> {
    if message.action == Action::Create {
        return Ok(None);
    }
    let Some(event) = message.deliveries.first().and_then(|delivery| delivery.event.as_ref()) else {
        return Ok(None);
    };
    let card = context.store.card(message.destination_id, event.source, &event.subject).await?;
    Ok(card.map(|card| card.message_id))
}

/// Draws a card that may cover several events. Returns the card, what it shows, and the events.
async fn living(
    context: &Context,
    message: &Message,
    group: &CardGroup,
    event: &Event,
    place: usize,
    current: Option<&LivingCard>,
    base: Option<MessageId>,
) -> Result<(Card, Option<CardState>, Vec<Event>)> {
    let store = &context.store;
    let (destination, repeats) = (message.destination_id, group.lifetime == CardLifetime::FoldRepeats);
    let (source, subject) = (group.source, group.subject.as_str());
    let first_here = group.events.iter().map(|event| event.id).min();
    // A card of this subject that moved to another message leaves here what it showed at that time.
    let ours = base.is_none() || current.is_some_and(|card| Some(card.message_id) == base);
    let since = match current.filter(|_| base.is_some() && ours) {
        Some(card) => Some(card.shown.since),
        None => first_here.filter(|_| repeats),
    };
    let mut events = match since.filter(|_| repeats) {
        _ if !ours => group.events.clone(),
        Some(since) => store.repeats(destination, source, subject, since, FOLDED).await?,
        None => store.shown_events(destination, source, subject, FOLDED).await?,
    };
    if events.is_empty() {
        events.clone_from(&group.events);
    }
    let times = match since.filter(|_| repeats && ours) {
        Some(since) => store.times_shown(destination, source, subject, since).await?,
        None => events.len() as u64,
    };
    let worst = events.iter().map(Event::severity).max().flatten();
    let telling: Vec<Event> =
        events.iter().filter(|event| !repeats || event.severity() == worst).cloned().collect();
    let first = events.iter().min_by_key(|event| event.id).unwrap_or(event);
    let now = fold(&telling).unwrap_or_else(|| event.clone());
    let shown = ours.then(|| CardState {
        source,
        subject: subject.to_owned(),
        place,
        since: since.unwrap_or(first.id),
        state: worst.filter(|_| repeats).map(|worst| worst.as_str().to_owned()).unwrap_or_default(),
        state_at: now.occurred_at,
        closed: closes(&now),
    });
    let card = guarded(context, &now, |view| render::living(&now, times, first, view));
    Ok((card, shown, events))
}

/// The delivery of the one-line reply that is due after `deliveries` have edited the card.
fn answer(context: &Context, deliveries: &[Delivery], events: &[Event]) -> Option<Delivery> {
    let first = deliveries.iter().map(|delivery| delivery.event_id).min()?;
    let last = deliveries.iter().max_by_key(|delivery| delivery.event_id)?;
    line(context, events, first, last.event_id)?;
    Some(last.reply(first))
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

/// Composes a message of one-line replies; a single line replies to its card.
async fn lines(context: &Context, message: &mut Message) -> Result<Body> {
    let destination = message.destination_id;
    let (mut lines, mut answered) = (Vec::new(), Vec::new());
    for delivery in &mut message.deliveries {
        let event = load(&context.store, delivery).await?;
        let events = context.store.shown_events(destination, event.source, &event.subject, FOLDED).await?;
        let first = delivery.replies_from().unwrap_or(event.id);
        // A user may have changed what is shown in the meantime: then the line is the event's own summary.
        lines.push(line(context, &events, first, event.id).unwrap_or_else(|| draw(context, &event).summary));
        answered.extend(context.store.card(destination, event.source, &event.subject).await?);
    }
    answered.dedup_by_key(|card| card.message);
    let answers = match &answered[..] {
        [card] => Some(Reference::to(card.message)),
        _ => None,
    };
    if message.maybe_duplicate {
        lines.insert(0, render::mark_possible_duplicate());
    }
    Ok(Body { message_reference: answers, ..render::lines(&lines) })
}

/// Aggregates a digest's events.
async fn digest(context: &Context, message: &Message) -> Result<Digest> {
    let hub = context.hub.clone();
    let add = move |digest: &mut Digest, summand: &EventHeader| {
        digest.add(summand, hub.name_of(summand.source, &summand.company).as_deref());
    };
    let mut digest = context.store.fold_events(message.id, Digest::default(), add).await?;
    for id in digest.first().collect::<Vec<_>>() {
        let Some(event) = context.store.event(id).await? else { continue };
        let name = context.hub.company_name(&event);
        let view = View { company_name: name.as_deref(), links: &context.links, asked: None };
        if catch_unwind(AssertUnwindSafe(|| digest.tell(&event, &view))).is_err() {
            tracing::error!(event.id = %event.id, "a {} could not be listed in a digest: its line is missing there, and the event is kept. Please report this", event.kind);
        }
    }
    Ok(digest)
}

/// Groups deliveries that share a card, in the order of each group's first delivery.
async fn group(context: &Context, deliveries: Vec<Delivery>) -> Result<Vec<CardGroup>> {
    let mut groups: Vec<CardGroup> = Vec::new();
    for mut delivery in deliveries {
        let event = load(&context.store, &mut delivery).await?.as_ref().clone();
        let lifetime = lifetime(context, &event, &delivery.route);
        let same = groups.iter_mut().find(|group| {
            lifetime != CardLifetime::PerEvent
                && group.lifetime == lifetime
                && (group.source, &group.subject) == (event.source, &event.subject)
        });
        match same {
            Some(group) => {
                group.redelivered = group.redelivered.max(delivery.generation);
                group.events.push(event);
            }
            None => groups.push(CardGroup {
                source: event.source,
                subject: event.subject.clone(),
                events: vec![event],
                redelivered: delivery.generation,
                first: delivery,
                lifetime,
            }),
        }
    }
    Ok(groups)
}
