//! State of the gateway session: reported by the bot, read by everything else.

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::hub::Hub;

/// State of the bot's gateway session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gateway {
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

impl Gateway {
    /// Whether the state is healthy.
    #[must_use]
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Off | Self::Connected { .. })
    }
}

impl Hub {
    /// Current state of the gateway session.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        *self.0.gateway.borrow()
    }

    /// Subscribes to changes of the gateway session.
    #[must_use]
    pub fn gateway_changes(&self) -> watch::Receiver<Gateway> {
        self.0.gateway.subscribe()
    }

    /// Sets the state of the gateway session.
    pub fn set_gateway(&self, gateway: Gateway) {
        self.0.gateway.send_if_modified(|now| {
            let changed = *now != gateway;
            *now = gateway;
            changed
        });
    }
}
