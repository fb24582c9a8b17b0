//! Quarantine: bodies with a valid signature that cannot be parsed.

use crate::clock::Timestamp;
use crate::model::{QuarantineId, Source};
use crate::signature;
use crate::store::event::source_of;
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// Number of body bytes to keep.
const HEAD: usize = 2048;

/// A body with a valid signature that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Id of the body.
    pub id: QuarantineId,
    /// System that sent it.
    pub source: Source,
    /// When it first arrived.
    pub received_at: Timestamp,
    /// Why it cannot be parsed, as a sentence.
    pub reason: String,
    /// SHA-256 of the whole body, 64 hex digits.
    pub sha256: String,
    /// Length of the body in bytes.
    pub size: u64,
    /// First 2 KiB of the body.
    pub head: Vec<u8>,
}

impl Store {
    /// Stores the first 2 KiB of an unparseable body with the reason. Equal bodies are stored once.
    pub async fn quarantine(&self, source: Source, reason: &str, body: &[u8], at: Timestamp) -> Result<()> {
        let unit = Quarantine {
            id: QuarantineId::new(),
            source,
            reason: reason.to_owned(),
            sha256: signature::sha256_hex(&[body]),
            size: i64::try_from(body.len()).unwrap_or(i64::MAX),
            head: body[..body.len().min(HEAD)].to_vec(),
            at,
        };
        self.writer().submit(unit).await
    }

    /// Returns the quarantined bodies, newest first; at most `limit`.
    pub async fn quarantine_list(&self, limit: u32) -> Result<Vec<Quarantined>> {
        let rows = query(
            "SELECT id, source, received_at, reason, sha256, size, head FROM quarantine ORDER BY id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Quarantined {
                    id: row.try_get("id")?,
                    source: source_of(&row.try_get::<String>("source")?)?,
                    received_at: Timestamp::from_millis(row.try_get("received_at")?),
                    reason: row.try_get("reason")?,
                    sha256: row.try_get("sha256")?,
                    size: u64::try_from(row.try_get::<i64>("size")?).unwrap_or(0),
                    head: row.try_get("head")?,
                })
            })
            .collect()
    }

    /// Counts the quarantined bodies.
    pub async fn quarantined(&self) -> Result<u64> {
        let count: i64 = query_scalar("SELECT COUNT(*) FROM quarantine").fetch_one(self.read()).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

struct Quarantine {
    id: QuarantineId,
    source: Source,
    reason: String,
    sha256: String,
    size: i64,
    head: Vec<u8>,
    at: Timestamp,
}

impl Unit for Quarantine {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query(
            "INSERT INTO quarantine (id, source, received_at, reason, sha256, size, head) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source, sha256) DO NOTHING",
        )
        .bind(self.id)
        .bind(self.source.as_str())
        .bind(self.at.as_millis())
        .bind(self.reason.as_str())
        .bind(self.sha256.as_str())
        .bind(self.size)
        .bind(self.head.as_slice())
        .execute(tx)
        .await?;
        Ok(())
    }
}
