//! The guild, and what is in the bot's guilds: channels, roles, and what the bot may do there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bot::Snapshot;
use crate::clock::Clock;
use crate::discord::{Application, Client, NamedServer};
use crate::doctor::{self, Check, LIMIT, State};
use crate::model::Snowflake;
use crate::setup::bot::FoundBot;
use crate::setup::draft::GUILD;
use crate::setup::{Choices, PromptQuestion, Setup, SetupStop};

/// The most guilds read in full. Each takes four requests.
const MOST: usize = 25;
/// Text and announcement channels (Discord: "Channel Types").
const WITH_MESSAGES: [u64; 2] = [0, 5];

/// The bot's guilds, as Discord last described them.
pub(super) struct Servers {
    pub(super) client: Client,
    pub(super) application: Option<Application>,
    /// The guild that channels and roles are chosen from.
    pub(super) home: NamedServer,
    me: Snowflake,
    all: Vec<NamedServer>,
    described: Vec<(Snowflake, Value)>,
    pub(super) snapshot: Snapshot,
    /// Channels of the map that were looked up one by one.
    looked_up: BTreeSet<Snowflake>,
}

/// A channel or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerRow {
    pub(super) id: Snowflake,
    pub(super) name: String,
}

pub(super) async fn ask(setup: &mut Setup<'_>, found: FoundBot) -> Result<Servers, SetupStop> {
    let FoundBot { client, me, application, servers } = found;
    let home = choose(setup, &servers)?;
    let mut all = servers;
    // The chosen guild comes first: there may be more than are read.
    all.sort_by_key(|server| server.id != home.id);
    let mut servers = Servers {
        client,
        application,
        home,
        me: me.id,
        all,
        described: Vec::new(),
        snapshot: Snapshot::new(me.id),
        looked_up: BTreeSet::new(),
    };
    servers.read(setup).await?;
    Ok(servers)
}

/// The configured guild, the only one, or the chosen one.
fn choose(setup: &mut Setup<'_>, servers: &[NamedServer]) -> Result<NamedServer, SetupStop> {
    let configured = setup.draft.config()?.discord.guilds;
    let find = |id: &Snowflake| servers.iter().find(|server| server.id == *id);
    if let Some(given) = &setup.options.guild {
        let named = |server: &&NamedServer| server.id.to_string() == *given || server.name == *given;
        match servers.iter().find(named) {
            Some(server) => return Ok(take(setup, server)),
            None => setup.wrong(
                &format!("--guild names {given}, but the bot is not in a server with that id or name."),
                &format!("It is in: {}.", names(servers)),
            )?,
        }
    } else if !configured.is_empty() && !setup.options.again {
        match configured.iter().find(|id| find(id).is_none()) {
            None => {
                if let Some(server) = configured.first().and_then(find) {
                    setup.keep(&format!("the server {}", server.name));
                    return Ok(server.clone());
                }
            }
            Some(unknown) => setup.wrong(
                &format!("DISCORD_GUILD_ID names {unknown}, but the bot is not in a server with that id."),
                &format!("It is in: {}.", names(servers)),
            )?,
        }
    }
    if let [server] = servers {
        setup.say(&format!("The bot is in one server, {}: that is where nuncio works.", server.name));
        return Ok(take(setup, server));
    }
    let question = PromptQuestion {
        text: "Which server is yours?",
        help: "Commands work there alone. Anybody may have invited the bot to others.",
        instead: "--guild ID",
    };
    let lines = servers.iter().map(|server| format!("{} ({})", server.name, server.id)).collect();
    let cursor = servers.iter().position(|server| configured.contains(&server.id)).unwrap_or_default();
    let chosen = setup.prompt.choose(&question, &Choices { lines, cursor, unattended: None })?;
    let server = servers.get(chosen).ok_or(SetupStop::Aborted)?;
    Ok(take(setup, server))
}

fn take(setup: &mut Setup<'_>, server: &NamedServer) -> NamedServer {
    setup.draft.set(GUILD, &server.id.to_string());
    server.clone()
}

fn names(servers: &[NamedServer]) -> String {
    let names: Vec<String> =
        servers.iter().map(|server| format!("{} ({})", server.name, server.id)).collect();
    names.join(", ")
}

impl Servers {
    /// Reads everything from Discord again.
    pub(super) async fn read(&mut self, setup: &mut Setup<'_>) -> Result<(), SetupStop> {
        loop {
            setup.prompt.wait_for(Some("Reading channels and roles"));
            let read = self.read_once(setup.clock).await;
            setup.prompt.wait_for(None);
            let Err(check) = read else { return Ok(()) };
            setup.wrong(&check.found, &check.remedy.unwrap_or_default())?;
            if !setup.prompt.confirm("Ask Discord again?", false)? {
                return Err(SetupStop::Aborted);
            }
        }
    }

    async fn read_once(&mut self, clock: &Clock) -> Result<(), Check> {
        let mut described = Vec::new();
        let mut snapshot = Snapshot::new(self.me);
        for server in self.all.iter().take(MOST) {
            match clock.within(LIMIT, self.client.server(server.id)).await {
                Some(Ok(found)) => {
                    snapshot.add(&found);
                    described.push((server.id, found));
                }
                // Another guild is not needed, unless the map names a channel in it.
                Some(Err(_)) if server.id != self.home.id => {}
                Some(Err(failure)) => return Err(doctor::discord::away(self.client.base(), &failure)),
                None => return Err(doctor::discord::silent(&self.client.base().host())),
            }
        }
        doctor::channels::learn_unlisted(&self.client, clock, &mut snapshot, &self.looked_up).await;
        (self.described, self.snapshot) = (described, snapshot);
        Ok(())
    }

    /// Looks up channels that no list may contain, such as threads.
    pub(super) async fn learn(&mut self, clock: &Clock, channels: BTreeSet<Snowflake>) {
        doctor::channels::learn_unlisted(&self.client, clock, &mut self.snapshot, &channels).await;
        self.looked_up = channels;
    }

    fn home(&self) -> &Value {
        let found = self.described.iter().find(|(id, _)| *id == self.home.id);
        found.map_or(&Value::Null, |(_, described)| described)
    }

    /// The guild's channels that take messages, in Discord's order.
    pub(super) fn channels(&self) -> Vec<ServerRow> {
        let mut rows: Vec<(u64, ServerRow)> = rows(&self.home()["channels"])
            .filter(|(_, object)| object["type"].as_u64().is_some_and(|kind| WITH_MESSAGES.contains(&kind)))
            .map(|(row, object)| (object["position"].as_u64().unwrap_or_default(), row))
            .collect();
        rows.sort_by_key(|(position, row)| (*position, row.id));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The roles that members hold: neither `@everyone` nor a bot's own.
    pub(super) fn roles(&self) -> Vec<ServerRow> {
        rows(&self.home()["roles"])
            .filter(|(row, object)| row.id != self.home.id && object["managed"] != true)
            .map(|(row, _)| row)
            .collect()
    }

    /// What keeps the bot from writing to a channel, by the checks of doctor.
    pub(super) fn obstacles(&self, channel: Snowflake) -> Vec<Check> {
        let checks = doctor::channels::checks(&self.snapshot, &BTreeSet::from([channel]), true);
        checks.into_iter().filter(|check| check.state == State::Fail).collect()
    }

    /// `#alerts`, with its guild's name if that is another one.
    pub(super) fn name(&self, channel: Snowflake) -> String {
        let Some(state) = self.snapshot.channel(channel) else { return format!("channel {channel}") };
        match state.name.rsplit_once(" / ") {
            Some((server, name)) if server == self.home.name => name.to_owned(),
            _ => state.name,
        }
    }
}

/// The objects with an id and a name.
fn rows(list: &Value) -> impl Iterator<Item = (ServerRow, &Value)> {
    list.as_array().into_iter().flatten().filter_map(|object| {
        let id = object["id"].as_str()?.parse().ok()?;
        Some((ServerRow { id, name: object["name"].as_str()?.to_owned() }, object))
    })
}
