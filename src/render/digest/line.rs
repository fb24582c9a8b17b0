//! One line of a digest: time, summary, count and short id.

use crate::clock::Timestamp;
use crate::model::{Event, EventHeader, EventId, Source};
use crate::render::facts::Facts;
use crate::render::text::{literal, number, short};
use crate::render::{Markdown, Surface, View, alert, card};

/// Maximum units of a line: ten lines stay below a field's 1024.
const LINE: usize = 100;

/// One line: an event, or several of one subject.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) weight: u8,
    pub(super) id: EventId,
    /// How many events the line covers.
    pub(super) times: u64,
    source: Source,
    subject: String,
    at: Timestamp,
    /// The rendered text; `None` until it is rendered.
    summary: Option<Markdown>,
}

impl Line {
    pub(super) fn of(event: &EventHeader, weight: u8) -> Self {
        Self {
            weight,
            id: event.id,
            times: 1,
            source: event.source,
            subject: event.subject.clone(),
            at: event.occurred_at,
            summary: None,
        }
    }

    /// Whether the line is about the subject of `event`.
    pub(super) fn is_of(&self, event: &EventHeader) -> bool {
        !event.subject.is_empty() && (self.source, &self.subject) == (event.source, &event.subject)
    }

    /// Renders the line's text. An alert's host comes first, so that a long title cannot push it out.
    pub(super) fn tell(&mut self, event: &Event, view: &View<'_>) {
        let summary = match event.meaning().is_alert() {
            true => alert::line(&Facts::new(event, view)),
            false => card(event, view).summary,
        };
        self.summary = Some(summary.cut(LINE, Surface::Embed));
    }

    /// "• 02:14 CRITICAL WEB-01: Disk full (Acme) ×3 #a1b2c3d4", with the day if `dated`. `least`: the count is a
    /// minimum.
    pub(super) fn write(&self, dated: bool, least: bool) -> Markdown {
        // 2024-01-15T10:30:00.000Z
        let stamp = self.at.to_rfc3339();
        let (day, time) = (stamp.get(5..10).unwrap_or_default(), stamp.get(11..16).unwrap_or_default());
        let day = if dated { format!("{day} ") } else { String::new() };
        let before: Markdown = [literal("• "), short(&format!("{day}{time}"), 11), literal(" ")].into();
        let times = match self.times {
            0 | 1 => Markdown::default(),
            times => [literal(" ×"), number(times), literal(if least { "+" } else { "" })].into(),
        };
        let behind: Markdown = [times, literal(" #"), short(&self.id.short(), 8)].into();
        let room = LINE.saturating_sub(units(&before) + units(&behind));
        let summary = self.summary.clone().unwrap_or_else(|| literal("(its text could not be made)"));
        [before, summary.cut(room, Surface::Embed), behind].into()
    }
}

/// Merges lines with equal text.
pub(super) fn merged(lines: &[Line]) -> Vec<Line> {
    let mut merged: Vec<Line> = Vec::new();
    for line in lines {
        match merged.iter_mut().find(|known| known.summary.is_some() && known.summary == line.summary) {
            Some(known) => known.times += line.times,
            None => merged.push(line.clone()),
        }
    }
    merged
}

/// The part's length, plus two for blank ends, which count inside a line.
fn units(part: &Markdown) -> usize {
    part.units(Surface::Embed) + 2
}
