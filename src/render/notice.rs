//! Notice cards about destinations and sources: what happened, what nuncio did, what to do.

use super::facts::{Facts, word};
use super::mute;
use super::text::{code, literal, number, paragraph};
use super::{Card, Color, Markdown};

/// The card of a notice; `None` if the kind has no card of its own.
pub(super) fn card(facts: &Facts<'_>, kind: &str) -> Option<Card> {
    match kind {
        "destination.closed" => Some(closed(facts)),
        "destination.denied" => Some(denied(facts)),
        "destination.reopened" => Some(reopened(facts)),
        "destination.expired" => Some(expired(facts)),
        "nuncio.source.refused" => Some(source_refused(facts)),
        "nuncio.source.accepted" => Some(source_accepted(facts)),
        "nuncio.mute.ended" => Some(mute::ended(facts)),
        _ => None,
    }
}

fn closed(facts: &Facts<'_>) -> Card {
    if let Some(mend) = word_of(facts, "mend") {
        // D-12: anyone who knew its address may have deleted it.
        let is_deleted = facts.data().get("deleted").and_then(serde_json::Value::as_bool).unwrap_or_default();
        let first = if is_deleted {
            "If none of you deleted it, its address has leaked. Make a new webhook in Discord, then: "
        } else {
            "Look at it in Discord, then give nuncio its address again: "
        };
        return notice(facts, Color::Failed, "🚫", " is closed")
            .facts([word_of(facts, "webhook").map(|webhook| code(&webhook))])
            .text(reason(facts))
            .field(
                "What nuncio did",
                did("Stopped sending there at once. Its messages wait; nothing is lost."),
            )
            .field(
                "What to do",
                Some([literal(first), code(&mend), literal(". nuncio then sends what waits.")].into()),
            );
    }
    notice(facts, Color::Failed, "🚫", " is closed")
        .text(reason(facts))
        .field("What nuncio did", did("Stopped sending there. Its messages wait; nothing is lost."))
        .field(
            "What to do",
            did("Fix it: as soon as it takes messages again, nuncio sends what waits. Or name another channel (Set \
                 channel in /webhook-config, or DISCORD_WEBHOOK_CHANNELS, then `kill -HUP` nuncio or restart it); \
                 then nuncio redeliver --closed sends what waits there."),
        )
}

fn denied(facts: &Facts<'_>) -> Card {
    if let Some(webhook) = word_of(facts, "webhook") {
        return notice(facts, Color::Look, "🔒", " takes no messages for now")
            .facts([Some(code(&webhook))])
            .text(reason(facts))
            .field(
                "What nuncio did",
                did("Stopped sending there. Its messages wait, and it tries again every 15 minutes."),
            )
            .field("What to do", did("Look at the webhook's channel in Discord."));
    }
    notice(facts, Color::Look, "🔒", " does not let the bot write")
        .text(reason(facts))
        .field(
            "What nuncio did",
            did("Stopped sending there. Its messages wait; nothing is lost. It tries again every 15 minutes, and as \
                 soon as the bot's permissions change."),
        )
        .field("What to do", did("Give the bot View Channel, Send Messages and Embed Links there: in the channel's settings, under Permissions."))
}

fn reopened(facts: &Facts<'_>) -> Card {
    notice(facts, Color::Done, "✅", " takes messages again")
        .field("What nuncio did", did("Sends what waited, in order."))
}

fn expired(facts: &Facts<'_>) -> Card {
    let count = facts.data().get("expired").and_then(serde_json::Value::as_u64).unwrap_or_default();
    let summary: Markdown =
        [number(count), literal(" deliveries for "), name(facts), literal(" were given up")].into();
    Card::new(facts.event, Color::Failed, [literal("🗑️ "), summary.clone()].into(), summary)
        .field("What nuncio did", did("Gave them up, because they had waited longer than RETENTION_DAYS. They are \
                                       dead letters now."))
        .field(
            "What to do",
            did("List them with nuncio deliveries --dead. Once it takes messages again, send them with nuncio \
                 redeliver --dead. If the map names another channel by then, also run nuncio redeliver --closed. \
                 They are kept for another RETENTION_DAYS."),
        )
}

fn source_refused(facts: &Facts<'_>) -> Card {
    let count = facts.data().get("count").and_then(serde_json::Value::as_u64).unwrap_or_default();
    let since = facts.moment(&["since"]).map(|at| [literal("since "), at].into());
    let counted = [literal("all "), number(count), literal(" requests")].into();
    let summary = literal("XTSystems' webhooks are refused");
    Card::new(facts.event, Color::Failed, [literal("🚫 "), summary.clone()].into(), summary)
        .facts([Some(counted), since])
        .text(reason(facts))
        .field("What nuncio did", did("Refused them and stored nothing. XTSystems sends some of them again."))
        .field("What to do", word_of(facts, "remedy").map(|remedy| paragraph(&remedy)))
}

fn source_accepted(facts: &Facts<'_>) -> Card {
    let summary = literal("XTSystems' webhooks are accepted again");
    let since = facts.moment(&["since"]).map(|at| [literal("they were refused from "), at].into());
    Card::new(facts.event, Color::Done, [literal("✅ "), summary.clone()].into(), summary)
        .facts([since])
        .field(
            "What to do",
            did("Look in XTSystems for deliveries that failed meanwhile, and send them again from there."),
        )
}

fn notice(facts: &Facts<'_>, color: Color, sign: &'static str, what: &'static str) -> Card {
    let summary: Markdown = [name(facts), literal(what)].into();
    Card::new(facts.event, color, [literal(sign), literal(" "), summary.clone()].into(), summary)
}

fn name(facts: &Facts<'_>) -> Markdown {
    facts.text(&["name"]).unwrap_or_else(|| literal("A channel"))
}

fn reason(facts: &Facts<'_>) -> Option<Markdown> {
    word_of(facts, "reason").map(|reason| paragraph(&reason))
}

fn word_of(facts: &Facts<'_>, key: &str) -> Option<String> {
    facts.data().get(key).and_then(word)
}

fn did(what: &'static str) -> Option<Markdown> {
    Some(literal(what))
}
