//! Health: the report behind `/health`.

mod condition;
mod day_counter;
pub(super) mod finding;
mod gateway;
pub(super) mod metrics;
mod overview;
pub(super) mod refused_source;
mod status;
mod storage;
pub(super) mod time;
mod top_addresses;
mod webhook_metrics;

use std::collections::HashMap;

use crate::hub::Hub;
use crate::hub::routing::reroute::COMMAND;
use crate::model::schedule::DENIED_AGAIN;
use crate::model::{Backlog, Destination, Problem, ProblemCode};

pub use condition::{Condition, Conditions, TOKEN_SHARED, interactions_elsewhere};
pub use finding::IngressReport;
pub use time::clock_off;

/// The health report, for `/health` and the start page.
#[derive(Clone, Debug)]
pub struct Health {
    /// Current problems; empty if healthy.
    pub problems: Vec<Problem>,
    /// Whether Discord accepts requests, as far as is known.
    pub discord_connected: bool,
    /// Waiting deliveries and events; `None` if the database does not respond.
    pub backlog: Option<Backlog>,
    /// Whether the database accepts writes, as far as is known.
    pub stores: bool,
}

impl Hub {
    /// The current health report.
    pub async fn health(&self) -> Health {
        self.check_storage_place();
        let conditions = self.conditions();
        let mut problems = conditions.problems();
        let discord_connected = self.gateway().is_well()
            && self.0.live.has_token()
            && ![Condition::TokenRefused, Condition::DiscordUnreachable, Condition::Paused]
                .into_iter()
                .any(|condition| conditions.holds(condition));
        let backlog = match self.0.store.backlog().await {
            Ok(backlog) => Some(backlog),
            Err(error) => {
                tracing::error!(%error, "the database cannot be read");
                problems.push(Problem::new(ProblemCode::DatabaseUnreadable, error.to_string()));
                None
            }
        };
        let in_use = self.0.routing.now().in_use();
        for destination in self.0.store.troubled_destinations().await.unwrap_or_default() {
            // A destination that the map no longer names is a problem only while deliveries wait for it.
            if in_use.contains(&destination.id) {
                problems.extend(destination_trouble(&destination, self.missing_at(&destination)));
            }
        }
        for stranded in self.stranded().await.unwrap_or_default() {
            if !stranded.is_mapped && stranded.destination.closed.is_some() {
                problems.push(Problem::new(ProblemCode::DestinationClosed, stranded.sentence()));
            }
        }
        problems.extend(self.refused_source_problem());
        problems.extend(Problem::all(ProblemCode::LongWriteAheadLog, self.storage_problem()));
        problems.extend(Problem::all(ProblemCode::DatabaseHardLinks, self.link_problem()));
        problems.extend(self.channel_problems());
        problems.extend(Problem::all(ProblemCode::NoOperatorServer, self.no_access_reason()));
        problems.extend(self.server_problems());
        problems.extend(Problem::all(ProblemCode::DestinationMissing, self.0.routing.now().dangling()));
        problems.extend(Problem::all(ProblemCode::NobodyDecides, self.unattended_questions()));
        if let Some(backlog) = backlog.filter(|backlog| backlog.unrouted > 0) {
            let (found, remedy) = unrouted(backlog.unrouted);
            problems.push(Problem::new(ProblemCode::Unrouted, format!("{found}: {remedy}")));
        }
        let stores = backlog.is_some() && !conditions.holds(Condition::StoreFailing);
        Health { problems: named(problems), discord_connected, backlog, stores }
    }
}

/// How many problems of one kind are listed.
const NAMED: usize = 10;

/// The first ten problems of each kind, and the number of further ones: of a map with 10,000 channels, ten problems
/// are as informative as all.
fn named(problems: Vec<Problem>) -> Vec<Problem> {
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    let mut named = Vec::new();
    for problem in problems {
        let count = counts.entry(problem.code).or_default();
        *count += 1;
        if *count <= NAMED {
            named.push(problem);
        }
    }
    let mut more: Vec<_> = counts.into_iter().filter(|(_, count)| *count > NAMED).collect();
    more.sort_unstable();
    named.extend(more.into_iter().map(|(code, count)| {
        let sentence = format!("and {} more like these ({code}): the log names them all", count - NAMED);
        Problem { code, found: sentence, remedy: None }
    }));
    named
}

/// The problem of `count` unrouted events, without a full stop, and its remedy.
#[must_use]
pub fn unrouted(count: u64) -> (String, &'static str) {
    let matches = if count == 1 { "event matches" } else { "events match" };
    (
        format!("{count} {matches} no key of DISCORD_WEBHOOK_CHANNELS"),
        "Set channel in /webhook-config (or extend the map, then `kill -HUP` nuncio or restart it), then nuncio redeliver \
         --unrouted",
    )
}

/// The problem of a closed or denying destination.
///
/// `missing`: the permissions that the bot lacks there, as the gateway reported.
#[must_use]
pub fn destination_trouble(destination: &Destination, missing: Option<String>) -> Option<Problem> {
    let name = &destination.name;
    let denied = destination.denied.as_ref().map(|reason| missing.as_ref().unwrap_or(reason));
    match (&destination.closed, denied) {
        (Some(reason), _) => {
            let mend =
                destination.mended_by().map(|command| format!(". Then: {command}")).unwrap_or_default();
            Some(Problem::new(
                ProblemCode::DestinationClosed,
                format!(
                    "{name} is closed, and its deliveries wait: {reason}{mend}. To use another channel, change the \
                     map; then {COMMAND} sends what waits there"
                ),
            ))
        }
        (None, Some(reason)) if destination.mended_by().is_some() => Some(Problem::new(
            ProblemCode::DestinationRefuses,
            format!(
                "{name} takes no messages for now, and its deliveries wait. nuncio tries again every {} minutes: \
                 {reason}",
                DENIED_AGAIN.as_secs() / 60
            ),
        )),
        (None, Some(reason)) => Some(Problem::new(
            ProblemCode::DestinationRefuses,
            format!(
                "{name} does not let the bot write, and its deliveries wait. nuncio tries again every {} minutes, \
                 and as soon as the bot's permissions change: {reason}",
                DENIED_AGAIN.as_secs() / 60
            ),
        )),
        (None, None) => None,
    }
}
