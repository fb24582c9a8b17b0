//! Events: reading back what happened.

use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::clock::Timestamp;
use crate::model::{Event, EventId, Kind, Source};
use crate::store::{Error, Result, Store};

const COLUMNS: &str = "id, source, kind, company_id, subject, occurred_at, received_at, body";

impl Store {
    /// One event; `None` if there is none of that id.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM events WHERE id = $1")))
            .bind(id.to_string())
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The oldest unrouted events after `after`, in the order they came; at most `limit`.
    pub async fn unrouted(&self, after: Option<EventId>, limit: u32) -> Result<Vec<Event>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM events WHERE unrouted AND id > $1 ORDER BY id LIMIT $2"
        )))
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        rows.iter().map(read).collect()
    }

    /// The names of customers as learnt from events: source, id, name.
    pub async fn company_names(&self) -> Result<Vec<(Source, String, String)>> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT source, id, name FROM companies ORDER BY updated_at")
                .fetch_all(self.read())
                .await?;
        rows.into_iter().map(|(source, id, name)| Ok((source_of(&source)?, id, name))).collect()
    }
}

fn read(row: &SqliteRow) -> Result<Event> {
    let body: Vec<u8> = row.try_get("body")?;
    let size = body.len();
    // What is stored was an object when it was accepted; should it be unreadable now, the card says what it can.
    let data = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|mut body| body.get_mut("data").map(Value::take))
        .unwrap_or_default();
    Ok(Event {
        id: row.try_get::<String, _>("id")?.parse()?,
        source: source_of(&row.try_get::<String, _>("source")?)?,
        kind: Kind::new(&row.try_get::<String, _>("kind")?),
        company: row.try_get("company_id")?,
        subject: row.try_get("subject")?,
        occurred_at: Timestamp::from_millis(row.try_get("occurred_at")?),
        received_at: Timestamp::from_millis(row.try_get("received_at")?),
        data,
        size,
    })
}

fn source_of(text: &str) -> Result<Source> {
    text.parse().map_err(|()| Error::Corrupt(format!("a source {text:?}")))
}
