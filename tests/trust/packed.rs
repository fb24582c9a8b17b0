//! K-1 once more, as nuncio is by default: cards that live, packs and digests. What a digest sums up does not stand in
//! it by name, so the verdict looks where nuncio says it is, and then whether Discord agrees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use nuncio::clock::Clock;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::sandbox::shown;
use super::sender::{finish, tags_in};
use super::stage::Stage;
use super::table::{Holds, Row};
use super::verdict::{Tag, Verdict};
use super::{PATIENCE, Size};

/// New events for each kill.
const EACH: usize = 150;
const WORKERS: usize = 16;
/// New events once nothing waits any more: too few for a digest, enough to share messages.
const CALM: usize = 30;
/// From how many waiting events on there is a digest.
const DEPTH: usize = 40;
/// How long Discord takes for an answer, so that events come faster than messages.
const SLOW_S: f64 = 0.06;

pub const PACKED: &str = "0 lost, 0 doubled: each in the one message that nuncio says it is in";

/// Where an event is, as nuncio's database tells it.
struct Place {
    /// The Discord message.
    message: String,
    /// Which of its cards; none in a digest.
    card: Option<usize>,
}

/// What one run came to.
struct Storm {
    verdict: Verdict,
    packs: usize,
    digests: usize,
    digested: usize,
}

/// Killed at random moments, while events come in faster than messages go out.
pub async fn at_random(size: Size) -> anyhow::Result<Row> {
    let kills = size.of(4, 100);
    let mut stage = storm_stage().await?;
    stage.sandbox.order(json!({"fail": {"kind": "delay", "seconds": SLOW_S, "n": 1_000_000}})).await?;
    let (clock, mut random) = (Clock::system(), SmallRng::seed_from_u64(6));
    let allowed = Arc::new(Semaphore::new(0));
    let sending = stage.sender.stream(0..kills * EACH, WORKERS, &allowed);
    for kill in 0..kills {
        stage.start().await?;
        allowed.add_permits(EACH);
        // By turns while the events are being accepted, and while they are packed, summed up and marked.
        let longest = if kill % 2 == 0 { 60 } else { size.of(500, 1000) };
        clock.sleep(Duration::from_millis(random.random_range(0..longest))).await;
        stage.kill().await?;
    }
    stage.start().await?;
    finish(sending).await?;
    stage.settle(5 * PATIENCE).await?;
    stage.sender.deliver_all(kills * EACH..kills * EACH + CALM).await?;
    let Storm { verdict, packs, digests, digested } = storm(&mut stage).await?;
    let doubled = what_was_planned_forgotten().await?;
    let together = packs > 0 && digests > 0;
    Ok(Row {
        case: "K-1 packed",
        done: format!(
            "{kills} × `kill -9` at random moments, {} tickets into one channel, default settings",
            kills * EACH + CALM
        ),
        required: PACKED,
        measured: format!("{verdict}; {packs} packed messages, {digests} digests of {digested} events"),
        holds: Holds::both(
            verdict.is_clean() && verdict.acknowledged == kills * EACH + CALM && together,
            doubled > 0,
        ),
        control: format!("what was planned forgotten between kill and restart: {doubled} of {EACH} doubled"),
    })
}

/// The control: Discord has taken a message, and nuncio does not know any more that it had planned it.
async fn what_was_planned_forgotten() -> anyhow::Result<usize> {
    let mut stage = storm_stage().await?;
    stage.sandbox.order(json!({"fail": {"kind": "hang_after", "on": "/messages", "n": 1}})).await?;
    stage.start().await?;
    stage.sender.deliver_all(0..EACH).await?;
    stage.sandbox.sent(1, PATIENCE).await?;
    stage.kill().await?;
    let database = stage.database().await?;
    for forget in [
        "UPDATE deliveries SET status = 'pending', message_id = NULL WHERE status = 'sending'",
        "UPDATE messages SET state = 'withdrawn' WHERE state = 'sending'",
    ] {
        database.execute(forget, ()).await?;
    }
    drop(database);
    stage.start().await?;
    Ok(storm(&mut stage).await?.verdict.doubled.len())
}

async fn storm_stage() -> anyhow::Result<Stage> {
    let mut stage = Stage::set(1).await?;
    stage.tells_of_tickets(DEPTH)?;
    Ok(stage)
}

/// Settles, stops nuncio in order, and compares what Discord shows with where nuncio says everything is.
async fn storm(stage: &mut Stage) -> anyhow::Result<Storm> {
    stage.settle(5 * PATIENCE).await?;
    stage.terminate().await?;
    let places = places(stage).await?;
    let mut facts = stage.sender.ledger().read()?.facts();
    let messages = stage.sandbox.messages().await?;
    let messages = messages.get(&stage.channels[0]).context("the channel")?;
    let (mut packs, mut digests, mut digested) = (0, 0, 0);
    let (mut delivered, mut found) = (Vec::new(), BTreeSet::new());
    for message in messages {
        let id = message["id"].as_str().unwrap_or_default();
        let here = || places.iter().filter(|(_, place)| place.message == id);
        if let Some(says) = summed_up(message) {
            let tags: BTreeSet<Tag> = here().map(|(tag, _)| tag.clone()).collect();
            ensure!(tags.len() == says, "a digest says {says} events, nuncio's database {}", tags.len());
            (digests, digested) = (digests + 1, digested + says);
            // Within a digest there is no order to be seen.
            let mut in_order: Vec<&Tag> = tags.iter().collect();
            in_order.sort_by_key(|tag| facts.acknowledged.get(*tag));
            delivered.extend(in_order.into_iter().cloned());
            found.extend(tags);
            continue;
        }
        let cards: Vec<Vec<Tag>> = message["embeds"].as_array().into_iter().flatten().map(card).collect();
        packs += usize::from(cards.len() > 1);
        delivered.extend(shown(message));
        let rightly = here().filter(|(tag, place)| {
            place.card.and_then(|card| cards.get(card)).is_some_and(|card| card.contains(tag))
        });
        found.extend(rightly.map(|(tag, _)| tag.clone()));
    }
    let displaced: Vec<&Tag> = facts.acknowledged.keys().filter(|tag| !found.contains(*tag)).collect();
    ensure!(displaced.is_empty(), "not where nuncio says they are: {displaced:?}");
    facts.delivered = [(stage.channels[0].clone(), delivered)].into();
    facts.tried_again = stage.sandbox.tried_again().await?;
    Ok(Storm { verdict: Verdict::of(&facts), packs, digests, digested })
}

/// How many events a digest says it sums up; nothing if the message is none.
fn summed_up(message: &Value) -> Option<usize> {
    let title = message["embeds"][0]["title"].as_str()?.strip_prefix("📦 ")?;
    title.split(' ').next()?.parse().ok()
}

/// The events on one card.
fn card(embed: &Value) -> Vec<Tag> {
    tags_in(embed["description"].as_str().unwrap_or_default())
}

/// Where nuncio says that everything is.
async fn places(stage: &Stage) -> anyhow::Result<BTreeMap<Tag, Place>> {
    let database = stage.database().await?;
    let sql = "SELECT e.body, CAST(m.receipt AS TEXT) AS receipt, c.place FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
         JOIN messages AS m ON m.id = d.message_id LEFT JOIN cards AS c ON c.message_id = m.id \
         AND c.source = e.source AND c.subject = e.subject \
         WHERE d.status = 'delivered' AND d.slot = '' AND m.receipt IS NOT NULL";
    let rows: Vec<(Vec<u8>, String, Option<i64>)> =
        database.rows(sql, |row| Ok((row.get("body")?, row.get("receipt")?, row.get("place")?))).await?;
    let place = |(body, message, place): (Vec<u8>, String, Option<i64>)| {
        let tag = tags_in(&String::from_utf8_lossy(&body)).into_iter().next()?;
        Some((tag, Place { message, card: place.and_then(|place| usize::try_from(place).ok()) }))
    };
    Ok(rows.into_iter().filter_map(place).collect())
}
