//! Which stored webhooks an API key sees, and which it may change.
//!
//! What a key may not see does not exist for it. PUBLIC webhooks are listed to every key of the company, without their
//! address; only admins change them. A key with an owner has the USER webhooks of that owner and nothing else.

use crate::hub::error::{Error, Result};
use crate::model::{ApiRole, NewWebhook, Principal, Scope, StoredWebhook, WebhookFilter};

/// How much of a webhook a key sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everything but its address.
    Whole,
    /// That it exists.
    Listed,
    /// Nothing.
    Hidden,
}

/// The webhooks that `principal` sees; all of them at the shell.
pub(super) fn visible(principal: Option<&Principal>) -> WebhookFilter {
    let audience = principal.and_then(|principal| match &principal.owner {
        Some(owner) => Some(owner.clone()),
        None if principal.may(ApiRole::Admin) => None,
        None => Some(String::new()),
    });
    let company = principal.and_then(|principal| principal.company.clone());
    WebhookFilter { company, audience, ..WebhookFilter::default() }
}

/// How much of `webhook` it sees.
pub(super) fn sight(principal: Option<&Principal>, webhook: &StoredWebhook) -> Sight {
    let Some(principal) = principal else { return Sight::Whole };
    if !principal.sees_company(&webhook.about.company) {
        return Sight::Hidden;
    }
    let is_own = match &principal.owner {
        Some(owner) => webhook.about.scope == Scope::User && webhook.about.owner == *owner,
        None => principal.may(ApiRole::Admin),
    };
    match webhook.about.scope {
        _ if is_own => Sight::Whole,
        Scope::Public => Sight::Listed,
        Scope::Admin | Scope::User => Sight::Hidden,
    }
}

/// The role that a key needs to change webhooks at all.
pub(super) fn needed(principal: &Principal) -> ApiRole {
    if principal.owner.is_some() { ApiRole::Sender } else { ApiRole::Admin }
}

/// What `about` becomes when `principal` stores it: its company and its owner are the key's. A key cannot give a webhook
/// to others, nor make it one of the administrators.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn within(principal: Option<&Principal>, about: NewWebhook) -> Result<NewWebhook> {
    let Some(principal) = principal else { return Ok(about) };
    let mut about = about;
    if let Some(company) = &principal.company {
        if !about.company.is_empty() && about.company != *company {
            let sentence = "This API key is of another company: leave company_id out.";
            return Err(Error::invalid("company_id", sentence));
        }
        about.company.clone_from(company);
    }
    if let Some(owner) = &principal.owner {
        if about.scope != Scope::User {
            let sentence = "This API key is one customer's: it stores webhooks of scope USER only.";
            return Err(Error::invalid("scope", sentence));
        }
        if !about.owner.is_empty() && about.owner != *owner {
            let sentence = "This API key is another customer's: leave user_id out.";
            return Err(Error::invalid("user_id", sentence));
        }
        about.owner.clone_from(owner);
    }
    Ok(about)
}
