//! The unit: one change of the database, applied whole or not at all.

use sqlx::sqlite::SqliteConnection;

use crate::store::Result;

/// One change to the database: one transaction if it is alone, a part of one if not.
pub(super) trait Unit: Send + Sync + 'static {
    /// What it answers.
    type Output: Send + 'static;

    /// Makes the change. May be called again after a rollback.
    fn apply<'a>(
        &'a self,
        tx: &'a mut SqliteConnection,
    ) -> impl Future<Output = Result<Self::Output>> + Send + 'a;
}
