//! Values that nuncio shows as they are given.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// A text or a number: an id, an amount, a duration. nuncio shows it as it is given.
///
/// Made from texts, integers, `f64`, and [`Duration`] (as seconds).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TextOrNumber(Value);

macro_rules! from {
    ($($type:ty),+) => {
        $(impl From<$type> for TextOrNumber {
            fn from(value: $type) -> Self {
                Self(Value::from(value))
            }
        })+
    };
}
from!(&str, String, i32, u32, i64, u64, usize);

impl From<&String> for TextOrNumber {
    fn from(value: &String) -> Self {
        Self(Value::from(value.as_str()))
    }
}

impl From<f64> for TextOrNumber {
    fn from(value: f64) -> Self {
        Self(number(value))
    }
}

impl From<Duration> for TextOrNumber {
    fn from(value: Duration) -> Self {
        value.as_secs_f64().into()
    }
}

/// Whole numbers are written without a fraction, as other languages write them: `93`, not `93.0`.
pub(crate) fn number(value: f64) -> Value {
    // The largest number up to which every integer is exact.
    const EXACT: f64 = 9_007_199_254_740_991.0;
    if value.fract() == 0.0 && value.abs() <= EXACT { Value::from(value as i64) } else { Value::from(value) }
}
