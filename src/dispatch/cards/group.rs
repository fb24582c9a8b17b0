//! Which deliveries of a message share a card.

use crate::dispatch::Context;
use crate::dispatch::cards::lifetime::lifetime;
use crate::dispatch::cards::load::loaded;
use crate::model::{CardLifetime, Delivery, Event, Source};
use crate::store::Result;

/// The deliveries that share one card.
pub(super) struct CardGroup {
    /// In order; at least one.
    pub(super) events: Vec<Event>,
    pub(super) source: Source,
    pub(super) subject: String,
    pub(super) first: Delivery,
    pub(super) lifetime: CardLifetime,
    /// How often one of them was redelivered: the highest count.
    pub(super) redelivered: u32,
}

/// Groups deliveries that share a card, in the order of each group's first delivery. Their events are loaded.
pub(super) fn group(context: &Context, deliveries: Vec<Delivery>) -> Result<Vec<CardGroup>> {
    let mut groups: Vec<CardGroup> = Vec::new();
    for delivery in deliveries {
        let event = Event::clone(loaded(&delivery)?);
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
