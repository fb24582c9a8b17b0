//! The client of the platform's API: typed calls in, what was answered out.
//!
//! It knows the platform's addresses and shapes, and nothing of decisions, lanes or the store. It never waits and never
//! tries again, never follows a redirect, and reads only so much of an answer. Nothing it gives out holds the key.

mod call;
mod failure;
mod machine;
mod registration;
mod shape;
mod ticket;
mod webhook;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::XtSystems;
use crate::model::Calls;
use crate::secret::Secret;

pub use call::Reply;
pub use failure::Failure;
pub use registration::{NAME, Registered};
pub use ticket::{NewTicket, Ticket};
pub use webhook::{Delivery, NewWebhook, TestReport, Webhook, WebhookChange};

/// How long a call may take in all, the answer's body included.
const DEADLINE: Duration = Duration::from_secs(15);
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("nuncio/", env!("CARGO_PKG_VERSION"));

/// A client with one key. Clones share it.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Without a slash at its end.
    base: String,
    key: Secret,
    calls: Calls,
    clock: Clock,
    /// Made when it is first used: reading the system's certificates takes a while.
    http: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client for the configured platform; `None` without a key.
    #[must_use]
    pub fn new(config: &XtSystems, clock: Clock) -> Option<Self> {
        let key = config.api_key.clone()?;
        let (base, calls) = (config.api_url.clone(), config.calls.clone());
        Some(Self(Arc::new(Inner { base, key, calls, clock, http: OnceLock::new() })))
    }

    /// The calls that decisions and tickets become.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// Where the platform is: an address without credentials.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local(&self.0.base)
    }

    fn transport(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(http) = self.0.http.get() {
            return Ok(http);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(DEADLINE)
            .connect_timeout(CONNECT_DEADLINE)
            .redirect(reqwest::redirect::Policy::none());
        if self.is_local() {
            // What is on this machine is not reached through HTTPS_PROXY.
            builder = builder.no_proxy();
        }
        let built = builder.build()?;
        Ok(self.0.http.get_or_init(|| built))
    }
}

/// Whether `address` leads to this machine, as seen from this machine.
#[must_use]
pub fn is_local(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else { return false };
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests;
