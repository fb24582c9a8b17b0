//! Routes set from Discord: a change of the map that takes effect at once and survives restarts.

use crate::hub::{ChannelInfo, Hub};
use crate::model::route::{Key, Target};
use crate::model::{AuditEntry, AuditOutcome, RouteId, Sink, Snowflake};
use crate::store::{self, SetRoute};

/// Why a route was not set.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// The bot cannot post there; a sentence that says what to do.
    #[error("{0}")]
    Unfit(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The previous targets of a key, before an operator set a channel for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its targets; empty discards the events on purpose.
    pub places: Vec<Target>,
    /// The operator who had set it; `None` if it came from the environment's map.
    pub by: Option<String>,
    /// Whether the environment's map has an entry for it, which takes effect again once the set route is removed.
    pub in_environment: bool,
}

impl Hub {
    /// The routes that operators set, oldest first.
    #[must_use]
    pub fn set_routes(&self) -> Vec<SetRoute> {
        self.0.routing.now().set().to_vec()
    }

    /// Sends what `key` matches to `channel` from now on, and nowhere else. `place` is that channel as the gateway
    /// currently reports it: where the bot cannot post, and in another guild than `guild`, nothing is set. `entry` is
    /// the audit log entry.
    ///
    /// # Errors
    /// If the bot cannot post there, or the database fails: then nothing has changed.
    pub async fn set_route(
        &self,
        key: Key,
        channel: Snowflake,
        place: Option<&ChannelInfo>,
        guild: Option<Snowflake>,
        mut entry: AuditEntry,
    ) -> Result<Option<Before>, RouteError> {
        entry.subject = format!("route {key}");
        let unfit = match place {
            None => Some(
                "nuncio does not see that channel: give its role View Channel there, then set it again"
                    .to_owned(),
            ),
            Some(place) if place.guild_id.is_none() || place.guild_id != guild => Some(
                "that channel is in another server: set it there, or in DISCORD_WEBHOOK_CHANNELS".to_owned(),
            ),
            Some(place) if !place.problems.is_empty() => Some(format!(
                "nuncio cannot post in #{}: {}. Allow it in the channel's settings, then set it again",
                place.channel,
                place.obstacles()
            )),
            Some(_) => None,
        };
        if let Some(why) = unfit {
            let entry = AuditEntry { outcome: AuditOutcome::Refused, detail: why.clone(), ..entry };
            self.0.store.audit(entry).await?;
            return Err(RouteError::Unfit(why));
        }
        let name = place.map(ChannelInfo::name).unwrap_or_default();
        let by = entry.actor.name().to_owned();
        let before = self.current_targets(&key).filter(|before| before.places != [Target::Channel(channel)]);
        entry.detail = format!("to {name}");
        if self.0.store.set_route(key.clone(), Sink::Channel(channel), &name, entry).await? {
            tracing::info!("{key} goes to {name} from now on: {} set it", by.escape_debug());
        }
        self.0.routing.changed(&self.0.store).await;
        self.forget_warnings();
        self.reopen(channel, "somebody set it").await;
        Ok(before)
    }

    /// Current targets of exactly `key`; `None` if the map has no such entry.
    fn current_targets(&self, key: &Key) -> Option<Before> {
        let routes = self.0.routing.now();
        let route = routes.map().routes().iter().find(|route| route.is_of(key))?;
        let set = routes.set().iter().rfind(|set| set.key == *key);
        Some(Before {
            places: route.targets.clone(),
            by: set.map(|set| set.by.clone()),
            in_environment: self.0.routing.is_in_environment(key),
        })
    }

    /// Removes a set route: the environment's map takes effect again. Returns the route's key, and whether the
    /// environment has an entry for it; `None` if it was removed before.
    ///
    /// # Errors
    /// If the database fails: then nothing has changed.
    pub async fn remove_route(&self, id: RouteId, entry: AuditEntry) -> store::Result<Option<(Key, bool)>> {
        let by = entry.actor.name().to_owned();
        let removed = self.0.store.remove_route(id, entry).await?;
        self.0.routing.changed(&self.0.store).await;
        if let Some(key) = &removed {
            tracing::info!(
                "{key} goes where the environment's map says: {} removed its channel",
                by.escape_debug()
            );
        }
        Ok(removed.map(|key| {
            let is_there = self.0.routing.is_in_environment(&key);
            (key, is_there)
        }))
    }

    /// Retries a failed reload of the map, and notices removed stored destinations. Call it each second.
    pub async fn tend_routes(&self) -> store::Result<()> {
        self.0.routing.tend(&self.0.store).await
    }

    /// How many events wait for a route.
    pub async fn unrouted(&self) -> store::Result<u64> {
        Ok(self.0.store.backlog().await?.unrouted)
    }

    /// Makes kinds without a route warn again.
    pub(in crate::hub) fn forget_warnings(&self) {
        self.0.warned.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }
}
