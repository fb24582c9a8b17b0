//! The sender's own book: what it sent and what was acknowledged, in a file, written as it happens.
//!
//! One line for each: `sent TAG SHA256`, `acknowledged TAG EVENT_ID`, `refused TAG STATUS`. A broken last line is
//! left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

use super::verdict::{Facts, Tag};

/// The book, open for writing.
pub struct Ledger {
    path: PathBuf,
    file: Mutex<File>,
}

/// The book, read.
#[derive(Debug, Default)]
pub struct Book {
    /// The hash of each body that was sent.
    pub sent: BTreeMap<Tag, String>,
    /// The event id each acknowledged event was given.
    pub acknowledged: BTreeMap<Tag, String>,
    /// The last status of those that were refused.
    pub refused: BTreeMap<Tag, u16>,
}

impl Ledger {
    /// A new book at `path`.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).context("the sender's ledger")?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// About to be sent.
    pub fn sent(&self, tag: &str, hash: &str) -> anyhow::Result<()> {
        self.line(&format!("sent {tag} {hash}"))
    }

    /// Answered 200.
    pub fn acknowledged(&self, tag: &str, event_id: &str) -> anyhow::Result<()> {
        self.line(&format!("acknowledged {tag} {event_id}"))
    }

    /// Answered, but not 200.
    pub fn refused(&self, tag: &str, status: u16) -> anyhow::Result<()> {
        self.line(&format!("refused {tag} {status}"))
    }

    fn line(&self, line: &str) -> anyhow::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{line}").context("the sender's ledger")
    }

    /// Reads it back.
    pub fn read(&self) -> anyhow::Result<Book> {
        Ok(Book::parse(&std::fs::read_to_string(&self.path)?))
    }
}

impl Book {
    fn parse(text: &str) -> Self {
        let mut book = Self::default();
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["sent", tag, hash] => drop(book.sent.insert(tag.to_owned(), hash.to_owned())),
                ["acknowledged", tag, id] => drop(book.acknowledged.insert(tag.to_owned(), id.to_owned())),
                ["refused", tag, status] => {
                    book.refused.insert(tag.to_owned(), status.parse().unwrap_or(0));
                }
                _ => {}
            }
        }
        book
    }

    /// What the verdict wants to know of it.
    pub fn facts(&self) -> Facts {
        Facts {
            sent: self.sent.keys().cloned().collect(),
            acknowledged: self.acknowledged.clone(),
            ..Facts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::create(&folder.path().join("ledger")).unwrap();
        ledger.sent("a", "00").unwrap();
        ledger.refused("a", 503).unwrap();
        ledger.acknowledged("a", "evt_1").unwrap();
        ledger.sent("b", "11").unwrap();
        ledger.file.lock().unwrap().write_all(b"acknowledged b evt").unwrap();
        let book = ledger.read().unwrap();
        assert_eq!(book.sent.len(), 2);
        assert_eq!(book.refused["a"], 503);
        assert_eq!(book.acknowledged, [("a".to_owned(), "evt_1".to_owned())].into());
        assert_eq!(book.facts().acknowledged.len(), 1);
    }
}
