//! Living cards: which message shows a subject in a destination, and the events it is made of.
//!
//! Most subjects have few events, which the deduplication index finds. One alert may have thousands: those have an
//! index of their own, which SQLite uses only if the query repeats the index's condition.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{
    Action, CardState, Delivery, DeliveryId, DestinationId, Event, EventId, LivingCard, Message, MessageId,
    Snowflake, Source,
};
use crate::store::event::{self, source_of};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::{Result, Store, corrupt, delivery};

impl Store {
    /// Returns the card of a subject in a destination, if a message there shows it.
    pub async fn card(
        &self,
        destination: DestinationId,
        source: Source,
        subject: &str,
    ) -> Result<Option<LivingCard>> {
        if subject.is_empty() {
            return Ok(None);
        }
        let row = query(
            "SELECT c.source, c.subject, c.message_id, c.place, c.since, c.state, c.state_at, c.closed, c.frozen, \
             m.channel_id, m.receipt FROM cards AS c JOIN messages AS m ON m.id = c.message_id \
             WHERE c.destination_id = $1 AND c.source = $2 AND c.subject = $3 AND m.receipt IS NOT NULL",
        )
        .bind(destination)
        .bind(source.as_str())
        .bind(subject)
        .fetch_optional(self.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(LivingCard {
            message_id: row.try_get("message_id")?,
            channel: row.try_get("channel_id")?,
            message: row.try_get("receipt")?,
            frozen: row.try_get("frozen")?,
            shown: CardState {
                source: source_of(&row.try_get::<String>("source")?)?,
                subject: row.try_get("subject")?,
                place: usize::try_from(row.try_get::<i64>("place")?).unwrap_or(0),
                since: row.try_get("since")?,
                state: row.try_get("state")?,
                state_at: Timestamp::from_millis(row.try_get("state_at")?),
                closed: row.try_get("closed")?,
            },
        }))
    }

    /// Returns the first event of a subject that a destination shows or is about to show, and the newest events after
    /// it: `limit` in all, oldest first. The first event's content stays valid, however many follow. Events that were
    /// muted there are included: they happened, although no message was sent. Events that were sent elsewhere,
    /// refused or cancelled are not.
    pub async fn shown_events(
        &self,
        destination: DestinationId,
        source: Source,
        subject: &str,
        limit: u32,
    ) -> Result<Vec<Event>> {
        let rows = query(format!(
            "SELECT {} FROM events AS e WHERE source = $1 AND subject = $2 AND EXISTS \
             (SELECT 1 FROM deliveries WHERE event_id = e.id AND destination_id = $3 AND slot = '' \
              AND (status IN ('delivered', 'sending') OR muted_by IS NOT NULL)) ORDER BY id DESC LIMIT $4",
            event::COLUMNS
        ))
        .bind(source.as_str())
        .bind(subject)
        .bind(destination)
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        let mut events: Vec<Event> = rows.iter().rev().map(event::read).collect::<Result<_>>()?;
        if rows.len() >= limit as usize {
            let first = self.first_shown(destination, source, subject).await?;
            put_first(&mut events, first);
        }
        Ok(events)
    }

    async fn first_shown(
        &self,
        destination: DestinationId,
        source: Source,
        subject: &str,
    ) -> Result<Option<Event>> {
        let row = query(format!(
            "SELECT {} FROM events AS e WHERE source = $1 AND subject = $2 AND EXISTS \
             (SELECT 1 FROM deliveries WHERE event_id = e.id AND destination_id = $3 AND slot = '' \
              AND (status IN ('delivered', 'sending') OR muted_by IS NOT NULL)) ORDER BY id LIMIT 1",
            event::COLUMNS
        ))
        .bind(source.as_str())
        .bind(subject)
        .bind(destination)
        .fetch_optional(self.read())
        .await?;
        row.as_ref().map(event::read).transpose()
    }

    /// Returns the event `since` of an alert, and the newest later ones that a destination shows or is about to show:
    /// `limit` in all, oldest first.
    pub async fn repeats(
        &self,
        destination: DestinationId,
        source: Source,
        alert: &str,
        since: EventId,
        limit: u32,
    ) -> Result<Vec<Event>> {
        let rows = query(format!(
            "SELECT {} FROM events AS e WHERE source = $1 AND subject = $2 AND SUBSTR(subject, 1, 6) = 'alert:' AND id >= $3 \
             AND EXISTS (SELECT 1 FROM deliveries WHERE event_id = e.id AND destination_id = $4 AND slot = '' \
              AND (status IN ('delivered', 'sending') OR muted_by IS NOT NULL)) ORDER BY id DESC LIMIT $5",
            event::COLUMNS
        ))
        .bind(source.as_str())
        .bind(alert)
        .bind(since)
        .bind(destination)
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        let mut events: Vec<Event> = rows.iter().rev().map(event::read).collect::<Result<_>>()?;
        if rows.len() >= limit as usize {
            put_first(&mut events, self.event(since).await?);
        }
        Ok(events)
    }
}

/// Replaces the oldest of `events` with `first`, unless it is among them.
fn put_first(events: &mut [Event], first: Option<Event>) {
    if let (Some(oldest), Some(first)) = (events.first_mut(), first)
        && first.id < oldest.id
    {
        *oldest = first;
    }
}

impl Store {
    /// Number of events of an alert, from `since` on, that a destination shows or is about to show.
    pub async fn times_shown(
        &self,
        destination: DestinationId,
        source: Source,
        alert: &str,
        since: EventId,
    ) -> Result<u64> {
        let times: i64 = query_scalar(
            "SELECT COUNT(*) FROM events AS e WHERE source = $1 AND subject = $2 AND SUBSTR(subject, 1, 6) = 'alert:' \
             AND id >= $3 AND EXISTS (SELECT 1 FROM deliveries WHERE event_id = e.id AND destination_id = $4 AND slot = '' \
              AND (status IN ('delivered', 'sending') OR muted_by IS NOT NULL))",
        )
        .bind(source.as_str())
        .bind(alert)
        .bind(since)
        .bind(destination)
        .fetch_one(self.read())
        .await?;
        Ok(u64::try_from(times).unwrap_or(0))
    }
}

impl Store {
    /// The Discord messages that show the card of an event or include it in a count.
    pub async fn receipts(&self, event: EventId) -> Result<Vec<Snowflake>> {
        query_scalar(
            "SELECT m.receipt FROM deliveries AS d JOIN messages AS m ON m.id = d.message_id \
             WHERE d.event_id = $1 AND d.slot = '' AND d.status = 'delivered' AND m.receipt IS NOT NULL",
        )
        .bind(event)
        .fetch_all(self.read())
        .await
    }
}

impl Store {
    /// The readable deliveries of a message, in order. Their events are not loaded yet.
    pub async fn carried(&self, message: MessageId) -> Result<Vec<Delivery>> {
        // A delivery that has moved to another message was not redelivered yet when this one showed it.
        let then = "CASE WHEN message_id = $1 THEN generation ELSE 0 END AS generation";
        let rows = query(format!(
            "SELECT {} FROM deliveries \
             WHERE message_id = $1 OR id IN (SELECT delivery_id FROM earlier_messages WHERE message_id = $1) \
             ORDER BY rank, id",
            delivery::COLUMNS.replace("generation", then)
        ))
        .bind(message)
        .fetch_all(self.read())
        .await?;
        // The readable deliveries are enough to draw the card.
        Ok(corrupt::partition::<DeliveryId, _>(&rows, delivery::read)?.0)
    }

    /// The highest redelivery count among the deliveries of one of nuncio's Discord messages.
    pub async fn redelivered_in(&self, channel: Snowflake, message: Snowflake) -> Result<u32> {
        let generation: Option<i64> = query_scalar(
            "SELECT MAX(d.generation) FROM messages AS m JOIN deliveries AS d ON d.message_id = m.id \
             WHERE m.receipt = $1 AND m.channel_id = $2 AND m.action = 'create'",
        )
        .bind(message)
        .bind(channel)
        .fetch_one(self.read())
        .await?;
        Ok(generation.and_then(|generation| u32::try_from(generation).ok()).unwrap_or(0))
    }

    /// The roles that one of nuncio's Discord messages pinged when it was posted.
    pub async fn named_in(&self, channel: Snowflake, message: Snowflake) -> Result<Vec<Snowflake>> {
        let pings: Option<String> = query_scalar(
            "SELECT pings FROM messages WHERE receipt = $1 AND channel_id = $2 AND action = 'create' LIMIT 1",
        )
        .bind(message)
        .bind(channel)
        .fetch_optional(self.read())
        .await?;
        Ok(pings.unwrap_or_default().split(',').filter_map(|id| id.parse().ok()).collect())
    }

    /// Returns whether a message about the subject of `event` pinged a role in this destination after `since`.
    pub async fn pinged_since(
        &self,
        destination: DestinationId,
        event: &Event,
        since: SteadyTime,
    ) -> Result<bool> {
        if event.subject.is_empty() {
            return Ok(false);
        }
        let found: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM events AS e JOIN deliveries AS d ON d.event_id = e.id \
             JOIN messages AS m ON m.id = d.message_id \
             WHERE e.source = $1 AND e.subject = $2 AND d.destination_id = $3 \
             AND m.pings <> '' AND m.planned_at > $4 LIMIT 1",
        )
        .bind(event.source.as_str())
        .bind(event.subject.as_str())
        .bind(destination)
        .bind(since.as_millis())
        .fetch_optional(self.read())
        .await?;
        Ok(found.is_some())
    }
}

/// Records what a message shows, once it is in Discord.
pub(super) async fn note_shown(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<()> {
    for shown in &message.shows {
        let of_message = match message.action {
            Action::Create => query(
                "INSERT INTO cards (destination_id, source, subject, state, state_at, closed, updated_at, message_id, \
                 place, since, since_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
                 ON CONFLICT (destination_id, source, subject) DO UPDATE SET message_id = excluded.message_id, \
                 place = excluded.place, since = excluded.since, since_at = excluded.since_at, \
                 state = excluded.state, state_at = excluded.state_at, closed = excluded.closed, frozen = FALSE, \
                 updated_at = excluded.updated_at",
            ),
            // The message that created the card stays the one that shows it.
            Action::Edit { .. } => query(
                "UPDATE cards SET state = $4, state_at = $5, closed = $6, updated_at = $7 \
                 WHERE destination_id = $1 AND source = $2 AND subject = $3",
            ),
        };
        let noted = of_message
            .bind(message.destination_id)
            .bind(shown.source.as_str())
            .bind(shown.subject.as_str())
            .bind(shown.state.as_str())
            .bind(shown.state_at.as_millis())
            .bind(shown.closed)
            .bind(now.as_millis());
        let noted = match message.action {
            Action::Create => noted
                .bind(message.id)
                .bind(i64::try_from(shown.place).unwrap_or(0))
                .bind(shown.since)
                .bind(shown.since.minted_at().as_millis()),
            Action::Edit { .. } => noted,
        };
        noted.execute(&mut *tx).await?;
    }
    Ok(())
}

/// Freezes the cards of the message that `message` failed to edit: their next event posts a new message.
pub(super) async fn freeze(tx: &mut Tx, message: &Message) -> Result<()> {
    let Action::Edit { channel, message: edited } = message.action else { return Ok(()) };
    query(
        "UPDATE cards SET frozen = TRUE WHERE destination_id = $1 AND message_id IN \
         (SELECT id FROM messages WHERE receipt = $2 AND channel_id = $3)",
    )
    .bind(message.destination_id)
    .bind(edited)
    .bind(channel)
    .execute(tx)
    .await?;
    Ok(())
}
