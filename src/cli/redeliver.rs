//! `nuncio redeliver`: sends dead, delivered or unrouted events again.

use std::process::ExitCode;
use std::time::Duration;

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::id_lookup::{self, Named};
use crate::cli::progress::Progress;
use crate::cli::{Usage, counted, database, print, say, table};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::hub::{Hub, Redelivered};
use crate::model::{By, DeliveryId, EventId, NotRetried, Revived, Status};
use crate::store::{Lock, Store};

/// Printed for a closed destination that stays closed.
const ELSEWHERE: &str = "If the map now names another channel: nuncio redeliver --closed";
/// Printed when a call to the platform is due again.
const AGAIN: &str = "The call to XTSystems is made again.";

/// Printed for a destination that was removed.
const NAME_ANOTHER: &str = "Name another channel in DISCORD_WEBHOOK_CHANNELS for new events; the earlier ones are kept (nuncio events)";

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Args {
    /// A delivery, or an event (its dead deliveries or, if none is dead, all of them): dlv_… or evt_…, or its last 8
    /// characters
    #[arg(group = "what")]
    id: Option<String>,
    /// Everything that was given up (dead)
    #[arg(long, group = "what")]
    dead: bool,
    /// With --dead: only what was given up since then: 30m, 2h, 3d, or a date such as 2024-01-15 or 2024-01-15T10:30:00Z
    #[arg(long, requires = "dead", value_name = "TIME")]
    since: Option<String>,
    /// Events that had no route when they came in
    #[arg(long, group = "what")]
    unrouted: bool,
    /// What waits for a closed or no longer mapped destination; it goes where the map leads now
    #[arg(long, group = "what")]
    closed: bool,
}

/// Makes deliveries pending again. A running `nuncio serve` sends them within a second, otherwise the next one does.
///
/// # Errors
/// If the database or its key cannot be used, nothing has that id, or it cannot be redelivered.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let since = args.since.as_deref().map(|text| since(text, clock.now())).transpose()?;
    let path = config.database.path.clone();
    let store = database::open(&config, clock.clone()).await?;
    let hub = Hub::new(store.clone(), clock, config.routes, config.pings).await?;
    let done = match app::unlock(&store, &config.encryption).await {
        Ok(()) => redeliver(args, since.unwrap_or_default(), &store, &hub).await,
        Err(error) => Err(error),
    };
    store.close().await;
    let done = done?;
    if done.reopened > 0 {
        say(&format!("{} tried again.", are(done.reopened, "closed destination")));
    }
    if done.deliveries + done.calls > 0 && !Lock::is_held(&path) {
        say("nuncio is not running on this database: they are sent at its next start.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn redeliver(args: &Args, since: Timestamp, store: &Store, hub: &Hub) -> anyhow::Result<Redelivered> {
    let by = &By::new(actor(), "command.redeliver");
    if let Some(id) = &args.id {
        let named = id_lookup::find(store, id).await?;
        return match named {
            Named::Event(id) => event(id, hub, by).await,
            Named::Delivery(id) => delivery(id, hub, by).await,
        };
    }
    if args.dead {
        let all = store.count_dead(since).await?;
        let progress = Progress::new("redelivering what was given up");
        let done = hub.redeliver_dead(since, by, |done| report(&progress, done.seen(), all)).await;
        drop(progress);
        let done = done.map_err(at_shell)?;
        print(&format!("{} due again.", are(done.deliveries, "dead delivery")));
        say_left(&done);
        return Ok(done);
    }
    if args.closed {
        return closed(hub, by).await;
    }
    let all = store.backlog().await?.unrouted;
    let progress = Progress::new("routing what had no route");
    let done = hub.redeliver_unrouted(by, |done| report(&progress, done.routed + done.unrouted, all)).await;
    drop(progress);
    let done = done.map_err(at_shell)?;
    print(&format!(
        "{} a route now: {} due. {} none.",
        have(done.routed),
        are(done.deliveries, "delivery"),
        have(done.unrouted)
    ));
    if done.unrouted > 0 {
        say("Add their kinds, or \"default\", to DISCORD_WEBHOOK_CHANNELS and try again.");
    }
    Ok(done)
}

async fn closed(hub: &Hub, by: &By) -> anyhow::Result<Redelivered> {
    let all: u64 = hub.stranded().await?.iter().map(|stranded| stranded.waiting).sum();
    let progress = Progress::new("sending what waits elsewhere");
    let done = hub.redeliver_closed(by, |seen| report(&progress, seen, all.max(seen))).await;
    drop(progress);
    let done = done.map_err(at_shell)?;
    let go = if done.moved == 1 { "goes" } else { "go" };
    print(&format!("{} {go} where the map leads now.", counted(done.moved, "delivery")));
    if done.cancelled > 0 {
        say(&format!(
            "{} were cancelled: their events already go there, or their cards are gone.",
            done.cancelled
        ));
    }
    if done.kept > 0 {
        say(&format!(
            "{} still wait: the map names no other channel for them. Name one (Set channel in /webhook-config, or \
             DISCORD_WEBHOOK_CHANNELS, then `kill -HUP` nuncio or restart it) and try again.",
            done.kept
        ));
    }
    if done.in_flight > 0 {
        say(&format!("{} are being sent right now: try again in a minute.", done.in_flight));
    }
    Ok(Redelivered { deliveries: done.moved, ..Redelivered::default() })
}

async fn event(id: EventId, hub: &Hub, by: &By) -> anyhow::Result<Redelivered> {
    let done = hub.redeliver_event(id, by).await.map_err(at_shell)?;
    anyhow::ensure!(
        done.unrouted == 0,
        "{id} still has no route: add its kind, or \"default\", to DISCORD_WEBHOOK_CHANNELS and try again"
    );
    if done.deliveries + done.calls + done.unfinished == 0 {
        anyhow::ensure!(
            done.gone == 0,
            "{id} cannot be sent again: its destination was removed. {NAME_ANOTHER}"
        );
        if let Some(why) = done.not_called.keys().next() {
            anyhow::bail!("the call of {id} to XTSystems is not made again: {}", why.reason());
        }
    }
    if done.deliveries > 0 || done.calls == 0 {
        let are = if done.deliveries == 1 { "is" } else { "are" };
        print(&format!("{} of {id} {are} due.", counted(done.deliveries, "delivery")));
    }
    if done.calls > 0 {
        print(AGAIN);
    }
    say_left(&done);
    if done.unfinished > 0 {
        say(&format!("{} of them wait already: nuncio sends them by itself.", done.unfinished));
    }
    Ok(done)
}

async fn delivery(id: DeliveryId, hub: &Hub, by: &By) -> anyhow::Result<Redelivered> {
    let revived = hub.redeliver(id, by).await.map_err(at_shell)?.unwrap_or(Revived::NotFound);
    match revived {
        Revived::Pending { reopened } => {
            print(&format!("{id} is due."));
            if let Some((Ok(delivery), _)) = hub.delivery_details(id).await?
                && let Some(why) = delivery.closed
            {
                say(&format!(
                    "It still waits, because {} is closed: {why}",
                    table::clean(&delivery.destination, 80)
                ));
                say(ELSEWHERE);
            }
            Ok(Redelivered { deliveries: 1, reopened: u64::from(reopened), ..Redelivered::default() })
        }
        Revived::Called => {
            print(AGAIN);
            Ok(Redelivered { calls: 1, ..Redelivered::default() })
        }
        Revived::NotCalled(why) => {
            anyhow::bail!("the call of {id} to XTSystems is not made again: {}", why.reason())
        }
        Revived::Conflict { reopened: true, .. } => {
            print(&format!("{id} waits for its destination, which was closed: nuncio tries it again now."));
            Ok(Redelivered { deliveries: 1, ..Redelivered::default() })
        }
        Revived::Conflict { status: Status::Sending, .. } => {
            anyhow::bail!("{id} is being sent right now: wait for its result")
        }
        Revived::Conflict { .. } => {
            anyhow::bail!(
                "{id} is already pending and will be sent: nuncio deliveries {} shows its state",
                id.short()
            )
        }
        Revived::Gone(name) => {
            anyhow::bail!(
                "{id} cannot be sent again: {} was removed. {NAME_ANOTHER}",
                table::clean(&name, 80)
            )
        }
        Revived::Unreadable => anyhow::bail!("{id} cannot be read: its row is damaged"),
        Revived::NotFound => {
            anyhow::bail!("{id} has just been removed, because it is older than RETENTION_DAYS")
        }
    }
}

/// Prints what was left alone, and why.
fn say_left(done: &Redelivered) {
    if done.gone > 0 {
        say(&format!("{} cannot be sent: their destinations were removed. {NAME_ANOTHER}", done.gone));
    }
    if done.unreadable > 0 {
        say(&format!("{} cannot be read: their rows are damaged.", done.unreadable));
    }
    for (why, count) in &done.not_called {
        say(&match (why, count) {
            (NotRetried::LeftToCard, 1) => "1 decision left alone: press Try again on its card.".to_owned(),
            (NotRetried::LeftToCard, count) => {
                format!("{count} decisions left alone: press Try again on their cards.")
            }
            (why, 1) => format!("1 call to XTSystems left alone: {}.", why.reason()),
            (why, count) => format!("{count} calls to XTSystems left alone: {}.", why.reason()),
        });
    }
}

/// "1 delivery is", "2 deliveries are".
fn are(count: u64, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "is" } else { "are" })
}

/// "1 event has", "2 events have".
fn have(count: u64) -> String {
    format!("{} {}", counted(count, "event"), if count == 1 { "has" } else { "have" })
}

/// Reports progress: on a terminal in one line that disappears, elsewhere in a new line each time.
fn report(progress: &Progress, done: u64, all: u64) {
    match progress.is_shown() {
        true => progress.set(done, all),
        false => say(&format!("{done} of {all}")),
    }
}

/// Parses a start time: `2h` before `now`, or a date.
fn since(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let text = text.trim();
    let span = text.split_at_checked(text.len().saturating_sub(1)).and_then(|(count, unit)| {
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let digits = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit());
        digits.then(|| count.parse::<u64>().ok()?.checked_mul(seconds)).flatten()
    });
    let date =
        || Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")));
    span.map(|seconds| now.minus(Duration::from_secs(seconds))).or_else(date).ok_or_else(|| {
        let shown: String = text.chars().filter(|letter| !letter.is_control()).take(40).collect();
        Usage(format!("--since {shown:?} is no time: 30m, 2h, 3d, 2024-01-15 or 2024-01-15T10:30:00Z (UTC)"))
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("30m", Some(1_705_314_600 - 1800))]
    #[case("2h", Some(1_705_314_600 - 7200))]
    #[case("3d", Some(1_705_314_600 - 3 * 86_400))]
    #[case("2024-01-15", Some(1_705_276_800))]
    #[case("2024-01-15T10:00:00Z", Some(1_705_312_800))]
    #[case("2024-01-15T11:00:00+01:00", Some(1_705_312_800))]
    #[case("", None)]
    #[case("h", None)]
    #[case("-2h", None)]
    #[case("2 h", None)]
    #[case("2w", None)]
    #[case("yesterday", None)]
    #[case("99999999999999999999d", None)]
    #[case("ü", None)]
    fn since_is_a_span_or_a_date(#[case] text: &str, #[case] expected: Option<i64>) {
        let now = Timestamp::from_secs(1_705_314_600);
        assert_eq!(since(text, now).ok().map(Timestamp::as_secs), expected);
    }
}
