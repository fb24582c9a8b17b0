//! The state of an event, in words.

use crate::model::Source;
use crate::store::Recent;

/// For example "delivered", "no route" or "2 given up".
pub(super) fn state(event: &Recent) -> String {
    match event {
        Recent { unrouted: true, .. } => "no route".to_owned(),
        Recent { dead: 1.., .. } => format!("{} given up", event.dead),
        Recent { open: 1.., .. } => format!("{} to be delivered", event.open),
        Recent { delivered: 1.., .. } => "delivered".to_owned(),
        Recent { muted: Some(muted), .. } => muted.clone(),
        Recent { cancelled: 1.., .. } => "cancelled".to_owned(),
        Recent { source: Source::Nuncio, .. } => "nothing to send".to_owned(),
        Recent { source: Source::Dispatch, .. } => "no webhook for it".to_owned(),
        Recent { .. } => "nowhere, on purpose".to_owned(),
    }
}
