//! Audit log rekeying after the key was lost for good: a new chain that stays bound to the old rows.
//!
//! The first row of the new chain carries a hash over all rows before it. Without the lost key, earlier tampering
//! with those rows cannot be detected any more; later tampering still is.

use sha2::{Digest as _, Sha256};

use super::fault::AuditFault;
use super::{AuditKey, Audited, CHECK, HEAD, append_after, check_of, row};
use crate::clock::Timestamp;
use crate::key::Key;
use crate::model::{Actor, AuditEntry};
use crate::store::meta::put_in;
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Lock, Result, Store};

/// Action of the row that begins a new chain. Its reference is the hash.
const ACTION: &str = "audit.rekey";
const PAGE: i64 = 1000;
/// Maximum number of unreadable rows that the entry names.
const MOST_NAMED: usize = 10;

/// Start of the current key's chain, if that is not the first row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStart {
    /// Sequence number of the rekey entry.
    pub seq: i64,
    /// Time of the rekeying.
    pub at: Timestamp,
}

impl Store {
    /// Rekeys the log and appends an entry about it; returns the sequence number of that entry. Returns `None`, and
    /// changes nothing, if the log already uses this key, or none yet. The lock proves that no other process appends
    /// with the old key meanwhile.
    pub async fn rekey_audit(&self, key: &Key, _lock: &Lock) -> Result<Option<i64>> {
        let check = check_of(key);
        match self.meta(CHECK).await? {
            Some(known) if known != check => {}
            _ => return Ok(None),
        }
        let unit = Rekey { key: AuditKey::of(key), check, now: self.0.clock.now() };
        self.writer().submit(unit).await.map(Some)
    }
}

/// Finds the row that begins the chain under `key`, and the MAC of the row before it.
pub(super) async fn chain_start(reader: &mut Tx, key: &AuditKey) -> Result<Option<(Audited, Vec<u8>)>> {
    let found = query("SELECT * FROM audit WHERE action = $1 ORDER BY seq DESC")
        .bind(ACTION)
        .fetch_all(&mut *reader)
        .await?;
    for found in &found {
        let Ok(begins) = row(found) else { continue };
        let before = query("SELECT mac FROM audit WHERE seq = $1")
            .bind(begins.seq - 1)
            .fetch_optional(&mut *reader)
            .await?;
        let before = before.map(|row| row.raw("mac")).unwrap_or_default();
        if begins.seal(key, &before).as_slice() == begins.mac {
            return Ok(Some((begins, before)));
        }
    }
    Ok(None)
}

/// Checks that the rows before `begins` are unchanged since it was written.
pub(super) async fn verify_before(
    reader: &mut Tx,
    begins: &Audited,
    mut each: impl FnMut(&Audited),
) -> Result<Option<AuditFault>> {
    let mut sum = Sum::default();
    while sum.seq + 1 < begins.seq {
        let page = query("SELECT * FROM audit WHERE seq > $1 AND seq < $2 ORDER BY seq LIMIT $3")
            .bind(sum.seq)
            .bind(begins.seq)
            .bind(PAGE)
            .fetch_all(&mut *reader)
            .await?;
        if page.is_empty() {
            break;
        }
        for found in &page {
            match row(found) {
                Ok(row) => {
                    sum.add(&row);
                    each(&row);
                }
                // The row may have been unreadable when the hash was made; if it was not, the hash differs.
                Err(_) => sum.skip(found.try_get("seq")?),
            }
        }
    }
    Ok((sum.finish() != begins.reference).then_some(AuditFault::Earlier(begins.seq)))
}

struct Rekey {
    key: AuditKey,
    check: String,
    now: Timestamp,
}

impl Unit for Rekey {
    type Output = i64;

    async fn apply(&self, tx: &mut Tx) -> Result<i64> {
        let mut sum = Sum::default();
        let mut unreadable: Vec<i64> = Vec::new();
        loop {
            let page = query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
                .bind(sum.seq)
                .bind(PAGE)
                .fetch_all(&mut *tx)
                .await?;
            if page.is_empty() {
                break;
            }
            for found in &page {
                // An unreadable row must not stop the rekeying: everything else depends on it.
                match row(found) {
                    Ok(row) => sum.add(&row),
                    Err(_) => {
                        sum.skip(found.try_get("seq")?);
                        unreadable.push(sum.seq);
                    }
                }
            }
        }
        let last =
            query("SELECT mac FROM audit WHERE seq = $1").bind(sum.seq).fetch_optional(&mut *tx).await?;
        let last = last.map(|row| row.raw("mac")).unwrap_or_default();
        let head: Option<String> =
            query_scalar("SELECT value FROM meta WHERE key = $1").bind(HEAD).fetch_optional(&mut *tx).await?;
        let until = sum.seq;
        let mut entry = AuditEntry::new(Actor::Shell, ACTION, "the audit log");
        entry.detail = format!(
            "the key was lost: entries 1 to {until} were sealed with another one; their end was {}",
            head.as_deref().unwrap_or("not noted")
        );
        if !unreadable.is_empty() {
            let named: Vec<String> = unreadable.iter().take(MOST_NAMED).map(ToString::to_string).collect();
            let count = unreadable.len();
            entry
                .detail
                .push_str(&format!("; {count} of them could not be read, among them {}", named.join(", ")));
        }
        entry.reference = sum.finish();
        let row = append_after(tx, &self.key, &entry, self.now, until, &last).await?;
        put_in(tx, CHECK, &self.check, self.now).await?;
        Ok(row)
    }
}

/// A hash over rows; each field is preceded by its length.
#[derive(Default)]
struct Sum {
    hash: Sha256,
    seq: i64,
}

impl Sum {
    fn add(&mut self, row: &Audited) {
        self.seq = row.seq;
        for part in row.parts(&row.mac) {
            self.hash.update((part.len() as u64).to_be_bytes());
            self.hash.update(&part);
        }
    }

    /// Adds an unreadable row: only its existence enters the hash.
    fn skip(&mut self, seq: i64) {
        self.seq = seq;
        self.hash.update(u64::MAX.to_be_bytes());
        self.hash.update(seq.to_be_bytes());
    }

    fn finish(self) -> String {
        format!("sha256:{}", hex::encode(self.hash.finalize()))
    }
}
