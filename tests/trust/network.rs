//! N-1, N-2, N-8 to N-10: a Discord that fails three times in ten, one whose headers lie, and answers that are not
//! Discord's.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nuncio::clock::Clock;
use serde_json::{Value, json};

use super::kill::without_its_database;
use super::sandbox::Asked;
use super::stage::Stage;
use super::table::{Holds, Row};
use super::verdict::Verdict;
use super::{PATIENCE, Size, until};

pub const N1: &str = "all delivered, 0 lost, 0 doubled";
pub const N2: &str = "no panic, no wait over 1 h, 0 lost, 0 doubled";

pub const N8: &str = "nothing dead, 0 lost, 0 doubled";
pub const N10: &str = "all delivered within 60 s of the end of the faults, 0 lost, 0 doubled";

/// N-1: nine kinds of faults, drawn by a seed.
pub async fn storm(size: Size) -> anyhow::Result<Row> {
    let (seeds, events, channels) = (size.of(1, 5), size.of(120, 2_000), size.of(12, 40));
    let runs = (1..=seeds).map(|seed| weathered(seed, events, channels));
    let (mut measured, mut clean) = (Vec::new(), true);
    for run in futures_util::future::join_all(runs).await {
        let (verdict, faults, took) = run?;
        clean &= verdict.is_clean() && verdict.delivered == events && faults > 0;
        measured.push(format!("{verdict}, {faults} faults, {:.0} s", took.as_secs_f64()));
    }
    let lost = without_its_database().await?;
    Ok(Row {
        case: "N-1",
        done: format!(
            "{events} events, {seeds} seeds: 30 % of all requests meet a 429, 500, 502, a cut before or after, no answer, a slow one, half of one, or HTML"
        ),
        required: N1,
        measured: measured.join("; "),
        holds: Holds::both(clean, lost > 0),
        control: format!("the database deleted between kill and restart: {lost} of 50 lost"),
    })
}

/// Successes that prove nothing, and errors that are not Discord's.
fn strangers() -> Vec<Value> {
    let page = "<html>Log in</html>";
    let body = |status: u16, body: &str| json!({"status": status, "body": body});
    let mut all: Vec<Value> =
        [(200, page), (200, "{}"), (200, ""), (200, "null"), (204, ""), (200, r#"{"id":"1"}"#)]
            .map(|(status, text)| body(status, text))
            .into();
    all.push(json!({"kind": "stale"}));
    all.push(json!({"kind": "wrong_body"}));
    let statuses = [302, 400, 401, 404, 407, 410, 413, 418, 451];
    all.extend(statuses.map(|status| body(status, page)));
    all.extend(statuses.map(|status| body(status, r#"{"error":"blocked"}"#)));
    all
}

/// N-8, N-9: each of them, some times in a row, in a channel of its own.
pub async fn strangers_answer(_size: Size) -> anyhow::Result<Row> {
    let strangers = strangers();
    let mut stage = Stage::set(strangers.len()).await?;
    stage.start().await?;
    for (stranger, channel) in strangers.iter().zip(&stage.channels) {
        let mut stranger = stranger.clone();
        stranger["on"] = json!(format!("POST /api/v10/channels/{channel}/messages"));
        stranger["n"] = json!(3);
        stage.sandbox.order(json!({"fail": stranger})).await?;
    }
    stage.sender.deliver_all(0..2 * strangers.len()).await?;
    stage.settle(10 * PATIENCE).await?;
    let alive = stage.health().await?["service"] == "nuncio";
    let verdict = stage.verdict().await?;
    let lost = a_success_that_is_none().await?;
    Ok(Row {
        case: "N-8, N-9",
        done: format!(
            "{} answers that are not Discord's, three of each: successes without proof, stale ones, errors of proxies",
            strangers.len()
        ),
        required: N8,
        measured: verdict.to_string(),
        holds: Holds::both(alive && verdict.is_clean() && verdict.dead == 0, lost > 0),
        control: format!("a 200 that proves an effect it did not have: {lost} of 1 lost"),
    })
}

/// N-10: six requests in ten go wrong, in Discord's ways and in those of strangers, until they do not.
pub async fn recovery(size: Size) -> anyhow::Result<Row> {
    let (events, channels, seconds) = (size.of(60, 600), size.of(6, 30), size.of(5, 120));
    let mut stage = Stage::set(channels).await?;
    let weather = json!({"seed": 7, "share": 0.6, "on": "/messages", "seconds": 1, "foreign": true});
    stage.sandbox.order(json!({"storm": weather})).await?;
    stage.start().await?;
    stage.sender.deliver_all(0..events).await?;
    Clock::system().sleep(Duration::from_secs(seconds)).await;
    let before = stage.sandbox.asked().await?.iter().filter(|asked| asked.is_post()).count();
    stage.sandbox.order(json!({"clear": true})).await?;
    let ended = Instant::now();
    stage.settle(10 * PATIENCE).await?;
    let took = ended.elapsed();
    let verdict = stage.verdict().await?;
    let lost = without_its_database().await?;
    Ok(Row {
        case: "N-10",
        done: format!(
            "{events} events for {channels} channels while 60 % of all requests meet 22 kinds of faults for {seconds} s ({before} posts), then none"
        ),
        required: N10,
        measured: format!("{:.0} s until nothing waits; {verdict}", took.as_secs_f64()),
        holds: Holds::both(verdict.is_clean() && size.in_time(took, Duration::from_secs(60)), lost > 0),
        control: format!("the database deleted between kill and restart: {lost} of 50 lost"),
    })
}

/// One run in bad weather: the verdict, how many requests to post were needed beyond one for each event, how long.
async fn weathered(seed: u64, events: usize, channels: usize) -> anyhow::Result<(Verdict, usize, Duration)> {
    let mut stage = Stage::set(channels).await?;
    let began = Instant::now();
    let weather = json!({"seed": seed, "share": 0.3, "on": "/messages", "seconds": 1});
    stage.sandbox.order(json!({"storm": weather})).await?;
    stage.start().await?;
    stage.sender.deliver_all(0..events).await?;
    stage.settle(10 * PATIENCE).await?;
    let took = began.elapsed();
    let verdict = stage.verdict().await?;
    let posts = stage.sandbox.asked().await?.iter().filter(|asked| asked.is_post()).count();
    Ok((verdict, posts.saturating_sub(events), took))
}

/// Numbers as no honest server writes them.
const NUMBERS: &[&str] = &[
    "-1",
    "inf",
    "-inf",
    "nan",
    "1e300",
    "-1e300",
    "soon",
    "",
    "604800",
    "0x10",
    "１２",
    "1.2.3",
    "+5 s",
    "99999999999999999999999",
    "1e-300",
    "Wed, 21 Oct 2015 07:28:00 GMT",
];
/// And as no honest server writes them in JSON.
const JSON_NUMBERS: &[&str] = &["-1", "1e300", "604800", "null", "\"soon\"", "[]", "{}", "0", "true"];

/// Each lie as what the control API calls a fault.
fn lies() -> Vec<Value> {
    let on_success = |headers: Value| json!({"kind": "wrong_headers", "headers": headers});
    let limited = |headers: Value, body: String| json!({"status": 429, "headers": headers, "body": body});
    let honest = r#"{"message": "You are being rate limited.", "global": false}"#;
    let mut lies = Vec::new();
    for number in NUMBERS {
        lies.push(limited(json!({"retry-after": number, "via": "1.1 google"}), honest.to_owned()));
        lies.push(on_success(json!({"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": number})));
        lies.push(on_success(json!({"x-ratelimit-remaining": number, "x-ratelimit-reset": number})));
        lies.push(on_success(json!({"retry-after": number, "x-ratelimit-limit": number})));
    }
    for number in JSON_NUMBERS {
        let body = format!(r#"{{"message": "slow down", "retry_after": {number}, "global": false}}"#);
        lies.push(limited(json!({"via": "1.1 google"}), body));
    }
    // The window was over long ago, or is nobody's.
    lies.push(on_success(json!({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1.0"})));
    lies.push(on_success(json!({"x-ratelimit-bucket": "", "x-ratelimit-remaining": "0"})));
    lies.push(on_success(json!({"x-ratelimit-bucket": "x".repeat(4000)})));
    lies
}

/// N-2: every lie to a channel of its own.
pub async fn lying_headers(_size: Size) -> anyhow::Result<Row> {
    let lies = lies();
    let mut stage = Stage::set(lies.len()).await?;
    stage.start().await?;
    for (lie, channel) in lies.iter().zip(&stage.channels) {
        let mut lie = lie.clone();
        lie["on"] = json!(format!("POST /api/v10/channels/{channel}/messages"));
        stage.sandbox.order(json!({"fail": lie})).await?;
    }
    stage.sender.deliver_all(0..2 * lies.len()).await?;
    let heard = async || {
        let asked = stage.sandbox.asked().await.ok()?;
        let posted: BTreeSet<String> =
            asked.into_iter().filter(Asked::is_post).map(|asked| asked.path).collect();
        (posted.len() == lies.len()).then_some(())
    };
    until("every lie to be heard", heard).await?;
    let alive = stage.health().await?["service"] == "nuncio";
    stage.terminate().await?;
    let longest = stage.longest_wait().await?;
    stage.waits_are_over().await?;
    stage.start().await?;
    let verdict = stage.verdict().await?;
    let panics = stage.said.lines("panicked").len();
    let lost = a_success_that_is_none().await?;
    Ok(Row {
        case: "N-2",
        done: format!("{} lies in the headers and bodies of 429s and of successes", lies.len()),
        required: N2,
        measured: format!("{panics} panics, the longest wait {} s; {verdict}", longest.as_secs()),
        holds: Holds::both(
            alive && panics == 0 && longest <= Duration::from_secs(3_601) && verdict.is_clean(),
            lost > 0,
        ),
        control: format!(
            "a 200 that proves an effect it did not have: {lost} of 1 lost, as Discord's word is believed"
        ),
    })
}

/// The control of N-2: what Discord says it took and did not, the verdict finds missing.
async fn a_success_that_is_none() -> anyhow::Result<usize> {
    let mut stage = Stage::set(1).await?;
    stage.sandbox.order(json!({"fail": {"kind": "false_success", "on": "/messages"}})).await?;
    stage.start().await?;
    stage.sender.deliver_all(0..1).await?;
    Ok(stage.verdict().await?.lost.len())
}
