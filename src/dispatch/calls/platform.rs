//! The platform's lane: sends decisions to XTSystems, one call at a time.
//!
//! A failed call backs off alone and lets the others pass; only a refused key, or a wait that the platform requested,
//! holds them all. Every try of a decision has one and the same idempotency key, which makes it the same call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::{Moment, Timestamp};
use crate::dispatch::Context;
use crate::dispatch::guard::{self, isolate};
use crate::dispatch::lane::insist::{insist, put_off};
use crate::dispatch::lane::{Lane, LaneEnd};
use crate::hub::Condition;
use crate::model::{
    Action, Attempt, CallState, Decision, DecisionKind, Delivery, Destination, DestinationId, Form, Message,
    Outcome, Reason, Receipt, Verdict, schedule,
};
use crate::store::{self, CallNext, Calling};
use crate::xtsystems::{CallReply, XtSystemsClient};

/// How long all calls wait after the key was refused.
const KEY_REFUSED: Duration = Duration::from_secs(5 * 60);

/// The sink of decisions.
#[derive(Clone)]
pub struct PlatformSink {
    client: XtSystemsClient,
    destination: DestinationId,
}

impl PlatformSink {
    /// Creates a sink that makes the calls delivered to `destination` through `client`.
    #[must_use]
    pub const fn new(client: XtSystemsClient, destination: DestinationId) -> Self {
        Self { client, destination }
    }

    /// The destination whose deliveries are calls to the platform.
    #[must_use]
    pub const fn destination(&self) -> DestinationId {
        self.destination
    }

    /// The API client.
    pub(in crate::dispatch) const fn client(&self) -> &XtSystemsClient {
        &self.client
    }
}

/// The work of the platform's lane.
pub(in crate::dispatch) struct PlatformLane<'a> {
    lane: &'a mut Lane,
    context: Arc<Context>,
    platform: &'a PlatformSink,
}

impl<'a> PlatformLane<'a> {
    pub(in crate::dispatch) fn new(lane: &'a mut Lane, platform: &'a PlatformSink) -> Self {
        Self { context: Arc::clone(&lane.context), lane, platform }
    }

    /// Makes the calls that are due, until there is nothing left to do.
    pub(in crate::dispatch) async fn work(mut self, destination: Destination) -> store::Result<LaneEnd> {
        // Oldest first: what was requested first reaches the platform first.
        self.lane.find_in_doubt(&destination).await?;
        loop {
            // A recorded call may have put off all others.
            let Some(mut destination) = self.lane.destination().await? else { return Ok(LaneEnd::Idle) };
            while !self.lane.hold(&mut destination).await? {
                self.drop_hints();
            }
            if destination.closed.is_some() {
                return Ok(LaneEnd::Idle);
            }
            let message = match self.lane.in_doubt.pop_front() {
                Some(message) => Some(message),
                None => self.next(&destination).await?,
            };
            match message {
                Some(message) => self.call(message, destination.epoch).await?,
                None if self.lane.wait().await.is_some() => {}
                None => return Ok(LaneEnd::Idle),
            }
        }
    }

    /// Which calls are due is read from the table each time.
    fn drop_hints(&mut self) {
        while self.lane.next_hint().is_some() {}
        self.lane.take_wake();
    }

    /// The next due call, with its message on disk; `None` if there is none.
    async fn next(&mut self, destination: &Destination) -> store::Result<Option<Message>> {
        self.drop_hints();
        let store = &self.context.store;
        loop {
            let now = self.context.clock.moment();
            let page = store.next_call(destination.id, now.steady).await?;
            let is_all = page.is_all;
            let page = guard::readable(&self.context, &destination.name, page).await?;
            let message = match page.into_iter().next() {
                Some(delivery) => plan(delivery, now),
                None if is_all => return Ok(None),
                None => continue,
            };
            match store.begin_call(&message, destination.epoch).await {
                Ok(true) => return Ok(Some(message)),
                // The decision was undone at the last moment, or the call is no longer requested.
                Ok(false) => self.context.hub.progressed(),
                Err(error) => put_off(&self.context, &error).await,
            }
        }
    }

    /// Makes the call, and records the outcome.
    async fn call(&mut self, message: Message, epoch: i64) -> store::Result<()> {
        let Some(delivery) = message.deliveries.first() else { return Ok(()) };
        let (decision, why) = match isolate(self.context.store.decision_of_call(delivery.id)).await? {
            Ok(decision) => (decision, "the decision no longer exists".to_owned()),
            Err(poison) => (None, poison.into_reason().to_string()),
        };
        // In doubt since before the last start and settled since: the machine may have been denied in the meantime.
        if decision.as_ref().is_some_and(|decision| decision.platform != CallState::Calling) {
            self.context.store.cancel_call(&message, epoch).await?;
            self.context.hub.progressed();
            return Ok(());
        }
        let began = self.context.clock.now();
        let (reply, next) = match &decision {
            Some(decision) => match isolate(async { Ok(self.ask(decision).await) }).await? {
                Ok(Some(reply)) => {
                    let next = self.next_step(decision, &reply);
                    (Some(reply), next)
                }
                Ok(None) => (None, CallNext::Refused("its id cannot be part of a web address".to_owned())),
                Err(poison) => (None, CallNext::Refused(poison.into_reason().to_string())),
            },
            None => (None, CallNext::Refused(why)),
        };
        let attempt = attempt(reply.as_ref(), &next, began);
        if let Some(decision) = &decision {
            self.log_outcome(decision, &next, attempt.took);
        }
        let calling = Calling { message, epoch, attempt, next };
        insist(&self.context, || self.context.store.record_call(calling.clone())).await;
        self.context.hub.storage_works();
        self.context.hub.progressed();
        Ok(())
    }

    async fn ask(&self, decision: &Decision) -> Option<CallReply> {
        let (client, key, body) = (&self.platform.client, decision.id.to_string(), body(decision));
        match (decision.kind, decision.verdict) {
            (DecisionKind::Machine, Verdict::Denied) => client.deny(&decision.object, &key, &body).await,
            (DecisionKind::Machine, _) => client.approve(&decision.object, &key, &body).await,
            _ => client.update_ticket(&decision.object, &key, &body).await,
        }
    }

    /// The next step after a reply.
    fn next_step(&self, decision: &Decision, reply: &CallReply) -> CallNext {
        let backoff = schedule::backoff(decision.attempts + 1, rand::random());
        let wait = reply.retry_after.map_or(backoff, |after| after.max(backoff));
        let (platform_reply, conditions) = (reply.excerpt(), self.context.hub.conditions());
        if !matches!(reply.status, None | Some(401 | 403)) && conditions.clear(Condition::KeyRefused) {
            tracing::info!("XTSystems takes XTSYSTEMS_API_KEY again");
        }
        match reply.status {
            Some(status @ 200..=299) if reply.is_broken => CallNext::Retry {
                wait,
                platform_reply: format!("XTSystems answered {status}, and its answer broke off"),
                everybody: false,
            },
            Some(status @ 200..=299) => match reply.foreign() {
                None => CallNext::Confirmed,
                Some(what) => CallNext::Held(format!(
                    "XTSystems answered {status} with {what} instead of JSON, which confirms nothing: a proxy or a \
                     login page may be in between. Check XTSYSTEMS_API_URL, restart, then press Try again"
                )),
            },
            Some(status @ (401 | 403)) => {
                let what =
                    if platform_reply.is_empty() { String::new() } else { format!(": {platform_reply}") };
                let platform_reply = format!(
                    "XTSystems refused our API key ({status}{what}). Put the right key into XTSYSTEMS_API_KEY and restart: nothing is lost"
                );
                if conditions.raise(Condition::KeyRefused, platform_reply.clone()) {
                    tracing::error!("{platform_reply}");
                }
                CallNext::Retry { wait: KEY_REFUSED.max(wait), platform_reply, everybody: true }
            }
            Some(status @ (404 | 405)) => CallNext::Held(format!(
                "XTSystems has no {} ({status}{}): set {}, restart, then press Try again",
                self.shape(decision),
                if platform_reply.is_empty() { String::new() } else { format!(": {platform_reply}") },
                variable(decision)
            )),
            Some(status @ 300..=399) => CallNext::Held(format!(
                "XTSystems answered with a redirect ({status}), and those are not followed: set XTSYSTEMS_API_URL to where it is, restart, then press Try again"
            )),
            Some(408 | 429 | 500..) | None => {
                let everybody = reply.status == Some(429) && reply.retry_after.is_some();
                // The card shows the first line; Details shows the body of the reply.
                let body = reply.status.map(|_| format!("\n{platform_reply}")).unwrap_or_default();
                let platform_reply = format!("{}{body}", reply.summary());
                CallNext::Retry { wait, platform_reply, everybody }
            }
            Some(status) => CallNext::Refused(if platform_reply.is_empty() {
                format!("status {status}")
            } else {
                platform_reply
            }),
        }
    }

    /// The method and path for texts, such as `POST /v1/machines/…/approve`.
    fn shape(&self, decision: &Decision) -> String {
        let calls = self.platform.client.calls();
        let call = match (decision.kind, decision.verdict) {
            (DecisionKind::Machine, Verdict::Denied) => &calls.deny,
            (DecisionKind::Machine, _) => &calls.approve,
            _ => &calls.update_ticket,
        };
        call.to_string().replace("{id}", "…")
    }

    fn log_outcome(&self, decision: &Decision, next: &CallNext, took: Duration) {
        let (what, tries, took_ms) = (what(decision), decision.attempts + 1, took.as_millis());
        let id = &decision.id;
        match next {
            CallNext::Confirmed => {
                tracing::info!(decision.id = %id, took_ms, tries, "XTSystems confirmed: {what}")
            }
            CallNext::Retry { wait, platform_reply, .. } => tracing::warn!(
                decision.id = %id, took_ms, tries, again_in_s = wait.as_secs(),
                "the call to XTSystems failed and is tried again: {what}: {}", platform_reply.escape_debug()
            ),
            CallNext::Refused(platform_reply) => tracing::warn!(
                decision.id = %id, took_ms, tries,
                "XTSystems refused a call: {what}: {}. Fix the cause there, then press Try again on the card", platform_reply.escape_debug()
            ),
            CallNext::Held(platform_reply) => {
                tracing::error!(decision.id = %id, took_ms, tries, "a call to XTSystems is held: {what}: {}", platform_reply.escape_debug())
            }
        }
    }
}

fn plan(delivery: Delivery, now: Moment) -> Message {
    let mut message = Message::new(delivery.destination_id, Action::Create, Form::Single, now);
    message.deliveries.push(delivery);
    message
}

/// The JSON body of the call.
fn body(decision: &Decision) -> Value {
    let decider = decision.decider.as_ref();
    let actor = json!({
        "discord_id": decider.map(|decider| decider.id.to_string()),
        "name": decider.map(|decider| decider.name.as_str()),
    });
    let text = decision.reason.as_deref();
    let mut body = match decision.kind {
        DecisionKind::Take => {
            json!({"assigned_to": decider.map(|decider| decider.name.as_str()), "actor": actor})
        }
        DecisionKind::Note => json!({"note": text, "actor": actor}),
        DecisionKind::Close => json!({"status": "closed", "resolution": text, "actor": actor}),
        DecisionKind::Machine | DecisionKind::Ticket | DecisionKind::Alert => json!({
            "decision": decision.verdict.as_str(),
            "machine_id": decision.object,
            "actor": actor,
            "reason": text,
            "decided_at": decision.decided_at.map(Timestamp::to_rfc3339),
        }),
    };
    // Ids are unique only within a customer.
    if !decision.company.is_empty() {
        body["company_id"] = decision.company.as_str().into();
    }
    body
}

fn attempt(reply: Option<&CallReply>, next: &CallNext, began: Timestamp) -> Attempt {
    let outcome = match next {
        CallNext::Confirmed => Outcome::Sent(Receipt::Call),
        CallNext::Refused(platform_reply) | CallNext::Held(platform_reply) => {
            Outcome::Refused(Reason::new(platform_reply.clone()))
        }
        CallNext::Retry { .. } => Outcome::Retry {
            after: reply.and_then(|reply| reply.retry_after),
            arrived: reply.map_or(crate::model::Arrived::No, |reply| reply.arrived),
        },
    };
    let unanswered = Attempt::unanswered(began, outcome);
    match reply {
        Some(reply) => Attempt {
            started_at: reply.started_at,
            took: reply.took,
            status: reply.status,
            response: reply.excerpt().into_bytes(),
            ..unanswered
        },
        None => unanswered,
    }
}

const fn variable(decision: &Decision) -> &'static str {
    match (decision.kind, decision.verdict) {
        (DecisionKind::Machine, Verdict::Denied) => "XTSYSTEMS_DENY",
        (DecisionKind::Machine, _) => "XTSYSTEMS_APPROVE",
        _ => "XTSYSTEMS_UPDATE_TICKET",
    }
}

/// A description for the log, such as "machine asset-uuid approved".
fn what(decision: &Decision) -> String {
    let object = decision.object.escape_debug();
    match decision.kind {
        DecisionKind::Take => format!("ticket {object} taken"),
        DecisionKind::Note => format!("a note to ticket {object}"),
        DecisionKind::Close => format!("ticket {object} closed"),
        DecisionKind::Machine | DecisionKind::Ticket | DecisionKind::Alert => {
            format!("machine {object} {}", decision.verdict.as_str())
        }
    }
}
