//! Ticket actions: the buttons of ticket and alert cards, and the actions that operators request with them.

use super::announce::{announce, deliver};
use super::change::{Changed, DecisionChange};
use super::{load, read};
use crate::clock::Moment;
use crate::model::{
    AuditEntry, AuditOutcome, Decision, DecisionId, DecisionKind, Delivery, DestinationId, Event, EventId,
    Mint, Token,
};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

/// A card that has buttons, or gets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardOf {
    /// Destination that shows it.
    pub destination: DestinationId,
    /// First event of the card.
    pub since: EventId,
}

impl Store {
    /// Returns the buttons of a ticket's or an alert's card, if they exist. A ticket keeps its buttons. An alert has
    /// those of the event that its card begins with. If that event has none, it has those of a living card in another
    /// destination: each destination's card may begin with another event, and they share one decision.
    pub async fn buttons(
        &self,
        kind: DecisionKind,
        event: &Event,
        card: &CardOf,
    ) -> Result<Option<Decision>> {
        let mut rows = self.decisions_about(event.source, &event.subject).await?;
        rows.retain(|decision| decision.kind == kind);
        if kind == DecisionKind::Ticket {
            return Ok(rows.pop());
        }
        if let Some(own) = rows.iter().rposition(|decision| decision.event_id == card.since) {
            return Ok(Some(rows.swap_remove(own)));
        }
        // Few destinations have a card of the alert, and the key of `cards` begins with the destination.
        let living: Vec<EventId> = query_scalar(
            "SELECT c.since FROM destinations AS t CROSS JOIN cards AS c \
             WHERE c.destination_id = t.id AND c.source = $1 AND c.subject = $2 AND NOT c.frozen AND t.id <> $3",
        )
        .bind(event.source.as_str())
        .bind(event.subject.as_str())
        .bind(card.destination)
        .fetch_all(self.read())
        .await?;
        Ok(rows.into_iter().rfind(|decision| living.contains(&decision.event_id)))
    }

    /// Returns the buttons of a card and creates missing ones. An alert that gets a new card gets a new decision.
    pub async fn make_buttons(
        &self,
        kind: DecisionKind,
        event: &Event,
        card: &CardOf,
        object: &str,
        label: &str,
    ) -> Result<Decision> {
        if let Some(decision) = self.buttons(kind, event, card).await? {
            return Ok(decision);
        }
        let unit = Ask {
            token: Token::random(),
            kind,
            source: event.source.as_str(),
            subject: event.subject.clone(),
            company: event.company.clone(),
            event: card.since,
            object: object.to_owned(),
            label: label.to_owned(),
            now: self.0.clock.moment(),
        };
        self.writer().submit(unit).await
    }
}

struct Ask {
    token: Token,
    kind: DecisionKind,
    source: &'static str,
    subject: String,
    company: String,
    event: EventId,
    object: String,
    label: String,
    now: Moment,
}

impl Unit for Ask {
    type Output = Decision;

    async fn apply(&self, tx: &mut Tx) -> Result<Decision> {
        // An alert that is over makes room for the next one. A card that is drawn late does not count as the next.
        query(
            "UPDATE decisions SET verdict = 'expired' \
             WHERE source = $1 AND subject = $2 AND kind = 'alert' AND verdict = 'open' AND event_id < $3",
        )
        .bind(self.source)
        .bind(&self.subject)
        .bind(self.event)
        .execute(&mut *tx)
        .await?;
        query(
            "INSERT INTO decisions (id, token, kind, source, subject, round, object, label, event_id, asked_at, \
             verdict, created_at, company_id) VALUES ($1, $2, $3, $4, $5, \
             (SELECT COUNT(*) + 1 FROM decisions WHERE source = $4 AND subject = $5 AND kind = $3), \
             $6, $7, $8, $9, 'open', $9, $10) ON CONFLICT DO NOTHING",
        )
        .bind(Mint::new().next::<DecisionId>(self.now.steady))
        .bind(self.token.as_str())
        .bind(self.kind.as_str())
        .bind(self.source)
        .bind(&self.subject)
        .bind(&self.object)
        .bind(&self.label)
        .bind(self.event)
        .bind(self.now.wall.as_millis())
        .bind(&self.company)
        .execute(&mut *tx)
        .await?;
        let row = query(
            "SELECT * FROM decisions WHERE source = $1 AND subject = $2 AND kind = $3 ORDER BY round DESC LIMIT 1",
        )
        .bind(self.source)
        .bind(&self.subject)
        .bind(self.kind.as_str())
        .fetch_optional(tx)
        .await?;
        row.as_ref().map(read).transpose()?.ok_or(Error::Stale("the buttons of a card are gone"))
    }
}

/// A person requests an action on the ticket whose buttons the change's token names.
pub(super) struct TicketAction {
    pub(super) change: DecisionChange,
    /// `Take`, `Note` or `Close`.
    pub(super) kind: DecisionKind,
    pub(super) entry: AuditEntry,
    pub(super) key: AuditKey,
    pub(super) now: Moment,
    pub(super) mint: Mint,
}

impl Unit for TicketAction {
    type Output = (Changed, Vec<Delivery>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if audit::was_seen(tx, &self.entry).await? {
            return Ok((Changed::Replayed, Vec::new()));
        }
        let Some(ticket) =
            load(tx, &self.change.token).await?.filter(|found| found.kind == DecisionKind::Ticket)
        else {
            return Ok((Changed::Unknown, Vec::new()));
        };
        let Some(platform) = self.change.platform else { return Ok((Changed::Unknown, Vec::new())) };
        let token = Token::random();
        let card = self.pressed(tx, &ticket).await?;
        let made = self.insert(tx, &ticket, &token, card).await?;
        let action = load(tx, &token).await?;
        let (Some(action), true) = (action, made) else {
            let detail = "too late: the same is on its way already".to_owned();
            let reference = ticket.id.to_string();
            let entry =
                AuditEntry { outcome: AuditOutcome::Refused, detail, reference, ..self.entry.clone() };
            audit::append(tx, &self.key, &entry, self.now.wall).await?;
            let first = self.on_its_way(tx, &ticket).await?;
            return Ok((Changed::Late(first.unwrap_or(ticket)), Vec::new()));
        };
        let entry = AuditEntry { reference: action.id.to_string(), ..self.entry.clone() };
        audit::append(tx, &self.key, &entry, self.now.wall).await?;
        let (event, mut hints) = announce(tx, &self.mint, self.now, "decision.made", &action, &[]).await?;
        let call = deliver(tx, &self.mint, self.now.steady, event, platform, self.now.steady).await?;
        query("UPDATE decisions SET delivery_id = $1 WHERE id = $2")
            .bind(call.id)
            .bind(action.id)
            .execute(tx)
            .await?;
        hints.push(call);
        Ok((Changed::Done(action), hints))
    }
}

impl TicketAction {
    /// Returns `false` if an equal action is pending: a unique index enforces it.
    async fn insert(&self, tx: &mut Tx, ticket: &Decision, token: &Token, card: EventId) -> Result<bool> {
        let inserted = query(
            "INSERT INTO decisions (id, token, kind, source, subject, round, object, label, event_id, asked_at, \
             verdict, platform, actor_id, actor_name, reason, decided_at, due_at, created_at, company_id) \
             VALUES ($1, $2, $3, $4, $5, \
             (SELECT COUNT(*) + 1 FROM decisions WHERE source = $4 AND subject = $5 AND kind = $3), \
             $6, $7, $8, $9, 'requested', 'calling', $10, $11, $12, $9, $13, $9, $14) ON CONFLICT DO NOTHING",
        )
        .bind(Mint::new().next::<DecisionId>(self.now.steady))
        .bind(token.as_str())
        .bind(self.kind.as_str())
        .bind(ticket.source.as_str())
        .bind(&ticket.subject)
        .bind(&ticket.object)
        .bind(&ticket.label)
        .bind(card)
        .bind(self.now.wall.as_millis())
        .bind(self.change.by.id)
        .bind(&self.change.by.name)
        .bind(self.change.text.as_deref())
        .bind(self.now.wall.as_millis())
        .bind(&ticket.company)
        .execute(tx)
        .await?;
        Ok(inserted == 1)
    }

    /// The event whose card was pressed: in the mode with a card per event, a ticket has many.
    async fn pressed(&self, tx: &mut Tx, ticket: &Decision) -> Result<EventId> {
        let Some((channel, message)) = self.change.card else { return Ok(ticket.event_id) };
        let shown = query_scalar(
            "SELECT d.event_id FROM messages AS m JOIN deliveries AS d ON d.message_id = m.id \
             JOIN events AS e ON e.id = d.event_id \
             WHERE m.receipt = $1 AND m.channel_id = $2 AND m.action = 'create' \
             AND e.source = $3 AND e.subject = $4 ORDER BY d.id LIMIT 1",
        )
        .bind(message)
        .bind(channel)
        .bind(ticket.source.as_str())
        .bind(&ticket.subject)
        .fetch_optional(tx)
        .await?;
        Ok(shown.unwrap_or(ticket.event_id))
    }

    async fn on_its_way(&self, tx: &mut Tx, ticket: &Decision) -> Result<Option<Decision>> {
        let row = query(
            "SELECT * FROM decisions WHERE source = $1 AND subject = $2 AND kind = $3 AND platform = 'calling' LIMIT 1",
        )
        .bind(ticket.source.as_str())
        .bind(&ticket.subject)
        .bind(self.kind.as_str())
        .fetch_optional(tx)
        .await?;
        row.as_ref().map(read).transpose()
    }
}
