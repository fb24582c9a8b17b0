//! The sinks of messages: which one reaches a destination, and what a lane may ask of each.

use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{Access, Permit, Share};
use crate::dispatch::Context;
use crate::dispatch::channel::Channel;
use crate::dispatch::webhook::Webhooks;
use crate::model::{Attempt, Destination, Message, PostedAfter, Sink};
use crate::store::{Error, Result};

/// What sends messages.
pub(super) struct Sinks {
    /// Writes to channels, if there is a bot.
    channel: Option<Channel>,
    webhooks: Webhooks,
}

impl Sinks {
    pub(super) fn new(access: &Access) -> Self {
        let channel = access.client().cloned().map(Channel::new);
        Self { channel, webhooks: Webhooks::new(access.transport().clone()) }
    }

    /// Waits until a request to `sink` may leave. `None` if nothing can be sent there without a token.
    pub(super) async fn pass(&self, sink: &Sink) -> Option<Permit> {
        match sink {
            Sink::Channel(_) => Some(self.channel.as_ref()?.pass().await),
            Sink::DiscordWebhook(_) => Some(self.webhooks.pass().await),
            Sink::XtSystems => None,
        }
    }

    /// How long the next message should wait for its bucket.
    pub(super) fn ready_in(&self, sink: &Sink, share: Share) -> Duration {
        match (sink, &self.channel) {
            (Sink::Channel(id), Some(channel)) => channel.ready_in(*id, share),
            (Sink::DiscordWebhook(webhook), _) => self.webhooks.ready_in(webhook, share),
            (Sink::Channel(_), None) | (Sink::XtSystems, _) => Duration::ZERO,
        }
    }

    /// What a message to `destination` is surely posted after that is planned now. Nobody looks for what went through a
    /// webhook.
    pub(super) fn posted_after(&self, destination: &Destination, clock: &Clock) -> PostedAfter {
        match (&destination.sink, &self.channel) {
            (Sink::Channel(_), Some(channel)) => channel.posted_after(destination.newest, clock),
            _ => PostedAfter::default(),
        }
    }

    /// Tries to send `message`.
    pub(super) async fn send(
        &self,
        context: &Context,
        destination: &Destination,
        message: &mut Message,
        pass: Permit,
    ) -> Result<Attempt> {
        match (&destination.sink, &self.channel) {
            (Sink::Channel(id), Some(channel)) => channel.send(context, *id, message, pass).await,
            (Sink::DiscordWebhook(_), _) => self.webhooks.send(context, destination, message, pass).await,
            // Its lane has got no pass.
            (Sink::Channel(_), None) | (Sink::XtSystems, _) => {
                Err(Error::Corrupt("a message for no channel".to_owned()))
            }
        }
    }
}
