//! Many rows in one statement, whose text is made once for every number of rows.
//!
//! A statement costs a hop to the database's thread and back, and its text must be found among the prepared ones:
//! both are paid for a group, not for a row. Places are written `?`: SQLite looks for the name of each numbered one
//! in a list, which for a thousand of them takes longer than the rows.

use std::fmt;
use std::sync::{Arc, OnceLock};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};

use crate::store::Result;

/// How many rows go into one statement at most.
const MOST: usize = 64;
/// How many numbers of rows there are statements for: 1 to 7, then four for each power of two.
const TEXTS: usize = 20;

/// `INSERT` of any number of rows.
pub(super) struct ManyRows {
    /// `INSERT INTO … (…) VALUES `.
    head: &'static str,
    /// `(?, ?, …)`: what each row binds, in this order.
    row: &'static str,
    /// ` ON CONFLICT …`.
    tail: &'static str,
    texts: [OnceLock<Arc<str>>; TEXTS],
}

impl ManyRows {
    pub(super) const fn new(head: &'static str, row: &'static str, tail: &'static str) -> Self {
        Self { head, row, tail, texts: [const { OnceLock::new() }; TEXTS] }
    }

    /// Inserts `rows`, whose values `bind` adds; answers how many were inserted.
    pub(super) async fn insert<T>(
        &self,
        tx: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(&T, &mut Values),
    ) -> Result<u64> {
        let (mut rest, mut inserted) = (rows, 0);
        while !rest.is_empty() {
            let (count, text) = self.statement(rest.len());
            let (rows, others) = rest.split_at(count);
            rest = others;
            let mut values = Values::default();
            rows.iter().for_each(|row| bind(row, &mut values));
            let query = sqlx::query_with(AssertSqlSafe(text), values.finish()?);
            inserted += query.execute(&mut *tx).await?.rows_affected();
        }
        Ok(inserted)
    }

    /// The text for the first so many of `left` rows. The three highest bits of that number decide, so that few texts
    /// are prepared and kept, and no group needs more than two of them.
    fn statement(&self, left: usize) -> (usize, Arc<str>) {
        let left = left.clamp(1, MOST);
        let shift = left.ilog2().saturating_sub(2);
        let (count, high) = (left >> shift << shift, left >> shift);
        let place = shift as usize * 4 + high - 1;
        let text = self.texts[place].get_or_init(|| {
            let rows = vec![self.row; count].join(", ");
            [self.head, &rows, self.tail].concat().into()
        });
        (count, Arc::clone(text))
    }
}

/// The values of a statement, in the order of its places.
#[derive(Default)]
pub(super) struct Values {
    arguments: SqliteArguments,
    failed: Option<sqlx::Error>,
    /// Where [`Values::shown`] writes.
    scratch: String,
}

impl Values {
    /// Adds the next one.
    pub(super) fn add<'v>(
        &mut self,
        value: impl sqlx::Encode<'v, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    ) -> &mut Self {
        use sqlx::Arguments as _;
        if let Err(error) = self.arguments.add(value) {
            self.failed = Some(sqlx::Error::Encode(error));
        }
        self
    }

    /// Adds a text; what is borrowed is copied once, not twice as by [`Values::add`].
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.add(Arc::<str>::from(text))
    }

    /// Adds what is kept as the text it is shown as.
    pub(super) fn shown(&mut self, value: impl fmt::Display) -> &mut Self {
        use fmt::Write as _;
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let _ = write!(text, "{value}");
        self.text(&text);
        self.scratch = text;
        self
    }

    fn finish(self) -> Result<SqliteArguments> {
        self.failed.map_or(Ok(self.arguments), |error| Err(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_group_needs_more_than_two_statements() {
        let many = ManyRows::new("INSERT INTO t (a) VALUES ", "(?)", "");
        for rows in 1..=MOST {
            let (mut left, mut statements) = (rows, 0);
            while left > 0 {
                let (count, text) = many.statement(left);
                assert_eq!(text.matches("(?)").count(), count, "of {rows}");
                left -= count;
                statements += 1;
            }
            assert!(statements <= 2, "{statements} for {rows}");
        }
        assert!(many.texts.iter().all(|text| text.get().is_some()));
    }
}
