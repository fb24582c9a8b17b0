//! What happened, shown once at the top of the next page of the same session.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::ConsoleSessionId;

/// Number of sessions whose messages are kept. More than that never wait for their next page.
const MOST: usize = 1000;

/// The result of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flash {
    /// Whether it worked.
    pub(super) is_good: bool,
    /// What happened, and what to do.
    pub(super) text: String,
    /// What Discord answered, word for word; empty: nothing to show.
    pub(super) answer: String,
}

impl Flash {
    /// It worked.
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self { is_good: true, text: text.into(), answer: String::new() }
    }

    /// It did not.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { is_good: false, text: text.into(), answer: String::new() }
    }
}

/// The messages that wait. A restart forgets them.
#[derive(Default)]
pub(super) struct Flashes(Mutex<HashMap<ConsoleSessionId, Flash>>);

impl Flashes {
    /// Keeps `flash` for the next page of this session.
    pub(super) fn put(&self, session: ConsoleSessionId, flash: Flash) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST {
            waiting.clear();
        }
        waiting.insert(session, flash);
    }

    /// Takes what waits for this session.
    pub(super) fn take(&self, session: ConsoleSessionId) -> Option<Flash> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&session)
    }
}
