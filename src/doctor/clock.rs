//! The clock: its offset from Discord's, or from that of XTSystems.

use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::doctor::code::Code;
use crate::doctor::{Check, probe};
use crate::hub::clock_off;

/// A clock that is further off is not synchronized by NTP.
const ODD: Duration = Duration::from_secs(30);
/// A clock that is further off is about to refuse events: ingress accepts up to five minutes.
const WRONG: Duration = Duration::from_secs(4 * 60);

/// Checks the offset of the clock.
pub(super) async fn checks(config: &Config, clock: &Clock) -> Vec<Check> {
    let discord = format!("{}/gateway", config.discord.base.rest());
    let xtsystems = &config.xtsystems.api_url;
    let asked = match probe::times(&discord, clock).await {
        Some(times) => Some(("Discord", times)),
        None => probe::times(xtsystems, clock).await.map(|times| ("XTSystems", times)),
    };
    vec![match asked {
        Some((who, (theirs, ours))) => judge(who, theirs, ours),
        None => unchecked(),
    }]
}

/// A check that could not run is not "ok".
fn unchecked() -> Check {
    Check::warn(
        Code::Clock,
        "The clock was not checked: neither Discord nor XTSystems could be asked for the time.",
        "Run doctor again once one of them answers, or look yourself: timedatectl.",
    )
}

fn judge(who: &str, theirs: Timestamp, ours: Timestamp) -> Check {
    let off = ours.since(theirs).max(theirs.since(ours));
    let problem = clock_off(ours.as_millis().saturating_sub(theirs.as_millis()), who);
    let found = format!("{}.", problem.found);
    let remedy = format!("{}.", problem.remedy.unwrap_or_default());
    if off > WRONG {
        Check::fail(Code::ClockSkewed, found, remedy)
    } else if off > ODD {
        Check::warn(Code::ClockSkewed, found, remedy)
    } else {
        Check::ok(Code::Clock, format!("The clock of this machine agrees with that of {who}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[rstest::rstest]
    #[case(30, State::Ok)]
    #[case(31, State::Warn)]
    #[case(240, State::Warn)]
    #[case(241, State::Fail)]
    fn a_clock_that_is_off_is_judged_in_both_directions(#[case] seconds: i64, #[case] expected: State) {
        let (one, other) =
            (Timestamp::from_secs(1_700_000_000), Timestamp::from_secs(1_700_000_000 + seconds));
        assert_eq!(judge("Discord", one, other).state, expected);
        assert_eq!(judge("Discord", other, one).state, expected);
    }
}
