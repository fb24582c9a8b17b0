//! One planned request, durable before its first byte leaves.

use std::fmt;
use std::time::Duration;

use rand::RngExt as _;

use crate::clock::{Moment, SteadyTime, Timestamp};
use crate::model::{Delivery, DestinationId, MessageId, Mint, Shown, Snowflake, Tag, WebhookMark};

/// What makes a repeated send the same message for Discord: 24 random base32 characters, used once for ever
/// (Discord: "Create Message", `nonce` ≤ 25 characters).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    const LEN: usize = 24;
    const ALPHABET: &'static [u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// A fresh one.
    #[must_use]
    pub fn random() -> Self {
        let mut rng = rand::rng();
        Self((0..Self::LEN).map(|_| char::from(Self::ALPHABET[rng.random_range(0..32)])).collect())
    }

    /// One read back from the database.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Posts a new message.
    Create,
    /// Changes one of ours. Doing it twice is doing it once.
    Edit {
        /// The Discord channel it stands in.
        channel: Snowflake,
        /// Its id there.
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

    /// What is edited, for the database: `channel/message`.
    #[must_use]
    pub fn edits(self) -> Option<String> {
        match self {
            Self::Create => None,
            Self::Edit { channel, message } => Some(format!("{channel}/{message}")),
        }
    }

    /// Reads both back.
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

/// How a message is composed. Together with its deliveries it says what will be sent, so that a crash never
/// recomposes what may have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One card.
    Single,
    /// Up to ten cards.
    Pack,
    /// One card that sums up many events. Its deliveries stand only in the table: they may be thousands.
    Digest,
    /// One line for each thing that changed, in answer to its card.
    Reply,
    /// The facts as plain text: tried once when Discord refuses the card.
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

    /// Reads it back.
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

/// A lower bound on when a message was posted, in Discord's own terms: our wall clock may be wrong by a day, and may have
/// been stepped since. Each of the two holds by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PostedAfter {
    /// A message of its channel that was there before.
    pub message: Option<Snowflake>,
    /// Discord's time before its first try.
    pub time: Option<Timestamp>,
}

/// One planned request to one destination.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it goes.
    pub destination_id: DestinationId,
    /// What makes a repetition the same message.
    pub nonce: Nonce,
    /// What it does.
    pub action: Action,
    /// How it is composed.
    pub form: Form,
    /// The roles it pings.
    pub pings: Vec<Snowflake>,
    /// The deliveries it carries, in order.
    pub deliveries: Vec<Delivery>,
    /// Why what it carries waited, if something is known of that: a few words, known when it is sent.
    pub late: Option<String>,
    /// Why nobody could press a button where it goes, if that is so: known when it is sent.
    pub no_buttons: Option<&'static str>,
    /// The webhook's address that its last try went to, if it went to one.
    pub through: Option<WebhookMark>,
    /// The one-line answers that are due once it stands in Discord, known once it is composed.
    pub replies: Vec<Delivery>,
    /// Whether it stands in Discord and only its deliveries are still to be marked.
    pub settling: bool,
    /// What it shows, known once it is composed. It becomes the cards' row when the message stands in Discord.
    pub shows: Vec<Shown>,
    /// For each of its cards the tags that its footer may carry, known once it is composed.
    pub tags: Vec<Vec<Tag>>,
    /// When it was planned, by the wall clock.
    pub created_at: Timestamp,
    /// When it was planned, on the steady line.
    pub planned_at: SteadyTime,
    /// What it was surely posted after, if it was posted.
    pub posted_after: PostedAfter,
    /// When the first try began that may have arrived, by [`Clock::elapsed`](crate::clock::Clock::elapsed). `None` if an
    /// earlier process or lane made it: nobody knows how long ago that was.
    pub tried_at: Option<Duration>,
    /// How many times it was tried.
    pub attempts: u32,
    /// Since when it may have arrived without our knowing.
    pub ambiguous_since: Option<Timestamp>,
    /// Whether it was sent again without our knowing that it did not stand there already.
    pub maybe_duplicate: bool,
}

impl Message {
    /// A message that is planned now.
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

    /// The same deliveries as another, new message, composed in another form.
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
