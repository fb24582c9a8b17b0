//! Detection of mistyped kinds: muting a kind that no event ever had is most likely a typo, and would silence
//! nothing.

use crate::hub::Hub;
use crate::model::route::{Pattern, is_pattern};
use crate::model::{Family, Kind, KindMeaning, Source};
use crate::{samples, store};

/// How many known kinds are compared with the input.
const COMPARED: usize = 2000;

/// A kind or pattern that no event ever matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKind {
    /// The known kind that was probably meant.
    pub meant: Option<String>,
}

impl Hub {
    /// Checks whether `pattern` is unknown: XTSystems' known kinds, the map's keys and all stored events
    /// count. Skips a kind that cannot be muted at all: `mute` explains that.
    pub async fn unknown_kind(&self, pattern: &str) -> store::Result<Option<UnknownKind>> {
        if !is_pattern(pattern) || pattern.eq_ignore_ascii_case("default") {
            return Ok(None);
        }
        if !KindMeaning::of(Source::XtSystems, &Kind::new(pattern)).can_be_muted() {
            return Ok(None);
        }
        let wanted = Pattern::new(pattern);
        let dispatched = samples::dispatched().iter().map(|sample| sample.kind);
        let mut known: Vec<String> = known_kinds().chain(dispatched).map(str::to_owned).collect();
        let routes = self.0.routing.now();
        let named = routes.map().routes().iter().filter(|route| !route.is_catch_all());
        let named: Vec<&str> = named.map(|route| route.pattern.text()).collect();
        let is_known = |known: &[String]| known.iter().any(|kind| wanted.matches(kind));
        if is_known(&known) || named.iter().any(|key| *key == wanted.text() || wanted.matches(key)) {
            return Ok(None);
        }
        let received = self.0.store.kinds_received().await?;
        let received: Vec<String> =
            received.iter().map(|kind| Kind::new(kind).canonical().into_owned()).collect();
        if is_known(&received) {
            return Ok(None);
        }
        known.extend(received.into_iter().take(COMPARED));
        known.extend(named.into_iter().map(str::to_owned));
        known.extend(Family::ALL.into_iter().filter_map(Family::pattern));
        Ok(Some(UnknownKind { meant: nearest(wanted.text(), &known) }))
    }
}

/// The kinds that XTSystems is known to send.
pub fn known_kinds() -> impl Iterator<Item = &'static str> {
    samples::all().iter().map(|sample| sample.kind).filter(|kind| *kind != "printer.jammed")
}

/// The known kind that differs from `wanted` by a few letters only.
#[must_use]
pub fn nearest(wanted: &str, known: &[String]) -> Option<String> {
    let most = (wanted.len() / 4).clamp(1, 3);
    let distances = known.iter().map(|kind| (distance(wanted, kind), kind));
    let (_, kind) = distances.filter(|(distance, _)| *distance <= most).min()?;
    Some(kind.clone())
}

/// Levenshtein distance: how many letters must be changed, added or removed to turn one into the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, a) in one.bytes().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (at, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("ticket.created", "ticket.created", 0)]
    #[case("tickt.created", "ticket.created", 1)]
    #[case("", "abc", 3)]
    #[case("abc", "", 3)]
    #[case("kitten", "sitting", 3)]
    fn letters_are_counted(#[case] one: &str, #[case] other: &str, #[case] expected: usize) {
        assert_eq!(distance(one, other), expected);
    }

    #[rstest::rstest]
    #[case("tickt.created", Some("ticket.created"))]
    #[case("ticket.create", Some("ticket.created"))]
    #[case("alerts.*", Some("alert.*"))]
    #[case("backup.skipped", None)]
    fn the_nearest_kind_is_what_was_meant(#[case] wanted: &str, #[case] meant: Option<&str>) {
        let known: Vec<String> =
            ["ticket.created", "ticket.closed", "alert.triggered", "alert.*"].map(str::to_owned).into();
        assert_eq!(nearest(wanted, &known).as_deref(), meant);
    }
}
