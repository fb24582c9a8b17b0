//! Problems: what keeps nuncio from doing its job, each with a stable code, a finding and a remedy.

macro_rules! codes {
    ($($name:ident = $text:literal,)*) => {
        /// Code of a problem that is not a condition. Each has a section in `docs/runbook.md`; a test compares the
        /// two.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemCode {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl ProblemCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it appears in `/health`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    DatabaseUnreadable = "database_unreadable",
    LongWriteAheadLog = "long_write_ahead_log",
    DatabaseHardLinks = "database_hard_links",
    DestinationClosed = "destination_closed",
    DestinationRefuses = "destination_refuses",
    DestinationMissing = "destination_missing",
    ChannelUnusable = "channel_unusable",
    Unrouted = "unrouted",
    SourceRefused = "source_refused",
    BotInNoServer = "bot_in_no_server",
    UnknownServer = "unknown_server",
    NoOperatorServer = "no_operator_server",
    NobodyDecides = "nobody_decides",
    UnknownRole = "unknown_role",
    RoleIsEveryone = "role_is_everyone",
    UnknownPingRole = "unknown_ping_role",
    PingReachesNobody = "ping_reaches_nobody",
    BotTimedOut = "bot_timed_out",
    WebhookLost = "webhook_lost",
}

/// One problem, as shown in `/health`, the start page, `/webhook-status`, the log and `nuncio doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable code for monitoring, such as `gateway_down`. Contains no name and no id.
    pub code: &'static str,
    /// What happened and what nuncio does, without a full stop. May name guilds, channels and roles. Without a
    /// `remedy`, it includes what to do.
    pub found: String,
    /// What to do, as a sentence of its own.
    pub remedy: Option<String>,
}

impl Problem {
    /// A problem whose `sentence` includes the remedy.
    pub fn new(code: ProblemCode, sentence: impl Into<String>) -> Self {
        Self { code: code.as_str(), found: sentence.into(), remedy: None }
    }

    /// A problem with a separate remedy.
    pub fn with_remedy(code: ProblemCode, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.as_str(), found: found.into(), remedy: Some(remedy.into()) }
    }

    /// Finding and remedy in one sentence, for a line of a log or a list.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}. {remedy}", self.found),
            None => self.found.clone(),
        }
    }

    /// Turns all of `sentences` into problems with one code.
    pub fn all(code: ProblemCode, sentences: impl IntoIterator<Item = String>) -> impl Iterator<Item = Self> {
        sentences.into_iter().map(move |sentence| Self::new(code, sentence))
    }
}
