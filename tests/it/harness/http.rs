//! The client of what the tests ask themselves.

use std::sync::LazyLock;

/// One for all tests: to make one reads the certificates of the system, which takes longer than most tests. It keeps
/// no connection, for each test has a runtime of its own.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    nuncio::outgoing::builder().no_proxy().pool_max_idle_per_host(0).build().expect("TLS can be set up")
});

pub fn http() -> &'static reqwest::Client {
    &CLIENT
}

/// In the environment of programs that call nothing but this machine: reading the certificates of the system takes
/// them longer than most of what they do.
pub const NO_CERTIFICATES: (&str, &str) = ("SSL_CERT_FILE", "/dev/null");
