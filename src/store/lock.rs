//! The lock file beside the database: one `nuncio serve` at a time.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::store::{Error, Result};

/// How long a lock is waited for: whoever held it may just be ending. A child process that was being started then holds it,
/// too, until its program runs.
const ENDING: Duration = Duration::from_secs(2);
/// How long until the next try.
const AGAIN: Duration = Duration::from_millis(20);

/// Proof that this process alone serves the database. Dropping it lets the next one in; so does dying.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes `nuncio.lock` beside `database`. [`Error::Locked`] if another process holds it and goes on holding it.
    pub async fn acquire(database: &Path, clock: &Clock) -> Result<Self> {
        let path = database.with_file_name("nuncio.lock");
        let file_error = |error| Error::File { path: path.clone(), error: Arc::new(error) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file_error)?;
        }
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(file_error)?;
        let until = clock.elapsed() + ENDING;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if clock.elapsed() < until => clock.sleep(AGAIN).await,
                Err(TryLockError::WouldBlock) => return Err(Error::Locked(path)),
                Err(TryLockError::Error(error)) => return Err(file_error(error)),
            }
        }
    }

    /// Whether a process serves `database` at the moment, as far as can be told.
    #[must_use]
    pub fn is_held(database: &Path) -> bool {
        let file = File::open(database.with_file_name("nuncio.lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // As a child process that is being started has it, or a process on its last breath. Control: with one try alone, the
    // first of the two is red.
    #[tokio::test]
    async fn whoever_is_ending_is_waited_for_and_whoever_goes_on_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let (database, clock) = (folder.path().join("nuncio.db"), Clock::system());
        let first = Lock::acquire(&database, &clock).await.unwrap();
        let ending = first._file.try_clone().unwrap();
        drop(first);
        assert!(Lock::is_held(&database));
        let next = Lock::acquire(&database, &clock);
        let (next, ()) = tokio::join!(next, async move { drop(ending) });
        let _held = next.unwrap();

        let refused = tokio::spawn({
            let (database, clock) = (database.clone(), clock.clone());
            async move { Lock::acquire(&database, &clock).await.map(drop) }
        });
        // Until it sleeps, it has not begun to wait.
        tokio::task::yield_now().await;
        clock.advance(ENDING);
        assert!(matches!(refused.await.unwrap(), Err(Error::Locked(_))));
    }
}
