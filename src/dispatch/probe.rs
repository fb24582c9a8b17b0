//! Probes of Discord: the bot's identity, the current time, and whether closed channels exist again.

use std::sync::Arc;
use std::time::Duration;

use crate::discord::Client;
use crate::dispatch::Context;
use crate::hub::{Condition, GatewayState};
use crate::model::schedule::DENIED_AGAIN;
use crate::model::{Destination, Sink};

/// Interval between two tries to fetch the bot's identity.
const PROBE_AGAIN: Duration = Duration::from_secs(15);
/// Interval between two checks whether the clock was set.
const CLOCK: Duration = Duration::from_secs(1);
/// Interval between two checks whether a closed channel is due for a probe.
const LOOK: Duration = Duration::from_secs(30);

/// Fetches the bot's identity until Discord answers, and logs the result.
pub(super) async fn introduce(client: Client, context: Arc<Context>) {
    let conditions = context.hub.conditions();
    loop {
        let permit = client.circuit_breaker().acquire().await;
        match client.myself(permit).await {
            Ok(me) => {
                conditions.clear(Condition::DiscordUnreachable);
                tracing::info!(bot.id = %me.id, "Discord knows this token as the bot {}", me.username);
                return;
            }
            // The pause reporter logs a refused token.
            Err(failure) if failure.status == Some(401) => return,
            Err(failure) => {
                let sentence = format!(
                    "Discord cannot be reached: {failure}. Events are kept and sent later; nuncio keeps trying"
                );
                if conditions.raise(Condition::DiscordUnreachable, sentence.clone()) {
                    tracing::warn!("{sentence}");
                }
            }
        }
        context.clock.sleep(PROBE_AGAIN).await;
    }
}

/// Sends a request when the clock was set: the response carries Discord's time. Never returns.
pub(super) async fn ask_the_time(client: Client, context: Arc<Context>) {
    loop {
        context.clock.sleep(CLOCK).await;
        if context.hub.wants_time() {
            let permit = client.circuit_breaker().acquire().await;
            if client.myself(permit).await.is_err() {
                context.clock.sleep(PROBE_AGAIN).await;
            }
        }
    }
}

/// Probes each closed channel at intervals. A connected gateway reports reopened channels by itself, so nothing is
/// requested then. Never returns.
pub(super) async fn look_for_closed(client: Client, context: Arc<Context>) {
    loop {
        context.clock.sleep(LOOK).await;
        if matches!(context.hub.gateway(), GatewayState::Connected { .. }) {
            continue;
        }
        let troubled = context.store.troubled_destinations().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "closed channels cannot be looked for: the database cannot be read");
            Vec::new()
        });
        for destination in troubled.into_iter().filter(|destination| destination.closed.is_some()) {
            if destination.not_before <= context.clock.steady() {
                probe_channel(&client, &context, destination).await;
            }
        }
    }
}

/// Probes one channel with one request.
async fn probe_channel(client: &Client, context: &Context, destination: Destination) {
    let Sink::Channel(channel) = destination.sink else { return };
    let permit = client.circuit_breaker().acquire().await;
    if client.channel(permit, channel).await.is_ok_and(|place| place.takes_messages()) {
        context.hub.reopen(channel, "Discord knows it").await;
    } else {
        let again = context.clock.steady().plus(DENIED_AGAIN);
        if let Err(error) = context.store.hold(destination.id, again).await {
            tracing::warn!(%error, "{} is still closed, and the database could not save when it was last tried", destination.name);
        }
    }
}
