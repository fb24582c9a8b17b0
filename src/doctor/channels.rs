//! The channels in the map: whether each exists, and what the bot lacks in it.

use std::collections::BTreeSet;

use crate::bot::Snapshot;
use crate::clock::Clock;
use crate::discord::Client;
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT};
use crate::hub::{Problem, unknown_channel};
use crate::model::Snowflake;

/// The most channels that are looked up one by one because no guild lists them.
const MOST_ASKED: usize = 25;

/// Looks up those of `channels` that no guild lists: archived threads are in no list.
pub(crate) async fn learn_unlisted(
    client: &Client,
    clock: &Clock,
    snapshot: &mut Snapshot,
    channels: &BTreeSet<Snowflake>,
) {
    let unlisted: Vec<_> =
        channels.iter().filter(|id| snapshot.channel(**id).is_none()).take(MOST_ASKED).collect();
    let asked = async {
        for id in unlisted {
            let permit = client.circuit_breaker().acquire().await;
            if let Ok(found) = client.channel(permit, *id).await {
                snapshot.add_channel(*id, &found);
            }
        }
    };
    // A channel that is not known by then is reported as unknown.
    let _ = clock.within(LIMIT, asked).await;
}

/// One check per channel. A channel that cannot be found is reported only if every guild was read.
pub(crate) fn checks(snapshot: &Snapshot, channels: &BTreeSet<Snowflake>, all_read: bool) -> Vec<Check> {
    let mut checks = Vec::new();
    for id in channels {
        let Some(state) = snapshot.channel(*id) else {
            if all_read {
                checks.push(of_problem(Code::ChannelUnknown, unknown_channel(*id)));
            }
            continue;
        };
        let name = &state.name;
        if let Some(unfit) = &state.unfit {
            checks.push(of_problem(Code::ChannelUnfit, unfit.problem(name)));
        }
        for missing in &state.missing {
            checks.push(of_problem(Code::ChannelPermissionMissing, missing.problem(name)));
        }
        if state.unfit.is_none() && state.missing.is_empty() {
            checks.push(Check::ok(Code::Channel, format!("{name}: the bot may write there.")));
        }
    }
    checks
}

/// A check with the text of a running nuncio's problem.
pub(super) fn of_problem(code: Code, problem: Problem) -> Check {
    let remedy = problem.remedy.unwrap_or_default();
    Check::fail(code, format!("{}.", problem.found), format!("{remedy}."))
}
