//! Answers to interactions: the first one, and followups for fifteen minutes (Discord: "Receiving and Responding to
//! Interactions").

use serde_json::{Value, json};

use super::interaction::{FIRST_ANSWER, Interaction, Kind, Stage, TOKEN};
use super::message::LOADING;
use super::{
    AllowedMentions, Byline, Channel, Draft, EPHEMERAL, Edit, Mentions, Message, Permissions, Reference,
    Refusal, World,
};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// How many ephemeral messages are kept.
const EPHEMERALS_KEPT: usize = 1_000;

/// The first answer to an interaction, validated. The numbers are Discord's callback types.
#[derive(Clone, Debug)]
pub enum Reply {
    /// 4: a message.
    Message(Draft),
    /// 5: a message will follow; `true` if it is ephemeral.
    Deferred(bool),
    /// 6: the message with the component may be edited later.
    DeferredUpdate,
    /// 7: edits the message with the component.
    Update(Edit),
    /// 8: autocomplete choices.
    Choices(Vec<Value>),
    /// 9: opens a modal.
    Modal(Value),
}

impl Reply {
    /// Whether this callback type fits the interaction.
    #[must_use]
    pub fn fits(kind: i64, interaction: &Interaction) -> bool {
        let on_message = interaction.source.is_some();
        match interaction.kind {
            Kind::Autocomplete => kind == 8,
            Kind::Command => matches!(kind, 4 | 5 | 9),
            Kind::Component => matches!(kind, 4..=7 | 9),
            Kind::Modal => matches!(kind, 4 | 5) || (on_message && matches!(kind, 6 | 7)),
        }
    }

    fn number(&self) -> u8 {
        match self {
            Self::Message(_) => 4,
            Self::Deferred(_) => 5,
            Self::DeferredUpdate => 6,
            Self::Update(_) => 7,
            Self::Choices(_) => 8,
            Self::Modal(_) => 9,
        }
    }
}

impl World {
    /// The interaction, if it can still have its first answer.
    pub fn unanswered(&self, id: Snowflake, token: &str, now: Timestamp) -> Result<&Interaction, Refusal> {
        let found = self.interactions.get(&id).filter(|found| found.token == token);
        let found = found.ok_or(Refusal::UnknownInteraction)?;
        match found.stage {
            Stage::Answered => Err(Refusal::AlreadyAnswered),
            Stage::Open if now.since(found.made) < FIRST_ANSWER => Ok(found),
            Stage::Open | Stage::Failed => Err(Refusal::UnknownInteraction),
        }
    }

    /// The flags of the message that an interaction came from: they decide what an edit of it may contain.
    #[must_use]
    pub fn source_flags(&self, interaction: &Interaction) -> u64 {
        let stored = interaction.source.and_then(|source| self.any_message(interaction.channel, source).ok());
        stored.map_or(0, |(_, message)| message.draft.flags)
    }

    /// Sends the first answer to an interaction. Returns Discord's interaction callback object.
    pub fn answer(&mut self, id: Snowflake, reply: Reply, now: Timestamp) -> Result<Value, Refusal> {
        let found = self.interactions.get(&id).ok_or(Refusal::UnknownInteraction)?.clone();
        let number = reply.number();
        let mut state = ("answered", json!({}));
        let mut modal = None;
        let (mut original, mut deferred) = (None, false);
        match reply {
            Reply::Message(draft) => {
                if draft.is_empty() {
                    return Err(Refusal::EmptyMessage);
                }
                original = Some(self.send_answer(&found, draft, found.source, now)?);
            }
            Reply::Deferred(ephemeral) => {
                let flags = LOADING | if ephemeral { EPHEMERAL } else { 0 };
                let draft = Draft { flags, ..Draft::default() };
                (original, deferred) = (Some(self.send_answer(&found, draft, found.source, now)?), true);
                state.0 = "deferred";
            }
            Reply::DeferredUpdate => (original, state.0) = (found.source, "deferred"),
            Reply::Update(edit) => {
                let source = found.source.ok_or(Refusal::UnknownMessage)?;
                self.rewrite(found.channel, source, edit, Some(now))?;
                original = Some(source);
            }
            Reply::Choices(choices) => state = ("autocomplete", json!({"choices": choices})),
            Reply::Modal(form) => {
                state = ("modal", json!({"modal": form}));
                modal = Some(form);
            }
        }
        let message = original.and_then(|message| self.show(found.channel, message).ok());
        let flags = message.as_ref().and_then(|message| message["flags"].as_u64()).unwrap_or(0);
        if let Some(message) = &message {
            state.1["message_id"] = message["id"].clone();
        }
        if let Some(found) = self.interactions.get_mut(&id) {
            (found.stage, found.original, found.deferred, found.modal) =
                (Stage::Answered, original, deferred, modal);
            let payload = found.progress_event(state.0, state.1);
            self.dispatch("SANDBOX_INTERACTION", payload);
        }
        let mut answer = json!({"interaction": {"id": id, "type": found.kind as u8}});
        if let Some(message) = message {
            answer["interaction"]["response_message_id"] = message["id"].clone();
            answer["interaction"]["response_message_loading"] = (flags & LOADING != 0).into();
            answer["interaction"]["response_message_ephemeral"] = (flags & EPHEMERAL != 0).into();
            // A deferred message has no content to return.
            if matches!(number, 4 | 7) {
                answer["resource"] = json!({"type": number, "message": message});
            }
        }
        Ok(answer)
    }

    /// The answered interaction with this token, while the token is valid.
    pub fn answered(&self, token: &str, now: Timestamp) -> Result<&Interaction, Refusal> {
        let found = self.interactions.values().rev().find(|found| found.token == token);
        let found =
            found.filter(|found| now.since(found.made) < TOKEN).ok_or(Refusal::InvalidWebhookToken)?;
        if found.stage == Stage::Answered { Ok(found) } else { Err(Refusal::UnknownWebhook) }
    }

    /// Sends a followup to an answered interaction. The first one after a deferral fills the deferred answer, whose
    /// visibility is already fixed.
    pub fn follow_up(&mut self, token: &str, mut draft: Draft, now: Timestamp) -> Result<Value, Refusal> {
        let found = self.answered(token, now)?.clone();
        if draft.is_empty() {
            return Err(Refusal::EmptyMessage);
        }
        let Some(original) = found.original.filter(|_| found.deferred) else {
            let message = self.send_answer(&found, draft, found.original, now)?;
            return self.show(found.channel, message);
        };
        let (_, message) = self.any_message(found.channel, original)?;
        draft.flags = (draft.flags & !EPHEMERAL) | (message.draft.flags & EPHEMERAL);
        self.undefer(found.id);
        self.replace(found.channel, original, draft, None)
    }

    /// A message of an interaction: its answer (`None`, Discord's `@original`) or a followup.
    pub fn answer_message(
        &self,
        token: &str,
        message: Option<Snowflake>,
        now: Timestamp,
    ) -> Result<(Snowflake, &Message), Refusal> {
        let found = self.answered(token, now)?;
        let id = message.or(found.original).ok_or(Refusal::UnknownMessage)?;
        let (_, stored) = self.any_message(found.channel, id)?;
        let belongs = found.original == Some(id)
            || stored.byline.interaction.as_ref().is_some_and(|origin| origin.id == found.id);
        if belongs { Ok((found.channel, stored)) } else { Err(Refusal::UnknownMessage) }
    }

    /// Edits a message of an interaction; a deferred answer is thereby filled.
    pub fn edit_answer(
        &mut self,
        token: &str,
        message: Option<Snowflake>,
        edit: Edit,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let interaction = self.answered(token, now)?.id;
        let (channel, stored) = self.answer_message(token, message, now)?;
        let (id, loading) = (stored.id, stored.draft.flags & LOADING != 0);
        let changed = self.rewrite(channel, id, edit, Some(now).filter(|_| !loading))?;
        if loading {
            self.undefer(interaction);
        }
        Ok(changed)
    }

    /// Deletes a message of an interaction.
    pub fn delete_answer(
        &mut self,
        token: &str,
        message: Option<Snowflake>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let (channel, stored) = self.answer_message(token, message, now)?;
        let id = stored.id;
        match self.ephemerals.remove(&id) {
            Some((channel, message)) => self.dispatch_ephemeral("MESSAGE_DELETE", channel, &message),
            None => self.remove(channel, id),
        }
        Ok(())
    }

    /// A message of a channel, ephemeral ones included.
    pub(super) fn any_message(
        &self,
        channel: Snowflake,
        id: Snowflake,
    ) -> Result<(&Channel, &Message), Refusal> {
        let ephemeral = self.ephemerals.get(&id).filter(|(place, _)| *place == channel);
        match (ephemeral, self.channels.get(&channel)) {
            (Some((_, message)), Some(channel)) => Ok((channel, message)),
            _ => self.find(channel, id),
        }
    }

    /// All ephemeral messages with the user who sees them, oldest first.
    pub fn ephemerals(&self) -> impl Iterator<Item = (Snowflake, Value)> {
        self.ephemerals.values().filter_map(|(channel, message)| {
            let place = self.channels.get(channel)?;
            Some((message.byline.only_for?, self.message_object(place, message)))
        })
    }

    /// A message as its object, ephemeral ones included.
    pub fn show(&self, channel: Snowflake, id: Snowflake) -> Result<Value, Refusal> {
        self.any_message(channel, id).map(|(channel, message)| self.message_object(channel, message))
    }

    fn undefer(&mut self, id: Snowflake) {
        let Some(found) = self.interactions.get_mut(&id) else { return };
        found.deferred = false;
        let message = found.original;
        let payload = found.progress_event("answered", json!({"message_id": message}));
        self.dispatch("SANDBOX_INTERACTION", payload);
    }

    /// Sends a message as the application's answer; after a click, it refers to `about`.
    fn send_answer(
        &mut self,
        interaction: &Interaction,
        mut draft: Draft,
        about: Option<Snowflake>,
        now: Timestamp,
    ) -> Result<Snowflake, Refusal> {
        let channel = interaction.channel;
        let public = about.filter(|about| self.find(channel, *about).is_ok());
        draft.reference =
            public.map(|message| Reference { channel: Some(channel), message, must_exist: false });
        draft.allowed_mentions.get_or_insert_with(AllowedMentions::users_only);
        let only_for = Some(interaction.user).filter(|_| draft.flags & EPHEMERAL != 0);
        let mut origin = interaction.origin.clone();
        if let Some(original) = interaction.original {
            origin.kind = 19;
            origin.short = None;
            origin.metadata["original_response_message_id"] = json!(original);
        }
        let byline = Byline {
            webhook: Some(self.application),
            application: Some(self.application),
            interaction: Some(origin),
            only_for,
            ..Byline::default()
        };
        let mentions = self.mentions(channel, Permissions::ALL, &draft, None);
        let message = self.compose(self.application, draft, mentions, byline, now);
        let id = message.id;
        if only_for.is_none() {
            self.put(channel, message, now)?;
            return Ok(id);
        }
        self.dispatch_ephemeral("MESSAGE_CREATE", channel, &message);
        self.ephemerals.insert(id, (channel, message));
        if self.ephemerals.len() > EPHEMERALS_KEPT {
            self.ephemerals.pop_first();
        }
        Ok(id)
    }

    /// Dispatches an ephemeral message to the page, for one user only.
    fn dispatch_ephemeral(&mut self, event: &str, channel: Snowflake, message: &Message) {
        let Some(place) = self.channels.get(&channel) else { return };
        let object = self.message_object(place, message);
        let payload = json!({"user_id": message.byline.only_for, "event": event, "message": object});
        self.dispatch("SANDBOX_EPHEMERAL", payload);
    }

    fn rewrite(
        &mut self,
        channel: Snowflake,
        id: Snowflake,
        edit: Edit,
        edited: Option<Timestamp>,
    ) -> Result<Value, Refusal> {
        let (_, stored) = self.any_message(channel, id)?;
        // The visibility is fixed.
        let fixed = stored.draft.flags & EPHEMERAL;
        let mut draft = stored.draft.edited(edit)?;
        draft.flags = (draft.flags & !EPHEMERAL) | fixed;
        self.replace(channel, id, draft, edited)
    }

    fn replace(
        &mut self,
        channel: Snowflake,
        id: Snowflake,
        mut draft: Draft,
        edited: Option<Timestamp>,
    ) -> Result<Value, Refusal> {
        draft.flags &= !LOADING;
        draft.allowed_mentions.get_or_insert_with(AllowedMentions::users_only);
        let mentions: Mentions = self.mentions(channel, Permissions::ALL, &draft, None);
        let ephemeral = self.ephemerals.get_mut(&id).map(|(_, message)| message);
        let public = self.channels.get_mut(&channel).and_then(|found| found.messages.get_mut(&id));
        let (only_one, message) = match (ephemeral, public) {
            (Some(message), _) => (true, message),
            (None, Some(message)) => (false, message),
            (None, None) => return Err(Refusal::UnknownMessage),
        };
        draft.reference = message.draft.reference;
        (message.draft, message.mentions) = (draft, mentions);
        message.edited = edited.or(message.edited);
        if only_one {
            let message = message.clone();
            self.dispatch_ephemeral("MESSAGE_UPDATE", channel, &message);
            return self.show(channel, id);
        }
        self.changed(channel, id)
    }
}
