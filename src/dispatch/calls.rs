//! Sinks that are called: one event, one request, and the lane that makes it.

pub(super) mod platform;
pub(super) mod platform_probe;
