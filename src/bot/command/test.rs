//! `/test-webhook`: has XTSystems send a test event and traces it hop by hop.

use std::fmt::Write as _;
use std::time::Duration;

use super::authorize::Done;
use super::{CommandContext, Error, authorize};
use crate::bot::refusal;
use crate::bot::text::plain;
use crate::bot::text::quoted;
use crate::clock::Timestamp;
use crate::hub::{Hop, Trace};
use crate::model::{AuditOutcome, Status};
use crate::xtsystems;

/// How long the test is traced. Discord would wait 15 minutes, people do not.
const PATIENCE: Duration = Duration::from_secs(20);
/// Clock tolerance: the platform's clock is not known; ours may be read a moment after the event arrived.
const SLACK: Duration = Duration::from_millis(50);
const MOST_LEGS: usize = 10;

/// Sends a test from XTSystems through nuncio to its channels, and measures every hop.
pub(super) async fn test_webhook(context: CommandContext<'_>) -> Result<(), Error> {
    authorize::operate(context, "webhook", test(context)).await
}

async fn test(context: CommandContext<'_>) -> Result<Done, Error> {
    let (outcome, sentence) = match &context.data().errands.platform {
        Some(platform) => through_the_platform(context, platform).await?,
        None => by_ourselves(context).await?,
    };
    Ok(Done::new(outcome, "webhook", sentence))
}

async fn through_the_platform(
    context: CommandContext<'_>,
    platform: &xtsystems::XtSystemsClient,
) -> Result<(AuditOutcome, String), Error> {
    let data = context.data();
    if !data.errands.registrar.has_secret() {
        return Ok((AuditOutcome::Refused, xtsystems::NO_SECRET.to_owned()));
    }
    let webhook = match platform.registration(data.errands.registrar.url()).await {
        Ok(Some(webhook)) => webhook,
        Ok(None) => {
            return Ok(failed(
                "XTSystems has no webhook that leads here: `/register-webhook` makes one, then test again."
                    .to_owned(),
            ));
        }
        Err(failure) => return Ok(failed(format!("The test was not sent. {failure}."))),
    };
    let (since, began) = (data.clock.now(), data.clock.elapsed());
    let report = match platform.test_webhook(&webhook.id).await {
        Ok(report) => report,
        Err(failure) => return Ok(failed(format!("The test was not sent. {failure}."))),
    };
    let took = report.ms.map_or_else(|| data.clock.elapsed().saturating_sub(began), Duration::from_millis);
    let from = format!("XTSystems {} ms", took.as_millis());
    match arrived(context, since).await? {
        Some(trace) => Ok((outcome(&trace), summary(&from, &trace))),
        None => Ok(failed(format!(
            "{from} → ✗ nothing arrived here. XTSystems says: {} Its webhook sends to {}: is that this nuncio, and is its \
             secret WEBHOOK_SECRET? `/register-webhook` sets both.",
            plain(&report.message),
            quoted(&webhook.url),
        ))),
    }
}

async fn by_ourselves(context: CommandContext<'_>) -> Result<(AuditOutcome, String), Error> {
    let hub = &context.data().hub;
    let event = match hub.send_test(&authorize::by(context)).await {
        Ok(event) => event,
        Err(error) => {
            return Ok((AuditOutcome::Refused, refusal::sentence(error, "The test was not sent.")?));
        }
    };
    let trace = hub.follow(event, PATIENCE).await?;
    let sentence = summary("Without XTSystems (there is no XTSYSTEMS_API_KEY)", &trace);
    Ok((outcome(&trace), sentence))
}

async fn arrived(context: CommandContext<'_>, since: Timestamp) -> Result<Option<Trace>, Error> {
    let hub = &context.data().hub;
    let Some(event) = hub.test_since(since.minus(SLACK)).await? else { return Ok(None) };
    Ok(Some(hub.follow(event, PATIENCE).await?))
}

fn failed(sentence: String) -> (AuditOutcome, String) {
    (AuditOutcome::Failed, sentence)
}

fn outcome(trace: &Trace) -> AuditOutcome {
    let all_well = trace.legs.iter().all(|leg| leg.status == Status::Delivered);
    if all_well { AuditOutcome::Done } else { AuditOutcome::Failed }
}

/// `XTSystems 38 ms → nuncio 1 ms on disk → #alerts 212 ms`
fn summary(from: &str, trace: &Trace) -> String {
    let mut sentence = format!("{from} → nuncio {} ms on disk → ", trace.on_disk.as_millis());
    if trace.legs.is_empty() {
        sentence.push_str(
            "nowhere: `webhook.test` has no route. Set channel in `/webhook-config` gives it one, or gives one to \
             everything else.",
        );
        return sentence;
    }
    let legs: Vec<String> = trace.legs.iter().take(MOST_LEGS).map(leg).collect();
    sentence.push_str(&legs.join(", "));
    if trace.legs.len() > MOST_LEGS {
        // Writing to a String cannot fail.
        let _ = write!(sentence, " … {} more", trace.legs.len() - MOST_LEGS);
    }
    sentence
}

fn leg(leg: &Hop) -> String {
    // "Acme NOC / #alerts" as operators configured it: the last part is enough.
    let name = leg.destination.rsplit(" / ").next().unwrap_or(&leg.destination);
    let name = plain(name);
    let why = || leg.reason.as_deref().map(|why| format!(": {}", plain(why))).unwrap_or_default();
    match (leg.status, leg.took) {
        (Status::Delivered, Some(took)) => format!("{name} {} ms", took.as_millis()),
        (Status::Cancelled, _) => format!("{name} 🔕 muted: `/unmute` says by whom, and ends it"),
        (Status::Dead, _) => format!("{name} ✗ given up{}", why()),
        _ => format!("{name} … still waiting{}; `/webhook-status` says what is in the way", why()),
    }
}
