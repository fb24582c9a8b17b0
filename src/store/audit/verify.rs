//! Audit log verification: checks each row against the one before it, and the last row against the head in `meta`.

use std::fmt;

use super::fault::AuditFault;
use super::rekey::{chain_start, verify_before};
use super::{AuditKey, Audited, ChainStart, HEAD, row};
use crate::store::meta::meta_in;
use crate::store::sql::{Tx, query, snapshot};
use crate::store::{Result, Store};

/// Number of rows held in memory at a time.
const PAGE: i64 = 1000;

/// The end of the log. An operator who notes it elsewhere can later detect a rollback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Sequence number of the last row; 0 if there is none.
    pub seq: i64,
    /// MAC of the last row.
    pub(super) mac: Vec<u8>,
    /// MAC of the two, under a key of its own: the MAC of a row that is no longer the last cannot replace it.
    proof: Vec<u8>,
}

impl Head {
    pub(super) fn seal(key: &AuditKey, seq: i64, mac: &[u8]) -> Self {
        let proof = key.head.mac(&[&seq.to_be_bytes(), mac]).to_vec();
        Self { seq, mac: mac.to_vec(), proof }
    }

    /// Parses the head from `meta`; `None` if it was not sealed with `key`.
    pub(super) fn open(key: &AuditKey, text: &str) -> Option<Self> {
        Self::parse(text).filter(|head| *head == Self::seal(key, head.seq, &head.mac))
    }

    /// Parses the output of `Display`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (seq, mac, proof) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { seq: seq.parse().ok()?, mac: hex::decode(mac).ok()?, proof: hex::decode(proof).ok()? })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.seq, hex::encode(&self.mac), hex::encode(&self.proof))
    }
}

/// Result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Number of rows that were read.
    pub entries: u64,
    /// The first fault; `None` if there is none.
    pub fault: Option<AuditFault>,
    /// Where the log was rekeyed because its key was lost: changes to earlier rows before that time cannot be
    /// detected.
    pub begun: Option<ChainStart>,
    /// The last valid row of the log.
    pub head: Head,
}

impl Store {
    /// Reads the whole log and checks every row, the order of the rows, and the end. With `expected`, also checks
    /// that this earlier head is part of the log.
    pub async fn verify_audit(&self, expected: Option<&Head>) -> Result<Verified> {
        let key = self.audit_key()?;
        // One snapshot: with a concurrent writer, an entry between two reads would look like one that nuncio did not
        // write.
        let expected = expected.cloned();
        snapshot(self.read(), async move |reader| verify(reader, key, expected.as_ref()).await).await
    }
}

async fn verify(reader: &mut Tx, key: AuditKey, expected: Option<&Head>) -> Result<Verified> {
    let head = meta_in(&mut *reader, HEAD).await?;
    let mut walk = ChainWalk {
        key,
        entries: 0,
        seq: 0,
        mac: Vec::new(),
        met: expected.is_none_or(|head| head.seq == 0),
    };
    let begun = chain_start(reader, &walk.key).await?;
    let earlier = match &begun {
        Some((begins, before)) => walk.skip(reader, begins, before, expected).await?,
        None => None,
    };
    let walked = match earlier {
        Some(fault) => Some(fault),
        None => walk.go(reader, expected).await?,
    };
    let begun = begun.map(|(begins, _)| ChainStart { seq: begins.seq, at: begins.at });
    let fault = match walked {
        Some(fault) => Some(fault),
        None => walk.end(head.as_deref()).or(match expected {
            Some(expected) if !walk.met => Some(AuditFault::Expected(expected.seq)),
            _ => None,
        }),
    };
    let head = Head::seal(&walk.key, walk.seq, &walk.mac);
    Ok(Verified { entries: walk.entries, fault, begun, head })
}

struct ChainWalk {
    key: AuditKey,
    entries: u64,
    seq: i64,
    mac: Vec<u8>,
    met: bool,
}

impl ChainWalk {
    /// Skips to the row `begins`, which begins a new chain after the MAC `before`.
    async fn skip(
        &mut self,
        reader: &mut Tx,
        begins: &Audited,
        before: &[u8],
        expected: Option<&Head>,
    ) -> Result<Option<AuditFault>> {
        let (mut entries, mut met) = (0, false);
        let fault = verify_before(reader, begins, |row| {
            entries += 1;
            // Compare without the proof: it was made with the lost key.
            met |= expected.is_some_and(|head| (head.seq, &head.mac) == (row.seq, &row.mac));
        });
        if let Some(fault) = fault.await? {
            return Ok(Some(fault));
        }
        self.entries = entries;
        self.met |= met;
        self.seq = begins.seq - 1;
        self.mac = before.to_vec();
        Ok(None)
    }

    /// Checks row by row up to the end, or to the first fault.
    async fn go(&mut self, reader: &mut Tx, expected: Option<&Head>) -> Result<Option<AuditFault>> {
        loop {
            let page = query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
                .bind(self.seq)
                .bind(PAGE)
                .fetch_all(&mut *reader)
                .await?;
            for found in &page {
                // nuncio never writes an unreadable row.
                let Ok(row) = row(found) else { return Ok(Some(AuditFault::Row(self.seq + 1))) };
                if let Some(fault) = self.step(&row) {
                    return Ok(Some(fault));
                }
                self.met |= expected.is_some_and(|head| *head == Head::seal(&self.key, row.seq, &row.mac));
            }
            if page.is_empty() {
                return Ok(None);
            }
        }
    }

    fn step(&mut self, row: &Audited) -> Option<AuditFault> {
        if row.seq != self.seq + 1 || row.seal(&self.key, &self.mac).as_slice() != row.mac {
            return Some(AuditFault::Row(self.seq + 1));
        }
        self.entries += 1;
        self.seq = row.seq;
        self.mac.clone_from(&row.mac);
        None
    }

    /// Compares the last row with the head in `meta`. Both may be absent.
    fn end(&self, head: Option<&str>) -> Option<AuditFault> {
        let Some(head) = head else { return (self.seq > 0).then_some(AuditFault::Head) };
        let Some(head) = Head::open(&self.key, head) else { return Some(AuditFault::Head) };
        match head.seq.cmp(&self.seq) {
            std::cmp::Ordering::Greater => Some(AuditFault::CutAfter(self.seq)),
            std::cmp::Ordering::Less => Some(AuditFault::Beyond(head.seq + 1)),
            std::cmp::Ordering::Equal if head.mac != self.mac => Some(AuditFault::Head),
            std::cmp::Ordering::Equal => None,
        }
    }
}
