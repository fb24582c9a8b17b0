//! The final test: an event through the real ingress, until its card is in the channel.
//!
//! A running nuncio receives the test; without one, a server runs in this process for the test.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::doctor::test_event::{self, Rejected};
use crate::doctor::{self, cannot_listen};
use crate::model::Status;
use crate::outgoing::{NUNCIO_LIMIT, Outgoing, USER_AGENT, read_body};
use crate::samples;
use crate::setup::server::Servers;
use crate::setup::{Setup, SetupOutcome};
use crate::store::StoppedAt;
use crate::xtsystems;

/// The time limit for the card.
const CARD_LIMIT: Duration = Duration::from_secs(30);
/// The time limit for a nuncio on this machine.
const HEALTH_LIMIT: Duration = Duration::from_secs(30);
/// The kind of the test. Its sample pings no member, and its card is marked as a sample.
const KIND: &str = "alert.triggered";

/// The nuncio that receives the test.
struct Served {
    address: SocketAddr,
    /// Set if it runs in this process.
    own: Option<(CancellationToken, JoinHandle<()>)>,
}

pub(super) async fn run(
    setup: &mut Setup<'_>,
    config: &Config,
    servers: &Servers,
    platform: Option<&xtsystems::XtSystemsClient>,
    stop: &CancellationToken,
) -> SetupOutcome {
    let nothing = SetupOutcome { is_well: false, serves: false, is_running: false };
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
        None => {}
        Some((stop, running)) => {
            setup.prompt.wait_for(Some("Stopping"));
            stop.cancel();
            let _ = running.await;
            setup.prompt.wait_for(None);
        }
    }
    if !is_well {
        setup.say("`nuncio doctor` checks everything, and says what to do.");
        return SetupOutcome { is_running: !is_own, ..nothing };
    }
    setup.say("Everything works.");
    if !is_own {
        return SetupOutcome { is_well, serves: false, is_running: true };
    }
    let serves = setup.prompt.confirm("Start nuncio now?", false).unwrap_or(false);
    SetupOutcome { is_well, serves, is_running: false }
}

/// The nuncio on the configured port, or a temporary one there.
async fn serve(setup: &Setup<'_>, config: &Config) -> Result<Served, String> {
    let (host, port) = (config.webhook.host, config.webhook.port);
    let (_, is_running) = doctor::ingress::port_of(config, setup.clock).await;
    if is_running {
        let address = SocketAddr::new(doctor::ingress::reachable(host), port);
        if configuration_of(address).await.as_deref() != Some(&*config.fingerprint) {
            return Err(format!(
                "the nuncio that listens on port {port} has another configuration. Restart it, then run nuncio setup again. If \
                 it was started in another folder, choose another port instead: nuncio setup --port PORT"
            ));
        }
        return Ok(Served { address, own: None });
    }
    let address = SocketAddr::new(host, port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let (found, remedy) = cannot_listen(address, &error);
        format!("{found}. {remedy}")
    })?;
    let app = App::build(config.clone(), listener, setup.clock.clone()).await;
    let app = app.map_err(|error| format!("nuncio does not start. {error:#}"))?;
    let address = SocketAddr::new(doctor::ingress::reachable(host), app.addr().port());
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    Ok(Served { address, own: Some((stop, running)) })
}

/// The fingerprint of the configuration that a nuncio runs with.
async fn configuration_of(address: SocketAddr) -> Option<String> {
    let http = Outgoing::new(USER_AGENT, HEALTH_LIMIT, true).client().ok()?;
    let response = http.get(format!("http://{address}/health")).send().await.ok()?;
    let health: Value = serde_json::from_slice(&read_body(response, NUNCIO_LIMIT).await.ok()?).ok()?;
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
    let base = format!("http://{}", served.address);
    let sending = async {
        let posted = test_event::post(&config.webhook, &base, sample(sent_at), &clock).await;
        let event = posted.map_err(|rejected| match rejected {
            Rejected::NoAnswer(cause) => format!("nuncio did not answer ({cause})."),
            Rejected::Status(status) => {
                format!("nuncio answered {status}. Is there another WEBHOOK_SECRET in the environment?")
            }
        })?;
        let followed = test_event::follow(&config.database.path, event, &clock, CARD_LIMIT).await;
        followed.map_err(|error| error.to_string())
    };
    let followed = tokio::select! {
        biased;
        () = stop.cancelled() => Err("you stopped it.".to_owned()),
        followed = sending => followed,
    };
    setup.prompt.wait_for(None);
    let stops = match followed {
        Ok(stops) => stops,
        Err(why) => {
            setup.say(&format!("The test event failed: {why}"));
            return false;
        }
    };
    if stops.is_empty() {
        setup.say(&format!("The test event is kept, but goes nowhere: nothing in the map matches {KIND}."));
        return false;
    }
    let mut is_well = true;
    for stop in &stops {
        is_well &= stop.status == Status::Delivered;
        let name = match stop.address.parse() {
            Ok(channel) => servers.name(channel),
            Err(_) => stop.name.clone(),
        };
        setup.say(&outcome(stop, &name, sent_at));
    }
    is_well
}

/// The body of the test.
fn sample(now: Timestamp) -> Map<String, Value> {
    let sample = samples::find(KIND).map(|sample| sample.body).unwrap_or_default();
    let mut body: Map<String, Value> = serde_json::from_str(sample).unwrap_or_default();
    body.insert(samples::MARK.to_owned(), true.into());
    // Two tests within one second must be two events.
    body.insert("test".to_owned(), now.as_millis().into());
    body
}

fn outcome(stop: &StoppedAt, name: &str, sent_at: Timestamp) -> String {
    let why = stop.reason.as_deref();
    match (stop.status, stop.finished_at) {
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
            CARD_LIMIT.as_secs(),
            why.unwrap_or("nuncio deliveries --pending says more")
        ),
    }
}

/// Asks XTSystems for a test of its own. Returns whether it reached nuncio.
async fn through_the_platform(
    setup: &mut Setup<'_>,
    config: &Config,
    platform: &xtsystems::XtSystemsClient,
) -> bool {
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
