//! Overview of the configuration, without secrets, for `/webhook-config` and `GET /webhooks/config`.

use crate::hub::Hub;
use crate::model::route::Target;
use crate::model::{Overview, Problem};
use crate::samples;

impl Hub {
    /// The current configuration.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let id = |target: &Target| match target {
            Target::Channel(channel) => channel.to_string(),
            Target::Stored(stored) => stored.to_string(),
        };
        let routes = self.0.routing.now();
        let mut table = self.table();
        table.extend(self.server_problems().iter().map(Problem::sentence));
        Overview {
            endpoint: self.endpoint(),
            kinds: samples::kinds().collect(),
            map: routes
                .map()
                .routes()
                .iter()
                .map(|route| (route.key.clone(), route.targets.iter().map(id).collect()))
                .collect(),
            table,
        }
    }
}
