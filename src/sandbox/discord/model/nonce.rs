//! Nonces: which message an author created with which nonce, kept for a limited time.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// The default window. Discord documents only "the past few minutes" (Discord: "Create Message"); clients should rely
/// on less than this.
const WINDOW: Duration = Duration::from_secs(120);

/// The remembered nonces. A nonce belongs to its author, whatever the channel.
pub struct Nonces {
    window: Duration,
    known: HashMap<(Snowflake, String), Used>,
}

/// The message that a nonce was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The id of the message's channel.
    pub channel: Snowflake,
    /// The id of the message.
    pub message: Snowflake,
    /// When the message was created.
    pub at: Timestamp,
}

impl Default for Nonces {
    fn default() -> Self {
        Self { window: WINDOW, known: HashMap::new() }
    }
}

impl Nonces {
    /// Sets how long a nonce is remembered after its message was made.
    pub fn set_window(&mut self, window: Duration) {
        self.window = window;
    }

    /// The message for which `author` used `nonce` within the window.
    #[must_use]
    pub fn find(&self, author: Snowflake, nonce: &str, now: Timestamp) -> Option<Used> {
        self.known.get(&(author, nonce.to_owned())).copied().filter(|used| now.since(used.at) < self.window)
    }

    /// Remembers `nonce`, and occasionally drops expired ones.
    pub fn remember(&mut self, author: Snowflake, nonce: String, used: Used) {
        // Whenever the table is full, so that a storm does not pay for the cleanup with each message.
        if self.known.len() == self.known.capacity() {
            let window = self.window;
            self.known.retain(|_, old| used.at.since(old.at) < window);
        }
        self.known.insert((author, nonce), used);
    }
}
