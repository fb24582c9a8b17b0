//! Rerouting of stranded deliveries: what waits for a closed or unmapped destination is moved to where the map leads
//! now.

use crate::hub::Hub;
use crate::hub::error;
use crate::model::{By, Delivery, Destination, Event, Family, Slot, Source};
use crate::store::{Reroute, Rerouted, Rerouting, Result};

/// How many deliveries are moved in one unit.
const PAGE: u32 = 100;
/// The CLI command for rerouting.
pub(in crate::hub) const COMMAND: &str = "nuncio redeliver --closed";

/// A destination whose deliveries may wait forever.
#[derive(Clone, Debug)]
pub struct Stranded {
    /// The destination.
    pub destination: Destination,
    /// Number of waiting deliveries.
    pub waiting: u64,
    /// Whether the map still leads there.
    pub is_mapped: bool,
}

/// Result of rerouting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReroutedTotal {
    /// Number of deliveries moved to another destination.
    pub moved: u64,
    /// Number of deliveries canceled: their event already goes elsewhere, or their card is gone.
    pub cancelled: u64,
    /// Number of deliveries that stay: the map has no other target for them.
    pub kept: u64,
    /// Number of in-flight deliveries, which cannot be moved.
    pub in_flight: u64,
}

impl Stranded {
    /// The waiting deliveries and the remedy, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (count, name) = (self.waiting, &self.destination.name);
        let wait = if count == 1 { "delivery waits" } else { "deliveries wait" };
        let why = match (&self.destination.closed, self.is_mapped) {
            (Some(reason), true) => format!("which is closed: {reason}"),
            (Some(reason), false) => format!("which the map names no more, and which is closed: {reason}"),
            (None, _) => "which the map names no more".to_owned(),
        };
        format!("{count} {wait} for {name}, {why}. To send them where the map leads now: {COMMAND}")
    }
}

impl Hub {
    /// Destinations with waiting deliveries that are closed, or that the map no longer names.
    pub async fn stranded(&self) -> Result<Vec<Stranded>> {
        let in_use = self.0.routing.now().in_use();
        let waiting = self.0.store.waiting_destinations().await?;
        let stranded = waiting.into_iter().map(|(destination, waiting)| Stranded {
            is_mapped: in_use.contains(&destination.id),
            destination,
            waiting,
        });
        Ok(stranded.filter(|found| !found.is_mapped || found.destination.closed.is_some()).collect())
    }

    /// Logs deliveries that wait for unmapped destinations: after a start, the map may be a different one.
    pub async fn report_stranded(&self) {
        match self.stranded().await {
            Ok(stranded) => stranded.iter().for_each(|found| tracing::warn!("{}", found.sentence())),
            Err(error) => {
                tracing::warn!(%error, "the database could not be read, so nuncio cannot say what waits for channels \
                                        that are gone")
            }
        }
    }

    /// Reroutes the deliveries of stranded destinations, each event once. A running `nuncio serve` sends them within
    /// a second. Calls to the platform are never rerouted. Reports each page to `progress`.
    ///
    /// # Errors
    /// [`Error::Forbidden`](error::Error::Forbidden), or the database failed.
    pub async fn redeliver_closed(
        &self,
        by: &By,
        mut progress: impl FnMut(u64),
    ) -> error::Result<ReroutedTotal> {
        self.authorize(by, "what waits").await?;
        let (mut total, mut seen) = (ReroutedTotal::default(), 0);
        for stranded in self.stranded().await? {
            let entry = by.entry(format!("what waits for {}", stranded.destination.name));
            let mut after: Option<Delivery> = None;
            loop {
                let page = self.0.store.waiting_behind(stranded.destination.id, after.as_ref(), PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.clone());
                let mut moves = Vec::new();
                for delivery in &page {
                    match self.plan_reroute(&stranded, delivery).await? {
                        Some(to) => moves.push(Rerouting {
                            delivery: delivery.id,
                            event: delivery.event_id,
                            from: stranded.destination.id,
                            to,
                        }),
                        None => total.kept += 1,
                    }
                }
                for rerouted in self.0.store.reroute(moves, entry.clone()).await? {
                    match rerouted {
                        Rerouted::Moved => total.moved += 1,
                        Rerouted::Cancelled => total.cancelled += 1,
                        Rerouted::Kept => total.kept += 1,
                    }
                }
                seen += page.len() as u64;
                progress(seen);
            }
            total.in_flight += self.0.store.in_flight(stranded.destination.id).await?;
        }
        self.progressed();
        Ok(total)
    }

    /// The new plan of a delivery that waits for `stranded`; `None`: it stays.
    async fn plan_reroute(&self, stranded: &Stranded, delivery: &Delivery) -> Result<Option<Reroute>> {
        let event = match self.0.store.event(delivery.event_id).await {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(None),
            Err(error) if error.is_of_one_row() => return Ok(None),
            Err(error) => return Err(error),
        };
        // It was for stored webhooks, and waits for this one's new address: the map is not for it.
        if event.source == Source::Dispatch {
            return Ok(None);
        }
        // An edit or a reply is useless away from its card. As long as the channel may come back, it waits.
        if delivery.slot != Slot::Card || is_change(&event) {
            let is_lost = stranded.destination.closed.is_some() && !stranded.is_mapped;
            return Ok(is_lost.then_some(Reroute::Nowhere));
        }
        let routes = self.0.routing.now();
        let plan = if event.source == Source::Nuncio {
            let mut plan = routes.default_plan();
            // A notice never goes to the destination that it is about.
            plan.retain(|planned| event.subject != format!("destination:{}", planned.destination_id));
            plan
        } else {
            self.plan_again(&routes, &event).await?.unwrap_or_default()
        };
        let stays =
            plan.is_empty() || plan.iter().any(|planned| planned.destination_id == stranded.destination.id);
        Ok((!stays).then_some(Reroute::Along(plan)))
    }
}

/// Whether one of nuncio's own events only edits a decision's card.
fn is_change(event: &Event) -> bool {
    event.meaning().family == Family::Decision
}
