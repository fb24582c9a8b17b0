//! Kinds of events that Discord suggests while somebody types.

use crate::samples;

/// The kinds that XTSystems tells of, as far as they are known, with patterns for families of them before.
pub(super) fn kinds_and_families() -> impl Iterator<Item = &'static str> {
    ["*", "ticket.*", "asset.*", "machine.*", "alert.*"].into_iter().chain(samples::kinds())
}
