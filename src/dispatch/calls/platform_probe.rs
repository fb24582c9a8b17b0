//! Health probe of XTSystems: checks at intervals that it is reachable and accepts the API key, so that an outage is
//! reported before a decision waits for it.
//!
//! The probe reads the list of webhooks, which changes nothing. Calls for decisions belong to the platform lane.

use std::sync::Arc;
use std::time::Duration;

use crate::dispatch::Context;
use crate::hub::Condition;
use crate::xtsystems::{CallFailure, XtSystemsClient};

/// Probe interval while the platform is reachable.
const QUIET: Duration = Duration::from_secs(5 * 60);
/// Probe interval while it is not.
const IMPATIENT: Duration = Duration::from_secs(30);

/// Keeps [`Condition::PlatformUnreachable`] accurate, and reports a refused key. Never returns.
pub(in crate::dispatch) async fn watch(client: XtSystemsClient, context: Arc<Context>) {
    let mut refused_here = false;
    loop {
        let answer = client.webhooks().await.map(drop);
        let conditions = context.hub.conditions();
        let trouble = answer.as_ref().err().and_then(|failure| trouble(&client, failure));
        match &trouble {
            Some(sentence) if conditions.raise(Condition::PlatformUnreachable, sentence) => {
                tracing::warn!("{sentence}");
            }
            None if conditions.clear(Condition::PlatformUnreachable) => {
                tracing::info!("XTSystems answers again");
            }
            _ => {}
        }
        match answer {
            Err(failure) if failure.status == Some(401) => {
                refused_here = true;
                let sentence = format!("{failure}. Until then decisions are kept and not sent");
                if conditions.raise(Condition::KeyRefused, sentence.clone()) {
                    tracing::error!("{sentence}");
                }
            }
            Ok(()) if refused_here && conditions.clear(Condition::KeyRefused) => {
                refused_here = false;
                tracing::info!("XTSystems takes the key again");
            }
            _ => {}
        }
        context.clock.sleep(if trouble.is_some() { IMPATIENT } else { QUIET }).await;
    }
}

/// The platform's own failure; `None` if it merely lacks this call or refuses access.
fn trouble(client: &XtSystemsClient, failure: &CallFailure) -> Option<String> {
    let (found, remedy) = failure.outage(client.base())?;
    Some(format!("{found}. Decisions are kept and sent later; nuncio keeps trying. {remedy}"))
}
