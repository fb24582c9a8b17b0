//! Markdown for Discord, as a list of spans with their origin.
//!
//! A [`Markdown`] is built only by [`text`](super::text). It stores external text unescaped and escapes it when it is
//! written, so cutting (between spans or graphemes) can never split an escape, a code span or a timestamp.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use super::escape::{self, Surface};
use crate::clock::Timestamp;

/// One span. Text in it is sanitized (see `clean`), not yet escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Our own text, written unescaped.
    Ours(Cow<'static, str>),
    /// External text.
    Text(String),
    Strong(Box<Span>),
    Emphasised(Box<Span>),
    /// External text as inline code.
    Code(String),
    /// External text as a code block.
    Block(String),
    /// External text whose author formats it: its markdown stays, its mentions do not.
    Formatted(String),
    /// A timestamp that Discord shows relative to now: "3 minutes ago".
    Moment(Timestamp),
    /// A date that Discord shows in the reader's locale: "3 May 2024".
    Day(Timestamp),
}

impl Span {
    fn write(&self, surface: Surface, out: &mut String) {
        match (self, surface) {
            (Self::Ours(ours), _) => out.push_str(ours),
            (Self::Moment(at), _) => out.push_str(&format!("<t:{}:R>", at.as_secs())),
            (Self::Day(at), _) => out.push_str(&format!("<t:{}:D>", at.as_secs())),
            (Self::Emphasised(inner), Surface::Embed) => {
                out.push('*');
                inner.write(surface, out);
                out.push('*');
            }
            (Self::Strong(inner), Surface::Embed) => {
                out.push_str("**");
                inner.write(surface, out);
                out.push_str("**");
            }
            (Self::Strong(inner) | Self::Emphasised(inner), Surface::Content) => inner.write(surface, out),
            (Self::Code(text), Surface::Embed) => escape::write_code(text, out),
            (Self::Block(text), Surface::Embed) => escape::write_block(text, out),
            (Self::Formatted(text), Surface::Embed) => escape::write_formatted(text, out),
            (Self::Text(text), _)
            | (Self::Code(text) | Self::Block(text) | Self::Formatted(text), Surface::Content) => {
                escape::write_text(text, surface, out);
            }
        }
    }

    /// The longest beginning of this span that `fits`; `None` if the span cannot be split.
    fn beginning(&self, fits: &dyn Fn(Self) -> bool) -> Option<Self> {
        let (text, again): (&str, fn(String) -> Self) = match self {
            Self::Text(text) => (text, Self::Text),
            Self::Code(text) => (text, Self::Code),
            Self::Block(text) => (text, Self::Block),
            Self::Formatted(text) => (text, Self::Formatted),
            Self::Strong(inner) => {
                let inner = inner.beginning(&|part| fits(Self::Strong(Box::new(part))))?;
                return Some(Self::Strong(Box::new(inner)));
            }
            Self::Emphasised(inner) => {
                let inner = inner.beginning(&|part| fits(Self::Emphasised(Box::new(part))))?;
                return Some(Self::Emphasised(Box::new(inner)));
            }
            Self::Ours(_) | Self::Moment(_) | Self::Day(_) => return None,
        };
        let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).skip(1).collect();
        let part = |end: usize| again(text[..end].trim_end().to_owned());
        // Escapes make the written length grow almost, not strictly, with the text: search, then verify.
        let near = ends.partition_point(|end| fits(part(*end)));
        ends[..near].iter().rev().map(|end| part(*end)).find(|part| fits(part.clone()))
    }
}

/// Text that is safe to show: external text in it is escaped when written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markdown(Vec<Span>);

impl Markdown {
    pub(super) fn of(span: Span) -> Self {
        Self(vec![span])
    }

    /// Whether it shows nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.write(Surface::Embed).is_empty()
    }

    /// Appends `next`.
    #[must_use]
    pub fn and(mut self, next: Self) -> Self {
        self.0.extend(next.0);
        self
    }

    /// Joins the non-empty parts with `between`.
    #[must_use]
    pub fn join(parts: impl IntoIterator<Item = Option<Self>>, between: &'static str) -> Self {
        let mut all = Self::default();
        for part in parts.into_iter().flatten().filter(|part| !part.0.is_empty()) {
            if !all.0.is_empty() {
                all.0.push(Span::Ours(between.into()));
            }
            all.0.extend(part.0);
        }
        all
    }

    /// Makes all of it bold, span by span.
    #[must_use]
    pub fn strong(self) -> Self {
        Self(self.0.into_iter().map(|span| Span::Strong(Box::new(span))).collect())
    }

    /// Emphasizes all of it, span by span.
    #[must_use]
    pub fn emphasised(self) -> Self {
        Self(self.0.into_iter().map(|span| Span::Emphasised(Box::new(span))).collect())
    }

    /// The text for Discord, trimmed (Discord trims it too, so a blank text counts as empty).
    #[must_use]
    pub fn write(&self, surface: Surface) -> String {
        let mut out = self.write_untrimmed(surface);
        let blank_ahead = out.len() - out.trim_start().len();
        out.truncate(out.trim_end().len());
        out.drain(..blank_ahead.min(out.len()));
        out
    }

    fn write_untrimmed(&self, surface: Surface) -> String {
        let mut out = String::new();
        for span in &self.0 {
            span.write(surface, &mut out);
        }
        out
    }

    /// Its length as Discord may count it: UTF-16 units of the written text, never fewer than its characters.
    #[must_use]
    pub fn units(&self, surface: Surface) -> usize {
        units(&self.write(surface))
    }

    /// Returns it unchanged if it has at most `max` units, else its beginning and "…".
    #[must_use]
    pub fn cut(&self, max: usize, surface: Surface) -> Self {
        if self.units(surface) <= max {
            return self.clone();
        }
        let Some(room) = max.checked_sub(1) else { return Self::default() };
        let mut kept = Self::default();
        for span in &self.0 {
            let fits = |candidate: Span| {
                let mut with = kept.clone();
                with.0.push(candidate);
                // A blank end counts: with "…" after it, it is no longer an end.
                units(&with.write_untrimmed(surface)) <= room
            };
            if fits(span.clone()) {
                kept.0.push(span.clone());
            } else {
                let beginning = span.beginning(&fits);
                kept.0.extend(beginning);
                break;
            }
        }
        kept.and(Markdown::of(Span::Ours("…".into())))
    }
}

impl<const N: usize> From<[Markdown; N]> for Markdown {
    fn from(parts: [Self; N]) -> Self {
        Self(parts.into_iter().flat_map(|part| part.0).collect())
    }
}

/// The number of UTF-16 units of `text`.
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::{code, literal, moment, text};

    fn embed(markdown: &Markdown) -> String {
        markdown.write(Surface::Embed)
    }

    #[test]
    fn cutting_never_splits_an_escape_a_span_or_a_time() {
        let stars = text("****");
        assert_eq!(embed(&stars.cut(6, Surface::Embed)), r"\*\*…");
        let bold = text("Acme Corporation").strong();
        assert_eq!(embed(&bold.cut(9, Surface::Embed)), "**Acme**…");
        let address = code("192.168.1.100");
        assert_eq!(embed(&address.cut(8, Surface::Embed)), "`192.1`…");
        let asked = Markdown::from([literal("asked "), moment(Timestamp::from_secs(1_705_314_600))]);
        assert_eq!(embed(&asked.cut(12, Surface::Embed)), "asked …");
        assert_eq!(embed(&text("👩🏽\u{200D}💻👩🏽\u{200D}💻").cut(12, Surface::Embed)), "👩🏽\u{200D}💻…");
    }

    #[test]
    fn blanks_before_the_mark_of_a_cut_count() {
        let lines = Markdown::from([text("abc"), literal("\n"), text("defgh")]);
        assert_eq!(embed(&lines.cut(4, Surface::Embed)), "abc…");
        assert_eq!(embed(&lines.cut(5, Surface::Embed)), "abc\n…");
    }

    #[test]
    fn no_room_is_no_text() {
        assert_eq!(embed(&text("abc").cut(0, Surface::Embed)), "");
        assert_eq!(embed(&text("abc").cut(1, Surface::Embed)), "…");
        assert_eq!(embed(&text("abc").cut(3, Surface::Embed)), "abc");
    }
}
