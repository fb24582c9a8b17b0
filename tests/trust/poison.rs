//! L-2: one event in a hundred is poison; nobody else may suffer from it.

use std::collections::BTreeMap;

use serde_json::json;

use super::sandbox::Asked;
use super::sender::Event;
use super::stage::Stage;
use super::table::{Holds, Row};
use super::{Size, until};

pub const L2: &str = "poison dead with a reason after 1–5 tries, everything else delivered in order";
/// Good events behind the poison of the control.
const BEHIND: usize = 5;

/// L-2.
pub async fn among_others(size: Size) -> anyhow::Result<Row> {
    let events = size.of(200, 2_000);
    let mut stage = Stage::set(2).await?;
    stage.sandbox.order(poison(400, Some(50035))).await?;
    // Without a token everything is accepted and kept.
    let token = stage.variables.remove("DISCORD_TOKEN").unwrap_or_default();
    stage.start().await?;
    for number in 0..events {
        let event = stage.sender.event(number);
        let event = if number % 100 == 50 { poisoned(event) } else { event };
        stage.sender.deliver(&event).await?;
    }
    stage.kill().await?;
    for number in (25..events).step_by(100) {
        spoil(&stage, &stage.sender.event(number).tag).await?;
    }
    stage.variables.insert("DISCORD_TOKEN".to_owned(), token);
    stage.start().await?;
    let verdict = stage.verdict().await?;
    let tries = most_tries(&stage).await?;
    let blocked = blocked().await?;
    let poisoned = events / 100;
    Ok(Row {
        case: "L-2",
        done: format!(
            "{events} events, of which Discord refuses {poisoned} in any form (50035), and nuncio cannot read {poisoned} (their rows were spoilt)"
        ),
        required: L2,
        measured: format!("at most {tries} tries for each; {verdict}"),
        holds: Holds::both(
            verdict.is_clean()
                && verdict.dead == 2 * poisoned
                && verdict.delivered == events - 2 * poisoned
                && (1..=5).contains(&tries),
            blocked == BEHIND,
        ),
        control: format!(
            "poison that is answered like an outage (500): {blocked} of {BEHIND} behind it wait"
        ),
    })
}

fn poisoned(event: Event) -> Event {
    let kind = event.body.replacen("\"rig.c", "\"rig.poison.c", 1);
    Event { body: kind, ..event }
}

/// Makes the row of an event one that nuncio never wrote.
async fn spoil(stage: &Stage, tag: &str) -> anyhow::Result<()> {
    let spoil = "UPDATE events SET source = 'nobody' WHERE instr(CAST(body AS TEXT), ?1) > 0";
    let spoilt = stage.database().await?.execute(spoil, [tag.to_owned()]).await?;
    anyhow::ensure!(spoilt == 1, "{spoilt} rows hold {tag}");
    Ok(())
}

fn poison(status: u16, code: Option<u32>) -> serde_json::Value {
    json!({"fail": {"status": status, "code": code, "message": "Invalid Form Body", "about": "poison",
                    "on": "/messages", "n": 1_000_000}})
}

/// How often the poison that was tried most was tried.
async fn most_tries(stage: &Stage) -> anyhow::Result<usize> {
    let mut tries: BTreeMap<String, usize> = BTreeMap::new();
    for asked in stage.sandbox.asked().await?.into_iter().filter(Asked::is_post) {
        if asked.status == Some(400) {
            // The plain form shows the tag as well; a form without one would be counted under its own name.
            *tries.entry(asked.tags.join("")).or_default() += 1;
        }
    }
    Ok(tries.into_values().max().unwrap_or_default())
}

/// The control: how many good events wait behind one that Discord answers as if it were down itself.
async fn blocked() -> anyhow::Result<usize> {
    let mut stage = Stage::set(1).await?;
    stage.sandbox.order(poison(500, None)).await?;
    stage.start().await?;
    let event = stage.sender.event(0);
    stage.sender.deliver(&poisoned(event)).await?;
    stage.sender.deliver_all(1..1 + BEHIND).await?;
    until("the poison to be tried again", async || {
        let asked = stage.sandbox.asked().await.ok()?;
        (asked.iter().filter(|asked| asked.is_post()).count() >= 2).then_some(())
    })
    .await?;
    let delivered: usize = stage.sandbox.delivered().await?.values().map(Vec::len).sum();
    stage.kill().await?;
    Ok(BEHIND.saturating_sub(delivered))
}
