//! Decision requests. A machine's decision is created together with its event, so its buttons work as soon as its
//! card exists.

use std::time::Duration;

use super::announce::announce;
use crate::clock::{Moment, Timestamp};
use crate::model::{
    Decision, DecisionId, DecisionKind, Delivery, DestinationId, EventId, Mint, Phase, Priority, Source,
    Token,
};
use crate::store::Result;
use crate::store::sql::{Tx, query};

/// What a new event requests from operators, or answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionTrigger {
    /// A machine requests approval.
    MachineRequested {
        /// Ids of the machine; the first one goes into the platform's paths.
        ids: Vec<String>,
        /// Subject of the machine's card, which includes the customer.
        subject: String,
        /// Name to show.
        label: String,
        /// Time until the request expires; `None` if it does not.
        expiry: Option<Duration>,
    },
    /// The platform reports that a machine is approved.
    MachineApproved {
        /// Ids of the machine.
        ids: Vec<String>,
    },
}

impl DecisionTrigger {
    /// Ids of the machine.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        match self {
            Self::MachineRequested { ids, .. } | Self::MachineApproved { ids } => ids,
        }
    }
}

/// Applies a new event to decisions, within the unit that accepts it: `event` and its deliveries to `planned` are
/// stored already. Returns the additional deliveries.
pub(in crate::store) async fn ask(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    (source, company): (Source, &str),
    event: EventId,
    asks: &DecisionTrigger,
    planned: &[DestinationId],
) -> Result<Vec<Delivery>> {
    match asks {
        DecisionTrigger::MachineRequested { ids, subject, label, expiry } => {
            let newest = super::newest_of_machine(tx, source, ids, company).await?;
            match newest {
                Some(decision) if !is_final(&decision) => repeat(tx, mint, now, &decision, planned).await,
                newest => {
                    let expires_at = expiry.map(|expiry| now.proven.get().plus(expiry));
                    let round = newest.map_or(0, |decision| decision.round) + 1;
                    open(tx, mint, now, (source, subject, company), event, ids, label, round, expires_at)
                        .await?;
                    Ok(Vec::new())
                }
            }
        }
        DecisionTrigger::MachineApproved { ids } => {
            joined(tx, mint, now, (source, company), event, ids, planned).await
        }
    }
}

/// Returns whether a new registration opens a new decision.
fn is_final(decision: &Decision) -> bool {
    match decision.phase() {
        Phase::Pending | Phase::Deciding => false,
        // A held call is still pending: it goes out once an operator has set the platform's address.
        Phase::RefusedByPlatform => decision.platform == crate::model::CallState::Refused,
        Phase::Approved | Phase::Denied | Phase::ApprovedUpstream | Phase::Expired => true,
    }
}

#[expect(clippy::too_many_arguments, reason = "a row has many columns")]
async fn open(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    (source, subject, company): (Source, &str, &str),
    event: EventId,
    ids: &[String],
    label: &str,
    round: u32,
    expires_at: Option<Timestamp>,
) -> Result<()> {
    let Some(object) = ids.first() else { return Ok(()) };
    query(
        "INSERT INTO decisions (id, token, kind, source, subject, round, object, alternate_id, label, event_id, asked_at, \
         verdict, expires_at, created_at, company_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', $12, $11, $13) ON CONFLICT DO NOTHING",
    )
    .bind(mint.next::<DecisionId>(now.steady))
    .bind(Token::random().as_str())
    .bind(DecisionKind::Machine.as_str())
    .bind(source.as_str())
    .bind(subject)
    .bind(i64::from(round))
    .bind(object)
    .bind(ids.get(1).map(String::as_str).unwrap_or_default())
    .bind(label)
    .bind(event)
    .bind(now.wall.as_millis())
    .bind(expires_at.map(Timestamp::as_millis))
    .bind(company)
    .execute(tx)
    .await?;
    Ok(())
}

/// The machine registers again while it waits: its card shows that. Destinations of the new event redraw it anyway.
async fn repeat(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    decision: &Decision,
    planned: &[DestinationId],
) -> Result<Vec<Delivery>> {
    query("UPDATE decisions SET asked = asked + 1, asked_at = $1 WHERE id = $2")
        .bind(now.wall.as_millis())
        .bind(decision.id)
        .execute(&mut *tx)
        .await?;
    Ok(announce(tx, mint, now, "decision.repeated", decision, planned).await?.1)
}

/// An approval by the platform closes the decision, or confirms the one made here. A call that was not made yet is
/// cancelled: the platform already knows.
async fn joined(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    (source, company): (Source, &str),
    event: EventId,
    ids: &[String],
    planned: &[DestinationId],
) -> Result<Vec<Delivery>> {
    let Some(decision) = super::newest_of_machine(tx, source, ids, company).await? else {
        return Ok(Vec::new());
    };
    let id = decision.id;
    let confirmed = query(
        "UPDATE decisions SET platform = 'confirmed', settled_at = $1, due_at = NULL \
         WHERE id = $2 AND verdict = 'approved' AND approved_upstream_at IS NULL AND platform <> 'confirmed'",
    )
    .bind(now.wall.as_millis())
    .bind(id)
    .execute(&mut *tx)
    .await?;
    if confirmed == 1 {
        query(
            "UPDATE deliveries SET status = 'cancelled', reason = 'XTSystems said so itself', finished_at = $1 \
             WHERE id = (SELECT delivery_id FROM decisions WHERE id = $2) AND status = 'pending'",
        )
        .bind(now.wall.as_millis())
        .bind(id)
        .execute(&mut *tx)
        .await?;
    } else {
        // A denial that is still pending will reach the platform, and the card shows that.
        let elsewhere = query(
            "UPDATE decisions SET verdict = 'approved', platform = 'confirmed', approved_upstream_at = $1, settled_at = $1 \
             WHERE id = $2 AND (verdict IN ('open', 'expired') \
                                OR (verdict = 'denied' AND platform IN ('confirmed', 'refused', 'held')))",
        )
        .bind(now.wall.as_millis())
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if elsewhere == 0 {
            return Ok(Vec::new());
        }
    }
    // The event changes a card as a click does: no digest may include it.
    query("UPDATE deliveries SET rank = $1 WHERE event_id = $2 AND status = 'pending'")
        .bind(Priority::Decision.as_i64())
        .bind(event)
        .execute(&mut *tx)
        .await?;
    let decision = super::load(tx, &decision.token).await?.unwrap_or(decision);
    Ok(announce(tx, mint, now, "decision.confirmed", &decision, planned).await?.1)
}
