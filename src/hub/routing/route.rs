//! Routes set from Discord: a change of the map that takes effect at once and survives restarts.

use crate::hub::error::{Error, Result};
use crate::hub::{ChannelInfo, Hub};
use crate::model::route::{RouteKey, Target};
use crate::model::{Actor, AuditEntry, By, RouteId, SetRoute, Sink, Snowflake};
use crate::store;

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
    /// currently reports it: where the bot cannot post, and in another guild than the one in which a person asks,
    /// nothing is set.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the bot cannot post there; [`Error::Forbidden`], or the database failed.
    pub async fn set_route(
        &self,
        key: RouteKey,
        channel: Snowflake,
        place: Option<&ChannelInfo>,
        by: &By,
    ) -> Result<Option<Before>> {
        let subject = format!("route {key}");
        self.authorize(by, &subject).await?;
        let is_elsewhere = |place: &ChannelInfo| matches!(&by.actor, Actor::Person(person) if place.guild_id.is_none() || place.guild_id != person.guild);
        let unfit = match place {
            None => Some(
                "nuncio does not see that channel: give its role View Channel there, then set it again"
                    .to_owned(),
            ),
            Some(place) if is_elsewhere(place) => Some(
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
            return Err(self.refused(by, &subject, Error::invalid("channel", why)).await);
        }
        let name = place.map(ChannelInfo::name).unwrap_or_default();
        let before = self.current_targets(&key).filter(|before| before.places != [Target::Channel(channel)]);
        let entry = AuditEntry { detail: format!("to {name}"), ..by.entry(subject) };
        if self.0.store.set_route(key.clone(), Sink::Channel(channel), &name, entry).await? {
            tracing::info!("{key} goes to {name} from now on: {} set it", by.actor.name().escape_debug());
        }
        self.0.routing.changed(&self.0.store).await;
        self.forget_warnings();
        self.reopen(channel, "somebody set it").await;
        Ok(before)
    }

    /// Current targets of exactly `key`; `None` if the map has no such entry.
    fn current_targets(&self, key: &RouteKey) -> Option<Before> {
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
    /// environment has an entry for it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was removed before; [`Error::Forbidden`], or the database failed.
    pub async fn remove_route(&self, id: RouteId, by: &By) -> Result<(RouteKey, bool)> {
        self.authorize(by, "route").await?;
        let removed = self.0.store.remove_route(id, by.entry("route")).await?;
        self.0.routing.changed(&self.0.store).await;
        // The unit has recorded that there was nothing to remove.
        let key = removed.ok_or_else(|| Error::NotFound("it was removed before".to_owned()))?;
        tracing::info!(
            "{key} goes where the environment's map says: {} removed its channel",
            by.actor.name().escape_debug()
        );
        let is_there = self.0.routing.is_in_environment(&key);
        Ok((key, is_there))
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
