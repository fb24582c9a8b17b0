//! Facts of an event: payload fields that are present, known and displayable.

use serde_json::Value;

use super::sample::CUSTOMER;
use super::text::{code, literal, moment, paragraph, short, text};
use super::{Markdown, View, clean};
use crate::clock::Timestamp;
use crate::model::{Event, payload};

/// Values that platforms use for "unknown".
const UNKNOWN: [&str; 8] = ["unknown", "n/a", "none", "null", "nil", "undefined", "-", "?"];
/// Maximum graphemes of a customer's or person's name.
const NAME: usize = 60;
/// Maximum graphemes of an id that is readable in full; a longer one is shortened to its beginning.
const SHORT_ID: usize = 12;

/// An event with the context of its card.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) event: &'a Event,
    pub(super) view: &'a View<'a>,
}

impl<'a> Facts<'a> {
    pub(super) const fn new(event: &'a Event, view: &'a View<'a>) -> Self {
        Self { event, view }
    }

    pub(super) fn data(&self) -> &'a Value {
        &self.event.data
    }

    /// The first known value among `names`, as one sanitized line.
    pub(super) fn word(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.data().get(name).and_then(word))
    }

    /// The first id among `names`, as it was written, on one sanitized line.
    pub(super) fn id(&self, names: &[&str]) -> Option<String> {
        payload::id(self.data(), names).and_then(|id| known(&id))
    }

    /// The first known value among `names`, as a fact.
    pub(super) fn text(&self, names: &[&str]) -> Option<Markdown> {
        self.word(names).map(|word| text(&word))
    }

    /// The first known value among `names`, as code: for ids and addresses.
    pub(super) fn code(&self, names: &[&str]) -> Option<Markdown> {
        self.word(names).map(|word| code(&word))
    }

    /// The first known value among `names`, for enumerations, which platforms write like `in_progress`.
    pub(super) fn state(&self, names: &[&str]) -> Option<Markdown> {
        self.word(names).map(|word| short(&readable(&word), NAME))
    }

    /// The first known value among `names`, as a long text.
    pub(super) fn paragraph(&self, names: &[&str]) -> Option<Markdown> {
        names.iter().find_map(|name| {
            let value = self.data().get(name)?;
            word(value)?;
            Some(paragraph(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str()))
        })
    }

    /// The first person among `names`: a text, or an object with a name or e-mail in it.
    pub(super) fn person(&self, names: &[&str]) -> Option<Markdown> {
        names.iter().find_map(|name| self.data().get(name).and_then(person)).map(|name| short(&name, NAME))
    }

    /// "by" and the first person among `names`.
    pub(super) fn by(&self, names: &[&str]) -> Option<Markdown> {
        self.person(names).map(|who| [literal("by "), who].into())
    }

    /// The first time among `names`: RFC 3339, or Unix seconds or milliseconds.
    pub(super) fn moment(&self, names: &[&str]) -> Option<Markdown> {
        names.iter().find_map(|name| self.data().get(name).and_then(time)).map(moment)
    }

    /// The customer's name, if it is known.
    pub(super) fn customer_name(&self) -> Option<String> {
        if self.event.is_sample() {
            return Some(CUSTOMER.to_owned());
        }
        self.word(&["company_name", "company"]).or_else(|| self.view.company_name.and_then(known))
    }

    /// The customer for the fact line: the name, else the beginning of the id.
    pub(super) fn customer(&self) -> Option<Markdown> {
        let by_id = || known(&self.event.company).map(|id| code(&beginning(&id)));
        self.customer_name().map(|name| short(&name, NAME)).or_else(by_id)
    }

    /// The customer for the end of a summary: " (Acme)", or nothing.
    pub(super) fn of_customer(&self) -> Markdown {
        self.customer_name().map_or_else(Markdown::default, |name| {
            [literal(" ("), short(&name, NAME / 2), literal(")")].into()
        })
    }
}

/// A scalar on one sanitized line of at most 200 graphemes; `None` if it is empty or unknown.
pub(super) fn word(value: &Value) -> Option<String> {
    payload::scalar(value).and_then(|text| known(&text))
}

/// A sanitized line; `None` if it is empty or one of the values for "unknown".
pub(super) fn known(text: &str) -> Option<String> {
    clean::line(text, 200).filter(|line| !UNKNOWN.contains(&line.to_lowercase().as_str()))
}

/// `in_progress` in readable form.
pub(super) fn readable(word: &str) -> String {
    word.replace('_', " ")
}

fn person(value: &Value) -> Option<String> {
    let inside = |name: &&str| value.get(name).and_then(word);
    word(value).or_else(|| ["name", "full_name", "display_name", "username", "email"].iter().find_map(inside))
}

/// A time that Discord can show: up to the year 9999.
fn time(value: &Value) -> Option<Timestamp> {
    let text = payload::scalar(value)?;
    let at = match text.parse::<i64>() {
        // Unix seconds stay below this for three thousand years.
        Ok(number) if number >= 100_000_000_000 => Timestamp::from_millis(number),
        Ok(number) => Timestamp::from_secs(number),
        Err(_) => Timestamp::parse_rfc3339(&text)
            .or_else(|| Timestamp::parse_rfc3339(&text.replacen(' ', "T", 1)))?,
    };
    (1..=253_402_300_799).contains(&at.as_secs()).then_some(at)
}

fn beginning(id: &str) -> String {
    if id.chars().count() <= SHORT_ID {
        id.to_owned()
    } else {
        id.chars().take(8).collect::<String>() + "…"
    }
}
