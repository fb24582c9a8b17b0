//! Diagnosis of the bot's guilds and of the configured roles, from the gateway's report.
//!
//! Pure except for what it reads from the hub. While one of the bot's guilds has not arrived, nothing is judged: it
//! may contain what seems to be missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::hub::{GuildRole, Guilds, Hub, Problem, ProblemCode, Rules};
use crate::model::Snowflake;

/// The permissions that the bot needs in a guild: View Channels, Send Messages, Embed Links, Read Message History.
const INVITED_WITH: u64 = 84_992;
/// Remedy for a wrong role id.
const COPY_ROLE: &str =
    "Copy the role's id (Server Settings, Roles, Copy Role ID) there, then `kill -HUP` nuncio or restart it";

/// All problems of `seen` at `now`, given the rules and the roles that cards ping.
#[must_use]
pub fn judge_servers(
    seen: &Guilds,
    rules: &Rules,
    pinged: &BTreeSet<Snowflake>,
    now: Timestamp,
) -> Vec<Problem> {
    if seen.all.values().any(Option::is_none) {
        return Vec::new();
    }
    let invite = invite(seen.application);
    if seen.all.is_empty() {
        return vec![Problem::with_remedy(
            ProblemCode::BotInNoServer,
            "The bot is in no server, so it can send nothing",
            invite,
        )];
    }
    let mut problems = Vec::new();
    for guild in rules.guilds.iter().filter(|guild| !seen.all.contains_key(guild)) {
        problems.push(Problem::with_remedy(
            ProblemCode::UnknownServer,
            format!(
                "DISCORD_GUILD_ID names {guild}, but the bot is not in a server with that id: its commands do not appear there"
            ),
            format!("Correct the id (right-click the server, Copy Server ID) and restart. Or: {invite}"),
        ));
    }
    for (variable, roles, who) in [
        ("APPROVER_ROLES", &rules.approvers, "decide about machines"),
        ("OPERATOR_ROLES", &rules.operators, "change anything"),
    ] {
        problems.extend(roles.iter().filter_map(|role| unusable(seen, variable, *role, who)));
    }
    problems.extend(pinged.iter().filter_map(|role| unpingable(&seen.roles, *role)));
    let timed_out = seen.timed_out.iter().filter(|(_, until)| **until > now);
    problems.extend(timed_out.map(|(guild, until)| timed_out_in(seen, *guild, *until)));
    problems
}

/// Why a role in `variable` admits no member.
fn unusable(seen: &Guilds, variable: &'static str, role: Snowflake, who: &str) -> Option<Problem> {
    if let Some(name) = seen.all.get(&role) {
        let name = name.as_deref().unwrap_or_default();
        return Some(Problem::with_remedy(
            ProblemCode::RoleIsEveryone,
            format!(
                "{variable} names @everyone of {name} ({role}), which Discord does not count among anybody's roles: it lets \
                 nobody {who}"
            ),
            "Put the id of a role there (Server Settings, Roles, Copy Role ID), then `kill -HUP` nuncio or restart it",
        ));
    }
    (!seen.roles.contains_key(&role)).then(|| {
        Problem::with_remedy(
            ProblemCode::UnknownRole,
            format!(
                "{variable} names the role {role}, which none of the bot's servers has: it lets nobody {who}"
            ),
            COPY_ROLE,
        )
    })
}

/// Why a role's ping reaches no member.
fn unpingable(roles: &BTreeMap<Snowflake, GuildRole>, role: Snowflake) -> Option<Problem> {
    let Some(known) = roles.get(&role) else {
        return Some(Problem::with_remedy(
            ProblemCode::UnknownPingRole,
            format!(
                "A ping is set for the role {role} (PING, or \"ping\" in the map), which none of the bot's servers has: \
                 nobody will be pinged"
            ),
            COPY_ROLE,
        ));
    };
    (!known.can_be_pinged).then(|| {
        let name = &known.name;
        Problem::with_remedy(
            ProblemCode::PingReachesNobody,
            format!("@{name} is not mentionable and the bot may not mention all roles: nobody will be pinged"),
            format!(
                "Switch on \"Allow anyone to @mention this role\" (Server Settings, Roles, {name}), or give the bot Mention \
                 @everyone, @here, and All Roles"
            ),
        )
    })
}

/// While the bot is timed out, Discord rejects its messages but lets it read.
fn timed_out_in(seen: &Guilds, guild: Snowflake, until: Timestamp) -> Problem {
    let name = seen.all.get(&guild).and_then(Option::as_deref).unwrap_or_default();
    Problem::with_remedy(
        ProblemCode::BotTimedOut,
        format!(
            "The bot is timed out in {name} until {}: Discord refuses what it sends there, and nuncio keeps it",
            until.to_rfc3339()
        ),
        "Remove it in Discord (right-click the bot in the list of members, Remove Timeout), or wait",
    )
}

/// The URL that invites the bot of `application`, with its commands and minimal permissions.
#[must_use]
pub fn invite_link(application: Snowflake) -> String {
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={INVITED_WITH}"
    )
}

/// For example "Invite it: https://…", with minimal permissions.
fn invite(application: Option<Snowflake>) -> String {
    application.map_or_else(
        || "Invite it (Developer Portal, OAuth2, URL Generator)".to_owned(),
        |id| format!("Invite it: {}", invite_link(id)),
    )
}

impl Hub {
    /// Problems of the bot's guilds and the configured roles; empty until the gateway has reported.
    #[must_use]
    pub fn server_problems(&self) -> Vec<Problem> {
        let known_guilds = self.0.known_guilds.borrow();
        let Some(seen) = known_guilds.as_ref() else { return Vec::new() };
        judge_servers(seen, &self.rules(), &self.pinged_roles(), self.0.clock.now())
    }

    /// Every role that a card may ping.
    fn pinged_roles(&self) -> BTreeSet<Snowflake> {
        let routes = self.0.routing.now();
        let routed = routes.map().routes().iter().flat_map(|route| route.ping.iter().copied());
        self.0.live.pings().all_roles().chain(routed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
    const ACME: Snowflake = Snowflake::new(1);
    const APPROVERS: Snowflake = Snowflake::new(11);
    const QUIET: Snowflake = Snowflake::new(12);
    const NOWHERE: Snowflake = Snowflake::new(99);

    fn seen() -> Guilds {
        let role =
            |name: &str, can_be_pinged| GuildRole { guild: ACME, name: name.to_owned(), can_be_pinged };
        Guilds {
            all: BTreeMap::from([(ACME, Some("Acme NOC".to_owned()))]),
            application: Some(Snowflake::new(5)),
            roles: BTreeMap::from([(APPROVERS, role("Approvers", true)), (QUIET, role("Quiet", false))]),
            ..Guilds::default()
        }
    }

    fn rules(guilds: &[Snowflake], approvers: &[Snowflake], operators: &[Snowflake]) -> Rules {
        Rules {
            guilds: guilds.to_vec(),
            approvers: approvers.to_vec(),
            operators: operators.to_vec(),
            ..Rules::default()
        }
    }

    // O-1. Each with a near miss that must not be reported.
    #[rstest::rstest]
    #[case("all as it should be", &[ACME], &[APPROVERS], &[QUIET], &[APPROVERS], &[])]
    #[case("another server", &[ACME, NOWHERE], &[], &[], &[], &["unknown_server"])]
    #[case("a role that is not there", &[], &[APPROVERS, NOWHERE], &[], &[], &["unknown_role"])]
    #[case("an operator's role that is not there", &[], &[], &[NOWHERE], &[], &["unknown_role"])]
    #[case("everyone", &[], &[ACME], &[], &[], &["role_is_everyone"])]
    #[case("a ping that reaches nobody", &[], &[], &[], &[QUIET], &["ping_reaches_nobody"])]
    #[case("a ping of nobody", &[], &[], &[], &[NOWHERE], &["unknown_ping_role"])]
    fn each_mistake_is_named(
        #[case] what: &str,
        #[case] guilds: &[Snowflake],
        #[case] approvers: &[Snowflake],
        #[case] operators: &[Snowflake],
        #[case] pinged: &[Snowflake],
        #[case] codes: &[&str],
    ) {
        let pinged = pinged.iter().copied().collect();
        let found = judge_servers(&seen(), &rules(guilds, approvers, operators), &pinged, NOW);
        let found: Vec<_> = found.iter().map(|problem| problem.code).collect();
        assert_eq!(found, codes, "{what}");
    }

    #[test]
    fn nothing_is_judged_before_every_server_has_arrived() {
        let mut arriving = seen();
        arriving.all.insert(Snowflake::new(2), None);
        assert_eq!(
            judge_servers(&arriving, &rules(&[NOWHERE], &[NOWHERE], &[]), &BTreeSet::from([NOWHERE]), NOW),
            []
        );
    }

    #[test]
    fn a_timeout_is_named_until_it_is_over() {
        let at = |until| {
            let seen = Guilds { timed_out: BTreeMap::from([(ACME, until)]), ..seen() };
            judge_servers(&seen, &Rules::default(), &BTreeSet::new(), NOW)
        };
        let [problem] = &*at(Timestamp::from_secs(1_700_000_001)) else { panic!() };
        assert_eq!(problem.code, "bot_timed_out");
        assert!(problem.found.contains("timed out in Acme NOC until 2023-11-14T22:13:21"), "{problem:?}");
        assert_eq!(at(NOW), []);
    }

    #[test]
    fn a_bot_in_no_server_gets_its_invite_link() {
        let nowhere = Guilds { application: Some(Snowflake::new(5)), ..Guilds::default() };
        let [problem] = &*judge_servers(&nowhere, &Rules::default(), &BTreeSet::new(), NOW) else { panic!() };
        assert_eq!(problem.code, "bot_in_no_server");
        assert!(problem.sentence().contains("client_id=5&scope=bot+applications.commands&permissions=84992"));
    }
}
