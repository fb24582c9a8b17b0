//! K-3 over webhook URLs, D-12: where there is no nonce, and where somebody else holds the key.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nuncio::clock::Clock;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use tokio::sync::Semaphore;

use super::sandbox::Asked;
use super::sender::{Event, finish};
use super::stage::Stage;
use super::table::{Holds, Row};
use super::verdict::{Tag, Verdict};
use super::{PATIENCE, Size, until};

pub const KILLED: &str = "0 lost, doubles ≤ requests in flight, each labelled";
pub const DELETED: &str = "1 request after it was deleted, people told, everything delivered through the next address, 0 lost, 0 doubled";

/// New events for each kill.
const EACH: usize = 50;
const WORKERS: usize = 16;
const WEBHOOKS: usize = 4;

/// K-3: killed at random moments, and after Discord took what it never answers.
pub async fn killed(size: Size) -> anyhow::Result<Row> {
    let kills = size.of(4, 200);
    let mut stage = Stage::set(WEBHOOKS).await?;
    stage.through_webhooks().await?;
    let (clock, mut random) = (Clock::system(), SmallRng::seed_from_u64(3));
    let allowed = Arc::new(Semaphore::new(0));
    let sending = stage.sender.stream(0..kills * EACH, WORKERS, &allowed);
    let mut in_flight = 0;
    for kill in 0..kills {
        stage.start().await?;
        if kill % 4 == 0 {
            // Discord takes one of each webhook and never answers: the worst moment there is.
            let before = unanswered(&stage).await?;
            let hang = json!({"fail": {"kind": "hang_after", "on": "/webhooks/", "n": WEBHOOKS}});
            stage.sandbox.order(hang).await?;
            allowed.add_permits(EACH);
            let taken =
                async || Some(unanswered(&stage).await.ok()? >= before + WEBHOOKS as u64).filter(|all| *all);
            until("Discord to take one of each webhook", taken).await?;
        } else {
            allowed.add_permits(EACH);
            // By turns while the events are being accepted, and while they are being sent.
            let longest = if kill % 2 == 0 { size.of(400, 1000) } else { 30 };
            clock.sleep(Duration::from_millis(random.random_range(0..longest))).await;
        }
        stage.kill().await?;
        in_flight += messages_in_flight(&stage).await?;
    }
    stage.start().await?;
    finish(sending).await?;
    let verdict = stage.verdict().await?;
    let labelled = stage.sandbox.labelled().await?;
    let (control, control_labelled) = in_other_bytes().await?;
    let unlabelled =
        |verdict: &Verdict, labelled: &BTreeSet<Tag>| verdict.doubled.difference(labelled).count();
    let silent = unlabelled(&verdict, &labelled);
    let holds = verdict.lost.is_empty()
        && verdict.ghosts.is_empty()
        && verdict.disordered.is_empty()
        && verdict.acknowledged == kills * EACH
        && !verdict.doubled.is_empty()
        && verdict.doubled.len() <= in_flight
        && silent == 0;
    Ok(Row {
        case: "K-3 URL",
        done: format!(
            "{kills} × `kill -9` under load, {} events through {WEBHOOKS} stored webhooks; at each fourth kill Discord \
             had taken {WEBHOOKS} messages and not answered",
            kills * EACH
        ),
        required: KILLED,
        measured: format!("{verdict}; {in_flight} requests were in flight, {silent} doubles without a label"),
        holds: Holds::both(holds, unlabelled(&control, &control_labelled) > 0),
        control: format!(
            "the event in other bytes, which no label can know: {} of 1 doubled without one",
            unlabelled(&control, &control_labelled)
        ),
    })
}

/// How many requests Discord has not answered.
async fn unanswered(stage: &Stage) -> anyhow::Result<u64> {
    Ok(stage.sandbox.counts().await?["failed"].as_u64().unwrap_or_default())
}

/// How many requests were planned and not recorded when nuncio died.
async fn messages_in_flight(stage: &Stage) -> anyhow::Result<usize> {
    let in_flight = "SELECT COUNT(*) FROM messages WHERE state = 'sending'";
    let count: i64 = stage.database().await?.value(in_flight).await?;
    Ok(usize::try_from(count)?)
}

/// The control of K-3: the same event in other bytes is another one, and nobody labels it.
async fn in_other_bytes() -> anyhow::Result<(Verdict, BTreeSet<Tag>)> {
    let mut stage = Stage::set(1).await?;
    stage.through_webhooks().await?;
    stage.start().await?;
    let event = stage.sender.event(0);
    stage.sender.deliver(&event).await?;
    let body = event.body.replacen('{', "{ ", 1);
    stage.sender.deliver(&Event { tag: event.tag, body }).await?;
    Ok((stage.verdict().await?, stage.sandbox.labelled().await?))
}

/// Events for each webhook before and after it is deleted.
const EVENTS: usize = 5;

/// D-12: somebody who knows the address deletes the webhook.
pub async fn deleted(_size: Size) -> anyhow::Result<Row> {
    let mut stage = Stage::set(2).await?;
    let webhooks = stage.through_webhooks().await?;
    let [(id, url), _] = &webhooks[..] else { anyhow::bail!("two webhooks") };
    // Whoever must be told has a channel that the bot writes to.
    let admins = stage.sandbox.add_channels(&["rig-admins".to_owned()]).await?;
    let mut map: serde_json::Value = serde_json::from_str(&stage.variables["DISCORD_WEBHOOK_CHANNELS"])?;
    map["default"] = json!(admins);
    stage.variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
    stage.start().await?;
    stage.sender.deliver_all(0..2 * EVENTS).await?;
    stage.settle(PATIENCE).await?;
    stage.sandbox.delete_webhook(url).await?;
    let before = asked_of(&stage, url).await?;
    stage.sender.deliver_all(2 * EVENTS..4 * EVENTS).await?;
    let command = format!("nuncio discord-webhooks replace {id}");
    let told = async || stage.sandbox.says_in(&admins[0], &command).await.ok().filter(|told| *told).map(drop);
    until("people to be told", told).await?;
    // The other webhook has its events: nobody waits for the dead one.
    stage.sandbox.sent(3 * EVENTS + 1, PATIENCE).await?;
    // What is in flight at a kill may be a duplicate, which is another case.
    let recorded = async || Some(messages_in_flight(&stage).await.ok()?).filter(|left| *left == 0);
    until("what became of all of it to be recorded", recorded).await?;
    // A start and a night do not wake it.
    stage.kill().await?;
    stage.waits_are_over().await?;
    stage.start().await?;
    stage.sender.deliver_all(4 * EVENTS..6 * EVENTS).await?;
    stage.sandbox.sent(4 * EVENTS + 1, PATIENCE).await?;
    let dead = asked_of(&stage, url).await? - before;
    let control = before;
    let next = stage.sandbox.add_webhook(&stage.channels[0]).await?;
    stage.runs(&["discord-webhooks", "replace", id], &next).await?;
    let verdict = stage.verdict().await?;
    Ok(Row {
        case: "D-12",
        done: format!(
            "a stored webhook deleted by somebody who knew its address, {} events for it, a restart, another address",
            2 * EVENTS
        ),
        required: DELETED,
        measured: format!("{dead} request; {verdict}"),
        holds: Holds::both(dead == 1 && verdict.is_clean(), control == EVENTS),
        control: format!(
            "before it was deleted it was asked {control} times for {EVENTS} events: the count counts"
        ),
    })
}

/// How often a webhook was asked to post.
async fn asked_of(stage: &Stage, url: &str) -> anyhow::Result<usize> {
    let id = url.rsplit('/').nth(1).unwrap_or_default();
    let posts = |asked: &&Asked| asked.is_post() && asked.is_of_webhook() && asked.path.contains(id);
    Ok(stage.sandbox.asked().await?.iter().filter(posts).count())
}
