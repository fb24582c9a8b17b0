//! What a stored webhook may be called, and which values fit together.

use crate::hub::error::{Error, Result};
use crate::model::{NewWebhook, Scope};
use crate::outgoing::guard::{Guard, Schemes};

/// Longest name in characters (Discord: "Create Webhook", `name`).
const MAX_NAME: usize = 80;
const MAX_OWNER: usize = 100;
const MAX_DESCRIPTION: usize = 400;

/// Checks the details of a webhook; the first fault.
pub(super) fn check(about: &NewWebhook) -> Result<()> {
    faults(about).into_iter().next().map_or(Ok(()), Err)
}

/// All that is wrong with the details of a webhook.
pub(super) fn faults(about: &NewWebhook) -> Vec<Error> {
    let mut faults = Vec::new();
    let mut invalid = |field, sentence: String| faults.push(Error::invalid(field, sentence));
    // All of them appear in lists, logs and cards.
    let is_address = |text: &str| text.to_ascii_lowercase().contains("/webhooks/");
    let shown = [
        ("name", about.name.as_str()),
        ("description", about.description.as_str()),
        ("user_id", about.owner.as_str()),
        ("company_id", about.company.as_str()),
        ("avatar_url", about.avatar_url.as_deref().unwrap_or_default()),
    ];
    for (field, _) in shown.into_iter().filter(|(_, text)| is_address(text)) {
        invalid(
            field,
            "That holds the address of a webhook, which is a password: a name, description or owner is shown to many. Give \
             the address when asked for it, or on standard input, and if others may have read it, make a new webhook."
                .to_owned(),
        );
    }
    let fits = |text: &str, most| text.chars().count() <= most && !text.chars().any(is_invisible);
    if about.name.trim().is_empty() || !fits(&about.name, MAX_NAME) {
        invalid("name", format!("A name has 1 to {MAX_NAME} characters, all of them visible."));
    }
    if !fits(&about.description, MAX_DESCRIPTION) {
        invalid(
            "description",
            format!("A description has at most {MAX_DESCRIPTION} characters, in one line."),
        );
    }
    if !fits(&about.owner, MAX_OWNER) {
        invalid("user_id", format!("An owner's id has at most {MAX_OWNER} characters."));
    }
    if !fits(&about.company, MAX_OWNER) {
        invalid("company_id", format!("A company's id has at most {MAX_OWNER} characters."));
    }
    if about.scope == Scope::User && about.owner.is_empty() {
        invalid(
            "user_id",
            "A webhook of scope USER needs its owner's id: user_id, or --owner at the shell.".to_owned(),
        );
    }
    if let Some(url) = &about.avatar_url
        // Discord fetches it, from outside: what this network allows does not count.
        && let Err(why) = Guard::default().check(url, Schemes::Https)
    {
        invalid("avatar_url", format!("Discord cannot show this icon: {why}."));
    }
    faults
}

/// Characters that nobody sees, or that turn the text around them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("Acme alerts", Scope::Admin, "", "", true)]
    #[case("Acme alerts", Scope::User, "u-1", "for the night", true)]
    #[case("Acme alerts", Scope::User, "", "", false)]
    #[case("", Scope::Admin, "", "", false)]
    #[case("https://discord.com/api/webhooks/1/t", Scope::Admin, "", "", false)]
    #[case("Acme", Scope::Admin, "", "see https://discord.com/api/Webhooks/1/t", false)]
    #[case(" ", Scope::Admin, "", "", false)]
    #[case("a\u{1b}[2J", Scope::Admin, "", "", false)]
    #[case("Acme\u{202e}emca", Scope::Admin, "", "", false)]
    #[case("Ac\u{200b}me", Scope::Admin, "", "", false)]
    #[case("Acme", Scope::Admin, "a\nb", "", false)]
    #[case("Acme", Scope::Admin, "", "a\nb", false)]
    fn what_is_stored_is_checked(
        #[case] name: &str,
        #[case] scope: Scope,
        #[case] owner: &str,
        #[case] description: &str,
        #[case] fits: bool,
    ) {
        let (owner, description) = (owner.to_owned(), description.to_owned());
        let about = NewWebhook { scope, owner, description, ..NewWebhook::named(name) };
        assert_eq!(check(&about).is_ok(), fits);
        assert!(check(&NewWebhook { name: "x".repeat(81), ..about }).is_err());
    }

    // the icon is never fetched here, and never one of ours.
    #[rstest::rstest]
    #[case("https://icons.example/a.png", true)]
    #[case("http://icons.example/a.png", false)]
    #[case("https://127.0.0.1/a.png", false)]
    #[case("https://2130706433/a.png", false)]
    #[case("https://user:pass@icons.example/a.png", false)]
    #[case("javascript:alert(1)", false)]
    fn an_icon_is_a_public_address(#[case] url: &str, #[case] fits: bool) {
        let about = NewWebhook { avatar_url: Some(url.to_owned()), ..NewWebhook::named("Acme") };
        assert_eq!(check(&about).is_ok(), fits);
    }
}
