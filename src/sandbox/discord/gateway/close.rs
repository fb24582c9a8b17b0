//! Close codes: why a connection ends, and what happens to its session.

use serde::Serialize;

/// A WebSocket close code (Discord: "Gateway Close Event Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// A normal closure by either side.
    pub const NORMAL: Self = Self(1000);
    /// The sandbox is stopping.
    pub const GOING_AWAY: Self = Self(1001);
    /// Any other reason; also a client that reads too slowly.
    pub const UNKNOWN_ERROR: Self = Self(4000);
    /// An opcode that clients must not send.
    pub const UNKNOWN_OPCODE: Self = Self(4001);
    /// Not JSON, malformed data for the opcode, or over 4,096 bytes.
    pub const DECODE_ERROR: Self = Self(4002);
    /// A payload before IDENTIFY or RESUME.
    pub const NOT_AUTHENTICATED: Self = Self(4003);
    /// The token is invalid or was revoked.
    pub const AUTHENTICATION_FAILED: Self = Self(4004);
    /// IDENTIFY or RESUME while in a session.
    pub const ALREADY_AUTHENTICATED: Self = Self(4005);
    /// A RESUME with a sequence number that the session has not reached.
    pub const INVALID_SEQ: Self = Self(4007);
    /// More than 120 payloads in a minute.
    pub const RATE_LIMITED: Self = Self(4008);
    /// No heartbeat for too long.
    pub const SESSION_TIMED_OUT: Self = Self(4009);
    /// A shard id outside the number of shards.
    pub const INVALID_SHARD: Self = Self(4010);
    /// Too many guilds for one connection.
    pub const SHARDING_REQUIRED: Self = Self(4011);
    /// Neither version 9 nor 10, or an unsupported encoding.
    pub const INVALID_VERSION: Self = Self(4012);
    /// Bits that are not intents.
    pub const INVALID_INTENTS: Self = Self(4013);
    /// A privileged intent that is not enabled for the application.
    pub const DISALLOWED_INTENTS: Self = Self(4014);

    /// The reason text of the close frame.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NORMAL | Self::GOING_AWAY => "",
            Self::UNKNOWN_OPCODE => "Unknown opcode.",
            Self::DECODE_ERROR => "Error while decoding payload.",
            Self::NOT_AUTHENTICATED => "Not authenticated.",
            Self::AUTHENTICATION_FAILED => "Authentication failed.",
            Self::ALREADY_AUTHENTICATED => "Already authenticated.",
            Self::INVALID_SEQ => "Invalid seq.",
            Self::RATE_LIMITED => "Rate limited.",
            Self::SESSION_TIMED_OUT => "Session timed out.",
            Self::INVALID_SHARD => "Invalid shard.",
            Self::SHARDING_REQUIRED => "Sharding required.",
            Self::INVALID_VERSION => "Invalid API version.",
            Self::INVALID_INTENTS => "Invalid intent(s).",
            Self::DISALLOWED_INTENTS => "Disallowed intent(s).",
            _ => "Unknown error.",
        }
    }

    /// Whether the session ends when Discord closes with this code. (A client that closes with 1000 or 1001 ends its
    /// session too; when Discord does, it can be resumed.)
    #[must_use]
    pub fn ends_session(self) -> bool {
        matches!(self.0, 4004 | 4007 | 4009..=4014)
    }
}
