//! Where nuncio is, and the HTTP client that asks there: no redirects, no proxy, no tries of its own.

use std::fmt;
use std::sync::{Arc, OnceLock};

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::clock::Clock;

/// The length of an error text.
pub(crate) const ERROR_CHARS: usize = 500;

/// Where to send, and the key. It has no Debug of its own: the key is in no text.
#[derive(Clone)]
pub(crate) struct Address {
    /// Without a slash at its end.
    pub(crate) url: String,
    key: String,
    pub(crate) authorization: HeaderValue,
}

/// An address, or what is wrong with it: found when it is given, reported by each call.
pub(crate) struct Connection {
    pub(crate) to: Result<Address, String>,
    pub(crate) clock: Arc<dyn Clock>,
    http: OnceLock<Option<reqwest::Client>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.to.as_ref().map(|to| &to.url);
        f.debug_struct("Connection").field("url", &url).finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) fn new(url: &str, key: &str, clock: Arc<dyn Clock>) -> Self {
        Self { to: Address::new(url, key), clock, http: OnceLock::new() }
    }

    /// A connection to the same nuncio with HTTP connections of its own: they belong to the runtime that opened them.
    pub(crate) fn separate(&self) -> Self {
        Self { to: self.to.clone(), clock: self.clock.clone(), http: OnceLock::new() }
    }

    /// Created at the first call: that loads the system's certificates. `None` if TLS cannot be set up.
    pub(crate) fn http(&self) -> Option<&reqwest::Client> {
        let create = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("nuncio-client/", env!("CARGO_PKG_VERSION")))
                // The key goes to nuncio and to nobody that a redirect or the environment names.
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                // The tries are ours.
                .retry(reqwest::retry::never());
            builder.build().ok()
        };
        self.http.get_or_init(create).as_ref()
    }
}

impl Address {
    fn new(url: &str, key: &str) -> Result<Self, String> {
        let mut faults = Vec::new();
        let address = web_address(url);
        if url.is_empty() {
            faults
                .push("NUNCIO_URL is not set. Set it to nuncio's address, for example http://localhost:3000");
        } else if address.is_none() {
            faults.push(
                "NUNCIO_URL is not an address like https://nuncio.example.com (no user, password, ? or #)",
            );
        }
        let mut authorization = None;
        if key.is_empty() {
            faults.push("NUNCIO_API_KEY is not set. Set it to a key of `nuncio keys create`");
        } else {
            let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic());
            authorization = HeaderValue::try_from(format!("Bearer {key}")).ok().filter(|_| is_plain);
            if authorization.is_none() {
                faults.push("NUNCIO_API_KEY has a line break or a letter that no key has. Copy it again");
            }
        }
        match (address, authorization) {
            (Some(url), Some(mut authorization)) => {
                authorization.set_sensitive(true);
                Ok(Self { url, key: key.to_owned(), authorization })
            }
            _ => Err(faults.join(". ")),
        }
    }

    /// Text for a person: without the key and control characters, a line or two long.
    pub(crate) fn clean(&self, text: &str) -> String {
        let is_control = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let mut cleaned = String::new();
        let mut was_control = false;
        for c in text.replace(&self.key, "[key]").chars().take(ERROR_CHARS * 8) {
            if !is_control(c) {
                cleaned.push(c);
            } else if !was_control {
                cleaned.push(' ');
            }
            was_control = is_control(c);
        }
        cleaned.chars().take(ERROR_CHARS).collect()
    }
}

fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_plain.then(|| url.as_str().trim_end_matches('/').to_owned())
}
