//! Card lifetime: which events share one card.

use crate::dispatch::Context;
use crate::model::Event;
use crate::model::route::Cards;

/// Which events of one subject share a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardLifetime {
    /// None: each event gets its own card.
    PerEvent,
    /// All of them, as long as the subject lives.
    PerSubject,
    /// The repeats of an alert within `FOLD_REPEATS`.
    FoldRepeats,
}

/// The lifetime of the card of `event` in a destination that `route` leads to.
pub(super) fn lifetime(context: &Context, event: &Event, route: &str) -> CardLifetime {
    if context.hub.cards(route).unwrap_or(context.composition.cards) == Cards::Append {
        return CardLifetime::PerEvent;
    }
    match event.subject.split(':').next().unwrap_or_default() {
        "ticket" | "asset" | "machine" => CardLifetime::PerSubject,
        "alert" if !context.composition.fold_repeats.is_zero() => CardLifetime::FoldRepeats,
        _ => CardLifetime::PerEvent,
    }
}
