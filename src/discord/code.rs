//! Discord's error codes and their meaning for a destination (Discord: "JSON Error Codes"). A code that is not listed
//! is judged by its status alone.

/// The meaning of a code, whatever the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing can be sent there until an operator changes something: the problem, and the remedy.
    Closed(&'static str),
    /// The bot lacks the permission for now.
    Denied,
    /// A temporary limit of any kind.
    RateLimited,
    /// Cloudflare, in front of Discord's API, blocks this address.
    Wall,
}

/// The meaning of `code`, if it is listed.
pub(super) fn meaning(code: u64) -> Option<Meaning> {
    use Meaning::{Closed, Denied, RateLimited, Wall};
    Some(match code {
        10003 => Closed(
            "Discord does not know this channel (10003): it was deleted, or the bot is not in its server. \
             Invite the bot again, or put another channel into DISCORD_WEBHOOK_CHANNELS",
        ),
        10004 => Closed(
            "Discord does not know this server (10004): the bot is not in it any more. Invite it again",
        ),
        10015 => Closed(
            "Discord does not know this webhook (10015): it was deleted, and is never used again. Make a new one",
        ),
        50027 => Closed(
            "Discord does not know this webhook's token (50027): it was reset or mistyped. Give the new address",
        ),
        50008 | 50024 => Closed(
            "this kind of channel holds no messages (50008, 50024): put a text channel or a thread into \
             DISCORD_WEBHOOK_CHANNELS",
        ),
        40058 => Closed(
            "this is a forum (40058), which holds posts and no messages: put one of its posts into \
             DISCORD_WEBHOOK_CHANNELS",
        ),
        220_001..=220_003 => Closed(
            "this webhook leads to a forum, where a message needs a post (220001): name the post with thread_id, or \
             make a webhook in a text channel",
        ),
        50083 => Closed("this thread is archived (50083), and could not be opened again. Open it"),
        160_005 => Closed("this thread is locked (160005). Unlock it"),
        // 160006: too many active threads, so posting cannot reopen an archived one.
        50001 | 50013 | 160_006 => Denied,
        // Slow mode, limits on writing and on editing announcements, a resource under pressure.
        20016 | 20022 | 20028 | 40062 | 130_000 => RateLimited,
        40333 => Wall,
        _ => return None,
    })
}

/// Why a webhook must not be used again after this response; `None` if the response is about something else. After a
/// 404 it must never be used again (Discord: "Rate Limits", Invalid Request Limit); a 401 is about its own token.
pub(super) fn webhook_meaning(status: u16, code: Option<u64>) -> Option<&'static str> {
    Some(match (status, code) {
        (_, Some(code @ (10015 | 50027 | 220_001..=220_003))) => match meaning(code) {
            Some(Meaning::Closed(why)) => why,
            _ => return None,
        },
        (_, Some(10003)) => {
            "Discord does not know this webhook's channel or thread (10003): it was deleted. Give another address"
        }
        (404, _) => {
            "Discord does not know this webhook (404): it was deleted, and is never used again. Make a new one"
        }
        (401, _) => {
            "Discord refused this webhook's token (401): it was mistyped or is not valid any more. Give the new address"
        }
        _ => return None,
    })
}
