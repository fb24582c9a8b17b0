//! The message sinks: which one serves a destination, and the operations that a lane uses.

mod channel;
pub(super) mod discord_webhook;
pub(super) mod reachability;
mod share;

use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{Access, Permit, Share};
use crate::dispatch::Context;
use crate::dispatch::sink::channel::ChannelSink;
use crate::dispatch::sink::discord_webhook::Webhooks;
use crate::model::{Attempt, Destination, Message, PostedAfter, Sink};
use crate::store::{Error, Result};

/// All message sinks.
pub(super) struct Sinks {
    /// The channel sink, if there is a bot.
    channel: Option<ChannelSink>,
    webhooks: Webhooks,
}

impl Sinks {
    pub(super) fn new(access: &Access) -> Self {
        let channel = access.client().cloned().map(ChannelSink::new);
        Self { channel, webhooks: Webhooks::new(access.transport().clone()) }
    }

    /// Waits for a permit to send to `sink`. `None` if the sink needs a token and there is none.
    pub(super) async fn pass(&self, sink: &Sink) -> Option<Permit> {
        match sink {
            Sink::Channel(_) => Some(self.channel.as_ref()?.pass().await),
            Sink::DiscordWebhook(_) => Some(self.webhooks.pass().await),
            Sink::XtSystems => None,
        }
    }

    /// How long the next message must wait for its rate-limit bucket.
    pub(super) fn ready_in(&self, sink: &Sink, share: Share) -> Duration {
        match (sink, &self.channel) {
            (Sink::Channel(id), Some(channel)) => channel.ready_in(*id, share),
            (Sink::DiscordWebhook(webhook), _) => self.webhooks.ready_in(webhook, share),
            (Sink::Channel(_), None) | (Sink::XtSystems, _) => Duration::ZERO,
        }
    }

    /// A lower bound for what a message to `destination` planned now is posted after. Empty for webhooks, whose
    /// messages are never searched for.
    pub(super) fn posted_after(&self, destination: &Destination, clock: &Clock) -> PostedAfter {
        match (&destination.sink, &self.channel) {
            (Sink::Channel(_), Some(channel)) => channel.posted_after(destination.newest, clock),
            (Sink::Channel(_), None) | (Sink::DiscordWebhook(_) | Sink::XtSystems, _) => {
                PostedAfter::default()
            }
        }
    }

    /// Tries to send `message`.
    pub(super) async fn send(
        &self,
        context: &Context,
        destination: &Destination,
        message: &mut Message,
        permit: Permit,
    ) -> Result<Attempt> {
        match (&destination.sink, &self.channel) {
            (Sink::Channel(id), Some(channel)) => channel.send(context, *id, message, permit).await,
            (Sink::DiscordWebhook(_), _) => self.webhooks.send(context, destination, message, permit).await,
            // Its lane never gets a permit.
            (Sink::Channel(_), None) | (Sink::XtSystems, _) => {
                Err(Error::Corrupt("a message for no channel".to_owned()))
            }
        }
    }
}
