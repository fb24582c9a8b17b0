//! The outgoing HTTP clients, all created here: with deadlines, without redirects, and without a proxy
//! for targets on this machine; and the one reader of response bodies. It knows no URL, key or token.

mod body;
pub mod guard;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use native_tls::TlsConnector;

pub use body::{BodyError, BodyFault, NUNCIO_LIMIT, read_body};

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// The `User-Agent` of nuncio's requests.
pub const USER_AGENT: &str = concat!("nuncio/", env!("CARGO_PKG_VERSION"));

/// One for all clients: loading the system's certificates takes longer than everything else at start. Certificates that
/// are added while nuncio runs count after a restart.
static TLS: OnceLock<Option<TlsConnector>> = OnceLock::new();

fn connector() -> Option<&'static TlsConnector> {
    TLS.get_or_init(|| TlsConnector::new().ok()).as_ref()
}

/// Loads the system's certificates on a thread for blocking work. A server's tasks wait for it before their first
/// request: whichever of them loaded the certificates itself would hold up a worker thread, the others that need a client
/// would hold up the rest, and no sender would be answered for a tenth of a second.
pub async fn load_certificates() {
    if TLS.get().is_none() {
        // A panic there is repeated, and reported, by whoever builds a client.
        let _ = tokio::task::spawn_blocking(|| connector().is_some()).await;
    }
}

/// TLS with those certificates, for connections that are not HTTP. `None` if it cannot be set up.
pub fn tls() -> Option<TlsConnector> {
    connector().cloned()
}

/// The builder of every client of ours, in tests too: with the certificates that are loaded once.
pub fn builder() -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder();
    match connector() {
        Some(tls) => builder.tls_backend_preconfigured(tls.clone()),
        // `build` tries again, and returns the error.
        None => builder,
    }
}

/// A client that is created on first use, so that a command which sends nothing loads no certificates.
#[derive(Debug)]
pub struct Outgoing {
    user_agent: &'static str,
    deadline: Duration,
    to_this_machine: bool,
    http: Mutex<Option<reqwest::Client>>,
}

impl Outgoing {
    /// A client with this `User-Agent`, and a `deadline` for a whole request, including the response body.
    #[must_use]
    pub const fn new(user_agent: &'static str, deadline: Duration, to_this_machine: bool) -> Self {
        Self { user_agent, deadline, to_this_machine, http: Mutex::new(None) }
    }

    /// Returns the client, creating it if necessary.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn client(&self) -> Result<reqwest::Client, reqwest::Error> {
        if let Some(http) = &*self.http() {
            return Ok(http.clone());
        }
        let mut builder = builder()
            .user_agent(self.user_agent)
            .timeout(self.deadline)
            .connect_timeout(CONNECT_DEADLINE)
            .redirect(reqwest::redirect::Policy::none());
        if self.to_this_machine {
            // Targets on this machine must bypass HTTPS_PROXY.
            builder = builder.no_proxy();
        }
        let built = builder.build()?;
        Ok(self.http().get_or_insert(built).clone())
    }

    /// Reuses none of the connections open now. Requests in progress continue; later ones open new connections.
    pub fn drop_connections(&self) {
        *self.http() = None;
    }

    fn http(&self) -> MutexGuard<'_, Option<reqwest::Client>> {
        self.http.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `address` leads to this machine, as seen from this machine. (Where a token must not leave it, the stricter
/// `DiscordBase::is_loopback` decides.)
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

/// Why a request got no response, in plain words and without its URL: "connection refused".
#[must_use]
pub fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let sources = std::iter::successors(std::error::Error::source(error), |inner| inner.source());
    // Only the outermost error contains the URL.
    let text = sources.last().map_or_else(|| "the request failed".to_owned(), ToString::to_string);
    // "Connection refused (os error 111)"
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// OpenSSL's messages about invalid certificates, and what they mean. The first match counts.
const CERTIFICATES: &[(&str, &str)] = &[
    ("certificate has expired", "its certificate has expired"),
    (
        "certificate is not yet valid",
        "its certificate is not valid yet (or the clock of this machine is wrong)",
    ),
    ("hostname mismatch", "its certificate is for another name"),
    ("IP address mismatch", "its certificate is for another address"),
    (
        "self-signed certificate",
        "its certificate is signed by itself, and by nobody whom this machine trusts",
    ),
    (
        "self signed certificate",
        "its certificate is signed by itself, and by nobody whom this machine trusts",
    ),
    (
        "unable to get local issuer",
        "its certificate is signed by somebody whom this machine does not trust, or the chain is not whole",
    ),
    ("unable to verify the first", "its certificate's chain is not whole"),
    ("certificate verify failed", "its certificate is not valid"),
];

/// The problem with the server's certificate, if that is why there was no response.
#[must_use]
pub fn certificate_fault(error: &reqwest::Error) -> Option<&'static str> {
    let sources = std::iter::successors(std::error::Error::source(error), |inner| inner.source());
    fault_in(&sources.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

fn fault_in(text: &str) -> Option<&'static str> {
    CERTIFICATES.iter().find(|(said, _)| text.contains(said)).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("http://localhost:20437", true)]
    #[case("http://127.1", true)]
    #[case("http://[::1]:3000", true)]
    #[case("http://[::ffff:127.0.0.1]:3000", true)]
    #[case("http://0.0.0.0:3000", true)]
    #[case("http://nuncio.localhost", true)]
    #[case("https://xtsystems.example", false)]
    #[case("http://localhost.example", false)]
    #[case("http://10.0.0.1", false)]
    fn what_is_on_this_machine(#[case] address: &str, #[case] expected: bool) {
        assert_eq!(is_local(address), expected);
    }
}
