//! N-4, N-5: a dead token, a deleted channel, and the refusals that Discord counts against whoever repeats them.

use std::time::Duration;

use nuncio::clock::Clock;
use serde_json::json;

use super::sandbox::Asked;
use super::stage::Stage;
use super::table::{Holds, Row};
use super::{PATIENCE, Size, until};

pub const N4: &str = "≤ 3 requests with the dead token, the backlog kept, 0 lost";
pub const N5: &str = "a deleted or denying channel: 1 request; refused cards: ≤ 5 each, then dead with a reason; 0 lost, 0 doubled";

const QUIET: Duration = Duration::from_secs(11);

/// N-4.
pub async fn dead_token(_size: Size) -> anyhow::Result<Row> {
    let mut stage = Stage::set(8).await?;
    stage.start().await?;
    stage.sender.deliver_all(0..8).await?;
    stage.settle(PATIENCE).await?;
    // As at night: what was answered a moment ago vouches for the token, and what is under way cannot be called back.
    Clock::system().sleep(QUIET).await;
    stage.sandbox.order(json!({"revoke_token": true})).await?;
    stage.sender.deliver_all(8..48).await?;
    let url = stage.url("/health")?;
    let told = async || {
        let health: serde_json::Value = reqwest::get(&url).await.ok()?.json().await.ok()?;
        (health["discord"] == "disconnected").then_some(())
    };
    until("/health to tell of the dead token", told).await?;
    stage.sender.deliver_all(48..88).await?;
    let dead = with_dead_token(&stage).await?;
    let backlog = stage.health().await?["pending"].as_u64().unwrap_or_default();
    stage.terminate().await?;
    // The control: each start is a person's wish to try again. Four of them must be more than the figure allows.
    for _ in 0..4 {
        let before = with_dead_token(&stage).await?;
        stage.start().await?;
        until("the token to be tried", async || {
            with_dead_token(&stage).await.ok().filter(|tried| *tried > before)
        })
        .await?;
        stage.terminate().await?;
    }
    let control = with_dead_token(&stage).await?;
    stage.sandbox.order(json!({"restore_token": true})).await?;
    stage.start().await?;
    let verdict = stage.verdict().await?;
    Ok(Row {
        case: "N-4",
        done: "the token revoked in a quiet time (11 s), then 80 events for 8 channels; a valid token and a restart"
            .to_owned(),
        required: N4,
        measured: format!("{dead} requests with it, {backlog} kept; {verdict}"),
        holds: Holds::both((1..=3).contains(&dead) && backlog == 80 && verdict.is_clean(), control > 3),
        control: format!("4 more starts with the dead token: {control} requests"),
    })
}

async fn with_dead_token(stage: &Stage) -> anyhow::Result<usize> {
    Ok(stage.sandbox.asked().await?.iter().filter(|asked| asked.status == Some(401)).count())
}

/// What a channel answers, and how often it may be asked about five events.
const ANSWERS: &[(u16, u32, &str, usize)] = &[
    (404, 10003, "Unknown Channel", 1),
    (403, 50001, "Missing Access", 1),
    (403, 50013, "Missing Permissions", 1),
    (400, 50035, "Invalid Form Body", 25),
    (413, 40005, "Request entity too large", 25),
    (400, 220001, "Webhooks can only create threads in forum channels", 1),
    (400, 50083, "Thread is archived", 1),
];
const EVENTS: usize = 5;

/// N-5.
pub async fn refusals(_size: Size) -> anyhow::Result<Row> {
    // One channel for each answer, and one where all is well.
    let channels = ANSWERS.len() + 1;
    let mut stage = Stage::set(channels).await?;
    stage.start().await?;
    for ((status, code, message, _), channel) in ANSWERS.iter().zip(&stage.channels) {
        let on = format!("POST /api/v10/channels/{channel}/messages");
        let fault = json!({"status": status, "code": code, "message": message, "on": on, "n": 1000});
        stage.sandbox.order(json!({"fail": fault})).await?;
    }
    stage.sender.deliver_all(0..EVENTS * channels).await?;
    // All is done when the good channel has its events and each of the others was asked what it may be asked.
    stage.sandbox.sent(EVENTS, PATIENCE).await?;
    let asked = async || {
        let counts = asked_of(&stage).await.ok()?;
        counts.iter().all(|count| *count > 0).then_some(())
    };
    until("every channel to be asked", asked).await?;
    let own_faults = ANSWERS.iter().filter(|(_, _, _, most)| *most > 1).count();
    stage.given_up(own_faults * EVENTS).await?;
    let counts = asked_of(&stage).await?;
    let few = ANSWERS.iter().zip(&counts).all(|((_, _, _, most), count)| count <= most);
    stage.terminate().await?;
    stage.sandbox.order(json!({"clear": true})).await?;
    stage.waits_are_over().await?;
    stage.start().await?;
    let verdict = stage.verdict().await?;
    let told: Vec<String> =
        ANSWERS.iter().zip(&counts).map(|((_, code, ..), count)| format!("{code}: {count}")).collect();
    let control = counts.last().copied().unwrap_or_default();
    Ok(Row {
        case: "N-5",
        done: format!(
            "{EVENTS} events for each of {} channels that refuse them, and for one that does not",
            ANSWERS.len()
        ),
        required: N5,
        measured: format!("requests: {}; {verdict}", told.join(", ")),
        holds: Holds::both(few && verdict.is_clean(), control == EVENTS),
        control: format!("the channel that does not refuse was asked {control} times: the count counts"),
    })
}

/// How often each channel was asked to post.
async fn asked_of(stage: &Stage) -> anyhow::Result<Vec<usize>> {
    let asked = stage.sandbox.asked().await?;
    let posts: Vec<&Asked> = asked.iter().filter(|asked| asked.is_post()).collect();
    let count = |id: &String| posts.iter().filter(|asked| asked.path.contains(id.as_str())).count();
    Ok(stage.channels.iter().map(count).collect())
}
