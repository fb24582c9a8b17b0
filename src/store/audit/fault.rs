//! Faults that verification of the audit log can find.

use std::fmt;

/// A fault in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditFault {
    /// This row was changed, or the one before it was removed or replaced.
    Row(i64),
    /// The rows after this one were removed.
    CutAfter(i64),
    /// This row follows the recorded last row.
    Beyond(i64),
    /// The record of the last row was changed or removed.
    Head,
    /// The rows before this one, which begins a new chain, were changed since.
    Earlier(i64),
    /// A head that was noted elsewhere is not part of this log: the log was rolled back or rebuilt.
    Expected(i64),
}

impl fmt::Display for AuditFault {
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
