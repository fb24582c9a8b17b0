//! API keys: who calls the API, and what they may do there.

use crate::clock::Timestamp;
use crate::model::api_token::ApiToken;
use crate::model::closed_set::closed_set;
use crate::model::{Actor, ApiKeyId};

closed_set! {
    /// What an API key may do. Each role includes the ones after it.
    ApiRole {
        /// Everything of its company: keys, stored webhooks, dispatches.
        Admin,
        /// Dispatches and sends events, and reads what it may see.
        Sender,
        /// Reads.
        Reader,
    }
}

impl ApiRole {
    /// The word in requests, answers and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Sender => "sender",
            Self::Reader => "reader",
        }
    }

    /// Parses the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether a key of this role may do what `needed` may do.
    #[must_use]
    pub const fn includes(self, needed: Self) -> bool {
        matches!(
            (self, needed),
            (Self::Admin, _) | (Self::Sender, Self::Sender | Self::Reader) | (Self::Reader, Self::Reader)
        )
    }
}

impl std::fmt::Display for ApiRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The authenticated caller of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The stored key; `None`: `NUNCIO_API_KEY`.
    pub key: Option<ApiKeyId>,
    /// The key's name.
    pub name: String,
    /// What the key may do.
    pub role: ApiRole,
    /// The company whose data it sees; `None`: all of them.
    pub company: Option<String>,
    /// The customer whose USER webhooks it sees, and nothing else; `None`: not limited to one.
    pub owner: Option<String>,
}

impl Principal {
    /// The holder of `NUNCIO_API_KEY`: admin of every company.
    #[must_use]
    pub fn bootstrap() -> Self {
        Self {
            key: None,
            name: "NUNCIO_API_KEY".to_owned(),
            role: ApiRole::Admin,
            company: None,
            owner: None,
        }
    }

    /// The actor of audit entries.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.key.map_or(Actor::ApiKey, |id| Actor::Key { id, name: self.name.clone() })
    }

    /// Whether it may do what keys of `needed` may do.
    #[must_use]
    pub const fn may(&self, needed: ApiRole) -> bool {
        self.role.includes(needed)
    }

    /// Whether it is an operator's: admin of everything, without a company or an owner.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.may(ApiRole::Admin) && self.company.is_none() && self.owner.is_none()
    }

    /// Whether it sees what belongs to `company` (empty: to none).
    #[must_use]
    pub fn sees_company(&self, company: &str) -> bool {
        self.company.as_deref().is_none_or(|own| own == company)
    }

    /// Whether it sees what belongs to the customer `owner` (empty: to none).
    #[must_use]
    pub fn sees_owner(&self, owner: &str) -> bool {
        self.owner.as_deref().is_none_or(|own| own == owner)
    }
}

/// What a key is for and what it may do, as its creator wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// Display name: who or what uses it.
    pub name: String,
    /// What it may do.
    pub role: ApiRole,
    /// See [`Principal::company`].
    pub company: Option<String>,
    /// See [`Principal::owner`].
    pub owner: Option<String>,
    /// From then on it is refused; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A stored key, without its text: that is shown once, when it is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub about: NewApiKey,
    /// The last characters of its text.
    pub ending: String,
    /// Display name of whoever created it.
    pub created_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// The key that replaces it, once it was rotated.
    pub replaced_by: Option<ApiKeyId>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

closed_set! {
    /// Whether a key is accepted.
    ApiKeyState {
        /// It is accepted.
        Active,
        /// It has expired.
        Expired,
        /// It was revoked.
        Revoked,
    }
}

impl ApiKeyState {
    /// The word in lists and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl StoredApiKey {
    /// Whether it is accepted at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ApiKeyState {
        if self.revoked_at.is_some() {
            ApiKeyState::Revoked
        } else if self.about.expires_at.is_some_and(|end| end <= now) {
            ApiKeyState::Expired
        } else {
            ApiKeyState::Active
        }
    }

    /// The caller that this key stands for.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal {
            key: Some(self.id),
            name: self.about.name.clone(),
            role: self.about.role,
            company: self.about.company.clone(),
            owner: self.about.owner.clone(),
        }
    }
}

/// A key that was just created, with its text: the only time that anybody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedApiKey {
    /// The key.
    pub key: StoredApiKey,
    /// Its text.
    pub token: ApiToken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_words_and_each_includes_the_ones_after_it() {
        for (index, role) in ApiRole::ALL.into_iter().enumerate() {
            assert_eq!(ApiRole::parse(role.as_str()), Some(role));
            for (other, needed) in ApiRole::ALL.into_iter().enumerate() {
                assert_eq!(role.includes(needed), index <= other, "{role} for {needed}");
            }
        }
        assert_eq!(ApiRole::parse("Admin"), None);
    }
}
