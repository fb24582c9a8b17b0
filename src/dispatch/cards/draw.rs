//! Draws the card of one event. If a renderer panics, the card loses its content, but the message is still sent.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dispatch::Context;
use crate::model::{Event, Source};
use crate::render::{self, Card, DecisionContext, View};

/// Draws the card of one event.
pub(super) fn draw(context: &Context, event: &Event) -> Card {
    guarded(context, event, |view| render::card(event, view))
}

/// Draws the card of an event with its decision context.
pub(super) fn draw_asked(context: &Context, event: &Event, asked: &DecisionContext) -> Card {
    guarded(context, event, |view| render::card(event, &View { asked: Some(asked), ..*view }))
}

/// Draws a card and catches panics: a card that cannot be rendered still names its subject.
pub(super) fn guarded(context: &Context, event: &Event, card: impl Fn(&View<'_>) -> Card) -> Card {
    let name = context.hub.company_name(event);
    let view = View { company_name: name.as_deref(), links: &context.links, asked: None };
    let card = readable(event, &view, card);
    match event.source {
        Source::Dispatch => card.branded(&context.hub.api_config().branding.footer),
        Source::XtSystems | Source::Nuncio => card,
    }
}

fn readable(event: &Event, view: &View<'_>, card: impl Fn(&View<'_>) -> Card) -> Card {
    catch_unwind(AssertUnwindSafe(|| card(view))).unwrap_or_else(|_| {
        tracing::error!(event.id = %event.id, "the card of a {} could not be drawn, so a plain one is sent. Please \
                                               report this", event.kind);
        render::unreadable(event)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::model::{EventId, Kind, Links, Payload};

    // L-2
    #[test]
    fn a_card_that_panics_still_says_what_it_is_about() {
        let event = Event {
            id: EventId::new(),
            source: Source::XtSystems,
            kind: Kind::new("ticket.created"),
            company: String::new(),
            subject: "ticket:7".to_owned(),
            occurred_at: Timestamp::default(),
            received_at: Timestamp::default(),
            data: Payload::parsed(Source::XtSystems, serde_json::Value::Null),
            size: 0,
        };
        let links = Links::default();
        let view = View { company_name: None, links: &links, asked: None };
        let card = readable(&event, &view, |_| panic!("poison: for this test"));
        let body = serde_json::to_string(&render::message(&[card], &[])).unwrap();
        assert!(body.contains("ticket.created") && body.contains(&event.id.short()), "{body}");
        let sound = readable(&event, &view, |view| render::card(&event, view));
        assert_ne!(serde_json::to_string(&render::message(&[sound], &[])).unwrap(), body);
    }
}
