//! State of the gateway session: reported by the bot, read by everything else.

use tokio::sync::watch;

use crate::hub::Hub;
use crate::model::Gateway;

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
