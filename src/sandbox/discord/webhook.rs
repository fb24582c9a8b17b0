//! The webhook of a new sandbox Discord, so that there is an address to send to.

use std::net::SocketAddr;

use super::model::World;
use super::{Discord, rest, token};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::secret::Secret;

impl Discord {
    /// The address of the webhook that [`Setup`](crate::sandbox::discord::Setup) creates, in Discord's format.
    #[must_use]
    pub fn webhook_url(&self, address: SocketAddr) -> Secret {
        let (id, token) = &self.0.webhook;
        Secret::new(format!("http://{address}/api/webhooks/{id}/{}", token.expose()))
    }

    /// Deletes a webhook, as a member with the permission would. Returns whether it existed.
    pub fn delete_webhook(&self, webhook: Snowflake) -> bool {
        self.change(|world, _| world.delete_webhook(webhook).is_ok())
    }

    /// The id of the webhook that [`Setup`](crate::sandbox::discord::Setup) creates.
    #[must_use]
    pub fn webhook_id(&self) -> Snowflake {
        self.0.webhook.0
    }
}

/// Creates a webhook of the guild's owner in the channel with this name; returns an unknown one if there is no such
/// channel.
pub(super) fn made_in(world: &mut World, channel: &str, now: Timestamp) -> (Snowflake, Secret) {
    let token = token::random_text(rest::webhook::TOKEN);
    let owner = world.guilds().next().map(|guild| guild.owner);
    let made = owner.zip(world.channel_named(channel)).and_then(|(owner, channel)| {
        world.add_webhook(owner, channel, "Captain Hook", token.clone(), now).ok()
    });
    world.take_dispatches();
    (made.map_or_else(|| world.mint(now), |webhook| webhook.id), Secret::new(token))
}
