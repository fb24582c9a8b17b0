//! Database location and retention: `NUNCIO_DATABASE_URL`, `RETENTION_DAYS`.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::config::variable::DATABASE_URL;
use crate::config::variables::Variables;

const OWN: &str = "NUNCIO_DATABASE_URL";
const FIX: &str = "Set NUNCIO_DATABASE_URL=sqlite://data/nuncio.db (the default; sqlite:///data/nuncio.db is an absolute path).";

/// The database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// A path; relative to the working directory unless absolute.
    pub path: PathBuf,
}

impl Database {
    /// The database that `variables` name; `None` if they name none that can be used.
    #[must_use]
    pub fn of(variables: &Variables) -> Option<Self> {
        let mut reader = Reader::new(variables);
        let database = Self::read(&mut reader);
        (!reader.has_problem(OWN) && !reader.has_problem(DATABASE_URL)).then_some(database)
    }

    /// `DATABASE_URL` counts only if our own variable is absent (and [`Variables`](super::Variables) returns it only
    /// if it is set in our own `.env`).
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let name = if reader.is_set(OWN) || !reader.is_set(DATABASE_URL) { OWN } else { DATABASE_URL };
        Self { path: reader.or(name, PathBuf::from("data/nuncio.db"), path) }
    }
}

/// At least a day: duplicates must be recognized for that long. A century is as good as forever.
const DAYS: std::ops::RangeInclusive<u64> = 1..=36_525;
const DEFAULT_DAYS: u64 = 30;

/// How long finished records are kept.
pub(super) fn retention(reader: &mut Reader<'_>) -> Duration {
    let days = reader.or("RETENTION_DAYS", DEFAULT_DAYS, |text| {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let days = digits.then(|| text.parse().ok()).flatten().filter(|days| DAYS.contains(days));
        days.ok_or_else(|| {
            InvalidValue::new("is not a number of days", "From 1 to 36525 (a century); 30 is the default.")
        })
    });
    Duration::from_secs(days * 86_400)
}

fn path(text: &str) -> Result<PathBuf, InvalidValue> {
    let text = text.trim();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Err(InvalidValue::new("names a PostgreSQL database, which comes with a later version", FIX));
    }
    let Some(rest) = text.strip_prefix("sqlite:") else {
        return Err(InvalidValue::new("is not a sqlite:// address", FIX));
    };
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains(":memory:") {
        return Err(InvalidValue::new(
            "names a database in memory, which would lose what was acknowledged",
            FIX,
        ));
    }
    if path.is_empty() || path.ends_with('/') {
        return Err(InvalidValue::new("names no file", FIX));
    }
    if path.contains(['?', '#', '\0']) {
        return Err(InvalidValue::new("holds options after its path", FIX));
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("sqlite://data/nuncio.db", Some("data/nuncio.db"))]
    #[case("sqlite:///var/lib/nuncio.db", Some("/var/lib/nuncio.db"))]
    #[case("sqlite:nuncio.db", Some("nuncio.db"))]
    #[case("sqlite::memory:", None)]
    #[case("sqlite://:memory:", None)]
    #[case("sqlite://", None)]
    #[case("sqlite://data/nuncio.db?mode=ro", None)]
    #[case("postgres://u:canary@h/d", None)]
    #[case("file:./dev.db", None)]
    fn paths(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(path(text).ok(), expected.map(PathBuf::from), "{text}");
    }
}
