//! Rules for values of bodies, for `#[garde(custom(…))]`.

/// Maximum length of a display name, in characters.
const LONGEST_NAME: usize = 80;

/// A display name: 1 to 80 visible characters.
pub(in crate::api) fn name(name: &str, _: &()) -> garde::Result {
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(garde::Error::new(format!("must have 1 to {LONGEST_NAME} characters")));
    }
    visible(name, &())
}

/// Text without characters that are not seen, or that change how the rest is read.
pub(in crate::api) fn visible(text: &str, _: &()) -> garde::Result {
    match text.chars().find(|letter| is_hidden(*letter)) {
        None => Ok(()),
        Some(letter) => {
            let code = u32::from(letter);
            Err(garde::Error::new(format!("must not contain the invisible character U+{code:04X}")))
        }
    }
}

/// Control characters, zero-width characters, and marks that change the direction of text.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    //
    #[rstest::rstest]
    #[case("Acme NOC", true)]
    #[case("@everyone", true)]
    #[case("مرحبا 🎮", true)]
    #[case("", false)]
    #[case("  ", false)]
    #[case("a\nb", false)]
    #[case("a\u{202e}b", false)]
    #[case("a\u{200b}b", false)]
    #[case("a\u{feff}", false)]
    fn a_name_is_what_is_seen(#[case] text: &str, #[case] is_name: bool) {
        assert_eq!(name(text, &()).is_ok(), is_name);
    }

    #[test]
    fn a_name_has_at_most_80_characters() {
        assert!(name(&"é".repeat(80), &()).is_ok());
        assert!(name(&"é".repeat(81), &()).is_err());
        assert!(name(&"x".repeat(1_000_000), &()).is_err());
    }
}
