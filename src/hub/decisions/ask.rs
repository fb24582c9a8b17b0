//! What an event asks of people, and the decision context of its card.

use serde_json::Value;

use crate::hub::Hub;
use crate::model::{
    self, Calls, Decision, DecisionId, DecisionKind, Event, NewEvent, Payload, Source, payload,
};
use crate::render::{self, DecisionContext};
use crate::store::{self, CardOf, DecisionTrigger};

const NAMES: &[&str] = &["hostname", "name", "machine_name", "ip_address", "ip"];
/// Longest id in bytes; a longer one goes into no path and no subject.
const LONGEST_ID: usize = 200;

const NO_KEY: &str = "No buttons: XTSYSTEMS_API_KEY is not set. Decide in XTSystems.";
const NO_KEY_FOR_TICKETS: &str = "No buttons: XTSYSTEMS_API_KEY is not set.";
const NO_ID: &str = "No buttons: the event holds no machine id (`id` or `asset_id`). Decide in XTSystems.";
const NO_TICKET_ID: &str = "No buttons: the event holds no ticket id (`id`).";
const UNHEARD: &str = "No buttons: DISCORD_GATEWAY is off.";

impl Hub {
    /// What a new event asks, or which question it answers.
    pub(in crate::hub) fn asks(&self, event: &NewEvent) -> Option<DecisionTrigger> {
        if event.source != Source::XtSystems || event.is_sample() {
            return None;
        }
        let rules = self.rules();
        let meaning = event.meaning();
        if meaning.has_joined() {
            let ids = ids(&Payload::of(event.source, event.body.clone()));
            return (!ids.is_empty()).then_some(DecisionTrigger::MachineApproved { ids });
        }
        if !meaning.asks_to_join() {
            return None;
        }
        rules.platform?;
        let data = Payload::of(event.source, event.body.clone());
        let ids = ids(&data);
        let first = ids.first()?;
        callable(first)?;
        // A customer whose name yields no subject has no subject of its own.
        let subject = Some(model::subject("machine", first, &event.company)).filter(|it| !it.is_empty())?;
        let label = label(&data, NAMES).unwrap_or_else(|| first.clone());
        Some(DecisionTrigger::MachineRequested { ids, subject, label, expiry: rules.expiry })
    }

    /// The decision context of `event`'s card. A ticket's or alert's buttons are created when first needed, unless
    /// the card `has_none`.
    pub async fn decision_context(
        &self,
        event: &Event,
        card: &CardOf,
        has_none: bool,
    ) -> store::Result<DecisionContext> {
        if event.is_sample() {
            return Ok(self.sample_context(event));
        }
        match event.meaning().asks() {
            Some(DecisionKind::Machine) => self.machine_context(event).await,
            Some(kind) => self.button_context(event, card, has_none, kind).await,
            None => Ok(DecisionContext::default()),
        }
    }

    /// The decision that one of nuncio's own events is about.
    pub async fn decision_of(&self, event: &Event) -> store::Result<Option<Decision>> {
        let id = payload::text(&event.data, &["decision"]).and_then(|id| id.parse::<DecisionId>().ok());
        match id {
            Some(id) => self.0.store.decision(id).await,
            None => Ok(None),
        }
    }

    /// The question about the machine that `event` is about: its own, else the newest.
    pub async fn decision_about(&self, event: &Event) -> store::Result<Option<Decision>> {
        if event.is_sample() {
            return Ok(None);
        }
        if let Some(own) = self.0.store.decision_asked_by(event.id).await? {
            return Ok(Some(own));
        }
        self.0.store.decision_about_machine(event.source, &ids(&event.data), &event.company).await
    }

    /// The buttons that a real event would have: a click only answers that this is a sample.
    fn sample_context(&self, event: &Event) -> DecisionContext {
        let meaning = event.meaning();
        let kind = meaning.asks().filter(|kind| *kind != DecisionKind::Machine || meaning.asks_to_join());
        DecisionContext {
            sample: kind.filter(|_| self.rules().receives_clicks),
            ..DecisionContext::default()
        }
    }

    async fn machine_context(&self, event: &Event) -> store::Result<DecisionContext> {
        let decision = self.decision_about(event).await?;
        let Some(decision) = decision else {
            let asks = event.meaning().asks_to_join();
            return Ok(DecisionContext {
                no_buttons: self.no_buttons(&event.data).filter(|_| asks),
                ..DecisionContext::default()
            });
        };
        let all = self.0.store.decisions_about(decision.source, &decision.subject).await?;
        let before = all
            .into_iter()
            .rfind(|other| other.kind == DecisionKind::Machine && other.round < decision.round);
        let no_buttons = (!self.rules().receives_clicks).then_some(UNHEARD);
        Ok(DecisionContext { decision: Some(decision), before, no_buttons, ..DecisionContext::default() })
    }

    async fn button_context(
        &self,
        event: &Event,
        card: &CardOf,
        has_none: bool,
        kind: DecisionKind,
    ) -> store::Result<DecisionContext> {
        let (object, label) = match kind {
            DecisionKind::Alert => (String::new(), alert(&event.data)),
            _ => (ticket_id(&event.data), ticket(&event.data)),
        };
        let no_buttons = self.why_no_buttons(kind, &object);
        let store = &self.0.store;
        let decision = match has_none || no_buttons.is_some() || event.subject.is_empty() {
            true => store.buttons(kind, event, card).await?,
            false => Some(store.make_buttons(kind, event, card, &object, &label).await?),
        };
        if kind == DecisionKind::Alert {
            let mute = store.mute_of_alert(&event.subject, self.0.clock.for_appointments().get()).await?;
            return Ok(DecisionContext { decision, mute, no_buttons, ..DecisionContext::default() });
        }
        let mut all = self.0.store.decisions_about(event.source, &event.subject).await?;
        all.retain(|other| {
            matches!(other.kind, DecisionKind::Take | DecisionKind::Note | DecisionKind::Close)
        });
        Ok(DecisionContext { decision, wishes: all, no_buttons, ..DecisionContext::default() })
    }

    /// Why a ticket's or an alert's card has no buttons. An alert's buttons call no platform API: they need no key
    /// for it.
    fn why_no_buttons(&self, kind: DecisionKind, object: &str) -> Option<&'static str> {
        let rules = self.rules();
        match kind {
            _ if !rules.receives_clicks => Some(UNHEARD),
            DecisionKind::Alert => None,
            _ if rules.platform.is_none() => Some(NO_KEY_FOR_TICKETS),
            _ => callable(object).is_none().then_some(NO_TICKET_ID),
        }
    }

    /// Why a machine's card has no buttons.
    fn no_buttons(&self, data: &Value) -> Option<&'static str> {
        if self.rules().platform.is_none() {
            return Some(NO_KEY);
        }
        ids(data).first().and_then(|id| callable(id)).is_none().then_some(NO_ID)
    }
}

/// The ids of a machine, `id` first: strings and numbers only.
pub(in crate::hub) fn ids(data: &Value) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for name in ["id", "asset_id"] {
        let id = match data.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            // Of a larger number not every digit is known: the path would lead to another machine.
            Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
            _ => continue,
        };
        if !id.is_empty() && id.len() <= LONGEST_ID && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

fn ticket_id(data: &Value) -> String {
    ids(data).into_iter().next().unwrap_or_default()
}

/// `None` if no path can be built from an id.
fn callable(id: &str) -> Option<()> {
    Calls::default().approve.about(id).map(drop)
}

/// Display name of a subject, on one clean line.
fn label(data: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| render::line(&payload::text(data, &[name])?, 60))
}

fn ticket(data: &Value) -> String {
    let number = payload::text(data, &["seq_id"]).and_then(|number| render::line(&number, 20));
    number
        .map(|number| format!("#{number}"))
        .or_else(|| label(data, &["title", "subject", "id"]))
        .unwrap_or_else(|| "this ticket".to_owned())
}

fn alert(data: &Value) -> String {
    label(data, &["title", "name", "alert_name", "message", "alert_type"])
        .unwrap_or_else(|| "this alert".to_owned())
}
