//! The Discord model as plain data: users, guilds, channels, messages, and the operations on them.
//!
//! Pure: no HTTP, no clock (every change receives the time), no I/O. It refuses with a [`Refusal`], which is
//! Discord's own status and code. Every change queues a [`Dispatch`], as the gateway would send it.
//!
//! Ids are derived from their creation time and are unique, so they sort in creation order.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

mod answer;
mod channel;
mod click;
mod command;
mod effective;
mod guild;
mod interaction;
mod invoke;
mod mention;
mod message;
mod message_object;
mod nonce;
mod permission;
mod posting;
mod reaction;
mod refusal;
mod role;
mod role_change;
mod thread;
mod threading;
mod user;
mod webhook;

pub use answer::Reply;
pub use channel::{Channel, FORUM, Overwrite, REQUIRE_TAG, TEXT};
pub use click::{Click, Submit};
pub use command::Command;
pub use guild::{Guild, Member};
pub use interaction::{FIRST_ANSWER, Interaction, Kind};
pub use invoke::Invoke;
pub use mention::{AllowedMentions, Mentions};
pub use message::{Byline, Draft, EPHEMERAL, Edit, Message, Origin, Reaction, Reference};
pub use nonce::Nonces;
pub use permission::{Permission, Permissions};
pub use posting::{Page, Posted};
pub use refusal::Refusal;
pub use role::{Role, RoleChange};
pub use thread::{Opening, PRIVATE_THREAD, PUBLIC_THREAD, Tag, Thread};
pub use user::User;
pub use webhook::{Execution, Webhook};

/// An event, exactly as a gateway dispatch carries it. As JSON it is the page's event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dispatch {
    /// The event name: `MESSAGE_CREATE`, …
    pub t: &'static str,
    /// The event data.
    pub d: Value,
}

/// The whole state of the model.
pub struct World {
    last_id: u64,
    application: Snowflake,
    name: String,
    users: BTreeMap<Snowflake, User>,
    guilds: BTreeMap<Snowflake, Guild>,
    channels: BTreeMap<Snowflake, Channel>,
    webhooks: BTreeMap<Snowflake, Webhook>,
    commands: BTreeMap<Snowflake, Command>,
    interactions: BTreeMap<Snowflake, Interaction>,
    /// Changes to interactions before they are dispatched.
    distortion: Option<Value>,
    /// The address interactions are posted to instead of being dispatched by the gateway. (The sandbox posts
    /// nothing.)
    pub interactions_endpoint: Option<String>,
    /// Whether another program of this application answers every interaction immediately.
    pub is_shared: bool,
    /// Interactions whose deadline runs and has no watcher yet.
    opened: Vec<Snowflake>,
    /// Ephemeral messages, with their channel.
    ephemerals: BTreeMap<Snowflake, (Snowflake, Message)>,
    dispatches: Vec<Dispatch>,
    /// The remembered nonces.
    pub nonces: Nonces,
}

impl World {
    /// A model with one application and its bot, both named `bot` and with one id, and nothing else.
    #[must_use]
    pub fn new(bot: &str, now: Timestamp) -> Self {
        let mut world = Self {
            last_id: 0,
            application: Snowflake::new(1),
            name: bot.to_owned(),
            users: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            commands: BTreeMap::new(),
            interactions: BTreeMap::new(),
            distortion: None,
            interactions_endpoint: None,
            is_shared: false,
            opened: Vec::new(),
            ephemerals: BTreeMap::new(),
            dispatches: Vec::new(),
            nonces: Nonces::default(),
        };
        world.application = world.mint(now);
        let user = User { id: world.application, username: bot.to_owned(), display: None, bot: true };
        world.users.insert(user.id, user);
        world
    }

    /// The application's id; its bot has this id too.
    #[must_use]
    pub fn application(&self) -> Snowflake {
        self.application
    }

    /// The bot's user id, which is the application's.
    #[must_use]
    pub fn bot(&self) -> Snowflake {
        self.application
    }

    /// All users except bots, in creation order.
    pub fn people(&self) -> impl Iterator<Item = Snowflake> {
        self.users.values().filter(|user| !user.bot).map(|user| user.id)
    }

    /// The user with this id.
    pub fn user(&self, id: Snowflake) -> Result<&User, Refusal> {
        self.users.get(&id).ok_or(Refusal::UnknownUser)
    }

    /// The id of the user with this user name.
    #[must_use]
    pub fn user_named(&self, username: &str) -> Option<Snowflake> {
        self.users.values().find(|user| user.username == username).map(|user| user.id)
    }

    /// Creates a user who is a person, not a bot.
    pub fn add_user(&mut self, username: &str, display: &str, now: Timestamp) -> Snowflake {
        let id = self.mint(now);
        let display = Some(display.to_owned());
        self.users.insert(id, User { id, username: username.to_owned(), display, bot: false });
        id
    }

    /// Discord's application object, as the bot sees its own. The real `/oauth2/applications/@me` returns less;
    /// clients ignore the rest.
    #[must_use]
    pub fn application_object(&self) -> Value {
        let owner = self.people().next().and_then(|id| self.users.get(&id));
        let bot = self.users.get(&self.application);
        json!({
            "id": self.application, "name": self.name, "icon": null, "description": "", "type": null,
            "bot": bot.map(User::object), "owner": owner.map(User::object), "summary": "", "team": null,
            "bot_public": true, "bot_require_code_grant": false, "verify_key": "0".repeat(64), "flags": 0,
            "flags_new": "0", "redirect_uris": [], "interactions_endpoint_url": self.interactions_endpoint,
            "role_connections_verification_url": null, "approximate_guild_count": self.guilds.len(),
            "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0, "eligible_oauth2_scopes": [],
        })
    }

    /// Takes the dispatches since the last call, in order.
    pub fn take_dispatches(&mut self) -> Vec<Dispatch> {
        std::mem::take(&mut self.dispatches)
    }

    pub(super) fn dispatch(&mut self, t: &'static str, d: Value) {
        self.dispatches.push(Dispatch { t, d });
    }

    /// An id for `now` that is greater than every earlier id.
    pub(in crate::sandbox::discord) fn mint(&mut self, now: Timestamp) -> Snowflake {
        self.last_id = Snowflake::first_at(now).get().max(self.last_id + 1);
        Snowflake::new(self.last_id)
    }
}

/// A time in the format of Discord's answers: `2024-01-15T10:30:00.000000+00:00`.
pub(super) fn iso(at: Timestamp) -> String {
    let seconds = Timestamp::from_secs(at.as_secs()).to_rfc3339();
    format!("{}.{:03}000+00:00", seconds.trim_end_matches('Z'), at.as_millis().rem_euclid(1000))
}

#[cfg(test)]
mod tests;
