//! The channels that the map names: whether each is there, and what the bot lacks in it.

use std::collections::BTreeSet;

use crate::bot::Snapshot;
use crate::clock::Clock;
use crate::discord::Client;
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT};
use crate::hub::{Problem, unknown_channel};
use crate::model::Snowflake;

/// How many channels that no server lists are asked for at most.
const MOST_ASKED: usize = 25;

/// Asks for those of `channels` that no server lists: archived threads are listed by none.
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
            let pass = client.gate().pass().await;
            if let Ok(found) = client.channel(pass, *id).await {
                snapshot.add_channel(*id, &found);
            }
        }
    };
    // What is not known by then is named as unknown.
    let _ = clock.within(LIMIT, asked).await;
}

/// A check for each channel. One that nobody knows is named only if every server was looked at.
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

/// In the words of a running nuncio.
fn of_problem(code: Code, problem: Problem) -> Check {
    let remedy = problem.remedy.unwrap_or_default();
    Check::fail(code, format!("{}.", problem.found), format!("{remedy}."))
}
