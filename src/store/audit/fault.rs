//! What can be wrong with the audit log.

use std::fmt;

/// What is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This row is not as it was written, or the one before it is missing or another.
    Row(i64),
    /// The rows after this one are gone.
    CutAfter(i64),
    /// There is a row after the one that was the last.
    Beyond(i64),
    /// The note of which row is the last is not as it was written, or gone.
    Head,
    /// The rows before this one, which begins a new chain, are not as they were then.
    Earlier(i64),
    /// A head that was noted elsewhere is not part of this log: it was put back to an older state, or made anew.
    Expected(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(seq) => {
                write!(f, "entry {seq} is not as it was written, or an entry before it was removed")
            }
            Self::CutAfter(seq) => write!(f, "entries after {seq} were removed"),
            Self::Beyond(seq) => write!(f, "entry {seq} was not written by nuncio"),
            Self::Earlier(seq) => write!(
                f,
                "the entries before {seq}, sealed with a lost key, are not as they were when the log began anew there"
            ),
            Self::Head => f.write_str("the record of the last entry was changed or removed"),
            Self::Expected(seq) => write!(
                f,
                "the given end (entry {seq}) is not part of this log: an older copy was put back, or the log was \
                 made anew"
            ),
        }
    }
}
