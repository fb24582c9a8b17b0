//! XTSystems API client: typed calls in, parsed replies out.
//!
//! The client knows the platform's addresses and JSON shapes, and nothing about decisions, lanes or the store. It never
//! waits, never retries, never follows a redirect, and reads a reply only up to a limit. Nothing that it returns holds
//! the key.

mod call;
mod failure;
mod machine;
mod presence;
mod registrar;
mod registration;
mod shape;
mod ticket;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::XtSystemsConfig;
use crate::model::Calls;
use crate::outgoing::{Outgoing, USER_AGENT, is_local};
use crate::secret::Secret;

pub use call::CallReply;
pub use failure::CallFailure;
pub use presence::Presence;
pub use registrar::{NO_KEY, NO_SECRET, Registrar, Registration, RegistrationError, RegistrationRequest};
pub use registration::{NAME, Registered};
pub use ticket::{NewTicket, Ticket};
pub use webhook::{NewPlatformWebhook, PlatformDelivery, PlatformWebhook, PlatformWebhookChange, TestReport};

/// Timeout of a whole call, including the reply's body.
const DEADLINE: Duration = Duration::from_secs(15);

/// A client with one API key. Clones share it.
#[derive(Clone, Debug)]
pub struct XtSystemsClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Without a trailing slash.
    base: String,
    key: Secret,
    calls: Calls,
    clock: Clock,
    http: Outgoing,
}

impl XtSystemsClient {
    /// Creates a client for the configured platform; `None` without a key.
    #[must_use]
    pub fn new(config: &XtSystemsConfig, clock: Clock) -> Option<Self> {
        let key = config.api_key.clone()?;
        let (base, calls) = (config.api_url.clone(), config.calls.clone());
        let http = Outgoing::new(USER_AGENT, DEADLINE, is_local(&base));
        Some(Self(Arc::new(Inner { base, key, calls, clock, http })))
    }

    /// The configured paths of the calls for decisions and tickets.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// The platform's base URL, without credentials.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Whether the platform runs on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local(&self.0.base)
    }

    fn http_client(&self) -> Result<reqwest::Client, reqwest::Error> {
        self.0.http.client()
    }
}

#[cfg(test)]
mod tests;
