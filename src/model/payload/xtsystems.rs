//! XTSystems' bodies, as far as cards read them: `{"event_type", "data", …}`. Its ingress finds the same in them, without
//! keeping a tree: `ingress/source/xtsystems.rs`.

use serde_json::Value;

use super::{plain, text};
use crate::model::Severity;

/// What happened.
pub(super) fn data(body: &[u8]) -> Option<Value> {
    plain::field(body, "data")
}

/// The severity in `data`, if it is a known word.
pub(super) fn severity(data: &Value) -> Option<Severity> {
    text(data, &Severity::NAMES).and_then(|word| Severity::from_word(&word))
}
