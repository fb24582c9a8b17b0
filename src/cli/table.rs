//! Tables for people: short times, and text from outside that cannot move the cursor.

use std::time::Duration;

use crate::clock::Timestamp;

/// `2024-01-15 10:30:00Z`; the Z means UTC.
pub(super) fn short(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    text.get(..19).map_or_else(|| text.clone(), |text| format!("{}Z", text.replacen('T', " ", 1)))
}

/// `5s`, `12m`, `3h`, `40d`.
pub(super) fn age(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Text from outside for a terminal: no control characters, at most `most` characters.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut clean: String =
        text.chars().take(most).map(|letter| if letter.is_control() { '·' } else { letter }).collect();
    if text.chars().nth(most).is_some() {
        clean.push('…');
    }
    clean
}

/// The width of the terminal on stdout; `None` if stdout is not a terminal: then nothing is cut or wrapped.
pub(super) fn columns() -> Option<usize> {
    let stdout = std::io::stdout();
    let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// One or more rows of a table, each cut at the terminal's width so that it does not wrap. Whole without a terminal.
pub(super) fn fitted(rows: &str) -> String {
    cut(rows, columns())
}

fn cut(rows: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return rows.to_owned() };
    let cut = |row: &str| match row.char_indices().nth(columns) {
        Some(_) => row.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
        None => row.to_owned(),
    };
    rows.lines().map(cut).collect::<Vec<String>>().join("\n")
}

/// `first`, then `text`, with a hanging indent of `indent` where the terminal is too narrow for it.
pub(super) fn hanging(first: &str, indent: usize, text: &str) -> Vec<String> {
    hung(first, indent, text, columns())
}

fn hung(first: &str, indent: usize, text: &str, columns: Option<usize>) -> Vec<String> {
    let mut line = format!("{first:indent$}");
    // With almost no room left, the terminal wraps as well as we would.
    let Some(room) = columns.and_then(|columns| columns.checked_sub(indent)).filter(|room| *room >= 20)
    else {
        return vec![line + text];
    };
    let mut lines = Vec::new();
    let mut used = 0;
    for word in text.split_inclusive([' ', ',']) {
        let letters: Vec<char> = word.chars().collect();
        let length = word.trim_end().chars().count();
        if used > 0 && used + length > room {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)).trim_end().to_owned());
            used = 0;
        }
        for letter in letters {
            if used == room {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)).trim_end().to_owned());
                used = 0;
            }
            line.push(letter);
            used += 1;
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_outside_does_not_move_the_cursor() {
        assert_eq!(clean("{\u{1b}[2J\n\"x\"}", 60), "{·[2J·\"x\"}");
        assert_eq!(clean("abcdef", 3), "abc…");
    }

    #[test]
    fn rows_end_where_the_terminal_does() {
        assert_eq!(cut("abcdef\nabc", Some(5)), "abcd…\nabc");
        assert_eq!(cut("abcdef", None), "abcdef");
    }

    #[test]
    fn long_text_goes_on_below_itself() {
        assert_eq!(hung("NAME", 6, "a b", None), ["NAME  a b"]);
        let lines = hung("NAME", 6, &format!("one two, {} end", "x".repeat(25)), Some(26));
        let expected =
            ["NAME  one two,".to_owned(), format!("      {}", "x".repeat(20)), "      xxxxx end".to_owned()];
        assert_eq!(lines, expected);
    }

    #[test]
    fn times_are_short() {
        assert_eq!(short(Timestamp::from_secs(1_705_314_600)), "2024-01-15 10:30:00Z");
    }

    #[rstest::rstest]
    #[case(0, "0s")]
    #[case(59, "59s")]
    #[case(60, "1m")]
    #[case(3599, "59m")]
    #[case(3600, "1h")]
    #[case(172_800, "2d")]
    fn ages_are_shorter(#[case] seconds: u64, #[case] expected: &str) {
        assert_eq!(age(Duration::from_secs(seconds)), expected);
    }
}
