//! Event kinds for autocomplete.

use crate::samples;

/// The known kinds of XTSystems events, preceded by patterns for families of them.
pub(super) fn kinds_and_families() -> impl Iterator<Item = &'static str> {
    ["*", "ticket.*", "asset.*", "machine.*", "alert.*"].into_iter().chain(samples::kinds())
}
