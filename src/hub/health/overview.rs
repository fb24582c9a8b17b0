//! Overview of the configuration, without secrets, for `/webhook-config` and `GET /webhooks/config`.

use crate::hub::{Endpoint, Hub, Problem};
use crate::model::route::Target;
use crate::samples;

/// Overview of the configuration.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The endpoint for webhooks; `None` if this process does not serve.
    pub endpoint: Option<Endpoint>,
    /// Kinds that have a card layout of their own.
    pub kinds: Vec<&'static str>,
    /// The map's keys, with the ids of their channels and stored destinations. An empty list discards the events on
    /// purpose.
    pub map: Vec<(String, Vec<String>)>,
    /// The map in readable lines, with current obstacles.
    pub table: Vec<String>,
}

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
