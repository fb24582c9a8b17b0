//! The summary card of a mute that ended.

use serde_json::Value;

use super::facts::Facts;
use super::text::{literal, number, paragraph, short};
use super::{Card, Color, Markdown};

/// Maximum number of named kinds.
const NAMED: usize = 12;

/// The card "🔔 The mute of alert.* ended: 14 events were not shown".
pub(super) fn ended(facts: &Facts<'_>) -> Card {
    let pattern = || facts.word(&["pattern"]).map(|pattern| short(&pattern, 60)).unwrap_or_default();
    let events = facts.data().get("events").and_then(Value::as_u64).unwrap_or_default();
    let counted = || -> Markdown {
        [number(events), literal(if events == 1 { " event was not shown" } else { " events were not shown" })]
            .into()
    };
    let title = || -> Markdown { [literal("🔔 The mute of "), pattern(), literal(" ended")].into() };
    let summary = [title(), literal(": "), counted()].into();
    let title = title();
    let kinds = facts.data().get("kinds").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let line = |kind: &Value| -> Option<Markdown> {
        let (name, count) = (kind.get(0)?.as_str()?, kind.get(1)?.as_u64()?);
        Some([number(count), literal(" "), short(name, 60)].into())
    };
    let since = facts.moment(&["since"]).map(|at| [literal("since "), at].into());
    Card::new(facts.event, Color::Info, title, summary)
        .facts([Some(counted()), facts.by(&["by"]), since])
        .facts([facts.word(&["reason"]).map(|reason| paragraph(&reason))])
        .text(Some(literal(
            "They are kept: `nuncio deliveries` lists them, `nuncio redeliver ID` sends one.",
        )))
        .field("Muted", Some(Markdown::join(kinds.iter().take(NAMED).map(line), "\n")))
}
