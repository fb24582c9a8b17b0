//! Alert storms: when hundreds of urgent alerts wait, the worst get cards, and digests name the others, one line each.
//! In a storm of thousands, the last digest counts the remainder.
//!
//! Only the lane holds the state of a storm: whatever is not yet sent is pending in the table, and after a crash the
//! storm is detected again, or is over. An alert that already has a card is not part of it: its card is edited.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::{Clock, Moment, SteadyTime};
use crate::config::Coalesce;
use crate::dispatch::cards::digest;
use crate::dispatch::cards::load::load;
use crate::dispatch::{Context, guard};
use crate::model::route::CardStyle;
use crate::model::schedule::PING_AGAIN;
use crate::model::{Action, Delivery, Destination, Form, Message, Priority, Snowflake};
use crate::render::{self, Digest};
use crate::store::{Claim, Result};

/// The number of waiting alerts above which it is a storm: that many cards take minutes.
const DEPTH: usize = 200;
/// How many alerts get a card.
const CARDS: usize = 50;
/// Maximum number of deliveries in one digest of a storm: what one unit of the store touches.
const MOST: usize = 300;
/// How many alerts of a storm are named, the worst first: members do not read more, and meanwhile the channel takes
/// nothing else. One digest counts all others and names the command that lists them.
pub(super) const NAMED: usize = 1_000;
/// How many sorts of alerts are checked for the roles that they ping.
const SORTS: usize = 100;

/// When each role was last pinged by a lane.
#[derive(Debug, Default)]
pub(super) struct Pinged(HashMap<Snowflake, SteadyTime>);

impl Pinged {
    /// Records the roles that `message` pings.
    pub(super) fn note(&mut self, message: &Message) {
        if message.action == Action::Create {
            self.0.extend(message.pings.iter().map(|role| (*role, message.planned_at)));
        }
    }

    /// Adds `roles` to the pings of `message`, except roles that were pinged recently. A late delivery pings none.
    fn add(&self, message: &mut Message, roles: Vec<Snowflake>, delivery: &Delivery, clock: &Clock) {
        if render::is_late(delivery.age(clock)) {
            return;
        }
        let now = clock.steady();
        for role in roles {
            if !message.pings.contains(&role) && !self.lately(role, now) {
                message.pings.push(role);
            }
        }
    }

    fn lately(&self, role: Snowflake, now: SteadyTime) -> bool {
        self.0.get(&role).is_some_and(|at| now.since(*at) < PING_AGAIN)
    }
}

/// The alerts that get a card, if a storm waits for a lane.
pub(super) async fn worst(
    context: &Context,
    destination: &Destination,
    now: Moment,
) -> Result<Option<Vec<Delivery>>> {
    let (store, id) = (&context.store, destination.id);
    if context.composition.coalesce != Coalesce::Digest
        || !store.deeper_than(id, Priority::Urgent, now.steady, DEPTH).await?
        || !store.storms(id, folds(context), now, DEPTH).await?
    {
        return Ok(None);
    }
    let worst = store.worst_unshown(id, folds(context), now, CARDS).await?;
    let worst = guard::readable(context, &destination.name, worst).await?;
    tracing::info!(
        "more than {DEPTH} urgent alerts wait for {}: the {} worst get cards, digests name all the others",
        destination.name,
        worst.len()
    );
    Ok(Some(worst))
}

/// The digest that names the next of the others, and how many it names; `None` if none are left.
pub(super) async fn rest(
    context: &Context,
    destination: &Destination,
    pinged: &Pinged,
) -> Result<Option<(Message, usize)>> {
    let now = context.clock.moment();
    let waiting = context.store.next_unshown(destination.id, folds(context), now, MOST).await?;
    let mut message = Message::new(destination.id, Action::Create, Form::Digest, now);
    let mut digest = Digest::default();
    for mut delivery in guard::readable(context, &destination.name, waiting).await? {
        let event = load(&context.store, &mut delivery).await?;
        if !digest.names_too(&event.as_ref().into()) {
            break;
        }
        let roles = context.hub.pings(&event, &delivery.route);
        pinged.add(&mut message, roles, &delivery, &context.clock);
        message.deliveries.push(delivery);
    }
    Ok((!message.deliveries.is_empty()).then(|| (message, digest.first().count())))
}

/// The digest that counts all that are left, with its deliveries; `None` if none are.
pub(super) async fn count(
    context: &Context,
    destination: &Destination,
    pinged: &Pinged,
) -> Result<Option<Message>> {
    let now = context.clock.moment();
    let mut message = Message::new(destination.id, Action::Create, Form::Digest, now);
    // All alerts of one sort ping the same roles.
    let sorts = context.store.sorts_unshown(destination.id, folds(context), now, SORTS).await?;
    for mut delivery in guard::readable(context, &destination.name, sorts).await? {
        let event = load(&context.store, &mut delivery).await?;
        let roles = context.hub.pings(&event, &delivery.route);
        pinged.add(&mut message, roles, &delivery, &context.clock);
    }
    let claim = Claim::Unshown { folds: folds(context), now };
    digest::fill(context, destination, message, claim).await
}

/// How long a repeated alert edits its card; zero if every event has a card of its own.
fn folds(context: &Context) -> Duration {
    match context.composition.cards {
        CardStyle::Living => context.composition.fold_repeats,
        CardStyle::Append => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DestinationId;

    #[test]
    fn a_role_is_pinged_again_after_a_while() {
        let role = Snowflake::new(7);
        let at = SteadyTime::from_millis(1_000_000);
        let now = Moment { steady: at, ..Moment::default() };
        let mut message = Message::new(DestinationId::new(), Action::Create, Form::Pack, now);
        message.pings = vec![role];
        let mut pinged = Pinged::default();
        assert!(!pinged.lately(role, at));
        pinged.note(&message);
        assert!(pinged.lately(role, at.plus(PING_AGAIN / 2)));
        assert!(!pinged.lately(role, at.plus(PING_AGAIN)));
    }
}
