//! `--send`: an end-to-end test. It sends a signed event through our own ingress, a card to every channel of the map,
//! and a test from XTSystems, which shows whether both sides have one secret.
//!
//! The running nuncio itself reports how it judged a request; its key authorizes that question.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Variables};
use crate::discord::{Access, Client};
use crate::doctor::code::Code;
use crate::doctor::door::{NEAR, near};
use crate::doctor::reach::{Prober, Reached};
use crate::doctor::{Check, LIMIT, files, hide};
use crate::hub::Finding;
use crate::ingress::probe::Refusals;
use crate::model::route::Target;
use crate::model::{EventId, Nonce, Outcome, Snowflake, Status};
use crate::outgoing::{NUNCIO_LIMIT, Outgoing, USER_AGENT, cause, read_body};
use crate::render;
use crate::signature::sign;
use crate::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::store::{Stop, newest_test, way_of};
use crate::xtsystems;

const KIND: &str = "webhook.test";
/// How often the database is asked how far an event is.
const LOOK: Duration = Duration::from_millis(100);
/// The most channels that get a card.
const MOST: usize = 25;

/// The state shared by the parts of a trial.
struct Trial<'a> {
    config: &'a Config,
    clock: &'a Clock,
    prober: Prober,
    near: String,
}

/// Sends tests, and judges their results. Sends nothing if the configuration is refused or no nuncio runs.
pub async fn try_out(variables: &Variables, clock: &Clock) -> Vec<Check> {
    let Ok(config) = Config::from_variables(variables) else { return Vec::new() };
    let mut checks = match trial(&config, clock).await {
        Ok(trial) => trial.run().await,
        Err(check) => vec![check],
    };
    hide(&mut checks, &config);
    checks
}

/// A trial of the nuncio that runs, if it is this one.
async fn trial<'a>(config: &'a Config, clock: &'a Clock) -> Result<Trial<'a>, Check> {
    let skipped = |why: &str| {
        Err(Check::warn(
            Code::TestSkipped,
            format!("Nothing was sent: {why}."),
            "Start nuncio with this configuration, then run nuncio doctor --send again.",
        ))
    };
    let Ok(Some(key)) = files::read_key(config) else {
        return skipped("there is no key that could be read, as after the first start");
    };
    let (prober, near) = (Prober::new(&key, clock), near(&config.webhook));
    if config.webhook.port == 0 {
        return skipped("WEBHOOK_PORT is 0, so it is not known where it listens");
    }
    match prober.send(&format!("{near}{}", config.webhook.path), NEAR, true).await {
        Reached::This(_) => Ok(Trial { config, clock, prober, near }),
        _ => skipped("this nuncio does not run, or not at WEBHOOK_PORT"),
    }
}

impl Trial<'_> {
    async fn run(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut reached = BTreeSet::new();
        let ours = match self.post_event().await {
            Ok((event, check)) => {
                checks.push(check);
                let stops = self.follow(event).await;
                reached.extend(stops.iter().map(|stop| stop.address.clone()));
                checks.extend(of_stops(&stops));
                event
            }
            Err(check) => {
                checks.push(check);
                EventId::new()
            }
        };
        checks.extend(self.post_cards(&reached).await);
        checks.extend(self.ask_platform(ours).await);
        checks
    }

    /// Posts a signed test to our own ingress.
    async fn post_event(&self) -> Result<(EventId, Check), Check> {
        let (since, began) = (self.clock.now(), self.clock.elapsed());
        let failed = |why: String| {
            Check::fail(
                Code::TestEventRefused,
                format!(
                    "A test that was signed with WEBHOOK_SECRET was not taken by the nuncio that runs: {why}."
                ),
                "`kill -HUP` nuncio or restart it, so that it has this configuration; its log says why it refused the test.",
            )
        };
        let data = json!({"message": "Test from nuncio doctor", "test": EventId::new().to_string()});
        let body = json!({"event_type": KIND, "data": data, "timestamp": since.as_secs()}).to_string();
        let timestamp = since.as_secs().to_string();
        let signature = sign(&self.config.webhook.secret, &[timestamp.as_bytes(), body.as_bytes()]);
        let http = Outgoing::new(USER_AGENT, LIMIT, true).client().map_err(|error| failed(cause(&error)))?;
        let request = http
            .post(format!("{}{}", self.near, self.config.webhook.path))
            .header("content-type", "application/json")
            .header(TIMESTAMP_HEADER, timestamp)
            .header(SIGNATURE_HEADER, signature);
        let response = request.body(body).send().await.map_err(|error| failed(cause(&error)))?;
        let status = response.status().as_u16();
        let answer = read_body(response, NUNCIO_LIMIT).await.unwrap_or_else(|error| error.read);
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let took = self.clock.elapsed().saturating_sub(began).as_millis();
        let judged = self.judged(since).await;
        let Some(event) =
            answer["event_id"].as_str().and_then(|id| id.parse().ok()).filter(|_| status == 200)
        else {
            let why = judged
                .first()
                .map_or_else(|| format!("it answered {status}"), |found| found.sentence.clone());
            return Err(failed(why));
        };
        if judged.iter().any(|found| found.reason == Finding::PreviousSecret.as_str()) {
            return Err(failed("it knows this secret as WEBHOOK_SECRET_PREVIOUS only".to_owned()));
        }
        let found =
            format!("The nuncio that runs took a test that was signed with WEBHOOK_SECRET, after {took} ms.");
        Ok((event, Check::ok(Code::TestEvent, found)))
    }

    /// What the running nuncio found about requests after `since`, newest first.
    async fn judged(&self, since: Timestamp) -> Vec<Refusals> {
        let url = format!("{}{}", self.near, self.config.webhook.path);
        let Reached::This(proof) = self.prober.send(&url, NEAR, true).await else { return Vec::new() };
        let mut found = proof.arrived.refusals.unwrap_or_default();
        found.retain(|found| found.last_at >= since.as_millis());
        found.sort_by_key(|found| std::cmp::Reverse(found.last_at));
        found
    }

    /// Where an event went, once it is delivered everywhere or ten seconds have passed.
    async fn follow(&self, event: EventId) -> Vec<Stop> {
        let until = self.clock.elapsed() + LIMIT;
        loop {
            let stops = way_of(&self.config.database.path, event).unwrap_or_default();
            let is_open = |stop: &Stop| matches!(stop.status, Status::Pending | Status::Sending);
            if !stops.iter().any(is_open) || self.clock.elapsed() >= until {
                return stops;
            }
            self.clock.sleep(LOOK).await;
        }
    }

    /// Posts a card in every channel of the map that `reached` does not name.
    async fn post_cards(&self, reached: &BTreeSet<String>) -> Vec<Check> {
        let routes = self.config.routes.routes().iter().flat_map(|route| &route.targets);
        let channels = routes.clone().filter_map(Target::channel).map(|id| id.to_string());
        let channels: Vec<Snowflake> = {
            let unreached = channels.filter(|id| !reached.contains(id)).collect::<BTreeSet<_>>();
            unreached.iter().filter_map(|id| id.parse().ok()).take(MOST).collect()
        };
        let mut checks = Vec::new();
        let discord = &self.config.discord;
        let access = Access::new(discord.base.clone(), discord.token.clone(), self.clock.clone());
        if let Some(client) = access.client() {
            for channel in channels {
                checks.push(self.post_card(client, channel).await);
            }
        }
        let stored: BTreeSet<String> = routes
            .filter_map(|target| match target {
                Target::Stored(id) => Some(id.to_string()),
                Target::Channel(_) => None,
            })
            .collect();
        checks.extend(stored.iter().map(|id| {
            Check::warn(
                Code::TestSkipped,
                format!(
                    "The stored webhook {id} got no test: its address is opened by its own command only."
                ),
                format!("Run: nuncio discord-webhooks test {id}"),
            )
        }));
        checks
    }

    async fn post_card(&self, client: &Client, channel: Snowflake) -> Check {
        let body = render::channel_test(self.clock.now());
        let nonce = Nonce::random();
        let posted = client.create_message(channel, &nonce, &body, false);
        let (why, remedy) = match self.clock.within(LIMIT, posted).await {
            Some(attempt) => match attempt.outcome {
                Outcome::Sent(_) => {
                    let took = attempt.took.as_millis();
                    return Check::ok(
                        Code::TestCard,
                        format!("A test card stands in channel {channel}, after {took} ms."),
                    );
                }
                Outcome::Closed(why)
                | Outcome::Denied(why)
                | Outcome::Refused(why)
                | Outcome::Uneditable(why) => {
                    (why.to_string(), "Do what the checks of Discord above say about that channel.")
                }
                Outcome::Retry { .. } | Outcome::Paused { .. } => (
                    "Discord asks for patience, or does not answer".to_owned(),
                    "Try again in a few minutes.",
                ),
            },
            None => (
                format!("Discord did not answer within {} s", LIMIT.as_secs()),
                "Try again in a few minutes.",
            ),
        };
        Check::fail(Code::TestCardFailed, format!("No test card stands in channel {channel}: {why}."), remedy)
    }

    /// Asks XTSystems for its test, and judges which secret it signs with.
    async fn ask_platform(&self, ours: EventId) -> Option<Check> {
        let client = xtsystems::Client::new(&self.config.xtsystems, self.clock.clone())?;
        let url = self.config.webhook.url(self.config.webhook.port);
        // Another check reports a missing registration, or one that leads elsewhere.
        let same =
            |webhook: &xtsystems::Webhook| webhook.url.trim_end_matches('/') == url.trim_end_matches('/');
        let registered = self.clock.within(LIMIT, client.registration(&url)).await?.ok()??;
        if !same(&registered) {
            return None;
        }
        let since = self.clock.now();
        let sent = client.test_webhook(&registered.id).await;
        let judged = self.judged(since).await;
        let arrived = newest_test(&self.config.database.path, since, ours).ok().flatten();
        let failed = |why: String| {
            Check::fail(
                Code::TestFromXtsystemsFailed,
                format!("A test that XTSystems sent did not arrive: {why}."),
                "Does XTSystems reach PUBLIC_URL? nuncio webhooks deliveries lists what it sent and what was answered.",
            )
        };
        let reason = |finding: Finding| judged.iter().find(|found| found.reason == finding.as_str());
        Some(match (sent, arrived) {
            (_, Some(_)) if reason(Finding::PreviousSecret).is_some() => Check::warn(
                Code::XtsystemsSecretPrevious,
                "XTSystems still signs with WEBHOOK_SECRET_PREVIOUS: events are refused as soon as that is taken out.",
                "Run: nuncio webhooks register. It gives XTSystems WEBHOOK_SECRET. Then take WEBHOOK_SECRET_PREVIOUS out.",
            ),
            (_, Some(event)) => Check::ok(
                Code::TestFromXtsystems,
                format!("XTSystems sent a test, signed with the same secret; it is here ({event})."),
            ),
            (_, None) if reason(Finding::Mismatch).is_some() || reason(Finding::Unsigned).is_some() => {
                let problem = if reason(Finding::Unsigned).is_some() { "signs with no secret" } else { "signs with another secret than WEBHOOK_SECRET" };
                Check::fail(
                    Code::XtsystemsSecretDiffers,
                    format!("XTSystems {problem} (or a proxy changes what it sends): its test arrived and was refused."),
                    "Run: nuncio webhooks register. It gives XTSystems WEBHOOK_SECRET.",
                )
            }
            (_, None) if !judged.is_empty() => failed(judged.first().map(|found| found.sentence.clone()).unwrap_or_default()),
            (Ok(report), None) if report.success => failed(
                "XTSystems says that it was taken, but this nuncio has no such event: somebody else answers at that address".to_owned(),
            ),
            (Ok(report), None) => failed(format!("XTSystems says: {}", report.message)),
            (Err(failure), None) => failed(failure.to_string()),
        })
    }
}

fn of_stops(stops: &[Stop]) -> Vec<Check> {
    if stops.is_empty() {
        return vec![Check::warn(
            Code::TestCardWaits,
            "The test went nowhere: no key of the map matches webhook.test, or it is muted.",
            "Add \"default\" or \"webhook.test\" to DISCORD_WEBHOOK_CHANNELS, if tests should be seen.",
        )];
    }
    let of_stop = |Stop { name, status, reason, .. }: &Stop| {
        let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        match status {
            Status::Delivered => Check::ok(Code::TestCard, format!("The test stands in {name}.")),
            Status::Pending | Status::Sending => Check::warn(
                Code::TestCardWaits,
                format!("The test still waits for {name}{why}."),
                "See for what: nuncio deliveries --pending. It is sent by itself.",
            ),
            Status::Dead | Status::Cancelled => Check::fail(
                Code::TestCardFailed,
                format!("The test was not sent to {name}{why}."),
                "See why: nuncio deliveries --dead",
            ),
        }
    };
    stops.iter().map(of_stop).collect()
}
