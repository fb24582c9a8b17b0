//! The buttons of tickets and alerts, and the results of clicks.

use super::button::{self, ButtonRow};
use super::decided::{by, telling};
use super::text::{literal, moment, short};
use super::{Card, DecisionContext, Markdown};
use crate::model::{CallState, Decision, DecisionKind, Verdict};

/// Adds the buttons to a ticket's card, and the newest action of each kind.
pub(super) fn ticket(mut card: Card, asked: &DecisionContext) -> Card {
    let Some(decision) = asked.decision.as_ref().filter(|decision| decision.kind == DecisionKind::Ticket)
    else {
        return card;
    };
    for kind in [DecisionKind::Take, DecisionKind::Note, DecisionKind::Close] {
        let newest = asked.wishes.iter().rfind(|action| action.kind == kind);
        card = card.more(newest.map(line));
    }
    let token = &decision.token;
    let is_closed = asked
        .wishes
        .iter()
        .any(|action| action.kind == DecisionKind::Close && action.platform == CallState::Confirmed);
    let is_taken =
        asked.wishes.iter().rfind(|action| action.kind == DecisionKind::Take).is_some_and(|action| {
            matches!(action.platform, CallState::NotCalled | CallState::Calling | CallState::Confirmed)
        });
    let take = if is_taken { None } else { button::take(token) };
    let again = asked.refused_wish().and_then(|action| button::resend(&action.token));
    let open = button::open(card.url.as_deref());
    card.buttons = if is_closed {
        ButtonRow::of([open])
    } else {
        ButtonRow::of([again, take, button::note(token), button::close(token), open])
    };
    card
}

/// Adds the buttons to an alert's card, with the member who took it, and its mute.
pub(super) fn alert(mut card: Card, asked: &DecisionContext) -> Card {
    let Some(decision) = asked.decision.as_ref().filter(|decision| decision.kind == DecisionKind::Alert)
    else {
        return card;
    };
    let token = &decision.token;
    let is_taken = decision.verdict == Verdict::Taken;
    if let Some(decider) = decision.decider.as_ref().filter(|_| is_taken) {
        let at = decision.decided_at.map(|at| [literal(" "), moment(at)].into()).unwrap_or_default();
        card = card.more(Some([literal("🙋 "), short(&decider.name, 60), literal(" is on it"), at].into()));
    }
    if let Some(mute) = &asked.mute {
        let ends = [literal(", ends "), moment(mute.until)];
        card = card.more(Some([literal("🔕 muted by "), short(&mute.by, 60), ends.into()].into()));
    }
    let on_it = if is_taken { None } else { button::on_it(token) };
    let mute = if asked.mute.is_some() { None } else { button::mute(token) };
    card.buttons = ButtonRow::of([on_it, mute, button::details(token)]);
    card
}

/// The state of a ticket action.
fn line(action: &Decision) -> Markdown {
    let (sign, what) = match action.kind {
        DecisionKind::Take => ("🙋 ", "taken"),
        DecisionKind::Note => ("📝 ", "note"),
        _ => ("🔒 ", "closed"),
    };
    let done = [literal(what), by(action)].into();
    let at = action.decided_at.map(moment);
    match action.platform {
        CallState::Confirmed => Markdown::join([Some(literal(sign).and(done)), at], " "),
        CallState::NotCalled | CallState::Calling => {
            let how = if action.attempts == 0 { literal("telling XTSystems") } else { telling(action) };
            [literal("⏳ "), done, literal(": "), how].into()
        }
        CallState::Refused | CallState::Held => {
            let platform_reply = action
                .platform_reply
                .as_ref()
                .map(|platform_reply| short(platform_reply, 300))
                .unwrap_or_default();
            [literal("⚠️ "), done, literal(" here, **not** in XTSystems: "), platform_reply].into()
        }
    }
}
