//! The API calls of decisions and tickets: whether XTSystems has them. None of them is made.

use crate::clock::Clock;
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT};
use crate::xtsystems::{Presence, XtSystemsClient};

/// Asks XTSystems for each call whether it has it.
pub(super) async fn checks(client: &XtSystemsClient, clock: &Clock) -> Vec<Check> {
    let calls = client.calls();
    let calls = [
        ("XTSYSTEMS_APPROVE", &calls.approve),
        ("XTSYSTEMS_DENY", &calls.deny),
        ("XTSYSTEMS_CREATE_TICKET", &calls.create_ticket),
        ("XTSYSTEMS_UPDATE_TICKET", &calls.update_ticket),
    ];
    let (mut checks, mut unknown) = (Vec::new(), Vec::new());
    for (variable, call) in calls {
        match clock.within(LIMIT, client.presence(call)).await.unwrap_or(Presence::Unknown) {
            Presence::Exists => {}
            Presence::Missing => checks.push(Check::warn(
                Code::XtsystemsCallMissing,
                format!("XTSystems has no {call}: what becomes this call is held."),
                format!("Set {variable} to the method and the path that XTSystems has for it (its API's documentation), then restart nuncio and press Try again on the cards."),
            )),
            Presence::OtherMethod(allowed) => checks.push(Check::warn(
                Code::XtsystemsCallMissing,
                format!("XTSystems has the path of {call}, but takes {allowed} there: what becomes this call is held."),
                format!("Set {variable} to one of these methods and the path, then restart nuncio and press Try again on the cards."),
            )),
            Presence::Unknown => unknown.push(call.to_string()),
        }
    }
    if checks.is_empty() {
        checks.push(match unknown.as_slice() {
            [] => {
                Check::ok(Code::XtsystemsCalls, "XTSystems has the calls that decisions and tickets become.")
            }
            unknown => Check::ok(
                Code::XtsystemsCallsUnknown,
                format!(
                    "Whether XTSystems has {} shows when the first is made: it does not say.",
                    unknown.join(", ")
                ),
            ),
        });
    }
    checks
}
