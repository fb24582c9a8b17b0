//! Custom ids of buttons that a command shows and a component handler answers.

/// The button under `/webhook-config` that starts setting a route.
pub(super) const SET: &str = "v1:route";
/// The button under `/webhook-config` that starts removing a route.
pub(super) const REMOVE: &str = "v1:unroute";
