//! Files that are not what was written: nuncio says so and stops, or goes on from what is whole. It never panics.

use std::path::{Path, PathBuf};

use nuncio::clock::Clock;
use nuncio::store::{Error, HintSender, Store};
use tempfile::TempDir;

use super::{event, incoming, other_program, silent};
use crate::database::Database;

const EVENTS: usize = 40;

/// A folder with the files of a nuncio that has stored [`EVENTS`] events, as `kill -9` leaves them: the newest stand
/// in the write-ahead log only.
struct Files(TempDir);

impl Files {
    async fn left_behind() -> Self {
        let t = silent().await;
        // As long as this one reads the empty tables, nothing can be folded into the file.
        let reader = other_program(&t).await;
        reader.execute("BEGIN", ()).await.unwrap();
        reader.execute("SELECT COUNT(*) FROM events", ()).await.unwrap();
        for number in 0..EVENTS {
            t.sends_body(event(number, 200)).await;
        }
        let files = Self(TempDir::new().unwrap());
        let path = t.store().path().to_owned();
        for end in ["", "-wal"] {
            std::fs::copy(with_end(&path, end), with_end(&files.path(), end)).unwrap();
        }
        reader.close().await.unwrap();
        t.finish().await;
        files
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("nuncio.db")
    }

    fn copy(&self) -> Self {
        let copy = Self(TempDir::new().unwrap());
        for end in ["", "-wal"] {
            std::fs::copy(with_end(&self.path(), end), with_end(&copy.path(), end)).unwrap();
        }
        copy
    }

    /// Changes the bytes of the file with this end.
    fn change(&self, end: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = with_end(&self.path(), end);
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
    }

    /// Everything into one file, as a clean end leaves it.
    async fn folded(self) -> Self {
        let database = Database::open(self.path()).await.unwrap();
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)", ()).await.unwrap();
        database.close().await.unwrap();
        std::fs::write(with_end(&self.path(), "-wal"), "").unwrap();
        self
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    format!("{}{end}", path.display()).into()
}

/// Opens it as `serve` does.
async fn open(path: &Path) -> Result<Store, Error> {
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(path, Clock::system(), hints).await?;
    store.check().await?;
    Ok(store)
}

async fn count(path: &Path) -> Result<usize, Error> {
    let store = open(path).await?;
    let count = store.recent(1000).await.map(|events| events.len());
    store.close().await;
    count
}

/// What an error says must help.
fn assert_helps(error: &Error) {
    let said = error.to_string();
    let helps = matches!(
        error,
        Error::Damaged(_) | Error::Changed(_) | Error::Newer(_) | Error::Foreign(_) | Error::Corrupt(_)
    );
    assert!(helps, "{said}");
}

// F-4
#[tokio::test]
async fn what_the_log_holds_is_recovered_without_its_index() {
    let files = Files::left_behind().await;
    assert_eq!(count(&files.path()).await.unwrap(), EVENTS, "the -shm was not there");
}

// F-4
#[tokio::test]
async fn a_log_that_breaks_off_is_recovered_up_to_its_last_whole_commit() {
    let files = Files::left_behind().await;
    let mut fewest = EVENTS;
    for tenth in (0..10).rev() {
        let cut = files.copy();
        cut.change("-wal", |bytes| bytes.truncate(bytes.len() * tenth / 10));
        match count(&cut.path()).await {
            Ok(found) => {
                assert!(found <= fewest, "a shorter log holds more");
                fewest = found;
            }
            Err(error) => assert_helps(&error),
        }
    }
    assert!(fewest < EVENTS);
}

// F-4, S-5
#[rstest::rstest]
#[case::zeroed_header(|bytes: &mut Vec<u8>| bytes[..100].fill(0))]
#[case::another_file(|bytes: &mut Vec<u8>| *bytes = b"<html>not a database</html>".repeat(400))]
#[case::a_page_of_zeros(|bytes: &mut Vec<u8>| bytes[8192..12288].fill(0))]
#[case::pages_that_nobody_reads_at_the_start(|bytes: &mut Vec<u8>| { let at = bytes.len() - 4 * 4096; bytes[at..].fill(0) })]
#[case::half_of_it(|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2))]
#[tokio::test]
async fn damage_is_said_at_the_start_and_nothing_is_changed(#[case] harm: fn(&mut Vec<u8>)) {
    let files = Files::left_behind().await.folded().await;
    files.change("", harm);
    let before = std::fs::read(files.path()).unwrap();
    let error = open(&files.path()).await.err().expect("it must not open");
    assert!(matches!(error, Error::Damaged(_)), "{error}");
    assert!(error.needs_a_person() && error.to_string().contains("Restore your last backup"), "{error}");
    assert_eq!(std::fs::read(files.path()).unwrap(), before);
}

// S-5
#[rstest::rstest]
#[case::newer("INSERT INTO schema_migrations VALUES (99, 'later', x'00')", "written by a newer nuncio")]
#[case::tampered(
    "UPDATE schema_migrations SET checksum = x'00' WHERE version = 1",
    "schema 1 is not the one nuncio made"
)]
#[tokio::test]
async fn a_schema_that_is_not_ours_is_refused(#[case] change: &'static str, #[case] told: &str) {
    let files = Files::left_behind().await;
    let other = Database::open(files.path()).await.unwrap();
    other.execute(change, ()).await.unwrap();
    other.close().await.unwrap();
    let error = open(&files.path()).await.err().expect("it must not open");
    assert!(error.needs_a_person() && error.to_string().contains(told), "{error}");
}

// F-4: hundreds of random flips, each opened, read and written as `serve` would.
#[tokio::test]
async fn flipped_bytes_are_refused_or_survived() {
    const FLIPS: u64 = 300;
    let files = Files::left_behind().await.folded().await;
    let (mut refused, mut survived) = (0, 0);
    for seed in 0..FLIPS {
        let harmed = files.copy();
        harmed.change("", |bytes| {
            // Every third hits the first pages, where the schema stands.
            let range = if seed % 3 == 0 { bytes.len().min(8192) } else { bytes.len() };
            let at = usize::try_from(mix(seed)).unwrap() % range;
            bytes[at] ^= u8::try_from(mix(seed + 1_000_000) % 255).unwrap() + 1;
        });
        let path = harmed.path();
        // A panic of any task of ours is a panic here.
        let tried = tokio::spawn(async move { serve_one(&path).await }).await.expect("no panic");
        match tried {
            Ok(()) => survived += 1,
            Err(error) => {
                assert!(
                    !matches!(error, Error::Panicked | Error::Closed | Error::Busy),
                    "seed {seed}: {error}"
                );
                refused += 1;
            }
        }
    }
    println!("{FLIPS} flips: {refused} refused with a sentence, {survived} harmless");
    assert!(refused > 0 && survived > 0);
}

/// Opens, reads, and accepts an event; what was acknowledged must be there afterwards.
async fn serve_one(path: &Path) -> Result<(), Error> {
    let store = open(path).await?;
    let done = store.accept(incoming(0, 10)).await;
    let lists = store.recent(100).await;
    store.close().await;
    let (id, _) = (done?.event_id, lists?);
    let store = open(path).await?;
    let found = store.event(id).await;
    store.close().await;
    assert!(found?.is_some(), "acknowledged, and not there");
    Ok(())
}

/// A number that looks like chance and is the same each time (splitmix64).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
