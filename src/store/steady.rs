//! Steady time across processes: where it continues, and the waits that are stored in it.
//!
//! Steady time must never go back: ids are minted from it, and waits are stored in it. So it begins at the newest id,
//! or at the wall clock if that is later. While a process runs, the wall clock may be set and steady time continues;
//! its lead over the wall clock is kept in `meta`, for commands beside the server and for the next start. A start
//! sets steady time back to the wall clock, as far as the ids allow, and shifts all waits with it: what has seven
//! seconds left keeps seven seconds.

use std::time::Duration;

use crate::clock::{Clock, Jump, SteadyTime, Timestamp};
use crate::model::EventId;
use crate::model::wait::{WAITS, Wait, WaitKind, WaitStorage};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store, meta};

/// The `meta` key of the lead of steady time over the wall clock, in milliseconds.
const LEAD: &str = "clock.lead";
/// The `meta` key of the last forward jump at a start: where steady time continued, and by how many milliseconds it
/// moved.
const JUMP: &str = "clock.jump";
/// A smaller shift is not recorded: nothing is reported as late before it is older than this.
const WORTH_NOTING: i64 = 60_000;
/// An id further ahead than this is not one of nuncio's: a hundred years.
const ABSURD: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Continues steady time as recorded in the database.
pub(super) async fn take_up(connection: &mut Tx, clock: &Clock) -> Result<()> {
    let lead: Option<String> = query_scalar("SELECT value FROM meta WHERE key = $1")
        .bind(LEAD)
        .fetch_optional(&mut *connection)
        .await?;
    let lead: i64 = lead.and_then(|lead| lead.parse().ok()).unwrap_or(0);
    let wall = clock.now();
    let line = SteadyTime::from_millis(wall.as_millis().saturating_add(lead));
    clock.set_steady(line.max(newest_id(connection, wall).await?));
    let jump: Option<String> =
        query_scalar("SELECT value FROM meta WHERE key = $1").bind(JUMP).fetch_optional(connection).await?;
    if let Some(jump) = jump.as_deref().and_then(read_jump) {
        clock.set_jump(jump);
    }
    Ok(())
}

fn read_jump(text: &str) -> Option<Jump> {
    let (to, by) = text.split_once('+')?;
    Some(Jump { to: SteadyTime::from_millis(to.parse().ok()?), by: Duration::from_millis(by.parse().ok()?) })
}

/// The time in the newest id.
async fn newest_id(connection: &mut Tx, wall: Timestamp) -> Result<SteadyTime> {
    // Corrupt ids are excluded: text sorts before all bytes, and other bytes are not of 16.
    let newest = query(
        "SELECT (SELECT id FROM events WHERE id < $1 ORDER BY id DESC LIMIT 1) AS event, \
         (SELECT id FROM deliveries WHERE id < $1 ORDER BY id DESC LIMIT 1) AS delivery, \
         (SELECT id FROM messages WHERE id < $1 ORDER BY id DESC LIMIT 1) AS message",
    )
    .bind(EventId::earliest(SteadyTime::from_millis(wall.plus(ABSURD).as_millis())))
    .fetch_one(connection)
    .await?;
    let ids = ["event", "delivery", "message"].into_iter().filter_map(|name| newest.try_get(name).ok());
    Ok(ids.map(|id: EventId| id.minted_at()).max().unwrap_or_default())
}

impl Store {
    /// Stores the lead of steady time over the wall clock, in milliseconds, after the clock was set.
    pub async fn keep_lead(&self, lead: i64) -> Result<()> {
        self.set_meta(LEAD, lead.to_string()).await
    }

    /// Moves steady time as close to the wall clock as possible, and shifts all waits with it. Afterwards no wait is
    /// longer than its rule allows.
    pub(super) async fn settle_line(&self) -> Result<()> {
        let clock = &self.0.clock;
        let Moved { by, to } = self.writer().submit(Settle { clock: clock.clone() }).await?;
        clock.set_steady(SteadyTime::from_millis(clock.steady().as_millis().saturating_add(by)));
        if by > WORTH_NOTING {
            clock.set_jump(Jump { to, by: Duration::from_millis(by.unsigned_abs()) });
        }
        Ok(())
    }
}

struct Settle {
    clock: Clock,
}

/// By how many milliseconds steady time was moved, and where it continues.
struct Moved {
    by: i64,
    to: SteadyTime,
}

impl Unit for Settle {
    type Output = Moved;

    async fn apply(&self, tx: &mut Tx) -> Result<Moved> {
        let now = self.clock.moment();
        let wall = SteadyTime::from_millis(now.wall.as_millis());
        let line = wall.max(newest_id(tx, now.wall).await?);
        let moved = line.as_millis().saturating_sub(now.steady.as_millis());
        for wait in WAITS {
            let Wait { kind: WaitKind::Duration { longest }, storage, .. } = wait else { continue };
            let latest = line.plus(*longest);
            match storage {
                WaitStorage::Column { table, column, rows } => {
                    // A past time stays unchanged: how long the row has waited still matters.
                    let sql = format!(
                        "UPDATE {table} SET {column} = CASE WHEN {column} + $2 > $3 THEN $3 ELSE {column} + $2 END \
                         WHERE {column} > $1 AND {rows}"
                    );
                    query(sql)
                        .bind(now.steady.as_millis())
                        .bind(moved)
                        .bind(latest.as_millis())
                        .execute(&mut *tx)
                        .await?;
                }
                WaitStorage::Meta(key) => move_list(tx, key, moved, latest).await?,
                WaitStorage::Derived(_) => {}
            }
        }
        let lead = line.as_millis().saturating_sub(wall.as_millis());
        meta::put_in(tx, LEAD, &lead.to_string(), now.wall).await?;
        if moved > WORTH_NOTING {
            meta::put_in(tx, JUMP, &format!("{}+{moved}", line.as_millis()), now.wall).await?;
        }
        Ok(Moved { by: moved, to: line })
    }
}

/// Shifts the times under a key of `meta`, to `latest` at most.
async fn move_list(tx: &mut Tx, key: &str, moved: i64, latest: SteadyTime) -> Result<()> {
    let value: Option<String> =
        query_scalar("SELECT value FROM meta WHERE key = $1").bind(key).fetch_optional(&mut *tx).await?;
    let Some(value) = value else { return Ok(()) };
    let times = value.split(',').filter_map(|time| time.parse::<i64>().ok());
    let times: Vec<String> =
        times.map(|time| time.saturating_add(moved).min(latest.as_millis()).to_string()).collect();
    query("UPDATE meta SET value = $2 WHERE key = $1").bind(key).bind(times.join(",")).execute(tx).await?;
    Ok(())
}
