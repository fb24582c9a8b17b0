//! Quarantine: what was signed rightly but cannot be read.

use sqlx::sqlite::SqliteConnection;

use crate::clock::Timestamp;
use crate::model::Source;
use crate::signature;
use crate::store::writer::Unit;
use crate::store::{Result, Store};

/// How much of a body is kept.
const HEAD: usize = 2048;

impl Store {
    /// Keeps the first 2 KiB of an unreadable body with the reason. The same bytes are kept once.
    pub async fn quarantine(&self, source: Source, reason: &str, body: &[u8], at: Timestamp) -> Result<()> {
        let unit = Quarantine {
            id: format!("qtn_{}", uuid::Uuid::now_v7().simple()),
            source,
            reason: reason.to_owned(),
            sha256: signature::sha256_hex(&[body]),
            size: i64::try_from(body.len()).unwrap_or(i64::MAX),
            head: body[..body.len().min(HEAD)].to_vec(),
            at,
        };
        self.writer().submit(unit).await
    }

    /// How many bodies are in quarantine.
    pub async fn quarantined(&self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM quarantine").fetch_one(self.read()).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

struct Quarantine {
    id: String,
    source: Source,
    reason: String,
    sha256: String,
    size: i64,
    head: Vec<u8>,
    at: Timestamp,
}

impl Unit for Quarantine {
    type Output = ();

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<()> {
        sqlx::query(
            "INSERT INTO quarantine (id, source, received_at, reason, sha256, size, head) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source, sha256) DO NOTHING",
        )
        .bind(self.id.as_str())
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
