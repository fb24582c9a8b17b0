//! The webhook sink: posts or edits messages through a stored webhook. The bot's token is neither needed nor sent.
//!
//! Webhooks have no nonce: a message that may have arrived is sent again, marked as a possible duplicate.

use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{HttpTransport, Permit, Share};
use crate::dispatch::Context;
use crate::dispatch::sink::prepare::prepare;
use crate::dispatch::sink::share::share_of;
use crate::model::dispatch::message_author;
use crate::model::{
    Action, Arrived, Attempt, Destination, Message, Outcome, Reason, Snowflake, Source, WebhookMark,
};
use crate::store::Result;

/// Why there are no buttons: Discord allows them only on webhooks that an application owns.
const NO_BUTTONS: &str = "No buttons here: this card came through a webhook. Decide with /machine, or in a channel that the bot writes to";

/// Posts through webhooks.
pub(in crate::dispatch) struct WebhookSink {
    transport: HttpTransport,
}

impl WebhookSink {
    pub(in crate::dispatch) const fn new(transport: HttpTransport) -> Self {
        Self { transport }
    }

    /// Tries to send `message`.
    pub(in crate::dispatch) async fn send(
        &self,
        context: &Context,
        destination: &Destination,
        message: &mut Message,
        permit: Permit,
    ) -> Result<Attempt> {
        // Read anew for each try: an operator may have just replaced it.
        let Some(url) = context.store.webhook_url(destination.id).await? else {
            let removed = context.store.destination(destination.id).await?.is_none();
            return Ok(if removed { gone(&context.clock) } else { unreadable(&context.clock) });
        };
        if message.action == Action::Create && message.ambiguous_since.is_some() && !message.maybe_duplicate {
            context.store.note_maybe_duplicate(message.id).await?;
            message.maybe_duplicate = true;
            tracing::warn!(
                message.id = %message.id,
                "a message may have reached {} although no answer came. It is sent again and may be a duplicate",
                destination.name
            );
        }
        message.no_buttons = Some(NO_BUTTONS);
        message.through = Some(url.mark());
        let (_, mut body) = match prepare(context, message).await? {
            Ok(prepared) => prepared,
            Err(unsent) => return Ok(unsent),
        };
        // Execute Webhook supports no replies and, for webhooks like these, no buttons.
        (body.message_reference, body.components) = (None, None);
        if message.action == Action::Create && is_dispatch(message) {
            let branding = &context.hub.api_config().branding;
            let icon = context.store.webhook_icon(destination.id).await?;
            body.username = message_author([&destination.name, &branding.name]);
            body.avatar_url = icon.or_else(|| branding.icon_url.clone());
        }
        let permit = self.ready(context, url.id(), message, permit).await;
        let attempt = match message.action {
            Action::Create => self.transport.execute_webhook(&url, &body).await,
            Action::Edit { message, .. } => self.transport.edit_webhook_message(&url, message, &body).await,
        };
        permit.report(&attempt);
        Ok(attempt)
    }

    /// Waits for a permit to send a request.
    pub(in crate::dispatch) async fn permit(&self) -> Permit {
        self.transport.circuit_breaker().acquire_without_token().await
    }

    /// How long the next message must wait for its rate-limit bucket.
    pub(in crate::dispatch) fn ready_in(&self, webhook: &WebhookMark, share: Share) -> Duration {
        self.transport.webhook_ready_in(webhook.id(), share)
    }

    /// Waits for the bucket: edits have their own, and a replaced webhook has another. The permit is released
    /// meanwhile.
    async fn ready(
        &self,
        context: &Context,
        webhook: Snowflake,
        message: &Message,
        mut permit: Permit,
    ) -> Permit {
        loop {
            let wait = match message.action {
                // The lane has already waited for the reserved slot.
                Action::Create => self.transport.webhook_ready_in(webhook, Share::Full),
                Action::Edit { .. } => self.transport.webhook_ready_to_edit_in(webhook, share_of(message)),
            };
            if wait.is_zero() {
                return permit;
            }
            drop(permit);
            context.clock.sleep(wait).await;
            permit = self.permit().await;
        }
    }
}

/// Whether the message shows dispatches: they have an author of their own. The deliveries of a digest are only in the
/// table: it is signed by the webhook.
fn is_dispatch(message: &Message) -> bool {
    let mut events = message.deliveries.iter().filter_map(|delivery| delivery.event.as_deref());
    events.any(|event| event.source == Source::Dispatch)
}

/// The attempt when an operator just removed the webhook: the next sweep cancels what waits for it.
fn gone(clock: &Clock) -> Attempt {
    let why = "its webhook was removed, so what waits for it is cancelled".to_owned();
    unsent(clock, why, Outcome::Retry { after: None, arrived: Arrived::No })
}

/// The attempt when the stored address cannot be unsealed.
fn unreadable(clock: &Clock) -> Attempt {
    let why = "its address cannot be unsealed: its row in the database was changed, or was sealed with another key. \
               Give the address again";
    unsent(clock, why.to_owned(), Outcome::Closed(Reason::new(why)))
}

/// An attempt that ended with `outcome` before a request was sent.
fn unsent(clock: &Clock, why: String, outcome: Outcome) -> Attempt {
    Attempt { response: why.into_bytes(), ..Attempt::unanswered(clock.now(), outcome) }
}
