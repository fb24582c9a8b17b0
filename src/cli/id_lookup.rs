//! Id lookup: a delivery, an event or a digest by its whole id, or by the last characters that lists and cards show.

use crate::cli::Usage;
use crate::model::{DeliveryId, EventId, MessageId};
use crate::store::Store;

/// How many characters of an id lists show; a shorter text is no id.
const SHORT: usize = 8;

/// What an id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Delivery(DeliveryId),
    Event(EventId),
}

/// Finds what `text` names: `dlv_…` or `evt_…`, whole, or at least the last 8 characters, with the prefix or without.
///
/// # Errors
/// A sentence for the operator: the text is no id, nothing has that id, or several do.
pub(super) async fn find(store: &Store, text: &str) -> anyhow::Result<Named> {
    let text = text.trim().to_ascii_lowercase();
    let (prefix, digits) = match text.split_once('_') {
        Some((prefix @ ("dlv" | "evt"), digits)) => (prefix, digits),
        Some(_) => return Err(no_id(&text)),
        None => ("", text.as_str()),
    };
    if !is_end(digits) {
        return Err(no_id(&text));
    }
    let mut found = Vec::new();
    if prefix != "evt" {
        found.extend(store.deliveries_ending(digits).await?.into_iter().map(Named::Delivery));
    }
    if prefix != "dlv" {
        found.extend(store.events_ending(digits).await?.into_iter().map(Named::Event));
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => anyhow::bail!(
            "there is no delivery or event {text}, or it is not kept any more (RETENTION_DAYS): nuncio deliveries and nuncio \
             events list what there is"
        ),
        several => {
            let names: Vec<String> = several.iter().map(Named::to_string).collect();
            Err(Usage(format!("{text} fits several: {}. Give more of its characters", names.join(", ")))
                .into())
        }
    }
}

/// Finds the digest that `text` names: `msg_…`, whole, or at least the last 8 characters, with the prefix or without.
///
/// # Errors
/// A sentence for the operator: the text is no id, nothing has that id, or several do.
pub(super) async fn digest(store: &Store, text: &str) -> anyhow::Result<MessageId> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.strip_prefix("msg_").unwrap_or(&text);
    if !is_end(digits) {
        return Err(Usage(format!(
            "{:?} is not the id of a digest: msg_ with 32 hex digits, or the last 8 of them as its footer shows them",
            shown(&text)
        ))
        .into());
    }
    match store.digests_ending(digits).await?.as_slice() {
        [one] => Ok(*one),
        [] => anyhow::bail!(
            "there is no digest {digits}, or it is not kept any more (RETENTION_DAYS). Its id is at the end of its footer"
        ),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Usage(format!("{digits} fits several: {}. Give more of its characters", names.join(", ")))
                .into())
        }
    }
}

/// Whether it can be an id, or the end of one.
fn is_end(digits: &str) -> bool {
    (SHORT..=32).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

fn no_id(text: &str) -> anyhow::Error {
    Usage(format!(
        "{:?} is not an id: dlv_ or evt_ with 32 hex digits, or the last 8 of them as lists and cards show them",
        shown(text)
    ))
    .into()
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Delivery(id) => id.fmt(f),
            Self::Event(id) => id.fmt(f),
        }
    }
}
