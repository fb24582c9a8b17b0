//! A slow Discord: acknowledgments do not wait for it, and nothing is lost.

use std::time::Duration;

use anyhow::ensure;

use crate::Plan;
use crate::load;
use crate::program::Programs;
use crate::report::{Report, Required, median, millis};
use crate::request::Requests;

const SENDERS: usize = 64;
/// The time a slow Discord takes for each answer.
const SLOW_S: f64 = 0.1;
/// Events per second: 100,000 in a minute.
pub const RATE: usize = 1_667;

/// The acknowledgment's p50 while Discord answers in 100 ms, divided by the p50 while it answers at once.
pub async fn compare(programs: &Programs, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let mut ratios = Vec::new();
    let mut p50 = [Vec::new(), Vec::new()];
    for round in 0..plan.rounds {
        let mut both = [0.0, 0.0];
        for side in [round % 2, (round + 1) % 2] {
            let discord = programs.sandbox().await?;
            let (running, _) = programs.nuncio(&discord, &discord.map()).await?;
            running.connected().await?;
            if side == 1 {
                discord.slow(SLOW_S).await?;
            }
            load::full(running.address, Requests::mixed(20_000), SENDERS, plan.turn / 4).await?;
            let requests = Requests::mixed((plan.turn.as_secs_f64() * 40_000.0) as usize);
            let answers = load::full(running.address, requests, SENDERS, plan.turn).await?;
            ensure!(answers.refused == 0, "{} requests were not answered 200", answers.refused);
            both[side] = millis(answers.percentile(0.50));
            p50[side].push(both[side]);
            running.end().await?;
        }
        ratios.push(both[1] / both[0]);
    }
    let what = "acknowledged, p50 with Discord answering in 100 ms ÷ at once, 64 senders";
    report.figure(what, median(ratios), "", Required::AtMost(1.2));
    let [at_once, slow] = p50.map(median);
    report.detail(format!(
        "Acknowledged by 64 senders at full speed, p50: {at_once:.2} ms with Discord answering at once, {slow:.2} ms with \
         Discord answering in 100 ms."
    ));
    Ok(())
}

/// A steady stream for a minute, while Discord takes 100 ms for each answer.
pub async fn endure(programs: &Programs, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let discord = programs.sandbox().await?;
    let (running, _) = programs.nuncio(&discord, &discord.map()).await?;
    running.connected().await?;
    discord.slow(SLOW_S).await?;
    // Rounded down: 100,000 in a minute.
    let count = (RATE * plan.slow.as_secs() as usize) / 1000 * 1000;
    let answers = load::paced(running.address, Requests::mixed(count), SENDERS, RATE).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (most, after) = (running.most_memory_mib()?, running.memory_mib()?);
    let lost = count.saturating_sub(running.stored()?);
    let stream =
        format!("{count} events in {:.0} s while Discord takes 100 ms", answers.lasted.as_secs_f64());
    let refused = answers.refused + (count - answers.count());
    report.figure(format!("{stream}: not answered 200"), refused as f64, "", Required::AtMost(0.0));
    report.figure("the same: lost", lost as f64, "", Required::AtMost(0.0));
    report.figure(
        "the same: acknowledged, p99",
        millis(answers.percentile(0.99)),
        " ms",
        Required::AtMost(100.0),
    );
    report.figure("the same: most memory", most, " MiB", Required::AtMost(256.0));
    report.figure(format!("memory after {count} events"), after, " MiB", Required::AtMost(48.0));
    report.detail(format!(
        "The stream: p50 {:.2} ms, p99 {:.2} ms, the longest {:.1} ms; {} of its {count} events still waited for Discord \
         5 s after it.",
        millis(answers.percentile(0.50)),
        millis(answers.percentile(0.99)),
        millis(answers.percentile(1.0)),
        running.pending().await?,
    ));
    running.end().await
}
