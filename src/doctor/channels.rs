//! The channels that the map names: whether each is there, and what the bot lacks in it.

use std::collections::BTreeSet;

use crate::bot::Snapshot;
use crate::clock::Clock;
use crate::discord::Client;
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT};
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
                checks.push(Check::fail(
                    Code::ChannelUnknown,
                    format!("The map names the channel {id}, which is not there, or the bot is not in its server."),
                    "Copy the channel's id (in Discord: right-click, Copy Channel ID) into DISCORD_WEBHOOK_CHANNELS, or \
                     invite the bot to that server.",
                ));
            }
            continue;
        };
        let name = &state.name;
        if let Some(unfit) = state.unfit {
            checks.push(Check::fail(
                Code::ChannelUnfit,
                format!("{name} {unfit}."),
                "Put the id of a text channel, or of a thread, into DISCORD_WEBHOOK_CHANNELS.",
            ));
        }
        for missing in &state.missing {
            checks.push(Check::fail(
                Code::ChannelPermissionMissing,
                format!("{name}: {}.", missing.found),
                format!("{}.", missing.remedy),
            ));
        }
        if state.unfit.is_none() && state.missing.is_empty() {
            checks.push(Check::ok(Code::Channel, format!("{name}: the bot may write there.")));
        }
    }
    checks
}
