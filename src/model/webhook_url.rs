//! The address of a Discord webhook. Who knows it can post through the webhook, and delete it: it is a password.
//!
//! What is pasted is read strictly and taken apart; nothing of the text itself is kept. Requests are made from the parts
//! and from the configured base of Discord's API, so no address that was stored can lead anywhere else.

use std::fmt;
use std::str::FromStr;

use crate::model::Snowflake;
use crate::secret::Secret;

/// Where Discord's webhooks are found (Discord: the addresses its clients copy, old and new).
const HOSTS: [&str; 4] = ["discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com"];
/// Characters of a webhook's id.
const ID: std::ops::RangeInclusive<usize> = 17..=20;
/// Characters of a webhook's token. Discord's have 68.
const TOKEN: std::ops::RangeInclusive<usize> = 60..=80;
/// How many characters of the token may be shown.
const SHOWN: usize = 4;

/// Why a text is no webhook address. Never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    /// Nothing stands there.
    #[error("it is empty")]
    Empty,
    /// It is sent in the clear.
    #[error(
        "it begins with http://, so others could read it on its way: Discord's addresses begin with https://"
    )]
    InTheClear,
    /// It leads elsewhere.
    #[error(
        "it does not lead to Discord: it begins with https://discord.com/api/webhooks/, or with DISCORD_API_URL"
    )]
    Elsewhere,
    /// Behind the host there is something else.
    #[error(
        "it leads to Discord, but not to a webhook: it looks like https://discord.com/api/webhooks/ID/TOKEN"
    )]
    NoWebhook,
    /// The id is none.
    #[error("what follows /webhooks/ is not an id, which has 17 to 20 digits")]
    Id,
    /// There is no token.
    #[error("it ends after the id: the webhook's token is missing. Copy the whole address")]
    NoToken,
    /// The token is none.
    #[error("its token is cut off, or something follows it: a token has 60 to 80 letters, digits, - and _")]
    Token,
    /// Something else than a thread is asked for.
    #[error("after a ?, nuncio knows only thread_id=ID")]
    Query,
}

/// The address of a webhook, in its parts. `Debug` and `Display` show what may be shown: see [`WebhookMark`].
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    id: Snowflake,
    token: Secret,
    thread: Option<Snowflake>,
}

impl WebhookUrl {
    /// Reads an address as Discord's clients copy it, perhaps with `?thread_id=`; or one below `base`, which is
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

    /// What makes the address a password.
    #[must_use]
    pub const fn token(&self) -> &Secret {
        &self.token
    }

    /// The thread of its channel that it leads to.
    #[must_use]
    pub const fn thread(&self) -> Option<Snowflake> {
        self.thread
    }

    /// What may be shown of it.
    #[must_use]
    pub fn mark(&self) -> WebhookMark {
        let token = self.token.expose();
        let last = token.get(token.len().saturating_sub(SHOWN)..).unwrap_or_default().to_owned();
        WebhookMark { id: self.id, last, thread: self.thread }
    }

    /// Its parts in one text, to be sealed.
    #[must_use]
    pub fn to_parts(&self) -> Secret {
        let thread = self.thread.map(|thread| format!("?thread_id={thread}")).unwrap_or_default();
        Secret::new(format!("{}/{}{thread}", self.id, self.token.expose()))
    }

    /// Reads that text again. `None` if it is none.
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

/// All of a webhook's address that people and logs may see: `…/webhooks/<id>/••••<last 4>`. It tells one webhook from
/// another.
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

    /// As it stands in the database: `<id>/<last 4>[?thread_id=<id>]`.
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

    /// Reads what [`WebhookMark::stored`] wrote.
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

/// What of `text` stands below `origin`, whose letters may be large or small. Nothing between the two is understood:
/// no port, no user, no dots.
fn below<'a>(text: &'a str, origin: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(origin.len())?;
    (!origin.is_empty() && head.eq_ignore_ascii_case(origin)).then(|| rest.strip_prefix('/'))?
}

/// `v10`.
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
