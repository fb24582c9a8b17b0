//! Markdown escaping: which characters have a meaning in Discord, and how each is neutralized.
//!
//! The invariant: external text shows exactly its characters and has no effect: no formatting, mention, emoji, link or
//! preview.

/// A zero-width space: takes no room and ends any match.
const BREAK: char = '\u{200B}';
/// A look-alike of the backtick. Discord has no reliable way to put a real one into inline code.
const TICK: &str = "\u{2CB}";

/// The part of a message to which text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// An embed: bold and code are allowed; addresses are shown as code.
    Embed,
    /// A message's content: words only; addresses are made unclickable, because Discord would add previews.
    Content,
}

/// Writes sanitized text as inline code.
pub(super) fn write_code(text: &str, out: &mut String) {
    out.push('`');
    out.push_str(&text.replace('`', TICK));
    out.push('`');
}

/// Writes sanitized text as a code block. The text cannot close the block.
pub(super) fn write_block(text: &str, out: &mut String) {
    out.push_str("```\n");
    out.push_str(&unending(text));
    out.push_str("\n```");
}

/// Breaks up backticks that would close a code block.
pub(super) fn unending(text: &str) -> String {
    text.replace("``", &format!("`{BREAK}`")).replace("``", &format!("`{BREAK}`"))
}

/// Writes sanitized text so that it shows literally and has no effect.
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

/// Writes sanitized text with its own markdown. Mentions show as words: of `<@1>`, `<#1>`, `</x:1>` and `@everyone` nobody
/// may think that they reach somebody.
pub(super) fn write_formatted(text: &str, out: &mut String) {
    for (at, char) in text.char_indices() {
        let rest = &text[at + char.len_utf8()..];
        match char {
            '<' if rest.starts_with(['@', '#', '/']) => out.extend([char, BREAK]),
            '@' if opens_mention(out, rest) => out.extend([char, BREAK]),
            char => out.push(char),
        }
    }
}

/// The first range in `text` that a client would make clickable: `scheme://…`, or an invite without a scheme.
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

/// Clients detect invites in plain words, whatever surrounds them.
fn find_invite(text: &str) -> Option<usize> {
    const HOSTS: [&str; 5] =
        ["discord.gg/", "discord.com/", "discordapp.com/", "discord.new/", "discord.gift/"];
    // Most texts have none, and the search below costs more than everything else that is done with them.
    if !text.contains('/') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    HOSTS.iter().filter_map(|host| lower.find(host)).min()
}

/// Text that reads alike, with every address broken up.
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

/// Escapes `text` up to `end`. Looks ahead beyond it, and back at the current line in `out`: some characters have a
/// meaning only at its start.
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

/// Whether a character before `rest` may end, or be part of, the marker of a heading, list or quote.
fn ends_marker(rest: &str) -> bool {
    rest.chars().next().is_none_or(|next| next.is_whitespace() || "#-+>".contains(next))
}

/// Whether the current line has only characters of such markers so far.
fn starts_line(out: &str) -> bool {
    out.chars()
        .rev()
        .take_while(|c| *c != '\n')
        .all(|c| c.is_whitespace() || c.is_ascii_digit() || "#*-+>.)".contains(c) || c == BREAK)
}

/// Whether a colon and `rest` form an emoji's name (`:skull:`), or may form one with a colon of ours behind it. Times
/// (`10:30:00`) do not.
fn opens_emoji(rest: &str) -> bool {
    let name =
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || "_+-".contains(c))).next().unwrap_or_default();
    let time = name.len() <= 2 && name.bytes().all(|byte| byte.is_ascii_digit());
    let behind = &rest[name.len()..];
    !time && (behind.starts_with(':') || (behind.is_empty() && !name.is_empty()))
}

/// Whether an `@` and `rest` would be a mention: `@everyone`, `@here`, or the inside of `<@…>`.
fn opens_mention(out: &str, rest: &str) -> bool {
    let starts = |word: &str| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    out.ends_with('<') || starts("everyone") || starts("here")
}
