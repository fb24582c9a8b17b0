//! Messages: one planned request each, durable before its first byte leaves.

use std::fmt;
use std::time::Duration;

use rand::RngExt as _;

use crate::clock::{Moment, SteadyTime, Timestamp};
use crate::model::{CardState, Delivery, DestinationId, MessageId, Mint, Snowflake, Tag, WebhookMark};

/// Idempotency key of a Discord post: a repeated send with one nonce yields one message. 24 random base32 characters,
/// never reused (Discord: "Create Message", `nonce` ≤ 25 characters).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    const LEN: usize = 24;
    const ALPHABET: &'static [u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// A fresh random nonce.
    #[must_use]
    pub fn random() -> Self {
        let mut rng = rand::rng();
        Self((0..Self::LEN).map(|_| char::from(Self::ALPHABET[rng.random_range(0..32)])).collect())
    }

    /// A nonce read back from the database.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The base32 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Effect of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Posts a new message.
    Create,
    /// Edits one of the bot's messages. Idempotent.
    Edit {
        /// The message's Discord channel.
        channel: Snowflake,
        /// The message's Discord id.
        message: Snowflake,
    },
}

impl Action {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit { .. } => "edit",
        }
    }

    /// The target of an edit, for the database: `channel/message`.
    #[must_use]
    pub fn edits(self) -> Option<String> {
        match self {
            Self::Create => None,
            Self::Edit { channel, message } => Some(format!("{channel}/{message}")),
        }
    }

    /// Parses both database columns.
    #[must_use]
    pub fn from_parts(word: &str, edits: Option<&str>) -> Option<Self> {
        match (word, edits) {
            ("create", None) => Some(Self::Create),
            ("edit", Some(edits)) => {
                let (channel, message) = edits.split_once('/')?;
                Some(Self::Edit { channel: channel.parse().ok()?, message: message.parse().ok()? })
            }
            _ => None,
        }
    }
}

/// Composition of a message. Together with the deliveries it determines what is sent, so a crash never recomposes
/// what may already have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One card.
    Single,
    /// Up to ten cards.
    Pack,
    /// One card that summarizes many events. Its deliveries are only in the table: they may be thousands.
    Digest,
    /// One line for each subject that changed, as a reply to its card.
    Reply,
    /// The facts as plain text: the one fallback when Discord refuses the card.
    Plain,
}

impl Form {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Pack => "pack",
            Self::Digest => "digest",
            Self::Reply => "reply",
            Self::Plain => "plain",
        }
    }

    /// Parses that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Single, Self::Pack, Self::Digest, Self::Reply, Self::Plain]
            .into_iter()
            .find(|form| form.as_str() == word)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A lower bound on when a message was posted, in Discord's own terms: the local wall clock may be wrong by a day,
/// and may have been set since. Each of the two bounds holds by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PostedAfter {
    /// An older message of the same channel.
    pub message: Option<Snowflake>,
    /// Discord's time before the message's first attempt.
    pub time: Option<Timestamp>,
}

/// One planned request to one destination.
#[derive(Clone, Debug)]
pub struct Message {
    /// Identifies the message.
    pub id: MessageId,
    /// Target of the request.
    pub destination_id: DestinationId,
    /// Idempotency key of the post.
    pub nonce: Nonce,
    /// Effect of the request.
    pub action: Action,
    /// Composition of the message.
    pub form: Form,
    /// The roles to ping.
    pub pings: Vec<Snowflake>,
    /// The deliveries, in order.
    pub deliveries: Vec<Delivery>,
    /// Why its deliveries are late, in a few words, if known. Set when it is sent.
    pub late: Option<String>,
    /// Why buttons would not work in its destination, if that is so. Set when it is sent.
    pub no_buttons: Option<&'static str>,
    /// The webhook that the last attempt used, if it used one.
    pub through: Option<WebhookMark>,
    /// One-line replies to send after this message is posted. Set when it is composed.
    pub replies: Vec<Delivery>,
    /// True if it is posted and only its deliveries still have to be marked.
    pub settling: bool,
    /// The subjects it shows. Set when it is composed; recorded as rows of `cards` once the message is posted.
    pub shows: Vec<CardState>,
    /// For each card, the tags that its footer may carry. Set when it is composed.
    pub tags: Vec<Vec<Tag>>,
    /// When it was planned, by the wall clock.
    pub created_at: Timestamp,
    /// When it was planned, in steady time.
    pub planned_at: SteadyTime,
    /// Lower bound on when it was posted, if it was posted.
    pub posted_after: PostedAfter,
    /// Start of the first attempt that may have arrived, by [`Clock::elapsed`](crate::clock::Clock::elapsed). `None`
    /// if an earlier process or lane made that attempt: its age is unknown.
    pub tried_at: Option<Duration>,
    /// Number of attempts.
    pub attempts: u32,
    /// Since when the message is in doubt: it may have arrived without a confirmation.
    pub ambiguous_since: Option<Timestamp>,
    /// Whether it was sent again while the first attempt was still in doubt.
    pub maybe_duplicate: bool,
}

impl Message {
    /// A message planned now.
    #[must_use]
    pub fn new(destination_id: DestinationId, action: Action, form: Form, now: Moment) -> Self {
        Self {
            id: Mint::new().next(now.steady),
            destination_id,
            nonce: Nonce::random(),
            action,
            form,
            pings: Vec::new(),
            deliveries: Vec::new(),
            late: None,
            no_buttons: None,
            through: None,
            replies: Vec::new(),
            settling: false,
            shows: Vec::new(),
            tags: Vec::new(),
            created_at: now.wall,
            planned_at: now.steady,
            posted_after: PostedAfter::default(),
            tried_at: None,
            attempts: 0,
            ambiguous_since: None,
            maybe_duplicate: false,
        }
    }

    /// A new message with the same deliveries, composed in another form.
    #[must_use]
    pub fn in_form(&self, form: Form, now: Moment) -> Self {
        Self {
            id: Mint::new().next(now.steady),
            nonce: Nonce::random(),
            action: Action::Create,
            form,
            shows: Vec::new(),
            replies: Vec::new(),
            tags: Vec::new(),
            created_at: now.wall,
            planned_at: now.steady,
            tried_at: None,
            attempts: 0,
            ambiguous_since: None,
            maybe_duplicate: false,
            ..self.clone()
        }
    }
}
