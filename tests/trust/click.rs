//! D-7: a click is acknowledged within a second, whatever the database and the platform do; and none is lost.

use std::time::{Duration, Instant};

use nuncio::clock::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::people::{self, People};
use super::table::{Holds, Row};
use super::{PATIENCE, Size, until};

pub const D7: &str = "acknowledged < 1 s (p99), every click decided";
const IN_TIME: Duration = Duration::from_secs(1);
/// How long the platform hangs on each call.
const HANGS: Duration = Duration::from_secs(30);
/// How often it is locked at least, or nothing is shown.
const HOLDS: usize = 2;
/// How long the database is left alone between two holds.
const BETWEEN: Duration = Duration::from_secs(1);

/// What came of one run.
struct Run {
    clicks: usize,
    /// Until the first answer.
    p99: Duration,
    slowest: Duration,
    /// Until the database took it.
    decided_p99: Duration,
    decided: usize,
    /// How often the database was locked meanwhile.
    holds: usize,
}

impl Run {
    /// Whether it was made under what it is about.
    fn is_locked(&self) -> bool {
        self.holds >= HOLDS
    }
}

/// D-7: the database locked, the platform hanging, and both under load.
pub async fn acknowledged(size: Size) -> anyhow::Result<Row> {
    let clicks = size.of(20, 200);
    let locked = run(size, clicks, true, false, 0).await?;
    let hanging = run(size, clicks, false, true, 0).await?;
    let both = run(size, clicks, true, true, size.of(100, 5000)).await?;
    let all = [&locked, &hanging, &both];
    let as_required = all.iter().all(|run| run.decided == run.clicks && size.in_time(run.p99, IN_TIME));
    Ok(Row {
        case: "D-7",
        done: format!(
            "{clicks} clicks each: the database locked for {} s at a time; XTSystems hanging {} s; both, and {} events meanwhile",
            hold(size).as_secs(),
            HANGS.as_secs(),
            size.of(100, 5000)
        ),
        required: D7,
        measured: format!("{locked}; {hanging}; {both}"),
        holds: Holds::both(
            as_required,
            [&locked, &both].iter().all(|run| run.is_locked() && run.decided_p99 > IN_TIME),
        ),
        control: format!(
            "were a click answered only when the database has taken it: p99 {:.1} s, and {:.1} s with both ({} and {} locks)",
            locked.decided_p99.as_secs_f64(),
            both.decided_p99.as_secs_f64(),
            locked.holds,
            both.holds
        ),
    })
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p99 {} ms, longest {} ms, {} of {} decided",
            self.p99.as_millis(),
            self.slowest.as_millis(),
            self.decided,
            self.clicks
        )
    }
}

fn hold(size: Size) -> Duration {
    Duration::from_secs(size.of(3, 10))
}

async fn run(size: Size, clicks: usize, locked: bool, hanging: bool, events: usize) -> anyhow::Result<Run> {
    let mut people = People::set("1s").await?;
    // Events share messages, so that the sandbox's ledger holds every click.
    people.stage.variables.remove("COALESCE");
    people.start().await?;
    let cards = people.ask(0..clicks).await?;
    let watch = people.watch().await?;
    people.platform.hangs(hanging.then_some(HANGS));
    let holding = if locked { Some(hold_again_and_again(&people, hold(size)).await?) } else { None };
    let sender = people.stage.sender.clone();
    let load = tokio::spawn(async move { sender.deliver_all(0..events).await });

    // Spread over two holds.
    let apart = 2 * hold(size) / u32::try_from(clicks)?;
    let (clock, began) = (Clock::system(), Instant::now());
    let mut made = Vec::with_capacity(clicks);
    for (card, turn) in cards.iter().zip(1u32..) {
        made.push(people.press(card, "Approve").await?);
        clock.sleep((apart * turn).saturating_sub(began.elapsed())).await;
    }
    let heard = async || {
        let waited = people.acknowledged().await.ok()?;
        made.iter().map(|id| waited.get(id).copied()).collect::<Option<Vec<Duration>>>()
    };
    let mut waited = until("every click to be acknowledged", heard).await?;
    let all_decided = async || Some(watch.seen()).filter(|decided| decided.len() == clicks);
    let decided = until("every click to be decided", all_decided).await?;
    let holds = match holding {
        Some(holding) => holding.end()?,
        None => 0,
    };
    people.platform.hangs(None);
    load.await??;
    people.stage.settle(5 * PATIENCE).await?;
    let told = people.recorded_requests();
    anyhow::ensure!(
        told.len() == clicks && told.values().all(|keys| keys.len() == 1),
        "told otherwise: {told:?}"
    );
    let winners = people.winners().await?;
    let mut until_decided: Vec<Duration> = made
        .iter()
        .enumerate()
        .filter_map(|(number, id)| {
            let at = decided.get(&format!("m-{number}"))?;
            Some(Duration::from_millis(at.saturating_sub(people::made(*id))))
        })
        .collect();
    people.stage.terminate().await?;
    Ok(Run {
        clicks,
        slowest: waited.iter().max().copied().unwrap_or_default(),
        p99: percentile(&mut waited),
        decided_p99: percentile(&mut until_decided),
        decided: winners.values().filter(|winners| **winners == 1).count(),
        holds,
    })
}

/// Somebody who locks the database again and again.
struct Holding {
    task: JoinHandle<()>,
    said: watch::Receiver<Result<usize, String>>,
}

impl Holding {
    /// Ends it; answers how often the database was locked. An error, if it could not be locked any more.
    fn end(self) -> anyhow::Result<usize> {
        self.task.abort();
        let said = self.said.borrow().clone();
        said.map_err(|error| anyhow::anyhow!("the database could not be locked: {error}"))
    }
}

/// Locks the database for `span` again and again, until it is ended.
async fn hold_again_and_again(people: &People, span: Duration) -> anyhow::Result<Holding> {
    let other = people.stage.database().await?;
    // It has to wait for its turn behind nuncio's writer, like anybody.
    other.execute("PRAGMA busy_timeout = 60000", ()).await?;
    let (say, said) = watch::channel(Ok(0));
    let task = tokio::spawn(async move {
        let clock = Clock::system();
        for holds in 1.. {
            if let Err(error) = other.execute("BEGIN IMMEDIATE", ()).await {
                say.send_modify(|said| *said = Err(error.to_string()));
                return;
            }
            say.send_modify(|said| *said = Ok(holds));
            clock.sleep(span).await;
            let _ = other.execute("ROLLBACK", ()).await;
            clock.sleep(BETWEEN).await;
        }
    });
    Ok(Holding { task, said })
}

fn percentile(waited: &mut [Duration]) -> Duration {
    waited.sort_unstable();
    waited.get((waited.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // D-7: of a database that nobody locked, nothing is learnt.
    #[test]
    fn a_run_counts_only_while_the_database_is_locked() {
        let run = |holds| Run {
            clicks: 1,
            p99: Duration::ZERO,
            slowest: Duration::ZERO,
            decided_p99: 2 * IN_TIME,
            decided: 1,
            holds,
        };
        assert!([0, 1, 2, 3].map(|holds| run(holds).is_locked()) == [false, false, true, true]);
    }

    #[test]
    fn the_ninety_ninth_of_a_hundred() {
        let mut waited: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut waited), Duration::from_millis(99));
        assert_eq!(percentile(&mut waited[..1]), Duration::from_millis(1));
    }
}
