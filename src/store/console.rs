//! Who may open the console: one-time links and sessions. Only hashes of their secrets are stored.

use crate::clock::Timestamp;
use crate::model::{
    AuditEntry, By, CONSOLE_LINK_VALID, CONSOLE_SESSION_IDLE, CONSOLE_SESSION_LONGEST, ConsoleSession,
    ConsoleSessionId, ConsoleToken,
};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::{Row, Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// The action of a sign-in in the audit log.
const SIGN_IN: &str = "console.sign-in";
/// What these audit entries are about.
const CONSOLE: &str = "console";

impl Store {
    /// Stores a one-time link that is valid from `now` on; `name` will be the session's. Links and sessions that are over
    /// are deleted.
    pub async fn add_console_link(
        &self,
        link: &ConsoleToken,
        name: String,
        now: Timestamp,
        by: By,
    ) -> Result<()> {
        let (hash, audit) = (link.hash(), self.audit_key()?);
        self.writer().submit(AddLink { hash, name, by, audit, now }).await
    }

    /// Uses up a link, and signs in with the cookie `token`. The session of the cookie `before`, if there is one, ends.
    /// `None` if there is no such link, or it is over at `now`.
    pub async fn exchange_console_link(
        &self,
        link: &ConsoleToken,
        token: &ConsoleToken,
        before: Option<&ConsoleToken>,
        now: Timestamp,
    ) -> Result<Option<ConsoleSession>> {
        let (id, audit) = (ConsoleSessionId::new(), self.audit_key()?);
        let (link, token, before) = (link.hash(), token.hash(), before.map(ConsoleToken::hash));
        self.writer().submit(Exchange { link, token, before, id, audit, now }).await
    }

    /// Returns whether there is such an unused link. Whoever guesses costs the writer nothing.
    pub async fn has_console_link(&self, link: &ConsoleToken) -> Result<bool> {
        let found: i64 = query_scalar("SELECT COUNT(*) FROM console_links WHERE hash = $1")
            .bind(&link.hash()[..])
            .fetch_one(self.read())
            .await?;
        Ok(found > 0)
    }

    /// Returns the session with this cookie, whether it is over or not.
    pub async fn console_session(&self, token: &ConsoleToken) -> Result<Option<ConsoleSession>> {
        let row = query("SELECT id, name, created_at, used_at FROM console_sessions WHERE hash = $1")
            .bind(&token.hash()[..])
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Records that a session was used at `now`, soon: nobody waits for it.
    pub fn note_console_session_used(&self, id: ConsoleSessionId, now: Timestamp) {
        self.writer().post(Used { id, now });
    }

    /// Ends sessions; returns how many there were.
    pub async fn end_console_sessions(&self, which: EndedSessions, by: By) -> Result<u64> {
        let (audit, now) = (self.audit_key()?, self.0.clock.now());
        self.writer().submit(End { which, by, audit, now }).await
    }
}

/// Which sessions of the console end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndedSessions {
    /// This one.
    One(ConsoleSessionId),
    /// All of the person of this name, and the links that they have not used.
    Of(String),
    /// Everybody's, and all unused links.
    All,
}

struct AddLink {
    hash: [u8; 32],
    name: String,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for AddLink {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        let earlier = |span| self.now.minus(span).as_millis();
        query("DELETE FROM console_links WHERE expires_at <= $1")
            .bind(self.now.as_millis())
            .execute(&mut *tx)
            .await?;
        query("DELETE FROM console_sessions WHERE used_at <= $1 OR created_at <= $2")
            .bind(earlier(CONSOLE_SESSION_IDLE))
            .bind(earlier(CONSOLE_SESSION_LONGEST))
            .execute(&mut *tx)
            .await?;
        query("INSERT INTO console_links (hash, created_by, expires_at) VALUES ($1, $2, $3)")
            .bind(&self.hash[..])
            .bind(self.name.as_str())
            .bind(self.now.plus(CONSOLE_LINK_VALID).as_millis())
            .execute(&mut *tx)
            .await?;
        audit::append(tx, &self.audit, &self.by.entry(CONSOLE), self.now).await.map(drop)
    }
}

struct Exchange {
    link: [u8; 32],
    token: [u8; 32],
    before: Option<[u8; 32]>,
    id: ConsoleSessionId,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Exchange {
    type Output = Option<ConsoleSession>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        let name: Option<String> = query_scalar(
            "DELETE FROM console_links WHERE hash = $1 AND expires_at > $2 RETURNING created_by",
        )
        .bind(&self.link[..])
        .bind(self.now.as_millis())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(name) = name else { return Ok(None) };
        if let Some(before) = &self.before {
            query("DELETE FROM console_sessions WHERE hash = $1").bind(&before[..]).execute(&mut *tx).await?;
        }
        query(
            "INSERT INTO console_sessions (id, hash, name, created_at, used_at) VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(self.id)
        .bind(&self.token[..])
        .bind(name.as_str())
        .bind(self.now.as_millis())
        .execute(&mut *tx)
        .await?;
        let session = ConsoleSession { id: self.id, name, created_at: self.now, used_at: self.now };
        let entry = AuditEntry::new(session.actor(), SIGN_IN, CONSOLE);
        audit::append(tx, &self.audit, &entry, self.now).await?;
        Ok(Some(session))
    }
}

struct Used {
    id: ConsoleSessionId,
    now: Timestamp,
}

impl Unit for Used {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query("UPDATE console_sessions SET used_at = $2 WHERE id = $1 AND used_at < $2")
            .bind(self.id)
            .bind(self.now.as_millis())
            .execute(tx)
            .await
            .map(drop)
    }
}

struct End {
    which: EndedSessions,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for End {
    type Output = u64;

    async fn apply(&self, tx: &mut Tx) -> Result<u64> {
        let ended = match &self.which {
            EndedSessions::One(id) => {
                query("DELETE FROM console_sessions WHERE id = $1").bind(*id).execute(&mut *tx).await?
            }
            EndedSessions::Of(name) => {
                query("DELETE FROM console_links WHERE created_by = $1")
                    .bind(name.as_str())
                    .execute(&mut *tx)
                    .await?;
                query("DELETE FROM console_sessions WHERE name = $1")
                    .bind(name.as_str())
                    .execute(&mut *tx)
                    .await?
            }
            EndedSessions::All => {
                query("DELETE FROM console_links").execute(&mut *tx).await?;
                query("DELETE FROM console_sessions").execute(&mut *tx).await?
            }
        };
        audit::append(tx, &self.audit, &self.by.entry(CONSOLE), self.now).await?;
        Ok(ended)
    }
}

fn read(row: &Row) -> Result<ConsoleSession> {
    let at = |column| row.try_get(column).map(Timestamp::from_millis);
    Ok(ConsoleSession {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        created_at: at("created_at")?,
        used_at: at("used_at")?,
    })
}
