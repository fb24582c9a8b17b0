//! State of the bot's gateway session.

use crate::clock::Timestamp;

/// State of the bot's gateway session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GatewayState {
    /// No bot: no token, or it is switched off.
    #[default]
    Off,
    /// Not connected yet.
    Starting,
    /// Connected: commands and buttons are answered.
    Connected {
        /// Start of the session.
        since: Timestamp,
    },
    /// Disconnected, and reconnecting.
    Lost {
        /// Time of the disconnect.
        since: Timestamp,
    },
    /// Stopped: this process does not reconnect.
    Stopped,
}

impl GatewayState {
    /// Whether the state is healthy.
    #[must_use]
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Off | Self::Connected { .. })
    }
}
