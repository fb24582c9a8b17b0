//! Constructors of card text: [`literal`] and [`number`] for our own text, the others for external text. There is no
//! other way into a card.

use super::clean;
use super::escape::unending;
use super::markdown::{Markdown, Span, units};
use crate::clock::Timestamp;

/// Maximum graphemes of a fact: names, titles, words.
const FACT: usize = 200;
/// Maximum graphemes of a long text: an operator at 3 a.m. reads no more.
const LONG: usize = 300;
/// Maximum graphemes of an aligned line.
const ROW: usize = 2000;
/// The fences of a code block.
const FENCES: &str = "```\n\n```";
/// Our own text.
#[must_use]
pub fn literal(words: &'static str) -> Markdown {
    Markdown::of(Span::Ours(words.into()))
}

/// A number of our own.
#[must_use]
pub fn number(number: impl Into<u128>) -> Markdown {
    Markdown::of(Span::Ours(number.into().to_string().into()))
}

/// A fact on one line, at most 200 graphemes.
#[must_use]
pub fn text(text: &str) -> Markdown {
    short(text, FACT)
}

/// A fact on one line, at most `max` graphemes.
#[must_use]
pub fn short(text: &str, max: usize) -> Markdown {
    clean::line(text, max).map(Span::Text).map(Markdown::of).unwrap_or_default()
}

/// A long text with its line breaks, at most 300 graphemes.
#[must_use]
pub fn paragraph(text: &str) -> Markdown {
    clean::lines(text, LONG).map(Span::Text).map(Markdown::of).unwrap_or_default()
}

/// A long text with its line breaks, at most `max` graphemes.
#[must_use]
pub fn long(text: &str, max: usize) -> Markdown {
    clean::lines(text, max).map(Span::Text).map(Markdown::of).unwrap_or_default()
}

/// A long text in its author's own markdown, at most `max` graphemes.
#[must_use]
pub fn formatted(text: &str, max: usize) -> Markdown {
    clean::lines(text, max).map(Span::Formatted).map(Markdown::of).unwrap_or_default()
}

/// An id or an address: one line, at most 200 graphemes, as code.
#[must_use]
pub fn code(text: &str) -> Markdown {
    clean::line(text, FACT).map(Span::Code).map(Markdown::of).unwrap_or_default()
}

/// A long text in a code block, at most 300 graphemes.
#[must_use]
pub fn block(text: &str) -> Markdown {
    clean::lines(text, LONG).map(Span::Block).map(Markdown::of).unwrap_or_default()
}

/// Aligned lines in a code block of at most `max` units. Lines that do not fit are left out, and counted.
#[must_use]
pub fn listing<'a>(lines: impl Iterator<Item = &'a str>, max: usize) -> Markdown {
    let rows: Vec<String> = lines.map(|line| clean::row(line, ROW).unwrap_or_default()).collect();
    let mut room = max.saturating_sub(units(FENCES) + units(&left_out(rows.len())));
    let fits = |row: &&String| {
        let needed = units(&unending(row)) + 1;
        room = room.saturating_sub(needed);
        room > 0
    };
    let fitting = rows.iter().take_while(fits).count();
    let mut text = rows[..fitting].join("\n");
    if fitting < rows.len() {
        text.push_str(&left_out(rows.len() - fitting));
    }
    if text.trim().is_empty() { Markdown::default() } else { Markdown::of(Span::Block(text)) }
}

fn left_out(lines: usize) -> String {
    format!("\n… {lines} more")
}

/// A time that Discord shows relative to now.
#[must_use]
pub fn moment(at: Timestamp) -> Markdown {
    Markdown::of(Span::Moment(at))
}

/// A date that Discord shows in the reader's locale.
#[must_use]
pub fn day(at: Timestamp) -> Markdown {
    Markdown::of(Span::Day(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Surface;

    fn embed(markdown: &Markdown) -> String {
        markdown.write(Surface::Embed)
    }

    #[rstest::rstest]
    #[case(
        "plain words, user@example.com (10:30:00) #5 a-b 1.5 > 1",
        "plain words, user@example.com (10:30:00) #5 a-b 1.5 > 1"
    )]
    #[case("*a* __b__ ~~c~~ ||d|| `e` \\", r"\*a\* \_\_b\_\_ \~\~c\~\~ \|\|d\|\| \`e\` \\")]
    #[case("[bank](https://evil.example/x)", r"\[bank](`https://evil.example/x`)")]
    #[case("<https://evil.example>", r"\<`https://evil.example`>")]
    #[case(
        "see https://a.example/x?y=1#z. And steam://run",
        "see `https://a.example/x?y=1#z`. And `steam://run`"
    )]
    #[case("https://a.example/`x", r"`https://a.example/`\`x")]
    #[case("join Discord.GG/abc!", "join `Discord.GG/abc`!")]
    #[case("a :// b", "a :// b")]
    #[case("# h", r"\# h")]
    #[case("-# small", r"\-# small")]
    #[case("- a", r"\- a")]
    #[case("> q", r"\> q")]
    #[case(">>> q", r"\>>> q")]
    #[case("12. a", r"12\. a")]
    #[case(
        "@everyone @HERE <@1> <@&2> <#3> </cmd:4>",
        "@\u{200B}everyone @\u{200B}HERE \\<@\u{200B}1> \\<@\u{200B}&2> \\<#3> \\</cmd:4>"
    )]
    #[case(
        "<t:1:R> <id:browse> <:x:1> <a:y:2> :skull: :100:",
        r"\<t:1:R> \<id:browse> \<\:x:1> \<a\:y:2> \:skull: \:100:"
    )]
    #[case("@every\u{200B}one", "@\u{200B}everyone")]
    fn text_shows_as_it_is_and_does_nothing(#[case] data: &str, #[case] written: &str) {
        assert_eq!(embed(&text(data)), written);
    }

    // D-1. Control: with the text written as it is, the first case holds mentions.
    #[rstest::rstest]
    #[case(
        "@everyone <@1> <@&2> <#3> </cmd:4> @here",
        "@\u{200B}everyone <\u{200B}@1> <\u{200B}@&2> <\u{200B}#3> <\u{200B}/cmd:4> @\u{200B}here"
    )]
    #[case(
        "**bold** [docs](https://a.example) `x` <t:1:R>",
        "**bold** [docs](https://a.example) `x` <t:1:R>"
    )]
    #[case("a\u{202E}b\u{200B}c", "abc")]
    fn formatted_text_keeps_its_markdown_and_mentions_nobody(#[case] data: &str, #[case] written: &str) {
        assert_eq!(embed(&formatted(data, 100)), written);
    }

    #[test]
    fn every_line_of_a_paragraph_is_a_line_start() {
        assert_eq!(embed(&paragraph("a\n# b\n  - c\n1. d\n> e")), "a\n\\# b\n\\- c\n1\\. d\n\\> e");
    }

    #[test]
    fn our_own_signs_do_not_hide_a_line_start() {
        assert_eq!(embed(&Markdown::from([literal("#"), text("# x")])), r"#\# x");
        assert_eq!(embed(&Markdown::from([text("12"), text(". x")])), r"12\. x");
    }

    #[rstest::rstest]
    #[case("https://evil.example/a_b", "https:\u{200B}//evil.example/a\\_b")]
    #[case("javascript://x", "javascript:\u{200B}//x")]
    #[case("discord.gg/abc", "discord.\u{200B}gg/abc")]
    #[case("https://discord.com/invite/abc", "https:\u{200B}//discord.\u{200B}com/invite/abc")]
    fn content_holds_no_link(#[case] data: &str, #[case] written: &str) {
        assert_eq!(text(data).write(Surface::Content), written);
        assert_eq!(code(data).write(Surface::Content), written);
    }

    #[test]
    fn a_listing_keeps_its_columns_and_is_cut_between_lines() {
        let lines = ["a.*      → Acme  NOC / #a  ok", "", "a.bcd.*  → ```@everyone"];
        assert_eq!(
            embed(&listing(lines.into_iter(), 4096)),
            "```\na.*      → Acme  NOC / #a  ok\n\na.bcd.*  → `\u{200B}`\u{200B}`@everyone\n```"
        );
        assert!(listing(["", " "].into_iter(), 4096).is_empty());
        let many: Vec<String> = (0..100).map(|number| format!("{number:<4}→  ``")).collect();
        for max in [200, 201, 230, 4096] {
            let written = embed(&listing(many.iter().map(String::as_str), max));
            let shown = written.matches('→').count();
            assert!(units(&written) <= max && (shown == 100) == (max == 4096), "{max}: {written}");
            assert!(
                shown == 100 || written.ends_with(&format!("\n… {} more\n```", 100 - shown)),
                "{max}: {written}"
            );
        }
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(embed(&code("a` **b**")), "`aˋ **b**`");
        let fenced = embed(&block("a\n```\n@everyone ````"));
        assert_eq!(fenced.matches("```").count(), 2);
        assert!(fenced.starts_with("```\n") && fenced.ends_with("\n```"));
    }
}
