//! Nonces: which message an author made with which nonce, remembered for a while.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::Snowflake;

/// How long Discord remembers a nonce is said as "the past few minutes" (Discord: "Create Message"); clients should
/// count on less than this.
const WINDOW: Duration = Duration::from_secs(120);

/// The memory. A nonce belongs to its author, whatever the channel.
pub struct Nonces {
    window: Duration,
    known: HashMap<(Snowflake, String), Used>,
}

/// What a nonce was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The channel.
    pub channel: Snowflake,
    /// The message.
    pub message: Snowflake,
    /// When.
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

    /// What `author` used `nonce` for within the window.
    #[must_use]
    pub fn find(&self, author: Snowflake, nonce: &str, now: Timestamp) -> Option<Used> {
        self.known.get(&(author, nonce.to_owned())).copied().filter(|used| now.since(used.at) < self.window)
    }

    /// Remembers `nonce`, and forgets what is too old once in a while.
    pub fn remember(&mut self, author: Snowflake, nonce: String, used: Used) {
        // Whenever the table has doubled, so that a storm does not pay for it with each message.
        if self.known.len() == self.known.capacity() {
            let window = self.window;
            self.known.retain(|_, old| used.at.since(old.at) < window);
        }
        self.known.insert((author, nonce), used);
    }
}
