//! A message that posts cards.

use crate::dispatch::Context;
use crate::dispatch::cards::composed::{Composed, Content};
use crate::dispatch::cards::drawn::{CardSpan, buttons, draw_group};
use crate::dispatch::cards::group::group;
use crate::model::{Action, CardLifetime, Delivery, Message, Snowflake};
use crate::render;
use crate::store::Result;

/// The post of one or several new cards.
pub(super) struct CardPost<'a> {
    pub(super) context: &'a Context,
    pub(super) message: &'a Message,
    pub(super) deliveries: Vec<Delivery>,
}

impl CardPost<'_> {
    /// Draws each card once. Late events ping no role.
    pub(super) async fn compose(self, mut pings: Vec<Snowflake>) -> Result<Composed> {
        let Self { context, message, deliveries } = self;
        let groups = group(context, deliveries)?;
        let (mut cards, mut shows, mut tags, mut answers) = (Vec::new(), Vec::new(), Vec::new(), None);
        let (mut any_late, mut in_time) = (false, Vec::new());
        for (place, group) in groups.iter().enumerate() {
            let Some(first) = group.events.first() else { continue };
            let age = group.first.age(&context.clock);
            match render::is_late(age) {
                true => any_late = true,
                false => in_time.extend(context.hub.pings(first, &group.first.route)),
            }
            if place == 0 && group.lifetime != CardLifetime::PerEvent {
                // The new card replaces one that can no longer be changed.
                let current =
                    context.store.card(message.destination_id, first.source, &first.subject).await?;
                answers = current.filter(|card| card.frozen).map(|card| card.message);
            }
            let drawn = draw_group(context, message, group, first, place, CardSpan::New).await?;
            let card = match groups.len() {
                1 => buttons(context, message, first, drawn.shown.as_ref(), drawn.card).await?,
                _ => drawn.card,
            };
            cards.push(render::late(card, age, message.late.as_deref()));
            shows.extend(drawn.shown);
            tags.push(drawn.tags);
        }
        // A card that is edited although it is no longer known keeps the roles that it names.
        if any_late && message.action == Action::Create {
            pings.retain(|role| in_time.contains(role));
        }
        let content = Content::of(message.form, cards);
        Ok(Composed { pings, answers, shows, tags, ..Composed::new(message, content) })
    }
}
