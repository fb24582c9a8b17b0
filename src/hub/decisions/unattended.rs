//! Unattended questions: channels that get a machine's card where no person could decide about it.

use std::collections::BTreeSet;

use crate::hub::Hub;
use crate::model::route::Target;
use crate::model::{Kind, Snowflake};

const UNHEARD: &str =
    "nobody can approve machines: DISCORD_GATEWAY is off, so buttons do not work. Set it to on and restart";

impl Hub {
    /// Why no person could decide, a sentence each; empty if someone can, if nothing is asked, or if it is not known.
    #[must_use]
    pub fn unattended_questions(&self) -> Vec<String> {
        let rules = self.rules();
        if rules.platform.is_none() {
            return Vec::new();
        }
        if !rules.receives_clicks {
            return vec![UNHEARD.to_owned()];
        }
        // The guild's owner may always manage it.
        if rules.approvers.is_empty() {
            return Vec::new();
        }
        let places = self.0.places.borrow();
        let Some(known) = places.as_ref() else { return Vec::new() };
        let asked = self.question_channels();
        let without = known.iter().filter(|(channel, place)| {
            asked.contains(channel) && rules.approvers.iter().all(|role| !place.roles.contains(role))
        });
        without
            .map(|(_, place)| {
                format!(
                    "{}: nobody can approve machines there, because none of APPROVER_ROLES is a role of that server. \
                     Add one of its roles, then `kill -HUP` nuncio or restart it",
                    place.name()
                )
            })
            .collect()
    }

    /// The channels that machines' cards go to.
    fn question_channels(&self) -> BTreeSet<Snowflake> {
        let routes = self.0.routing.now();
        let route = routes.map().find(&Kind::new("machine.registered"), "");
        route.into_iter().flat_map(|route| &route.targets).filter_map(Target::channel).collect()
    }
}
