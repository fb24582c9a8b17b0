//! Routing: maps a method and path to a route and its rate-limit bucket.

use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::Refusal;
use crate::sandbox::discord::validate::Form;

/// The resource that a path names. Where a variant does not name the operation, the method decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Gateway,
    GatewayBot,
    Me,
    MyGuilds,
    User(Snowflake),
    Application,
    Guild(Snowflake),
    GuildChannels(Snowflake),
    GuildRoles(Snowflake),
    GuildRole(Snowflake, Snowflake),
    GuildWebhooks(Snowflake),
    ActiveThreads(Snowflake),
    Members(Snowflake),
    Member(Snowflake, Snowflake),
    MemberRole(Snowflake, Snowflake, Snowflake),
    Channel(Snowflake),
    ChannelWebhooks(Snowflake),
    Overwrite(Snowflake, Snowflake),
    ListMessages(Snowflake),
    CreateMessage(Snowflake),
    DeleteMessages(Snowflake),
    ReadMessage(Snowflake, Snowflake),
    EditMessage(Snowflake, Snowflake),
    DeleteMessage(Snowflake, Snowflake),
    Reactions(Snowflake, Snowflake),
    Reaction(Snowflake, Snowflake, String),
    /// A user's reaction; the caller's own without a user id.
    Reactor(Snowflake, Snowflake, String, Option<Snowflake>),
    /// Pins; `true` is the older form (a bare list).
    Pins(Snowflake, bool),
    Pin(Snowflake, Snowflake),
    ThreadFrom(Snowflake, Snowflake),
    Threads(Snowflake),
    /// Archived threads; `true` for private ones.
    ArchivedThreads(Snowflake, bool),
    ThreadMembers(Snowflake),
    /// A member of a thread; the caller without a user id.
    ThreadMember(Snowflake, Option<Snowflake>),
    Typing(Snowflake),
    /// Commands of an application in a guild, or its global ones.
    Commands(Snowflake, Option<Snowflake>),
    Command(Snowflake, Option<Snowflake>, Snowflake),
    CommandPermissions(Snowflake, Snowflake),
    Interact,
    Callback(Snowflake, String),
    Webhook(Snowflake),
    /// A webhook, or an interaction's application, with its token.
    Hook(Snowflake, String),
    /// A message of [`Route::Hook`]; Discord's `@original` without an id.
    HookMessage(Snowflake, String, Option<Snowflake>),
}

type Found = (Route, &'static str);

impl Route {
    /// The route and the template of its bucket. Paths with version 9, 10 or none are equivalent.
    pub(super) fn find(method: &str, path: &str) -> Result<Found, Refusal> {
        let parts: Vec<String> = path.trim_start_matches("/api").split('/').skip(1).map(decoded).collect();
        let mut parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.first().and_then(|part| part.strip_prefix('v')).map(str::parse::<u8>) {
            Some(Ok(9 | 10)) => _ = parts.remove(0),
            Some(Ok(_)) => return Err(Refusal::InvalidVersion),
            _ => {}
        }
        let only = |wanted: &str| (method == wanted).then_some(()).ok_or(Refusal::MethodNotAllowed);
        Ok(match parts.as_slice() {
            ["gateway"] => (only("GET").map(|()| Self::Gateway)?, "GET /gateway"),
            ["gateway", "bot"] => (only("GET").map(|()| Self::GatewayBot)?, "GET /gateway/bot"),
            ["users", "@me"] => (only("GET").map(|()| Self::Me)?, "GET /users/@me"),
            ["users", "@me", "guilds"] => (only("GET").map(|()| Self::MyGuilds)?, "GET /users/@me/guilds"),
            ["users", user] => {
                only("GET")?;
                (Self::User(id("user_id", user)?), "GET /users/{user}")
            }
            ["applications", "@me"] | ["oauth2", "applications", "@me"] => {
                (only("GET").map(|()| Self::Application)?, "GET /applications/@me")
            }
            ["applications", application, rest @ ..] => {
                Self::application(id("application_id", application)?, rest)?
            }
            ["guilds", guild, rest @ ..] => Self::guild(method, id("guild_id", guild)?, rest)?,
            ["channels", channel, rest @ ..] => Self::channel(method, id("channel_id", channel)?, rest)?,
            ["interactions"] => (only("POST").map(|()| Self::Interact)?, "POST /interactions"),
            ["interactions", interaction, token, "callback"] => {
                only("POST")?;
                let route = Self::Callback(id("interaction_id", interaction)?, (*token).to_owned());
                (route, "POST /interactions/{interaction}/{token}/callback")
            }
            ["webhooks", webhook, rest @ ..] => Self::webhook(method, id("webhook_id", webhook)?, rest)?,
            _ => return Err(Refusal::NotFound),
        })
    }

    fn application(application: Snowflake, rest: &[&str]) -> Result<Found, Refusal> {
        Ok(match rest {
            ["commands"] => (Self::Commands(application, None), "/applications/{application}/commands"),
            ["commands", command] => (
                Self::Command(application, None, id("command_id", command)?),
                "/applications/{application}/commands/{command}",
            ),
            ["guilds", guild, "commands", rest @ ..] => {
                let guild = id("guild_id", guild)?;
                match rest {
                    [] => (
                        Self::Commands(application, Some(guild)),
                        "/applications/{application}/guilds/{guild}/commands",
                    ),
                    ["permissions"] | [_, "permissions"] => (
                        Self::CommandPermissions(application, guild),
                        "/applications/{application}/guilds/{guild}/commands/permissions",
                    ),
                    [command] => (
                        Self::Command(application, Some(guild), id("command_id", command)?),
                        "/applications/{application}/guilds/{guild}/commands/{command}",
                    ),
                    _ => return Err(Refusal::NotFound),
                }
            }
            _ => return Err(Refusal::NotFound),
        })
    }

    fn guild(method: &str, guild: Snowflake, rest: &[&str]) -> Result<Found, Refusal> {
        let found = match rest {
            [] => (Self::Guild(guild), "GET /guilds/{guild}"),
            ["channels"] if method == "POST" => (Self::GuildChannels(guild), "POST /guilds/{guild}/channels"),
            ["channels"] => (Self::GuildChannels(guild), "GET /guilds/{guild}/channels"),
            ["roles"] => return Ok((Self::GuildRoles(guild), "/guilds/{guild}/roles")),
            ["roles", role] => {
                return Ok((Self::GuildRole(guild, id("role_id", role)?), "/guilds/{guild}/roles/{role}"));
            }
            ["webhooks"] => (Self::GuildWebhooks(guild), "GET /guilds/{guild}/webhooks"),
            ["threads", "active"] => (Self::ActiveThreads(guild), "GET /guilds/{guild}/threads/active"),
            ["members"] => (Self::Members(guild), "GET /guilds/{guild}/members"),
            ["members", user] => {
                (Self::Member(guild, id("user_id", user)?), "GET /guilds/{guild}/members/{user}")
            }
            ["members", user, "roles", role] => {
                let route = Self::MemberRole(guild, id("user_id", user)?, id("role_id", role)?);
                return Ok((route, "/guilds/{guild}/members/{user}/roles/{role}"));
            }
            _ => return Err(Refusal::NotFound),
        };
        let served = method == "GET" || (method == "POST" && rest == ["channels"]);
        if served { Ok(found) } else { Err(Refusal::MethodNotAllowed) }
    }

    fn channel(method: &str, channel: Snowflake, rest: &[&str]) -> Result<Found, Refusal> {
        Ok(match (method, rest) {
            ("GET", []) => (Self::Channel(channel), "GET /channels/{channel}"),
            (_, []) => (Self::Channel(channel), "/channels/{channel}"),
            (_, ["webhooks"]) => (Self::ChannelWebhooks(channel), "/channels/{channel}/webhooks"),
            (_, ["permissions", overwrite]) => (
                Self::Overwrite(channel, id("overwrite_id", overwrite)?),
                "/channels/{channel}/permissions/{overwrite}",
            ),
            (_, ["messages", "pins"]) => (Self::Pins(channel, false), "/channels/{channel}/messages/pins"),
            (_, ["pins"]) => (Self::Pins(channel, true), "/channels/{channel}/pins"),
            (_, ["messages", "pins", message] | ["pins", message]) => (
                Self::Pin(channel, id("message_id", message)?),
                "/channels/{channel}/messages/pins/{message}",
            ),
            (_, ["threads"]) => (Self::Threads(channel), "/channels/{channel}/threads"),
            (_, ["threads", "archived", which @ ("public" | "private")]) => {
                let private = *which == "private";
                (Self::ArchivedThreads(channel, private), "/channels/{channel}/threads/archived")
            }
            (_, ["thread-members"]) => (Self::ThreadMembers(channel), "/channels/{channel}/thread-members"),
            (_, ["thread-members", user]) => {
                (Self::ThreadMember(channel, someone(user)?), "/channels/{channel}/thread-members/{user}")
            }
            ("GET", ["messages"]) => (Self::ListMessages(channel), "GET /channels/{channel}/messages"),
            ("POST", ["messages"]) => (Self::CreateMessage(channel), "POST /channels/{channel}/messages"),
            ("POST", ["messages", "bulk-delete"]) => {
                (Self::DeleteMessages(channel), "POST /channels/{channel}/messages/bulk-delete")
            }
            ("POST", ["typing"]) => (Self::Typing(channel), "POST /channels/{channel}/typing"),
            (_, ["messages" | "typing"]) => return Err(Refusal::MethodNotAllowed),
            (_, ["messages", message, rest @ ..]) => {
                Self::message(method, channel, id("message_id", message)?, rest)?
            }
            _ => return Err(Refusal::NotFound),
        })
    }

    fn message(
        method: &str,
        channel: Snowflake,
        message: Snowflake,
        rest: &[&str],
    ) -> Result<Found, Refusal> {
        const REACTIONS: &str = "/channels/{channel}/messages/{message}/reactions";
        Ok(match (method, rest) {
            ("GET", []) => {
                (Self::ReadMessage(channel, message), "GET /channels/{channel}/messages/{message}")
            }
            ("PATCH", []) => {
                (Self::EditMessage(channel, message), "PATCH /channels/{channel}/messages/{message}")
            }
            ("DELETE", []) => {
                (Self::DeleteMessage(channel, message), "DELETE /channels/{channel}/messages/{message}")
            }
            (_, []) => return Err(Refusal::MethodNotAllowed),
            (_, ["threads"]) => {
                (Self::ThreadFrom(channel, message), "/channels/{channel}/messages/{message}/threads")
            }
            (_, ["reactions"]) => (Self::Reactions(channel, message), REACTIONS),
            (_, ["reactions", emoji]) => (Self::Reaction(channel, message, (*emoji).to_owned()), REACTIONS),
            (_, ["reactions", emoji, user]) => {
                (Self::Reactor(channel, message, (*emoji).to_owned(), someone(user)?), REACTIONS)
            }
            _ => return Err(Refusal::NotFound),
        })
    }

    fn webhook(method: &str, webhook: Snowflake, rest: &[&str]) -> Result<Found, Refusal> {
        Ok(match rest {
            [] => (Self::Webhook(webhook), "/webhooks/{webhook}"),
            [token] if method == "POST" => {
                (Self::Hook(webhook, (*token).to_owned()), "POST /webhooks/{webhook}/{token}")
            }
            [token] => (Self::Hook(webhook, (*token).to_owned()), "/webhooks/{webhook}/{token}"),
            [token, "messages", message] => {
                let original = (*message == "@original").then_some(());
                let message = if original.is_some() { None } else { Some(id("message_id", message)?) };
                let route = Self::HookMessage(webhook, (*token).to_owned(), message);
                (route, "/webhooks/{webhook}/{token}/messages/{message}")
            }
            _ => return Err(Refusal::NotFound),
        })
    }

    /// The id that requests count under on a route without an account, authorized by a token in the path.
    pub(super) fn open_to(&self) -> Option<Snowflake> {
        match *self {
            Self::Callback(id, _) | Self::Hook(id, _) | Self::HookMessage(id, ..) => Some(id),
            _ => None,
        }
    }

    /// The resource of its bucket (Discord: "top-level resources").
    pub(super) fn major(&self) -> Option<Snowflake> {
        match *self {
            Self::Guild(id)
            | Self::GuildChannels(id)
            | Self::GuildRoles(id)
            | Self::GuildRole(id, _)
            | Self::GuildWebhooks(id)
            | Self::ActiveThreads(id)
            | Self::Members(id)
            | Self::Member(id, _)
            | Self::MemberRole(id, ..)
            | Self::Channel(id)
            | Self::ChannelWebhooks(id)
            | Self::Overwrite(id, _)
            | Self::ListMessages(id)
            | Self::CreateMessage(id)
            | Self::DeleteMessages(id)
            | Self::ReadMessage(id, _)
            | Self::EditMessage(id, _)
            | Self::DeleteMessage(id, _)
            | Self::Reactions(id, _)
            | Self::Reaction(id, ..)
            | Self::Reactor(id, ..)
            | Self::Pins(id, _)
            | Self::Pin(id, _)
            | Self::ThreadFrom(id, _)
            | Self::Threads(id)
            | Self::ArchivedThreads(id, _)
            | Self::ThreadMembers(id)
            | Self::ThreadMember(id, _)
            | Self::Typing(id)
            | Self::Webhook(id)
            | Self::Hook(id, _)
            | Self::HookMessage(id, ..) => Some(id),
            Self::Callback(id, _) => Some(id),
            Self::Gateway
            | Self::GatewayBot
            | Self::Me
            | Self::MyGuilds
            | Self::User(_)
            | Self::Application
            | Self::Commands(..)
            | Self::Command(..)
            | Self::CommandPermissions(..)
            | Self::Interact => None,
        }
    }
}

fn id(name: &str, text: &str) -> Result<Snowflake, Refusal> {
    let mut form = Form::default();
    match form.id(name, &text.into()) {
        Some(id) => Ok(id),
        None => Err(form.into()),
    }
}

/// A user id, or `None` for `@me`.
fn someone(text: &str) -> Result<Option<Snowflake>, Refusal> {
    if text == "@me" { Ok(None) } else { id("user_id", text).map(Some) }
}

/// A percent-decoded path segment; left as it is if the result is not text.
fn decoded(part: &str) -> String {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let Some(byte) = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return part.to_owned();
        };
        bytes.push(byte);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}
