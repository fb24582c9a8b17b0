//! The result of composing a message: what it shows, and the request body of that.

use crate::model::{Action, CardState, Delivery, Form, Message, Snowflake, Tag};
use crate::render::{self, AllowedMentions, Body, Card, Markdown, Reference};

/// A composed message. Nothing of it is recorded or noted anywhere yet.
#[derive(Debug)]
pub(in crate::dispatch) struct Composed {
    pub(super) content: Content,
    /// The roles to name.
    pub(super) pings: Vec<Snowflake>,
    /// The Discord message to which it replies.
    pub(super) answers: Option<Snowflake>,
    /// Whether an earlier message becomes this one.
    pub(super) is_edit: bool,
    /// The subjects that it shows.
    pub(super) shows: Vec<CardState>,
    /// For each card, the tags that its footer may carry.
    pub(super) tags: Vec<Vec<Tag>>,
    /// One-line replies to send after it is posted.
    pub(super) replies: Vec<Delivery>,
}

#[derive(Debug)]
pub(super) enum Content {
    Cards(Vec<Card>),
    /// The cards as plain text.
    Plain(Vec<Card>),
    Lines(Vec<Markdown>),
}

impl Content {
    /// Cards in the form of a message.
    pub(super) const fn of(form: Form, cards: Vec<Card>) -> Self {
        match form {
            Form::Plain => Self::Plain(cards),
            Form::Single | Form::Pack | Form::Digest | Form::Reply => Self::Cards(cards),
        }
    }
}

impl Composed {
    /// The content of `message`, which names no role yet.
    pub(super) const fn new(message: &Message, content: Content) -> Self {
        Self {
            content,
            pings: Vec::new(),
            answers: None,
            is_edit: matches!(message.action, Action::Edit { .. }),
            shows: Vec::new(),
            tags: Vec::new(),
            replies: Vec::new(),
        }
    }

    /// A message with one card, which its own tag identifies.
    pub(super) fn of_one(message: &Message, card: Card) -> Self {
        let tags = vec![card.tag().into_iter().collect()];
        Self { tags, ..Self::new(message, Content::of(message.form, vec![card])) }
    }

    /// The request body. Cards are not drawn again for it.
    pub(in crate::dispatch) fn body(&self, maybe_duplicate: bool) -> Body {
        let marked = |cards: &[Card]| -> Vec<Card> {
            let mark = |card: Card| if maybe_duplicate { card.mark_possible_duplicate() } else { card };
            cards.iter().cloned().map(mark).collect()
        };
        let body = match &self.content {
            Content::Cards(cards) => render::message(&marked(cards), &self.pings),
            Content::Plain(cards) => render::plain(&marked(cards), &self.pings),
            Content::Lines(lines) => {
                let mark = maybe_duplicate.then(render::mark_possible_duplicate);
                render::lines(&mark.into_iter().chain(lines.iter().cloned()).collect::<Vec<_>>())
            }
        };
        let body = Body { message_reference: self.answers.map(Reference::to), ..body };
        match self.is_edit {
            // Roles that the card pinged stay named; they are not pinged again.
            true => Body { allowed_mentions: AllowedMentions { parse: [], roles: Vec::new() }, ..body },
            false => body,
        }
    }

    /// Notes in `message` what this attempt shows, as the table will record it once the message is in Discord.
    pub(in crate::dispatch) fn note_in(&mut self, message: &mut Message) {
        message.shows = std::mem::take(&mut self.shows);
        message.tags = std::mem::take(&mut self.tags);
        message.replies = std::mem::take(&mut self.replies);
    }
}
