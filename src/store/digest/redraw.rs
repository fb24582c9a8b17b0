//! Redrawing of cards that a digest has overtaken.

use super::page::DigestPage;
use crate::clock::SteadyTime;
use crate::model::{DeliveryId, MessageId, Mint, Priority, REDRAW};
use crate::store::Result;
use crate::store::sql::{Tx, query, query_as};

/// Maximum number of pending redraws of one destination: a digest may touch thousands of cards.
const REDRAWN: i64 = 50;

/// Queues an edit of each message whose cards have newer events among the next deliveries that a digest marks. One
/// edit per message, since it redraws all its cards. Must run in the unit that marks the deliveries, before it does.
pub(in crate::store) async fn redraw(
    tx: &mut Tx,
    message: MessageId,
    page: DigestPage,
    mint: &Mint,
    now: SteadyTime,
) -> Result<()> {
    let (after, last) = page.bounds();
    // Cards with a state of their own are left out: alerts count their events, and decisions announce changes
    // themselves.
    let found: Vec<(String, String, String)> = query_as(
        "SELECT MAX(d.event_id), MAX(d.destination_id), MAX(d.route) FROM deliveries AS d \
         JOIN events AS e ON e.id = d.event_id JOIN cards AS c ON c.destination_id = d.destination_id \
         AND c.source = e.source AND c.subject = e.subject AND c.state = '' AND NOT c.frozen \
         WHERE d.message_id = $1 AND d.status = 'sending' AND d.slot = '' AND d.id > $5 AND d.id <= $2 \
         AND NOT EXISTS (SELECT 1 FROM deliveries AS o JOIN events AS about ON about.id = o.event_id \
         JOIN cards AS other ON other.destination_id = o.destination_id AND other.source = about.source \
         AND other.subject = about.subject WHERE o.destination_id = d.destination_id AND o.rank = $3 \
         AND o.status = 'pending' AND other.message_id = c.message_id) GROUP BY c.message_id LIMIT $4",
    )
    .bind(message.to_string())
    .bind(last)
    .bind(Priority::Background.as_i64())
    .bind(REDRAWN)
    .bind(after)
    .fetch_all(&mut *tx)
    .await?;
    for (event, destination, route) in found {
        let id: DeliveryId = mint.next(now);
        query(
            "INSERT INTO deliveries (id, event_id, destination_id, slot, route, rank, status, due_at) \
             SELECT $1, $2, $3, $4, $5, $6, 'pending', $7 WHERE $8 > (SELECT COUNT(*) FROM deliveries \
             WHERE destination_id = $3 AND rank = $6 AND status = 'pending') \
             ON CONFLICT (event_id, destination_id, slot) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(event)
        .bind(destination)
        .bind(REDRAW)
        .bind(route)
        .bind(Priority::Background.as_i64())
        .bind(now.as_millis())
        .bind(REDRAWN)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
