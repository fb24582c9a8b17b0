//! The author of a message through a webhook.

/// The first of `names` that Discord takes as the author of a webhook's message; `None`: the name that the webhook has on
/// Discord (Discord: "Usernames and Nicknames": 1 to 80 characters, without "clyde" and "discord", and none of the reserved
/// words).
#[must_use]
pub fn message_author(names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(author)
}

fn author(name: &str) -> Option<String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = name.to_lowercase();
    let is_reserved = ["clyde", "discord"].iter().any(|word| lower.contains(word))
        || ["everyone", "here"].contains(&lower.as_str())
        || ["@", "#", ":", "```"].iter().any(|mark| name.contains(mark));
    let fits = (1..=80).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    (fits && !is_reserved).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Control: without the words that Discord refuses, the message is refused with 400 50035.
    #[rstest::rstest]
    #[case("Acme NOC", Some("Acme NOC"))]
    #[case("  Acme \t NOC ", Some("Acme NOC"))]
    #[case("Discord alerts", Some("NodeByte"))]
    #[case("Mr Clyde", Some("NodeByte"))]
    #[case("everyone", Some("NodeByte"))]
    #[case("", Some("NodeByte"))]
    fn the_webhooks_own_name_wins_where_discord_takes_it(#[case] own: &str, #[case] expected: Option<&str>) {
        assert_eq!(message_author([own, "NodeByte"]).as_deref(), expected);
        assert_eq!(message_author(["@everyone", "discord"]), None);
    }
}
