//! Retrying a call to the platform: one guard for the button *Try again* and for every redelivery.
//!
//! A refused or held call is made again only if its decision is the newest about its machine or ticket: the platform
//! must never receive what a newer card contradicts. The guard runs in the unit that makes the call due, so nothing can
//! come between the two.

use super::announce::{announce, deliver};
use super::{load_by_id, read};
use crate::clock::Moment;
use crate::model::{
    CallState, Decision, DecisionKind, Delivery, DeliveryId, DestinationId, Mint, NotRetried,
};
use crate::store::Result;
use crate::store::sql::{Tx, query, query_scalar};

/// Which calls a requester may retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Rights {
    pub(in crate::store) decisions: bool,
    pub(in crate::store) ticket_actions: bool,
    /// A bulk redelivery retries no calls, whoever requests it.
    pub(in crate::store) is_bulk: bool,
}

/// The outcome for one call.
pub(in crate::store) enum Retried {
    /// It is due. The deliveries redraw its cards.
    Due(Box<Decision>, Vec<Delivery>),
    /// It is left as it is.
    Not(Option<Box<Decision>>, NotRetried),
}

/// Makes the call `delivery` due again, if the guard and `rights` allow it.
pub(in crate::store) async fn retry_call(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    delivery: DeliveryId,
    rights: Rights,
) -> Result<Retried> {
    let row = query("SELECT * FROM decisions WHERE delivery_id = $1")
        .bind(delivery)
        .fetch_optional(&mut *tx)
        .await?;
    // Undo detaches the call from its decision.
    let Some(decision) = row.as_ref().map(read).transpose()? else {
        return Ok(Retried::Not(None, NotRetried::Undone));
    };
    if let Some(why) = refusal(tx, &decision, rights).await? {
        return Ok(Retried::Not(Some(Box::new(decision)), why));
    }
    if !make_due(tx, now, &decision).await? {
        return Ok(Retried::Not(Some(Box::new(decision)), NotRetried::Superseded));
    }
    let after = load_by_id(tx, decision.id).await?.unwrap_or(decision);
    let deliveries = announce_retry(tx, mint, now, &after).await?;
    Ok(Retried::Due(Box::new(after), deliveries))
}

async fn refusal(tx: &mut Tx, decision: &Decision, rights: Rights) -> Result<Option<NotRetried>> {
    if decision.approved_upstream_at.is_some() {
        return Ok(Some(NotRetried::ApprovedUpstream));
    }
    match decision.platform {
        CallState::NotCalled | CallState::Calling => return Ok(Some(NotRetried::Unfinished)),
        CallState::Confirmed => return Ok(Some(NotRetried::Confirmed)),
        CallState::Refused | CallState::Held => {}
    }
    if !is_newest(tx, decision).await? {
        return Ok(Some(NotRetried::Superseded));
    }
    if is_of_closed_ticket(tx, decision).await? {
        return Ok(Some(NotRetried::TicketClosed));
    }
    Ok(match decision.kind {
        _ if rights.is_bulk => Some(NotRetried::LeftToCard),
        DecisionKind::Machine if !rights.decisions => Some(NotRetried::NeedsApprover),
        DecisionKind::Machine => None,
        _ if !rights.ticket_actions => Some(NotRetried::NeedsOperator),
        _ => None,
    })
}

/// Moves a refused or held call back to pending. `false`, with nothing changed, if the guard refuses.
pub(super) async fn make_due(tx: &mut Tx, now: Moment, decision: &Decision) -> Result<bool> {
    if !is_newest(tx, decision).await? || is_of_closed_ticket(tx, decision).await? {
        return Ok(false);
    }
    let changed = query(
        "UPDATE decisions SET platform = 'calling', attempts = 0, due_at = $1, settled_at = NULL \
         WHERE id = $2 AND platform IN ('refused', 'held') AND approved_upstream_at IS NULL",
    )
    .bind(now.wall.as_millis())
    .bind(decision.id)
    .execute(&mut *tx)
    .await?;
    if changed == 0 {
        return Ok(false);
    }
    // Keep its earlier attempts findable.
    query(
        "INSERT INTO earlier_messages (delivery_id, message_id) SELECT id, message_id FROM deliveries \
         WHERE id = (SELECT delivery_id FROM decisions WHERE id = $1) AND message_id IS NOT NULL \
         ON CONFLICT (delivery_id, message_id) DO NOTHING",
    )
    .bind(decision.id)
    .execute(&mut *tx)
    .await?;
    query(
        "UPDATE deliveries SET status = 'pending', generation = generation + 1, due_at = $1, attempts = 0, \
         message_id = NULL, reason = NULL, finished_at = NULL \
         WHERE id = (SELECT delivery_id FROM decisions WHERE id = $2) AND status IN ('dead', 'cancelled', 'delivered')",
    )
    .bind(now.steady.as_millis())
    .bind(decision.id)
    .execute(tx)
    .await?;
    Ok(true)
}

/// Redraws the cards of a retried decision. Recreates a call that retention has removed meanwhile.
pub(super) async fn announce_retry(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    decision: &Decision,
) -> Result<Vec<Delivery>> {
    let (event, mut hints) = announce(tx, mint, now, "decision.retried", decision, &[]).await?;
    let call: Option<i64> =
        query_scalar("SELECT CAST(1 AS BIGINT) FROM deliveries WHERE id = (SELECT delivery_id FROM decisions WHERE id = $1)")
            .bind(decision.id)
            .fetch_optional(&mut *tx)
            .await?;
    if call.is_some() {
        return Ok(hints);
    }
    let platform: Option<DestinationId> =
        query_scalar("SELECT id FROM destinations WHERE sink = 'xtsystems' AND deleted_at IS NULL LIMIT 1")
            .fetch_optional(&mut *tx)
            .await?;
    if let Some(platform) = platform {
        let call = deliver(tx, mint, now.steady, event, platform, now.steady).await?;
        query("UPDATE decisions SET delivery_id = $1 WHERE id = $2")
            .bind(call.id)
            .bind(decision.id)
            .execute(tx)
            .await?;
        hints.push(call);
    }
    Ok(hints)
}

/// Returns whether no newer decision exists: by its subject and, because a machine may register under either of its
/// two ids, by those.
pub(super) async fn is_newest(tx: &mut Tx, decision: &Decision) -> Result<bool> {
    let newer: Option<i64> = query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM decisions AS newer JOIN decisions AS this ON this.id = $1 \
         WHERE newer.source = this.source AND newer.subject = this.subject AND newer.kind = this.kind \
         AND newer.round > this.round LIMIT 1",
    )
    .bind(decision.id)
    .fetch_optional(&mut *tx)
    .await?;
    if newer.is_some() || decision.kind != DecisionKind::Machine {
        return Ok(newer.is_none());
    }
    let newer: Option<i64> = query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM decisions AS this JOIN decisions AS newer ON newer.kind = 'machine' \
         AND newer.source = this.source AND newer.round > this.round AND newer.object IN (this.object, this.alternate_id) \
         WHERE this.id = $1 \
         UNION ALL SELECT 1 FROM decisions AS this JOIN decisions AS newer ON newer.kind = 'machine' \
         AND newer.source = this.source AND newer.round > this.round AND newer.alternate_id <> '' \
         AND newer.alternate_id IN (this.object, this.alternate_id) WHERE this.id = $1 LIMIT 1",
    )
    .bind(decision.id)
    .fetch_optional(tx)
    .await?;
    Ok(newer.is_none())
}

/// Returns whether this is an action on a closed ticket, whose card has no buttons any more.
pub(super) async fn is_of_closed_ticket(tx: &mut Tx, decision: &Decision) -> Result<bool> {
    if !matches!(decision.kind, DecisionKind::Take | DecisionKind::Note | DecisionKind::Close) {
        return Ok(false);
    }
    let closed: Option<i64> = query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM decisions WHERE source = $1 AND subject = $2 AND kind = 'close' AND platform = 'confirmed' LIMIT 1",
    )
    .bind(decision.source.as_str())
    .bind(&decision.subject)
    .fetch_optional(tx)
    .await?;
    Ok(closed.is_some())
}
