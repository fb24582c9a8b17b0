//! Stored webhooks as people see them: lists, one by its id, what waits for it, and its health.

use crate::clock::Timestamp;
use crate::model::{
    Category, DestinationId, NewWebhook, Scope, Snowflake, StoredWebhook, WebhookFilter, WebhookIdentity,
};
use crate::store::sql::{Row, query, query_scalar};
use crate::store::webhook::{SINK, health, mark};
use crate::store::{Error, Result, Store};

/// The most webhooks of one read that has no limit of its own.
const ALL: i64 = i64::MAX;
/// The most webhooks that one notice goes to.
const MOST_NOTICED: i64 = 10;
/// Reads stored webhooks; `$2` is the hour before the last 24.
// SQLite keeps the order of a CROSS JOIN. Unfinished rows have two indexes of their own; any other query plan is slow.
const SELECT: &str = "SELECT id, address, name, company_id, owner, category, scope, description, avatar_url, enabled, \
     closed_reason, denied_reason, last_error, consecutive_failures, last_success_at, test_success_at, discord_name, \
     discord_channel_id, discord_guild_id, created_at, \
     (SELECT COUNT(*) FROM deliveries WHERE destination_id = destinations.id AND status = 'pending') + \
     (SELECT COUNT(*) FROM messages AS m CROSS JOIN deliveries AS d \
      WHERE m.destination_id = destinations.id AND m.state = 'sending' AND d.message_id = m.id \
      AND d.status = 'sending') AS waiting, \
     (SELECT CAST(COALESCE(SUM(sent), 0) AS BIGINT) FROM destination_hours \
      WHERE destination_id = destinations.id AND hour > $2) AS sent, \
     (SELECT CAST(COALESCE(SUM(failed), 0) AS BIGINT) FROM destination_hours \
      WHERE destination_id = destinations.id AND hour > $2) AS failed \
     FROM destinations WHERE sink = $1 AND deleted_at IS NULL";

impl Store {
    /// Returns all stored webhooks, oldest first.
    pub async fn webhooks(&self) -> Result<Vec<StoredWebhook>> {
        self.webhooks_page(&WebhookFilter::default(), None, None).await
    }

    /// Returns the stored webhooks that `filter` means and that were stored after `after`, oldest first; at most `most`.
    pub async fn webhooks_page(
        &self,
        filter: &WebhookFilter,
        after: Option<DestinationId>,
        most: Option<u32>,
    ) -> Result<Vec<StoredWebhook>> {
        query(format!(
            "{SELECT} AND id > $3 AND (CAST($4 AS TEXT) IS NULL OR company_id = $4) \
             AND (CAST($5 AS TEXT) IS NULL OR scope = 'PUBLIC' OR (scope = 'USER' AND owner = $5)) \
             AND (CAST($6 AS TEXT) IS NULL OR category = $6) AND (CAST($7 AS TEXT) IS NULL OR scope = $7) \
             AND (CAST($8 AS TEXT) IS NULL OR owner = $8) AND (CAST($9 AS BOOLEAN) IS NULL OR enabled = $9) \
             ORDER BY id LIMIT $10"
        ))
        .bind(SINK)
        .bind(health::day_before(self.0.clock.now()))
        .bind(after.unwrap_or(DestinationId::FIRST))
        .bind(&filter.company)
        .bind(&filter.audience)
        .bind(filter.category.map(Category::as_str))
        .bind(filter.scope.map(Scope::as_str))
        .bind(&filter.owner)
        .bind(filter.enabled)
        .bind(most.map_or(ALL, i64::from))
        .fetch_all(self.read())
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// Returns one stored webhook; `None` if there is none of this id.
    pub async fn webhook(&self, id: DestinationId) -> Result<Option<StoredWebhook>> {
        query(format!("{SELECT} AND id = $3"))
            .bind(SINK)
            .bind(health::day_before(self.0.clock.now()))
            .bind(id)
            .fetch_optional(self.read())
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// Returns the webhooks for notices about `about`: the enabled ADMIN webhooks for SYSTEM of its company, without
    /// itself.
    pub async fn notice_webhooks(&self, about: DestinationId) -> Result<Vec<DestinationId>> {
        query_scalar(
            "SELECT id FROM destinations WHERE sink = $1 AND category = 'SYSTEM' AND scope = 'ADMIN' AND enabled \
             AND closed_reason IS NULL AND deleted_at IS NULL AND id <> $2 \
             AND company_id = (SELECT company_id FROM destinations WHERE id = $2) ORDER BY id LIMIT $3",
        )
        .bind(SINK)
        .bind(about)
        .bind(MOST_NOTICED)
        .fetch_all(self.read())
        .await
    }
}

/// Reads the details that people give.
pub(super) fn about(row: &Row) -> Result<NewWebhook> {
    let (category, scope): (String, String) = (row.try_get("category")?, row.try_get("scope")?);
    let unknown = |word: &str| Error::Corrupt(format!("a webhook that is {word:?}"));
    Ok(NewWebhook {
        name: row.try_get("name")?,
        category: Category::from_word(&category).ok_or_else(|| unknown(&category))?,
        scope: Scope::from_word(&scope).ok_or_else(|| unknown(&scope))?,
        company: row.try_get("company_id")?,
        owner: row.try_get("owner")?,
        description: row.try_get("description")?,
        avatar_url: row.try_get("avatar_url")?,
        enabled: row.try_get("enabled")?,
        tested_at: None,
    })
}

fn read(row: &Row) -> Result<StoredWebhook> {
    let at = |column| row.try_get::<Option<i64>>(column).map(|at| at.map(Timestamp::from_millis));
    let count = |column| row.try_get::<i64>(column).map(|count| u64::try_from(count).unwrap_or(0));
    let name: Option<String> = row.try_get("discord_name")?;
    let (channel, guild): (Option<Snowflake>, Option<Snowflake>) =
        (row.try_get("discord_channel_id")?, row.try_get("discord_guild_id")?);
    let identity =
        name.map(|name| WebhookIdentity { name: Some(name).filter(|name| !name.is_empty()), channel, guild });
    Ok(StoredWebhook {
        id: row.try_get("id")?,
        mark: mark(&row.try_get::<String>("address")?)?,
        about: about(row)?,
        identity,
        closed: row.try_get("closed_reason")?,
        denied: row.try_get("denied_reason")?,
        waiting: count("waiting")?,
        failures: count("consecutive_failures")?,
        last_error: row.try_get("last_error")?,
        sent: count("sent")?,
        failed: count("failed")?,
        last_success_at: at("last_success_at")?,
        test_success_at: at("test_success_at")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
