//! The cost of each step of the line: verify, parse, route, accept, decide, render, pack and fit.
//!
//! ```text
//! cargo bench                  # everything, about two minutes
//! cargo bench -- accept        # only what matches
//! ```

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use nuncio::clock::{Clock, Timestamp};
use nuncio::config::{Config, Variables};
use nuncio::discord::Access;
use nuncio::dispatch::{Dispatcher, SinkClients};
use nuncio::hub::Hub;
use nuncio::ingress::source::xtsystems::parse;
use nuncio::model::{Event, EventId, Kind, Links, NewEvent, Payload};
use nuncio::render::{self, View};
use nuncio::samples;
use nuncio::secret::Secret;
use nuncio::signature::{sign, xtsystems::check};
use nuncio::store::{HintReceiver, HintSender, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const TIMESTAMP: &str = "1705314600";
/// How many senders wait for the same commit.
const GROUP: usize = 64;

/// The map of a busy installation.
const MAP: &str = r#"{"ticket.*":["1"],"ticket.created":["2"],"ticket.*@acme":["3"],"asset.*":["4"],
    "machine.*":["5"],"alert.*":["6","7"],"alert.triggered@acme":["8"],"user.*":[],"default":["9"]}"#;

fn received_at() -> Timestamp {
    Timestamp::from_secs(1_705_314_600)
}

/// A body of the documented kind with a number, so that no two are the same event.
fn body(number: u64) -> Bytes {
    let body = samples::find("ticket.updated").map_or("{}", |sample| sample.body);
    let rest = body.strip_prefix('{').unwrap_or(body);
    Bytes::from(format!(r#"{{"timestamp":{TIMESTAMP},"number":{number},{rest}"#))
}

fn new_event(number: u64) -> NewEvent {
    parse(&body(number), TIMESTAMP, received_at()).unwrap_or_else(|reason| panic!("{reason}"))
}

/// An event with a subject of its own.
fn new_thing(number: u64) -> NewEvent {
    let new = new_event(number);
    NewEvent { subject: format!("{}-{number}", new.subject), ..new }
}

fn event(kind: &str) -> Event {
    let body = samples::find(kind).map_or("{}", |sample| sample.body);
    let new = parse(&Bytes::from_static(body.as_bytes()), TIMESTAMP, received_at())
        .unwrap_or_else(|reason| panic!("{reason}"));
    Event {
        id: EventId::new(),
        source: new.source,
        kind: new.kind,
        company: new.company,
        subject: new.subject,
        occurred_at: new.occurred_at,
        received_at: new.received_at,
        size: body.len(),
        data: Payload::of(new.source, new.body),
    }
}

fn config() -> Config {
    let variables = [("WEBHOOK_SECRET", "a secret of the benchmark"), ("DISCORD_WEBHOOK_CHANNELS", MAP)];
    let variables = Variables::from_map(variables.map(|(name, value)| (name, value.to_owned())));
    Config::from_variables(&variables).unwrap_or_else(|report| panic!("{report}"))
}

fn door(c: &mut Criterion) {
    let secret = Secret::new("a secret of the benchmark");
    let body = body(0);
    let signature = sign(&secret, &[TIMESTAMP.as_bytes(), &body]);
    let mut group = c.benchmark_group("door");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("verify", |b| {
        b.iter(|| {
            let checked =
                check(&secret, TIMESTAMP.as_bytes(), signature.as_bytes(), black_box(&body), received_at());
            assert!(checked.is_ok());
        });
    });
    group.bench_function("parse", |b| b.iter(|| parse(black_box(&body), TIMESTAMP, received_at())));
    group.finish();
}

fn route(c: &mut Criterion) {
    let map = config().routes;
    let kinds: Vec<Kind> =
        ["ticket.created", "alert.triggered", "machine.approved", "printer.jammed"].map(Kind::new).to_vec();
    c.bench_function("route", |b| {
        b.iter(|| kinds.iter().filter_map(|kind| map.find(black_box(kind), "acme")).count());
    });
}

/// A hub with a database of its own; only `hints` receives its hints.
async fn hub(folder: &TempDir) -> (Hub, Store, HintReceiver, Config) {
    let (hint_sender, hints) = HintSender::channel();
    let clock = Clock::system();
    let store = Store::open(&folder.path().join("bench.db"), clock.clone(), hint_sender)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let config = config();
    let hub = Hub::new(store.clone(), clock, config.routes.clone(), config.pings.clone())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    (hub, store, hints, config)
}

/// A whole bulk insert into a real database: acknowledged when it is on disk.
fn accept(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap_or_else(|error| panic!("{error}"));
    let folder = TempDir::new().unwrap_or_else(|error| panic!("{error}"));
    let (hub, ..) = runtime.block_on(hub(&folder));
    let number = Arc::new(AtomicU64::new(0));
    let mut group = c.benchmark_group("accept");
    group.throughput(Throughput::Elements(GROUP as u64)).sample_size(50);
    group.bench_function("64 at once", |b| {
        b.iter_batched(
            || (0..GROUP).map(|_| new_event(number.fetch_add(1, Ordering::Relaxed))).collect::<Vec<_>>(),
            |events| {
                let accepted = runtime.block_on(join_all(events.into_iter().map(|event| hub.accept(event))));
                assert!(accepted.iter().all(|accepted| accepted.as_ref().is_ok_and(|one| !one.duplicate)));
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// A lane that is behind, with a full queue: plans its next message, and composes it.
fn decide(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap_or_else(|error| panic!("{error}"));
    let folder = TempDir::new().unwrap_or_else(|error| panic!("{error}"));
    let rehearsal = runtime.block_on(async {
        let (hub, store, hints, config) = hub(&folder).await;
        for accepted in join_all((0..GROUP as u64).map(|number| hub.accept(new_thing(number)))).await {
            assert!(accepted.is_ok_and(|one| !one.duplicate));
        }
        let due = store.due_destinations(Clock::system().steady()).await.unwrap_or_default();
        let links = config.xtsystems.links;
        let discord = Access::new(config.discord.base, None, Clock::system());
        let clients = SinkClients { discord, platform: None };
        let dispatcher =
            Dispatcher::new(store, hub, hints, clients, links, config.composition, Clock::system());
        let destination = due.first().copied().unwrap_or_else(|| panic!("nothing waits"));
        dispatcher.dry_run(destination).await.unwrap_or_else(|error| panic!("{error}"))
    });
    let next =
        || async { rehearsal.plan().await.ok().flatten().unwrap_or_else(|| panic!("nothing is next")) };
    let mut group = c.benchmark_group("lane");
    group.bench_function("decide what is next, 64 waiting", |b| b.iter(|| runtime.block_on(next())));
    let message = runtime.block_on(next());
    group.bench_function("compose it", |b| {
        b.iter(|| runtime.block_on(rehearsal.compose(black_box(message.clone()))).is_ok());
    });
    group.finish();
}

/// How many cards fit into one message.
fn pack(c: &mut Criterion) {
    let links = Links::default();
    let view = View { company_name: Some("Acme"), links: &links, asked: None };
    let cards: Vec<_> =
        samples::all().iter().take(10).map(|sample| render::card(&event(sample.kind), &view)).collect();
    c.bench_function("pack ten cards", |b| b.iter(|| render::pack(black_box(&cards))));
}

fn render(c: &mut Criterion) {
    let links = Links::default();
    let view = View { company_name: Some("Acme"), links: &links, asked: None };
    let one = [event("ticket.created")];
    let ten: Vec<Event> = samples::all().iter().take(10).map(|sample| event(sample.kind)).collect();
    let mut group = c.benchmark_group("render, fit and write as JSON");
    for (name, events) in [("one card", &one[..]), ("ten cards in one message", &ten)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let cards: Vec<_> =
                    black_box(events).iter().map(|event| render::card(event, &view)).collect();
                serde_json::to_vec(&render::message(&cards, &[])).map_or(0, |bytes| bytes.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, door, route, accept, decide, render, pack);
criterion_main!(benches);
