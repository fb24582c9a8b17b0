//! The SSRF guard: requests to an address that somebody else named (an endpoint, an icon) reach only the public internet.
//!
//! It checks twice. The text is checked when it is saved and again before each request, for a client connects to a
//! literal address without asking any resolver. A name is resolved once, by the client's own resolver: it removes every
//! address that is not public, and the connection goes to what remains, so a second answer of the name server cannot lead
//! anywhere else. Whatever cannot be decided is refused. Redirects are not followed and no proxy is used.
//!
//! Requests to Discord do not pass it: they go to `DISCORD_API_URL`, which the operator sets.

mod networks;
mod resolver;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::{Method, RequestBuilder, Url};

use crate::outgoing::{CONNECT_DEADLINE, USER_AGENT, builder};

pub use resolver::Lookup;

/// Longest URL that is accepted.
const LONGEST: usize = 2048;
/// Ports of services that are not HTTP, above the privileged ones: an HTTP request must not be able to command them.
const NOT_HTTP: [u16; 24] = [
    1080, 1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 3306, 3389, 3659, 4045, 5060, 5061, 5432,
    5984, 6000, 6379, 9042, 9200, 11211, 27017,
];
/// Names of the metadata services of cloud machines, which hand out credentials.
const METADATA: [&str; 3] = ["metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"];

/// Why a target is refused. Names neither the target nor what its name resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockedTarget {
    /// Not a URL, too long, or written so that programs read it differently.
    #[error("it is not a web address as browsers show it")]
    Malformed,
    /// Another scheme.
    #[error("it does not begin with https://")]
    Scheme,
    /// A user name or password.
    #[error("it holds a user name or a password")]
    Credentials,
    /// A port of another service.
    #[error("its port is not one of a web server")]
    Port,
    /// Not a public address.
    #[error(
        "blocked_address: it leads into a private network. ALLOW_PRIVATE_TARGETS names the networks that may be reached"
    )]
    Address,
    /// The name could not be resolved: refused as well.
    #[error("its name cannot be resolved")]
    Unresolved,
}

/// Which schemes are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// `https` only.
    Https,
    /// `http`, too.
    HttpToo,
}

/// Decides which targets may be reached. The default allows only the public internet.
#[derive(Clone, Debug, Default)]
pub struct Guard(Arc<GuardRules>);

#[derive(Debug, Default)]
struct GuardRules {
    allowed: Vec<IpNet>,
    /// Where nuncio itself listens.
    own: Option<SocketAddr>,
    lookup: Lookup,
}

impl Guard {
    /// A guard that also allows the networks of `ALLOW_PRIVATE_TARGETS`, and nuncio's own listener.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>, own: Option<SocketAddr>) -> Self {
        Self::with_lookup(allowed, own, Lookup::default())
    }

    /// A guard with another name service.
    #[must_use]
    pub fn with_lookup(allowed: Vec<IpNet>, own: Option<SocketAddr>, lookup: Lookup) -> Self {
        Self(Arc::new(GuardRules { allowed, own, lookup }))
    }

    /// Checks a target as far as its text says where it leads. A name is checked when it is resolved.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn check(&self, text: &str, schemes: Schemes) -> Result<Url, BlockedTarget> {
        // Parsers drop tabs and line breaks, and some read a backslash as a slash: then two programs see two hosts.
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.len() > LONGEST || text.chars().any(is_odd) {
            return Err(BlockedTarget::Malformed);
        }
        let url = Url::parse(text).map_err(|_| BlockedTarget::Malformed)?;
        match (url.scheme(), schemes) {
            ("https", _) | ("http", Schemes::HttpToo) => {}
            _ => return Err(BlockedTarget::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BlockedTarget::Credentials);
        }
        let host = url.host_str().ok_or(BlockedTarget::Malformed)?;
        let port = url.port_or_known_default().ok_or(BlockedTarget::Port)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(ip) if !self.allows(ip, port) => return Err(BlockedTarget::Address),
            Ok(_) => {}
            // Names that end with a dot pass lists of names.
            Err(_) if host.ends_with('.') => return Err(BlockedTarget::Malformed),
            Err(_) => self.check_name(host, port)?,
        }
        if !self.is_own_port(port) && !is_web(port) {
            return Err(BlockedTarget::Port);
        }
        Ok(url)
    }

    /// A client whose requests all pass this guard, each with this deadline.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn client(&self, deadline: Duration) -> Result<GuardedClient, reqwest::Error> {
        let client = |to_own| {
            builder()
                .user_agent(USER_AGENT)
                .timeout(deadline)
                .connect_timeout(CONNECT_DEADLINE)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .dns_resolver(resolver::GuardedResolver { guard: self.clone(), to_own })
                .build()
        };
        Ok(GuardedClient {
            guard: self.clone(),
            outside: client(None)?,
            own: client(self.0.own.map(|own| own.port()))?,
        })
    }

    /// Whether a connection to `ip` may be made.
    fn allows(&self, ip: IpAddr, port: u16) -> bool {
        let ip = ip.to_canonical();
        networks::is_public(ip) || self.0.allowed.iter().any(|net| net.contains(&ip)) || self.is_own(ip, port)
    }

    /// Whether it is nuncio's own listener: on its address, or on this machine if it listens on all of them.
    fn is_own(&self, ip: IpAddr, port: u16) -> bool {
        self.0.own.is_some_and(|own| {
            let on_own = own.ip().to_canonical() == ip || (own.ip().is_unspecified() && ip.is_loopback());
            on_own && own.port() == port
        })
    }

    fn is_own_port(&self, port: u16) -> bool {
        self.0.own.is_some_and(|own| own.port() == port)
    }

    /// Refuses names that are known to lead inside. Every other name is decided by its addresses.
    fn check_name(&self, host: &str, port: u16) -> Result<(), BlockedTarget> {
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let loopback = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
        if METADATA.contains(&host) || (is_local && !loopback.into_iter().any(|ip| self.allows(ip, port))) {
            return Err(BlockedTarget::Address);
        }
        Ok(())
    }
}

/// A client for guarded requests.
#[derive(Clone, Debug)]
pub struct GuardedClient {
    guard: Guard,
    outside: reqwest::Client,
    /// For the port of nuncio's own listener: its resolver lets this machine through.
    own: reqwest::Client,
}

impl GuardedClient {
    /// A request to `target`, checked anew.
    ///
    /// # Errors
    /// The reason to refuse it.
    pub fn request(
        &self,
        method: Method,
        target: &str,
        schemes: Schemes,
    ) -> Result<RequestBuilder, BlockedTarget> {
        let url = self.guard.check(target, schemes)?;
        let is_own = url.port_or_known_default().is_some_and(|port| self.guard.is_own_port(port));
        let client = if is_own { &self.own } else { &self.outside };
        Ok(client.request(method, url))
    }
}

/// The guard's reason, if that is why a request was not sent.
#[must_use]
pub fn blocked(error: &reqwest::Error) -> Option<BlockedTarget> {
    std::iter::successors(std::error::Error::source(error), |inner| inner.source())
        .find_map(|source| source.downcast_ref::<BlockedTarget>().copied())
}

fn is_web(port: u16) -> bool {
    matches!(port, 80 | 443) || (port >= 1024 && !NOT_HTTP.contains(&port))
}
