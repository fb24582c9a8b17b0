//! Message assembly: cards → the body of one message, within all of Discord's limits ("Embed limits", "Create
//! Message").
//!
//! Lengths are counted in UTF-16 units, which are never fewer than characters. Where space is short, long texts are
//! shortened first, then fields are dropped from the last, then fact lines are shortened; titles and footers never are.
//! Cut text ends with "…" or "… (n more)".

use super::body::{AllowedMentions, Body, Embed, EmbedField, EmbedFooter};
use super::button::ButtonRow;
use super::card::{Card, Field};
use super::escape::Surface;
use super::markdown::{Markdown, units};
use super::text::{literal, text};
use crate::model::Snowflake;

const MAX_CARDS: usize = 10;
const MAX_TITLE: usize = 256;
const MAX_URL: usize = 2048;
const MAX_FIELDS: usize = 25;
const MAX_NAME: usize = 256;
const MAX_VALUE: usize = 1024;
/// nuncio's footers have at most 155: a source, a kind of 128, eight digits, or a brand of 80. Discord allows 2048.
const MAX_FOOTER: usize = 160;
/// Title, description, names, values and footers of all embeds of a message.
const MAX_SUM: usize = 6000;
const MAX_CONTENT: usize = 2000;
const MAX_SUMMARY: usize = 120;
/// Discord allows a hundred, but their mentions must leave room for the summary in 2000 characters.
const MAX_PINGS: usize = 50;
/// A description is a fact line and a long text; together, with the number of dropped fields, they stay below Discord's
/// 4096.
const MAX_LINES: usize = 1500;
const MAX_DESCRIPTION: usize = 4060;

/// Builds the message of `cards` that pings `pings`. It shows at most ten cards, and the number of the others.
#[must_use]
pub fn message(cards: &[Card], pings: &[Snowflake]) -> Body {
    let mut drafts: Vec<EmbedDraft<'_>> = cards.iter().take(MAX_CARDS).map(EmbedDraft::new).collect();
    squeeze(&mut drafts);
    let pings = PingedRoles::new(pings);
    Body {
        content: pings.behind(&summaries(cards, pings.room())),
        embeds: drafts.iter().map(EmbedDraft::embed).collect(),
        components: components(cards),
        allowed_mentions: pings.allowed(),
        message_reference: None,
        username: None,
        avatar_url: None,
    }
}

/// How many of the first `cards` fit unshortened into one message: at most ten, within Discord's total limit, and at
/// least one, which is shortened if necessary.
#[must_use]
pub fn pack(cards: &[Card]) -> usize {
    let mut sum = 0;
    let sizes = cards.iter().take(MAX_CARDS).map(|card| EmbedDraft::new(card).size());
    let fitting = sizes.take_while(|size| {
        sum += size;
        sum <= MAX_SUM
    });
    fitting.count().max(1).min(cards.len())
}

/// Builds a message of `lines` without cards: as many of the first as fit.
#[must_use]
pub fn lines(lines: &[Markdown]) -> Body {
    let mut content = String::new();
    for line in lines {
        let line = line.cut(2 * MAX_SUMMARY, Surface::Content).write(Surface::Content);
        if units(&content) + 1 + units(&line) <= MAX_CONTENT {
            content.push('\n');
            content.push_str(&line);
        }
    }
    let pings = PingedRoles::new(&[]);
    Body {
        content: pings.behind(content.trim()),
        embeds: Vec::new(),
        components: None,
        allowed_mentions: pings.allowed(),
        message_reference: None,
        username: None,
        avatar_url: None,
    }
}

/// Builds a plain-text message, for a destination that refuses the cards: everything in the content, no embeds.
#[must_use]
pub fn plain(cards: &[Card], pings: &[Snowflake]) -> Body {
    let pings = PingedRoles::new(pings);
    let shown = cards.len().min(MAX_CARDS);
    let more = more(cards.len() - shown);
    // Two units for the empty line after each.
    let share = ((pings.room() - units(&more)) / shown.max(1)).saturating_sub(2);
    let words = cards.iter().take(shown).map(|card| words(card, share)).chain([more]);
    let words: Vec<String> = words.filter(|words| !words.is_empty()).collect();
    Body {
        content: pings.behind(&words.join("\n\n")),
        embeds: Vec::new(),
        components: components(cards),
        allowed_mentions: pings.allowed(),
        message_reference: None,
        username: None,
        avatar_url: None,
    }
}

/// The buttons of a card that is alone in its message: among several cards it would be unclear whose they are.
fn components(cards: &[Card]) -> Option<Vec<ButtonRow>> {
    let [card] = cards else { return None };
    card.buttons.clone().map(|row| vec![row])
}

/// A card as plain text of at most `max` units. The footer is never cut: it identifies the event.
fn words(card: &Card, max: usize) -> String {
    let footer = text(&card.footer).cut(max, Surface::Content).write(Surface::Content);
    let fields = card
        .fields
        .iter()
        .map(|Field { name, value, .. }| Some(Markdown::from([name.clone(), literal(": "), value.clone()])));
    let parts = [&card.title, &card.description, &card.text].map(|part| Some(part.clone()));
    let words = Markdown::join(parts.into_iter().chain(fields), "\n");
    let words = words.cut(max.saturating_sub(units(&footer) + 1), Surface::Content);
    format!("{}\n{footer}", words.write(Surface::Content)).trim().to_owned()
}

/// The summary lines, one per card, in at most `room` units.
fn summaries(cards: &[Card], room: usize) -> String {
    let mut content = String::new();
    for (at, card) in cards.iter().take(MAX_CARDS).enumerate() {
        let line = card.summary.cut(MAX_SUMMARY, Surface::Content).write(Surface::Content);
        let left = more(cards.len() - at - 1);
        if units(&content) + 1 + units(&line) + 1 + units(&left) > room {
            return format!("{content}\n{}", more(cards.len() - at)).trim().to_owned();
        }
        content.push('\n');
        content.push_str(&line);
    }
    format!("{content}\n{}", more(cards.len().saturating_sub(MAX_CARDS))).trim().to_owned()
}

/// "… (n more)", or nothing.
fn more(count: usize) -> String {
    if count == 0 { String::new() } else { format!("… ({count} more)") }
}

/// The roles that a message pings.
struct PingedRoles(Vec<Snowflake>);

impl PingedRoles {
    /// Removes duplicates, and keeps as many as fit.
    fn new(pings: &[Snowflake]) -> Self {
        let mut once: Vec<Snowflake> = Vec::new();
        for ping in pings {
            if once.len() < MAX_PINGS && !once.contains(ping) {
                once.push(*ping);
            }
        }
        Self(once)
    }

    /// The units of content that the mentions leave.
    fn room(&self) -> usize {
        MAX_CONTENT - units(&self.mentions())
    }

    fn mentions(&self) -> String {
        self.0.iter().map(|role| format!(" <@&{role}>")).collect()
    }

    /// `content` followed by the mentions; never empty, because Discord refuses that.
    fn behind(&self, content: &str) -> String {
        let content = format!("{content}{}", self.mentions());
        if content.is_empty() { "Nothing to show".to_owned() } else { content.trim().to_owned() }
    }

    fn allowed(self) -> AllowedMentions {
        AllowedMentions { parse: [], roles: self.0 }
    }
}

/// A card while it is fitted into an embed.
struct EmbedDraft<'a> {
    card: &'a Card,
    title: String,
    lines: Markdown,
    text: Markdown,
    fields: Vec<EmbedField>,
    dropped: usize,
    footer: String,
}

impl<'a> EmbedDraft<'a> {
    fn new(card: &'a Card) -> Self {
        let written = |markdown: &Markdown, max| markdown.cut(max, Surface::Embed).write(Surface::Embed);
        let mut fields: Vec<EmbedField> = card
            .fields
            .iter()
            .map(|Field { name, value, inline }| EmbedField {
                name: written(name, MAX_NAME),
                value: written(value, MAX_VALUE),
                inline: *inline,
            })
            .filter(|field| !field.name.is_empty() && !field.value.is_empty())
            .collect();
        let dropped = fields.len().saturating_sub(MAX_FIELDS);
        fields.truncate(MAX_FIELDS);
        let title = written(&card.title, MAX_TITLE);
        let lines = card.description.cut(MAX_LINES, Surface::Embed);
        let room = MAX_DESCRIPTION - lines.units(Surface::Embed);
        Self {
            card,
            title: if title.is_empty() { "…".to_owned() } else { title },
            lines,
            text: card.text.cut(room, Surface::Embed),
            fields,
            dropped,
            // A footer has no markdown that a cut could split.
            footer: card.footer.chars().take(MAX_FOOTER).collect(),
        }
    }

    fn description(&self) -> String {
        let parts = [self.lines.write(Surface::Embed), self.text.write(Surface::Embed), more(self.dropped)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }

    fn size(&self) -> usize {
        let fields = self.fields.iter().map(|field| units(&field.name) + units(&field.value));
        units(&self.title) + units(&self.description()) + units(&self.footer) + fields.sum::<usize>()
    }

    fn embed(&self) -> Embed {
        Embed {
            kind: "rich",
            title: self.title.clone(),
            url: self.card.url.clone().filter(|url| units(url) <= MAX_URL),
            description: self.description(),
            fields: self.fields.clone(),
            color: self.card.color.number(),
            timestamp: self.card.timestamp.to_rfc3339(),
            footer: EmbedFooter { text: self.footer.clone() },
        }
    }
}

/// Makes the embeds fit together. This is always possible: ten titles, ten footers and ten times "…" with the note of
/// dropped fields have less than 4500 units.
fn squeeze(drafts: &mut [EmbedDraft<'_>]) {
    let over = |drafts: &[EmbedDraft<'_>]| {
        drafts.iter().map(EmbedDraft::size).sum::<usize>().saturating_sub(MAX_SUM)
    };
    let excess = over(drafts);
    level(drafts, excess, |draft| &mut draft.text);
    let mut last = drafts.len();
    while over(drafts) > 0 && last > 0 {
        let draft = &mut drafts[last - 1];
        match draft.fields.pop() {
            Some(_) => draft.dropped += 1,
            None => last -= 1,
        }
    }
    let excess = over(drafts);
    level(drafts, excess, |draft| &mut draft.lines);
}

/// Removes `excess` units from the longest of the texts that `part` selects, until all have equal length at worst. A
/// text that was not empty keeps at least "…".
fn level<'a>(
    drafts: &mut [EmbedDraft<'a>],
    excess: usize,
    part: for<'b> fn(&'b mut EmbedDraft<'a>) -> &'b mut Markdown,
) {
    if excess == 0 {
        return;
    }
    let lengths: Vec<usize> = drafts.iter_mut().map(|draft| part(draft).units(Surface::Embed)).collect();
    let room = lengths.iter().sum::<usize>().saturating_sub(excess);
    let taken = |level: usize| lengths.iter().map(|length| *length.min(&level)).sum::<usize>();
    let longest = lengths.iter().max().copied().unwrap_or_default();
    let level = (1..=longest).rev().find(|level| taken(*level) <= room).unwrap_or(1);
    for draft in drafts {
        let text = part(draft);
        *text = text.cut(level, Surface::Embed);
    }
}
