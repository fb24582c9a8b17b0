//! Dispatches: the stored webhooks that one is for, its acceptance, and how each webhook took it.

use crate::clock::{Moment, Timestamp};
use crate::model::dispatch::{DispatchResult, DispatchState, Dispatched, WebhookSelection, unfinished};
use crate::model::{
    Category, DestinationId, EventId, Idempotent, Mint, MuteId, Once, OnceResult, Scope, Status,
};
use crate::store::accept::{self, Incoming, Stored};
use crate::store::idempotency::OnceInUnit;
use crate::store::muted::muted;
use crate::store::sql::{Row, Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

/// How many categories there are: the statement names as many.
const CATEGORIES: usize = Category::ALL.len();

/// A stored webhook that a dispatch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectedWebhook {
    /// The destination.
    pub id: DestinationId,
    /// Its category.
    pub category: Category,
    /// Whether it is enabled.
    pub enabled: bool,
}

impl Store {
    /// Returns the webhooks of `selection`, oldest first. One statement, however many there are.
    pub async fn selected_webhooks(&self, selection: &WebhookSelection) -> Result<Vec<SelectedWebhook>> {
        let Some(last) = selection.categories.last() else { return Ok(Vec::new()) };
        let categories = (0..CATEGORIES).map(|at| selection.categories.get(at).unwrap_or(last).as_str());
        let scope = |is_meant: bool, scope: Scope| if is_meant { scope.as_str() } else { "" };
        let select = query(
            "SELECT id, category, enabled FROM destinations WHERE company_id = $1 \
             AND category IN ($2, $3, $4, $5, $6, $7, $8) AND scope IN ($9, $10) AND deleted_at IS NULL \
             AND (enabled OR NOT $12) \
             UNION ALL SELECT id, category, enabled FROM destinations WHERE company_id = $1 \
             AND category IN ($2, $3, $4, $5, $6, $7, $8) AND scope = 'USER' AND owner = $11 AND owner <> '' \
             AND deleted_at IS NULL AND (enabled OR NOT $12) ORDER BY id",
        )
        .bind(&selection.company);
        categories
            .fold(select, |select, category| select.bind(category))
            .bind(scope(selection.admins, Scope::Admin))
            .bind(scope(selection.public, Scope::Public))
            .bind(selection.owner.as_deref().unwrap_or_default())
            .bind(selection.only_enabled)
            .fetch_all(self.read())
            .await?
            .iter()
            .map(selected)
            .collect()
    }

    /// Accepts a dispatch with its deliveries, once. `dispatched` is the result but for the event's id.
    pub async fn accept_dispatch(
        &self,
        incoming: Incoming,
        once: Once<Dispatched>,
        dispatched: Dispatched,
    ) -> Result<OnceResult<Dispatched>> {
        let (once, now) = (self.once(Some(once))?, self.0.clock.moment());
        let unit = AcceptOnce { incoming: incoming.clone(), once, dispatched, now, mint: Mint::new() };
        let (result, stored) = self.writer().submit(unit).await?;
        if let Some(stored) = stored {
            accept::send_hints(incoming, stored, &self.0.hints);
        }
        Ok(result)
    }

    /// Counts the deliveries of a dispatch for which it is worth to wait.
    pub async fn awaited(&self, event: EventId) -> Result<u64> {
        let count: i64 = query_scalar(
            "SELECT COUNT(*) FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id \
             WHERE d.event_id = $1 AND d.slot = '' AND d.status IN ('pending', 'sending') \
             AND (d.status = 'sending' OR (t.closed_reason IS NULL AND t.denied_reason IS NULL))",
        )
        .bind(event)
        .fetch_one(self.read())
        .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Returns how each webhook took a dispatch, in the order of its deliveries.
    pub async fn dispatch_results(&self, event: EventId) -> Result<Vec<DispatchResult>> {
        // A delivery that waits again has left its message; of one that arrived at once, the attempt is in the message's row.
        let rows = query(
            "SELECT t.name, t.closed_reason, t.denied_reason, d.status, d.reason, d.attempts, d.muted_by, e.received_at, \
             m.until AS mute_until, m.created_by AS mute_by, COALESCE(a.status, w.status) AS answer, \
             COALESCE(a.took_ms, w.took_ms) AS took_ms, a.class \
             FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
             JOIN destinations AS t ON t.id = d.destination_id LEFT JOIN mutes AS m ON m.id = d.muted_by \
             LEFT JOIN messages AS w ON w.id = d.message_id \
             LEFT JOIN attempts AS a ON a.message_id = COALESCE(d.message_id, (SELECT message_id FROM earlier_messages \
              WHERE delivery_id = d.id ORDER BY message_id DESC NULLS LAST LIMIT 1)) \
              AND a.number = (SELECT MAX(number) FROM attempts WHERE message_id = a.message_id) \
             WHERE d.event_id = $1 AND d.slot = '' ORDER BY d.id",
        )
        .bind(event)
        .fetch_all(self.read())
        .await?;
        rows.iter().map(result).collect()
    }

    /// Returns the icon of a webhook's messages, if it has one of its own.
    pub async fn webhook_icon(&self, id: DestinationId) -> Result<Option<String>> {
        let icon: Option<Option<String>> =
            query_scalar("SELECT avatar_url FROM destinations WHERE id = $1 AND deleted_at IS NULL")
                .bind(id)
                .fetch_optional(self.read())
                .await?;
        Ok(icon.flatten())
    }
}

struct AcceptOnce {
    incoming: Incoming,
    once: OnceInUnit<Dispatched>,
    dispatched: Dispatched,
    now: Moment,
    mint: Mint,
}

impl Unit for AcceptOnce {
    type Output = (OnceResult<Dispatched>, Option<Stored>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if let Some(before) = self.once.claim(tx).await? {
            return Ok((before, None));
        }
        let stored = accept::insert(tx, &self.mint, self.now, &self.incoming).await?;
        let event_id = Some(stored.accepted().event_id);
        let dispatched = Dispatched { event_id, ..self.dispatched.clone() };
        self.once.answer(tx, &dispatched).await?;
        Ok((Ok(Idempotent::Done(dispatched)), Some(stored)))
    }
}

fn selected(row: &Row) -> Result<SelectedWebhook> {
    let category: String = row.try_get("category")?;
    let unknown = || Error::Corrupt(format!("a webhook that is {category:?}"));
    Ok(SelectedWebhook {
        id: row.try_get("id")?,
        category: Category::from_word(&category).ok_or_else(unknown)?,
        enabled: row.try_get("enabled")?,
    })
}

fn result(row: &Row) -> Result<DispatchResult> {
    let word: String = row.try_get("status")?;
    let status = Status::from_word(&word).ok_or_else(|| Error::Corrupt(format!("a status {word:?}")))?;
    let class: Option<String> = row.try_get("class")?;
    let mute: Option<MuteId> = row.try_get("muted_by")?;
    let closed: Option<String> = row.try_get("closed_reason")?;
    let stopped = closed.or(row.try_get("denied_reason")?);
    let (state, reason) = match status {
        Status::Delivered => (DispatchState::Delivered, None),
        Status::Dead => (DispatchState::Dead, row.try_get("reason")?),
        Status::Cancelled if mute.is_some() => {
            (DispatchState::Muted, Some(muted(row, Timestamp::from_millis(row.try_get("received_at")?))?))
        }
        Status::Cancelled => (DispatchState::Canceled, row.try_get("reason")?),
        Status::Pending if stopped.is_some() => (DispatchState::Closed, stopped),
        Status::Pending | Status::Sending => (unfinished(class.as_deref()), None),
    };
    Ok(DispatchResult {
        webhook: row.try_get("name")?,
        state,
        status: row.try_get("answer")?,
        ms: row.try_get("took_ms")?,
        attempts: u64::try_from(row.try_get::<i64>("attempts")?).unwrap_or(0),
        reason: reason.unwrap_or_default(),
    })
}
