//! Lock files beside the database: only one `nuncio serve` at a time.
//!
//! The lock is named after the database file, by its resolved path. `nuncio.lock`, the name in earlier versions, is
//! also held, in shared mode. That keeps out an earlier version, which wants it exclusively, and still allows two
//! databases in one folder.

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::store::path::{Identity, PRIVATE, make_folder, refuse_hard_links, resolve, unusable};
use crate::store::server::Server;
use crate::store::{Error, Result};

/// How long to wait for a lock: its holder may just be exiting. A child process that was being started also holds it
/// until its program runs.
const ENDING: Duration = Duration::from_secs(2);
/// Delay between two tries.
const AGAIN: Duration = Duration::from_millis(20);

/// Proof that only this process serves the database. Dropping it releases the lock; so does the end of the process.
#[derive(Debug)]
pub struct Lock(Arc<Held>);

/// The files behind a [`Lock`].
#[derive(Debug)]
pub(super) struct Held {
    database: PathBuf,
    files: Vec<LockFile>,
}

impl Lock {
    /// Takes `<database file>.lock` beside `database`. Returns [`Error::Locked`] if another process holds it and
    /// keeps it.
    pub async fn acquire(database: &Path, clock: &Clock) -> Result<Self> {
        make_folder(&resolve(database)?)?;
        let database = resolve(database)?;
        refuse_hard_links(&database)?;
        let until = clock.elapsed() + ENDING;
        let mut files = Vec::new();
        for (path, mode) in names(&database) {
            loop {
                match LockFile::take(&path, mode)? {
                    Some(file) => {
                        files.push(file);
                        break;
                    }
                    None if clock.elapsed() < until => clock.sleep(AGAIN).await,
                    None => return Err(locked(&database, path)),
                }
            }
        }
        Ok(Self(Arc::new(Held { database, files })))
    }

    /// Returns whether a process serves `database` at the moment, as far as that can be determined.
    #[must_use]
    pub fn is_held(database: &Path) -> bool {
        resolve(database).is_ok_and(|database| names(&database).iter().any(|(path, _)| is_held_alone(path)))
    }

    pub(super) const fn held(&self) -> &Arc<Held> {
        &self.0
    }
}

impl Held {
    /// Retakes a lock file that was removed or replaced. Returns [`Error::Locked`] if another process was faster:
    /// then two serve the database, and this one must stop.
    pub(super) fn keep(&self) -> Result<()> {
        self.files.iter().try_for_each(|file| file.keep(&self.database))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Alone,
    Shared,
}

fn names(database: &Path) -> Vec<(PathBuf, Mode)> {
    let mut own = database.as_os_str().to_owned();
    own.push(".lock");
    let (own, earlier) = (PathBuf::from(own), database.with_file_name("nuncio.lock"));
    let mut names = vec![(own, Mode::Alone)];
    // For a database file named `nuncio` the two names are equal.
    if names[0].0 != earlier {
        names.push((earlier, Mode::Shared));
    }
    names
}

#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    mode: Mode,
    file: Mutex<(File, Identity)>,
}

impl LockFile {
    /// `None` if another process holds it.
    fn take(path: &Path, mode: Mode) -> Result<Option<Self>> {
        let taken = take(path, mode).map_err(|error| unusable(path, error))?;
        Ok(taken.map(|file| Self { path: path.to_owned(), mode, file: Mutex::new(file) }))
    }

    fn keep(&self, database: &Path) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if Identity::at(&self.path).is_ok_and(|found| found == file.1) {
            return Ok(());
        }
        match take(&self.path, self.mode) {
            Ok(Some(again)) => {
                *file = again;
                let path = self.path.display();
                tracing::warn!(
                    "{path} was removed or replaced; it is locked again: leave it alone while nuncio runs"
                );
                Ok(())
            }
            // A command that only checks the lock holds it briefly, in shared mode.
            Ok(None) if is_held_alone(&self.path) => Err(locked(database, self.path.clone())),
            Ok(None) => Ok(()),
            Err(error) => Err(unusable(&self.path, error)),
        }
    }
}

/// Opens and locks the file at `path`; `None` if another process holds it, or has just replaced the file.
fn take(path: &Path, mode: Mode) -> std::io::Result<Option<(File, Identity)>> {
    let file = File::options().create(true).truncate(false).write(true).mode(PRIVATE).open(path)?;
    let locked = match mode {
        Mode::Alone => file.try_lock(),
        Mode::Shared => file.try_lock_shared(),
    };
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let identity = Identity::of(&file.metadata()?);
    let is_there = Identity::at(path).is_ok_and(|found| found == identity);
    Ok(is_there.then_some((file, identity)))
}

fn is_held_alone(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn locked(database: &Path, lock: PathBuf) -> Error {
    let holder = Server::of(database).map(|server| format!(" ({server})")).unwrap_or_default();
    Error::Locked { lock, holder }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Like a child process that is being started, or a process that is exiting. Control: with a single try, the first
    // of the two is red.
    #[tokio::test]
    async fn whoever_is_ending_is_waited_for_and_whoever_goes_on_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let (database, clock) = (folder.path().join("nuncio.db"), Clock::system());
        let first = Lock::acquire(&database, &clock).await.unwrap();
        let ending = first.0.files[0].file.lock().unwrap().0.try_clone().unwrap();
        drop(first);
        assert!(Lock::is_held(&database));
        let next = Lock::acquire(&database, &clock);
        let (next, ()) = tokio::join!(next, async move { drop(ending) });
        let _held = next.unwrap();

        let refused = tokio::spawn({
            let (database, clock) = (database.clone(), clock.clone());
            async move { Lock::acquire(&database, &clock).await.map(drop) }
        });
        // The waiting begins only when the task sleeps.
        tokio::task::yield_now().await;
        clock.advance(ENDING);
        assert!(matches!(refused.await.unwrap(), Err(Error::Locked { .. })));
    }

    // O-2. Controls: if the old name is not held, an earlier version gets in; if it is held exclusively, a second
    // database does not.
    #[tokio::test]
    async fn an_earlier_version_is_kept_out_and_another_database_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (clock, database) = (Clock::system(), folder.path().join("nuncio.db"));
        let _held = Lock::acquire(&database, &clock).await.unwrap();
        let earlier = File::open(folder.path().join("nuncio.lock")).unwrap();
        assert!(matches!(earlier.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(folder.path().join("nuncio.db.lock").exists());
        let _other = Lock::acquire(&folder.path().join("other.db"), &clock).await.unwrap();
        assert!(!Lock::is_held(&folder.path().join("third.db")));
        let _one_name = Lock::acquire(&folder.path().join("sub/nuncio"), &clock).await.unwrap();
        assert!(Lock::is_held(&folder.path().join("sub/nuncio")));
    }

    // O-2. Control: without comparing inodes, neither case is noticed.
    #[tokio::test]
    async fn a_lock_file_that_was_removed_is_taken_again_unless_somebody_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let (clock, database) = (Clock::system(), folder.path().join("nuncio.db"));
        let held = Lock::acquire(&database, &clock).await.unwrap();
        let path = folder.path().join("nuncio.db.lock");
        std::fs::remove_file(&path).unwrap();
        assert!(!Lock::is_held(&database));
        held.0.keep().unwrap();
        assert!(Lock::is_held(&database));

        std::fs::remove_file(&path).unwrap();
        let asking = File::create(&path).unwrap();
        asking.lock_shared().unwrap();
        held.0.keep().unwrap();
        drop(asking);
        let _second = Lock::acquire(&database, &clock).await.unwrap();
        assert!(matches!(held.0.keep(), Err(Error::Locked { .. })));
    }
}
