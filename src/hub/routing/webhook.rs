//! Stored Discord webhooks as use cases: add, list, replace the address, remove. The caller has already parsed the
//! address strictly.

use crate::hub::error::{Conflict, Error, Result};
use crate::hub::{Hub, Problem, ProblemCode};
use crate::model::{
    By, DestinationId, LostWebhook, NewWebhook, Scope, StoredWebhook, WebhookMark, WebhookUrl,
};
use crate::store::{self, StoreOutcome};

/// Longest name in characters (Discord: "Create Webhook", `name`).
const MAX_NAME: usize = 80;
const MAX_OWNER: usize = 100;
const MAX_DESCRIPTION: usize = 400;

/// The problem of a stored webhook that Discord no longer accepts messages for.
#[must_use]
pub fn lost_webhook(id: DestinationId, name: &str, mark: &WebhookMark, lost: LostWebhook) -> Problem {
    let found = match lost {
        LostWebhook::Deleted => {
            format!("The stored webhook \"{name}\" ({mark}) was deleted in Discord: nothing arrives there")
        }
        LostWebhook::TokenRefused => format!(
            "Discord refuses the token of the stored webhook \"{name}\" ({mark}): it was made anew or mistyped, and nothing \
             arrives there"
        ),
    };
    Problem::with_remedy(ProblemCode::WebhookLost, found, replace_webhook(id))
}

/// Remedy for a stored webhook that is permanently unusable.
#[must_use]
pub fn replace_webhook(id: DestinationId) -> String {
    format!(
        "Make a new webhook in Discord (Edit Channel, Integrations, Webhooks, New Webhook, Copy Webhook URL), then run: nuncio \
         discord-webhooks replace {id} (it asks for the address). If it is not needed: nuncio discord-webhooks remove {id}"
    )
}

impl Hub {
    /// The stored webhooks that the map names and that are enabled, oldest first.
    pub async fn webhooks_in_use(&self) -> store::Result<Vec<StoredWebhook>> {
        let mut webhooks = self.0.store.webhooks().await?;
        let in_use = self.0.routing.now().in_use();
        webhooks
            .retain(|webhook| webhook.enabled && webhook.closed.is_none() && in_use.contains(&webhook.id));
        Ok(webhooks)
    }

    /// Stores a webhook. From then on, the map may name its destination.
    ///
    /// # Errors
    /// [`Conflict::Stored`] if its address is already stored for the same owner; [`Error::Invalid`],
    /// [`Error::Forbidden`].
    pub async fn add_webhook(&self, about: NewWebhook, url: &WebhookUrl, by: &By) -> Result<DestinationId> {
        let subject = url.mark().to_string();
        self.authorize(by, &subject).await?;
        if let Err(error) = check(&about) {
            return Err(self.refused(by, &subject, error).await);
        }
        let id = DestinationId::new();
        match kept(self.0.store.add_webhook(id, about, url, by.clone()).await?) {
            Ok(()) => Ok(id),
            Err(error) => Err(self.refused(by, &subject, error).await),
        }
    }

    /// All stored webhooks, oldest first.
    pub async fn webhooks(&self) -> store::Result<Vec<StoredWebhook>> {
        self.0.store.webhooks().await
    }

    /// Resolves a webhook by its full id, by the id's last characters as lists show them, or by a unique name.
    ///
    /// # Errors
    /// [`Error::NotFound`] if none matches, [`Conflict::Ambiguous`] if several do.
    pub async fn webhook_named(&self, text: &str) -> Result<StoredWebhook> {
        let text = text.trim();
        let mut found = self.webhooks().await?;
        found.retain(|webhook| {
            let id = webhook.id.to_string();
            id == text || webhook.id.short() == text.to_ascii_lowercase() || webhook.about.name == text
        });
        // A full id wins, whatever other webhooks are named.
        if let Some(whole) = found.iter().position(|webhook| webhook.id.to_string() == text) {
            return Ok(found.swap_remove(whole));
        }
        match found.pop() {
            Some(one) if found.is_empty() => Ok(one),
            Some(last) => {
                found.push(last);
                Err(Conflict::Ambiguous(found.iter().map(|webhook| webhook.id).collect()).into())
            }
            None => Err(unknown()),
        }
    }

    /// Replaces a webhook's address. A running `nuncio serve` sends its waiting deliveries within a second.
    ///
    /// # Errors
    /// [`Conflict::Stored`] if another destination has that address; [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn replace_webhook(&self, id: DestinationId, url: &WebhookUrl, by: &By) -> Result<()> {
        let subject = url.mark().to_string();
        self.authorize(by, &subject).await?;
        match kept(self.0.store.replace_webhook(id, url, by.clone()).await?) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.refused(by, &subject, error).await),
        }
    }

    /// Removes a webhook; returns how many deliveries were canceled. It cannot be redelivered to.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none; [`Error::Forbidden`].
    pub async fn remove_webhook(&self, id: DestinationId, by: &By) -> Result<u64> {
        let subject = id.to_string();
        self.authorize(by, &subject).await?;
        if !self.0.store.remove_webhook(id, by.clone()).await? {
            return Err(self.refused(by, &subject, unknown()).await);
        }
        Ok(self.cancel_removed().await?)
    }

    /// Cancels deliveries that wait for removed destinations; returns how many.
    pub async fn cancel_removed(&self) -> store::Result<u64> {
        let mut all = 0;
        loop {
            let some = self.0.store.cancel_removed().await?;
            if some == 0 {
                if all > 0 {
                    self.progressed();
                }
                return Ok(all);
            }
            all += some;
        }
    }
}

fn kept(kept: StoreOutcome) -> Result<()> {
    match kept {
        StoreOutcome::Stored => Ok(()),
        StoreOutcome::Known(id) => Err(Conflict::Stored(id).into()),
        StoreOutcome::NotFound => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::NotFound(
        "there is no stored webhook of that id: nuncio discord-webhooks list shows them".to_owned(),
    )
}

fn check(about: &NewWebhook) -> Result<()> {
    let invalid = |field, sentence: String| Err(Error::invalid(field, sentence));
    // Names and descriptions appear in lists, logs and cards.
    let is_address = |text: &String| text.to_ascii_lowercase().contains("/webhooks/");
    if [&about.name, &about.description, &about.owner].into_iter().any(is_address) {
        return invalid(
            "name",
            "That holds the address of a webhook, which is a password: a name, description or owner is shown to many. Give \
             the address when asked for it, or on standard input, and if others may have read it, make a new webhook."
                .to_owned(),
        );
    }
    let fits = |text: &str, most| text.chars().count() <= most && !text.chars().any(char::is_control);
    if about.name.trim().is_empty() || !fits(&about.name, MAX_NAME) {
        return invalid("name", format!("A name has 1 to {MAX_NAME} characters, all of them visible."));
    }
    if !fits(&about.description, MAX_DESCRIPTION) {
        return invalid(
            "description",
            format!("A description has at most {MAX_DESCRIPTION} characters, in one line."),
        );
    }
    if !fits(&about.owner, MAX_OWNER) {
        return invalid("owner", format!("An owner's id has at most {MAX_OWNER} characters."));
    }
    if about.scope == Scope::User && about.owner.is_empty() {
        return invalid("owner", "--scope USER needs --owner USER_ID.".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Category;

    #[rstest::rstest]
    #[case("Acme alerts", Scope::Admin, "", "", true)]
    #[case("Acme alerts", Scope::User, "u-1", "for the night", true)]
    #[case("Acme alerts", Scope::User, "", "", false)]
    #[case("", Scope::Admin, "", "", false)]
    #[case("https://discord.com/api/webhooks/1/t", Scope::Admin, "", "", false)]
    #[case("Acme", Scope::Admin, "", "see https://discord.com/api/Webhooks/1/t", false)]
    #[case(" ", Scope::Admin, "", "", false)]
    #[case("a\u{1b}[2J", Scope::Admin, "", "", false)]
    #[case("Acme", Scope::Admin, "a\nb", "", false)]
    #[case("Acme", Scope::Admin, "", "a\nb", false)]
    fn what_is_stored_is_checked(
        #[case] name: &str,
        #[case] scope: Scope,
        #[case] owner: &str,
        #[case] description: &str,
        #[case] fits: bool,
    ) {
        let (name, owner, description) = (name.to_owned(), owner.to_owned(), description.to_owned());
        let about = NewWebhook { name, category: Category::Custom, scope, owner, description };
        assert_eq!(check(&about).is_ok(), fits);
        assert!(check(&NewWebhook { name: "x".repeat(81), ..about }).is_err());
    }
}
