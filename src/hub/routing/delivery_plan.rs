//! Planning of deliveries: an event goes to the targets of its routing key, or to its subject's living cards.
//!
//! A key that names the event's kind decides. Where only `default` (or `*`) matches, or nothing at all, the event
//! edits the cards of its ticket, asset or machine where they are, or are about to be posted: otherwise a map that
//! names `machine.registered` alone would post the approval as a second card in another channel. Only where no such
//! card can be edited does the event follow `default`. A channel that is closed, or that the map no longer names,
//! does not count.

use crate::hub::Hub;
use crate::hub::routing::Routes;
use crate::model::{CardLifetime, Event, Family, Kind, KindMeaning, NewEvent, Payload, Severity, Source};
use crate::store::{Planned, Result};

/// The properties of an event that determine its targets.
#[derive(Clone, Copy, Debug)]
pub(in crate::hub) struct About<'a> {
    pub(in crate::hub) source: Source,
    pub(in crate::hub) kind: &'a Kind,
    pub(in crate::hub) company: &'a str,
    pub(in crate::hub) subject: &'a str,
    pub(in crate::hub) severity: Option<Severity>,
    /// The machine's ids, if the event reports that a machine was approved.
    pub(in crate::hub) approved: &'a [String],
}

impl Hub {
    /// The deliveries of a new event; `None` if it waits for a route. nuncio's own events and dispatches get their targets
    /// from their creator, never from the map.
    pub(in crate::hub) async fn plan_new(
        &self,
        routes: &Routes,
        event: &NewEvent,
    ) -> Result<Option<Vec<Planned>>> {
        if matches!(event.source, Source::Nuncio | Source::Dispatch) {
            return Ok(Some(Vec::new()));
        }
        let approved = match event.meaning().has_joined() && routes.is_left_over(&event.kind, &event.company)
        {
            true => crate::hub::decisions::ids(&Payload::of(event.source, event.body.clone())),
            false => Vec::new(),
        };
        let about = About {
            source: event.source,
            kind: &event.kind,
            company: &event.company,
            subject: &event.subject,
            severity: event.severity,
            approved: &approved,
        };
        self.plan(routes, about).await
    }

    /// The deliveries of an event that is routed again; `None` if it still waits for a route.
    pub(in crate::hub) async fn plan_again(
        &self,
        routes: &Routes,
        event: &Event,
    ) -> Result<Option<Vec<Planned>>> {
        if event.source == Source::Dispatch {
            let planned = self.plan_dispatch_again(event).await?;
            return Ok((!planned.is_empty()).then_some(planned));
        }
        let approved = match event.meaning().has_joined() {
            true => crate::hub::decisions::ids(&event.data),
            false => Vec::new(),
        };
        let about = About {
            source: event.source,
            kind: &event.kind,
            company: &event.company,
            subject: &event.subject,
            severity: event.severity(),
            approved: &approved,
        };
        self.plan(routes, about).await
    }

    async fn plan(&self, routes: &Routes, about: About<'_>) -> Result<Option<Vec<Planned>>> {
        let cards = self.cards_of(routes, about).await?;
        if !cards.is_empty() {
            return Ok(Some(cards));
        }
        let priority = KindMeaning::of(about.source, about.kind).priority(about.severity);
        Ok(routes.plan_for(about.kind, about.company, priority))
    }

    /// Deliveries that edit the living cards of the event's subject; empty if its kind has a routing key of its own.
    async fn cards_of(&self, routes: &Routes, about: About<'_>) -> Result<Vec<Planned>> {
        if !routes.is_left_over(about.kind, about.company) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        if Family::of_subject(about.subject).lifetime() == CardLifetime::PerSubject {
            found = self.0.store.destinations_of(about.source, about.subject).await?;
            found.retain(|(_, route)| routes.has_living_cards(route));
        }
        // The card of a machine that was asked about is always living, whatever CARDS is, and is found by either id.
        if !about.approved.is_empty()
            && let Some(asked) =
                self.0.store.decision_about_machine(about.source, about.approved, about.company).await?
        {
            found.extend(self.0.store.destinations_of(asked.source, &asked.subject).await?);
        }
        let mut plan: Vec<Planned> = Vec::new();
        for (destination_id, route) in found {
            let is_new = plan.iter().all(|planned| planned.destination_id != destination_id);
            if is_new && routes.leads_to(destination_id) {
                let priority = KindMeaning::of(about.source, about.kind).priority(about.severity);
                plan.push(Planned { destination_id, priority, route, muted: None });
            }
        }
        Ok(plan)
    }
}
