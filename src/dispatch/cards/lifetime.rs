//! Card lifetime: which events share one card.

use crate::dispatch::Context;
use crate::model::route::CardStyle;
use crate::model::{CardLifetime, Event, Family};

/// The card lifetime of `event` in a destination that `route` leads to.
pub(super) fn lifetime(context: &Context, event: &Event, route: &str) -> CardLifetime {
    if context.hub.cards(route).unwrap_or(context.composition.cards) == CardStyle::Append {
        return CardLifetime::PerEvent;
    }
    match Family::of_subject(&event.subject).lifetime() {
        CardLifetime::FoldRepeats if context.composition.fold_repeats.is_zero() => CardLifetime::PerEvent,
        lifetime => lifetime,
    }
}
