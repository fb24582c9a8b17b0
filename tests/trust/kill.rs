//! K-1, K-2, K-3: `kill -9` while accepting, between commit and answer, and after Discord took a message.

use std::sync::Arc;
use std::time::Duration;

use nuncio::clock::Clock;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use tokio::sync::Semaphore;

use super::proxy::Proxy;
use super::sender::{Event, finish};
use super::stage::Stage;
use super::table::{Holds, Row};
use super::{PATIENCE, Size};

/// New events for each kill.
const EACH: usize = 50;
/// How many requests of the sender are under way at a time.
const WORKERS: usize = 16;
const CHANNELS: usize = 4;

pub const K1: &str = "0 lost, 0 doubled";
pub const K2: &str = "every repeat answered `duplicate: true`, 0 lost, 0 doubled";
pub const K3: &str = "0 lost, 0 doubled";

/// K-1: killed at random moments, while events come in and messages go out.
pub async fn at_random(size: Size) -> anyhow::Result<Row> {
    let kills = size.of(5, 200);
    let mut stage = Stage::set(CHANNELS).await?;
    let (clock, mut random) = (Clock::system(), SmallRng::seed_from_u64(1));
    let allowed = Arc::new(Semaphore::new(0));
    let sending = stage.sender.stream(0..kills * EACH, WORKERS, &allowed);
    for kill in 0..kills {
        stage.start().await?;
        allowed.add_permits(EACH);
        // By turns while the events are being accepted, and while they are being sent.
        let longest = if kill % 2 == 0 { 30 } else { size.of(400, 1000) };
        clock.sleep(Duration::from_millis(random.random_range(0..longest))).await;
        stage.kill().await?;
    }
    stage.start().await?;
    finish(sending).await?;
    let verdict = stage.verdict().await?;
    let brought_back = stage.sandbox.sent(0, PATIENCE).await?;
    let lost = without_its_database().await?;
    Ok(Row {
        case: "K-1",
        done: format!(
            "{kills} × `kill -9` at random moments under load, {} events, {CHANNELS} channels",
            kills * EACH
        ),
        required: K1,
        measured: format!("{verdict}; {brought_back} messages were in doubt and found by their nonce"),
        holds: Holds::both(verdict.is_clean() && verdict.acknowledged == kills * EACH, lost > 0),
        control: format!("the database deleted between kill and restart: {lost} of 50 lost"),
    })
}

/// The control of K-1 and N-1: what is lost when what was committed is gone.
pub async fn without_its_database() -> anyhow::Result<usize> {
    let mut stage = Stage::set(CHANNELS).await?;
    stage.start().await?;
    // Nothing gets through to Discord, so that all of it is still owed.
    stage.sandbox.order(json!({"break_s": 600})).await?;
    stage.sender.deliver_all(0..EACH).await?;
    stage.kill().await?;
    stage.delete_database()?;
    stage.sandbox.order(json!({"clear": true})).await?;
    stage.start().await?;
    Ok(stage.verdict().await?.lost.len())
}

/// K-2: killed when the answer is on its way and the sender has not got it.
pub async fn before_the_answer(size: Size) -> anyhow::Result<Row> {
    let rounds = size.of(3, 50);
    let mut stage = Stage::set(1).await?;
    let mut repeats = 0;
    for round in 0..rounds {
        let event = stage.sender.event(round);
        killed_before_the_answer(&mut stage, &event).await?;
        stage.start().await?;
        repeats += usize::from(stage.sender.deliver(&event).await?.duplicate);
        stage.kill().await?;
    }
    stage.start().await?;
    let verdict = stage.verdict().await?;
    let doubled = told_twice_in_other_words().await?;
    Ok(Row {
        case: "K-2",
        done: format!(
            "{rounds} × `kill -9` between the commit and the 200: the answer is held back on its way"
        ),
        required: K2,
        measured: format!("{repeats} of {rounds} repeats were duplicates; {verdict}"),
        holds: Holds::both(verdict.is_clean() && repeats == rounds, doubled > 0),
        control: format!("the repeat in other bytes, which no key can know: {doubled} of 1 doubled"),
    })
}

/// Sends `event` so that it is committed, and kills nuncio before the sender hears of it.
async fn killed_before_the_answer(stage: &mut Stage, event: &Event) -> anyhow::Result<()> {
    stage.start().await?;
    let address = stage.program()?.address.clone();
    let mut proxy = Proxy::before(&address).await?;
    stage.sender.points_at(Some(proxy.address.clone()));
    let sender = stage.sender.clone();
    let sending = tokio::spawn({
        let event = event.clone();
        async move { sender.once(&event).await }
    });
    proxy.answered().await?;
    stage.kill().await?;
    drop(proxy);
    anyhow::ensure!(sending.await??.is_none(), "the sender must not have got the answer");
    Ok(())
}

/// The control of K-2: the same event, but not the same bytes.
async fn told_twice_in_other_words() -> anyhow::Result<usize> {
    let mut stage = Stage::set(1).await?;
    let event = stage.sender.event(0);
    killed_before_the_answer(&mut stage, &event).await?;
    stage.start().await?;
    let body = event.body.replacen('{', "{ ", 1);
    stage.sender.deliver(&Event { tag: event.tag, body }).await?;
    Ok(stage.verdict().await?.doubled.len())
}

/// What Discord and nuncio still know when nuncio comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Both know the nonce.
    AtOnce,
    /// Seven minutes later, as far as both of them can tell: Discord has forgotten, and nuncio knows that.
    Minutes,
    /// A minute that truly passed; Discord forgets after half of that.
    AMinute,
    /// The control: Discord forgets at once and lets nobody read the channel.
    Forgotten,
}

/// K-3: killed after Discord took a message and before that was written down.
pub async fn after_discord_took_it(size: Size) -> anyhow::Result<Row> {
    let rounds = size.of(2, 20);
    let (soon, brought_back) = in_doubt(After::AtOnce, rounds).await?;
    let (late, read) = in_doubt(After::Minutes, rounds).await?;
    let mut measured = format!(
        "at once: {soon}, {brought_back} found by their nonce or in the channel; after 400 s: {late}, {read} found in the channel"
    );
    let mut clean = soon.is_clean() && late.is_clean() && brought_back > 0 && read > 0;
    if size == Size::Full {
        let (minute, found) = in_doubt(After::AMinute, 1).await?;
        measured.push_str(&format!("; after a real 65 s: {minute}, {found} found in the channel"));
        clean &= minute.is_clean() && found > 0;
    }
    let (control, _) = in_doubt(After::Forgotten, 1).await?;
    let doubled = control.doubled.len();
    Ok(Row {
        case: "K-3",
        done: format!(
            "{rounds} × 2 × `kill -9` after Discord took {CHANNELS} messages and before that was recorded; restarted at once, and after the nonce is forgotten"
        ),
        required: K3,
        measured,
        holds: Holds::both(clean, doubled > 0),
        control: format!(
            "nonces forgotten at once, no right to read the channel: {doubled} of {CHANNELS} doubled"
        ),
    })
}

/// Has nuncio killed with a message of each channel in doubt, so many times. Answers what came of it, and how many of
/// the messages in doubt were found without a second one.
async fn in_doubt(after: After, rounds: usize) -> anyhow::Result<(super::verdict::Verdict, usize)> {
    let mut stage = Stage::set(CHANNELS).await?;
    match after {
        After::AtOnce => {}
        After::Minutes => stage.sandbox.order(json!({"nonce_window_s": 120})).await?,
        After::AMinute => stage.sandbox.order(json!({"nonce_window_s": 30})).await?,
        After::Forgotten => stage.sandbox.order(json!({"nonce_window_s": 0})).await?,
    }
    let mut found = 0;
    for round in 0..rounds {
        let numbers = round * CHANNELS..(round + 1) * CHANNELS;
        stage.start().await?;
        let hang = json!({"fail": {"kind": "hang_after", "on": "/messages", "n": CHANNELS}});
        stage.sandbox.order(hang).await?;
        stage.sender.deliver_all(numbers.clone()).await?;
        stage.sandbox.sent(numbers.end, PATIENCE).await?;
        stage.kill().await?;
        let (posts, brought_back) = (posts(&stage).await?, stage.sandbox.sent(0, PATIENCE).await?);
        match after {
            After::AtOnce => {}
            After::Minutes => time_passes(&stage, Duration::from_secs(400)).await?,
            After::AMinute => Clock::system().sleep(Duration::from_secs(65)).await,
            After::Forgotten => {
                for channel in &stage.channels {
                    let right = json!({"channel": channel, "permission": "read_message_history"});
                    stage.sandbox.order(json!({"deny": right})).await?;
                }
            }
        }
        stage.start().await?;
        stage.settle(PATIENCE).await?;
        // Those that were read need no post; those that were posted again, their nonce brought back.
        let read = CHANNELS.saturating_sub(self::posts(&stage).await? - posts);
        let by_nonce = usize::try_from(stage.sandbox.sent(0, PATIENCE).await? - brought_back)?;
        found += if after == After::AtOnce { read + by_nonce } else { read };
        stage.kill().await?;
    }
    stage.start().await?;
    Ok((stage.verdict().await?, found))
}

/// How many requests to post a message there were.
async fn posts(stage: &Stage) -> anyhow::Result<usize> {
    Ok(stage.sandbox.asked().await?.iter().filter(|asked| asked.is_post()).count())
}

/// So much time passes, as far as the sandbox and nuncio, which does not run, can tell.
async fn time_passes(stage: &Stage, span: Duration) -> anyhow::Result<()> {
    stage.sandbox.order(json!({"advance_s": span.as_secs()})).await?;
    let earlier = "UPDATE messages SET created_at = created_at - ?1, ambiguous_since = ambiguous_since - ?1";
    let by = i64::try_from(span.as_millis())?;
    stage.database().await?.execute(earlier, [by]).await?;
    Ok(())
}
