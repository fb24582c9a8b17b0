//! Cards about a hosting platform's customers: support tickets and bills.

use super::{DESCRIPTION, DETAILS, capital, custom, line, lines};
use crate::render::facts::Facts;
use crate::render::text::{literal, text};
use crate::render::{Card, Color};

pub(in crate::render) fn support(facts: &Facts<'_>, action: &str) -> Option<Card> {
    if let Some(card) = custom::event(facts) {
        return Some(card);
    }
    let (title, color) = match action {
        "created" => ("🎫 Support Ticket Created", Color::Support),
        "updated" => ("🔄 Support Ticket Updated", Color::Warning),
        "resolved" => ("✅ Support Ticket Resolved", Color::Done),
        _ => return None,
    };
    let id = line(facts, "ticket_id");
    let subject = line(facts, "subject").unwrap_or_default();
    let number = id.clone().map(|id| [literal("Ticket "), id, literal(" ")].into()).unwrap_or_default();
    let summary = [number, text(action), literal(": "), subject].into();
    let card = Card::new(facts.event, color, literal(title), summary)
        .text(lines(facts, "subject", DESCRIPTION))
        .short_field("Ticket ID", id)
        .short_field("Action", Some(text(&capital(action))))
        .field("Details", lines(facts, "details", DETAILS));
    Some(card)
}

pub(in crate::render) fn billing(facts: &Facts<'_>, action: &str) -> Option<Card> {
    if let Some(card) = custom::event(facts) {
        return Some(card);
    }
    let (title, what, color) = match action {
        "invoice" => ("📄 Invoice Generated", "Invoice generated", Color::Info),
        "payment" => ("💳 Payment Processed", "Payment processed", Color::Done),
        "subscription" => ("📅 Subscription Updated", "Subscription updated", Color::Info),
        _ => return None,
    };
    let details = line(facts, "details").map(|details| [literal(": "), details].into()).unwrap_or_default();
    let card = Card::new(facts.event, color, literal(title), [literal(what), details].into())
        .text(lines(facts, "details", DESCRIPTION))
        .short_field("Type", Some(text(&capital(action))))
        .short_field("Amount", line(facts, "amount"));
    Some(card)
}
