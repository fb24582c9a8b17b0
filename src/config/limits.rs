//! The rate limit and trusted proxies: `RATE_LIMIT`, `RATE_LIMIT_SCOPE`, `TRUSTED_PROXIES`.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::reader::Reader;
use crate::config::report::InvalidValue;

/// The slowest and the fastest sensible refill: one more request per day, a thousand per second.
const REFILLS: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(24 * 3600);
/// The largest bucket.
const MAX_BURST: u32 = 1_000_000;

/// The rate limit per client address: a bucket of `burst` requests that regains one per `refill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Size of the bucket, in requests.
    pub burst: NonZeroU32,
    /// Time until one more request is allowed.
    pub refill: Duration,
    /// Which requests count.
    pub scope: Scope,
}

/// Which requests count against the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Requests that fail verification: a genuine sender is never refused, even if it shares its address with others.
    Unverified,
    /// All requests except those for `/health*`.
    All,
}

/// Networks of proxies whose forwarding headers are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// Whether `address` is in one of the networks. An IPv4-mapped IPv6 address counts as its IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Reads the limit and the proxies.
pub(super) fn read(reader: &mut Reader<'_>) -> (RateLimit, TrustedProxies) {
    let (burst, refill) = reader.or("RATE_LIMIT", (DEFAULT_BURST, DEFAULT_REFILL), rate);
    let scope = reader.or("RATE_LIMIT_SCOPE", Scope::Unverified, scope);
    let proxies = reader.or("TRUSTED_PROXIES", TrustedProxies::default(), proxies);
    if proxies.0.iter().any(|network| network.prefix_len() == 0) {
        reader.note(
            "TRUSTED_PROXIES trusts every address there is: anybody can choose the address that counts for RATE_LIMIT",
        );
    }
    (RateLimit { burst, refill, scope }, proxies)
}

/// `100/15m`, the default of the seeds.
const DEFAULT_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
const DEFAULT_REFILL: Duration = Duration::from_secs(9);

/// Parses `100/15m`: a hundred at once, then one per nine seconds.
pub(super) fn rate(text: &str) -> Result<(NonZeroU32, Duration), InvalidValue> {
    let fix = "A number of requests and a duration: 100/15m (the default), 20/1m, 1000/1h, 5/1s.";
    let parsed = text.split_once('/').and_then(|(count, span)| {
        let count: NonZeroU32 = digits(count)?.try_into().ok()?;
        Some((count, span_of(span)?.checked_div(count.get())?))
    });
    match parsed {
        None => Err(InvalidValue::new("is not a rate", fix)),
        Some((count, refill)) if count.get() > MAX_BURST || !REFILLS.contains(&refill) => {
            Err(InvalidValue::new("is too small or too large a rate", fix))
        }
        Some(rate) => Ok(rate),
    }
}

fn digits(text: &str) -> Option<u32> {
    let text = text.trim();
    // Digits first: "+5" would parse.
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Parses a duration: `15m`, `90s`.
pub(crate) fn span_of(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit);
    let seconds = match unit.trim() {
        "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    Some(Duration::from_secs(u64::from(digits(count)?) * seconds))
}

fn scope(text: &str) -> Result<Scope, InvalidValue> {
    match text.trim() {
        "unverified" => Ok(Scope::Unverified),
        "all" => Ok(Scope::All),
        _ => Err(InvalidValue::new(
            "is not a scope",
            "unverified (only requests that fail verification count) or all (every request does).",
        )),
    }
}

fn proxies(text: &str) -> Result<TrustedProxies, InvalidValue> {
    networks(text).map(TrustedProxies)
}

/// Parses a list of networks and addresses.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, InvalidValue> {
    let network = |text: &str| {
        text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).ok_or_else(|| {
            InvalidValue::new(
                "is not a list of networks",
                "Networks or addresses with commas between: 10.0.0.0/8, 192.168.1.5, fd00::/8.",
            )
        })
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("100/15m", Some((100, 9_000)))]
    #[case(" 5 / 1 s ", Some((5, 200)))]
    #[case("1/24h", Some((1, 86_400_000)))]
    #[case("1/2d", None)]
    #[case("1000000/1s", None)]
    #[case("0/15m", None)]
    #[case("+5/1m", None)]
    #[case("100/15", None)]
    #[case("100", None)]
    #[case("100/m", None)]
    #[case("4294967296/1h", None)]
    #[case("100/99999999999999999999h", None)]
    fn rates(#[case] text: &str, #[case] expected: Option<(u32, u64)>) {
        let found = rate(text).ok().map(|(burst, refill)| (burst.get(), refill.as_millis() as u64));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn the_default_is_what_the_example_says() {
        assert_eq!(rate("100/15m").unwrap(), (DEFAULT_BURST, DEFAULT_REFILL));
    }

    #[rstest::rstest]
    #[case("10.0.0.0/8, fd00::/8", "10.1.2.3", true)]
    #[case("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    #[case("10.0.0.0/8", "11.0.0.1", false)]
    #[case("192.168.1.5", "192.168.1.5", true)]
    #[case("192.168.1.5", "192.168.1.6", false)]
    #[case("", "127.0.0.1", false)]
    fn networks(#[case] list: &str, #[case] address: &str, #[case] is_trusted: bool) {
        assert_eq!(proxies(list).unwrap().contains(address.parse().unwrap()), is_trusted);
    }

    #[rstest::rstest]
    #[case("localhost")]
    #[case("10.0.0.0/33")]
    #[case("10.0.0.0/8;11.0.0.0/8")]
    fn no_networks(#[case] list: &str) {
        assert!(proxies(list).is_err());
    }

    #[test]
    fn trusting_everybody_is_told() {
        let lines = "WEBHOOK_SECRET=0123456789abcdef\nTRUSTED_PROXIES=0.0.0.0/0";
        let notes = crate::config::Config::from_variables(&crate::config::Variables::from_dotenv(lines))
            .unwrap()
            .notes;
        assert!(notes[0].starts_with("TRUSTED_PROXIES trusts every address"));
    }
}
