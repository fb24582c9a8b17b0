//! Decision clicks: the first click wins, by constraint. One click is one unit: the decision, its audit entry, the
//! event, the edits of all cards and the call to the platform are committed together or not at all.

use super::announce::{announce, deliver};
use super::change::{Changed, DecisionChange};
use super::load;
use super::retry::{announce_retry, is_newest, make_due};
use super::ticket_action::TicketAction;
use crate::clock::{Moment, ProvenTime};
use crate::model::{Actor, AuditEntry, AuditOutcome, Decision, DecisionAction, Delivery, Mint, Verdict};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

impl Store {
    /// Makes `change`, with the audit entry `entry` of the click.
    pub async fn change(&self, change: DecisionChange, entry: AuditEntry) -> Result<Changed> {
        let (key, now, mint) = (self.audit_key()?, self.0.clock.moment(), Mint::new());
        let (changed, deliveries) = match change.action.requests() {
            Some(kind) => self.writer().submit(TicketAction { change, kind, entry, key, now, mint }).await?,
            None => self.writer().submit(Decide { change, entry, key, now, mint }).await?,
        };
        self.hint_at(deliveries);
        Ok(changed)
    }

    /// Expires the decisions that are past their deadline. Returns how many.
    pub async fn expire_decisions(&self, now: ProvenTime) -> Result<usize> {
        let due: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM decisions WHERE verdict = 'open' AND expires_at IS NOT NULL AND expires_at <= $1 LIMIT 1",
        )
        .bind(now.get().as_millis())
        .fetch_optional(self.read())
        .await?;
        if due.is_none() {
            return Ok(0);
        }
        let unit =
            Expire { key: self.audit_key()?, over_at: now, now: self.0.clock.moment(), mint: Mint::new() };
        let (count, deliveries) = self.writer().submit(unit).await?;
        self.hint_at(deliveries);
        Ok(count)
    }

    /// Sends hints for deliveries that are due at once. A lost hint is harmless: the lane finds the delivery in the
    /// table.
    pub(in crate::store) fn hint_at(&self, deliveries: Vec<Delivery>) {
        deliveries.into_iter().for_each(|delivery| self.0.hints.send(delivery));
    }
}

struct Decide {
    change: DecisionChange,
    entry: AuditEntry,
    key: AuditKey,
    now: Moment,
    mint: Mint,
}

impl Unit for Decide {
    type Output = (Changed, Vec<Delivery>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if audit::was_seen(tx, &self.entry).await? {
            return Ok((Changed::Replayed, Vec::new()));
        }
        let Some(before) = load(tx, &self.change.token).await? else {
            return Ok((Changed::Unknown, Vec::new()));
        };
        let done = match self.change.action {
            DecisionAction::Approve => self.decide(tx, &before, Verdict::Approved).await?,
            DecisionAction::Deny => self.decide(tx, &before, Verdict::Denied).await?,
            DecisionAction::Undo => self.undo(tx, &before).await?,
            DecisionAction::TryAgain | DecisionAction::Resend => make_due(tx, self.now, &before).await?,
            DecisionAction::OnIt => self.take(tx).await?,
            // They change no decision: see `TicketAction` and the mutes.
            DecisionAction::Take
            | DecisionAction::Note
            | DecisionAction::Close
            | DecisionAction::Mute
            | DecisionAction::Details => return Ok((Changed::Unknown, Vec::new())),
        };
        let entry = AuditEntry { reference: before.id.to_string(), ..self.entry.clone() };
        if !done {
            let detail = "too late: it was decided or changed before".to_owned();
            let entry = AuditEntry { outcome: AuditOutcome::Refused, detail, ..entry };
            audit::append(tx, &self.key, &entry, self.now.wall).await?;
            return Ok((Changed::Late(before), Vec::new()));
        }
        audit::append(tx, &self.key, &entry, self.now.wall).await?;
        let after = load(tx, &self.change.token).await?.unwrap_or(before);
        let deliveries = self.announce_change(tx, &after).await?;
        Ok((Changed::Done(after), deliveries))
    }
}

impl Decide {
    async fn decide(&self, tx: &mut Tx, before: &Decision, verdict: Verdict) -> Result<bool> {
        let DecisionChange { token, by, text, platform: Some(platform), grace, even_expired, .. } =
            &self.change
        else {
            return Ok(false);
        };
        if !is_newest(tx, before).await? {
            return Ok(false);
        }
        let changed = query(
            "UPDATE decisions SET verdict = $1, platform = 'calling', actor_id = $2, actor_name = $3, reason = $4, \
             decided_at = $5, due_at = $6, attempts = 0, settled_at = NULL, \
             platform_reply = (SELECT last_error FROM destinations WHERE id = $9 AND not_before > $10) \
             WHERE token = $7 AND kind = 'machine' AND approved_upstream_at IS NULL \
             AND (verdict = 'open' OR (verdict = 'expired' AND $8))",
        )
        .bind(verdict.as_str())
        .bind(by.id)
        .bind(by.name.as_str())
        .bind(text.as_deref())
        .bind(self.now.wall.as_millis())
        .bind(self.now.wall.plus(*grace).as_millis())
        .bind(token.as_str())
        .bind(*even_expired)
        // While all calls are paused, the card shows the reason from the start.
        .bind(*platform)
        .bind(self.now.steady.as_millis())
        .execute(tx)
        .await?;
        Ok(changed == 1)
    }

    /// Only a call that never began can be taken back: one that may have been sent cannot.
    async fn undo(&self, tx: &mut Tx, before: &Decision) -> Result<bool> {
        let cancelled = query(
            "UPDATE deliveries SET status = 'cancelled', reason = 'undone', finished_at = $1 \
             WHERE id = (SELECT delivery_id FROM decisions WHERE id = $2 AND platform = 'calling') \
             AND status = 'pending' AND attempts = 0",
        )
        .bind(self.now.wall.as_millis())
        .bind(before.id)
        .execute(&mut *tx)
        .await?;
        if cancelled == 0 {
            return Ok(false);
        }
        query(
            "UPDATE decisions SET verdict = 'open', platform = 'not_called', actor_id = NULL, actor_name = NULL, \
             reason = NULL, decided_at = NULL, due_at = NULL, delivery_id = NULL WHERE id = $1",
        )
        .bind(before.id)
        .execute(tx)
        .await?;
        Ok(true)
    }

    async fn take(&self, tx: &mut Tx) -> Result<bool> {
        let changed = query(
            "UPDATE decisions SET verdict = 'taken', actor_id = $1, actor_name = $2, decided_at = $3 \
             WHERE token = $4 AND kind = 'alert' AND verdict = 'open'",
        )
        .bind(self.change.by.id)
        .bind(self.change.by.name.as_str())
        .bind(self.now.wall.as_millis())
        .bind(self.change.token.as_str())
        .execute(tx)
        .await?;
        Ok(changed == 1)
    }

    /// Inserts the event, the edits and the call. A call that is due later gets no hint: its lane finds it in the
    /// table.
    async fn announce_change(&self, tx: &mut Tx, after: &Decision) -> Result<Vec<Delivery>> {
        let (kind, platform) = match self.change.action {
            DecisionAction::Undo => ("decision.undone", None),
            DecisionAction::OnIt => ("decision.taken", None),
            DecisionAction::TryAgain | DecisionAction::Resend => {
                return announce_retry(tx, &self.mint, self.now, after).await;
            }
            _ => ("decision.made", self.change.platform),
        };
        let (event, mut hints) = announce(tx, &self.mint, self.now, kind, after, &[]).await?;
        if let Some(platform) = platform {
            let due_at = self.now.steady.plus(self.change.grace);
            let delivery = deliver(tx, &self.mint, self.now.steady, event, platform, due_at).await?;
            query("UPDATE decisions SET delivery_id = $1 WHERE id = $2")
                .bind(delivery.id)
                .bind(after.id)
                .execute(tx)
                .await?;
            hints.extend((due_at <= self.now.steady).then_some(delivery));
        }
        Ok(hints)
    }
}

struct Expire {
    key: AuditKey,
    over_at: ProvenTime,
    now: Moment,
    mint: Mint,
}

impl Unit for Expire {
    type Output = (usize, Vec<Delivery>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        let due = query(
            "SELECT * FROM decisions WHERE verdict = 'open' AND expires_at IS NOT NULL AND expires_at <= $1 LIMIT 100",
        )
        .bind(self.over_at.get().as_millis())
        .fetch_all(&mut *tx)
        .await?;
        let (mut count, mut hints) = (0, Vec::new());
        for row in &due {
            let decision = Decision { verdict: Verdict::Expired, ..super::read(row)? };
            query(
                "UPDATE decisions SET verdict = 'expired', settled_at = $1 WHERE id = $2 AND verdict = 'open'",
            )
            .bind(self.now.wall.as_millis())
            .bind(decision.id)
            .execute(&mut *tx)
            .await?;
            let subject = format!("machine {}", decision.object);
            let mut entry = AuditEntry::new(Actor::Nuncio, "decision.expire", subject);
            entry.reference = decision.id.to_string();
            audit::append(tx, &self.key, &entry, self.now.wall).await?;
            hints.extend(announce(tx, &self.mint, self.now, "decision.expired", &decision, &[]).await?.1);
            count += 1;
        }
        Ok((count, hints))
    }
}
