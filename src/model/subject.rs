//! Subjects: what an event is about, as one string. Events of one subject belong together.
//!
//! `ticket:7` without a customer, `ticket:7@ACME` with one: two customers may use one short id for different things,
//! which share neither a card nor a question.

/// Longest id or customer in a subject, in bytes. With a longer one there is no subject: every event gets its own
/// card.
const LONGEST: usize = 200;

/// The subject of the object `id` of a family and a customer; empty if it can have none.
///
/// The encoding is injective: after the last `@` comes the customer, with its own `@` and `%` encoded, and an id that
/// contains an `@` always has another one after it.
#[must_use]
pub fn subject(family: &str, id: &str, company: &str) -> String {
    if id.is_empty() || id.len() > LONGEST || company.chars().count() > LONGEST {
        return String::new();
    }
    let thing = format!("{family}:{id}");
    if company.is_empty() && !id.contains('@') {
        return thing;
    }
    format!("{thing}@{}", company.replace('%', "%25").replace('@', "%40"))
}

/// The subject of an alert, which has no id: a fingerprint of what makes two reports the same alert.
#[must_use]
pub(crate) fn alert(fingerprint: &str) -> String {
    format!("alert:{fingerprint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_things_have_the_same_subject() {
        assert_eq!(subject("ticket", "7", ""), "ticket:7");
        assert_eq!(subject("ticket", "7", "ACME"), "ticket:7@ACME");
        let parts = ["7", "7@A", "7@", "@", "A", "%40", "7%40A", "7@A@", "@A", "A%"];
        let companies = ["", "A", "A@", "@", "%40", "A%40", "7@A"];
        let all: Vec<String> =
            parts.iter().flat_map(|id| companies.map(|company| subject("ticket", id, company))).collect();
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), parts.len() * companies.len(), "{all:?}");
        assert_eq!(subject("ticket", &"7".repeat(201), ""), "");
        assert_eq!(subject("ticket", "7", &"A".repeat(201)), "");
    }
}
