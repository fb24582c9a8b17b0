//! The audit log: append-only and tamper-evident.
//!
//! Every row carries a MAC over its own fields and the MAC of the row before it, under a key that is not in the
//! database. `meta` names the last row under a second key. So a changed, inserted, moved or removed row is detected,
//! also at the end. What is not detected is a rollback of the whole database to an older state, unless the head was
//! noted elsewhere.

mod fault;
mod rekey;
mod verify;

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::key::Key;
use crate::model::AuditEntry;
use crate::store::meta::put_in;
use crate::store::sql::{Row, Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

pub use fault::AuditFault;
pub use rekey::ChainStart;
pub use verify::{Head, Verified};

/// The `meta` key of the head: `<seq>:<MAC of the row>:<MAC of the two>`.
const HEAD: &str = "audit.head";
/// The `meta` key of the fingerprint of the key that this database uses.
pub(super) const CHECK: &str = "key.check";
/// Purpose of the derived key that seals webhook addresses.
pub(super) const SEAL: &str = "seal";
const MAX_TEXT: usize = 2000;

/// The two derived keys of the log. Units that append carry a clone.
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

/// Fingerprint of a key, as stored in `meta`.
pub(super) fn check_of(key: &Key) -> String {
    hex::encode(key.derive("check").mac(&[b"nuncio"]))
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Sequence number, starting at 1.
    pub seq: i64,
    /// Time of the action.
    pub at: Timestamp,
    /// Discord id of the actor, or a fixed word for an actor without one.
    pub actor_id: String,
    /// Display name of the actor.
    pub actor_name: String,
    /// Action, for example `decision.approve`.
    pub action: String,
    /// What the action applied to.
    pub subject: String,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// One sentence for the reader.
    pub detail: String,
    /// Discord id of the channel; empty if none.
    pub channel: String,
    /// Discord interaction id of the click or command.
    pub interaction: Option<String>,
    /// Related object, for example a decision id; for a rekey entry, the hash of all earlier rows.
    pub reference: String,
    mac: Vec<u8>,
}

impl Store {
    /// Loads the key. Required before the first append, before verification, and before anything is sealed or opened.
    /// The first key that a database sees becomes its key.
    pub async fn unlock(&self, key: &Key) -> Result<()> {
        let check = check_of(key);
        match self.meta(CHECK).await? {
            Some(known) if known != check => return Err(Error::OtherKey(self.path().to_owned())),
            Some(_) => {}
            None => self.set_meta(CHECK, check).await?,
        }
        let _ = self.0.seal_key.set(key.derive(SEAL));
        let key = AuditKey::of(key);
        // The second `unlock` was checked against the first: it is the same key.
        let _ = self.0.audit_key.set(key);
        Ok(())
    }

    /// Returns whether this database already has a key: then no other key is accepted.
    pub async fn is_sealed(&self) -> Result<bool> {
        Ok(self.meta(CHECK).await?.is_some())
    }

    /// Appends an entry. Returns `false`, and changes nothing, if its interaction already has one.
    pub async fn audit(&self, entry: AuditEntry) -> Result<bool> {
        let unit = Append { key: self.audit_key()?, entry, now: self.0.clock.now() };
        self.writer().submit(unit).await
    }

    /// Returns the newest entries first, at most `limit`.
    pub async fn audited(&self, limit: u32) -> Result<Vec<Audited>> {
        query("SELECT * FROM audit ORDER BY seq DESC LIMIT $1")
            .bind(limit)
            .fetch_all(self.read())
            .await?
            .iter()
            .map(row)
            .collect()
    }

    /// Returns the keys, for units that append.
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

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        append(tx, &self.key, &self.entry, self.now).await
    }
}

/// Returns whether the log has this click or command already: the gateway may deliver it twice.
pub(super) async fn was_seen(tx: &mut Tx, entry: &AuditEntry) -> Result<bool> {
    let Some(interaction) = entry.interaction else { return Ok(false) };
    let seen: Option<i64> = query_scalar("SELECT CAST(1 AS BIGINT) FROM audit WHERE interaction_id = $1")
        .bind(interaction.to_string())
        .fetch_optional(tx)
        .await?;
    Ok(seen.is_some())
}

/// Appends `entry` within a unit. Returns `false`, and changes nothing, if its interaction already has an entry.
pub(super) async fn append(tx: &mut Tx, key: &AuditKey, entry: &AuditEntry, now: Timestamp) -> Result<bool> {
    if was_seen(tx, entry).await? {
        return Ok(false);
    }
    // Continue from the head, not from the last row: rows that were cut off must stay detectable after the next
    // append.
    let head: Option<String> =
        query_scalar("SELECT value FROM meta WHERE key = $1").bind(HEAD).fetch_optional(&mut *tx).await?;
    let head = head.as_deref().and_then(|text| Head::open(key, text)).unwrap_or_default();
    let last: Option<i64> = query_scalar("SELECT MAX(seq) FROM audit").fetch_one(&mut *tx).await?;
    append_after(tx, key, entry, now, last.unwrap_or(0).max(head.seq), &head.mac).await?;
    Ok(true)
}

/// Appends `entry` after the row `seq`, whose MAC is `before`. Returns its sequence number.
async fn append_after(
    tx: &mut Tx,
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

async fn insert(tx: &mut Tx, row: &Audited) -> Result<()> {
    query(
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
    /// MAC of this row, chained to the MAC `before`.
    fn seal(&self, key: &AuditKey, before: &[u8]) -> [u8; 32] {
        let fields = self.parts(before);
        // Each field is preceded by its length: nothing can move from one field into the next.
        let lengths: Vec<[u8; 8]> = fields.iter().map(|field| (field.len() as u64).to_be_bytes()).collect();
        let mut parts: Vec<&[u8]> = vec![if self.interaction.is_some() { b"1" } else { b"0" }];
        for (field, length) in fields.iter().zip(&lengths) {
            parts.extend([length.as_slice(), field]);
        }
        key.row.mac(&parts)
    }

    /// All authenticated fields, starting with `before`.
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

pub(super) fn row(row: &Row) -> Result<Audited> {
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
