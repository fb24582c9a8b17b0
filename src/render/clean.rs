//! Sanitizing of external text: which characters may be shown, before any markdown.
//!
//! Owns what is dropped and why: controls, bidirectional overrides, invisible characters, piles of combining marks. The
//! result never starts with a character that would join the one before it, and is cut only between graphemes.

use unicode_segmentation::UnicodeSegmentation as _;

/// Maximum marks on one letter. Languages need up to three; more form a pile that spills over adjacent lines.
const MAX_MARKS: usize = 3;
/// Maximum joined parts in one emoji. The largest real sequences join four.
const MAX_JOINED: usize = 7;
/// Maximum bytes of one grapheme. Hangul or Devanagari can be chained without end.
const MAX_GRAPHEME: usize = 64;

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const BLACK_FLAG: char = '\u{1F3F4}';

/// One line of at most `max` graphemes, ending with "…" if it was cut; `None` if nothing visible remains.
pub(super) fn line(text: &str, max: usize) -> Option<String> {
    let (text, stopped) = sift(text, max, Blanks::One);
    clip(text.trim(), stopped, max)
}

/// Like [`line`], but keeps line breaks; at most one empty line in a row.
pub(super) fn lines(text: &str, max: usize) -> Option<String> {
    let (text, stopped) = sift(text, max, Blanks::Breaks);
    clip(text.trim(), stopped, max)
}

/// Like [`line`], but keeps all whitespace except at the end, for aligned text.
pub(super) fn row(text: &str, max: usize) -> Option<String> {
    let (text, stopped) = sift(text, max, Blanks::All);
    clip(text.trim_end(), stopped, max)
}

/// Which whitespace is kept. Where line breaks are not kept, they count as spaces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blanks {
    /// One space between two words.
    One,
    /// One space, and line breaks.
    Breaks,
    /// All whitespace.
    All,
}

/// Removes what must not be shown. Also returns whether reading stopped before the end: a megabyte is not read to show
/// three hundred characters. (Four code points per grapheme are plenty, and splitting long chains takes quadratic
/// time.)
fn sift(text: &str, max: usize, blanks: Blanks) -> (String, bool) {
    let mut out = Sifted::default();
    let line_break = if blanks == Blanks::Breaks { '\n' } else { ' ' };
    let mut rest = text.chars();
    let mut chars = rest.by_ref().take(max * 4 + 64).peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.space(line_break),
            '\u{2800}' => out.space(' '),
            char if char.is_whitespace() && blanks == Blanks::All => out.base(' '),
            char if char.is_whitespace() => out.space(' '),
            ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => out.joiner(char, chars.peek().copied()),
            '\u{E0020}'..='\u{E007F}' => out.tag(char),
            char if is_dropped(char) => {}
            char if extends(char) => out.mark(char),
            char => out.base(char),
        }
    }
    (out.text, rest.next().is_some())
}

#[derive(Default)]
struct Sifted {
    text: String,
    marks: usize,
    joined: usize,
}

impl Sifted {
    fn last(&self) -> Option<char> {
        self.text.chars().next_back()
    }

    fn base(&mut self, char: char) {
        if self.last() != Some(ZERO_WIDTH_JOINER) {
            self.joined = 0;
        }
        self.marks = 0;
        self.text.push(char);
    }

    fn space(&mut self, space: char) {
        if space == '\n' {
            self.text.truncate(self.text.trim_end_matches(' ').len());
        }
        let doubled = match self.last() {
            None => true,
            Some('\n') => space == ' ' || self.text.ends_with("\n\n"),
            Some(last) => last == ' ',
        };
        if !doubled {
            self.base(space);
        }
    }

    fn mark(&mut self, mark: char) {
        let alone = self.last().is_none_or(char::is_whitespace);
        if !alone && self.marks < MAX_MARKS {
            self.marks += 1;
            self.text.push(mark);
        }
    }

    /// Tag characters spell the flags of England, Scotland and Wales. Anywhere else they carry hidden text.
    fn tag(&mut self, tag: char) {
        let tags = self.text.chars().rev().take_while(|c| ('\u{E0020}'..='\u{E007F}').contains(c)).count();
        if tags < 7 && self.text.chars().rev().nth(tags) == Some(BLACK_FLAG) {
            self.text.push(tag);
        }
    }

    /// Joiners are kept where spelling needs them: inside an emoji of several people, and between letters of the
    /// scripts that use them (Arabic to Myanmar). Anywhere else they hide words from filters.
    fn joiner(&mut self, joiner: char, next: Option<char>) {
        let (Some(last), Some(next)) = (self.last(), next) else { return };
        let script = '\u{600}'..='\u{109F}';
        let spelling = script.contains(&last) && script.contains(&next);
        let emoji = || {
            let mut pair = self.text.graphemes(true).next_back().unwrap_or_default().to_owned();
            pair.extend([joiner, next]);
            joiner == ZERO_WIDTH_JOINER
                && !next.is_ascii()
                && !extends(next)
                && pair.graphemes(true).count() == 1
        };
        if self.joined < MAX_JOINED && (spelling || emoji()) {
            self.joined += 1;
            self.text.push(joiner);
        }
    }
}

/// Whether a character is never shown: controls, direction overrides, invisible fillers, noncharacters.
fn is_dropped(char: char) -> bool {
    char.is_control()
        || u32::from(char) & 0xFFFE == 0xFFFE
        || matches!(char,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character joins the one before it: combining marks, variation selectors, skin tones.
fn extends(char: char) -> bool {
    // Fast path for the letters of most texts.
    if matches!(char, '\0'..='\u{2FF}' | '\u{370}'..='\u{482}' | '\u{3400}'..='\u{A66E}' | '\u{AC00}'..='\u{D7A3}')
    {
        return false;
    }
    let mut buffer = *b"a\0\0\0\0";
    let end = 1 + char.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..end]).is_ok_and(|pair| pair.graphemes(true).count() == 1)
}

fn clip(text: &str, stopped: bool, max: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len().min(max * 4));
    let mut graphemes = text.graphemes(true).peekable();
    let mut count = 0;
    while let Some(grapheme) = graphemes.next() {
        let last_of_a_part = stopped && graphemes.peek().is_none();
        if count == max || last_of_a_part {
            out.truncate(out.trim_end().len());
            out.push('…');
            break;
        }
        count += 1;
        out.push_str(if grapheme.len() > MAX_GRAPHEME { "\u{FFFD}" } else { grapheme });
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("  Network \t\r\n Issue ", "Network Issue")]
    #[case("a\0b\u{7}c\u{9b}d", "abcd")]
    #[case("invoice\u{202E}fdp.exe\u{202C}", "invoicefdp.exe")]
    #[case("\u{2066}a\u{2069}\u{200F}b\u{61C}", "ab")]
    #[case("@every\u{200B}one\u{FEFF}\u{2060}", "@everyone")]
    #[case("every\u{200D}one a\u{200C}b", "everyone ab")]
    #[case(
        "👨\u{200D}👩\u{200D}👧\u{200D}👦 👩🏽\u{200D}💻 ❤\u{FE0F}",
        "👨\u{200D}👩\u{200D}👧\u{200D}👦 👩🏽\u{200D}💻 ❤\u{FE0F}"
    )]
    #[case("👨\u{200D}", "👨")]
    #[case("می\u{200C}خواهم क्\u{200D}ष", "می\u{200C}خواهم क्\u{200D}ष")]
    #[case("Z\u{300}\u{301}\u{302}\u{303}\u{304}a", "Z\u{300}\u{301}\u{302}a")]
    #[case("\u{301}a \u{301}b", "a b")]
    #[case(
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}"
    )]
    #[case("a\u{E0067}\u{E0062}", "a")]
    #[case("x\u{FFFF}\u{FDD0}y", "xy")]
    fn one_line(#[case] dirty: &str, #[case] clean: &str) {
        assert_eq!(line(dirty, 100).as_deref(), Some(clean));
        assert_eq!(line(clean, 100).as_deref(), Some(clean), "cleaning twice changes nothing");
    }

    #[test]
    fn nothing_visible_is_nothing() {
        for text in ["", " ", "\u{200B}", "\u{3164}\u{2800}", "\u{301}", "\n\t\u{202E}"] {
            assert_eq!(line(text, 10), None, "{text:?}");
        }
    }

    #[test]
    fn paragraphs_keep_their_lines_but_no_walls_of_emptiness() {
        assert_eq!(lines("a \r\n\r\n\r\n\r\n b\u{2028}c", 100).as_deref(), Some("a\n\nb\nc"));
    }

    #[test]
    fn what_is_aligned_stays_so() {
        assert_eq!(row("  a   →  b\t#c\u{202E}\u{200B}  ", 100).as_deref(), Some("  a   →  b #c"));
        assert_eq!(row("a\n  b", 100).as_deref(), Some("a   b"), "it is one row");
        assert_eq!(row("a    b", 4).as_deref(), Some("a…"));
        assert_eq!(row("   ", 4), None);
    }

    #[test]
    fn cuts_between_graphemes() {
        assert_eq!(
            line("👩🏽\u{200D}💻👩🏽\u{200D}💻👩🏽\u{200D}💻", 2).as_deref(),
            Some("👩🏽\u{200D}💻👩🏽\u{200D}💻…")
        );
        assert_eq!(line("one two three", 4).as_deref(), Some("one…"));
        assert_eq!(line("🇩🇪🇩🇪", 1).as_deref(), Some("🇩🇪…"));
    }

    #[test]
    fn endless_graphemes_end() {
        for endless in ["a\u{301}".repeat(200_000), "\u{1100}".repeat(300_000), "👨\u{200D}".repeat(100_000)]
        {
            assert!(line(&endless, 300).unwrap().len() < 300 * MAX_GRAPHEME);
        }
        assert_eq!(
            line(&format!("a{}b", "\u{301}".repeat(50)), 5).as_deref(),
            Some("a\u{301}\u{301}\u{301}b")
        );
        assert_eq!(line(&"\u{200B}".repeat(1_000_000), 5), None);
    }
}
