//! Intents: which events a session receives, and with how much content (Discord: "Gateway Intents").

use serde_json::{Value, json};

use crate::sandbox::Snowflake;

/// One intent; the number is its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Guilds, roles, channels, threads.
    Guilds = 0,
    /// Members that join, change and leave; privileged.
    GuildMembers = 1,
    /// Bans and the audit log.
    GuildModeration = 2,
    /// Emojis, stickers, sounds.
    GuildExpressions = 3,
    /// Integrations of a guild.
    GuildIntegrations = 4,
    /// Changes of webhooks.
    GuildWebhooks = 5,
    /// Invites to a guild.
    GuildInvites = 6,
    /// Voice states of members.
    GuildVoiceStates = 7,
    /// Presences of members; privileged.
    GuildPresences = 8,
    /// Messages in guilds.
    GuildMessages = 9,
    /// Reactions in guilds.
    GuildMessageReactions = 10,
    /// Typing in guilds.
    GuildMessageTyping = 11,
    /// Direct messages.
    DirectMessages = 12,
    /// Reactions in direct messages.
    DirectMessageReactions = 13,
    /// Typing in direct messages.
    DirectMessageTyping = 14,
    /// The content of other users' messages; privileged.
    MessageContent = 15,
    /// Scheduled events.
    GuildScheduledEvents = 16,
    /// Auto moderation rules.
    AutoModerationConfiguration = 20,
    /// Actions of auto moderation.
    AutoModerationExecution = 21,
    /// Poll votes in guilds.
    GuildMessagePolls = 24,
    /// Poll votes in direct messages.
    DirectMessagePolls = 25,
}

/// A set of known intents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intents(u64);

impl Intents {
    /// All bits that are intents.
    const KNOWN: u64 = 0x1_FFFF | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25;
    /// The intents that must be enabled for an application.
    const PRIVILEGED: u64 = 1 << Intent::GuildMembers as u64
        | 1 << Intent::GuildPresences as u64
        | 1 << Intent::MessageContent as u64;

    /// The set for the number in IDENTIFY; `None` if a bit is not an intent.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits & !Self::KNOWN == 0).then_some(Self(bits))
    }

    /// Whether it contains `one`.
    #[must_use]
    pub fn has(self, one: Intent) -> bool {
        self.0 & 1 << one as u64 != 0
    }

    /// Whether it contains a privileged intent.
    #[must_use]
    pub fn any_privileged(self) -> bool {
        self.0 & Self::PRIVILEGED != 0
    }

    /// Whether a bot (`me`) with these intents receives the event `t` with the data `d`.
    #[must_use]
    pub(super) fn admit(self, t: &str, d: &Value, me: Snowflake) -> bool {
        let direct = d.get("guild_id").is_none_or(Value::is_null);
        match wanted(t, direct) {
            Wanted::Always => true,
            Wanted::Never => false,
            Wanted::Any(intents) => {
                let about_me = t == "GUILD_MEMBER_UPDATE" && id_at(d, "/user/id") == Some(me);
                about_me || intents.iter().any(|one| self.has(*one))
            }
        }
    }

    /// `d` of a message event without its content, for a bot (`me`) whose intents do not include it; `None` if
    /// nothing is hidden (Discord: "Message Content Intent"). Visible are the bot's own messages, those that mention
    /// it, and direct messages.
    pub(super) fn blanked(self, d: &Value, me: Snowflake) -> Option<Value> {
        let direct = d.get("guild_id").is_none_or(Value::is_null);
        if self.has(Intent::MessageContent) || direct {
            return None;
        }
        let replied = d.get("referenced_message").filter(|replied| replied.is_object());
        let (hide, hide_replied) = (!open(d, me), replied.is_some_and(|replied| !open(replied, me)));
        (hide || hide_replied).then(|| {
            let mut d = d.clone();
            if hide {
                blank(&mut d);
            }
            if hide_replied && let Some(replied) = d.get_mut("referenced_message") {
                blank(replied);
            }
            d
        })
    }
}

/// Whether a bot sees the content of a message without the intent.
fn open(message: &Value, me: Snowflake) -> bool {
    let mentioned = message
        .get("mentions")
        .and_then(Value::as_array)
        .is_some_and(|users| users.iter().any(|user| id_at(user, "/id") == Some(me)));
    mentioned || id_at(message, "/author/id") == Some(me) || id_at(message, "/application_id") == Some(me)
}

fn blank(message: &mut Value) {
    let Some(message) = message.as_object_mut() else { return };
    message.insert("content".to_owned(), "".into());
    for list in ["embeds", "attachments", "components"] {
        message.insert(list.to_owned(), json!([]));
    }
    message.remove("poll");
}

fn id_at(value: &Value, pointer: &str) -> Option<Snowflake> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

enum Wanted {
    Always,
    Any(&'static [Intent]),
    Never,
}

/// The intents that deliver the event `t`; `direct` if it happened outside of guilds.
fn wanted(t: &str, direct: bool) -> Wanted {
    use Intent as I;
    let either = |guild: &'static [Intent], alone: &'static [Intent]| if direct { alone } else { guild };
    Wanted::Any(match t {
        // Events for the page only.
        _ if t.starts_with("SANDBOX_") => return Wanted::Never,
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => {
            either(&[I::GuildMessages], &[I::DirectMessages])
        }
        "CHANNEL_PINS_UPDATE" => either(&[I::Guilds], &[I::DirectMessages]),
        "TYPING_START" => either(&[I::GuildMessageTyping], &[I::DirectMessageTyping]),
        "THREAD_MEMBERS_UPDATE" => &[I::Guilds, I::GuildMembers],
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" | "GUILD_MEMBER_REMOVE" => &[I::GuildMembers],
        "GUILD_AUDIT_LOG_ENTRY_CREATE" | "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" => &[I::GuildModeration],
        "GUILD_EMOJIS_UPDATE" | "GUILD_STICKERS_UPDATE" => &[I::GuildExpressions],
        "GUILD_INTEGRATIONS_UPDATE" => &[I::GuildIntegrations],
        "WEBHOOKS_UPDATE" => &[I::GuildWebhooks],
        "VOICE_STATE_UPDATE" | "VOICE_CHANNEL_EFFECT_SEND" => &[I::GuildVoiceStates],
        "PRESENCE_UPDATE" => &[I::GuildPresences],
        _ if t.starts_with("MESSAGE_REACTION_") => {
            either(&[I::GuildMessageReactions], &[I::DirectMessageReactions])
        }
        _ if t.starts_with("MESSAGE_POLL_VOTE_") => either(&[I::GuildMessagePolls], &[I::DirectMessagePolls]),
        _ if t.starts_with("GUILD_SOUNDBOARD_") => &[I::GuildExpressions],
        _ if t.starts_with("GUILD_SCHEDULED_EVENT_") => &[I::GuildScheduledEvents],
        _ if t.starts_with("INTEGRATION_") => &[I::GuildIntegrations],
        _ if t.starts_with("INVITE_") => &[I::GuildInvites],
        _ if t.starts_with("AUTO_MODERATION_RULE_") => &[I::AutoModerationConfiguration],
        _ if t.starts_with("AUTO_MODERATION_") => &[I::AutoModerationExecution],
        _ if ["GUILD_", "CHANNEL_", "THREAD_", "STAGE_INSTANCE_"].iter().any(|kind| t.starts_with(kind)) => {
            &[I::Guilds]
        }
        // INTERACTION_CREATE, USER_UPDATE, entitlements and the like need no intent.
        _ => return Wanted::Always,
    })
}
