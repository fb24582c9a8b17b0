//! Event queries: stored events, and the outcomes of their deliveries.

use crate::clock::Timestamp;
use crate::model::{Event, EventId, Kind, MessageId, MuteId, Payload, RawBody, RowResult, Source};
use crate::store::corrupt;
use crate::store::muted::muted;
use crate::store::sql::{Query, Row, query, query_as, query_scalar};
use crate::store::values::Arg;
use crate::store::{Error, Result, Store};

pub(super) const COLUMNS: &str = "id, source, kind, company_id, subject, occurred_at, received_at, body";

/// An event in a list, with the counts of its deliveries by status.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Id of the event.
    pub id: EventId,
    /// System that sent it.
    pub source: Source,
    /// Kind of the event.
    pub kind: Kind,
    /// Customer id; empty if none.
    pub company: String,
    /// Subject of the event; empty if unknown.
    pub subject: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// True if no key of the routing map matched it.
    pub unrouted: bool,
    /// Pending and in-flight deliveries.
    pub open: u64,
    /// Delivered ones.
    pub delivered: u64,
    /// Dead ones.
    pub dead: u64,
    /// Deliveries that were cancelled before they were sent.
    pub cancelled: u64,
    /// If a mute suppressed it: "muted until 23:32 UTC by Alice".
    pub muted: Option<String>,
}

impl Store {
    /// Returns the newest events, newest first; at most `limit`.
    pub async fn recent(&self, limit: u32) -> Result<Vec<RowResult<Recent>>> {
        self.recent_of("TRUE", None, limit).await
    }

    /// Returns the events that a message carries or carried, newest first; at most `limit`.
    pub async fn recent_in(&self, message: MessageId, limit: u32) -> Result<Vec<RowResult<Recent>>> {
        const CARRIED: &str = "id IN (SELECT event_id FROM deliveries WHERE message_id = $2 UNION SELECT d.event_id \
             FROM earlier_messages AS m JOIN deliveries AS d ON d.id = m.delivery_id WHERE m.message_id = $2)";
        self.recent_of(CARRIED, Some(message.into()), limit).await
    }

    /// Returns one event with its delivery counts; `None` if there is none with this id.
    pub async fn recent_one(&self, id: EventId) -> Result<Option<RowResult<Recent>>> {
        Ok(self.recent_of("id = $2", Some(id.into()), 1).await?.pop())
    }

    async fn recent_of(
        &self,
        which: &'static str,
        value: Option<Arg<'static>>,
        limit: u32,
    ) -> Result<Vec<RowResult<Recent>>> {
        let sql = format!(
            "SELECT r.*, m.until AS mute_until, m.created_by AS mute_by FROM \
             (SELECT e.place, e.id, e.source, e.kind, e.company_id, e.subject, e.received_at, e.unrouted, \
              COUNT(CASE WHEN d.status IN ('pending', 'sending') THEN 1 END) AS open, \
              COUNT(CASE WHEN d.status = 'delivered' THEN 1 END) AS delivered, \
              COUNT(CASE WHEN d.status = 'dead' THEN 1 END) AS dead, \
              COUNT(CASE WHEN d.status = 'cancelled' THEN 1 END) AS cancelled, \
              (SELECT muted_by FROM deliveries WHERE event_id = e.id AND muted_by IS NOT NULL LIMIT 1) AS mute \
              FROM (SELECT rowid AS place, id, source, kind, company_id, subject, received_at, unrouted FROM events \
                    WHERE {which} ORDER BY id DESC LIMIT $1) AS e \
              LEFT JOIN deliveries AS d ON d.event_id = e.id \
              GROUP BY e.place, e.id, e.source, e.kind, e.company_id, e.subject, e.received_at, e.unrouted) AS r \
             LEFT JOIN mutes AS m ON m.id = r.mute ORDER BY r.id DESC"
        );
        let rows = value.into_iter().fold(query(sql).bind(limit), Query::bind).fetch_all(self.read()).await?;
        let count = |row: &Row, name| row.try_get::<i64>(name).map(|n| u64::try_from(n).unwrap_or(0));
        corrupt::decode_all::<EventId, _>(&rows, |row| {
            let received_at = Timestamp::from_millis(row.try_get("received_at")?);
            let mute: Option<MuteId> = row.try_get("mute")?;
            Ok(Recent {
                id: row.try_get("id")?,
                source: source_of(&row.try_get::<String>("source")?)?,
                kind: Kind::new(&row.try_get::<String>("kind")?),
                company: row.try_get("company_id")?,
                subject: row.try_get("subject")?,
                received_at,
                unrouted: row.try_get("unrouted")?,
                open: count(row, "open")?,
                delivered: count(row, "delivered")?,
                dead: count(row, "dead")?,
                cancelled: count(row, "cancelled")?,
                muted: mute.map(|_| muted(row, received_at)).transpose()?,
            })
        })
    }

    /// Returns one event; `None` if there is none with this id.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>> {
        let row = query(format!("SELECT {COLUMNS} FROM events WHERE id = $1"))
            .bind(id)
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Returns the oldest readable unrouted events after `after`, in order of arrival; at most `limit`.
    pub async fn unrouted(&self, after: Option<EventId>, limit: u32) -> Result<Vec<Event>> {
        let rows = query(format!(
            "SELECT rowid AS place, {COLUMNS} FROM events WHERE unrouted AND id > $1 ORDER BY id LIMIT $2"
        ))
        .bind(after.unwrap_or(EventId::FIRST))
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        Ok(corrupt::partition::<EventId, _>(&rows, read)?.0)
    }

    /// Returns the kinds of all stored events from senders. Scans all events: for rare queries only.
    pub async fn kinds_received(&self) -> Result<Vec<String>> {
        query_scalar("SELECT DISTINCT kind FROM events WHERE source <> 'nuncio'").fetch_all(self.read()).await
    }

    /// Returns customer names as learned from events: source, id, name.
    pub async fn company_names(&self) -> Result<Vec<(Source, String, String)>> {
        let rows: Vec<(String, String, String)> =
            query_as("SELECT source, id, name FROM companies ORDER BY updated_at")
                .fetch_all(self.read())
                .await?;
        rows.into_iter().map(|(source, id, name)| Ok((source_of(&source)?, id, name))).collect()
    }
}

pub(super) fn read(row: &Row) -> Result<Event> {
    let body: Vec<u8> = row.try_get("body")?;
    let size = body.len();
    let source = source_of(&row.try_get::<String>("source")?)?;
    Ok(Event {
        id: row.try_get("id")?,
        source,
        kind: Kind::new(&row.try_get::<String>("kind")?),
        company: row.try_get("company_id")?,
        subject: row.try_get("subject")?,
        occurred_at: Timestamp::from_millis(row.try_get("occurred_at")?),
        received_at: Timestamp::from_millis(row.try_get("received_at")?),
        data: Payload::of(source, RawBody::new(body)),
        size,
    })
}

pub(super) fn source_of(text: &str) -> Result<Source> {
    text.parse().map_err(|()| Error::Corrupt(format!("a source {text:?}")))
}
