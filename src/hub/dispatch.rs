//! Dispatches as use cases: a hosting platform reports something, and the stored webhooks that it is for receive it.
//!
//! A dispatch is an event like any other: it is committed with its deliveries, and the lanes do the rest. Only who
//! receives it differs: category, scope, owner and company choose stored webhooks, and the map is not asked.
//!
//! One that no webhook wants is kept, and is not *unrouted*: a platform reports much for which nobody has a webhook, and
//! that is no problem to mend. The answer says so, `nuncio events show` says which webhooks it was for, and `nuncio
//! redeliver` chooses anew.

mod report;

use crate::hub::Hub;
use crate::hub::error::{Error, Result};
use crate::model::dispatch::{
    Dispatch, DispatchError, DispatchOptions, Dispatched, NOBODY, WebhookSelection, selection_of,
};
use crate::model::mute::muted_words;
use crate::model::{
    ApiRole, By, DedupeKey, Event, EventId, Idempotent, MuteId, NewEvent, Once, Priority, Scope, Source,
};
use crate::store::{self, Incoming, Planned, SelectedWebhook};

/// Prefix of the routes of dispatches; the category follows. `store` knows both prefixes.
const ENABLED: &str = "category:";
/// The same for a webhook that is disabled, and was asked for all the same.
const DISABLED: &str = "disabled:";

impl Hub {
    /// Accepts a dispatch. On return, it is fsynced together with its deliveries. `once` carries it out once.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the options name no customer where they must, or another company or customer than the
    /// caller's key is for; [`Error::Forbidden`]; [`Conflict::OtherBody`](crate::hub::Conflict::OtherBody).
    pub async fn dispatch(
        &self,
        dispatch: &Dispatch,
        options: &DispatchOptions,
        once: Option<Once<Dispatched>>,
        by: &By,
    ) -> Result<Idempotent<Dispatched>> {
        let subject = format!("dispatch {}", dispatch.function().as_str());
        self.authorize_role(by, &subject, ApiRole::Sender).await?;
        let company = company(options, by)?;
        let selection = options
            .selection(dispatch.function(), dispatch.category(), &company)
            .map_err(|error| Error::invalid("options/user_id", error.to_string()))?;
        within_own(&selection, by)?;
        let (event, began) = (self.event_of(dispatch, options, &selection), self.0.clock.elapsed());
        let planned = match self.plan_selected(&selection, self.muted(&event)).await {
            Ok(planned) => planned,
            Err(error) => {
                self.storage_failing(&error);
                return Err(error.into());
            }
        };
        let dispatched = self.dispatched(dispatch, options, &event, &planned);
        let incoming = Incoming { event, plan: planned, unrouted: false, company_name: None, asks: None };
        let accepted = match once {
            Some(once) => self.0.store.accept_dispatch(incoming, once, dispatched).await,
            None => self.0.store.accept(incoming).await.map(|accepted| {
                Ok(Idempotent::Done(Dispatched { event_id: Some(accepted.event_id), ..dispatched }))
            }),
        };
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                self.storage_failing(&error);
                return Err(error.into());
            }
        };
        self.storage_works();
        if let Ok(Idempotent::Done(Dispatched { event_id: Some(event_id), .. })) = &accepted {
            let accepted = store::Accepted { event_id: *event_id, duplicate: false };
            let took = self.0.clock.elapsed().saturating_sub(began);
            self.0.metrics.accepted(accepted, false, took);
        }
        Ok(accepted?)
    }

    /// The deliveries of a stored dispatch, chosen anew; none if it cannot be read any more.
    pub(in crate::hub) async fn plan_dispatch_again(&self, event: &Event) -> store::Result<Vec<Planned>> {
        let body = self.0.store.event_body(event.id).await?.unwrap_or_default();
        match selection_of(&body, &event.company) {
            Some(selection) => self.plan_selected(&selection, None).await,
            None => Ok(Vec::new()),
        }
    }

    async fn plan_selected(
        &self,
        selection: &WebhookSelection,
        muted: Option<MuteId>,
    ) -> store::Result<Vec<Planned>> {
        let selected = self.0.store.selected_webhooks(selection).await?;
        let planned = |webhook: SelectedWebhook| Planned {
            destination_id: webhook.id,
            priority: Priority::Normal,
            route: format!("{}{}", if webhook.enabled { ENABLED } else { DISABLED }, webhook.category),
            muted,
        };
        Ok(selected.into_iter().map(planned).collect())
    }

    fn event_of(
        &self,
        dispatch: &Dispatch,
        options: &DispatchOptions,
        selection: &WebhookSelection,
    ) -> NewEvent {
        let (now, body) = (self.0.clock.now(), dispatch.body(options));
        NewEvent {
            source: Source::Dispatch,
            kind: dispatch.kind(),
            company: selection.company.clone(),
            subject: dispatch.subject(&selection.company),
            // The same report twice is two reports: only an Idempotency-Key says otherwise.
            dedupe: DedupeKey::of_request(&EventId::new().to_string(), &body),
            cause: None,
            occurred_at: now,
            received_at: now,
            severity: dispatch.severity(),
            company_name: None,
            body,
        }
    }

    /// The result, but for the event's id.
    fn dispatched(
        &self,
        dispatch: &Dispatch,
        options: &DispatchOptions,
        event: &NewEvent,
        planned: &[Planned],
    ) -> Dispatched {
        let mute = planned.iter().find_map(|planned| planned.muted);
        let deliveries = if mute.is_some() { 0 } else { planned.len() as u64 };
        let mut errors = Vec::new();
        if planned.is_empty() {
            errors.push(DispatchError::system(NOBODY));
        } else if let Some(id) = mute {
            let mute = self.mute_in_effect(id);
            let words =
                muted_words(mute.as_ref().map(|mute| (mute.until, mute.by.as_str())), event.received_at);
            errors.push(DispatchError::system(format!("{} is {words}", event.kind)));
        }
        let mut warnings = Vec::new();
        if dispatch.function().is_internal() && options.scopes.contains(&Scope::Public) {
            warnings.push(format!(
                "PUBLIC webhooks never receive {}: it is for administrators",
                dispatch.function().as_str()
            ));
        }
        Dispatched { event_id: None, deliveries, errors, warnings }
    }
}

/// The company whose webhooks are meant: that of the caller's key, or, where the key is for all, the one that the
/// options name.
fn company(options: &DispatchOptions, by: &By) -> Result<String> {
    let own = by.principal.as_ref().and_then(|principal| principal.company.as_deref());
    let asked = options.company_id.as_deref();
    match (own, asked) {
        (Some(own), Some(asked)) if own != asked => Err(Error::invalid(
            "options/company_id",
            "This key is for another company. Leave company_id out, or use a key of that company.",
        )),
        (Some(own), _) => Ok(own.to_owned()),
        (None, asked) => Ok(asked.unwrap_or_default().to_owned()),
    }
}

/// A key of one customer reaches that customer's webhooks only.
fn within_own(selection: &WebhookSelection, by: &By) -> Result<()> {
    let Some(owner) = by.principal.as_ref().and_then(|principal| principal.owner.as_deref()) else {
        return Ok(());
    };
    if selection.admins || selection.public {
        return Err(Error::invalid(
            "options/scopes",
            "This key is for one customer: it dispatches with scopes [\"USER\"] only.",
        ));
    }
    if selection.owner.as_deref() != Some(owner) {
        return Err(Error::invalid(
            "options/user_id",
            "This key is for one customer: user_id must be that customer's.",
        ));
    }
    Ok(())
}
