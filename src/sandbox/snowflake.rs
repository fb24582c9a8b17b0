//! Snowflakes: the ids of everything on Discord (Discord: "Snowflakes").
//!
//! The sandbox has a type of its own, so that it depends on nothing of the program that is tested against it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;

/// The Unix time of Discord's epoch, in milliseconds.
const DISCORD_EPOCH_MS: i64 = 1_420_070_400_000;

/// A 64-bit id that begins with its time of creation. JSON carries it as a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(u64);

/// Text that is not a snowflake.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a snowflake (digits only)")]
pub struct InvalidSnowflake;

impl Snowflake {
    /// The id with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The smallest id of something created at `at`.
    #[must_use]
    pub fn first_at(at: Timestamp) -> Self {
        Self(u64::try_from(at.as_millis().saturating_sub(DISCORD_EPOCH_MS)).unwrap_or(0) << 22)
    }

    /// When the object with this id was created, to the millisecond.
    #[must_use]
    pub fn created_at(self) -> Timestamp {
        let millis = i64::try_from(self.0 >> 22).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis.saturating_add(DISCORD_EPOCH_MS))
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Snowflake {
    type Err = InvalidSnowflake;

    /// Digits only (no sign, no space), not zero, at most 2^64 - 1.
    fn from_str(text: &str) -> Result<Self, InvalidSnowflake> {
        Some(text)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| *number != 0)
            .map(Self)
            .ok_or(InvalidSnowflake)
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snowflake_is_a_string_in_json_and_refuses_other_text() {
        let id = Snowflake::new(1_234_567_890_123_456_789);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"1234567890123456789\"");
        assert_eq!(serde_json::from_str::<Snowflake>("\"1234567890123456789\"").unwrap(), id);
        for wrong in ["", "0", "+1", "-1", "1 ", "18446744073709551616", "abc"] {
            assert_eq!(wrong.parse::<Snowflake>(), Err(InvalidSnowflake), "{wrong:?}");
        }
    }

    // Discord: "Snowflake Format" has this example.
    #[test]
    fn a_snowflake_begins_with_its_time() {
        let id = Snowflake::new(175_928_847_299_117_063);
        assert_eq!(id.created_at(), Timestamp::from_millis(1_462_015_105_796));
        let first = Snowflake::first_at(id.created_at());
        assert!(first < id && first.created_at() == id.created_at());
    }
}
