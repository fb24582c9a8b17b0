//! What is configured, for everybody who may see it: `/webhook-config` and `GET /webhooks/config`. No secret is in it.

use crate::hub::{Endpoint, Hub, Problem};
use crate::model::route::Target;
use crate::samples;

/// What is configured.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Where events come in; `None` if this process does not serve.
    pub endpoint: Option<Endpoint>,
    /// The kinds that have a card of their own.
    pub kinds: Vec<&'static str>,
    /// The keys of the map, with the ids of the channels and stored destinations they lead to. An empty list is nowhere, on
    /// purpose.
    pub map: Vec<(String, Vec<String>)>,
    /// The map as people read it, and what is in the way.
    pub table: Vec<String>,
}

impl Hub {
    /// What is configured now.
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
