//! Redrawing of cards that a digest has overtaken.

use std::collections::BTreeMap;

use super::page::DigestPage;
use crate::clock::SteadyTime;
use crate::model::{DestinationId, EventId, MessageId, Mint, Priority, Slot};
use crate::store::Result;
use crate::store::delivery::{NewDelivery, insert};
use crate::store::sql::{Tx, query_as, query_scalar};

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
    let found: Vec<(MessageId, EventId, DestinationId, String)> = query_as(
        "SELECT c.message_id, d.event_id, d.destination_id, d.route FROM deliveries AS d \
         JOIN events AS e ON e.id = d.event_id JOIN cards AS c ON c.destination_id = d.destination_id \
         AND c.source = e.source AND c.subject = e.subject AND c.state = '' AND NOT c.frozen \
         WHERE d.message_id = $1 AND d.status = 'sending' AND d.slot = '' AND d.id > $4 AND d.id <= $2 \
         AND NOT EXISTS (SELECT 1 FROM deliveries AS o JOIN events AS about ON about.id = o.event_id \
         JOIN cards AS other ON other.destination_id = o.destination_id AND other.source = about.source \
         AND other.subject = about.subject WHERE o.destination_id = d.destination_id AND o.rank = $3 \
         AND o.status = 'pending' AND other.message_id = c.message_id) ORDER BY d.event_id",
    )
    .bind(message)
    .bind(last)
    .bind(Priority::Background.as_i64())
    .bind(after)
    .fetch_all(&mut *tx)
    .await?;
    // The newest event of each message.
    let newest: BTreeMap<MessageId, _> = found
        .into_iter()
        .map(|(card, event, destination, route)| (card, (event, destination, route)))
        .collect();
    let Some((_, destination, _)) = newest.values().next() else { return Ok(()) };
    let mut waiting: i64 = query_scalar(
        "SELECT COUNT(*) FROM deliveries WHERE destination_id = $1 AND rank = $2 AND status = 'pending'",
    )
    .bind(*destination)
    .bind(Priority::Background.as_i64())
    .fetch_one(&mut *tx)
    .await?;
    for (event_id, destination_id, route) in newest.values() {
        if waiting >= REDRAWN {
            break;
        }
        let row = NewDelivery {
            id: mint.next(now),
            event_id: *event_id,
            destination_id: *destination_id,
            slot: Slot::Redraw,
            route,
            priority: Priority::Background,
            due_at: now,
            muted: None,
        };
        waiting += i64::from(insert(tx, &row).await?);
    }
    Ok(())
}
