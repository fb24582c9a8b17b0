//! The final test: an event through the real ingress, until its card is in the channel.
//!
//! A nuncio that serves already takes the test; otherwise one serves in this process for as long as it takes.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::doctor::{self, cannot_listen};
use crate::model::{DeliveryDetails, DeliveryFilter, EventId, Sink, Status};
use crate::outgoing::{Outgoing, USER_AGENT, cause};
use crate::samples;
use crate::setup::database::open;
use crate::setup::server::Servers;
use crate::setup::{Outcome, Setup};
use crate::signature::sign;
use crate::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::store::Store;
use crate::xtsystems;

/// The time limit for the card.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the database is polled.
const BLINK: Duration = Duration::from_millis(10);
/// Longer than ingress waits for the store.
const DEADLINE: Duration = Duration::from_secs(30);
/// The kind of the test. Its sample pings no member, and its card is marked as a sample.
const KIND: &str = "alert.triggered";
/// More deliveries than one event has.
const MOST: u32 = 100;

/// The nuncio that takes the test.
struct Served {
    address: SocketAddr,
    store: Store,
    /// Set if it runs in this process.
    own: Option<(CancellationToken, JoinHandle<()>)>,
}

pub(super) async fn run(
    setup: &mut Setup<'_>,
    config: &Config,
    servers: &Servers,
    platform: Option<&xtsystems::Client>,
    stop: &CancellationToken,
) -> Outcome {
    let nothing = Outcome { is_well: false, serves: false, is_running: false };
    setup.prompt.wait_for(Some("Starting nuncio"));
    let served = serve(setup, config).await;
    setup.prompt.wait_for(None);
    let served = match served {
        Ok(served) => served,
        Err(why) => {
            setup.say(&format!("No test was sent: {why}"));
            return nothing;
        }
    };
    let is_own = served.own.is_some();
    let mut is_well = send(setup, config, servers, &served, stop).await;
    if let Some(platform) = platform {
        is_well &= through_the_platform(setup, config, platform).await;
    }
    match served.own {
        None => served.store.close().await,
        Some((stop, running)) => {
            setup.prompt.wait_for(Some("Stopping"));
            stop.cancel();
            let _ = running.await;
            setup.prompt.wait_for(None);
        }
    }
    if !is_well {
        setup.say("`nuncio doctor` checks everything, and says what to do.");
        return Outcome { is_running: !is_own, ..nothing };
    }
    setup.say("Everything works.");
    if !is_own {
        return Outcome { is_well, serves: false, is_running: true };
    }
    let serves = setup.prompt.confirm("Start nuncio now?", false).unwrap_or(false);
    Outcome { is_well, serves, is_running: false }
}

/// The nuncio on the configured port, or a temporary one there.
async fn serve(setup: &Setup<'_>, config: &Config) -> Result<Served, String> {
    let (host, port) = (config.webhook.host, config.webhook.port);
    let (_, is_running) = doctor::door::port_of_any(&config.webhook).await;
    if is_running {
        let address = SocketAddr::new(doctor::door::reachable(host), port);
        if configuration_of(address).await.as_deref() != Some(&*config.fingerprint) {
            return Err(format!(
                "the nuncio that listens on port {port} has another configuration. Restart it, then run nuncio setup again."
            ));
        }
        return Ok(Served { address, store: open(setup, config).await?, own: None });
    }
    let address = SocketAddr::new(host, port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let (found, remedy) = cannot_listen(address, &error);
        format!("{found}. {remedy}")
    })?;
    let app = App::build(config.clone(), listener, setup.clock.clone()).await;
    let app = app.map_err(|error| format!("nuncio does not start. {error:#}"))?;
    let address = SocketAddr::new(doctor::door::reachable(host), app.addr().port());
    let (store, stop) = (app.store().clone(), CancellationToken::new());
    let running = tokio::spawn(app.run(stop.clone()));
    Ok(Served { address, store, own: Some((stop, running)) })
}

/// The fingerprint of the configuration that a nuncio runs with.
async fn configuration_of(address: SocketAddr) -> Option<String> {
    let http = Outgoing::new(USER_AGENT, DEADLINE, true).client().ok()?;
    let health: Value = http.get(format!("http://{address}/health")).send().await.ok()?.json().await.ok()?;
    health["configuration"].as_str().map(str::to_owned)
}

/// Posts a signed sample, and waits until it is delivered everywhere. Returns whether it was.
async fn send(
    setup: &mut Setup<'_>,
    config: &Config,
    servers: &Servers,
    served: &Served,
    stop: &CancellationToken,
) -> bool {
    let clock = setup.clock.clone();
    let sent_at = clock.now();
    setup.prompt.wait_for(Some("Sending a test event"));
    let followed = match post(config, served.address, sent_at).await {
        Ok(event) => tokio::select! {
            biased;
            () = stop.cancelled() => Err("you stopped it.".to_owned()),
            deliveries = follow(&clock, &served.store, event) => deliveries,
        },
        Err(why) => Err(why),
    };
    setup.prompt.wait_for(None);
    let deliveries = match followed {
        Ok(deliveries) => deliveries,
        Err(why) => {
            setup.say(&format!("The test event came to nothing: {why}"));
            return false;
        }
    };
    if deliveries.is_empty() {
        setup.say(&format!("The test event is kept, but goes nowhere: nothing in the map matches {KIND}."));
        return false;
    }
    let mut is_well = true;
    for delivery in &deliveries {
        is_well &= delivery.status == Status::Delivered;
        let name = match delivery.sink {
            Some(Sink::Channel(id)) => servers.name(id),
            _ => delivery.destination.clone(),
        };
        setup.say(&outcome(delivery, &name, sent_at));
    }
    is_well
}

fn outcome(delivery: &DeliveryDetails, name: &str, sent_at: Timestamp) -> String {
    let why = delivery.closed.as_deref().or(delivery.reason.as_deref());
    match (delivery.status, delivery.finished_at) {
        (Status::Delivered, Some(at)) => {
            format!("Sent a test event: saw it in {name} after {} ms.", at.since(sent_at).as_millis())
        }
        (Status::Cancelled, _) => {
            format!("The test event is not in {name}: that kind is muted. `nuncio unmute` ends it.")
        }
        (Status::Dead, _) => format!(
            "The test event is not in {name}: it was given up ({}).",
            why.unwrap_or("nuncio deliveries --dead says why")
        ),
        _ => format!(
            "The test event is not in {name} after {} s ({}). It is kept, and sent as soon as that is possible.",
            PATIENCE.as_secs(),
            why.unwrap_or("nuncio deliveries --pending says more")
        ),
    }
}

async fn post(config: &Config, address: SocketAddr, now: Timestamp) -> Result<EventId, String> {
    let sample = samples::find(KIND).map(|sample| sample.body).unwrap_or_default();
    let mut body: Map<String, Value> = serde_json::from_str(sample).unwrap_or_default();
    body.insert(samples::MARK.to_owned(), true.into());
    body.insert("timestamp".to_owned(), now.as_secs().into());
    // Two tests within one second must be two events.
    body.insert("test".to_owned(), now.as_millis().into());
    let (body, timestamp) = (Value::Object(body).to_string(), now.as_secs().to_string());
    let signature = sign(&config.webhook.secret, &[timestamp.as_bytes(), body.as_bytes()]);
    let http = Outgoing::new(USER_AGENT, DEADLINE, true).client().map_err(|error| cause(&error))?;
    let answer = http
        .post(format!("http://{address}{}", config.webhook.path))
        .header("content-type", "application/json")
        .header(TIMESTAMP_HEADER, timestamp)
        .header(SIGNATURE_HEADER, signature)
        .body(body)
        .send()
        .await
        .map_err(|error| format!("nuncio did not answer ({}).", cause(&error)))?;
    let status = answer.status();
    let reply: Value = answer.json().await.unwrap_or_default();
    match reply["event_id"].as_str().and_then(|id| id.parse().ok()) {
        Some(event) => Ok(event),
        None => Err(format!("nuncio answered {status}. Is there another WEBHOOK_SECRET in the environment?")),
    }
}

/// Waits until every delivery of the event is delivered or dead, at most for `PATIENCE`.
async fn follow(clock: &Clock, store: &Store, event: EventId) -> Result<Vec<DeliveryDetails>, String> {
    let until = clock.elapsed() + PATIENCE;
    loop {
        let deliveries = store
            .delivery_details_of(DeliveryFilter::Of(event), MOST)
            .await
            .map_err(|error| error.to_string())?;
        let is_open =
            |delivery: &DeliveryDetails| matches!(delivery.status, Status::Pending | Status::Sending);
        if !deliveries.iter().any(is_open) || clock.elapsed() >= until {
            return Ok(deliveries);
        }
        clock.sleep(BLINK).await;
    }
}

/// Asks XTSystems for a test of its own. Returns whether it reached nuncio.
async fn through_the_platform(setup: &mut Setup<'_>, config: &Config, platform: &xtsystems::Client) -> bool {
    let url = config.webhook.url(config.webhook.port);
    setup.prompt.wait_for(Some("Having XTSystems send a test"));
    let tested = match platform.registration(&url).await {
        Ok(Some(webhook)) => platform.test_webhook(&webhook.id).await.map(Some),
        Ok(None) => Ok(None),
        Err(failure) => Err(failure),
    };
    setup.prompt.wait_for(None);
    let (is_well, sentence) = match tested {
        Ok(Some(report)) if report.success => {
            let took = report.ms.map(|ms| format!(" after {ms} ms")).unwrap_or_default();
            (true, format!("XTSystems reaches nuncio: its own test was taken{took}."))
        }
        Ok(Some(report)) => (
            false,
            format!(
                "XTSystems does not reach nuncio at {url}: {}. Does the proxy pass everything on to port {}? Then: nuncio \
                 webhooks test",
                report.message.trim_end_matches('.'),
                config.webhook.port
            ),
        ),
        Ok(None) => (false, "XTSystems has no webhook that sends here: nuncio webhooks register".to_owned()),
        Err(failure) => (false, format!("XTSystems sent no test. {failure}.")),
    };
    setup.say(&sentence);
    is_well
}
