//! Escaping: which characters mean something to Discord, and how each is made harmless.
//!
//! The invariant: text from outside shows exactly its characters and does nothing: no formatting, mention, emoji, link or
//! preview.

/// Takes no room and ends any match.
const BREAK: char = '\u{200B}';
/// Looks like a back-tick. Discord has no reliable way to put a real one into inline code.
const TICK: &str = "\u{2CB}";

/// Where text is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// An embed: bold and code are allowed; addresses are shown as code.
    Embed,
    /// A message's content: words only; addresses are made unclickable, since Discord would add previews.
    Content,
}

/// Writes clean text as inline code.
pub(super) fn write_code(text: &str, out: &mut String) {
    out.push('`');
    out.push_str(&text.replace('`', TICK));
    out.push('`');
}

/// Writes clean text as a block that it cannot end.
pub(super) fn write_block(text: &str, out: &mut String) {
    out.push_str("```\n");
    out.push_str(&unending(text));
    out.push_str("\n```");
}

/// Text that ends no block of code.
pub(super) fn unending(text: &str) -> String {
    text.replace("``", &format!("`{BREAK}`")).replace("``", &format!("`{BREAK}`"))
}

/// Writes clean text so that it shows as it is and does nothing.
pub(super) fn write_text(text: &str, surface: Surface, out: &mut String) {
    if surface == Surface::Content {
        let text = broken(text);
        return write_words(&text, text.len(), out);
    }
    let mut rest = text;
    while let Some((start, end)) = find_address(rest) {
        write_words(rest, start, out);
        write_code(&rest[start..end], out);
        rest = &rest[end..];
    }
    write_words(rest, rest.len(), out);
}

/// The first thing in `text` that a client would make clickable: `scheme://…`, or an invite without a scheme.
fn find_address(text: &str) -> Option<(usize, usize)> {
    let scheme = text.match_indices("://").find_map(|(at, _)| {
        let before = &text[..at];
        let start = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+.-".contains(c)).len();
        (start < at).then_some(start)
    });
    let start = scheme.into_iter().chain(find_invite(text)).min()?;
    let long = &text[start..start + text[start..].find(is_end).unwrap_or(text.len() - start)];
    // A full stop after an address belongs to the sentence.
    let short = long.trim_end_matches([')', ']', '}', '.', ',', ';', ':', '!', '?', '\'']);
    let end = start + if short.is_empty() { long.len() } else { short.len() };
    Some((start, end))
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`')
}

/// Clients find invites in bare words, whatever stands around them.
fn find_invite(text: &str) -> Option<usize> {
    const HOSTS: [&str; 5] =
        ["discord.gg/", "discord.com/", "discordapp.com/", "discord.new/", "discord.gift/"];
    let lower = text.to_ascii_lowercase();
    HOSTS.iter().filter_map(|host| lower.find(host)).min()
}

/// A text that reads the same, with no address left in it.
fn broken(text: &str) -> String {
    let text = text.replace("://", &format!(":{BREAK}//"));
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.as_str();
    while let Some(at) = find_invite(rest) {
        let dot = at + rest[at..].find('.').map_or(rest.len() - at, |dot| dot + 1);
        out.push_str(&rest[..dot]);
        out.push(BREAK);
        rest = &rest[dot..];
    }
    out + rest
}

/// Escapes the words of `text` that end at `end`, looking ahead beyond it, and back at what stands on the line
/// already: some signs mean something only at its start.
fn write_words(text: &str, end: usize, out: &mut String) {
    for (at, char) in text[..end].char_indices() {
        let rest = &text[at + char.len_utf8()..];
        match char {
            '\\' | '*' | '_' | '~' | '|' | '`' | '[' | '<' => out.extend(['\\', char]),
            '#' | '-' | '+' | '>' | '.' | ')' if ends_marker(rest) && starts_line(out) => {
                out.extend(['\\', char])
            }
            ':' if opens_emoji(rest) => out.extend(['\\', char]),
            '@' if opens_mention(out, rest) => out.extend([char, BREAK]),
            char => out.push(char),
        }
    }
}

/// Whether a sign before `rest` may be the end, or part, of what begins a heading, list or quote.
fn ends_marker(rest: &str) -> bool {
    rest.chars().next().is_none_or(|next| next.is_whitespace() || "#-+>".contains(next))
}

/// Whether only signs that may begin a heading, list or quote stand on the current line.
fn starts_line(out: &str) -> bool {
    out.chars()
        .rev()
        .take_while(|c| *c != '\n')
        .all(|c| c.is_whitespace() || c.is_ascii_digit() || "#*-+>.)".contains(c) || c == BREAK)
}

/// Whether a colon and `rest` are an emoji's name (`:skull:`), or may become one with a colon of ours behind it.
/// Times (`10:30:00`) are not.
fn opens_emoji(rest: &str) -> bool {
    let name =
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || "_+-".contains(c))).next().unwrap_or_default();
    let time = name.len() <= 2 && name.bytes().all(|byte| byte.is_ascii_digit());
    let behind = &rest[name.len()..];
    !time && (behind.starts_with(':') || (behind.is_empty() && !name.is_empty()))
}

/// Whether an `@` and `rest` would address somebody: `@everyone`, `@here`, or the inside of `<@…>`.
fn opens_mention(out: &str, rest: &str) -> bool {
    let starts = |word: &str| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    out.ends_with('<') || starts("everyone") || starts("here")
}
