//! Guild access: which guilds are the operator's. Members of any other guild, a *foreign* one, have no access, whatever
//! their roles.
//!
//! The owner of a guild can invite a public bot to it, and has every permission there. So before any role counts, the
//! guild must be one of the operator's: named by `DISCORD_GUILD_ID`, or containing a channel that
//! `DISCORD_WEBHOOK_CHANNELS` names (with `DISCORD_GUILD_ID` set, such a guild has the buttons of its cards, but no
//! commands). On a fresh installation, where nothing is named or mapped, the bot's only guild is the operator's. A
//! route set on Discord never makes a guild the operator's, because exactly that is what is protected.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::hub::{Guilds, Hub, Person, Problem, Refusal};
use crate::model::Snowflake;
use crate::render;

/// Longest guild name in the log, in characters.
const MOST_NAME: usize = 100;

/// How a person reaches nuncio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrypoint {
    /// A button on a card, or the dialog that it opened: it concerns only that card's subject.
    Card,
    /// A command, and whatever its answer leads to: it can concern everything.
    Command,
}

/// The known guilds; `None` until the gateway has reported.
pub(in crate::hub) type KnownGuilds = watch::Sender<Option<Guilds>>;

/// Checks `guild`. `named` is `DISCORD_GUILD_ID`, and `is_mapped` is true if the environment's map names channels.
fn judge(
    guild: Snowflake,
    way: Entrypoint,
    named: &[Snowflake],
    is_mapped: bool,
    seen: Option<&Guilds>,
) -> Result<(), Refusal> {
    if named.contains(&guild) {
        return Ok(());
    }
    // Cards appear wherever the map leads; commands are for operators only, whatever other guilds have cards.
    if !named.is_empty() && way == Entrypoint::Command {
        return Err(Refusal::ForeignGuild(guild));
    }
    let Some(seen) = seen else { return Err(Refusal::TooEarly) };
    if seen.mapped.contains(&guild) {
        return Ok(());
    }
    if seen.all.get(&guild).is_some_and(Option::is_none) {
        return Err(Refusal::TooEarly);
    }
    if !named.is_empty() || !seen.mapped.is_empty() {
        return Err(Refusal::ForeignGuild(guild));
    }
    // A fresh installation: nothing names the operator's guild, so only an unambiguous one is accepted.
    let is_only = seen.all.len() == 1 && seen.all.contains_key(&guild);
    if is_only && !is_mapped { Ok(()) } else { Err(Refusal::OperatorGuildUnknown(guild)) }
}

impl Hub {
    /// Checks that `person`'s guild is one of the operator's. Roles are checked elsewhere.
    pub fn check_guild(&self, person: &Person, way: Entrypoint) -> Result<(), Refusal> {
        self.counts(person.guild.ok_or(Refusal::NoGuild)?, way)
    }

    fn counts(&self, guild: Snowflake, way: Entrypoint) -> Result<(), Refusal> {
        let is_mapped = !self.mapped_channels().is_empty();
        judge(guild, way, &self.rules().guilds, is_mapped, self.0.known_guilds.borrow().as_ref())
    }

    /// The channels that the environment's map names.
    #[must_use]
    pub fn mapped_channels(&self) -> BTreeSet<Snowflake> {
        self.0.routing.environment_channels()
    }

    /// Stores the gateway's report of the bot's guilds, and warns of foreign ones. A guild whose mapped channel is
    /// deleted later stays the operator's: its members can set another channel.
    pub fn set_guilds(&self, mut servers: Guilds) {
        let before = self.0.known_guilds.borrow().clone().unwrap_or_default();
        servers.mapped.extend(&before.mapped);
        let (foreign_guilds, problem) = (self.foreign_guilds(), self.no_access_reason());
        let known: Vec<Problem> = self.server_problems();
        self.0.known_guilds.send_if_modified(|known_guilds| {
            let is_news = known_guilds.as_ref() != Some(&servers);
            *known_guilds = Some(servers);
            is_news
        });
        if let Some(sentence) = self.no_access_reason().filter(|_| problem.is_none()) {
            tracing::warn!("{sentence}");
        }
        for news in self.server_problems().iter().filter(|problem| !known.contains(problem)) {
            tracing::warn!("{}", news.sentence());
        }
        for (id, name) in self.foreign_guilds().iter().filter(|(id, _)| !foreign_guilds.contains_key(id)) {
            tracing::warn!(
                "the bot is also in the server {} ({id}), which neither DISCORD_GUILD_ID nor the map names: nobody \
                 there may do or read anything. If you did not invite it, switch Public Bot off (Developer Portal → \
                 Bot) and remove it from that server",
                render::line(name, MOST_NAME).unwrap_or_default()
            );
        }
    }

    /// Drops the guilds that the old map led to: the gateway side then reports those of the new map.
    pub(in crate::hub) fn forget_mapped_servers(&self) {
        self.0.known_guilds.send_if_modified(|known_guilds| {
            known_guilds.as_mut().is_some_and(|seen| !std::mem::take(&mut seen.mapped).is_empty())
        });
    }

    /// Foreign guilds by name.
    fn foreign_guilds(&self) -> BTreeMap<Snowflake, String> {
        let all = self.0.known_guilds.borrow().as_ref().map(|seen| seen.all.clone()).unwrap_or_default();
        let named = all.into_iter().filter_map(|(id, name)| Some((id, name?)));
        named
            .filter(|(id, _)| matches!(self.counts(*id, Entrypoint::Card), Err(Refusal::ForeignGuild(_))))
            .collect()
    }

    /// Why no person can use any command or button; `None` if some can, or if that is not known yet.
    pub(in crate::hub) fn no_access_reason(&self) -> Option<String> {
        let known_guilds = self.0.known_guilds.borrow();
        let seen = known_guilds.as_ref().filter(|seen| !seen.all.is_empty() && seen.mapped.is_empty())?;
        // A guild that has not arrived yet may be the operator's.
        if seen.all.values().any(Option::is_none) {
            return None;
        }
        let is_mapped = !self.mapped_channels().is_empty();
        if !self.rules().guilds.is_empty() || (seen.all.len() == 1 && !is_mapped) {
            return None;
        }
        let why = if is_mapped {
            "the bot sees none of the channels in DISCORD_WEBHOOK_CHANNELS"
        } else {
            "the bot is in several servers, and the map names no channel"
        };
        Some(format!(
            "commands and buttons are refused to everybody: {why}, so nuncio does not know which server is yours. Put its \
             id into DISCORD_GUILD_ID and restart"
        ))
    }

    /// Waits until access is known for `guild`.
    pub async fn know_server(&self, guild: Snowflake, way: Entrypoint) {
        let mut known_guilds = self.0.known_guilds.subscribe();
        while self.counts(guild, way) == Err(Refusal::TooEarly) && known_guilds.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Snowflake = Snowflake::new(1);
    const CUSTOMERS: Snowflake = Snowflake::new(2);
    const STRANGERS: Snowflake = Snowflake::new(99);

    fn servers(all: &[Snowflake], mapped: &[Snowflake]) -> Guilds {
        let name = |id: &Snowflake| (*id, Some(format!("server {id}")));
        Guilds {
            all: all.iter().map(name).collect(),
            mapped: mapped.iter().copied().collect(),
            ..Guilds::default()
        }
    }

    // D-4: who has access at all, for commands and for buttons on cards.
    #[rstest::rstest]
    #[case("named", &[OURS], true, &[OURS, STRANGERS], &[OURS], [(OURS, true, true), (STRANGERS, false, false)])]
    #[case("named, and not seen", &[OURS], false, &[], &[], [(OURS, true, true), (STRANGERS, false, false)])]
    #[case("a map", &[], true, &[OURS, STRANGERS], &[OURS], [(OURS, true, true), (STRANGERS, false, false)])]
    #[case("a map of two", &[], true, &[OURS, CUSTOMERS, STRANGERS], &[OURS, CUSTOMERS], [(CUSTOMERS, true, true), (STRANGERS, false, false)])]
    #[case("a map of two, one named", &[OURS], true, &[OURS, CUSTOMERS, STRANGERS], &[OURS, CUSTOMERS], [(CUSTOMERS, false, true), (STRANGERS, false, false)])]
    #[case("fresh", &[], false, &[OURS], &[], [(OURS, true, true), (STRANGERS, false, false)])]
    #[case("fresh, in two", &[], false, &[OURS, STRANGERS], &[], [(OURS, false, false), (STRANGERS, false, false)])]
    #[case("a map that leads nowhere", &[], true, &[STRANGERS], &[], [(OURS, false, false), (STRANGERS, false, false)])]
    fn only_the_operators_servers_count(
        #[case] what: &str,
        #[case] named: &[Snowflake],
        #[case] is_mapped: bool,
        #[case] all: &[Snowflake],
        #[case] mapped: &[Snowflake],
        #[case] expected: [(Snowflake, bool, bool); 2],
    ) {
        let seen = servers(all, mapped);
        for (guild, by_command, on_card) in expected {
            for (way, counts) in [(Entrypoint::Command, by_command), (Entrypoint::Card, on_card)] {
                let judged = judge(guild, way, named, is_mapped, Some(&seen));
                assert_eq!(judged.is_ok(), counts, "{what}: {guild} {way:?} {judged:?}");
            }
        }
    }

    #[test]
    fn what_is_not_known_yet_is_waited_for_and_never_guessed() {
        let mut arriving = servers(&[OURS], &[]);
        assert_eq!(judge(OURS, Entrypoint::Card, &[], true, None), Err(Refusal::TooEarly));
        arriving.all.insert(OURS, None);
        arriving.all.insert(STRANGERS, None);
        assert_eq!(judge(OURS, Entrypoint::Command, &[], true, Some(&arriving)), Err(Refusal::TooEarly));
        assert_eq!(
            judge(STRANGERS, Entrypoint::Card, &[OURS], true, Some(&arriving)),
            Err(Refusal::TooEarly)
        );
        assert_eq!(
            judge(CUSTOMERS, Entrypoint::Command, &[], true, Some(&arriving)),
            Err(Refusal::OperatorGuildUnknown(CUSTOMERS))
        );
    }
}
