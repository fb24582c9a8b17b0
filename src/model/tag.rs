//! The tag at the end of a card's footer.

use std::fmt;

/// Separator before the generation number.
const GENERATION: char = '·';
/// How many characters of an id are shown.
const ID: usize = 8;

/// Identifies the event and the generation that a card shows: `a1b2c3d4`, and from the second generation on
/// `a1b2c3d4·2`. So a redelivered card is never mistaken for the first one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// The tag of an event whose id ends in `id`, after `redelivered` redeliveries.
    #[must_use]
    pub fn new(id: String, redelivered: u32) -> Self {
        match redelivered {
            0 => Self(id),
            times => Self(format!("{id}{GENERATION}{}", u64::from(times) + 1)),
        }
    }

    /// The last tag in a line, which is the trusted one: earlier text may come from outside.
    #[must_use]
    pub fn last_in(line: &str) -> Option<Self> {
        line.split(' ').rev().find_map(Self::read)
    }

    /// Every word of `text` that has the form of a tag.
    pub fn all_in(text: &str) -> impl Iterator<Item = Self> {
        text.split_whitespace().filter_map(Self::read)
    }

    /// The id, without the generation.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split(GENERATION).next().unwrap_or_default()
    }

    fn read(word: &str) -> Option<Self> {
        let (id, generation) =
            word.split_once(GENERATION).map_or((word, None), |(id, rest)| (id, Some(rest)));
        let is_id = id.len() == ID && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_generation = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_id && generation.is_none_or(is_generation)).then(|| Self(word.to_owned()))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_carries_its_generation_from_the_second_on() {
        let tags = [0, 1, 11].map(|times| Tag::new("a1b2c3d4".to_owned(), times));
        assert_eq!(tags.each_ref().map(ToString::to_string), ["a1b2c3d4", "a1b2c3d4·2", "a1b2c3d4·12"]);
        assert!(tags.iter().all(|tag| tag.id() == "a1b2c3d4"));
    }

    #[rstest::rstest]
    #[case("XTSystems · ticket.created · a1b2c3d4", Some("a1b2c3d4"))]
    #[case("XTSystems · ticket.created · a1b2c3d4·2", Some("a1b2c3d4·2"))]
    #[case("XTSystems · deadbeef · a1b2c3d4·2 · may be a duplicate", Some("a1b2c3d4·2"))]
    #[case("XTSystems · x · 2 h 3 min late: Discord answered 503 · a1b2c3d4", Some("a1b2c3d4"))]
    #[case("nuncio · test", None)]
    #[case("a1b2c3d4·", None)]
    #[case("A1B2C3D4", None)]
    #[case("a1b2c3d45", None)]
    fn the_last_tag_of_a_footer_counts(#[case] footer: &str, #[case] tag: Option<&str>) {
        assert_eq!(Tag::last_in(footer).map(|tag| tag.to_string()).as_deref(), tag);
    }
}
