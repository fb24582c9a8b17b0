//! Machine cards by the state of the decision, after the contract's table of states.

use super::button::{self, ButtonRow};
use super::facts::Facts;
use super::machine;
use super::text::{literal, moment, number, short};
use super::{Card, Color, DecisionContext, Markdown};
use crate::clock::Timestamp;
use crate::model::{CallState, Decision, Event, Phase, Verdict};

/// Maximum graphemes of a person's name.
const NAME: usize = 60;

/// The card of a machine's event, with its decision; `None` if the action has no card of its own.
pub(super) fn card(facts: &Facts<'_>, action: &str, asked: Option<&DecisionContext>) -> Option<Card> {
    match (action, asked) {
        ("registered", Some(asked)) => Some(decided(facts, asked)),
        ("registered", None) => Some(machine::registered(facts)),
        ("approved", _) => Some(machine::approved(facts)),
        _ => None,
    }
}

/// The card of a machine that asked to join, by the decision's phase.
fn decided(facts: &Facts<'_>, asked: &DecisionContext) -> Card {
    let mut card = machine::registered(facts);
    let Some(decision) = &asked.decision else {
        return card.more(asked.no_buttons.map(|why| literal("⚠️ ").and(literal(why))));
    };
    let name = |max| machine::name(facts, max);
    let (title, color) = match decision.phase() {
        Phase::Pending => (None, Color::Look),
        Phase::Deciding => (
            Some(Markdown::from([literal("⏳ "), name(150), literal(": "), verdict(decision), by(decision)])),
            Color::Warning,
        ),
        Phase::Approved => (Some([literal("✅ "), name(200), literal(" approved")].into()), Color::Done),
        Phase::Denied => (Some([literal("❌ "), name(200), literal(" denied")].into()), Color::Failed),
        Phase::RefusedByPlatform => (
            Some(Markdown::from([
                literal("⚠️ "),
                name(150),
                literal(": "),
                verdict(decision),
                literal(" here, **not** in XTSystems"),
            ])),
            Color::Failed,
        ),
        Phase::ApprovedUpstream => {
            (Some([literal("✅ "), name(200), literal(" approved in XTSystems")].into()), Color::Done)
        }
        Phase::Expired => (
            Some(Markdown::from([
                literal("⌛ "),
                name(200),
                literal(": nobody decided in "),
                span(decision.expires_at.map_or(0, |at| at.since(decision.created_at).as_secs())),
            ])),
            Color::Warning,
        ),
    };
    if let Some(title) = title {
        card.summary = match decision.phase() {
            // A push notification shows asterisks literally.
            Phase::RefusedByPlatform => Markdown::from([
                literal("⚠️ "),
                name(150),
                literal(": "),
                verdict(decision),
                literal(" here, not in XTSystems"),
            ]),
            _ => title.clone(),
        };
        card.title = title;
    }
    card.color = color;
    for line in body(decision, asked) {
        card = card.more(Some(line));
    }
    let open = button::open(card.url.as_deref());
    card.buttons = if asked.no_buttons.is_some() { None } else { buttons(decision, open) };
    card
}

/// A one-line message about a late result, for members who would not notice that an old card has changed.
#[must_use]
pub fn late(event: &Event, decision: &Decision) -> Card {
    let label = || short(&decision.label, NAME);
    let (sign, platform_reply, color) = match decision.phase() {
        Phase::RefusedByPlatform => ("⚠️ ", ", but XTSystems did not take it: see the card", Color::Failed),
        _ => ("✅ ", ", and XTSystems confirmed at last", Color::Done),
    };
    let line: Markdown =
        [literal(sign), label(), literal(": "), verdict(decision), by(decision), literal(platform_reply)]
            .into();
    Card::new(event, color, line.clone(), line)
}

fn buttons(decision: &Decision, open: Option<button::Button>) -> Option<ButtonRow> {
    let token = &decision.token;
    match decision.phase() {
        Phase::Pending => {
            ButtonRow::of([button::approve(token), button::deny(token), button::details(token), open])
        }
        Phase::Deciding if decision.can_be_undone() => ButtonRow::of([button::undo(token)]),
        Phase::Deciding => None,
        Phase::RefusedByPlatform => ButtonRow::of([button::try_again(token), button::details(token), open]),
        Phase::Approved | Phase::Denied | Phase::ApprovedUpstream | Phase::Expired => {
            ButtonRow::of([button::details(token)])
        }
    }
}

fn body(decision: &Decision, asked: &DecisionContext) -> Vec<Markdown> {
    let mut lines = Vec::new();
    match decision.phase() {
        Phase::Pending => {
            if decision.asked > 1 {
                let line = [
                    literal("asked again "),
                    moment(decision.asked_at),
                    literal(", ×"),
                    number(decision.asked),
                ];
                lines.push(line.into());
            }
            lines.extend(asked.before.as_ref().map(recalled));
            lines.extend(asked.no_buttons.map(|why| literal("⚠️ ").and(literal(why))));
        }
        Phase::Deciding => {
            lines.extend(reason(decision));
            lines.push(telling(decision));
        }
        Phase::Approved | Phase::Denied => {
            lines.push(Markdown::join(
                [Some(verdict(decision).and(by(decision))), decision.decided_at.map(moment), took(decision)],
                " · ",
            ));
            lines.extend(reason(decision));
            lines.push(literal("XTSystems confirmed"));
        }
        Phase::RefusedByPlatform => {
            let line = Markdown::join(
                [Some(verdict(decision).and(by(decision))), decision.decided_at.map(moment)],
                " · ",
            );
            lines.push(line);
            lines.extend(reason(decision));
            lines.push(refusal(decision));
        }
        Phase::ApprovedUpstream => {
            lines.extend(
                decision.approved_upstream_at.map(|at| [literal("approved there "), moment(at)].into()),
            );
            lines.push(match (decision.decider.is_some(), decision.reason.as_ref()) {
                (false, _) => literal("the buttons here were not used"),
                (true, _) => {
                    let reason = decision
                        .reason
                        .as_ref()
                        .map_or_else(Markdown::default, |reason| [literal(": "), short(reason, 200)].into());
                    [literal("it was denied here before"), by(decision), reason].into()
                }
            });
        }
        Phase::Expired => {
            lines.push(Markdown::from([literal("`/machine approve` still works")]));
            lines.extend(asked.before.as_ref().map(recalled));
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// "telling XTSystems in 8 seconds", or the last failure and the time of the next attempt.
pub(super) fn telling(decision: &Decision) -> Markdown {
    let next = decision.due_at.map(moment);
    let platform_reply = decision.platform_reply.as_ref().map(|platform_reply| short(platform_reply, 300));
    if decision.attempts == 0 {
        let line = Markdown::join([Some(literal("telling XTSystems")), next], " ");
        return Markdown::join([Some(line), platform_reply], "\n");
    }
    let first = decision
        .platform_reply
        .as_deref()
        .and_then(|platform_reply| platform_reply.lines().next())
        .filter(|line| !line.is_empty());
    let platform_reply = short(first.unwrap_or("XTSystems did not answer"), 300);
    let attempt = [platform_reply, literal(". Attempt "), number(decision.attempts)].into();
    let next = next.map(|next| [literal("next "), next].into());
    [Markdown::join([Some(attempt), next], ", "), literal(".")].into()
}

/// The platform's refusal, and the remedy.
fn refusal(decision: &Decision) -> Markdown {
    let platform_reply = decision.platform_reply.as_ref().map(|platform_reply| short(platform_reply, 400));
    match decision.platform {
        CallState::Held => platform_reply.unwrap_or_default(),
        _ => Markdown::join(
            [
                platform_reply.map(|platform_reply| [literal("XTSystems said: "), platform_reply].into()),
                Some(literal("Fix that in XTSystems, then press Try again")),
            ],
            "\n",
        ),
    }
}

/// "was denied by Bob on 3 May: *not ours*".
fn recalled(before: &Decision) -> Markdown {
    let how = match (before.phase(), before.verdict) {
        (Phase::ApprovedUpstream, _) => literal("was approved in XTSystems"),
        (Phase::Expired, _) => literal("was asked about before; nobody decided"),
        (_, Verdict::Denied) => literal("was denied"),
        (_, Verdict::Approved) => literal("was approved"),
        _ => return Markdown::default(),
    };
    let at = before.approved_upstream_at.or(before.decided_at).or(before.expires_at);
    let at = at.map(|at| [literal(" on "), day(at)].into()).unwrap_or_default();
    let by = if before.approved_upstream_at.is_some() { Markdown::default() } else { by(before) };
    let reason = before.reason.as_ref().filter(|_| before.approved_upstream_at.is_none());
    let reason =
        reason.map(|reason| [literal(": "), short(reason, 200).emphasised()].into()).unwrap_or_default();
    [how, by, at, reason].into()
}

fn reason(decision: &Decision) -> Option<Markdown> {
    let reason = decision.reason.as_ref()?;
    Some([literal("Reason: "), short(reason, 400).emphasised()].into())
}

fn took(decision: &Decision) -> Option<Markdown> {
    let took = decision.decided_at?.since(decision.created_at).as_secs();
    Some([literal("after "), span(took)].into())
}

pub(super) fn verdict(decision: &Decision) -> Markdown {
    literal(if decision.verdict == Verdict::Denied { "denied" } else { "approved" })
}

/// " by @Alice"; empty if no member decided here.
pub(super) fn by(decision: &Decision) -> Markdown {
    decision
        .decider
        .as_ref()
        .map_or_else(Markdown::default, |decider| [literal(" by @"), short(&decider.name, NAME)].into())
}

/// A date that Discord shows in the reader's locale.
fn day(at: Timestamp) -> Markdown {
    super::text::day(at)
}

/// "24 h", "12 min", "7 s".
fn span(secs: u64) -> Markdown {
    let (count, unit) = match secs {
        0..60 => (secs, " s"),
        60..3600 => (secs / 60, " min"),
        3600..172_800 => (secs / 3600, " h"),
        _ => (secs / 86_400, " days"),
    };
    number(count).and(literal(unit))
}
