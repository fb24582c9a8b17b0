//! The hub's errors at the shell.

use crate::cli::Usage;
use crate::hub::Error;

/// Maps an error: an invalid value is wrong usage, everything else a failure.
pub(super) fn at_shell(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid { reason, .. } => Usage(reason).into(),
        // Its own type: some of these have an exit code of their own.
        Error::Unavailable(error) => error.into(),
        error @ (Error::NotFound(_) | Error::Forbidden(_) | Error::Conflict(_)) => anyhow::Error::new(error),
    }
}
