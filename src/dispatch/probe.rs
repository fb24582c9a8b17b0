//! Asking Discord what only it can tell: who we are, and whether closed channels are there again.

use std::sync::Arc;
use std::time::Duration;

use crate::discord::Client;
use crate::dispatch::Context;
use crate::hub::{Condition, Gateway};
use crate::model::schedule::DENIED_AGAIN;
use crate::model::{Destination, Sink};

/// How long to wait between two tries to learn who the token belongs to.
const PROBE_AGAIN: Duration = Duration::from_secs(15);
/// How often it is looked whether the clock was set.
const CLOCK: Duration = Duration::from_secs(1);
/// How often it is looked whether a closed channel's time has come.
const LOOK: Duration = Duration::from_secs(30);

/// Asks Discord who we are until it says so, and tells the operator what it said.
pub(super) async fn introduce(client: Client, context: Arc<Context>) {
    let conditions = context.hub.conditions();
    loop {
        let pass = client.gate().pass().await;
        match client.myself(pass).await {
            Ok(me) => {
                conditions.clear(Condition::DiscordUnreachable);
                tracing::info!(bot.id = %me.id, "Discord knows this token as the bot {}", me.username);
                return;
            }
            // The herald tells.
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

/// Asks Discord something when the clock was set: its answer says what time it is. Never ends.
pub(super) async fn ask_the_time(client: Client, context: Arc<Context>) {
    loop {
        context.clock.sleep(CLOCK).await;
        if context.hub.wants_time() {
            let pass = client.gate().pass().await;
            if client.myself(pass).await.is_err() {
                context.clock.sleep(PROBE_AGAIN).await;
            }
        }
    }
}

/// Asks for each closed channel once in a while whether it is there again. While the gateway is connected it tells by
/// itself, and nothing is asked. Never ends.
pub(super) async fn look_for_closed(client: Client, context: Arc<Context>) {
    loop {
        context.clock.sleep(LOOK).await;
        if matches!(context.hub.gateway(), Gateway::Connected { .. }) {
            continue;
        }
        let troubled = context.store.troubled_destinations().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "closed channels cannot be looked for: the database cannot be read");
            Vec::new()
        });
        for destination in troubled.into_iter().filter(|destination| destination.closed.is_some()) {
            if destination.not_before <= context.clock.steady() {
                look_for(&client, &context, destination).await;
            }
        }
    }
}

/// One request.
async fn look_for(client: &Client, context: &Context, destination: Destination) {
    let Sink::Channel(channel) = destination.sink else { return };
    let pass = client.gate().pass().await;
    if client.channel(pass, channel).await.is_ok_and(|place| place.takes_messages()) {
        context.hub.reopen(channel, "Discord knows it").await;
    } else {
        let again = context.clock.steady().plus(DENIED_AGAIN);
        if let Err(error) = context.store.hold(destination.id, again).await {
            tracing::warn!(%error, "{} is still closed, and the database could not save when it was last tried", destination.name);
        }
    }
}
