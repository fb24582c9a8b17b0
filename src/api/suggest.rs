//! "Did you mean …?": the known word that a mistyped one is closest to.

/// Longest word that may be a mistyped one, in bytes: comparing takes time.
const LONGEST: usize = 64;

/// The word of `known` that differs from `wanted` by a few letters only.
pub(in crate::api) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let most = (wanted.chars().count() / 3).clamp(1, 3);
    let wanted = plain(wanted);
    let distances = known.into_iter().map(|word| (strsim::osa_distance(&wanted, &plain(word)), word));
    distances.filter(|(distance, _)| *distance <= most).min().map(|(_, word)| word)
}

/// ` Did you mean "…"?`, or nothing.
pub(in crate::api) fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, known).map_or_else(String::new, |word| format!(" Did you mean {word:?}?"))
}

/// Case and separators are the commonest mistakes: they cost nothing.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("expires_att", Some("expires_at"))]
    #[case("expiresAt", Some("expires_at"))]
    #[case("Admin", Some("admin"))]
    #[case("nmae", Some("name"))]
    #[case("webhook", None)]
    #[case("", None)]
    fn the_nearest_word_is_what_was_meant(#[case] wanted: &str, #[case] meant: Option<&str>) {
        assert_eq!(nearest(wanted, ["name", "expires_at", "admin", "role"]), meant);
    }
}
