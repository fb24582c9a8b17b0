//! What is wrong with the bot's servers and with the roles in the configuration, judged by what the gateway reported.
//!
//! Pure but for what it reads from the hub. As long as a server of the bot's has not arrived, nothing is judged: it may
//! hold what seems to be missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::{Hub, Problem, ProblemCode, Rules, ServerRole, Servers};
use crate::model::Snowflake;

/// What the bot needs in a server: View Channels, Send Messages, Embed Links, Read Message History.
const INVITED_WITH: u64 = 84_992;

/// All problems of `seen`, given the rules and the roles that cards ping.
#[must_use]
pub fn judge_servers(seen: &Servers, rules: &Rules, pinged: &BTreeSet<Snowflake>) -> Vec<Problem> {
    if seen.all.values().any(Option::is_none) {
        return Vec::new();
    }
    let invite = invite(seen.application);
    if seen.all.is_empty() {
        let sentence = format!("The bot is in no server, so it can send nothing. {invite}");
        return vec![Problem::new(ProblemCode::BotInNoServer, sentence)];
    }
    let mut problems = Vec::new();
    for guild in rules.guilds.iter().filter(|guild| !seen.all.contains_key(guild)) {
        problems.push(Problem::new(
            ProblemCode::UnknownServer,
            format!(
                "DISCORD_GUILD_ID names {guild}, but the bot is not in a server with that id: its commands do not appear \
                 there. Correct the id (right-click the server, Copy Server ID) and restart. Or: {invite}"
            ),
        ));
    }
    for (variable, roles, who) in [
        ("APPROVER_ROLES", &rules.approvers, "decide about machines"),
        ("OPERATOR_ROLES", &rules.operators, "change anything"),
    ] {
        problems.extend(roles.iter().filter_map(|role| unusable(seen, variable, *role, who)));
    }
    problems.extend(pinged.iter().filter_map(|role| unpingable(&seen.roles, *role)));
    problems
}

/// Why a role in `variable` lets nobody in.
fn unusable(seen: &Servers, variable: &'static str, role: Snowflake, who: &str) -> Option<Problem> {
    if let Some(name) = seen.all.get(&role) {
        let name = name.as_deref().unwrap_or_default();
        return Some(Problem::new(
            ProblemCode::RoleIsEveryone,
            format!(
                "{variable} names @everyone of {name} ({role}). Discord does not count it among anybody's roles, so it lets \
                 nobody {who}. Put the id of a role there, then `kill -HUP` nuncio or restart it"
            ),
        ));
    }
    (!seen.roles.contains_key(&role)).then(|| {
        Problem::new(
            ProblemCode::UnknownRole,
            format!(
                "{variable} names the role {role}, which none of the bot's servers has: it lets nobody {who}. Copy the \
                 role's id (Server Settings, Roles, Copy Role ID) there, then `kill -HUP` nuncio or restart it"
            ),
        )
    })
}

/// Why nobody is pinged by a role.
fn unpingable(roles: &BTreeMap<Snowflake, ServerRole>, role: Snowflake) -> Option<Problem> {
    let Some(known) = roles.get(&role) else {
        return Some(Problem::new(
            ProblemCode::UnknownPingRole,
            format!(
                "A ping is set for the role {role} (PING, or \"ping\" in the map), which none of the bot's servers has: \
                 nobody will be pinged. Copy the role's id (Server Settings, Roles, Copy Role ID) there, then \
                 `kill -HUP` nuncio or restart it"
            ),
        ));
    };
    (!known.can_be_pinged).then(|| {
        let name = &known.name;
        Problem::new(
            ProblemCode::PingReachesNobody,
            format!(
                "@{name} is not mentionable and the bot may not mention all roles: nobody will be pinged. Switch on \
                 \"Allow anyone to @mention this role\" (Server Settings, Roles, {name}), or give the bot Mention @everyone, \
                 @here, and All Roles"
            ),
        )
    })
}

/// "Invite it: https://…", with the least permissions.
fn invite(application: Option<Snowflake>) -> String {
    application.map_or_else(
        || "Invite it (Developer Portal, OAuth2, URL Generator)".to_owned(),
        |id| format!("Invite it: {}", invite_link(id)),
    )
}

/// The address that invites the bot of `application`, with the least permissions that nuncio needs.
#[must_use]
pub fn invite_link(application: Snowflake) -> String {
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={INVITED_WITH}"
    )
}

impl Hub {
    /// What is wrong with the bot's servers and the configured roles; nothing until the gateway has reported.
    #[must_use]
    pub fn server_problems(&self) -> Vec<Problem> {
        let home = self.0.home.borrow();
        let Some(seen) = home.as_ref() else { return Vec::new() };
        judge_servers(seen, &self.rules(), &self.pinged_roles())
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

    const ACME: Snowflake = Snowflake::new(1);
    const APPROVERS: Snowflake = Snowflake::new(11);
    const QUIET: Snowflake = Snowflake::new(12);
    const NOWHERE: Snowflake = Snowflake::new(99);

    fn seen() -> Servers {
        let role =
            |name: &str, can_be_pinged| ServerRole { guild: ACME, name: name.to_owned(), can_be_pinged };
        Servers {
            all: BTreeMap::from([(ACME, Some("Acme NOC".to_owned()))]),
            application: Some(Snowflake::new(5)),
            roles: BTreeMap::from([(APPROVERS, role("Approvers", true)), (QUIET, role("Quiet", false))]),
            ..Servers::default()
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

    // O-1. Each with a near miss that must not be named.
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
        let found = judge_servers(&seen(), &rules(guilds, approvers, operators), &pinged);
        let found: Vec<_> = found.iter().map(|problem| problem.code).collect();
        assert_eq!(found, codes, "{what}");
    }

    #[test]
    fn nothing_is_judged_before_every_server_has_arrived() {
        let mut arriving = seen();
        arriving.all.insert(Snowflake::new(2), None);
        assert_eq!(
            judge_servers(&arriving, &rules(&[NOWHERE], &[NOWHERE], &[]), &BTreeSet::from([NOWHERE])),
            []
        );
    }

    #[test]
    fn a_bot_in_no_server_gets_its_invite_link() {
        let nowhere = Servers { application: Some(Snowflake::new(5)), ..Servers::default() };
        let [problem] = &*judge_servers(&nowhere, &Rules::default(), &BTreeSet::new()) else { panic!() };
        assert_eq!(problem.code, "bot_in_no_server");
        assert!(problem.sentence.contains("client_id=5&scope=bot+applications.commands&permissions=84992"));
    }
}
