//! How the bot's connection stands: what the bot says, and what everybody else may know.

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::hub::Hub;

/// The bot's connection to Discord's gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gateway {
    /// There is no bot: no token, or it is switched off.
    #[default]
    Off,
    /// It was not connected yet.
    Starting,
    /// Commands and buttons are answered.
    Connected {
        /// Since when.
        since: Timestamp,
    },
    /// It was connected and will be again.
    Lost {
        /// Since when.
        since: Timestamp,
    },
    /// It will not be connected again by this process.
    Stopped,
}

impl Gateway {
    /// Whether nothing is wrong with it.
    #[must_use]
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Off | Self::Connected { .. })
    }
}

impl Hub {
    /// How the bot's connection stands.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        *self.0.gateway.borrow()
    }

    /// Follows the bot's connection.
    #[must_use]
    pub fn gateway_changes(&self) -> watch::Receiver<Gateway> {
        self.0.gateway.subscribe()
    }

    /// Says how the bot's connection stands.
    pub fn set_gateway(&self, gateway: Gateway) {
        self.0.gateway.send_if_modified(|now| {
            let changed = *now != gateway;
            *now = gateway;
            changed
        });
    }
}
