//! Decisions: the requests on cards, and the answers of operators and of the platform. This module reads them; its
//! submodules change them.

mod announce;
mod asking;
mod call;
mod change;
mod deciding;
mod paused;
mod retry;
mod ticket_action;

use crate::clock::Timestamp;
use crate::model::{
    CallState, Decider, Decision, DecisionId, DecisionKind, DeliveryId, DestinationId, EventId, Snowflake,
    Source, Token, Verdict,
};
use crate::store::sql::{Row, Tx, query, query_as, query_scalar};
use crate::store::unit::Unit;
use crate::store::values::Arg;
use crate::store::{Error, Result, Store, event};

pub(super) use announce::announce;
pub use asking::DecisionTrigger;
pub(super) use asking::ask;
pub use call::{CallNext, Calling};
pub use change::{Changed, DecisionChange};
pub(super) use retry::{Retried, Rights, retry_call};
pub use ticket_action::CardOf;

/// Discord location of a decision's card in one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardLocation {
    /// Channel or thread of the destination.
    pub channel: Snowflake,
    /// Message id; `None` until Discord has returned it.
    pub message: Option<Snowflake>,
}

impl Store {
    /// Returns the decision that a click's token names.
    pub async fn decision_by_token(&self, token: &Token) -> Result<Option<Decision>> {
        self.one_decision("SELECT * FROM decisions WHERE token = $1", token.as_str()).await
    }

    /// Returns the decision with this id.
    pub async fn decision(&self, id: DecisionId) -> Result<Option<Decision>> {
        self.one_decision("SELECT * FROM decisions WHERE id = $1", id).await
    }

    /// Returns the decision whose call to the platform a delivery carries.
    pub async fn decision_of_call(&self, delivery: DeliveryId) -> Result<Option<Decision>> {
        self.one_decision("SELECT * FROM decisions WHERE delivery_id = $1", delivery).await
    }

    /// Returns the machine decision that this very event requested.
    pub async fn decision_asked_by(&self, event: EventId) -> Result<Option<Decision>> {
        let sql = "SELECT * FROM decisions WHERE event_id = $1 AND kind = 'machine'";
        self.one_decision(sql, event).await
    }

    async fn one_decision(&self, sql: &'static str, key: impl Into<Arg<'_>>) -> Result<Option<Decision>> {
        query(sql).bind(key).fetch_optional(self.read()).await?.as_ref().map(read).transpose()
    }

    /// Returns all rounds and ticket actions about a subject, oldest first.
    pub async fn decisions_about(&self, source: Source, subject: &str) -> Result<Vec<Decision>> {
        query("SELECT * FROM decisions WHERE source = $1 AND subject = $2 ORDER BY id")
            .bind(source.as_str())
            .bind(subject)
            .fetch_all(self.read())
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// Returns the newest round about a customer's machine that any of these ids names.
    pub async fn decision_about_machine(
        &self,
        source: Source,
        ids: &[String],
        company: &str,
    ) -> Result<Option<Decision>> {
        Ok(of_company(self.decisions_about_machine(source, ids).await?, company))
    }

    /// Returns the newest decision about every machine that any of these ids names: customers may use the same ids.
    pub async fn decisions_about_machine(&self, source: Source, ids: &[String]) -> Result<Vec<Decision>> {
        let (one, other) = two_ids(ids);
        let rows =
            query(OF_MACHINE).bind(source.as_str()).bind(one).bind(other).fetch_all(self.read()).await?;
        newest(&rows)
    }

    /// Returns the machines that wait for a decision, oldest first: at most `limit`, after the first `skip`.
    pub async fn undecided_machines(&self, skip: u32, limit: u32) -> Result<Vec<Decision>> {
        query(
            "SELECT * FROM decisions WHERE kind = 'machine' AND verdict = 'open' ORDER BY id \
             LIMIT $1 OFFSET $2",
        )
        .bind(limit)
        .bind(skip)
        .fetch_all(self.read())
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// Returns where a decision's card is shown or will be shown.
    pub async fn stands(&self, decision: &Decision) -> Result<Vec<CardLocation>> {
        let rows = query(
            "SELECT t.address, m.channel_id, m.receipt FROM deliveries AS d \
             JOIN destinations AS t ON t.id = d.destination_id AND t.sink = 'channel' \
             JOIN events AS e ON e.id = d.event_id \
             LEFT JOIN messages AS m ON m.id = d.message_id AND m.action = 'create' \
             WHERE e.id = $1 OR ($2 <> 'machine' AND e.source = $3 AND e.subject = $4 AND e.subject <> '')",
        )
        .bind(decision.event_id)
        .bind(decision.kind.as_str())
        .bind(decision.source.as_str())
        .bind(decision.subject.as_str())
        .fetch_all(self.read())
        .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let address: String = row.try_get("address")?;
            let channel = row.try_get::<Option<Snowflake>>("channel_id")?.or_else(|| address.parse().ok());
            let Some(channel) = channel else { continue };
            let stands = CardLocation { channel, message: row.try_get("receipt")? };
            if !all.contains(&stands) {
                all.push(stands);
            }
        }
        Ok(all)
    }

    /// Returns whether one of nuncio's messages shows `subject`; `None` if the message is unknown.
    pub async fn shows_subject(
        &self,
        channel: Snowflake,
        message: Snowflake,
        subject: &str,
    ) -> Result<Option<bool>> {
        let shows: Option<bool> = query_scalar(
            "SELECT EXISTS (SELECT 1 FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
             WHERE e.subject = $3 AND (d.message_id = m.id OR d.id IN \
             (SELECT delivery_id FROM earlier_messages WHERE message_id = m.id))) \
             FROM messages AS m WHERE m.receipt = $1 AND m.channel_id = $2 AND m.action = 'create' LIMIT 1",
        )
        .bind(message)
        .bind(channel)
        .bind(subject)
        .fetch_optional(self.read())
        .await?;
        Ok(shows)
    }

    /// Returns whether a card of a decision was or is being posted in a channel without a recorded message id.
    pub async fn is_unrecorded(&self, decision: &Decision, channel: Snowflake) -> Result<bool> {
        let found: bool = query_scalar(
            "SELECT EXISTS (SELECT 1 FROM events AS e JOIN deliveries AS d ON d.event_id = e.id AND d.slot = '' \
             JOIN destinations AS t ON t.id = d.destination_id AND t.sink = 'channel' \
             JOIN messages AS m ON m.id = d.message_id AND m.action = 'create' AND m.receipt IS NULL \
             AND m.state IN ('sending', 'sent') AND (t.address = $5 OR m.channel_id = $6) \
             WHERE e.id = $1 OR ($2 <> 'machine' AND e.source = $3 AND e.subject = $4 AND e.subject <> ''))",
        )
        .bind(decision.event_id)
        .bind(decision.kind.as_str())
        .bind(decision.source.as_str())
        .bind(decision.subject.as_str())
        .bind(channel.to_string())
        .bind(channel)
        .fetch_one(self.read())
        .await?;
        Ok(found)
    }

    /// Records `message` as the card that Discord accepted without nuncio receiving its id.
    pub async fn adopt(&self, decision: &Decision, channel: Snowflake, message: Snowflake) -> Result<()> {
        self.writer().submit(Adopt { event: decision.event_id, channel, message }).await
    }

    /// Returns the channel and message that show the card of `event` in a destination, if there is one.
    pub async fn message_showing(
        &self,
        event: EventId,
        destination: DestinationId,
    ) -> Result<Option<(Snowflake, Snowflake)>> {
        query_as(
            "SELECT m.channel_id, m.receipt FROM deliveries AS d JOIN messages AS m ON m.id = d.message_id \
             WHERE d.event_id = $1 AND d.destination_id = $2 AND m.action = 'create' AND m.state = 'sent' \
             AND m.receipt IS NOT NULL AND (SELECT COUNT(*) FROM deliveries WHERE message_id = m.id) = 1 ORDER BY m.id DESC LIMIT 1",
        )
        .bind(event)
        .bind(destination)
        .fetch_optional(self.read())
        .await
    }
}

struct Adopt {
    event: EventId,
    channel: Snowflake,
    message: Snowflake,
}

impl Unit for Adopt {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query(
            "UPDATE messages SET receipt = $1, channel_id = $2 WHERE receipt IS NULL AND state = 'sent' AND id IN \
             (SELECT m.id FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id \
              JOIN messages AS m ON m.id = d.message_id \
              WHERE d.event_id = $3 AND t.sink = 'channel' AND (t.address = $4 OR m.channel_id = $2))",
        )
        .bind(self.message)
        .bind(self.channel)
        .bind(self.event)
        .bind(self.channel.to_string())
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// `$1` is the source, `$2` and `$3` are the ids.
const OF_MACHINE: &str = "SELECT * FROM decisions WHERE kind = 'machine' AND source = $1 \
     AND (object IN ($2, $3) OR (alternate_id <> '' AND alternate_id IN ($2, $3))) ORDER BY round DESC, id DESC";

/// Returns the newest row of each customer.
fn newest(rows: &[Row]) -> Result<Vec<Decision>> {
    let mut newest: Vec<Decision> = Vec::new();
    for decision in rows.iter().map(read) {
        let decision = decision?;
        if newest.iter().all(|known| known.company != decision.company) {
            newest.push(decision);
        }
    }
    Ok(newest)
}

/// Picks, from the newest decisions of several customers, the one about this customer's machine. If the event or the
/// decision names no customer, they match only if there is no other candidate.
fn of_company(mut newest: Vec<Decision>, company: &str) -> Option<Decision> {
    if let Some(own) = newest.iter().position(|decision| decision.company == company) {
        return Some(newest.swap_remove(own));
    }
    newest.retain(|decision| company.is_empty() || decision.company.is_empty());
    if newest.len() == 1 { newest.pop() } else { None }
}

/// Two ids of one machine; the first one twice if there is only one.
fn two_ids(ids: &[String]) -> (&str, &str) {
    let one = ids.first().map_or("", String::as_str);
    (one, ids.get(1).map_or(one, String::as_str))
}

/// Returns the newest round about a customer's machine that any of these ids names, within a unit.
async fn newest_of_machine(
    tx: &mut Tx,
    source: Source,
    ids: &[String],
    company: &str,
) -> Result<Option<Decision>> {
    let (one, other) = two_ids(ids);
    let rows = query(OF_MACHINE).bind(source.as_str()).bind(one).bind(other).fetch_all(tx).await?;
    Ok(of_company(newest(&rows)?, company))
}

/// Loads a decision by its token, within a unit.
async fn load(tx: &mut Tx, token: &Token) -> Result<Option<Decision>> {
    let row =
        query("SELECT * FROM decisions WHERE token = $1").bind(token.as_str()).fetch_optional(tx).await?;
    row.as_ref().map(read).transpose()
}

/// Loads a decision by its id, within a unit.
async fn load_by_id(tx: &mut Tx, id: DecisionId) -> Result<Option<Decision>> {
    let row = query("SELECT * FROM decisions WHERE id = $1").bind(id).fetch_optional(tx).await?;
    row.as_ref().map(read).transpose()
}

/// Returns the decision behind the buttons of an alert's newest card, within a unit. No alert has an empty subject.
pub(super) async fn alert_about(tx: &mut Tx, subject: &str) -> Result<Option<Decision>> {
    let row = query(
        "SELECT * FROM decisions WHERE source = $1 AND kind = 'alert' AND subject = $2 ORDER BY round DESC LIMIT 1",
    )
    .bind(Source::XtSystems.as_str())
    .bind(subject)
    .fetch_optional(tx)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Decision> {
    let text = |name: &str| row.try_get::<String>(name);
    let maybe = |name: &str| row.try_get::<Option<String>>(name);
    let at = |name: &str| row.try_get::<Option<i64>>(name).map(|at| at.map(Timestamp::from_millis));
    let count = |name: &str| row.try_get::<i64>(name).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let corrupt = |what: &str, word: &str| Error::Corrupt(format!("a decision's {what} {word:?}"));
    let (kind, verdict, platform, token) =
        (text("kind")?, text("verdict")?, text("platform")?, text("token")?);
    let decider = match (row.try_get("actor_id")?, maybe("actor_name")?) {
        (Some(id), Some(name)) => Some(Decider { id, name }),
        _ => None,
    };
    Ok(Decision {
        id: row.try_get("id")?,
        token: token.parse().map_err(|()| corrupt("token", "***"))?,
        kind: DecisionKind::from_word(&kind).ok_or_else(|| corrupt("kind", &kind))?,
        source: event::source_of(&text("source")?)?,
        subject: text("subject")?,
        company: text("company_id")?,
        round: count("round")?,
        object: text("object")?,
        label: text("label")?,
        event_id: row.try_get("event_id")?,
        asked: count("asked")?,
        asked_at: Timestamp::from_millis(row.try_get("asked_at")?),
        verdict: Verdict::from_word(&verdict).ok_or_else(|| corrupt("verdict", &verdict))?,
        platform: CallState::from_word(&platform).ok_or_else(|| corrupt("platform", &platform))?,
        decider,
        reason: maybe("reason")?,
        decided_at: at("decided_at")?,
        approved_upstream_at: at("approved_upstream_at")?,
        attempts: count("attempts")?,
        due_at: at("due_at")?,
        platform_reply: maybe("platform_reply")?,
        settled_at: at("settled_at")?,
        expires_at: at("expires_at")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
