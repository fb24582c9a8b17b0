//! The verdict: what was sent, acknowledged, delivered and given up, compared as sets.
//!
//! Pure, and suspicious: its tests show it each kind of harm, because a verdict that cannot see a loss proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What tells one event from every other, in the ledger and on its card: its number and a checksum.
pub type Tag = String;

/// All that is known from outside about one run.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every event the sender tried to send.
    pub sent: BTreeSet<Tag>,
    /// Those that were answered 200, with the event id they were given. Ids grow in the order of acceptance.
    pub acknowledged: BTreeMap<Tag, String>,
    /// What stands in each of Discord's channels, oldest first.
    pub delivered: BTreeMap<String, Vec<Tag>>,
    /// What was given up, with the reason that a person is told.
    pub dead: BTreeMap<Tag, String>,
    /// Those that Discord did not take the first time they were tried: the others may overtake them.
    pub tried_again: BTreeSet<Tag>,
}

/// The sets that must be empty, and the figures to be told with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Acknowledged, but neither delivered nor given up with a reason.
    pub lost: BTreeSet<Tag>,
    /// Delivered more than once.
    pub doubled: BTreeSet<Tag>,
    /// Delivered, but never sent: invented, or altered on the way.
    pub ghosts: BTreeSet<Tag>,
    /// Delivered before something that was accepted earlier, in the same channel, both at the first try.
    pub disordered: BTreeSet<Tag>,
    /// How many were sent.
    pub sent: usize,
    /// How many were acknowledged.
    pub acknowledged: usize,
    /// How many of them were delivered.
    pub delivered: usize,
    /// How many were given up with a reason.
    pub dead: usize,
}

impl Verdict {
    /// Judges.
    pub fn of(facts: &Facts) -> Self {
        let mut times: BTreeMap<&Tag, usize> = BTreeMap::new();
        for tag in facts.delivered.values().flatten() {
            *times.entry(tag).or_default() += 1;
        }
        let dead = |tag: &Tag| facts.dead.get(tag).is_some_and(|reason| !reason.trim().is_empty());
        let lost = facts.acknowledged.keys().filter(|tag| !times.contains_key(tag) && !dead(tag));
        let doubled = times.iter().filter(|(_, times)| **times > 1).map(|(tag, _)| *tag);
        let ghosts = times.keys().filter(|tag| !facts.sent.contains(**tag)).copied();
        Self {
            lost: lost.cloned().collect(),
            doubled: doubled.cloned().collect(),
            ghosts: ghosts.cloned().collect(),
            disordered: facts.delivered.values().flat_map(|channel| disordered(facts, channel)).collect(),
            sent: facts.sent.len(),
            acknowledged: facts.acknowledged.len(),
            delivered: facts.acknowledged.keys().filter(|tag| times.contains_key(tag)).count(),
            dead: facts.dead.keys().filter(|tag| dead(tag)).count(),
        }
    }

    /// Whether no harm was done.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty()
            && self.doubled.is_empty()
            && self.ghosts.is_empty()
            && self.disordered.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, doubled, ghosts, disordered, sent, acknowledged, delivered, dead } = self;
        write!(f, "{sent} sent, {acknowledged} acknowledged, {delivered} delivered")?;
        if *dead > 0 {
            write!(f, ", {dead} dead with a reason")?;
        }
        write!(
            f,
            ": **{} lost, {} doubled**, {} ghosts, {} out of order",
            lost.len(),
            doubled.len(),
            ghosts.len(),
            disordered.len()
        )
    }
}

/// What stands in a channel before something that was accepted earlier.
fn disordered(facts: &Facts, channel: &[Tag]) -> BTreeSet<Tag> {
    let mut seen = BTreeSet::new();
    let first = channel.iter().filter(|tag| !facts.tried_again.contains(*tag) && seen.insert(*tag));
    let known: Vec<(&Tag, &String)> =
        first.filter_map(|tag| Some((tag, facts.acknowledged.get(tag)?))).collect();
    // From the end: what is greater than something that comes later stands too early.
    let mut least: Option<&String> = None;
    let mut early = BTreeSet::new();
    for (tag, id) in known.into_iter().rev() {
        if least.is_some_and(|least| id > least) {
            early.insert(tag.clone());
        }
        least = Some(least.map_or(id, |least| least.min(id)));
    }
    early
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[&str]) -> BTreeSet<Tag> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    /// `a`, `b` and `c` sent, acknowledged in this order and delivered to one channel.
    fn good() -> Facts {
        let id = |tag: &str| (tag.to_owned(), format!("evt_{tag}"));
        Facts {
            sent: tags(&["a", "b", "c"]),
            acknowledged: ["a", "b", "c"].map(id).into(),
            delivered: [("x".to_owned(), ["a", "b", "c"].map(str::to_owned).to_vec())].into(),
            ..Facts::default()
        }
    }

    fn channel(facts: &mut Facts, tags: &[&str]) {
        facts.delivered.insert("x".to_owned(), tags.iter().map(|tag| (*tag).to_owned()).collect());
    }

    #[test]
    fn a_good_run_is_clean() {
        let verdict = Verdict::of(&good());
        assert!(verdict.is_clean(), "{verdict:?}");
        assert_eq!((verdict.sent, verdict.acknowledged, verdict.delivered), (3, 3, 3));
    }

    #[test]
    fn what_was_acknowledged_and_came_nowhere_is_lost() {
        let mut facts = good();
        channel(&mut facts, &["a", "c"]);
        assert_eq!(Verdict::of(&facts).lost, tags(&["b"]));
        // Never acknowledged: the sender knows that it has to send it again.
        facts.acknowledged.remove("b");
        assert!(Verdict::of(&facts).is_clean());
    }

    #[test]
    fn given_up_counts_only_with_a_reason() {
        let mut facts = good();
        channel(&mut facts, &["a", "c"]);
        facts.dead.insert("b".to_owned(), " ".to_owned());
        assert_eq!(Verdict::of(&facts).lost, tags(&["b"]));
        facts.dead.insert("b".to_owned(), "Discord answered 400".to_owned());
        let verdict = Verdict::of(&facts);
        assert!(verdict.is_clean());
        assert_eq!(verdict.dead, 1);
    }

    #[test]
    fn twice_is_doubled_in_one_channel_or_in_two() {
        let mut facts = good();
        channel(&mut facts, &["a", "b", "b", "c"]);
        let verdict = Verdict::of(&facts);
        assert_eq!((&verdict.doubled, verdict.is_clean()), (&tags(&["b"]), false));
        channel(&mut facts, &["a", "b", "c"]);
        facts.delivered.insert("y".to_owned(), vec!["c".to_owned()]);
        assert_eq!(Verdict::of(&facts).doubled, tags(&["c"]));
    }

    #[test]
    fn what_nobody_sent_is_a_ghost() {
        let mut facts = good();
        channel(&mut facts, &["a", "b", "c", "b with another checksum"]);
        assert_eq!(Verdict::of(&facts).ghosts, tags(&["b with another checksum"]));
    }

    #[test]
    fn what_comes_too_early_is_out_of_order_unless_it_was_tried_again() {
        let mut facts = good();
        channel(&mut facts, &["b", "c", "a"]);
        assert_eq!(Verdict::of(&facts).disordered, tags(&["b", "c"]));
        facts.tried_again = tags(&["a"]);
        assert!(Verdict::of(&facts).is_clean());
        // A second copy is doubled, and says nothing about the order.
        channel(&mut facts, &["a", "b", "c", "a"]);
        facts.tried_again.clear();
        let verdict = Verdict::of(&facts);
        assert!(verdict.disordered.is_empty() && verdict.doubled == tags(&["a"]));
    }

    #[test]
    fn the_sentence_tells_the_harm() {
        let mut facts = good();
        channel(&mut facts, &["a", "c"]);
        assert_eq!(
            Verdict::of(&facts).to_string(),
            "3 sent, 3 acknowledged, 2 delivered: **1 lost, 0 doubled**, 0 ghosts, 0 out of order"
        );
    }
}
