//! Decision announcements: nuncio's own events about a decision, which redraw its cards and call the platform.

use serde_json::json;

use crate::clock::{Moment, SteadyTime};
use crate::model::{
    Decision, DedupeKey, Delivery, DeliveryId, DestinationId, EventId, Mint, Priority, RawBody, Slot, Source,
};
use crate::store::Result;
use crate::store::delivery::{NewDelivery, insert};
use crate::store::sql::{Tx, query, query_scalar};

/// Inserts the event `kind` about `decision`, with a delivery to every destination that shows its card, `except` for
/// some. Returns the deliveries, for hints to their lanes.
pub(in crate::store) async fn announce(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    kind: &'static str,
    decision: &Decision,
    except: &[DestinationId],
) -> Result<(EventId, Vec<Delivery>)> {
    let id: EventId = mint.next(now.steady);
    let body = RawBody::new(body(kind, decision).to_string().into_bytes());
    // The key is unique: no event of this kind repeats another.
    let dedupe = DedupeKey::of_request(&id.to_string(), &body);
    query(
        "INSERT INTO events (id, source, kind, company_id, dedupe_key, subject, cause, occurred_at, received_at, \
         unrouted, body) VALUES ($1, $2, $3, '', $4, $5, $6, $7, $7, FALSE, $8)",
    )
    .bind(id)
    .bind(Source::Nuncio.as_str())
    .bind(kind)
    .bind(dedupe.as_bytes())
    .bind(decision.subject.as_str())
    .bind(decision.event_id)
    .bind(now.wall.as_millis())
    .bind(body.as_bytes())
    .execute(&mut *tx)
    .await?;
    let mut deliveries = Vec::new();
    for destination_id in shown_in(tx, decision).await? {
        if !except.contains(&destination_id) {
            deliveries.push(deliver(tx, mint, now.steady, id, destination_id, now.steady).await?);
        }
    }
    Ok((id, deliveries))
}

/// The destinations that show the card, or will.
async fn shown_in(tx: &mut Tx, decision: &Decision) -> Result<Vec<DestinationId>> {
    query_scalar(
        "SELECT d.destination_id FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id \
         WHERE d.event_id = $1 AND t.sink IN ('channel', 'discord_webhook') \
         UNION SELECT destination_id FROM cards WHERE source = $2 AND subject = $3 ORDER BY 1",
    )
    .bind(decision.event_id)
    .bind(decision.source.as_str())
    .bind(decision.subject.as_str())
    .fetch_all(tx)
    .await
}

/// Inserts one delivery of an event, due at `due_at`.
pub(super) async fn deliver(
    tx: &mut Tx,
    mint: &Mint,
    now: SteadyTime,
    event_id: EventId,
    destination_id: DestinationId,
    due_at: SteadyTime,
) -> Result<Delivery> {
    let id: DeliveryId = mint.next(now);
    let row = NewDelivery {
        id,
        event_id,
        destination_id,
        slot: Slot::Card,
        route: "",
        priority: Priority::Decision,
        due_at,
        muted: None,
    };
    insert(tx, &row).await?;
    Ok(Delivery {
        id,
        event_id,
        event: None,
        slot: Slot::Card,
        generation: 0,
        destination_id,
        priority: Priority::Decision,
        route: String::new(),
    })
}

fn body(kind: &str, decision: &Decision) -> serde_json::Value {
    let mut data = json!({
        "decision": decision.id.to_string(),
        "about": decision.kind.as_str(),
        "id": decision.object,
        "name": decision.label,
        "verdict": decision.verdict.as_str(),
        "platform": decision.platform.as_str(),
    });
    let decider = decision.decider.as_ref();
    let more = [
        ("by", decider.map(|decider| decider.name.clone())),
        ("reason", decision.reason.clone()),
        ("platform_reply", decision.platform_reply.clone()),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            data[name] = value.into();
        }
    }
    json!({"event_type": kind, "data": data})
}
