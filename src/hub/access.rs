//! Whose servers count: in anybody else's, nobody may do or read anything, whatever they are there.
//!
//! Whoever owns a server can invite a bot to it, unless it is private, and may do everything there. So before anybody is
//! asked what they are, their server must be one of the operator's: by `DISCORD_GUILD_ID`, or by a channel in it that the
//! environment's map names. What somebody set on Discord makes no server one of ours, for that is what is guarded.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::hub::{Hub, Person, Problem, Refusal, Servers};
use crate::model::Snowflake;
use crate::render;

/// Characters of a server's name in the log.
const MOST_NAME: usize = 100;

/// Through what somebody reaches nuncio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrypoint {
    /// A button on a card, or the dialog that it opened: it is about that card's thing alone.
    Card,
    /// A command and whatever its answer leads to: it is about everything.
    Command,
}

/// What is known of the servers; `None` until the gateway has told.
pub(super) type Home = watch::Sender<Option<Servers>>;

/// Whether `guild` counts. `named` is `DISCORD_GUILD_ID`, and `is_mapped` whether the environment's map names channels.
fn judge(
    guild: Snowflake,
    way: Entrypoint,
    named: &[Snowflake],
    is_mapped: bool,
    seen: Option<&Servers>,
) -> Result<(), Refusal> {
    if named.contains(&guild) {
        return Ok(());
    }
    // Cards go where the map leads; commands are the operators', wherever else there are cards.
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
    // A fresh installation: nothing says whose it is, so there must be no doubt.
    let is_only = seen.all.len() == 1 && seen.all.contains_key(&guild);
    if is_only && !is_mapped { Ok(()) } else { Err(Refusal::OperatorGuildUnknown(guild)) }
}

impl Hub {
    /// Whether `person`'s server counts. What they may there is another question.
    pub fn check_guild(&self, person: &Person, way: Entrypoint) -> Result<(), Refusal> {
        self.counts(person.guild.ok_or(Refusal::NoServer)?, way)
    }

    fn counts(&self, guild: Snowflake, way: Entrypoint) -> Result<(), Refusal> {
        let is_mapped = !self.mapped_channels().is_empty();
        judge(guild, way, &self.rules().guilds, is_mapped, self.0.home.borrow().as_ref())
    }

    /// The channels that the environment's map names.
    #[must_use]
    pub fn mapped_channels(&self) -> BTreeSet<Snowflake> {
        self.0.routing.environment_channels()
    }

    /// Takes in what the gateway tells about the bot's servers, and warns of those that are not ours. A server whose
    /// channel is deleted meanwhile stays ours: its people can set another one.
    pub fn learn_servers(&self, mut servers: Servers) {
        let before = self.0.home.borrow().clone().unwrap_or_default();
        servers.mapped.extend(&before.mapped);
        let (strangers, problem) = (self.strangers(), self.nobodys());
        let known: Vec<Problem> = self.server_problems();
        self.0.home.send_if_modified(|home| {
            let is_news = home.as_ref() != Some(&servers);
            *home = Some(servers);
            is_news
        });
        if let Some(sentence) = self.nobodys().filter(|_| problem.is_none()) {
            tracing::warn!("{sentence}");
        }
        for news in self.server_problems().iter().filter(|problem| !known.contains(problem)) {
            tracing::warn!("{}", news.sentence());
        }
        for (id, name) in self.strangers().iter().filter(|(id, _)| !strangers.contains_key(id)) {
            tracing::warn!(
                "the bot is also in the server {} ({id}), which neither DISCORD_GUILD_ID nor the map names: nobody \
                 there may do or read anything. If you did not invite it, switch Public Bot off (Developer Portal → \
                 Bot) and remove it from that server",
                render::line(name, MOST_NAME).unwrap_or_default()
            );
        }
    }

    /// Forgets which servers the map led to: the gateway's side says at once which ones the new map leads to.
    pub(super) fn forget_mapped_servers(&self) {
        self.0.home.send_if_modified(|home| {
            home.as_mut().is_some_and(|seen| !std::mem::take(&mut seen.mapped).is_empty())
        });
    }

    /// The servers that do not count, by name.
    fn strangers(&self) -> BTreeMap<Snowflake, String> {
        let all = self.0.home.borrow().as_ref().map(|seen| seen.all.clone()).unwrap_or_default();
        let named = all.into_iter().filter_map(|(id, name)| Some((id, name?)));
        named
            .filter(|(id, _)| matches!(self.counts(*id, Entrypoint::Card), Err(Refusal::ForeignGuild(_))))
            .collect()
    }

    /// Why nobody could do anything by a command or a button; `None` if somebody can, or if it is not known.
    pub(super) fn nobodys(&self) -> Option<String> {
        let home = self.0.home.borrow();
        let seen = home.as_ref().filter(|seen| !seen.all.is_empty() && seen.mapped.is_empty())?;
        // One that has not arrived yet may be it.
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

    /// Waits until it is known whether `guild` counts.
    pub async fn know_server(&self, guild: Snowflake, way: Entrypoint) {
        let mut home = self.0.home.subscribe();
        while self.counts(guild, way) == Err(Refusal::TooEarly) && home.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Snowflake = Snowflake::new(1);
    const CUSTOMERS: Snowflake = Snowflake::new(2);
    const STRANGERS: Snowflake = Snowflake::new(99);

    fn servers(all: &[Snowflake], mapped: &[Snowflake]) -> Servers {
        let name = |id: &Snowflake| (*id, Some(format!("server {id}")));
        Servers {
            all: all.iter().map(name).collect(),
            mapped: mapped.iter().copied().collect(),
            ..Servers::default()
        }
    }

    // D-4: who is asked at all, for commands and for buttons on cards.
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
