//! K-4: `kill -9` between a decision and the platform's word, and before its card shows that.

use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::json;

use super::people::{self, People};
use super::table::{Holds, Row};
use super::{PATIENCE, Size};

pub const K4: &str = "one call by its key, one winner in the audit log, finished ≤ 5 s after the restart";
const FINISHED: Duration = Duration::from_secs(5);
/// How long a decision can be undone: until then the platform is not called.
const GRACE: &str = "1s";
/// Kills on one database: a bot that logs in more often has to wait (K-6).
const KILLS: usize = 4;

/// Where nuncio is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// The decision is on disk, and the platform has not been called.
    Decided,
    /// The platform has been called, and has not answered.
    Called,
    /// The platform has answered, and the card does not show it.
    Answered,
}

/// K-4: killed at each of the three points in turn.
pub async fn killed(size: Size) -> anyhow::Result<Row> {
    let kills = size.of(3, 24);
    let (mut sum, mut slowest) = (Sum::default(), Duration::ZERO);
    for first in (0..kills).step_by(KILLS) {
        let mut people = People::set(GRACE).await?;
        let machines = first..kills.min(first + KILLS);
        for kill in machines.clone() {
            let point = [Point::Decided, Point::Called, Point::Answered][kill % 3];
            slowest = slowest.max(killed_at(&mut people, kill, point).await?);
        }
        sum.add(&people, machines).await?;
    }
    let forgotten = without_its_database().await?;
    let as_required = sum.is_right(kills) && size.in_time(slowest, FINISHED);
    Ok(Row {
        case: "K-4",
        done: format!(
            "{kills} × `kill -9` in turn: between a click's commit and the call, while XTSystems is called, between its answer and the card's edit"
        ),
        required: K4,
        measured: format!("{sum}; the slowest finished after {:.1} s", slowest.as_secs_f64()),
        holds: Holds::both(as_required, forgotten > 0),
        control: format!("the database deleted between kill and restart: {forgotten} of 1 never told"),
    })
}

/// What is known at the end.
#[derive(Debug, Default)]
struct Sum {
    told: usize,
    keys: usize,
    winners: usize,
    cards: usize,
}

impl Sum {
    async fn add(&mut self, people: &People, machines: Range<usize>) -> anyhow::Result<()> {
        let told = people.recorded_requests();
        self.told += told.len();
        self.keys += told.values().map(Vec::len).sum::<usize>();
        self.winners += people.winners().await?.values().sum::<usize>();
        self.cards += people::shown_once(&people.cards().await?, machines);
        Ok(())
    }

    fn is_right(&self, kills: usize) -> bool {
        [self.told, self.keys, self.winners, self.cards] == [kills; 4]
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { told, keys, winners, cards } = self;
        write!(f, "{told} machines told by {keys} keys, {winners} winners, {cards} cards show it")
    }
}

/// One machine asks, is approved, and nuncio is killed at `point`. Answers how long after its restart all was finished.
async fn killed_at(people: &mut People, machine: usize, point: Point) -> anyhow::Result<Duration> {
    decide(people, machine, point).await?;
    people.stage.kill().await?;
    people.platform.hangs(None);
    people.stage.sandbox.order(json!({"clear": true})).await?;
    let began = Instant::now();
    people.stage.start().await?;
    people.card(machine, "✅").await?;
    let took = began.elapsed();
    people.stage.settle(PATIENCE).await?;
    people.stage.kill().await?;
    Ok(took)
}

/// A machine asks and is approved, up to `point`.
async fn decide(people: &mut People, machine: usize, point: Point) -> anyhow::Result<()> {
    people.start().await?;
    let cards = people.ask(machine..machine + 1).await?;
    let calls = people.platform.calls().len();
    if let Point::Called = point {
        people.platform.hangs(Some(PATIENCE));
    }
    for card in &cards {
        people.press(card, "Approve").await?;
    }
    people.card(machine, "⏳").await?;
    match point {
        Point::Decided => {}
        Point::Called => people.platform.called(calls + 1).await?,
        Point::Answered => {
            // Nothing of what the card is to show gets through.
            people
                .stage
                .sandbox
                .order(json!({"fail": {"kind": "cut_before", "on": "PATCH ", "n": 1000}}))
                .await?;
            people.platform.called(calls + 1).await?;
            let confirmed = async || {
                let database = people.stage.database().await.ok()?;
                let open = "SELECT COUNT(*) FROM decisions WHERE platform <> 'confirmed'";
                let open: i64 = database.value(open).await.ok()?;
                (open == 0).then_some(())
            };
            super::until("the answer to be on disk", confirmed).await?;
        }
    }
    Ok(())
}

/// The control: how many are never told when what was committed is gone.
async fn without_its_database() -> anyhow::Result<usize> {
    let mut people = People::set(GRACE).await?;
    decide(&mut people, 0, Point::Decided).await?;
    people.stage.kill().await?;
    people.stage.delete_database()?;
    people.start().await?;
    people.stage.settle(PATIENCE).await?;
    Ok(usize::from(people.recorded_requests().is_empty()))
}
