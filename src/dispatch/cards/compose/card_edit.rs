//! A message that changes a card: the whole message that carries it is drawn again, with its other cards.

use std::time::Duration;

use crate::dispatch::Context;
use crate::dispatch::cards::composed::{Composed, Content};
use crate::dispatch::cards::drawn::{CardSpan, buttons, draw_group};
use crate::dispatch::cards::group::group;
use crate::dispatch::cards::load::load;
use crate::dispatch::cards::reply;
use crate::model::{Action, CardLifetime, Delivery, Event, LivingCard, Message, Snowflake};
use crate::render;
use crate::store::Result;

/// The edit of the message that carries a card.
pub(super) struct CardEdit<'a> {
    context: &'a Context,
    message: &'a Message,
    /// The delivery whose event changes the card.
    delivery: &'a Delivery,
    event: &'a Event,
    card: LivingCard,
}

impl<'a> CardEdit<'a> {
    /// `None` if `message` posts cards, or if the card is no longer known.
    pub(super) async fn of(
        context: &'a Context,
        message: &'a Message,
        deliveries: &'a [Delivery],
    ) -> Result<Option<Self>> {
        let delivery = deliveries.first().filter(|_| message.action != Action::Create);
        let Some(delivery) = delivery else { return Ok(None) };
        let Some(event) = delivery.event.as_deref() else { return Ok(None) };
        let card = context.store.card(message.destination_id, event.source, &event.subject).await?;
        Ok(card.map(|card| Self { context, message, delivery, event, card }))
    }

    /// Draws each card once.
    pub(super) async fn compose(self, pings: Vec<Snowflake>) -> Result<Composed> {
        let Self { context, message, .. } = self;
        let carried = load_each(context, context.store.carried(self.card.message_id).await?).await?;
        let groups = group(context, carried)?;
        let (mut cards, mut shows, mut tags, mut replies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, group) in groups.iter().enumerate() {
            let Some(first) = group.events.first() else { continue };
            let is_changed = first.subject == self.event.subject;
            let span = match group.lifetime {
                CardLifetime::PerEvent => CardSpan::New,
                CardLifetime::PerSubject | CardLifetime::FoldRepeats => self.span(first).await?,
            };
            let drawn = draw_group(context, message, group, first, place, span).await?;
            if is_changed && group.lifetime == CardLifetime::PerSubject && !self.only_redraws() {
                let reply = reply::after(context, &message.deliveries, &drawn.events);
                replies = reply.into_iter().collect();
            }
            let card = match groups.len() {
                1 => buttons(context, message, first, drawn.shown.as_ref(), drawn.card).await?,
                _ => drawn.card,
            };
            let age = if is_changed { self.delivery.age(&context.clock) } else { Duration::ZERO };
            cards.push(render::late(card, age, message.late.as_deref()));
            shows.extend(drawn.shown);
            tags.push(drawn.tags);
        }
        let content = Content::of(message.form, cards);
        Ok(Composed { pings, shows, tags, replies, ..Composed::new(message, content) })
    }

    /// What the card of the subject of `event` covers in this message. If it has moved to another one, this message
    /// keeps what it showed at that time.
    async fn span(&self, event: &Event) -> Result<CardSpan> {
        let is_own = (event.source, &event.subject) == (self.event.source, &self.event.subject);
        let current = if is_own {
            Some(self.card.clone())
        } else {
            let destination = self.message.destination_id;
            self.context.store.card(destination, event.source, &event.subject).await?
        };
        Ok(match current.filter(|card| card.message_id == self.card.message_id) {
            Some(card) => CardSpan::Since(card.shown.since),
            None => CardSpan::Left,
        })
    }

    /// Whether no event is told with this edit.
    fn only_redraws(&self) -> bool {
        self.message.deliveries.iter().any(Delivery::redraws)
    }
}

async fn load_each(context: &Context, mut deliveries: Vec<Delivery>) -> Result<Vec<Delivery>> {
    for delivery in &mut deliveries {
        load(&context.store, delivery).await?;
    }
    Ok(deliveries)
}
