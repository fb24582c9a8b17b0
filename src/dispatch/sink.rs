//! Sinks: what each way to reach a destination has to do, duty by duty. Lanes ask here and know no sink.
//!
//! | duty | shows cards: channel, Discord webhook | is called: platform |
//! | --- | --- | --- |
//! | name, address as stored and as shown, how it is mended | `model/sink.rs` | `model/sink.rs` |
//! | ready in, permit, posted after, send | here: one `match` for each | `calls/platform.rs`: calls have no bucket |
//! | how an answer becomes an outcome | `discord/answer/outcome.rs` | `calls/platform.rs` |
//! | whether the other side can be reached | `sink/reachability.rs` | `calls/platform.rs`, `calls/platform_probe.rs` |

mod channel;
mod discord_webhook;
mod prepare;
pub(super) mod reachability;
mod share;

use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{Access, Permit, Share};
use crate::dispatch::Context;
use crate::dispatch::calls::platform::PlatformSink;
use crate::dispatch::sink::channel::ChannelSink;
use crate::dispatch::sink::discord_webhook::WebhookSink;
use crate::model::{Attempt, Destination, Message, PostedAfter, Sink, Snowflake, WebhookMark};
use crate::store::Result;

/// The sinks of this process.
pub(super) struct Sinks {
    /// `None` without a token.
    channel: Option<ChannelSink>,
    discord_webhook: WebhookSink,
    /// `None` without a key.
    platform: Option<PlatformSink>,
}

/// The sink of a destination that shows cards.
#[derive(Clone, Copy)]
pub(super) enum CardSink<'a> {
    Channel(&'a ChannelSink, Snowflake),
    DiscordWebhook(&'a WebhookSink, &'a WebhookMark),
}

impl Sinks {
    pub(super) fn new(access: &Access, platform: Option<PlatformSink>) -> Self {
        let channel = access.client().cloned().map(ChannelSink::new);
        Self { channel, discord_webhook: WebhookSink::new(access.transport().clone()), platform }
    }

    /// The sink behind `sink` that shows cards; `None` if it needs a token and there is none, or if it is called.
    pub(super) fn showing<'a>(&'a self, sink: &'a Sink) -> Option<CardSink<'a>> {
        match sink {
            Sink::Channel(id) => self.channel.as_ref().map(|channel| CardSink::Channel(channel, *id)),
            Sink::DiscordWebhook(mark) => Some(CardSink::DiscordWebhook(&self.discord_webhook, mark)),
            Sink::XtSystems => None,
        }
    }

    /// The sink of decisions; `None` without a key.
    pub(super) const fn platform(&self) -> Option<&PlatformSink> {
        self.platform.as_ref()
    }

    /// A lower bound for what a message to `destination` planned now is posted after.
    pub(super) fn posted_after(&self, destination: &Destination, clock: &Clock) -> PostedAfter {
        let sink = self.showing(&destination.sink);
        sink.map(|sink| sink.posted_after(destination.newest, clock)).unwrap_or_default()
    }
}

impl CardSink<'_> {
    /// How long the next message must wait for its rate-limit bucket.
    pub(super) fn ready_in(self, share: Share) -> Duration {
        match self {
            Self::Channel(sink, channel) => sink.ready_in(channel, share),
            Self::DiscordWebhook(sink, webhook) => sink.ready_in(webhook, share),
        }
    }

    /// Waits for a permit to send a request.
    pub(super) async fn permit(self) -> Permit {
        match self {
            Self::Channel(sink, _) => sink.permit().await,
            Self::DiscordWebhook(sink, _) => sink.permit().await,
        }
    }

    /// A lower bound for what a message planned now is posted after; `newest` is the newest message known to be there.
    /// Empty for webhooks, whose messages are never searched for.
    fn posted_after(self, newest: Option<Snowflake>, clock: &Clock) -> PostedAfter {
        match self {
            Self::Channel(sink, _) => sink.posted_after(newest, clock),
            Self::DiscordWebhook(..) => PostedAfter::default(),
        }
    }

    /// Tries to send `message`.
    pub(super) async fn send(
        self,
        context: &Context,
        destination: &Destination,
        message: &mut Message,
        permit: Permit,
    ) -> Result<Attempt> {
        match self {
            Self::Channel(sink, channel) => sink.send(context, channel, message, permit).await,
            Self::DiscordWebhook(sink, _) => sink.send(context, destination, message, permit).await,
        }
    }
}
