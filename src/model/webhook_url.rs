//! Discord webhook URLs. Such a URL is a password: its holder can post through the webhook, and delete it.
//!
//! Input is parsed strictly into parts, and nothing of the text itself is kept. Requests are built from the parts and
//! from the configured base URL of Discord's API, so no stored address can lead anywhere else.

use std::fmt;
use std::str::FromStr;

use crate::model::Snowflake;
use crate::secret::Secret;

/// Hosts of Discord webhooks (Discord: the addresses its clients copy, old and new).
const HOSTS: [&str; 4] = ["discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com"];
/// Length of a webhook id.
const ID: std::ops::RangeInclusive<usize> = 17..=20;
/// Length of a webhook token. Discord's have 68 characters.
const TOKEN: std::ops::RangeInclusive<usize> = 60..=80;
/// How many characters of the token may be shown.
const SHOWN: usize = 4;

/// Why a text is not a webhook URL. Never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    /// Empty input.
    #[error("it is empty")]
    Empty,
    /// Plain HTTP.
    #[error(
        "it begins with http://, so others could read it on its way: Discord's addresses begin with https://"
    )]
    InTheClear,
    /// A host other than Discord.
    #[error(
        "it does not lead to Discord: such an address begins with https://discord.com/api/webhooks/, or with DISCORD_API_URL"
    )]
    Elsewhere,
    /// A Discord URL, but not of a webhook.
    #[error(
        "it leads to Discord, but not to a webhook: such an address is https://discord.com/api/webhooks/ID/TOKEN"
    )]
    NoWebhook,
    /// The id is malformed.
    #[error("what follows /webhooks/ is not an id, which has 17 to 20 digits")]
    Id,
    /// The token is missing.
    #[error("it ends after the id: the webhook's token is missing. Copy the whole address")]
    NoToken,
    /// The token is malformed.
    #[error("its token is cut off, or something follows it: a token has 60 to 80 letters, digits, - and _")]
    Token,
    /// A query parameter other than `thread_id`.
    #[error("after a ?, nuncio knows only thread_id=ID")]
    Query,
}

/// A webhook URL, in its parts. `Debug` and `Display` show only the visible part: see [`WebhookMark`].
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    id: Snowflake,
    token: Secret,
    thread: Option<Snowflake>,
}

impl WebhookUrl {
    /// Parses a URL as Discord's clients copy it, optionally with `?thread_id=`; or one below `base`, which is
    /// `<origin>[/prefix]` of the configured Discord.
    ///
    /// # Errors
    /// A sentence about what is wrong, without the text.
    pub fn parse(text: &str, base: &str) -> Result<Self, WebhookUrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(WebhookUrlError::Empty);
        }
        let known = HOSTS.iter().map(|host| format!("https://{host}")).chain([base.to_owned()]);
        let rest = known.into_iter().find_map(|origin| below(text, &origin));
        let Some(rest) = rest else {
            let in_the_clear = HOSTS.iter().any(|host| below(text, &format!("http://{host}")).is_some());
            return Err(if in_the_clear { WebhookUrlError::InTheClear } else { WebhookUrlError::Elsewhere });
        };
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let path = path.strip_prefix("api/").ok_or(WebhookUrlError::NoWebhook)?;
        let path = match path.split_once('/') {
            Some((version, rest)) if is_version(version) => rest,
            _ => path,
        };
        let path = path.strip_prefix("webhooks/").ok_or(WebhookUrlError::NoWebhook)?;
        let (id, token) = path.split_once('/').map_or((path, ""), |(id, token)| (id, token));
        let id = snowflake(id).ok_or(WebhookUrlError::Id)?;
        let thread = match query {
            Some(query) => {
                let thread = query.strip_prefix("thread_id=").and_then(snowflake);
                Some(thread.ok_or(WebhookUrlError::Query)?)
            }
            None => None,
        };
        match token {
            "" => Err(WebhookUrlError::NoToken),
            token if is_token(token) => Ok(Self { id, token: Secret::new(token), thread }),
            _ => Err(WebhookUrlError::Token),
        }
    }

    /// The webhook's id.
    #[must_use]
    pub const fn id(&self) -> Snowflake {
        self.id
    }

    /// The secret part of the URL.
    #[must_use]
    pub const fn token(&self) -> &Secret {
        &self.token
    }

    /// The thread of the webhook's channel that messages go to.
    #[must_use]
    pub const fn thread(&self) -> Option<Snowflake> {
        self.thread
    }

    /// The visible part of the URL.
    #[must_use]
    pub fn mark(&self) -> WebhookMark {
        let token = self.token.expose();
        let last = token.get(token.len().saturating_sub(SHOWN)..).unwrap_or_default().to_owned();
        WebhookMark { id: self.id, last, thread: self.thread }
    }

    /// All parts in one text, for sealing.
    #[must_use]
    pub fn to_parts(&self) -> Secret {
        let thread = self.thread.map(|thread| format!("?thread_id={thread}")).unwrap_or_default();
        Secret::new(format!("{}/{}{thread}", self.id, self.token.expose()))
    }

    /// Parses that text. `None` if it is malformed.
    #[must_use]
    pub fn from_parts(text: &str) -> Option<Self> {
        Self::parse(&format!("https://{}/api/webhooks/{text}", HOSTS[0]), "").ok()
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mark().fmt(f)
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The part of a webhook URL that people and logs may see: `…/webhooks/<id>/••••<last 4>`. Distinguishes one webhook
/// from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebhookMark {
    id: Snowflake,
    last: String,
    thread: Option<Snowflake>,
}

impl WebhookMark {
    /// The webhook's id.
    #[must_use]
    pub const fn id(&self) -> Snowflake {
        self.id
    }

    /// The database form: `<id>/<last 4>[?thread_id=<id>]`.
    #[must_use]
    pub fn stored(&self) -> String {
        format!("{}/{}{}", self.id, self.last, self.query())
    }

    fn query(&self) -> String {
        self.thread.map(|thread| format!("?thread_id={thread}")).unwrap_or_default()
    }
}

impl FromStr for WebhookMark {
    type Err = ();

    /// Parses what [`WebhookMark::stored`] wrote.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (rest, thread) = match text.split_once("?thread_id=") {
            Some((rest, thread)) => (rest, Some(thread.parse().map_err(|_| ())?)),
            None => (text, None),
        };
        let (id, last) = rest.split_once('/').ok_or(())?;
        let last = Some(last).filter(|last| last.len() == SHOWN).ok_or(())?.to_owned();
        Ok(Self { id: id.parse().map_err(|_| ())?, last, thread })
    }
}

impl fmt::Display for WebhookMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…/webhooks/{}/••••{}{}", self.id, self.last, self.query())
    }
}

/// The part of `text` below `origin`, which is compared case-insensitively. Nothing is accepted between the two: no
/// port, no user, no dots.
fn below<'a>(text: &'a str, origin: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(origin.len())?;
    (!origin.is_empty() && head.eq_ignore_ascii_case(origin)).then(|| rest.strip_prefix('/'))?
}

/// An API version segment such as `v10`.
fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix('v').unwrap_or_default();
    (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn snowflake(text: &str) -> Option<Snowflake> {
    Some(text).filter(|text| ID.contains(&text.len()))?.parse().ok()
}

fn is_token(text: &str) -> bool {
    TOKEN.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests;
