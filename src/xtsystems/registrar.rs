//! Webhook registration on the platform, shared by `/register-webhook`, `POST /webhooks/register` and `nuncio webhooks
//! register`.

use std::sync::{Arc, PoisonError, RwLock};

use crate::secret::Secret;
use crate::xtsystems::{CallFailure, Registered, XtSystemsClient};

/// The error text when there is no key for the platform.
pub const NO_KEY: &str = "nuncio has no XTSYSTEMS_API_KEY, so it cannot ask XTSystems: set it in .env, restart nuncio, and \
     try again. Nothing was changed.";
/// The error text when there is no secret to sign events with.
pub const NO_SECRET: &str = "nuncio has no WEBHOOK_SECRET, so it takes no events of XTSystems: set it in .env, `kill -HUP` \
    nuncio or restart it, and try again. Nothing was changed.";
/// More than there are kinds of events.
const MOST_KINDS: usize = 50;
const LONGEST_KIND: usize = 100;
const LONGEST_COMPANY: usize = 100;
const LONGEST_ADDRESS: usize = 2000;

/// Registers nuncio's webhook on the platform.
#[derive(Clone, Debug)]
pub struct Registrar {
    platform: Option<XtSystemsClient>,
    url: String,
    secret: Arc<RwLock<Option<Secret>>>,
}

/// Options of a registration; omitted ones take the configured value.
#[derive(Clone, Debug, Default)]
pub struct RegistrationRequest {
    /// The target address, if not [`Registrar::url`].
    pub url: Option<String>,
    /// Kinds of events and patterns of them, if not all.
    pub events: Option<Vec<String>>,
    /// The id of the one customer whose events are sent; `None` for all.
    pub company: Option<String>,
}

impl RegistrationRequest {
    /// Validates every option, and normalizes the address.
    ///
    /// # Errors
    ///
    /// The option that cannot be sent to the platform.
    pub fn checked(self) -> Result<Self, RegistrationError> {
        let Self { url, events, company } = self;
        let events = events.map(|events| kinds(&events).ok_or(RegistrationError::NoKinds)).transpose()?;
        let url = url.map(|url| address(&url).ok_or(RegistrationError::NoAddress)).transpose()?;
        if company.as_deref().is_some_and(|company| !is_company(company)) {
            return Err(RegistrationError::NoCompany);
        }
        Ok(Self { url, events, company })
    }
}

/// A registration that was created or updated.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Whether it was created or updated, with its state on the platform.
    pub registered: Registered,
    /// The target address.
    pub url: String,
}

/// Why the registration failed, as a sentence for the caller.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The list holds an entry that is not a kind.
    #[error(
        "Those are not kinds of events. Name some like `ticket.created, ticket.*`, or leave them out for all."
    )]
    NoKinds,
    /// The address is not valid.
    #[error(
        "That is not an address for a webhook: one begins with http:// or https:// and holds no user name, ? or #. \
         Leave it out for nuncio's own. Nothing was changed."
    )]
    NoAddress,
    /// The customer's id is not valid.
    #[error("A company_id has 1 to {LONGEST_COMPANY} visible characters. Nothing was changed.")]
    NoCompany,
    /// There is no key for the platform.
    #[error("{NO_KEY}")]
    NoKey,
    /// There is no secret to sign events with.
    #[error("{NO_SECRET}")]
    NoSecret,
    /// The platform runs on another machine, and the address leads to this one.
    #[error(
        "XTSystems is not on this machine, so it cannot reach `localhost`: set PUBLIC_URL to an address that it can reach, \
         restart nuncio, and try again. Nothing was changed."
    )]
    OutOfReach,
    /// The platform refused or did not respond.
    #[error("Not registered. {0}.")]
    Failed(#[from] CallFailure),
}

impl Registrar {
    /// Creates a registrar for `platform`. By default, events go to `url`, signed with `secret`.
    #[must_use]
    pub fn new(platform: Option<XtSystemsClient>, url: String, secret: Option<Secret>) -> Self {
        Self { platform, url, secret: Arc::new(RwLock::new(secret)) }
    }

    /// Changes the secret for future registrations.
    pub fn sign_with(&self, secret: Option<Secret>) {
        *self.secret.write().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    /// Whether there is a secret to sign events with. Without one, nuncio takes none.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.secret.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The default target address of the platform's events.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Creates the webhook on the platform, or updates it.
    ///
    /// # Errors
    ///
    /// Why the registration failed.
    pub async fn register(&self, wanted: &RegistrationRequest) -> Result<Registration, RegistrationError> {
        let RegistrationRequest { url, events, company } = wanted.clone().checked()?;
        let events = events.unwrap_or_else(|| vec!["*".to_owned()]);
        let url = url.unwrap_or_else(|| self.url.clone());
        let platform = self.platform.as_ref().ok_or(RegistrationError::NoKey)?;
        if !platform.can_reach(&url) {
            return Err(RegistrationError::OutOfReach);
        }
        let secret = self.secret.read().unwrap_or_else(PoisonError::into_inner).clone();
        let secret = secret.ok_or(RegistrationError::NoSecret)?;
        let registered = platform.register(&url, &events, company.as_deref(), &secret).await?;
        Ok(Registration { registered, url })
    }
}

/// Validates a list of kinds and patterns; `None` if an entry is neither.
fn kinds(list: &[String]) -> Option<Vec<String>> {
    let is_kind = |part: &String| {
        (1..=LONGEST_KIND).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-*".contains(&byte))
    };
    let good = (1..=MOST_KINDS).contains(&list.len()) && list.iter().all(is_kind);
    good.then(|| list.to_vec())
}

/// Validates and normalizes an address for the platform.
fn address(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok().filter(|_| text.len() <= LONGEST_ADDRESS)?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_plain.then(|| url.to_string())
}

fn is_company(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= LONGEST_COMPANY
        && !text.chars().any(|char| char.is_control() || char.is_whitespace() && char != ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(&["*"], true)]
    #[case(&["ticket.created", "ticket.*", "c_d"], true)]
    #[case(&[], false)]
    #[case(&[""], false)]
    #[case(&["ticket.created; drop"], false)]
    #[case(&["`@everyone`"], false)]
    fn lists_of_kinds(#[case] list: &[&str], #[case] is_good: bool) {
        let list: Vec<String> = list.iter().map(|kind| (*kind).to_owned()).collect();
        assert_eq!(kinds(&list), is_good.then_some(list));
    }

    // D-10
    #[test]
    fn a_list_of_absurd_length_is_none() {
        assert_eq!(kinds(&["a".repeat(6000)]), None);
        assert_eq!(kinds(&vec!["a".to_owned(); 3000]), None);
    }

    // D-10: a registered address must not smuggle in credentials, a query or another scheme.
    #[rstest::rstest]
    #[case("https://nuncio.example/webhooks/xtsystems", Some("https://nuncio.example/webhooks/xtsystems"))]
    #[case("http://127.1:3000/x", Some("http://127.0.0.1:3000/x"))]
    #[case("https://nuncio.example", Some("https://nuncio.example/"))]
    #[case("https://user@nuncio.example/", None)]
    #[case("https://user:pass@nuncio.example/", None)]
    #[case("https://nuncio.example/?a=b", None)]
    #[case("https://nuncio.example/#a", None)]
    #[case("file:///etc/passwd", None)]
    #[case("ftp://nuncio.example/", None)]
    #[case("nuncio.example/webhooks", None)]
    #[case("", None)]
    fn addresses(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(address(text).as_deref(), expected);
    }

    #[test]
    fn an_address_of_absurd_length_is_none() {
        assert_eq!(address(&format!("https://nuncio.example/{}", "a".repeat(2000))), None);
    }

    #[rstest::rstest]
    #[case("acme-1", true)]
    #[case("", false)]
    #[case(" ", false)]
    #[case("a\nb", false)]
    fn companies(#[case] text: &str, #[case] is_good: bool) {
        assert_eq!(is_company(text), is_good);
    }
}
