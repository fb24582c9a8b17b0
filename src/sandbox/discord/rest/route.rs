//! The routes: from method and path to what is asked for, and the bucket it is counted under.

use crate::model::Snowflake;
use crate::sandbox::discord::model::Refusal;
use crate::sandbox::discord::validate::Form;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    Members(Snowflake),
    Member(Snowflake, Snowflake),
    Channel(Snowflake),
    ListMessages(Snowflake),
    CreateMessage(Snowflake),
    ReadMessage(Snowflake, Snowflake),
    EditMessage(Snowflake, Snowflake),
    DeleteMessage(Snowflake, Snowflake),
    Typing(Snowflake),
}

impl Route {
    /// The route and the name of its bucket. Versions 9 and 10 and none are served alike.
    pub(super) fn find(method: &str, path: &str) -> Result<(Self, &'static str), Refusal> {
        let mut parts = path.trim_start_matches("/api").split('/').skip(1).peekable();
        if let Some(version) = parts.peek().and_then(|part| part.strip_prefix('v')) {
            match version.parse::<u8>() {
                Ok(9 | 10) => _ = parts.next(),
                Ok(_) => return Err(Refusal::InvalidVersion),
                Err(_) => {}
            }
        }
        let parts: Vec<&str> = parts.collect();
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
            ["guilds", guild, rest @ ..] => Self::guild(method, id("guild_id", guild)?, rest)?,
            ["channels", channel, rest @ ..] => Self::channel(method, id("channel_id", channel)?, rest)?,
            _ => return Err(Refusal::NotFound),
        })
    }

    fn guild(method: &str, guild: Snowflake, rest: &[&str]) -> Result<(Self, &'static str), Refusal> {
        let found = match rest {
            [] => (Self::Guild(guild), "GET /guilds/{guild}"),
            ["channels"] => (Self::GuildChannels(guild), "GET /guilds/{guild}/channels"),
            ["roles"] => (Self::GuildRoles(guild), "GET /guilds/{guild}/roles"),
            ["members"] => (Self::Members(guild), "GET /guilds/{guild}/members"),
            ["members", user] => {
                (Self::Member(guild, id("user_id", user)?), "GET /guilds/{guild}/members/{user}")
            }
            _ => return Err(Refusal::NotFound),
        };
        if method == "GET" { Ok(found) } else { Err(Refusal::MethodNotAllowed) }
    }

    fn channel(method: &str, channel: Snowflake, rest: &[&str]) -> Result<(Self, &'static str), Refusal> {
        Ok(match (method, rest) {
            ("GET", []) => (Self::Channel(channel), "GET /channels/{channel}"),
            ("GET", ["messages"]) => (Self::ListMessages(channel), "GET /channels/{channel}/messages"),
            ("POST", ["messages"]) => (Self::CreateMessage(channel), "POST /channels/{channel}/messages"),
            ("POST", ["typing"]) => (Self::Typing(channel), "POST /channels/{channel}/typing"),
            (_, ["messages", message]) => {
                let message = id("message_id", message)?;
                match method {
                    "GET" => {
                        (Self::ReadMessage(channel, message), "GET /channels/{channel}/messages/{message}")
                    }
                    "PATCH" => {
                        (Self::EditMessage(channel, message), "PATCH /channels/{channel}/messages/{message}")
                    }
                    "DELETE" => (
                        Self::DeleteMessage(channel, message),
                        "DELETE /channels/{channel}/messages/{message}",
                    ),
                    _ => return Err(Refusal::MethodNotAllowed),
                }
            }
            (_, [] | ["messages" | "typing"]) => return Err(Refusal::MethodNotAllowed),
            _ => return Err(Refusal::NotFound),
        })
    }

    /// The resource its bucket is for (Discord: "top-level resources").
    pub(super) fn major(&self) -> Option<Snowflake> {
        match *self {
            Self::Guild(id)
            | Self::GuildChannels(id)
            | Self::GuildRoles(id)
            | Self::Members(id)
            | Self::Member(id, _)
            | Self::Channel(id)
            | Self::ListMessages(id)
            | Self::CreateMessage(id)
            | Self::ReadMessage(id, _)
            | Self::EditMessage(id, _)
            | Self::DeleteMessage(id, _)
            | Self::Typing(id) => Some(id),
            Self::Gateway
            | Self::GatewayBot
            | Self::Me
            | Self::MyGuilds
            | Self::User(_)
            | Self::Application => None,
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
