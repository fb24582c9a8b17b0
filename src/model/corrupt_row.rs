//! Corrupt rows in a list: what can still be said of them.

/// Number of characters of an id that lists show.
const SHORT: usize = 8;

/// One row of a list: decoded or corrupt.
pub type RowResult<T> = Result<T, CorruptRow>;

/// A row that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorruptRow {
    /// Row number within its table: the id itself may be corrupt.
    pub place: i64,
    /// The id, as far as it can be shown.
    pub id: String,
    /// Which value cannot be decoded.
    pub why: String,
}

impl CorruptRow {
    /// The last characters of the id, as lists show it.
    #[must_use]
    pub fn short(&self) -> String {
        let skipped = self.id.chars().count().saturating_sub(SHORT);
        self.id.chars().skip(skipped).collect()
    }
}
