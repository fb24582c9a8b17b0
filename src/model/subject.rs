//! What an event is about, as one text: events of one subject belong together.
//!
//! `ticket:7` where no customer is named, `ticket:7@ACME` where one is: two customers may call different things by the same
//! short id, and share neither a card nor a question.

/// Longer ids and customers make no subject: what they name has a card for every event.
const LONGEST: usize = 200;

/// The subject of the thing `id` of a family and a customer; empty if it can have none.
///
/// No two things have the same one: behind the last `@` stands the customer, with its own `@` and `%` encoded, and an id
/// that holds an `@` has one behind it in any case.
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
