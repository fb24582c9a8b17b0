//! State of the gateway session: reported by the bot, read by everything else.

use tokio::sync::watch;

use crate::hub::Hub;
use crate::model::GatewayState;

impl Hub {
    /// Current state of the gateway session.
    #[must_use]
    pub fn gateway(&self) -> GatewayState {
        *self.0.gateway.borrow()
    }

    /// Subscribes to changes of the gateway session.
    #[must_use]
    pub fn gateway_changes(&self) -> watch::Receiver<GatewayState> {
        self.0.gateway.subscribe()
    }

    /// Sets the state of the gateway session.
    pub fn set_gateway(&self, gateway: GatewayState) {
        self.0.gateway.send_if_modified(|now| {
            let changed = *now != gateway;
            *now = gateway;
            changed
        });
    }
}
