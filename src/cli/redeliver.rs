//! `nuncio redeliver`: sends again what was given up, delivered, or left without a route.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::named::{self, Named};
use crate::cli::{Usage, database, print, say, table};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::hub::{Hub, Redelivered};
use crate::model::Status;
use crate::store::{Lock, Revived, Store};

/// What to do where a destination was removed.
const NAME_ANOTHER: &str =
    "Name another place in DISCORD_WEBHOOK_CHANNELS; what was for it before stays in the events";

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Args {
    /// A delivery, or an event (its dead deliveries or, if none is dead, all of them): dlv_… or evt_…, or its last 8
    /// characters
    #[arg(group = "what")]
    id: Option<String>,
    /// Everything that was given up
    #[arg(long, group = "what")]
    dead: bool,
    /// With --dead: given up since then: 30m, 2h, 3d, or a date such as 2024-01-15 or 2024-01-15T10:30:00Z
    #[arg(long, requires = "dead", value_name = "TIME")]
    since: Option<String>,
    /// Events that had no route when they came
    #[arg(long, group = "what")]
    unrouted: bool,
}

/// Makes them pending again. A running `nuncio serve` sends them within a second; else the next one does.
///
/// # Errors
/// If the database cannot be used, or there is nothing of that id.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let since = args.since.as_deref().map(|text| since(text, clock.now())).transpose()?;
    let path = config.database.path.clone();
    let store = database::open(&config, clock.clone()).await?;
    let hub = Hub::new(store.clone(), clock, config.routes, config.pings).await?;
    let done = redeliver(args, since.unwrap_or_default(), &store, &hub).await;
    store.close().await;
    let done = done?;
    if done.reopened > 0 {
        say(&format!("{} closed destinations are open again.", done.reopened));
    }
    if done.deliveries > 0 && !Lock::is_held(&path) {
        say("nuncio does not run on this database now: they go out when it does.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn redeliver(args: &Args, since: Timestamp, store: &Store, hub: &Hub) -> anyhow::Result<Redelivered> {
    if let Some(id) = &args.id {
        return one(named::find(store, id).await?, hub).await;
    }
    if args.dead {
        let all = store.count_dead(since).await?;
        let done = hub.redeliver_dead(since, |done| progress(done.deliveries, all)).await?;
        print(&format!("{} dead deliveries are due again.", done.deliveries));
        say_gone(done.gone);
        return Ok(done);
    }
    let all = store.backlog().await?.unrouted;
    let done = hub.redeliver_unrouted(|done| progress(done.routed + done.unrouted, all)).await?;
    print(&format!(
        "{} events now have a route: {} deliveries are due. {} still have none.",
        done.routed, done.deliveries, done.unrouted
    ));
    if done.unrouted > 0 {
        say("Add their kinds, or \"default\", to DISCORD_WEBHOOK_CHANNELS and try again.");
    }
    Ok(done)
}

async fn one(named: Named, hub: &Hub) -> anyhow::Result<Redelivered> {
    match named {
        Named::Event(id) => {
            let done = hub.redeliver_event(id).await?;
            anyhow::ensure!(
                done.unrouted == 0,
                "{id} still has no route: add its kind, or \"default\", to DISCORD_WEBHOOK_CHANNELS and try again"
            );
            anyhow::ensure!(
                done.gone == 0 || done.deliveries + done.unfinished > 0,
                "where {id} went was removed: nothing can be sent there. {NAME_ANOTHER}"
            );
            print(&format!("{} deliveries of {id} are due.", done.deliveries));
            say_gone(done.gone);
            if done.unfinished > 0 {
                say(&format!("{} of them wait already: they go out by themselves.", done.unfinished));
            }
            Ok(done)
        }
        Named::Delivery(id) => match hub.redeliver(id).await? {
            Revived::Pending { reopened } => {
                print(&format!("{id} is due."));
                if let Some((Ok(letter), _)) = hub.letter(id).await?
                    && let Some(why) = letter.closed
                {
                    say(&format!(
                        "It waits still, for {} is closed: {why}",
                        table::clean(&letter.destination, 80)
                    ));
                }
                Ok(Redelivered { deliveries: 1, reopened: u64::from(reopened), ..Redelivered::default() })
            }
            Revived::Conflict { reopened: true, .. } => {
                print(&format!("{id} waited for its destination, which is open again."));
                Ok(Redelivered { deliveries: 1, reopened: 1, ..Redelivered::default() })
            }
            Revived::Conflict { status: Status::Sending, .. } => {
                anyhow::bail!("{id} is being sent: nothing to do until it is known what came of it")
            }
            Revived::Conflict { .. } => {
                anyhow::bail!(
                    "{id} waits already: it goes out by itself, see nuncio deliveries {}",
                    id.short()
                )
            }
            Revived::Gone(name) => {
                anyhow::bail!(
                    "{id} cannot be sent again: {} was removed. {NAME_ANOTHER}",
                    table::clean(&name, 80)
                )
            }
            Revived::NotFound => {
                anyhow::bail!("{id} has just been removed: its time was over (RETENTION_DAYS)")
            }
        },
    }
}

/// Says how much was left alone because its destination was removed.
fn say_gone(count: u64) {
    if count > 0 {
        say(&format!("{count} cannot be sent: their destinations were removed. {NAME_ANOTHER}"));
    }
}

/// Tells how far it is; on a terminal in one line.
fn progress(done: u64, all: u64) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr();
    let end = if stderr.is_terminal() && done < all { '\r' } else { '\n' };
    // Where nobody can hear it, nothing is lost.
    let _ = write!(stderr, "{done} of {all}{end}");
}

/// `2h` before `now`, or a date.
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
