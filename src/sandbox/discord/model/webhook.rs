//! Webhooks: URLs through which every holder of the token can send messages.

use serde_json::{Value, json};

use super::{
    AllowedMentions, Byline, Channel, Draft, Edit, FORUM, Message, Opening, Permission, Permissions, Refusal,
    World,
};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// How many webhooks a channel may have (Discord: JSON error 30007).
const PER_CHANNEL: usize = 15;

/// An incoming webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The first part of its URL's path; not secret.
    pub id: Snowflake,
    /// The second part of its URL's path; as secret as a password.
    pub token: String,
    /// The default name of its messages' author.
    pub name: String,
    /// The default avatar of its messages' author.
    pub avatar: Option<String>,
    /// The id of the channel that it posts to.
    pub channel: Snowflake,
    /// The id of that channel's guild.
    pub guild: Snowflake,
    /// The id of the user who created it.
    pub creator: Snowflake,
    /// The id of the bot's application, if a bot created it.
    pub application: Option<Snowflake>,
}

impl Webhook {
    /// Discord's webhook object; `api` is the base URL of the API that executes it.
    #[must_use]
    pub fn object(&self, api: &str) -> Value {
        json!({
            "id": self.id, "type": 1, "name": self.name, "avatar": self.avatar, "channel_id": self.channel,
            "guild_id": self.guild, "application_id": self.application, "token": self.token,
            "url": format!("{api}/webhooks/{}/{}", self.id, self.token),
        })
    }
}

/// A validated request to send through a webhook.
#[derive(Clone, Debug, Default)]
pub struct Execution {
    /// The content to send.
    pub draft: Draft,
    /// A name that replaces the webhook's.
    pub username: Option<String>,
    /// An avatar that replaces the webhook's.
    pub avatar: Option<String>,
    /// The id of the thread in its channel to send to.
    pub thread: Option<Snowflake>,
    /// The name of a post to open in its forum.
    pub thread_name: Option<String>,
    /// The ids of that post's tags.
    pub tags: Vec<Snowflake>,
}

impl World {
    /// Creates a webhook of `creator`.
    pub fn add_webhook(
        &mut self,
        creator: Snowflake,
        channel: Snowflake,
        name: &str,
        token: String,
        now: Timestamp,
    ) -> Result<Webhook, Refusal> {
        let place = self.channel_with(creator, channel, Permission::ManageWebhooks)?;
        if place.thread.is_some() {
            return Err(Refusal::WrongChannelKind);
        }
        if self.webhooks.values().filter(|known| known.channel == channel).count() >= PER_CHANNEL {
            return Err(Refusal::TooManyWebhooks);
        }
        let (guild, id) = (place.guild, self.mint(now));
        let application = Some(self.application).filter(|application| *application == creator);
        let name = name.to_owned();
        let webhook = Webhook { id, token, name, avatar: None, channel, guild, creator, application };
        self.webhooks.insert(id, webhook.clone());
        self.dispatch("WEBHOOKS_UPDATE", json!({"guild_id": guild, "channel_id": channel}));
        Ok(webhook)
    }

    /// All webhooks, in creation order.
    pub fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.values()
    }

    /// The webhook with this id, if the token is right.
    pub fn webhook(&self, id: Snowflake, token: &str) -> Result<&Webhook, Refusal> {
        let found = self.webhooks.get(&id).ok_or(Refusal::UnknownWebhook)?;
        if found.token == token { Ok(found) } else { Err(Refusal::InvalidWebhookToken) }
    }

    /// The webhook, if `user` may manage it.
    pub fn managed_webhook(&self, user: Snowflake, id: Snowflake) -> Result<&Webhook, Refusal> {
        let found = self.webhooks.get(&id).ok_or(Refusal::UnknownWebhook)?;
        self.channel_with(user, found.channel, Permission::ManageWebhooks)?;
        Ok(found)
    }

    /// Changes a webhook; the caller has checked the permission.
    pub fn change_webhook(
        &mut self,
        id: Snowflake,
        change: impl FnOnce(&mut Webhook),
    ) -> Result<Webhook, Refusal> {
        let webhook = self.webhooks.get_mut(&id).ok_or(Refusal::UnknownWebhook)?;
        change(webhook);
        let webhook = webhook.clone();
        let payload = json!({"guild_id": webhook.guild, "channel_id": webhook.channel});
        self.dispatch("WEBHOOKS_UPDATE", payload);
        Ok(webhook)
    }

    /// Deletes a webhook: later requests find it unknown.
    pub fn delete_webhook(&mut self, id: Snowflake) -> Result<(), Refusal> {
        let webhook = self.webhooks.remove(&id).ok_or(Refusal::UnknownWebhook)?;
        let payload = json!({"guild_id": webhook.guild, "channel_id": webhook.channel});
        self.dispatch("WEBHOOKS_UPDATE", payload);
        Ok(())
    }

    /// Sends a message through a webhook (Discord: "Execute Webhook").
    pub fn execute(
        &mut self,
        webhook: &Webhook,
        execution: Execution,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let Execution { mut draft, username, avatar, thread, thread_name, tags } = execution;
        if draft.is_empty() {
            return Err(Refusal::EmptyMessage);
        }
        draft.allowed_mentions.get_or_insert_with(AllowedMentions::users_only);
        let guise = (username.unwrap_or_else(|| webhook.name.clone()), avatar.or(webhook.avatar.clone()));
        let byline = Byline {
            webhook: Some(webhook.id),
            guise: Some(guise),
            application: webhook.application,
            ..Byline::default()
        };
        let forum = self.channels.get(&webhook.channel).is_some_and(|place| place.kind == FORUM);
        match (forum, thread, thread_name) {
            (true, None, None) => return Err(Refusal::ForumWebhookWithoutThread),
            (true, Some(_), Some(_)) => return Err(Refusal::ForumWebhookWithBoth),
            (false, _, Some(_)) => return Err(Refusal::WebhookThreadOutsideForum),
            (true, None, Some(name)) => {
                let opening =
                    Opening { name, tags, message: Some(draft), auto_archive: 4320, ..Opening::default() };
                let mut post = self.open_post(webhook.id, webhook.channel, opening, byline, now)?;
                return Ok(post["message"].take());
            }
            (_, _, None) => {}
        }
        let channel = self.webhook_place(webhook, thread)?.id;
        let mentions = self.mentions(channel, Permissions::ALL, &draft, None);
        let message = self.compose(webhook.id, draft, mentions, byline, now);
        self.put(channel, message, now)
    }

    /// The webhook's channel, or the given thread in it; webhooks cannot write into locked threads.
    fn webhook_place(&self, webhook: &Webhook, thread: Option<Snowflake>) -> Result<&Channel, Refusal> {
        let place = self.channels.get(&thread.unwrap_or(webhook.channel)).ok_or(Refusal::UnknownChannel)?;
        if thread.is_some() && place.parent != Some(webhook.channel) {
            return Err(Refusal::UnknownChannel);
        }
        let locked = place.thread.as_ref().is_some_and(|thread| thread.locked);
        if locked { Err(Refusal::ThreadLocked) } else { Ok(place) }
    }

    /// A message that was sent through a webhook, with its channel.
    pub fn webhook_message(
        &self,
        webhook: &Webhook,
        thread: Option<Snowflake>,
        id: Snowflake,
    ) -> Result<(&Channel, &Message), Refusal> {
        let (place, message) = self.find(thread.unwrap_or(webhook.channel), id)?;
        let own = message.byline.webhook == Some(webhook.id);
        if own { Ok((place, message)) } else { Err(Refusal::UnknownMessage) }
    }

    /// Edits a message that was sent through a webhook.
    pub fn edit_webhook_message(
        &mut self,
        webhook: &Webhook,
        thread: Option<Snowflake>,
        id: Snowflake,
        mut edit: Edit,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let (place, message) = self.webhook_message(webhook, thread, id)?;
        place.check_open()?;
        edit.allowed_mentions.get_or_insert_with(AllowedMentions::users_only);
        let (channel, draft) = (place.id, message.draft.edited(edit)?);
        let mentions = self.mentions(channel, Permissions::ALL, &draft, None);
        if let Some(message) = self.channels.get_mut(&channel).and_then(|found| found.messages.get_mut(&id)) {
            (message.draft, message.mentions, message.edited) = (draft, mentions, Some(now));
        }
        self.changed(channel, id)
    }

    /// Deletes a message that was sent through a webhook.
    pub fn delete_webhook_message(
        &mut self,
        webhook: &Webhook,
        thread: Option<Snowflake>,
        id: Snowflake,
    ) -> Result<(), Refusal> {
        let channel = self.webhook_message(webhook, thread, id)?.0.id;
        self.remove(channel, id);
        Ok(())
    }
}
