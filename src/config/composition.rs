//! How events share cards and cards share messages: `CARDS`, `FOLD_REPEATS`, `COALESCE`, `COALESCE_DEPTH`.

use std::time::Duration;

use crate::config::limits::span_of;
use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::model::route::CardStyle;

/// Default number of waiting deliveries from which a digest is sent.
const DEPTH: usize = 100;
const REPEATS: Duration = Duration::from_secs(15 * 60);
const LONGEST_REPEATS: Duration = Duration::from_secs(24 * 3600);

/// How events are combined into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composition {
    /// Whether later events update their subject's card; the route map can override this per route.
    pub cards: CardStyle,
    /// How long repeats of an alert update its card instead of posting a new one; zero: never.
    pub fold_repeats: Duration,
    /// How a lane that is behind combines its deliveries.
    pub coalesce: Coalesce,
    /// Number of waiting deliveries from which a lane counts as far behind.
    pub depth: usize,
}

impl Default for Composition {
    fn default() -> Self {
        Self { cards: CardStyle::Living, fold_repeats: REPEATS, coalesce: Coalesce::Digest, depth: DEPTH }
    }
}

/// How a lane that is behind combines its deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coalesce {
    /// One card per message, however long it takes.
    Off,
    /// Up to ten cards in one message.
    Cards,
    /// Up to ten cards in one message; far behind, one digest message.
    Digest,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Composition {
    let default = Composition::default();
    Composition {
        cards: reader.or("CARDS", default.cards, |text| {
            CardStyle::from_word(&text.trim().to_ascii_lowercase()).ok_or_else(|| {
                InvalidValue::new(
                    "is neither living nor append",
                    "living (one card per thing) or append (one per event).",
                )
            })
        }),
        fold_repeats: reader.or("FOLD_REPEATS", default.fold_repeats, repeats),
        coalesce: reader.or("COALESCE", default.coalesce, |text| {
            match text.trim().to_ascii_lowercase().as_str() {
                "off" => Ok(Coalesce::Off),
                "cards" => Ok(Coalesce::Cards),
                "digest" => Ok(Coalesce::Digest),
                _ => Err(InvalidValue::new("is none of off, cards and digest", "One of the three.")),
            }
        }),
        depth: reader.or("COALESCE_DEPTH", default.depth, |text| {
            text.trim().parse().ok().filter(|depth| (11..=100_000).contains(depth)).ok_or_else(|| {
                InvalidValue::new(
                    "is not a number from 11 to 100000",
                    "How many deliveries wait when a digest is sent: 100.",
                )
            })
        }),
    }
}

/// Parses a duration of at most a day, or off.
fn repeats(text: &str) -> Result<Duration, InvalidValue> {
    if ["off", "0"].contains(&text.trim().to_ascii_lowercase().as_str()) {
        return Ok(Duration::ZERO);
    }
    span_of(text.trim()).filter(|span| *span <= LONGEST_REPEATS).ok_or_else(|| {
        InvalidValue::new("is not a duration of at most a day", "15m (the default), 90s, 2h, or off.")
    })
}
