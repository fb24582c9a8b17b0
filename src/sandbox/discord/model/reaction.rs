//! Reactions to messages, and pinned messages.

use serde_json::{Value, json};

use super::{Channel, Message, Permission, Reaction, Refusal, World, iso};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// How many different emojis a message may have.
const EMOJIS: usize = 20;
/// How many pins one listing shows.
const PINS: usize = 50;

impl World {
    /// Adds a reaction. A new emoji needs Add Reactions, every reaction Read Message History.
    pub fn react(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        id: Snowflake,
        emoji: &str,
    ) -> Result<(), Refusal> {
        let (place, message) = self.readable(user, channel, id)?;
        place.check_open()?;
        let author = message.author;
        let known = message.reactions.iter().position(|one| one.emoji == emoji);
        let permissions = self.permissions(user, place);
        if known.is_none() {
            if !permissions.has(Permission::AddReactions) || message.reactions.len() >= EMOJIS {
                return Err(Refusal::MissingPermissions);
            }
            // A custom emoji has a colon; other text of plain letters and digits is not an emoji.
            if emoji.is_empty() || (emoji.is_ascii() && !emoji.contains(':')) {
                return Err(Refusal::UnknownEmoji);
            }
        }
        let reactions = self.reactions(channel, id)?;
        let at = known.unwrap_or_else(|| {
            reactions.push(Reaction { emoji: emoji.to_owned(), users: Vec::new() });
            reactions.len() - 1
        });
        let users = &mut reactions[at].users;
        if users.contains(&user) {
            return Ok(());
        }
        users.push(user);
        let mut payload = self.reaction_payload(channel, id, emoji);
        payload["user_id"] = json!(user);
        payload["message_author_id"] = json!(author);
        payload["burst"] = false.into();
        payload["type"] = 0.into();
        self.dispatch("MESSAGE_REACTION_ADD", payload);
        Ok(())
    }

    /// Removes the user's own reaction, or with Manage Messages another user's.
    pub fn unreact(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        id: Snowflake,
        emoji: &str,
        whose: Snowflake,
    ) -> Result<(), Refusal> {
        self.readable(user, channel, id)?;
        if whose != user {
            self.channel_with(user, channel, Permission::ManageMessages)?;
        }
        let reactions = self.reactions(channel, id)?;
        for reaction in reactions.iter_mut().filter(|one| one.emoji == emoji) {
            reaction.users.retain(|known| *known != whose);
        }
        reactions.retain(|one| !one.users.is_empty());
        let mut payload = self.reaction_payload(channel, id, emoji);
        payload["user_id"] = json!(whose);
        payload["burst"] = false.into();
        payload["type"] = 0.into();
        self.dispatch("MESSAGE_REACTION_REMOVE", payload);
        Ok(())
    }

    /// Removes one emoji, or all of them, from a message.
    pub fn clear_reactions(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        id: Snowflake,
        emoji: Option<&str>,
    ) -> Result<(), Refusal> {
        self.readable(user, channel, id)?;
        self.channel_with(user, channel, Permission::ManageMessages)?;
        self.reactions(channel, id)?.retain(|one| emoji.is_some_and(|emoji| one.emoji != emoji));
        let payload = self.reaction_payload(channel, id, emoji.unwrap_or_default());
        match emoji {
            Some(_) => self.dispatch("MESSAGE_REACTION_REMOVE_EMOJI", payload),
            None => self.dispatch("MESSAGE_REACTION_REMOVE_ALL", payload),
        }
        Ok(())
    }

    /// The users who reacted with this emoji, as user objects.
    pub fn reactors(
        &self,
        user: Snowflake,
        channel: Snowflake,
        id: Snowflake,
        emoji: &str,
    ) -> Result<Value, Refusal> {
        let (_, message) = self.readable(user, channel, id)?;
        let found = message.reactions.iter().find(|one| one.emoji == emoji).ok_or(Refusal::UnknownEmoji)?;
        Ok(found.users.iter().filter_map(|id| self.users.get(id)).map(super::User::object).collect())
    }

    /// Pins or unpins a message.
    pub fn pin(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        id: Snowflake,
        pinned: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        self.readable(user, channel, id)?;
        self.channel_with(user, channel, Permission::PinMessages)?;
        if let Some(message) = self.channels.get_mut(&channel).and_then(|found| found.messages.get_mut(&id)) {
            message.pinned = pinned;
        }
        self.changed(channel, id)?;
        let guild = self.channels.get(&channel).map(|channel| channel.guild);
        let payload =
            json!({"guild_id": guild, "channel_id": channel, "last_pin_timestamp": pinned.map(iso)});
        self.dispatch("CHANNEL_PINS_UPDATE", payload);
        Ok(())
    }

    /// The pinned messages of a channel, newest pin first, each with its time.
    pub fn pins(&self, user: Snowflake, channel: Snowflake) -> Result<Vec<(String, Value)>, Refusal> {
        let (place, permissions) = self.visible(user, channel)?;
        if !permissions.has(Permission::ReadMessageHistory) {
            return Ok(Vec::new());
        }
        let mut found: Vec<_> =
            place.messages.values().filter_map(|message| message.pinned.map(|at| (at, message))).collect();
        found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Ok(found
            .into_iter()
            .take(PINS)
            .map(|(at, message)| (iso(at), self.message_object(place, message)))
            .collect())
    }

    fn readable(
        &self,
        user: Snowflake,
        channel: Snowflake,
        id: Snowflake,
    ) -> Result<(&Channel, &Message), Refusal> {
        let (_, permissions) = self.visible(user, channel)?;
        if !permissions.has(Permission::ReadMessageHistory) {
            return Err(Refusal::MissingAccess);
        }
        self.find(channel, id)
    }

    fn reactions(&mut self, channel: Snowflake, id: Snowflake) -> Result<&mut Vec<Reaction>, Refusal> {
        let found = self.channels.get_mut(&channel).and_then(|found| found.messages.get_mut(&id));
        found.map(|message| &mut message.reactions).ok_or(Refusal::UnknownMessage)
    }

    fn reaction_payload(&self, channel: Snowflake, id: Snowflake, emoji: &str) -> Value {
        let guild = self.channels.get(&channel).map(|channel| channel.guild);
        let mut payload = json!({"channel_id": channel, "message_id": id, "guild_id": guild});
        if !emoji.is_empty() {
            payload["emoji"] = Reaction::emoji_object(emoji);
        }
        payload
    }
}
