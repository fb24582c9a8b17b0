//! How the cards of dispatches are signed.

/// The brand of dispatches: `DISPATCH_NAME`, `DISPATCH_ICON_URL`, `DISPATCH_FOOTER`. A stored webhook's own name and icon
/// win over the first two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// The author of messages, where the webhook's own name cannot be one.
    pub name: String,
    /// The author's picture, where the webhook has none.
    pub icon_url: Option<String>,
    /// The footer of cards.
    pub footer: String,
}

impl Default for Brand {
    fn default() -> Self {
        Self { name: "nuncio".to_owned(), icon_url: None, footer: "nuncio".to_owned() }
    }
}

impl Brand {
    /// The author of a message through a webhook that is called `own`; `None`: the name that it has on Discord.
    #[must_use]
    pub fn author(&self, own: &str) -> Option<String> {
        [own, &self.name].into_iter().find_map(author)
    }
}

/// `name` as Discord takes it for the author of a webhook's message (Discord: "Usernames and Nicknames": 1 to 80
/// characters, without "clyde" and "discord", and none of the reserved words).
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

    #[rstest::rstest]
    #[case("Acme NOC", Some("Acme NOC"))]
    #[case("  Acme \t NOC ", Some("Acme NOC"))]
    #[case("Discord alerts", Some("NodeByte"))]
    #[case("Mr Clyde", Some("NodeByte"))]
    #[case("everyone", Some("NodeByte"))]
    #[case("", Some("NodeByte"))]
    fn the_webhooks_own_name_wins_where_discord_takes_it(#[case] own: &str, #[case] expected: Option<&str>) {
        let brand = Brand { name: "NodeByte".to_owned(), ..Brand::default() };
        assert_eq!(brand.author(own).as_deref(), expected);
        assert_eq!(Brand { name: "discord".to_owned(), ..brand }.author("@everyone"), None);
    }
}
