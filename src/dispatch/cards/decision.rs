//! Decision cards: which card a delivery about a decision edits, and what the card shows.
//!
//! Each round of a machine's decision has one message, whatever `CARDS` is set to: everything about the round edits
//! that message. A card is always drawn from the current table, so a late or repeated edit shows the same.

use std::sync::Arc;

use crate::dispatch::Context;
use crate::dispatch::cards::composed::Composed;
use crate::dispatch::cards::draw::draw_asked;
use crate::dispatch::cards::load::load;
use crate::model::{
    Action, CardState, Decision, DecisionId, DecisionKind, Delivery, DestinationId, Event, Family,
    LivingCard, Message, Verdict,
};
use crate::render;
use crate::store::{CardOf, Result};

/// What a delivery does to a decision's card.
#[derive(Debug)]
pub(super) enum CardAction {
    /// Not about a decision: the usual rules apply.
    Usual,
    /// Posts a new message.
    Post,
    /// Edits this message.
    Change(Action),
    /// There is no card to edit. If the card is still to come, it will show this event too.
    Nothing,
}

impl CardAction {
    /// The Discord action to perform now, if it is known.
    pub(super) const fn action(&self) -> Option<Action> {
        match self {
            Self::Post => Some(Action::Create),
            Self::Change(action) => Some(*action),
            Self::Usual | Self::Nothing => None,
        }
    }
}

/// Decides what `event` does to the decision's card in a destination.
pub(super) async fn card_action(
    context: &Context,
    destination: DestinationId,
    event: &Event,
) -> Result<CardAction> {
    let ours = is_ours(event);
    let Some(decision) = decision(context, event).await? else {
        return Ok(if ours { CardAction::Nothing } else { CardAction::Usual });
    };
    let card = context.store.card(destination, decision.source, &decision.subject).await?;
    if decision.kind != DecisionKind::Machine {
        return Ok(match card {
            Some(card) if card.frozen => CardAction::Usual,
            Some(card) => change(&card),
            None => match context.store.message_showing(decision.event_id, destination).await? {
                Some((channel, message)) => CardAction::Change(Action::Edit { channel, message }),
                None => CardAction::Nothing,
            },
        });
    }
    let card = card.filter(|card| shows(card, &decision));
    if event.kind.as_str() == "decision.late" {
        return Ok(if card.is_some() { CardAction::Post } else { CardAction::Nothing });
    }
    Ok(match card {
        _ if event.id == decision.event_id => CardAction::Post,
        Some(card) if card.frozen => CardAction::Post,
        Some(card) => change(&card),
        None if ours => CardAction::Nothing,
        None if event.meaning().asks_to_join() => CardAction::Post,
        None => CardAction::Usual,
    })
}

/// The card of a message about a decision.
pub(super) enum DecisionCard {
    /// The decision determines the card, and it is drawn.
    Drawn(Box<Composed>),
    /// The usual rules apply to these deliveries. An event that only triggers a redraw is replaced with the event that
    /// asks the question.
    Usual(Vec<Delivery>),
}

/// Composes `message` if a decision determines its card.
pub(super) async fn compose(context: &Context, message: &Message) -> Result<DecisionCard> {
    let [delivery] = message.deliveries.as_slice() else {
        return Ok(DecisionCard::Usual(message.deliveries.clone()));
    };
    let mut delivery = delivery.clone();
    let event = load(&context.store, &mut delivery).await?;
    let Some(decision) = decision(context, &event).await? else {
        return Ok(DecisionCard::Usual(vec![delivery]));
    };
    if decision.kind != DecisionKind::Machine {
        replace_event(context, &mut delivery, &decision).await?;
        return Ok(DecisionCard::Usual(vec![delivery]));
    }
    if event.meaning().has_joined() && message.action == Action::Create {
        return Ok(DecisionCard::Usual(vec![delivery]));
    }
    draw_machine(context, message, &event, &decision).await.map(Box::new).map(DecisionCard::Drawn)
}

/// Draws the card of a machine's decision.
async fn draw_machine(
    context: &Context,
    message: &Message,
    event: &Event,
    decision: &Decision,
) -> Result<Composed> {
    let destination = message.destination_id;
    let redelivered = redelivered(context, message).await?;
    let card = context.store.card(destination, decision.source, &decision.subject).await?;
    let is_replaced = match &card {
        Some(card) => shows_newer(context, card, decision).await?,
        None => false,
    };
    let card = card.filter(|card| shows(card, decision));
    if event.kind.as_str() == "decision.late" {
        let drawn = render::late_word(event, decision).redelivered(redelivered);
        let answers = card.map(|card| card.message);
        return Ok(Composed { answers, ..Composed::of_one(message, drawn) });
    }
    let asking = context.store.event(decision.event_id).await?;
    let asking = asking.as_ref().unwrap_or(event);
    let mut asked =
        context.hub.decision_context(asking, &CardOf { destination, since: asking.id }, false).await?;
    asked.no_buttons = message.no_buttons.or(asked.no_buttons);
    let drawn = draw_asked(context, asking, &asked).redelivered(redelivered);
    let shown = CardState {
        source: decision.source,
        subject: decision.subject.clone(),
        place: 0,
        since: decision.event_id,
        state: decision.id.to_string(),
        state_at: decision.asked_at,
        closed: decision.verdict != Verdict::Open,
    };
    // A redelivered event of an earlier round gets a plain message: the card belongs to the newest round.
    let shows = if is_replaced { Vec::new() } else { vec![shown] };
    let frozen = card.filter(|card| card.frozen && message.action == Action::Create);
    let answers = frozen.map(|card| card.message);
    Ok(Composed { shows, answers, ..Composed::of_one(message, drawn) })
}

/// How often the content of `message` was redelivered: its own count, or that of the message which it edits.
async fn redelivered(context: &Context, message: &Message) -> Result<u32> {
    let Action::Edit { channel, message: changed } = message.action else {
        return Ok(message.deliveries.iter().map(|delivery| delivery.generation).max().unwrap_or(0));
    };
    context.store.redelivered_in(channel, changed).await
}

/// Replaces an event that only triggers a redraw with the event that asks the question, whose card is drawn.
pub(super) async fn substitute_asking_event(
    context: &Context,
    delivery: &mut Delivery,
    event: &Event,
) -> Result<()> {
    match decision(context, event).await? {
        Some(decision) if is_ours(event) && decision.kind != DecisionKind::Machine => {
            replace_event(context, delivery, &decision).await
        }
        _ => Ok(()),
    }
}

async fn replace_event(context: &Context, delivery: &mut Delivery, decision: &Decision) -> Result<()> {
    if let Some(asking) = context.store.event(decision.event_id).await? {
        delivery.event = Some(Arc::new(asking));
    }
    Ok(())
}

/// The decision that `event` is about, if the decision determines the card.
async fn decision(context: &Context, event: &Event) -> Result<Option<Decision>> {
    if is_ours(event) {
        return context.hub.decision_of(event).await;
    }
    if may_decide(event) { context.hub.decision_about(event).await } else { Ok(None) }
}

/// Whether `event` may be about a decision, whose card has a message of its own.
pub(super) fn may_decide(event: &Event) -> bool {
    is_ours(event) || event.meaning().asks_to_join() || event.meaning().has_joined()
}

fn is_ours(event: &Event) -> bool {
    event.meaning().family == Family::Decision
}

/// Whether `card` shows this round.
fn shows(card: &LivingCard, decision: &Decision) -> bool {
    card.shown.state == decision.id.to_string()
}

/// Whether `card` shows a later round.
async fn shows_newer(context: &Context, card: &LivingCard, decision: &Decision) -> Result<bool> {
    let Ok(shown) = card.shown.state.parse::<DecisionId>() else { return Ok(false) };
    let shown = context.store.decision(shown).await?;
    Ok(shown.is_some_and(|shown| shown.round > decision.round))
}

fn change(card: &LivingCard) -> CardAction {
    CardAction::Change(Action::Edit { channel: card.channel, message: card.message })
}
