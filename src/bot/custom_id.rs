//! Custom ids of buttons that a command shows and a component answers.

/// The button under `/webhook-config` that begins.
pub(super) const SET: &str = "v1:route";
/// The button under `/webhook-config` that takes back.
pub(super) const REMOVE: &str = "v1:unroute";
