//! The audit log: appended to, read, verified; never changed.
//!
//! Every row carries a code over its own fields and the code of the row before it, under a key that is not in the
//! database, and `meta` names the last row under a second key. So a changed, inserted, moved or removed row shows,
//! also one at the end; what does not show is the whole database put back to an older state, unless the head was
//! noted elsewhere.

mod fault;
mod rekey;
mod verify;

use std::borrow::Cow;

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::clock::Timestamp;
use crate::key::Key;
use crate::model::AuditEntry;
use crate::store::meta::put_in;
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

pub use fault::Fault;
pub use rekey::Begun;
pub use verify::{Head, Verified};

/// The `meta` key of the head: `<seq>:<code of the row>:<code of the two>`.
const HEAD: &str = "audit.head";
/// The `meta` key of the proof that the sealing key is the one this database knows.
pub(super) const CHECK: &str = "key.check";
/// What the key is for that addresses are sealed with.
pub(super) const SEAL: &str = "seal";
const MAX_TEXT: usize = 2000;

/// The two keys of the log, ready for use. Units that append carry a clone.
#[derive(Clone, Debug)]
pub(super) struct AuditKey {
    row: Key,
    head: Key,
}

impl AuditKey {
    fn of(key: &Key) -> Self {
        Self { row: key.derive("audit"), head: key.derive("audit head") }
    }
}

/// What `meta` knows a key by.
pub(super) fn check_of(key: &Key) -> String {
    hex::encode(key.derive("check").mac(&[b"nuncio"]))
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its number, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// A Discord id, or a word.
    pub actor_id: String,
    /// What they are called.
    pub actor_name: String,
    /// What they did.
    pub action: String,
    /// To what.
    pub subject: String,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// A sentence.
    pub detail: String,
    /// The channel, or nothing.
    pub channel: String,
    /// Discord's id of the click or command.
    pub interaction: Option<String>,
    /// What it belongs to.
    pub reference: String,
    mac: Vec<u8>,
}

impl Store {
    /// Gives the store its key: before the first entry of the log, before that is verified, and before anything is sealed
    /// or opened. The first key that a database sees is its key from then on.
    pub async fn unlock(&self, key: &Key) -> Result<()> {
        let check = check_of(key);
        match self.meta(CHECK).await? {
            Some(known) if known != check => return Err(Error::OtherKey(self.path().to_owned())),
            Some(_) => {}
            None => self.set_meta(CHECK, check).await?,
        }
        let _ = self.0.seal_key.set(key.derive(SEAL));
        let key = AuditKey::of(key);
        // A second unlocking was checked against the first: it is the same key.
        let _ = self.0.audit_key.set(key);
        Ok(())
    }

    /// Whether this database knows a key: then only that one will do.
    pub async fn is_sealed(&self) -> Result<bool> {
        Ok(self.meta(CHECK).await?.is_some())
    }

    /// Appends an entry. Answers `false`, and changes nothing, if its interaction has one already.
    pub async fn audit(&self, entry: AuditEntry) -> Result<bool> {
        let unit = Append { key: self.audit_key()?, entry, now: self.0.clock.now() };
        self.writer().submit(unit).await
    }

    /// The newest entries first, at most `limit`.
    pub async fn audited(&self, limit: u32) -> Result<Vec<Audited>> {
        sqlx::query("SELECT * FROM audit ORDER BY seq DESC LIMIT $1")
            .bind(limit)
            .fetch_all(self.read())
            .await?
            .iter()
            .map(row)
            .collect()
    }

    /// The keys, for units that append.
    pub(super) fn audit_key(&self) -> Result<AuditKey> {
        self.0.audit_key.get().cloned().ok_or(Error::NoKey)
    }
}

struct Append {
    key: AuditKey,
    entry: AuditEntry,
    now: Timestamp,
}

impl Unit for Append {
    type Output = bool;

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<bool> {
        append(tx, &self.key, &self.entry, self.now).await
    }
}

/// Whether the log knows this click or command: the gateway may tell it twice.
pub(super) async fn was_seen(tx: &mut SqliteConnection, entry: &AuditEntry) -> Result<bool> {
    let Some(interaction) = entry.interaction else { return Ok(false) };
    let seen: Option<i64> = sqlx::query_scalar("SELECT 1 FROM audit WHERE interaction_id = $1")
        .bind(interaction.to_string())
        .fetch_optional(tx)
        .await?;
    Ok(seen.is_some())
}

/// Appends `entry` within a unit. Answers `false`, and changes nothing, if its interaction has an entry already.
pub(super) async fn append(
    tx: &mut SqliteConnection,
    key: &AuditKey,
    entry: &AuditEntry,
    now: Timestamp,
) -> Result<bool> {
    if was_seen(tx, entry).await? {
        return Ok(false);
    }
    // The head, not the last row: rows that were cut off must not be forgotten by the next one.
    let head: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = $1")
        .bind(HEAD)
        .fetch_optional(&mut *tx)
        .await?;
    let head = head.as_deref().and_then(|text| Head::open(key, text)).unwrap_or_default();
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(seq) FROM audit").fetch_one(&mut *tx).await?;
    append_after(tx, key, entry, now, last.unwrap_or(0).max(head.seq), &head.mac).await?;
    Ok(true)
}

/// Appends `entry` behind the row `seq`, whose code is `before`. Answers its number.
async fn append_after(
    tx: &mut SqliteConnection,
    key: &AuditKey,
    entry: &AuditEntry,
    now: Timestamp,
    seq: i64,
    before: &[u8],
) -> Result<i64> {
    let mut row = Audited {
        seq: seq + 1,
        at: now,
        actor_id: entry.actor.id(),
        actor_name: cut(entry.actor.name()),
        action: cut(&entry.action),
        subject: cut(&entry.subject),
        outcome: entry.outcome.as_str().to_owned(),
        detail: cut(&entry.detail),
        channel: entry.channel.map(|id| id.to_string()).unwrap_or_default(),
        interaction: entry.interaction.map(|id| id.to_string()),
        reference: cut(&entry.reference),
        mac: Vec::new(),
    };
    row.mac = row.seal(key, before).to_vec();
    insert(tx, &row).await?;
    put_in(tx, HEAD, &Head::seal(key, row.seq, &row.mac).to_string(), now).await?;
    Ok(row.seq)
}

async fn insert(tx: &mut SqliteConnection, row: &Audited) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit (seq, at, actor_id, actor_name, action, subject, outcome, detail, channel_id, \
         interaction_id, reference, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(row.seq)
    .bind(row.at.as_millis())
    .bind(&row.actor_id)
    .bind(&row.actor_name)
    .bind(&row.action)
    .bind(&row.subject)
    .bind(&row.outcome)
    .bind(&row.detail)
    .bind(&row.channel)
    .bind(&row.interaction)
    .bind(&row.reference)
    .bind(&row.mac)
    .execute(tx)
    .await?;
    Ok(())
}

impl Audited {
    /// The code of this row after the one with the code `before`.
    fn seal(&self, key: &AuditKey, before: &[u8]) -> [u8; 32] {
        let fields = self.parts(before);
        // Each with its length before it: nothing can move from one field into the next.
        let lengths: Vec<[u8; 8]> = fields.iter().map(|field| (field.len() as u64).to_be_bytes()).collect();
        let mut parts: Vec<&[u8]> = vec![if self.interaction.is_some() { b"1" } else { b"0" }];
        for (field, length) in fields.iter().zip(&lengths) {
            parts.extend([length.as_slice(), field]);
        }
        key.row.mac(&parts)
    }

    /// All that it says, behind `before`.
    fn parts<'a>(&'a self, before: &'a [u8]) -> [Cow<'a, [u8]>; 12] {
        let text = |text: &'a str| Cow::Borrowed(text.as_bytes());
        let number = |number: i64| Cow::Owned(number.to_be_bytes().to_vec());
        [
            Cow::Borrowed(before),
            number(self.seq),
            number(self.at.as_millis()),
            text(&self.actor_id),
            text(&self.actor_name),
            text(&self.action),
            text(&self.subject),
            text(&self.outcome),
            text(&self.detail),
            text(&self.channel),
            text(self.interaction.as_deref().unwrap_or_default()),
            text(&self.reference),
        ]
    }
}

pub(super) fn row(row: &SqliteRow) -> Result<Audited> {
    Ok(Audited {
        seq: row.try_get("seq")?,
        at: Timestamp::from_millis(row.try_get("at")?),
        actor_id: row.try_get("actor_id")?,
        actor_name: row.try_get("actor_name")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        outcome: row.try_get("outcome")?,
        detail: row.try_get("detail")?,
        channel: row.try_get("channel_id")?,
        interaction: row.try_get("interaction_id")?,
        reference: row.try_get("reference")?,
        mac: row.try_get("mac")?,
    })
}

fn cut(text: &str) -> String {
    text.chars().filter(|letter| *letter != '\0').take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests;
