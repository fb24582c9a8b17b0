//! API keys as use cases: authenticate, create, list, revoke, rotate.
//!
//! A key with a company manages the keys of that company only; the others do not exist for it. A key with an owner
//! manages none.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::hub::error::{Conflict, Error, Result};
use crate::hub::{Hub, Refusal};
use crate::model::{
    ApiKeyId, ApiKeyState, ApiRole, ApiToken, By, Idempotent, IssuedApiKey, NewApiKey, Once, Principal,
    StoredApiKey,
};
use crate::secret::Secret;
use crate::signature;
use crate::store;

/// How long a rotated key is accepted beside its replacement, unless the caller says otherwise.
pub const KEY_OVERLAP: Duration = Duration::from_secs(24 * 3600);
/// The longest overlap: a rotation that takes longer is none.
pub const LONGEST_KEY_OVERLAP: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often the use of one key is recorded at most.
const USE_RECORDED: Duration = Duration::from_secs(60);
/// Longest name, company and owner, in characters.
const MAX_NAME: usize = 80;
const MAX_ID: usize = 100;

/// When each key's use was last recorded, by the time that this process has run.
#[derive(Default)]
pub(super) struct KeyUse(Mutex<HashMap<ApiKeyId, Duration>>);

impl KeyUse {
    /// Whether the use of `id` is to be recorded now.
    fn is_due(&self, id: ApiKeyId, now: Duration) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = used.get(&id).is_none_or(|at| now.saturating_sub(*at) >= USE_RECORDED);
        if is_due {
            used.insert(id, now);
        }
        is_due
    }
}

impl Hub {
    /// Who holds the API key `given`; `None` if it is none, or is no longer accepted. A key that was revoked anywhere is
    /// refused from then on: nothing is cached.
    pub async fn authenticate(&self, given: &Secret) -> store::Result<Option<Principal>> {
        if let Some(bootstrap) = self.0.live.api_key()
            && signature::same(&bootstrap, given.expose())
        {
            return Ok(Some(Principal::bootstrap()));
        }
        // The checksum keeps guesses away from the database.
        let Some(token) = ApiToken::parse(given) else { return Ok(None) };
        let Some(key) = self.0.store.api_key(&token.hash()).await? else { return Ok(None) };
        let state = key.state(self.0.clock.for_appointments().get());
        let is_due = self.0.keys.is_due(key.id, self.0.clock.elapsed());
        if state == ApiKeyState::Active {
            if is_due {
                self.0.store.note_api_key_used(key.id);
            }
            return Ok(Some(key.principal()));
        }
        if is_due {
            let (id, name) = (key.id, key.about.name);
            tracing::info!("a request with the {} API key \"{name}\" ({id}) was refused", state.as_str());
        }
        Ok(None)
    }

    /// Creates a key. Its text is in the result and nowhere else.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Forbidden`]; [`Conflict::OtherBody`] if the claim's key was used before.
    pub async fn create_key(
        &self,
        about: NewApiKey,
        once: Option<Once<IssuedApiKey>>,
        by: &By,
    ) -> Result<Idempotent<IssuedApiKey>> {
        let subject = format!("API key {}", about.name);
        self.authorize_keys(by, &subject).await?;
        let about = match self.checked_key(about, by.principal.as_ref()) {
            Ok(about) => about,
            Err(error) => return Err(self.refused(by, &subject, error).await),
        };
        let issued = self.issue(about, by);
        Ok(self.0.store.add_api_key(issued, once, by.clone()).await??)
    }

    /// The keys that `principal` may manage, oldest first; all of them at the shell.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if that key may not manage keys.
    pub async fn keys(&self, principal: Option<&Principal>) -> Result<Vec<StoredApiKey>> {
        principal.map_or(Ok(()), may_manage_keys).map_err(Error::Forbidden)?;
        let mut keys = self.0.store.api_keys().await?;
        keys.retain(|key| principal.is_none_or(|principal| sees(principal, key)));
        Ok(keys)
    }

    /// Finds a key by its full id, by the id's last characters as lists show them, or by a unique name. A key that is
    /// still accepted wins over ended ones of the same name.
    ///
    /// # Errors
    /// [`Error::NotFound`] if none matches, [`Conflict::AmbiguousKey`] if several do; [`Error::Forbidden`].
    pub async fn key_named(&self, text: &str, principal: Option<&Principal>) -> Result<StoredApiKey> {
        let text = text.trim();
        let mut found = self.keys(principal).await?;
        found.retain(|key| {
            key.id.to_string() == text
                || key.id.short() == text.to_ascii_lowercase()
                || key.about.name == text
        });
        if let Some(whole) = found.iter().position(|key| key.id.to_string() == text) {
            return Ok(found.swap_remove(whole));
        }
        let now = self.0.clock.for_appointments().get();
        let is_current =
            |key: &StoredApiKey| key.state(now) == ApiKeyState::Active && key.replaced_by.is_none();
        if found.iter().any(is_current) {
            found.retain(is_current);
        }
        match found.pop() {
            Some(one) if found.is_empty() => Ok(one),
            Some(last) => {
                found.push(last);
                Err(Conflict::AmbiguousKey(found.iter().map(|key| key.id).collect()).into())
            }
            None => Err(unknown_key()),
        }
    }

    /// Revokes a key: it is refused from the next request on. Returns `false` if it was revoked before.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn revoke_key(&self, id: ApiKeyId, by: &By) -> Result<bool> {
        let key = self.managed_key(id, by).await?;
        Ok(self.0.store.revoke_api_key(key.id, by.clone()).await?)
    }

    /// Replaces a key by a new one with the same rights. The old one is accepted for `overlap` more; zero: no longer. If
    /// the old key was made to expire, the new one lasts as long as that one did.
    ///
    /// # Errors
    /// [`Conflict::KeyEnded`] if the key is not accepted any more, or was replaced; [`Error::NotFound`],
    /// [`Error::Invalid`], [`Error::Forbidden`]; [`Conflict::OtherBody`] if the claim's key was used before.
    pub async fn rotate_key(
        &self,
        id: ApiKeyId,
        overlap: Duration,
        once: Option<Once<IssuedApiKey>>,
        by: &By,
    ) -> Result<Idempotent<IssuedApiKey>> {
        let old = self.managed_key(id, by).await?;
        let subject = format!("API key {}", old.about.name);
        if overlap > LONGEST_KEY_OVERLAP {
            let error = Error::invalid("overlap", "The old key is accepted for at most 30 days more.");
            return Err(self.refused(by, &subject, error).await);
        }
        let now = self.0.clock.now();
        let expires_at = old.about.expires_at.map(|end| now.plus(end.since(old.created_at)));
        let issued = self.issue(NewApiKey { expires_at, ..old.about }, by);
        let old_until = (!overlap.is_zero()).then(|| now.plus(overlap));
        match self.0.store.rotate_api_key(old.id, old_until, issued, once, by.clone()).await? {
            Some(rotated) => Ok(rotated?),
            None => Err(self.refused(by, &subject, Conflict::KeyEnded.into()).await),
        }
    }

    /// The key `id`, if whoever asks may manage it.
    async fn managed_key(&self, id: ApiKeyId, by: &By) -> Result<StoredApiKey> {
        let subject = id.to_string();
        self.authorize_keys(by, &subject).await?;
        let found = self.0.store.api_keys().await?.into_iter().find(|key| key.id == id);
        match found.filter(|key| by.principal.as_ref().is_none_or(|principal| sees(principal, key))) {
            Some(key) => Ok(key),
            None => Err(self.refused(by, &subject, unknown_key()).await),
        }
    }

    async fn authorize_keys(&self, by: &By, subject: &str) -> Result<()> {
        match by.principal.as_ref().map(may_manage_keys) {
            None => self.authorize(by, subject).await,
            Some(Ok(())) => Ok(()),
            Some(Err(refusal)) => Err(self.refused(by, subject, Error::Forbidden(refusal)).await),
        }
    }

    fn issue(&self, about: NewApiKey, by: &By) -> IssuedApiKey {
        let token = ApiToken::generate();
        let key = StoredApiKey {
            id: self.0.mint.next(self.0.clock.steady()),
            about,
            ending: token.ending(),
            created_by: by.actor.name().to_owned(),
            created_at: self.0.clock.now(),
            last_used_at: None,
            replaced_by: None,
            revoked_at: None,
        };
        IssuedApiKey { key, token }
    }

    /// Checks what a new key is for. A key of a company makes keys of that company.
    fn checked_key(&self, about: NewApiKey, principal: Option<&Principal>) -> Result<NewApiKey> {
        let own = principal.and_then(|principal| principal.company.clone());
        let company = about.company.map(|company| company.trim().to_owned()).filter(|id| !id.is_empty());
        let owner = about.owner.map(|owner| owner.trim().to_owned()).filter(|id| !id.is_empty());
        let fits = |text: &str, most| text.chars().count() <= most && !text.chars().any(char::is_control);
        let name = about.name.trim().to_owned();
        if name.is_empty() || !fits(&name, MAX_NAME) {
            let sentence = format!("A name has 1 to {MAX_NAME} characters, all of them visible.");
            return Err(Error::invalid("name", sentence));
        }
        // Names appear in lists and logs.
        if name.contains("nun_") {
            return Err(Error::invalid("name", "That looks like a key, which is a secret: give a name."));
        }
        if !company.as_deref().is_none_or(|id| fits(id, MAX_ID)) {
            let sentence = format!("A company's id has at most {MAX_ID} characters.");
            return Err(Error::invalid("company_id", sentence));
        }
        if !owner.as_deref().is_none_or(|id| fits(id, MAX_ID)) {
            return Err(Error::invalid("owner", format!("An owner's id has at most {MAX_ID} characters.")));
        }
        if own.is_some() && company.is_some() && company != own {
            let sentence = "A key of one company makes keys of that company only: leave it out.";
            return Err(Error::invalid("company_id", sentence));
        }
        if about.expires_at.is_some_and(|end| end <= self.0.clock.for_appointments().get()) {
            return Err(Error::invalid("expires_at", "The key would have expired already."));
        }
        Ok(NewApiKey { name, company: own.or(company), owner, ..about })
    }

    /// The time to compare the end of a key with.
    #[must_use]
    pub fn key_time(&self) -> Timestamp {
        self.0.clock.for_appointments().get()
    }
}

fn may_manage_keys(principal: &Principal) -> std::result::Result<(), Refusal> {
    if !principal.may(ApiRole::Admin) {
        Err(Refusal::NeedsRole(ApiRole::Admin))
    } else if principal.owner.is_some() {
        Err(Refusal::OwnersKey)
    } else {
        Ok(())
    }
}

fn sees(principal: &Principal, key: &StoredApiKey) -> bool {
    principal.sees_company(key.about.company.as_deref().unwrap_or_default())
}

fn unknown_key() -> Error {
    Error::NotFound("there is no API key of that id: nuncio keys list shows them".to_owned())
}
