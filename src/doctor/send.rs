//! `--send`: an end-to-end test. It sends a signed event through our own ingress, a card to every channel of the map,
//! and a test from XTSystems, which shows whether both sides have one secret.
//!
//! The running nuncio itself reports how it judged a request; its key authorizes that question.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, json};

use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Variables};
use crate::discord::{Access, Client};
use crate::doctor::code::Code;
use crate::doctor::ingress::{NEAR, near};
use crate::doctor::reach::{Prober, Reached};
use crate::doctor::test_event::{self, Rejected};
use crate::doctor::{Check, LIMIT, files, hide};
use crate::hub::Finding;
use crate::ingress::probe::Refusals;
use crate::model::route::Target;
use crate::model::{EventId, Nonce, Outcome, Snowflake, Status};
use crate::render;
use crate::store::{StoppedAt, entrance_of, newest_test};
use crate::xtsystems;

const KIND: &str = "webhook.test";
/// The most channels that get a card.
const MOST: usize = 25;

/// The state shared by all tests.
struct Tester<'a> {
    config: &'a Config,
    clock: &'a Clock,
    access: Access,
    prober: Prober,
    near: String,
}

/// Sends tests, and judges their results. Sends nothing if the configuration is refused or no nuncio runs.
pub async fn send_tests(variables: &Variables, clock: &Clock) -> Vec<Check> {
    let Ok(config) = Config::read(variables, entrance_of(variables)) else { return Vec::new() };
    let mut checks = match tester(&config, clock).await {
        Ok(tester) => tester.run().await,
        Err(check) => vec![check],
    };
    hide(&mut checks, &config);
    checks
}

/// A tester of the running nuncio, if it is this one.
async fn tester<'a>(config: &'a Config, clock: &'a Clock) -> Result<Tester<'a>, Check> {
    let skipped = |why: &str| {
        Err(Check::warn(
            Code::TestSkipped,
            format!("Nothing was sent: {why}."),
            "Start nuncio with this configuration, then run nuncio doctor --send again.",
        ))
    };
    let Ok(Some(key)) = files::read_key(config) else {
        return skipped("there is no readable key, which the first start makes");
    };
    let (prober, near) = (Prober::new(&key, clock), near(&config.webhook));
    if config.webhook.secret.is_none() {
        return Err(Check::ok(
            Code::TestSkipped,
            "Nothing was sent: WEBHOOK_SECRET is not set, so this nuncio takes no events of XTSystems. nuncio \
             discord-webhooks test ID tries a stored webhook.",
        ));
    }
    if config.webhook.port == 0 {
        return skipped("WEBHOOK_PORT is 0, so its port is not known");
    }
    match prober.send(&format!("{near}{}", config.webhook.path), NEAR, true).await {
        Reached::This(_) => {
            let discord = &config.discord;
            let access = Access::new(discord.base.clone(), discord.token.clone(), clock.clone());
            Ok(Tester { config, clock, access, prober, near })
        }
        _ => skipped("this nuncio is not running, or not on WEBHOOK_PORT"),
    }
}

impl Tester<'_> {
    async fn run(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut reached = BTreeSet::new();
        let names = self.channel_names().await;
        let ours = match self.post_event().await {
            Ok((event, check)) => {
                checks.push(check);
                let followed = test_event::follow(&self.config.database.path, event, self.clock, LIMIT).await;
                let stops = followed.unwrap_or_default();
                reached.extend(stops.iter().map(|stop| stop.address.clone()));
                checks.extend(of_stops(&stops, &names));
                event
            }
            Err(check) => {
                checks.push(check);
                EventId::new()
            }
        };
        checks.extend(self.post_cards(&reached, &names).await);
        checks.extend(self.ask_platform(ours).await);
        checks
    }

    /// The names of the map's channels, as Discord gives them.
    async fn channel_names(&self) -> Names {
        let mut names = Names::default();
        let Some(client) = self.access.client() else { return names };
        let asking = async {
            for channel in self.mapped().into_iter().take(MOST) {
                let permit = client.circuit_breaker().acquire().await;
                let found = client.channel(permit, channel).await.ok().and_then(|found| found.name);
                names.0.extend(found.map(|name| (channel.to_string(), format!("#{name}"))));
            }
        };
        // A channel without a name by then is shown by its id.
        let _ = self.clock.within(LIMIT, asking).await;
        names
    }

    /// The channels of the map.
    fn mapped(&self) -> BTreeSet<Snowflake> {
        let routes = self.config.routes.routes().iter().flat_map(|route| &route.targets);
        routes.filter_map(Target::channel).collect()
    }

    /// Posts a signed test to our own ingress.
    async fn post_event(&self) -> Result<(EventId, Check), Check> {
        let (since, began) = (self.clock.now(), self.clock.elapsed());
        let failed = |why: String| {
            Check::fail(
                Code::TestEventRefused,
                format!("The running nuncio refused a test that was signed with WEBHOOK_SECRET: {why}."),
                "`kill -HUP` nuncio or restart it, so that it has this configuration; its log says why it refused the test.",
            )
        };
        // Two tests within one second must be two events.
        let data = json!({"message": "Test from nuncio doctor", "test": EventId::new().to_string()});
        let body = Map::from_iter([("event_type".to_owned(), json!(KIND)), ("data".to_owned(), data)]);
        let posted = test_event::post(&self.config.webhook, &self.near, body, self.clock).await;
        let took = self.clock.elapsed().saturating_sub(began).as_millis();
        let judged = self.judged(since).await;
        let event = posted.map_err(|rejected| {
            failed(match (rejected, judged.first()) {
                (Rejected::NoAnswer(cause), _) => cause,
                (Rejected::Status(_), Some(found)) => found.sentence.clone(),
                (Rejected::Status(status), None) => format!("it answered {status}"),
            })
        })?;
        if judged.iter().any(|found| found.reason == Finding::PreviousSecret.as_str()) {
            return Err(failed("it knows this secret as WEBHOOK_SECRET_PREVIOUS only".to_owned()));
        }
        let found = format!(
            "The running nuncio accepted a test that was signed with WEBHOOK_SECRET, after {took} ms."
        );
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

    /// Posts a card in every channel of the map that `reached` does not name.
    async fn post_cards(&self, reached: &BTreeSet<String>, names: &Names) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(client) = self.access.client() {
            let unreached = self.mapped().into_iter().filter(|id| !reached.contains(&id.to_string()));
            for channel in unreached.take(MOST) {
                checks.push(self.post_card(client, channel, &names.of(&channel.to_string())).await);
            }
        }
        let routes = self.config.routes.routes().iter().flat_map(|route| &route.targets);
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

    async fn post_card(&self, client: &Client, channel: Snowflake, name: &str) -> Check {
        let body = render::channel_test(self.clock.now());
        let nonce = Nonce::random();
        let posted = client.create_message(channel, &nonce, &body, false);
        let (why, remedy) = match self.clock.within(LIMIT, posted).await {
            Some(attempt) => match attempt.outcome {
                Outcome::Sent(_) => {
                    let took = attempt.took.as_millis();
                    return Check::ok(Code::TestCard, format!("A test card is in {name}, after {took} ms."));
                }
                Outcome::Closed(why)
                | Outcome::Denied(why)
                | Outcome::Refused(why)
                | Outcome::Uneditable(why) => {
                    (why.to_string(), "Do what the checks of Discord above say about this channel.")
                }
                Outcome::Retry { .. } | Outcome::Paused { .. } => (
                    "Discord asks nuncio to wait, or does not answer".to_owned(),
                    "Try again in a few minutes.",
                ),
            },
            None => (
                format!("Discord did not answer within {} s", LIMIT.as_secs()),
                "Try again in a few minutes.",
            ),
        };
        Check::fail(Code::TestCardFailed, format!("No test card is in {name}: {why}."), remedy)
    }

    /// Asks XTSystems for its test, and judges which secret it signs with.
    async fn ask_platform(&self, ours: EventId) -> Option<Check> {
        let client = xtsystems::XtSystemsClient::new(&self.config.xtsystems, self.clock.clone())?;
        let url = self.config.webhook.url(self.config.webhook.port);
        // Another check reports a missing registration, or one that leads elsewhere.
        let same = |webhook: &xtsystems::PlatformWebhook| {
            webhook.url.trim_end_matches('/') == url.trim_end_matches('/')
        };
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
                "XTSystems still signs with WEBHOOK_SECRET_PREVIOUS: events are refused as soon as it is removed.",
                "Run: nuncio webhooks register. It gives XTSystems WEBHOOK_SECRET. Then remove WEBHOOK_SECRET_PREVIOUS.",
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
                "XTSystems reports that it was accepted, but this nuncio has no such event: another program answers at that address".to_owned(),
            ),
            (Ok(report), None) => failed(format!("XTSystems says: {}", report.message)),
            (Err(failure), None) => failed(failure.to_string()),
        })
    }
}

/// Names of channels by their ids.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(&self, channel: &str) -> String {
        self.0.get(channel).cloned().unwrap_or_else(|| format!("channel {channel}"))
    }
}

fn of_stops(stops: &[StoppedAt], names: &Names) -> Vec<Check> {
    if stops.is_empty() {
        return vec![Check::warn(
            Code::TestCardWaits,
            "The test went nowhere: no key of the map matches webhook.test, or it is muted.",
            "Add \"default\" or \"webhook.test\" to DISCORD_WEBHOOK_CHANNELS, if tests should be seen.",
        )];
    }
    let of_stop = |StoppedAt { name, address, status, reason, .. }: &StoppedAt| {
        let name = names.0.get(address).unwrap_or(name);
        let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        match status {
            Status::Delivered => Check::ok(Code::TestCard, format!("The test is in {name}.")),
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
