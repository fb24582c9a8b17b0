//! Lenient parsing of events from Discord-compatible servers that omit fields or use other ones.
//!
//! Serenity reports what it cannot parse as an unknown event. nuncio needs only part of each: of an interaction the
//! person, the place, the action and how to answer; of READY the bot's identity. A missing field never adds access: a
//! person without roles has none, and a message without an author is not ours.

mod interaction;
mod ready;

pub(super) use interaction::interaction;
pub(super) use ready::ready;

#[cfg(test)]
mod tests {
    use serde_json::json;

    // This module depends on it: serenity reports what it cannot parse as unknown, and does not drop it.
    #[test]
    fn what_cannot_be_read_comes_as_unknown() {
        use serenity::all::{Event, GatewayEvent};
        for kind in ["INTERACTION_CREATE", "GUILD_CREATE", "READY"] {
            let event = json!({"op": 0, "s": 1, "t": kind, "d": {"id": "7", "user": {"id": "8"}}});
            match serde_json::from_value::<GatewayEvent>(event) {
                Ok(GatewayEvent::Dispatch(1, Event::Unknown(unknown))) => assert_eq!(unknown.kind, kind),
                other => panic!("{kind}: {other:?}"),
            }
        }
    }
}
