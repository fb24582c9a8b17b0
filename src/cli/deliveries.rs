//! `nuncio deliveries`: waiting, delivered and dead deliveries; with an id, every attempt.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::corrupt::{self, UNREADABLE};
use crate::cli::id_lookup::{self, Named};
use crate::cli::table::{age, clean, fitted, short};
use crate::cli::{counted, database, print, say};
use crate::clock::{Clock, Moment, Timestamp};
use crate::config::Config;
use crate::model::{AttemptRow, DeliveryDetails, DeliveryFilter, Event, RowResult, Sink, Status};
use crate::store::Store;

/// The most characters of a text from outside in a table.
const GLIMPSE: usize = 60;
/// The most characters of an answer shown for each attempt.
const EXCERPT: usize = 300;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One delivery, or all of one event, with every attempt: dlv_… or evt_…, or the last 8 characters
    #[arg(conflicts_with_all = ["dead", "pending", "unrouted", "limit"])]
    id: Option<String>,
    /// Only those that were given up
    #[arg(long, conflicts_with_all = ["pending", "unrouted"])]
    dead: bool,
    /// Only those that wait or are being sent
    #[arg(long, conflicts_with = "unrouted")]
    pending: bool,
    /// Events without deliveries, because no key of the map matched
    #[arg(long)]
    unrouted: bool,
    /// Print a JSON array, newest first
    #[arg(long)]
    json: bool,
    /// Maximum number of deliveries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// Prints deliveries as JSON or as a table on stdout, newest first.
///
/// # Errors
/// If the database cannot be used, or no event or delivery has that id.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let store = database::open(&config, clock.clone()).await?;
    let printed = print_all(args, &store, clock.moment()).await;
    store.close().await;
    printed.map(|()| ExitCode::SUCCESS)
}

async fn print_all(args: &Args, store: &Store, now: Moment) -> anyhow::Result<()> {
    if let Some(id) = &args.id {
        return tell_one(store, id_lookup::find(store, id).await?, args.json, now).await;
    }
    if args.unrouted {
        let events = store.unrouted(None, args.limit).await?;
        let lines = events.iter().map(|event| unrouted_line(event, now.wall)).collect();
        show(args.json, events.iter().map(unrouted_json).collect(), lines, "No event is without a route.");
        return Ok(());
    }
    let (which, none) = match args {
        Args { dead: true, .. } => (DeliveryFilter::Dead, "Nothing was given up."),
        Args { pending: true, .. } => (DeliveryFilter::Pending, "Nothing waits."),
        _ => (DeliveryFilter::All, "No deliveries yet."),
    };
    let deliveries = store.deliveries_after(which, 0, args.limit).await?;
    let lines: Vec<String> = deliveries.iter().map(|delivery| line(delivery, now.wall)).collect();
    show(args.json, deliveries.iter().map(|delivery| json_of(delivery, now)).collect(), lines, none);
    if deliveries.len() == args.limit as usize {
        say(&format!("These are the newest {}; --limit shows more.", args.limit));
    }
    if !args.json && deliveries.iter().any(Result::is_err) {
        say(&corrupt::advice(store));
    }
    if !args.json && deliveries.iter().flatten().any(|delivery| delivery.status == Status::Dead) {
        say(
            "nuncio deliveries ID shows what was tried; nuncio redeliver ID, or --dead for all, sends it again.",
        );
    }
    Ok(())
}

async fn tell_one(store: &Store, named: Named, json: bool, now: Moment) -> anyhow::Result<()> {
    let deliveries: Vec<RowResult<DeliveryDetails>> = match named {
        Named::Delivery(id) => store.delivery_details(id).await?.into_iter().collect(),
        Named::Event(id) => store.deliveries_after(DeliveryFilter::Of(id), 0, 10_000).await?,
    };
    let mut rows = Vec::new();
    for delivery in &deliveries {
        let tries = match delivery {
            Ok(delivery) => store.tries(delivery.id).await?,
            Err(_) => Vec::new(),
        };
        if json {
            let mut row = json_of(delivery, now);
            row["tries"] = tries.iter().map(try_json).collect();
            rows.push(row);
        } else {
            details(delivery, now.wall)
                .iter()
                .chain(&tries.iter().map(try_lines).collect::<Vec<_>>())
                .for_each(|line| print(line));
        }
    }
    if !json && deliveries.iter().any(Result::is_err) {
        say(&corrupt::advice(store));
    }
    match named {
        Named::Delivery(_) if json => print(&rows.pop().unwrap_or_default().to_string()),
        Named::Event(_) if json => print(&Value::Array(rows).to_string()),
        Named::Event(id) if deliveries.is_empty() => {
            say(&format!("{id} has no deliveries: it goes nowhere (yet)."))
        }
        _ => {}
    }
    Ok(())
}

fn show(json: bool, rows: Vec<Value>, lines: Vec<String>, none: &str) {
    if json {
        print(&Value::Array(rows).to_string());
    } else if lines.is_empty() {
        say(none);
    } else {
        say(&columns("ID", "KIND", "DESTINATION", "STATUS", "TRIES", "AGE", "REASON"));
        lines.iter().for_each(|line| print(&fitted(line)));
    }
}

fn columns(id: &str, kind: &str, place: &str, status: &str, tries: &str, age: &str, reason: &str) -> String {
    let line = format!("{id:8}  {kind:20}  {place:20}  {status:10}  {tries:>5}  {age:>4}  {reason}");
    line.trim_end().to_owned()
}

fn line(delivery: &RowResult<DeliveryDetails>, now: Timestamp) -> String {
    let delivery = match delivery {
        Ok(delivery) => delivery,
        Err(row) => {
            let (id, why) = (clean(&row.short(), 8), clean(&row.why, EXCERPT));
            return columns(&id, "-", "-", UNREADABLE, "-", "-", &why);
        }
    };
    columns(
        &delivery.id.short(),
        delivery.kind.as_str(),
        &clean(&delivery.destination, 20),
        delivery.status.as_str(),
        &delivery.attempts.to_string(),
        &age(now.since(delivery.received_at)),
        &clean(why(delivery).unwrap_or_default(), GLIMPSE),
    )
}

/// The reason of the delivery's status; while it waits, also why its destination is closed.
fn why(delivery: &DeliveryDetails) -> Option<&str> {
    let waits = matches!(delivery.status, Status::Pending | Status::Sending);
    delivery.reason.as_deref().or(delivery.closed.as_deref().filter(|_| waits))
}

fn unrouted_line(event: &Event, now: Timestamp) -> String {
    let age = age(now.since(event.received_at));
    columns(
        &event.id.short(),
        event.kind.as_str(),
        "-",
        "unrouted",
        "0",
        &age,
        "no key of the map matches it",
    )
}

fn details(delivery: &RowResult<DeliveryDetails>, now: Timestamp) -> Vec<String> {
    let delivery = match delivery {
        Ok(delivery) => delivery,
        Err(row) => {
            return vec![format!(
                "{}  cannot be read: {}",
                clean(&row.id, GLIMPSE),
                clean(&row.why, EXCERPT)
            )];
        }
    };
    let again = match delivery.generation {
        0 => String::new(),
        1 => ", redelivered once".to_owned(),
        times => format!(", redelivered {times} times"),
    };
    let address = address(delivery).map(|address| format!(" ({address})")).unwrap_or_default();
    let mut lines = vec![
        format!(
            "{}  {} to {}{address}",
            delivery.id,
            delivery.kind.as_str(),
            clean(&delivery.destination, GLIMPSE)
        ),
        format!(
            "  event     {}, received {}, {} ago",
            delivery.event_id,
            short(delivery.received_at),
            age(now.since(delivery.received_at))
        ),
        format!(
            "  status    {}{again}, tried {}",
            delivery.status.as_str(),
            counted(delivery.attempts, "time")
        ),
    ];
    lines.extend(why(delivery).map(|reason| format!("  reason    {}", clean(reason, EXCERPT))));
    lines
}

/// The part of a webhook's address that may be shown.
fn address(delivery: &DeliveryDetails) -> Option<String> {
    delivery.sink.as_ref().and_then(Sink::shown_address)
}

fn try_lines(tried: &AttemptRow) -> String {
    let status = tried.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let code = tried.code.map(|code| format!(" code {code}")).unwrap_or_default();
    let response = clean(&tried.response, EXCERPT);
    format!(
        "  {}  {}  {status}{code}  {} ms  {response}",
        short(tried.started_at),
        tried.class,
        tried.took_ms
    )
    .trim_end()
    .to_owned()
}

pub(super) fn json_of(delivery: &RowResult<DeliveryDetails>, now: Moment) -> Value {
    let delivery = match delivery {
        Ok(delivery) => delivery,
        Err(row) => return corrupt::json(row),
    };
    json!({
        "id": delivery.id.to_string(),
        "event_id": delivery.event_id.to_string(),
        "kind": delivery.kind.as_str(),
        "company_id": delivery.company,
        "received_at": delivery.received_at.to_rfc3339(),
        "destination": {
            "id": delivery.destination_id.to_string(), "name": delivery.destination, "closed": delivery.closed,
            "sink": delivery.sink.as_ref().map(Sink::kind), "address": address(delivery),
        },
        "status": delivery.status.as_str(),
        "reason": delivery.reason,
        "attempts": delivery.attempts,
        "generation": delivery.generation,
        "due_at": now.wall_at(delivery.due_at).to_rfc3339(),
        "finished_at": delivery.finished_at.map(Timestamp::to_rfc3339),
    })
}

fn unrouted_json(event: &Event) -> Value {
    json!({
        "id": Value::Null,
        "event_id": event.id.to_string(),
        "kind": event.kind.as_str(),
        "company_id": event.company,
        "received_at": event.received_at.to_rfc3339(),
        "status": "unrouted",
    })
}

fn try_json(tried: &AttemptRow) -> Value {
    json!({
        "started_at": tried.started_at.to_rfc3339(),
        "took_ms": tried.took_ms,
        "status": tried.status,
        "class": tried.class,
        "code": tried.code,
        "response": tried.response,
    })
}
