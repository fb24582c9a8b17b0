//! The API and the dispatcher: `API_RATE_LIMIT`, `ADMIN_LISTEN`, `ALLOW_PRIVATE_TARGETS`, `DISPATCH_*`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::discord_base::http_url;
use crate::config::limits::{RateLimit, Scope, networks, rate};
use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::config::webhook::WebhookConfig;

/// Of the requests that a period allows, this part may come at once.
const BURST_PART: u32 = 3;
/// Discord: "Execute Webhook", `username`.
const MAX_NAME: usize = 80;
/// Discord: "Embed Limits", `footer.text`.
const MAX_FOOTER: usize = 2048;

/// Private networks that requests of nuncio may reach. Without any, an address that somebody gave us leads only to
/// public ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateTargets(Vec<IpNet>);

impl PrivateTargets {
    /// Allows these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// The networks.
    #[must_use]
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether `address` is in one of the networks. An IPv4-mapped IPv6 address counts as its IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// How dispatched messages look, where a stored webhook says nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branding {
    /// The name they come from.
    pub name: String,
    /// The picture beside the name.
    pub icon_url: Option<String>,
    /// The text of their footer: `DISPATCH_FOOTER`, else the name.
    pub footer: String,
}

impl Default for Branding {
    fn default() -> Self {
        Self { name: NAME.to_owned(), icon_url: None, footer: NAME.to_owned() }
    }
}

/// The settings of the API and the dispatcher. All but `admin_listen` can change while nuncio runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// The rate limit of each key. Every request counts.
    pub rate_limit: RateLimit,
    /// Another address for `/v1`, `/console`, `/docs`, `/openapi.json` and `/metrics`; `None`: the listener's own.
    pub admin_listen: Option<SocketAddr>,
    /// Private networks that may be reached.
    pub private_targets: PrivateTargets,
    /// How dispatched messages look.
    pub branding: Branding,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            rate_limit: RateLimit { burst: DEFAULT_BURST, refill: DEFAULT_REFILL, scope: Scope::All },
            admin_listen: None,
            private_targets: PrivateTargets::default(),
            branding: Branding::default(),
        }
    }
}

const NAME: &str = "nuncio";
/// `600/1m`.
const DEFAULT_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);
const DEFAULT_REFILL: Duration = Duration::from_millis(100);

impl ApiConfig {
    pub(super) fn read(reader: &mut Reader<'_>, webhook: &WebhookConfig) -> Self {
        let rate_limit = reader.or("API_RATE_LIMIT", Self::default().rate_limit, api_rate);
        let admin_listen = reader.optional("ADMIN_LISTEN", address);
        if admin_listen.is_some_and(|admin| {
            admin.port() != 0 && (admin.ip(), admin.port()) == (webhook.host, webhook.port)
        }) {
            let fix = "Name another port, or leave ADMIN_LISTEN out.";
            let wrong = InvalidValue::new("is the address of WEBHOOK_HOST and WEBHOOK_PORT", fix);
            reader.problem("ADMIN_LISTEN", wrong);
        }
        let private_targets = reader.or("ALLOW_PRIVATE_TARGETS", PrivateTargets::default(), |text| {
            networks(text).map(PrivateTargets)
        });
        if !private_targets.0.is_empty() {
            reader.note(
                "ALLOW_PRIVATE_TARGETS lets requests of nuncio reach private networks: whoever may give nuncio an address \
                 (a picture, an endpoint) can have it call what is there",
            );
        }
        let name = reader.or("DISPATCH_NAME", NAME.to_owned(), name);
        let icon_url = reader.optional("DISPATCH_ICON_URL", icon_url);
        let footer = reader.or("DISPATCH_FOOTER", name.clone(), footer);
        Self { rate_limit, admin_listen, private_targets, branding: Branding { name, icon_url, footer } }
    }
}

/// Parses `600/1m`: a third of it at once, then one more every 100 ms.
fn api_rate(text: &str) -> Result<RateLimit, InvalidValue> {
    let (count, refill) = rate(text)?;
    let burst = NonZeroU32::new(count.get().div_ceil(BURST_PART)).unwrap_or(count);
    Ok(RateLimit { burst, refill, scope: Scope::All })
}

fn address(text: &str) -> Result<SocketAddr, InvalidValue> {
    let text = text.trim();
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    local.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).or_else(|| text.parse().ok()).ok_or_else(
        || {
            InvalidValue::new(
                "is not an address with a port",
                "An IP address of this machine and a port: 127.0.0.1:3002, or [::1]:3002.",
            )
        },
    )
}

fn name(text: &str) -> Result<String, InvalidValue> {
    let text = one_line(text, MAX_NAME)?;
    let lower = text.to_lowercase();
    if ["discord", "clyde"].iter().any(|word| lower.contains(word)) {
        return Err(InvalidValue::new(
            "contains \"discord\" or \"clyde\", which Discord allows in no name",
            "Choose another name.",
        ));
    }
    Ok(text)
}

fn footer(text: &str) -> Result<String, InvalidValue> {
    one_line(text, MAX_FOOTER)
}

fn one_line(text: &str, most: usize) -> Result<String, InvalidValue> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        let fix = format!("At most {most} characters, in one line.");
        return Err(InvalidValue::new("is too long, or has several lines", fix));
    }
    Ok(text.to_owned())
}

fn icon_url(text: &str) -> Result<String, InvalidValue> {
    let fix = "The address of a picture that Discord can load: https://nuncio.example/icon.png.";
    // A picture's address may have a query.
    let plain = text.trim().split(['?', '#']).next().unwrap_or_default();
    http_url(plain).map_err(|what| InvalidValue::new(what, fix))?;
    let url = reqwest::Url::parse(text.trim())
        .map_err(|error| InvalidValue::new(format!("is not a web address ({error})"), fix))?;
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Variables};

    fn config(lines: &str) -> Config {
        let lines = format!("NUNCIO_API_KEY=0123456789abcdef\n{lines}");
        Config::from_variables(&Variables::from_dotenv(&lines)).unwrap()
    }

    fn problem(lines: &str) -> String {
        let lines = format!("NUNCIO_API_KEY=0123456789abcdef\n{lines}");
        let report = Config::from_variables(&Variables::from_dotenv(&lines)).unwrap_err();
        assert_eq!(report.problems.len(), 1, "{report}");
        format!("{} {}", report.problems[0].variable, report.problems[0].wrong.what)
    }

    #[test]
    fn the_defaults_are_what_the_example_says() {
        assert_eq!(api_rate("600/1m").unwrap(), ApiConfig::default().rate_limit);
        assert_eq!(config("").api, ApiConfig::default());
    }

    #[test]
    fn each_setting_arrives_with_its_type() {
        let lines = "API_RATE_LIMIT=60/1m\nADMIN_LISTEN=localhost:0\nALLOW_PRIVATE_TARGETS=10.0.0.0/8, fd00::/8\n\
                     DISPATCH_NAME=Acme Cloud\nDISPATCH_ICON_URL=https://acme.example/i.png?v=2\n";
        let found = config(lines);
        assert_eq!((found.api.rate_limit.burst.get(), found.api.rate_limit.refill.as_secs()), (20, 1));
        assert_eq!(found.api.admin_listen, Some(([127, 0, 0, 1], 0).into()));
        let targets = &found.api.private_targets;
        assert!(targets.contains("::ffff:10.1.2.3".parse().unwrap()) && targets.networks().len() == 2);
        assert!(!targets.contains("192.168.0.1".parse().unwrap()));
        let branding = &found.api.branding;
        assert_eq!((branding.name.as_str(), branding.footer.as_str()), ("Acme Cloud", "Acme Cloud"));
        assert_eq!(branding.icon_url.as_deref(), Some("https://acme.example/i.png?v=2"));
        assert!(found.notes[0].starts_with("ALLOW_PRIVATE_TARGETS lets"), "{:?}", found.notes);
        assert_eq!(config("DISPATCH_FOOTER=Acme status").api.branding.footer, "Acme status");
    }

    #[rstest::rstest]
    #[case("API_RATE_LIMIT=600", "API_RATE_LIMIT is not a rate")]
    #[case("ADMIN_LISTEN=3002", "ADMIN_LISTEN is not an address with a port")]
    #[case("ADMIN_LISTEN=0.0.0.0:3000", "ADMIN_LISTEN is the address of WEBHOOK_HOST and WEBHOOK_PORT")]
    #[case("ALLOW_PRIVATE_TARGETS=intranet", "ALLOW_PRIVATE_TARGETS is not a list of networks")]
    #[case(
        "DISPATCH_NAME=My Discord",
        "DISPATCH_NAME contains \"discord\" or \"clyde\", which Discord allows in no name"
    )]
    #[case(
        "DISPATCH_ICON_URL=/icon.png",
        "DISPATCH_ICON_URL is not a web address (relative URL without a base)"
    )]
    fn what_is_wrong_is_named(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(problem(line), expected);
    }
}
