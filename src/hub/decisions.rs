//! Decisions: what happens when a person presses a button or types a command, and whether that person may.
//!
//! Authorization uses what Discord reports about the person with this very click, never cached data. Recording a
//! decision is one unit of the store: the first decision wins there, not here.

mod ask;
mod click_origin;
mod machines;
mod unattended;
mod who;

use std::time::Duration;

use crate::hub::error::{Conflict, Error, Result};
use crate::hub::{Entrypoint, Hub, Person, Refusal};
use crate::model::{
    Actor, AuditEntry, AuditOutcome, Decider, Decision, DecisionAction, Event, Mute, Snowflake, Token,
};
use crate::store::{self, Changed, DecisionChange};

pub(in crate::hub) use ask::ids;
pub use click_origin::ClickOrigin;

/// How long a click is retried while the database rejects it. Discord's interaction token expires after 15 minutes.
const PATIENCE: Duration = Duration::from_secs(13 * 60);
const AGAIN: Duration = Duration::from_secs(1);

/// A click on a button, a submitted dialog, or a command.
#[derive(Clone, Debug)]
pub struct Click {
    /// Discord's id of the interaction.
    pub interaction: Snowflake,
    /// Who clicked.
    pub person: Person,
    /// The requested action.
    pub press: DecisionAction,
    /// Identifies the decision.
    pub token: Token,
    /// The button's location; `None` for a command.
    pub place: Option<ClickOrigin>,
    /// Text that the person entered.
    pub text: Option<String>,
}

/// Result of a click.
#[derive(Clone, Debug)]
pub enum ClickOutcome {
    /// Done; the decision's new state.
    Done(Decision),
    /// This very click was handled before.
    Replayed,
    /// An alert is muted.
    Muted {
        /// The mute in effect.
        mute: Mute,
        /// Whether it was in effect before.
        already: bool,
    },
    /// Everything that is known: the question, all rounds and actions about the subject, and the event that asked.
    Details(Box<Details>),
}

/// Everything that is known about a question.
#[derive(Clone, Debug)]
pub struct Details {
    /// The question.
    pub decision: Decision,
    /// All rounds and actions about its subject, oldest first.
    pub all: Vec<Decision>,
    /// The event that asked; `None` once retention removed it.
    pub event: Option<Event>,
}

impl Hub {
    /// Performs `click` if that person may, and records it either way. Retries a failing database for as long as
    /// Discord waits.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Conflict::Decided`] if another person was faster, or it is too late.
    pub async fn click(&self, click: &Click) -> Result<ClickOutcome> {
        let until = self.0.clock.elapsed() + PATIENCE;
        loop {
            match self.try_click(click).await {
                Err(Error::Unavailable(error)) if passes(&error) && self.0.clock.elapsed() < until => {
                    tracing::warn!(%error, "a click could not be saved yet: nuncio tries again for as long as \
                                            Discord waits");
                    self.0.clock.sleep(AGAIN).await;
                }
                done => return done,
            }
        }
    }

    async fn try_click(&self, click: &Click) -> Result<ClickOutcome> {
        let Some(decision) = self.0.store.decision_by_token(&click.token).await? else {
            return Err(self.refuse(click, None, Refusal::Unknown).await);
        };
        let refusal = match self.may_click(click) {
            Err(refusal) => Some(refusal),
            Ok(()) => self.misplaced(click, &decision).await?,
        };
        match refusal {
            None => self.perform(click, decision).await,
            Some(refusal) => Err(self.refuse(click, Some(&decision), refusal).await),
        }
    }

    /// Checks the person's guild and roles, for a click on a card or a command.
    fn may_click(&self, click: &Click) -> std::result::Result<(), Refusal> {
        let way = if click.place.is_some() { Entrypoint::Card } else { Entrypoint::Command };
        self.check_guild(&click.person, way)?;
        self.rules().may(&click.person, click.press)
    }

    /// Records a click that was refused before any lookup.
    pub async fn note_refusal(&self, click: &Click, refusal: &Refusal) -> store::Result<()> {
        let until = self.0.clock.elapsed() + PATIENCE;
        let decision = self.0.store.decision_by_token(&click.token).await?;
        loop {
            match self.refuse(click, decision.as_ref(), refusal.clone()).await {
                Error::Unavailable(error) if passes(&error) && self.0.clock.elapsed() < until => {
                    self.0.clock.sleep(AGAIN).await;
                }
                Error::Unavailable(error) => return Err(error),
                _ => return Ok(()),
            }
        }
    }

    /// Records a refused click, and changes nothing else. Returns the refusal; the store's error if that fails.
    async fn refuse(&self, click: &Click, decision: Option<&Decision>, refusal: Refusal) -> Error {
        let (outcome, detail) = (AuditOutcome::Refused, refusal.to_string());
        let entry = AuditEntry { outcome, detail, ..self.entry(click, decision) };
        match self.0.store.audit(entry).await {
            Ok(_) => Error::Forbidden(refusal),
            Err(error) => error.into(),
        }
    }

    async fn perform(&self, click: &Click, decision: Decision) -> Result<ClickOutcome> {
        let action = click.press;
        if !action.is_for(decision.kind) {
            return Err(self.refuse(click, Some(&decision), Refusal::Unknown).await);
        }
        let rules = self.rules();
        if action.calls_platform() && rules.platform.is_none() {
            return Err(self.refuse(click, Some(&decision), Refusal::NoKey).await);
        }
        let entry = self.entry(click, Some(&decision));
        match action {
            DecisionAction::Details => {
                return Ok(ClickOutcome::Details(Box::new(self.details(decision).await?)));
            }
            DecisionAction::Mute => return Ok(self.mute_alert(click, &decision, entry).await?),
            _ => {}
        }
        let change = DecisionChange {
            token: click.token.clone(),
            action,
            by: Decider { id: click.person.id, name: click.person.name.clone() },
            text: click.text.clone(),
            platform: rules.platform,
            grace: rules.grace,
            even_expired: click.place.is_none(),
            card: click.place.as_ref().and_then(|place| Some((place.channel, place.message?))),
        };
        match self.0.store.change(change, entry).await? {
            Changed::Done(decision) => {
                log_click(click, &decision);
                Ok(ClickOutcome::Done(decision))
            }
            Changed::Late(decision) => Err(Conflict::Decided(Box::new(decision)).into()),
            Changed::Replayed => Ok(ClickOutcome::Replayed),
            Changed::Unknown => Err(Error::Forbidden(Refusal::Unknown)),
        }
    }

    async fn details(&self, decision: Decision) -> store::Result<Details> {
        let all = self.0.store.decisions_about(decision.source, &decision.subject).await?;
        let event = self.0.store.event(decision.event_id).await?;
        Ok(Details { decision, all, event })
    }

    /// Expires the questions that are past their end.
    pub async fn expire_decisions(&self) -> store::Result<usize> {
        if self.appointments_wait() {
            return Ok(0);
        }
        self.0.store.expire_decisions(self.0.clock.for_appointments()).await
    }

    fn entry(&self, click: &Click, decision: Option<&Decision>) -> AuditEntry {
        let actor = Actor::Person(click.person.clone());
        let subject = decision.map_or_else(|| "a button that is unknown".to_owned(), subject);
        let mut entry = AuditEntry::new(actor, click.press.action(), subject);
        entry.detail = click.text.clone().unwrap_or_default();
        entry.channel = click.place.as_ref().map(|place| place.channel);
        entry.interaction = Some(click.interaction);
        entry.reference = decision.map(|decision| decision.id.to_string()).unwrap_or_default();
        entry
    }
}

/// Whether the error is transient: the database may accept a retry.
const fn passes(error: &store::Error) -> bool {
    use store::Error::{Busy, Database, Disk, Full, Occupied, ReadOnly, Unopened};
    matches!(error, Busy | Database(_) | Disk(_) | Full | Occupied | ReadOnly(_) | Unopened(_))
}

fn subject(decision: &Decision) -> String {
    let (family, _) = decision.subject.split_once(':').unwrap_or((decision.kind.as_str(), ""));
    if decision.object.is_empty() {
        format!("{family} {}", decision.label)
    } else {
        format!("{family} {}", decision.object)
    }
}

fn log_click(click: &Click, decision: &Decision) {
    tracing::info!(
        decision.id = %decision.id, person.id = %click.person.id,
        "{}: {} by {}", subject(decision), click.press.action(), click.person.name.escape_debug()
    );
}
