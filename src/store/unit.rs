//! Units of work: one change of the database, applied as a whole or not at all.

use crate::store::Result;
use crate::store::sql::Tx;

/// One change of the database: a transaction of its own, or a part of a group's transaction.
pub(super) trait Unit: Send + Sync + 'static {
    /// Result of the change.
    type Output: Send + 'static;

    /// Makes the change. May be called again after a rollback.
    fn apply<'a>(&'a self, tx: &'a mut Tx) -> impl Future<Output = Result<Self::Output>> + Send + 'a;
}
