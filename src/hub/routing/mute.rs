//! Mutes: event kinds that are silenced for a while.
//!
//! A muted event is accepted and stored as usual; its deliveries are created, but as canceled, with the mute as the
//! reason, so they can be redelivered. When the mute ends, every channel that it silenced gets one summary card.
//!
//! An event that asks for a decision is never muted: a glob leaves it out, and naming its kind is refused. Urgent
//! alerts are muted like others: that is what most mutes are for, and the answer to a mute says so. The button on an
//! alert's card mutes that one alert only, and only while it gets no worse ([`MutedAlert`]).

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::json;

use crate::clock::Timestamp;
use crate::hub::error::{Error, Result};
use crate::hub::{Click, ClickOutcome, Hub};
use crate::model::route::is_pattern;
use crate::model::{
    AuditEntry, By, Decision, DedupeKey, Event, Kind, KindMeaning, Mute, MuteId, Muted, MutedAlert, NewEvent,
    Priority, RawBody, Source, payload,
};
use crate::render;
use crate::store::{self, Incoming, Planned};

/// The longest mute.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);
/// Duration of a mute by the button on an alert's card.
const HOUR: Duration = Duration::from_secs(3600);
const MOST_REASON: usize = 400;
const MOST_NAME: usize = 100;
/// Fields in which an alert names its host.
const HOSTS: &[&str] = &["host", "hostname", "source", "machine_name", "asset_name"];
/// Delay from a mute's end to its summary: other processes read the table each second, and may still apply it until
/// then.
const SETTLED: Duration = Duration::from_secs(3);
/// Kind of the summary event.
pub(crate) const ENDED: &str = "nuncio.mute.ended";

impl Hub {
    /// Mutes a kind or a glob for a while: once, however often the gateway repeats that command. A running `nuncio
    /// serve` picks it up within a second.
    ///
    /// # Errors
    /// [`Error::Invalid`] if that kind cannot be muted, or not for so long; [`Error::Forbidden`].
    pub async fn mute(&self, pattern: &str, span: Duration, reason: &str, by: &By) -> Result<Muted> {
        let subject = subject(pattern);
        self.authorize(by, &subject).await?;
        let mute = match self.wanted(pattern, span, reason, by.actor.name()) {
            Ok(mute) => mute,
            Err(error) => return Err(self.refused(by, &subject, error).await),
        };
        let entry = AuditEntry { detail: until(&mute), reference: mute.id.to_string(), ..by.entry(subject) };
        let muted = self.0.store.add_mute(mute, entry, None).await?;
        self.mutes_changed().await;
        Ok(muted)
    }

    /// Mutes the one alert whose card was clicked, for an hour: see [`MutedAlert`].
    pub(in crate::hub) async fn mute_alert(
        &self,
        click: &Click,
        decision: &Decision,
        entry: AuditEntry,
    ) -> store::Result<ClickOutcome> {
        let event = self.0.store.event(decision.event_id).await?;
        let host = event.as_ref().and_then(|event| payload::text(&event.data, HOSTS));
        let host = host.and_then(|host| render::line(&host, 40)).map(|host| format!(" on {host}"));
        let now = self.0.clock.for_appointments().get();
        let mute = Mute {
            id: MuteId::new(),
            pattern: "alert.*".to_owned(),
            alert: Some(MutedAlert {
                subject: decision.subject.clone(),
                label: format!("{}{}", decision.label, host.unwrap_or_default()),
                severity: event.as_ref().and_then(Event::severity),
            }),
            until: now.plus(HOUR),
            reason: String::new(),
            by: click.person.name.chars().take(MOST_NAME).collect(),
            since: now,
        };
        let entry = AuditEntry { detail: format!("{}, {}", mute.name(), until(&mute)), ..entry };
        let muted = self.0.store.add_mute(mute, entry, Some(decision.clone())).await?;
        self.mutes_changed().await;
        Ok(match muted {
            Muted::Now(mute) | Muted::Renewed { now: mute, .. } => {
                ClickOutcome::Muted { mute, already: false }
            }
            Muted::Already(mute) => ClickOutcome::Muted { mute, already: true },
            Muted::Replayed => ClickOutcome::Replayed,
        })
    }

    /// Validates a requested mute.
    fn wanted(&self, pattern: &str, span: Duration, reason: &str, by: &str) -> Result<Mute> {
        if !is_pattern(pattern) || pattern.eq_ignore_ascii_case("default") {
            let shown: String = pattern.chars().take(128).collect();
            return Err(Error::invalid(
                "pattern",
                format!("{shown:?} is neither a kind nor a pattern: ticket.created, or alert.*"),
            ));
        }
        if !KindMeaning::of(Source::XtSystems, &Kind::new(pattern)).can_be_muted() {
            let reason = format!(
                "{pattern} cannot be muted, because such events wait for a decision. Send them to a quieter channel \
                 instead"
            );
            return Err(Error::invalid("pattern", reason));
        }
        if span.is_zero() || span > LONGEST {
            return Err(Error::invalid("span", "A mute lasts from a second to 30 days: 30m, 1h or 2d"));
        }
        let now = self.0.clock.for_appointments().get();
        Ok(Mute {
            id: MuteId::new(),
            pattern: pattern.to_owned(),
            alert: None,
            until: now.plus(span),
            reason: reason.chars().take(MOST_REASON).collect(),
            by: by.chars().take(MOST_NAME).collect(),
            since: now,
        })
    }

    /// Ends the mutes of `pattern` (as it was written then), or the mute with that id. Returns the ended mutes; none
    /// if this very command was handled before.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no such mute is in effect; [`Error::Forbidden`].
    pub async fn unmute(&self, pattern: &str, by: &By) -> Result<Vec<Mute>> {
        let subject = subject(pattern);
        self.authorize(by, &subject).await?;
        let now = self.0.clock.for_appointments().get();
        let mut mutes = self.0.store.mutes().await?;
        mutes.retain(|mute| {
            let named =
                mute.name() == pattern || mute.id.to_string() == pattern || mute.id.short() == pattern;
            named && now < mute.until
        });
        let (ids, names): (Vec<_>, Vec<_>) = mutes.iter().map(|mute| (mute.id, mute.name())).unzip();
        let entry = by.entry(format!("mute {}", names.join(", ")));
        let ended = match mutes.is_empty() {
            true => Some(Vec::new()),
            false => self.0.store.end_mutes(ids, entry, now).await?,
        };
        self.mutes_changed().await;
        if ended.as_ref().is_some_and(Vec::is_empty) {
            let why = format!("Nothing is muted as {pattern:?}: `nuncio mute --list` shows what is");
            return Err(self.refused(by, &subject, Error::NotFound(why)).await);
        }
        let ended = ended.unwrap_or_default();
        mutes.retain(|mute| ended.contains(&mute.id));
        Ok(mutes)
    }

    /// The mutes currently in effect.
    pub async fn muted_now(&self) -> store::Result<Vec<Mute>> {
        let now = self.0.clock.for_appointments().get();
        let mut mutes = self.0.store.mutes().await?;
        mutes.retain(|mute| now < mute.until);
        Ok(mutes)
    }

    /// The mutes currently in effect, each with the number of deliveries that it silenced so far. Counting takes time
    /// after a storm.
    pub async fn mutes(&self) -> store::Result<Vec<(Mute, u64)>> {
        let mut mutes = Vec::new();
        for mute in self.muted_now().await? {
            let silenced = self.0.store.count_silenced(mute.id).await?;
            mutes.push((mute, silenced));
        }
        Ok(mutes)
    }

    /// The mute that silences `event` now. nuncio's own events are never muted.
    pub(in crate::hub) fn muted(&self, event: &NewEvent) -> Option<MuteId> {
        let mutes = self.0.mutes.read().unwrap_or_else(PoisonError::into_inner);
        if mutes.is_empty() || event.source == Source::Nuncio {
            return None;
        }
        let now = self.0.clock.for_appointments().get();
        let mut holding =
            mutes.iter().filter(|mute| mute.silences(&event.kind, &event.subject, event.severity, now));
        holding.next().map(|mute| mute.id)
    }

    /// The mute with this id, as long as it is known.
    pub(in crate::hub) fn mute_in_effect(&self, id: MuteId) -> Option<Mute> {
        let mutes = self.0.mutes.read().unwrap_or_else(PoisonError::into_inner);
        mutes.iter().find(|mute| mute.id == id).cloned()
    }

    /// Reloads the mutes, and posts the summaries of those that ended. Call it each second. An error means that the
    /// reload failed; a failing summary is logged once, and does not hold up the others.
    pub async fn tend_mutes(&self) -> store::Result<()> {
        let now = self.0.clock.for_appointments().get();
        let mutes = self.load_mutes().await?;
        if self.appointments_wait() {
            return Ok(());
        }
        for mute in mutes.iter().filter(|mute| mute.until.plus(SETTLED) <= now) {
            let summed = self.fold_events(mute, now).await;
            let already_logged = {
                let mut unsummed = self.0.unsummed.lock().unwrap_or_else(PoisonError::into_inner);
                if summed.is_ok() { unsummed.remove(&mute.id) } else { !unsummed.insert(mute.id) }
            };
            let Err(error) = summed else { continue };
            if already_logged {
                tracing::debug!(mute.id = %mute.id, %error, "the events of a mute still cannot be summed up");
                continue;
            }
            if !error.is_of_one_row() {
                self.storage_failing(&error);
            }
            tracing::warn!(
                mute.id = %mute.id,
                "the events of the mute of {} could not be summed up: {error}. All of them are kept (`nuncio \
                 events`). nuncio tries again every second and logs this once",
                mute.name().escape_debug()
            );
        }
        Ok(())
    }

    /// Reloads the mutes after a change. If that fails, the next reload follows within a second.
    async fn mutes_changed(&self) {
        if let Err(error) = self.load_mutes().await {
            tracing::warn!(%error, "the mutes could not be read after a change: nuncio tries again every second, and \
                                    the change takes effect then");
        }
    }

    async fn load_mutes(&self) -> store::Result<Vec<Mute>> {
        let _loading = self.0.loading_mutes.lock().await;
        let mutes = self.0.store.mutes().await?;
        self.0.mutes.write().unwrap_or_else(PoisonError::into_inner).clone_from(&mutes);
        Ok(mutes)
    }

    /// Creates one summary card for every channel that `mute` silenced. Its dedupe key prevents a second one after a
    /// crash.
    async fn fold_events(&self, mute: &Mute, now: Timestamp) -> store::Result<()> {
        let mut destinations: BTreeMap<_, Vec<(String, u64)>> = BTreeMap::new();
        for (destination, kind, count) in self.0.store.silenced(mute.id).await? {
            destinations.entry(destination).or_default().push((kind, count));
        }
        for (destination_id, kinds) in destinations {
            let data = json!({
                "pattern": mute.name(), "by": mute.by, "reason": mute.reason,
                "since": mute.since.as_secs(), "until": mute.until.as_secs(),
                "events": kinds.iter().map(|(_, count)| count).sum::<u64>(),
                "kinds": kinds.iter().map(|(kind, count)| json!([kind, count])).collect::<Vec<_>>(),
            });
            let key = RawBody::new(format!("{ENDED} {} {destination_id}", mute.id).into_bytes());
            let event = NewEvent {
                source: Source::Nuncio,
                kind: Kind::new(ENDED),
                company: String::new(),
                subject: String::new(),
                dedupe: DedupeKey::of_body(&key),
                cause: None,
                occurred_at: mute.until,
                received_at: now,
                severity: None,
                company_name: None,
                body: RawBody::new(json!({"event_type": ENDED, "data": data}).to_string().into_bytes()),
            };
            let plan = vec![Planned {
                destination_id,
                priority: Priority::Normal,
                route: String::new(),
                muted: None,
            }];
            self.0
                .store
                .accept(Incoming { event, plan, unrouted: false, company_name: None, asks: None })
                .await?;
        }
        self.0.store.close_mute(mute.id).await?;
        tracing::info!(mute.id = %mute.id, "the mute of {} by {} ended; one card sums up what it silenced, if anything", mute.name().escape_debug(), mute.by.escape_debug());
        Ok(())
    }
}

/// For the audit log: what is muted, as the request names it.
fn subject(pattern: &str) -> String {
    let shown: String = pattern.chars().filter(|letter| !letter.is_control()).take(128).collect();
    format!("mute {shown}")
}

/// For the audit log: the end and the reason.
fn until(mute: &Mute) -> String {
    let until = format!("until {}", mute.until.to_rfc3339());
    if mute.reason.is_empty() { until } else { format!("{until}: {}", mute.reason) }
}
