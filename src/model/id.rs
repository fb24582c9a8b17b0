//! Identifiers: nuncio's have a prefix and sort by time (`evt_` + UUID v7), Discord's are snowflakes.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{ContextV7, Uuid};

use crate::clock::{SteadyTime, Timestamp};

/// Text that is not a valid identifier of the expected kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{found:?} is not {wanted}")]
pub struct InvalidId {
    wanted: &'static str,
    found: String,
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id with the current time. Ids that must sort in commit order come from a [`Mint`].
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id that sorts directly after this one.
            #[must_use]
            pub fn next(&self) -> Self {
                Self(Uuid::from_u128(self.0.as_u128().wrapping_add(1)))
            }

            /// The lower bound: every id sorts after it.
            pub const FIRST: Self = Self(Uuid::nil());

            /// The upper bound: no id sorts after it.
            pub const LAST: Self = Self(Uuid::max());

            /// A lower bound for ids minted at or after `at`: every earlier id sorts before it.
            #[must_use]
            pub fn earliest(at: SteadyTime) -> Self {
                let millis = u128::try_from(at.as_millis()).unwrap_or(0);
                Self(Uuid::from_u128(millis << 80))
            }

            /// When it was minted, to the millisecond.
            #[must_use]
            pub fn minted_at(&self) -> SteadyTime {
                SteadyTime::from_millis(i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX))
            }

            /// The last 8 characters, for display (the first ones are identical for a minute).
            #[must_use]
            pub fn short(&self) -> String {
                let text = self.0.simple().to_string();
                text[text.len() - 8..].to_owned()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // One buffer, one allocation: ids are formatted many times for every event.
                let mut text = [0; $prefix.len() + 32];
                text[..$prefix.len()].copy_from_slice($prefix.as_bytes());
                self.0.simple().encode_lower(&mut text[$prefix.len()..]);
                f.write_str(str::from_utf8(&text).unwrap_or($prefix))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .filter(|digits| digits.len() == 32)
                    .and_then(|digits| Uuid::try_parse(digits).ok())
                    .map(Self)
                    .ok_or_else(|| InvalidId {
                        wanted: concat!("an id of the form ", $prefix, "<32 hex digits>"),
                        found: text.to_owned(),
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

prefixed_id!(/// Names an event: `evt_…`.
    EventId, "evt_");
prefixed_id!(/// Names a delivery: `dlv_…`.
    DeliveryId, "dlv_");
prefixed_id!(/// Names a message, i.e. one planned request: `msg_…`.
    MessageId, "msg_");
prefixed_id!(/// Names a mute: `mut_…`.
    MuteId, "mut_");
prefixed_id!(/// Names a route that an operator set on Discord: `rte_…`.
    RouteId, "rte_");
prefixed_id!(/// Names a destination: `dst_…`.
    DestinationId, "dst_");
prefixed_id!(/// Names a decision: `dec_…`. Also the idempotency key of its calls to the platform.
    DecisionId, "dec_");
prefixed_id!(/// Names a quarantined body: `qtn_…`.
    QuarantineId, "qtn_");
prefixed_id!(/// Names a stored API key: `key_…`. It is no secret; the key itself begins with `nun_`.
    ApiKeyId, "key_");
prefixed_id!(/// Names a session of the console: `ses_…`. It is no secret; its cookie is.
    ConsoleSessionId, "ses_");

/// Mints ids that sort in the order they were minted, also within one millisecond and when the wall clock is set
/// back. The writer has exactly one, so that id order is commit order.
#[derive(Debug)]
pub struct Mint(Mutex<ContextV7>);

impl Mint {
    /// A mint with its own counter.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(ContextV7::new()))
    }

    /// The next id, with the time `now`.
    pub fn next<Id: From<Uuid>>(&self, now: SteadyTime) -> Id {
        let context = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, reason = "below 1000 million")]
        let nanos = ((millis % 1000) * 1_000_000) as u32;
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, millis / 1000, nanos)).into()
    }
}

impl Default for Mint {
    fn default() -> Self {
        Self::new()
    }
}

/// A Discord id: a 64-bit number that JSON always carries as a string (Discord: "Snowflakes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(u64);

impl Snowflake {
    /// From the number itself.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The value for a database column: ids that are compared are stored as numbers.
    #[must_use]
    pub fn to_stored(self) -> Option<i64> {
        i64::try_from(self.0).ok()
    }

    /// Reads the database column.
    #[must_use]
    pub fn stored(number: Option<i64>) -> Option<Self> {
        number.and_then(|number| u64::try_from(number).ok()).map(Self)
    }

    /// When Discord created the object (Discord: "Snowflake Format").
    #[must_use]
    pub fn created_at(self) -> Timestamp {
        const DISCORD_EPOCH: i64 = 1_420_070_400_000;
        Timestamp::from_millis(i64::try_from(self.0 >> 22).unwrap_or(i64::MAX).saturating_add(DISCORD_EPOCH))
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Snowflake {
    type Err = InvalidId;

    /// Digits only (no sign, no space), not zero, at most 2^64 - 1.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Some(text)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| *number != 0)
            .map(Self)
            .ok_or_else(|| InvalidId { wanted: "a Discord id (digits only)", found: text.to_owned() })
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
    fn minted_ids_sort_in_the_order_of_minting_even_when_the_clock_goes_back() {
        let mint = Mint::new();
        let times = [1_700_000_000_000, 1_700_000_000_000, 1_600_000_000_000, 1_700_000_000_001];
        let ids: Vec<EventId> =
            (0..4000).map(|i| mint.next(SteadyTime::from_millis(times[i % times.len()]))).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn ids_round_trip_and_refuse_others() {
        let id = EventId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().ends_with(&id.short()));
        assert!("dlv_00000000000000000000000000000000".parse::<EventId>().is_err());
        assert!("evt_0000".parse::<EventId>().is_err());
        assert_eq!("123".parse(), Ok(Snowflake::new(123)));
        for wrong in ["", "0", "+1", "-1", "1 ", "18446744073709551616", "abc"] {
            assert!(wrong.parse::<Snowflake>().is_err(), "{wrong:?}");
        }
    }
}
