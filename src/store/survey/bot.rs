//! What the database says about the bot and the stored webhooks, read from outside.

use std::path::Path;

use rusqlite::{OptionalExtension as _, Row};

use crate::key::Key;
use crate::model::wait::LOGINS;
use crate::model::{DestinationId, WebhookMark, WebhookUrl};
use crate::store::Result;
use crate::store::audit::SEAL;
use crate::store::path::resolve;
use crate::store::survey::open;

/// What the database says about the bot and the stored webhooks.
#[derive(Clone, Debug, Default)]
pub struct BotSurvey {
    /// Whether a bot has logged in from this database: then its commands were registered.
    pub has_logged_in: bool,
    /// The stored webhooks that are in use, the oldest first.
    pub webhooks: Vec<SealedWebhook>,
}

/// A stored webhook with its sealed address.
#[derive(Clone, Debug)]
pub struct SealedWebhook {
    /// Its id.
    pub id: DestinationId,
    /// What people call it.
    pub name: String,
    /// What may be shown of its address.
    pub mark: WebhookMark,
    /// Why it is not used any more.
    pub closed: Option<String>,
    sealed: String,
}

impl SealedWebhook {
    /// Its address; `None` if it was not sealed with `key`.
    #[must_use]
    pub fn open(&self, key: &Key) -> Option<WebhookUrl> {
        let parts = key.derive(SEAL).open(&self.id.to_string(), &self.sealed)?;
        WebhookUrl::from_parts(&parts)
    }
}

/// Looks at the database at `path`. What of it cannot be read is left out: [`survey`](super::survey) says why.
///
/// # Errors
/// If it cannot be opened, or was never made.
pub fn survey_bot(path: &Path) -> Result<BotSurvey> {
    let connection = open(&resolve(path)?)?;
    let logins = connection.query_row("SELECT 1 FROM meta WHERE key = $1", [LOGINS], |_| Ok(()));
    let mut statement = connection.prepare(
        "SELECT id, name, address, closed_reason, sealed FROM destinations \
         WHERE sink = 'discord_webhook' AND deleted_at IS NULL AND enabled AND sealed IS NOT NULL ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| Ok(read(row)))?;
    let webhooks = rows.filter_map(|row| row.ok().flatten()).collect();
    Ok(BotSurvey { has_logged_in: logins.optional()?.is_some(), webhooks })
}

/// `None` if another program changed the row.
fn read(row: &Row<'_>) -> Option<SealedWebhook> {
    let text = |column: &str| row.get::<_, String>(column).ok();
    Some(SealedWebhook {
        id: text("id")?.parse().ok()?,
        name: text("name")?,
        mark: text("address")?.parse().ok()?,
        closed: row.get("closed_reason").ok()?,
        sealed: text("sealed")?,
    })
}
