//! Intents: which events a session is told, and how much of them (Discord: "Gateway Intents").

use serde_json::{Value, json};

use crate::model::Snowflake;

/// One intent; the number is its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Guilds, roles, channels, threads.
    Guilds = 0,
    /// Members that come, change and go; privileged.
    GuildMembers = 1,
    /// Bans and the audit log.
    GuildModeration = 2,
    /// Emojis, stickers, sounds.
    GuildExpressions = 3,
    /// Integrations.
    GuildIntegrations = 4,
    /// Webhooks that change.
    GuildWebhooks = 5,
    /// Invites.
    GuildInvites = 6,
    /// Who is in which voice channel.
    GuildVoiceStates = 7,
    /// Who is online; privileged.
    GuildPresences = 8,
    /// Messages in guilds.
    GuildMessages = 9,
    /// Reactions in guilds.
    GuildMessageReactions = 10,
    /// Who is typing in guilds.
    GuildMessageTyping = 11,
    /// Direct messages.
    DirectMessages = 12,
    /// Reactions to them.
    DirectMessageReactions = 13,
    /// Who is typing them.
    DirectMessageTyping = 14,
    /// What the messages of others say; privileged.
    MessageContent = 15,
    /// Scheduled events.
    GuildScheduledEvents = 16,
    /// Auto moderation's rules.
    AutoModerationConfiguration = 20,
    /// What auto moderation does.
    AutoModerationExecution = 21,
    /// Votes in guilds.
    GuildMessagePolls = 24,
    /// Votes in direct messages.
    DirectMessagePolls = 25,
}

/// A set of intents, all of them known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intents(u64);

impl Intents {
    /// Every bit that is an intent.
    const KNOWN: u64 = 0x1_FFFF | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25;
    /// Those that an application must have been allowed.
    const PRIVILEGED: u64 = 1 << Intent::GuildMembers as u64
        | 1 << Intent::GuildPresences as u64
        | 1 << Intent::MessageContent as u64;

    /// From the number in IDENTIFY; `None` if a bit is no intent.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits & !Self::KNOWN == 0).then_some(Self(bits))
    }

    /// Whether `one` is among them.
    #[must_use]
    pub fn has(self, one: Intent) -> bool {
        self.0 & 1 << one as u64 != 0
    }

    /// Whether a privileged one is among them.
    #[must_use]
    pub fn any_privileged(self) -> bool {
        self.0 & Self::PRIVILEGED != 0
    }

    /// Whether the event `t` with the data `d` is told to a bot (`me`) with these intents.
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

    /// `d` of a message event as a bot (`me`) with these intents sees it, if that is not what it is: without what it
    /// says (Discord: "Message Content Intent"). Seen are one's own messages, those that mention one, and direct ones.
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

/// Whether a bot sees what a message says without the intent.
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

/// Which intents bring the event `t`; `direct` if it happened outside of guilds.
fn wanted(t: &str, direct: bool) -> Wanted {
    use Intent as I;
    let either = |guild: &'static [Intent], alone: &'static [Intent]| if direct { alone } else { guild };
    Wanted::Any(match t {
        // The page's own.
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
        // INTERACTION_CREATE, USER_UPDATE, entitlements and the like need none.
        _ => return Wanted::Always,
    })
}
