//! Asks XTSystems now and then whether it is there and takes our key, so that a platform that is away is a problem before
//! somebody's decision waits for it.
//!
//! It reads the list of webhooks, which changes nothing. Who decides, and what a decision waits for, is the platform
//! lane's.

use std::sync::Arc;
use std::time::Duration;

use crate::dispatch::Context;
use crate::hub::Condition;
use crate::xtsystems::{Client, Failure};

/// How long until the next look while it is there.
const QUIET: Duration = Duration::from_secs(5 * 60);
/// How long until the next look while it is not.
const IMPATIENT: Duration = Duration::from_secs(30);

/// Keeps [`Condition::PlatformUnreachable`] true, and reports a key that is refused. Never ends.
pub(super) async fn watch(client: Client, context: Arc<Context>) {
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

/// What is wrong with the platform itself; nothing if it merely has no such call, or refuses us.
fn trouble(client: &Client, failure: &Failure) -> Option<String> {
    let (found, remedy) = failure.outage(client.base())?;
    Some(format!("{found}. Decisions are kept and sent later; nuncio keeps trying. {remedy}"))
}
