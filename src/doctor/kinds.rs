//! The keys of the map that no event has ever matched.

use crate::config::Config;
use crate::doctor::Check;
use crate::doctor::code::Code;
use crate::hub::{known_kinds, nearest};
use crate::model::Kind;
use crate::store::Survey;

/// The prefixes of the kinds that nuncio itself makes.
const OWN: [&str; 3] = ["nuncio.", "destination.", "decision."];
/// The most keys listed: more are not worth reading.
const MOST: usize = 10;

/// A check for each key that matches neither a kind that XTSystems is known to send nor one that was received.
pub(super) fn checks(config: &Config, survey: Option<&Survey>) -> Vec<Check> {
    let received = survey.iter().flat_map(|survey| &survey.kinds);
    let received = received.map(|kind| Kind::new(kind).canonical().into_owned());
    let known: Vec<String> = known_kinds().map(str::to_owned).chain(received).collect();
    let routes = config.routes.routes().iter().filter(|route| !route.is_catch_all());
    let unknown = routes.filter(|route| {
        let text = route.pattern.text();
        !OWN.iter().any(|own| text.starts_with(own)) && !known.iter().any(|kind| route.pattern.matches(kind))
    });
    let checks = unknown.take(MOST).map(|route| {
        let meant = nearest(route.pattern.text(), &known).map(|meant| format!("Is {meant} meant? "));
        Check::warn(
            Code::MapKindUnknown,
            format!(
                "DISCORD_WEBHOOK_CHANNELS at {:?}: no such event ever came, and XTSystems is not known to send one.",
                route.key
            ),
            format!(
                "{}Correct the key, then `kill -HUP` nuncio or restart it. If a sender of yours has such events, leave it: \
                 this goes away with the first.",
                meant.unwrap_or_default()
            ),
        )
    });
    checks.collect()
}
