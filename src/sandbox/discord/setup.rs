//! The content of a new sandbox Discord: one guild with channels, roles and people, and the bot.

use crate::clock::Timestamp;
use crate::sandbox::discord::limits::RateLimits;
use crate::sandbox::discord::model::{Channel, FORUM, Permission, Permissions, Tag, World};

/// The content of a new Discord. The default is the guild *Acme NOC* of the demo and the tests.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The bot's user name, also its application's name.
    pub bot: String,
    /// The name of the guild.
    pub guild: String,
    /// Text channels in display order: name and topic.
    pub channels: Vec<(String, String)>,
    /// Forums, below the channels: name and tags.
    pub forums: Vec<(String, Vec<String>)>,
    /// The channel of the guild's one webhook.
    pub webhook: String,
    /// The permissions of the bot's own role, as chosen in its invite link.
    pub permissions: Permissions,
    /// Roles besides `@everyone` and the bot's own, highest first.
    pub roles: Vec<String>,
    /// The guild's members besides the bot. The first owns the guild.
    pub people: Vec<Person>,
    /// The rate limits.
    pub limits: RateLimits,
    /// Whether the application may request the privileged intents: members, presences, message content.
    pub privileged_intents: bool,
}

/// A person who uses Discord.
#[derive(Clone, Debug)]
pub struct Person {
    /// The user name: lower case, unique.
    pub username: String,
    /// The display name.
    pub display: String,
    /// Role names from [`Setup::roles`].
    pub roles: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        let channel = |name: &str, topic: &str| (name.to_owned(), topic.to_owned());
        let person = |username: &str, display: &str, roles: &[&str]| Person {
            username: username.to_owned(),
            display: display.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        Self {
            bot: "nuncio".to_owned(),
            guild: "Acme NOC".to_owned(),
            channels: vec![
                channel("tickets", "Support tickets as they come and go"),
                channel("machines", "Machines that ask to join"),
                channel("assets", "What is where, and what changed"),
                channel("alerts", "What needs somebody now"),
                channel("general", "Everything else"),
            ],
            forums: vec![("ideas".to_owned(), vec!["Wish".to_owned(), "Done".to_owned()])],
            webhook: "general".to_owned(),
            permissions: Permissions::invited(),
            roles: vec!["Approvers".to_owned(), "Operators".to_owned()],
            people: vec![
                person("alice", "Alice", &["Approvers"]),
                person("bob", "Bob", &["Approvers", "Operators"]),
                person("carol", "Carol", &[]),
            ],
            limits: RateLimits::default(),
            privileged_intents: false,
        }
    }
}

impl Setup {
    /// Builds the model with this content, created at `now`.
    pub(super) fn build(self, now: Timestamp) -> World {
        let mut world = World::new(&self.bot, now);
        let people: Vec<_> =
            self.people.iter().map(|person| world.add_user(&person.username, &person.display, now)).collect();
        let owner = people.first().copied().unwrap_or_else(|| world.bot());
        let guild = world.add_guild(&self.guild, owner, Permissions::everyone(), now);
        let bot_role = world.add_role(guild, &self.bot, self.permissions, true, now);
        let roles: Vec<_> = self
            .roles
            .iter()
            .map(|name| {
                (name, world.add_role(guild, name, Permissions::of(&[Permission::UseCommands]), false, now))
            })
            .collect();
        for (person, user) in self.people.iter().zip(&people) {
            let held = roles.iter().filter(|(name, _)| person.roles.contains(name)).map(|(_, id)| *id);
            world.add_member(guild, *user, held.collect(), now);
        }
        world.add_member(guild, world.bot(), vec![bot_role], now);
        for (name, topic) in &self.channels {
            world.add_channel(guild, name, topic, now);
        }
        for (name, tags) in &self.forums {
            let mut forum = Channel::new(world.mint(now), FORUM, guild, name);
            forum.tags = tags.iter().map(|name| Tag { id: world.mint(now), name: name.clone() }).collect();
            world.add_place(forum);
        }
        world.take_dispatches();
        world
    }
}
