//! The "Details" view: everything known about a decision's subject, and its history.

use serde_json::Value;

use super::decided::{by, verdict};
use super::facts::word;
use super::text::{code, literal, moment, short, text};
use super::{Card, Color, Field, Markdown};
use crate::model::{CallState, Decision, DecisionKind, Event, Phase, payload};

/// Maximum number of facts: a longer list is not read.
const MOST_FACTS: usize = 30;
/// Maximum number of history lines; the newest are kept.
const MOST_LINES: usize = 12;

/// The details of `decision`'s subject: `all` its rounds and ticket actions, the oldest first, and the event that
/// asked.
#[must_use]
pub fn details(decision: &Decision, all: &[Decision], event: Option<&Event>) -> Card {
    let title: Markdown = [literal("🔎 "), short(&decision.label, 200)].into();
    let mut card = Card::about(decision, event, Color::Info, title);
    let data = event.map(|event| &*event.data);
    let facts = data.and_then(Value::as_object).into_iter().flatten().filter_map(|(name, value)| {
        let value = match payload::is_secret(name) {
            true => literal(payload::HIDDEN),
            false => short(&word(value)?, 120),
        };
        Some(Some([text(name), literal(": "), value].into()))
    });
    card.text = Markdown::join(facts.take(MOST_FACTS), "\n");
    let lines: Vec<Markdown> = all.iter().filter_map(line).collect();
    let skipped = lines.len().saturating_sub(MOST_LINES);
    let history = Markdown::join(lines.into_iter().skip(skipped).map(Some), "\n");
    if !history.is_empty() {
        card.fields.push(Field { name: literal("History"), value: history, inline: false });
    }
    card
}

fn line(decision: &Decision) -> Option<Markdown> {
    let at = decision.decided_at.or(decision.approved_upstream_at).unwrap_or(decision.created_at);
    let what: Markdown = match decision.kind {
        DecisionKind::Ticket => return None,
        DecisionKind::Take => literal("taken").and(by(decision)),
        DecisionKind::Note => literal("noted").and(by(decision)),
        DecisionKind::Close => literal("closed").and(by(decision)),
        DecisionKind::Alert if decision.decider.is_some() => literal("taken").and(by(decision)),
        DecisionKind::Alert => return None,
        DecisionKind::Machine => match decision.phase() {
            Phase::Pending => literal("asked; nobody decided yet"),
            Phase::Expired => literal("asked; nobody decided in time"),
            Phase::ApprovedUpstream => literal("approved in XTSystems"),
            _ => verdict(decision).and(by(decision)),
        },
    };
    let reason =
        decision.reason.as_ref().map(|reason| [literal(": "), short(reason, 100).emphasised()].into());
    let platform = match decision.platform {
        CallState::NotCalled => None,
        CallState::Calling => {
            // The body of a failed reply: more than the card shows.
            let held = decision
                .platform_reply
                .as_deref()
                .and_then(|platform_reply| Some(platform_reply.split_once('\n')?.1))
                .filter(|held| !held.is_empty());
            let held = held.map(|held| [literal(": "), code(held)].into()).unwrap_or_default();
            Some([literal(" · telling XTSystems"), held].into())
        }
        CallState::Confirmed => Some(literal(" · XTSystems confirmed")),
        CallState::Refused | CallState::Held => Some(literal(" · not in XTSystems")),
    };
    Some([moment(at), literal(" "), what, reason.unwrap_or_default(), platform.unwrap_or_default()].into())
}
