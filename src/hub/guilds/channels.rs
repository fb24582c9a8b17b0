//! The map's channels by display name: guild, channel name, and current obstacles.
//!
//! Reported by the gateway; until then, only ids are known.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::config;
use crate::hub::{Hub, Problem, ProblemCode};
use crate::model::route::Target;
use crate::model::{Destination, DestinationId, Sink, Snowflake};
use crate::render;

/// Longest user name in the table, in characters.
const MOST_NAME: usize = 30;

/// An obstacle that prevents the bot from posting in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelObstacle {
    /// For example "missing Embed Links (denied by role @muted)".
    pub found: String,
    /// What to do, in the terms of Discord's settings; without a full stop.
    pub remedy: String,
}

impl ChannelObstacle {
    /// This obstacle as a problem of the channel `name`.
    #[must_use]
    pub fn problem(&self, name: &str) -> Problem {
        Problem::with_remedy(ProblemCode::ChannelUnusable, format!("{name}: {}", self.found), &self.remedy)
    }
}

/// The problem of a mapped channel that is in none of the bot's guilds.
#[must_use]
pub fn unknown_channel(id: Snowflake) -> Problem {
    Problem::with_remedy(
        ProblemCode::ChannelUnusable,
        format!("The map names the channel {id}, which is not there, or the bot is not in its server"),
        "Copy the channel's id (in Discord: right-click, Copy Channel ID) into DISCORD_WEBHOOK_CHANNELS, or invite the bot to \
         that server",
    )
}

/// A channel or thread that the bot can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    /// The guild's id, where it is known.
    pub guild_id: Option<Snowflake>,
    /// The guild's name.
    pub guild: String,
    /// The guild's roles.
    pub roles: BTreeSet<Snowflake>,
    /// The channel's name, without `#`.
    pub channel: String,
    /// What prevents the bot from posting there.
    pub problems: Vec<ChannelObstacle>,
}

impl ChannelInfo {
    /// Display name, such as "Acme NOC / #tickets".
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} / #{}", self.guild, self.channel)
    }

    /// Display name, followed by "ok" or the obstacles.
    #[must_use]
    pub fn verdict(&self) -> String {
        if self.problems.is_empty() {
            format!("{}  ok", self.name())
        } else {
            format!("{}: {}", self.name(), self.obstacles())
        }
    }

    /// All obstacles, on one line.
    #[must_use]
    pub fn obstacles(&self) -> String {
        let found: Vec<&str> = self.problems.iter().map(|obstacle| obstacle.found.as_str()).collect();
        found.join(", ")
    }
}

/// Channels by id; `None` until the gateway has reported.
pub type Channels = Option<BTreeMap<Snowflake, ChannelInfo>>;

/// The table's text about `target`.
fn describe(places: &Channels, target: &Target) -> String {
    match (target, places) {
        (Target::Channel(id), Some(places)) => match places.get(id) {
            Some(place) => place.verdict(),
            None => format!("{id}: no such channel, or the bot is not in that server"),
        },
        (Target::Channel(id), None) => format!("channel {id}"),
        (Target::Stored(id), _) => format!("destination {id}"),
    }
}

impl Hub {
    /// The channels that the map names.
    #[must_use]
    pub fn channels(&self) -> BTreeSet<Snowflake> {
        let routes = self.0.routing.now();
        let targets = routes.map().routes().iter().flat_map(|route| &route.targets);
        targets.filter_map(Target::channel).collect()
    }

    /// The map in readable lines, one for each kind, with names and obstacles as far as the gateway has reported, and
    /// with the author of a route that is not from the environment.
    #[must_use]
    pub fn table(&self) -> Vec<String> {
        let (places, routes) = (self.0.places.borrow(), self.0.routing.now());
        let mut lines = config::table_of(routes.map(), &|target| match target {
            Target::Stored(id) => self.stored_name(*id),
            Target::Channel(_) => describe(&places, target),
        });
        for (line, route) in lines.iter_mut().zip(routes.map().routes()) {
            if let Some(set) = routes.set().iter().rfind(|set| route.is_of(&set.key)) {
                let by = render::line(&set.by, MOST_NAME).unwrap_or_default();
                // Last on the line: the obstacles stay directly behind the channels they belong to.
                line.push_str(&format!("  (set by {by})"));
            }
        }
        lines
    }

    /// The table's text about a stored destination.
    #[must_use]
    pub fn stored_name(&self, id: DestinationId) -> String {
        let routes = self.0.routing.now();
        routes.stored(id).map_or_else(|| format!("{id}: no such destination is stored"), str::to_owned)
    }

    /// The permissions that the bot lacks in a destination, as far as the gateway has reported: "missing Embed Links
    /// (denied to the bot itself)". More specific than Discord's own "Missing Permissions".
    #[must_use]
    pub fn missing_at(&self, destination: &Destination) -> Option<String> {
        let Sink::Channel(channel) = &destination.sink else { return None };
        let places = self.0.places.borrow();
        let place = places.as_ref()?.get(channel)?;
        (!place.problems.is_empty()).then(|| place.obstacles())
    }

    /// Subscribes to [`Hub::table`]: changes whenever the gateway reports something new.
    #[must_use]
    pub fn table_changes(&self) -> watch::Receiver<Channels> {
        self.0.places.subscribe()
    }

    /// Problems that prevent the bot from posting in the map's channels, one for each obstacle; empty until the
    /// gateway has reported.
    #[must_use]
    pub fn channel_problems(&self) -> Vec<Problem> {
        let places = self.0.places.borrow();
        let Some(known) = places.as_ref() else { return Vec::new() };
        // A bot without any guild sees no channel: that is one problem, not one for each channel.
        if self.0.known_guilds.borrow().as_ref().is_some_and(|seen| seen.all.is_empty()) {
            return Vec::new();
        }
        let problems = |id: &Snowflake| match known.get(id) {
            Some(place) => {
                let name = place.name();
                place.problems.iter().map(|obstacle| obstacle.problem(&name)).collect()
            }
            None => vec![unknown_channel(*id)],
        };
        self.channels().iter().flat_map(problems).collect()
    }

    /// Stores the gateway's report of the map's channels; channels that it omits are unknown. Renames the
    /// destinations accordingly. Logs the table's lines that changed, at first all of them.
    pub async fn set_channels(&self, places: BTreeMap<Snowflake, ChannelInfo>) {
        let (before, known) = (self.table(), self.channel_problems());
        let undecided = self.unattended_questions();
        let (named, opened) = {
            let known = self.0.places.borrow();
            let before = |id: &Snowflake| known.as_ref().and_then(|known| known.get(id));
            let opened: Vec<Snowflake> = places
                .iter()
                .filter(|(id, place)| before(id) != Some(*place) && may_take_messages(before(id), place))
                .map(|(id, _)| *id)
                .collect();
            let is_news = |id: &Snowflake, place: &ChannelInfo| {
                known
                    .as_ref()
                    .and_then(|known| known.get(id))
                    .is_none_or(|known| known.name() != place.name())
            };
            let named = places.iter().filter(|(id, place)| is_news(id, place));
            let named: Vec<(Snowflake, String)> = named.map(|(id, place)| (*id, place.name())).collect();
            (named, opened)
        };
        self.0.places.send_replace(Some(places));
        for line in self.table().into_iter().filter(|line| !before.contains(line)) {
            tracing::info!("{line}");
        }
        for news in self.channel_problems().iter().filter(|problem| !known.contains(problem)) {
            tracing::warn!("{}", news.sentence());
        }
        self.unattended_questions()
            .iter()
            .filter(|sentence| !undecided.contains(sentence))
            .for_each(|sentence| tracing::warn!("{sentence}"));
        for (channel, name) in named {
            if let Err(error) = self.0.store.rename_destination(Sink::Channel(channel), &name).await {
                tracing::warn!(%error, "the name {name} could not be saved in the database: logs keep showing its id");
            }
        }
        for channel in opened {
            self.reopen(channel, "the gateway shows it to the bot").await;
        }
    }

    /// Reopens the destination of `channel` if it is closed or denies messages: one message then probes it.
    pub async fn reopen(&self, channel: Snowflake, why: &str) {
        match self.0.store.reopen(Sink::Channel(channel)).await {
            Ok(true) => tracing::info!("channel {channel} is tried again, as {why}"),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "the database could not save that channel {channel} may take messages again: \
                                        nuncio tries it within 15 minutes")
            }
        }
    }
}

/// Whether a channel's change may have removed its obstacle: it exists again, or no permission is missing any more.
fn may_take_messages(before: Option<&ChannelInfo>, now: &ChannelInfo) -> bool {
    before.is_none() || now.problems.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(problems: &[&str]) -> ChannelInfo {
        ChannelInfo {
            guild_id: None,
            guild: "Acme NOC".to_owned(),
            roles: BTreeSet::new(),
            channel: "tickets".to_owned(),
            problems: problems
                .iter()
                .map(|found| ChannelObstacle { found: (*found).to_owned(), remedy: "Allow it".to_owned() })
                .collect(),
        }
    }

    #[test]
    fn a_place_that_is_back_or_has_no_problem_any_more_is_tried() {
        let (well, ill) = (place(&[]), place(&["missing Send Messages"]));
        assert!(may_take_messages(None, &well) && may_take_messages(None, &ill));
        assert!(may_take_messages(Some(&ill), &well));
        assert!(!may_take_messages(Some(&well), &ill));
    }

    #[test]
    fn a_target_is_named_and_judged() {
        let target = Target::Channel(Snowflake::new(456));
        let known = |place: Option<ChannelInfo>| {
            Some(place.map(|place| (Snowflake::new(456), place)).into_iter().collect())
        };
        assert_eq!(describe(&None, &target), "channel 456");
        assert_eq!(describe(&known(Some(place(&[]))), &target), "Acme NOC / #tickets  ok");
        assert_eq!(
            describe(&known(Some(place(&["missing Embed Links (denied by role @muted)"]))), &target),
            "Acme NOC / #tickets: missing Embed Links (denied by role @muted)"
        );
        assert_eq!(describe(&known(None), &target), "456: no such channel, or the bot is not in that server");
    }
}
