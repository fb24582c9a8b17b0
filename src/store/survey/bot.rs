//! Survey of the bot and the stored webhooks: a read-only inspection of the database.

use std::path::Path;

use crate::key::Key;
use crate::model::wait::LOGINS;
use crate::model::{DestinationId, WebhookMark, WebhookUrl};
use crate::store::Result;
use crate::store::audit::SEAL;
use crate::store::path::resolve;
use crate::store::sql::{Row, query, query_scalar};
use crate::store::survey::open;

/// The bot's logins and the stored webhooks.
#[derive(Clone, Debug, Default)]
pub struct BotSurvey {
    /// Whether a bot has logged in with this database: then its commands were registered.
    pub has_logged_in: bool,
    /// The stored webhooks in use, oldest first.
    pub webhooks: Vec<SealedWebhook>,
}

/// A stored webhook with its sealed address.
#[derive(Clone, Debug)]
pub struct SealedWebhook {
    /// Id of its destination.
    pub id: DestinationId,
    /// Name that the operator gave it.
    pub name: String,
    /// The masked address.
    pub mark: WebhookMark,
    /// Why it is closed, if it is.
    pub closed: Option<String>,
    sealed: String,
}

impl SealedWebhook {
    /// Unseals its address; `None` if it was not sealed with `key`.
    #[must_use]
    pub fn open(&self, key: &Key) -> Option<WebhookUrl> {
        let parts = key.derive(SEAL).open(&self.id.to_string(), &self.sealed)?;
        WebhookUrl::from_parts(&parts)
    }
}

/// Inspects the database at `path`. Unreadable rows are left out: [`survey`](super::survey) reports the reason.
///
/// # Errors
/// If it cannot be opened, or does not exist.
pub fn survey_bot(path: &Path) -> Result<BotSurvey> {
    let connection = open(&resolve(path)?)?;
    let logins = query_scalar::<i64>("SELECT 1 FROM meta WHERE key = $1").bind(LOGINS).one_on(&connection)?;
    let webhooks = query(
        "SELECT id, name, address, closed_reason, sealed FROM destinations \
         WHERE sink = 'discord_webhook' AND deleted_at IS NULL AND enabled AND sealed IS NOT NULL ORDER BY id",
    );
    let webhooks = webhooks.all_on(&connection)?.iter().filter_map(read).collect();
    Ok(BotSurvey { has_logged_in: logins.is_some(), webhooks })
}

fn read(row: &Row) -> Option<SealedWebhook> {
    let text = |column| row.try_get::<String>(column).ok();
    Some(SealedWebhook {
        id: row.try_get("id").ok()?,
        name: text("name")?,
        mark: text("address")?.parse().ok()?,
        closed: row.try_get("closed_reason").ok()?,
        sealed: text("sealed")?,
    })
}
