//! The base URL of Discord's API: `DISCORD_API_URL`.

use reqwest::Url;

use crate::config::report::InvalidValue;

const SHAPE: &str =
    "It looks like https://discord.com/api/v10, or like http://127.0.0.1:4000/api for a sandbox or a proxy.";

/// The base URL of Discord's API, `<origin>[/prefix]/api[/v10]`, in the two forms its users need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordBase {
    /// `<origin>[/prefix]`, without a trailing slash.
    proxy: String,
    is_encrypted: bool,
    is_loopback: bool,
}

impl DiscordBase {
    /// The base URL of Discord itself.
    #[must_use]
    pub fn discord() -> Self {
        Self { proxy: "https://discord.com".to_owned(), is_encrypted: true, is_loopback: false }
    }

    /// Parses a URL with or without `/v10` and a trailing slash.
    ///
    /// # Errors
    /// If it is not an http(s) URL, does not end with `/api` or `/api/v10`, or has credentials, a query or a
    /// fragment. The error does not contain the URL.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let url = http_url(text).map_err(|what| InvalidValue::new(what, SHAPE))?;
        let path = url.path().trim_end_matches('/');
        let (base, version) = match path.rsplit_once('/') {
            Some((base, last)) if is_version(last) => (base, Some(last)),
            _ => (path, None),
        };
        if version.is_some_and(|version| version != "v10") {
            return Err(InvalidValue::new("names a version of the API other than v10", SHAPE));
        }
        let prefix = base
            .strip_suffix("/api")
            .ok_or_else(|| InvalidValue::new("does not end with /api or /api/v10", SHAPE))?;
        Ok(Self {
            proxy: format!("{}{prefix}", url.origin().ascii_serialization()),
            is_encrypted: url.scheme() == "https",
            is_loopback: is_loopback(&url),
        })
    }

    /// The prefix of paths like `/channels/…`: `<origin>[/prefix]/api/v10`.
    #[must_use]
    pub fn rest(&self) -> String {
        format!("{}/api/v10", self.proxy)
    }

    /// The replacement for `https://discord.com`: `<origin>[/prefix]`.
    #[must_use]
    pub fn proxy(&self) -> String {
        self.proxy.clone()
    }

    /// The host name as people know it: `discord.com`.
    #[must_use]
    pub fn host(&self) -> String {
        let url = Url::parse(&self.rest()).ok();
        url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned()
    }

    /// Whether it is Discord itself. Any other host may be a proxy to Discord, or a Discord-compatible server.
    #[must_use]
    pub fn is_discord(&self) -> bool {
        *self == Self::discord()
    }

    /// Whether it is on this machine, so that nothing sent there can leave it.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether `url` may be the gateway for this base: an encrypted WebSocket URL, or one on this machine if
    /// the base is on this machine. The token is sent there.
    #[must_use]
    pub fn may_lead_to(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        match url.scheme() {
            "wss" => !self.is_loopback || is_loopback(&url),
            "ws" => is_loopback(&url) || (!self.is_loopback && !self.is_encrypted),
            _ => false,
        }
    }

    /// Whether the bot's token is sent there unencrypted.
    #[must_use]
    pub const fn exposes_token(&self) -> bool {
        !self.is_encrypted && !self.is_loopback
    }
}

/// Parses an http(s) URL without credentials, query or fragment. The error is the end of a sentence.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a web address ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("does not begin with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("holds a ? or a #".to_owned());
    }
    Ok(url)
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("https://discord.com/api/v10", "https://discord.com", false)]
    #[case("https://discord.com/api", "https://discord.com", false)]
    #[case("https://discord.com:443/api/v10/", "https://discord.com", false)]
    #[case("http://127.0.0.1:4000/api", "http://127.0.0.1:4000", true)]
    #[case("http://[::1]:4000/api/v10", "http://[::1]:4000", true)]
    #[case("http://localhost/nirn/proxy/api/v10", "http://localhost/nirn/proxy", true)]
    #[case("http://proxy.internal:8080/api", "http://proxy.internal:8080", false)]
    #[case("http://127.0.0.1.example.com/api", "http://127.0.0.1.example.com", false)]
    fn bases(#[case] text: &str, #[case] proxy: &str, #[case] is_loopback: bool) {
        let base = DiscordBase::parse(text).unwrap();
        assert_eq!(base.proxy(), proxy);
        assert_eq!(base.rest(), format!("{proxy}/api/v10"));
        assert_eq!(base.is_loopback(), is_loopback);
    }

    #[rstest::rstest]
    #[case("discord.com/api")]
    #[case("ftp://discord.com/api")]
    #[case("https://discord.com")]
    #[case("https://discord.com/api/v9")]
    #[case("https://discord.com/apiv10")]
    #[case("https://canary@discord.com/api")]
    #[case("https://discord.com/api?canary")]
    #[case("https://discord.com/api#canary")]
    fn refused(#[case] text: &str) {
        let wrong = DiscordBase::parse(text).unwrap_err();
        assert!(!format!("{wrong:?}").contains("canary"));
    }

    #[rstest::rstest]
    #[case("https://discord.com/api", "wss://gateway.discord.gg", true)]
    #[case("https://discord.com/api", "ws://gateway.discord.gg", false)]
    #[case("http://proxy.internal/api", "wss://gateway.discord.gg", true)]
    #[case("http://proxy.internal/api", "ws://proxy.internal/gateway", true)]
    #[case("http://127.0.0.1:4000/api", "ws://127.0.0.1:4000/gateway", true)]
    #[case("http://127.0.0.1:4000/api", "wss://gateway.discord.gg", false)]
    #[case("http://127.0.0.1:4000/api", "ws://127.0.0.1.example.com", false)]
    #[case("http://127.0.0.1:4000/api", "gateway", false)]
    fn gateways(#[case] base: &str, #[case] url: &str, #[case] allowed: bool) {
        assert_eq!(DiscordBase::parse(base).unwrap().may_lead_to(url), allowed);
    }

    #[test]
    fn a_token_is_exposed_only_in_the_clear_and_outside() {
        assert!(!DiscordBase::discord().exposes_token());
        assert!(!DiscordBase::parse("http://127.1/api").unwrap().exposes_token());
        assert!(DiscordBase::parse("http://proxy.internal/api").unwrap().exposes_token());
    }
}
