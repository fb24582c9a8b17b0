//! The listener for webhooks: `WEBHOOK_*`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config::discord_base::http_url;
use crate::config::reader::Reader;
use crate::config::report::{InvalidValue, Report, offer_secret};
use crate::config::variables::Variables;
use crate::secret::Secret;

const SECRET: &str = "WEBHOOK_SECRET";
const PREVIOUS: &str = "WEBHOOK_SECRET_PREVIOUS";
/// The fix for an invalid `PUBLIC_URL`.
const PUBLIC_URL: &str =
    "The address that XTSystems reaches nuncio by, without WEBHOOK_PATH: https://nuncio.example.";
/// The other way on without a secret.
const ONLY_THE_API: &str = "Or without XTSystems, for the API alone: set NUNCIO_API_KEY (openssl rand -hex 32 makes one), \
     or run: nuncio keys create NAME --role admin";
/// Minimum length of an HMAC key: a shorter one can be found by brute force.
const MIN_SECRET_BYTES: usize = 16;
const BODY_LIMITS: std::ops::RangeInclusive<usize> = 1024..=64 * 1024 * 1024;

/// Where to listen and what to accept.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// The address to bind.
    pub host: IpAddr,
    /// The port to bind; 0 for any free one.
    pub port: u16,
    /// The path for events of source `xtsystems`: begins with `/`, without a query and without characters to escape.
    pub path: String,
    /// The key that signs XTSystems' events: at least 16 bytes, no whitespace at either end. `None`: they are not taken.
    pub secret: Option<Secret>,
    /// The previous secret, accepted as well during a rotation. Of any length but zero.
    pub previous_secret: Option<Secret>,
    /// Maximum body size, in bytes.
    pub body_limit: usize,
    /// The URL that the platform reaches us at, without a trailing slash and without `path`. `None`: on this machine.
    pub public_url: Option<String>,
}

impl WebhookConfig {
    /// Reads `WEBHOOK_*` only: enough to sign an event and to post it here. Returns the secret as well, which is required.
    ///
    /// # Errors
    /// The problems of these variables; those of other variables are ignored.
    pub fn for_signing(variables: &Variables) -> Result<(Self, Secret), Report> {
        let mut reader = Reader::of(variables, "WEBHOOK_");
        let webhook = Self::read(&mut reader);
        let secret = webhook.secret.clone().unwrap_or_else(|| {
            report_no_secret(&mut reader, offer_secret());
            Secret::new("")
        });
        reader.finish()?;
        Ok((webhook, secret))
    }

    /// Reads the listening address only.
    ///
    /// # Errors
    /// The problems of those variables.
    pub fn address(variables: &Variables) -> Result<SocketAddr, Report> {
        let mut reader = Reader::of(variables, "WEBHOOK_");
        let (host, port) = read_address(&mut reader);
        reader.finish()?;
        Ok(SocketAddr::new(host, port))
    }

    /// The URL that XTSystems posts to, for a listener on `port`.
    #[must_use]
    pub fn url(&self, port: u16) -> String {
        let base = self.public_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
        format!("{base}{}", self.path)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let secret = read_secret(reader);
        let (host, port) = read_address(reader);
        Self {
            host,
            port,
            path: reader.or("WEBHOOK_PATH", "/webhooks/xtsystems".to_owned(), path),
            previous_secret: read_previous(reader, secret.as_ref()),
            secret,
            public_url: reader.optional("PUBLIC_URL", |text| {
                let url = http_url(text.trim()).map_err(|what| InvalidValue::new(what, PUBLIC_URL))?;
                Ok(url.as_str().trim_end_matches('/').to_owned())
            }),
            body_limit: reader.or("WEBHOOK_BODY_LIMIT", 1024 * 1024, size),
        }
    }
}

fn read_address(reader: &mut Reader<'_>) -> (IpAddr, u16) {
    let host = reader.or("WEBHOOK_HOST", IpAddr::V4(Ipv4Addr::UNSPECIFIED), host);
    (host, reader.or("WEBHOOK_PORT", 3000, port))
}

fn read_secret(reader: &mut Reader<'_>) -> Option<Secret> {
    match reader.text(SECRET).map(secret)? {
        Ok(secret) => Some(secret),
        Err(wrong) => {
            reader.problem(SECRET, wrong);
            None
        }
    }
}

/// Records that nothing can come in: there is no secret and no API key. Names both ways on.
pub(super) fn report_no_entrance(reader: &mut Reader<'_>) {
    if !reader.has_problem("NUNCIO_API_KEY") {
        report_no_secret(reader, format!("{}\n{ONLY_THE_API}", offer_secret()));
    }
}

/// Records that there is no secret, unless it has a problem already.
fn report_no_secret(reader: &mut Reader<'_>, fix: String) {
    let what = match () {
        () if reader.has_problem(SECRET) => return,
        () if reader.is_placeholder(SECRET) => "still holds a placeholder",
        () if reader.is_set(SECRET) => "is empty",
        () => "is not set",
    };
    reader.problem(SECRET, InvalidValue::new(what, fix));
}

/// The previous secret: it was in use, so any is accepted. Oddities become notes.
fn read_previous(reader: &mut Reader<'_>, current: Option<&Secret>) -> Option<Secret> {
    let previous = reader.optional(PREVIOUS, |text| trimmed(text).map(Secret::new))?;
    if current.is_none() {
        if !reader.has_problem(SECRET) {
            reader.note(format!("{PREVIOUS} has no effect without {SECRET}"));
        }
        return None;
    }
    if Some(&previous) == current {
        reader.note(format!("{PREVIOUS} is the same as {SECRET}: remove it"));
        return None;
    }
    if previous.expose().len() < MIN_SECRET_BYTES {
        reader.note(format!(
            "{PREVIOUS} is shorter than {MIN_SECRET_BYTES} bytes, so it can be guessed: remove it as soon as XTSystems has the new secret"
        ));
    } else {
        reader.note(format!(
            "{PREVIOUS} is set: events signed with it are accepted too. Remove it once XTSystems has the new secret"
        ));
    }
    Some(previous)
}

/// A secret without whitespace at either end; one that has some is refused, never trimmed.
fn trimmed(text: &str) -> Result<&str, InvalidValue> {
    if text.trim() == text {
        return Ok(text);
    }
    Err(InvalidValue::new(
        "has a space or a line break at one end",
        "It would belong to the secret, and is almost always a mistake: remove it (look for a Windows line end, or a space within the quotes).",
    ))
}

fn secret(text: &str) -> Result<Secret, InvalidValue> {
    let text = trimmed(text)?;
    if text.len() < MIN_SECRET_BYTES {
        return Err(InvalidValue::new(format!("is shorter than {MIN_SECRET_BYTES} bytes"), offer_secret()));
    }
    Ok(Secret::new(text))
}

fn host(text: &str) -> Result<IpAddr, InvalidValue> {
    let text = text.trim();
    if text == "localhost" {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| {
        InvalidValue::new(
            "is not an IP address",
            "0.0.0.0 listens everywhere, 127.0.0.1 on this machine only.",
        )
    })
}

fn port(text: &str) -> Result<u16, InvalidValue> {
    let text = text.trim();
    Some(text)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| {
            InvalidValue::new(
                "is not a port number",
                "A number from 1 to 65535 (0: any free port); 3000 is the default.",
            )
        })
}

fn path(text: &str) -> Result<String, InvalidValue> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix('/') else {
        return Err(InvalidValue::new("does not begin with /", "Example: /webhooks/xtsystems"));
    };
    let segments: Vec<&str> = rest.split('/').collect();
    let is_plain = |segment: &&str| {
        !matches!(*segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    if !segments.iter().all(is_plain) {
        return Err(InvalidValue::new(
            "has an empty part (`//`, or `/` at its end), `.` or `..`, or a character such as ? # % or a space",
            "Letters, digits, - _ . ~ and single slashes. Example: /webhooks/xtsystems",
        ));
    }
    match segments.as_slice() {
        ["webhooks", name @ ("config" | "register" | "health")] => Err(InvalidValue::new(
            format!("ends with {name:?}, which nuncio needs itself"),
            "Use another last name; /webhooks/xtsystems is the default.",
        )),
        [
            name
            @ ("health" | "metrics" | "v1" | "console" | "docs" | "openapi.json" | "config" | "register"),
            ..,
        ] => Err(InvalidValue::new(
            format!("begins with {name:?}, which nuncio needs itself"),
            "Use another first name; /webhooks/xtsystems is the default.",
        )),
        _ => Ok(text.to_owned()),
    }
}

/// Parses `1MiB`, `512KiB`, or plain bytes.
fn size(text: &str) -> Result<usize, InvalidValue> {
    let fix = "A size such as 1MiB, 512KiB or 65536 (bytes), from 1KiB to 64MiB.";
    let lower = text.trim().to_ascii_lowercase();
    let units = [("kib", 1024), ("mib", 1024 * 1024), ("kb", 1000), ("mb", 1_000_000), ("b", 1), ("", 1)];
    let bytes = units.iter().find_map(|(unit, factor)| {
        let digits = lower.strip_suffix(unit)?.trim_end();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse::<usize>().ok()?.checked_mul(*factor)).flatten()
    });
    match bytes {
        Some(bytes) if BODY_LIMITS.contains(&bytes) => Ok(bytes),
        Some(_) => Err(InvalidValue::new("is too small or too large", fix)),
        None => Err(InvalidValue::new("is not a size", fix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("1MiB", Some(1_048_576))]
    #[case("512KiB", Some(524_288))]
    #[case("512 kib", Some(524_288))]
    #[case("65536", Some(65_536))]
    #[case("1MB", Some(1_000_000))]
    #[case("2000 b", Some(2000))]
    #[case("1023", None)]
    #[case("65MiB", None)]
    #[case("-1", None)]
    #[case("1.5MiB", None)]
    #[case("MiB", None)]
    #[case("99999999999999999999MiB", None)]
    fn sizes(#[case] text: &str, #[case] bytes: Option<usize>) {
        assert_eq!(size(text).ok(), bytes, "{text}");
    }

    #[rstest::rstest]
    #[case("/webhooks/xtsystems", true)]
    #[case("/hook", true)]
    #[case("/webhooks/health-events", true)]
    #[case("webhooks/xtsystems", false)]
    #[case("/", false)]
    #[case("/webhooks/", false)]
    #[case("/webhooks//x", false)]
    #[case("/webhooks/../x", false)]
    #[case("/webhooks/{source}", false)]
    #[case("/webhooks/x?y=1", false)]
    #[case("/webhooks/config", false)]
    #[case("/webhooks/register", false)]
    #[case("/webhooks/health", false)]
    #[case("/health/live", false)]
    fn paths(#[case] text: &str, #[case] is_allowed: bool) {
        assert_eq!(path(text).is_ok(), is_allowed, "{text}");
    }

    // I-4
    #[rstest::rstest]
    #[case("0123456789abcdef", true)]
    #[case("sixteen bytes ok", true)]
    #[case("0123456789abcde", false)]
    #[case(" 0123456789abcdef", false)]
    #[case("0123456789abcdef\r", false)]
    #[case("0123456789abcdef\n", false)]
    fn secrets(#[case] text: &str, #[case] is_allowed: bool) {
        assert_eq!(secret(text).is_ok(), is_allowed, "{text:?}");
    }

    #[rstest::rstest]
    #[case("0.0.0.0", true)]
    #[case("[::1]", true)]
    #[case("::", true)]
    #[case("localhost", true)]
    #[case("example.com", false)]
    fn hosts(#[case] text: &str, #[case] is_allowed: bool) {
        assert_eq!(host(text).is_ok(), is_allowed, "{text}");
    }

    const SECRET_NOW: &str = "0123456789abcdef0123456789abcdef";

    #[rstest::rstest]
    #[case("short", Some("WEBHOOK_SECRET_PREVIOUS is shorter than 16 bytes, so it can be guessed"))]
    #[case(
        "0123456789abcdef",
        Some("WEBHOOK_SECRET_PREVIOUS is set: events signed with it are accepted too")
    )]
    #[case(SECRET_NOW, Some("WEBHOOK_SECRET_PREVIOUS is the same as WEBHOOK_SECRET"))]
    #[case("your_previous_secret_here", Some("Still placeholders"))]
    #[case("", None)]
    #[case("'   '", None)]
    fn previous_secrets(#[case] previous: &str, #[case] note: Option<&str>) {
        let lines = format!("WEBHOOK_SECRET={SECRET_NOW}\nWEBHOOK_SECRET_PREVIOUS={previous}");
        let config = crate::config::Config::from_variables(&Variables::from_dotenv(&lines)).unwrap();
        let is_used = note.is_some_and(|note| note.contains("is set") || note.contains("shorter"));
        assert_eq!(config.webhook.previous_secret.is_some(), is_used);
        match note {
            Some(note) => assert!(config.notes[0].starts_with(note), "{:?}", config.notes),
            None => assert_eq!(config.notes, [""; 0]),
        }
    }
}
