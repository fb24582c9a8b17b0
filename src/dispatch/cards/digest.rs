//! Digests: one message for more deliveries than one unit of the store may touch.
//!
//! A digest claims pending deliveries in small units and is sent when it has claimed all of them. Its outcome is
//! recorded in small units too: `store/digest.rs` describes how a crash in between is survived.

use std::collections::HashSet;

use crate::clock::SteadyTime;
use crate::config::Coalesce;
use crate::dispatch::Context;
use crate::dispatch::cards::plan::Queue;
use crate::dispatch::lane::insist::insist;
use crate::model::{Action, DeliveryId, Destination, DestinationId, Form, Message, Priority, Slot};
use crate::store::{self, Claim, Taken};

/// Maximum age of an event that still gets its own card: an older card is no longer useful.
const OLD: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// Maximum distance by which ids run ahead of the clock.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(1);
/// Maximum number of units that one digest claims: ten thousand events.
const UNITS: usize = 20;

/// Selects the deliveries of a lane that are due for a digest now: those older than a day, or all if the lane is far
/// behind. `None` if there are none. `behind` means that the table may hold more than `queue`.
pub(in crate::dispatch) async fn due(
    context: &Context,
    destination: DestinationId,
    queue: &Queue,
    behind: bool,
    now: SteadyTime,
) -> store::Result<Option<Claim>> {
    if context.composition.coalesce != Coalesce::Digest {
        return Ok(None);
    }
    let ordinary = || queue.values().filter(|delivery| delivery.priority == Priority::Normal);
    if ordinary().any(|delivery| delivery.slot == Slot::Card && delivery.age(&context.clock) > OLD) {
        return Ok(Some(Claim::Ordinary {
            before: DeliveryId::earliest(context.clock.ago(OLD)),
            first_only: true,
        }));
    }
    let depth = context.composition.depth;
    let far = (behind || ordinary().count() > depth)
        && context.store.deeper_than(destination, Priority::Normal, now, depth).await?;
    Ok(far.then(|| Claim::Ordinary { before: DeliveryId::earliest(now.plus(AHEAD)), first_only: false }))
}

/// Plans a digest and claims its deliveries; `None` if other messages took them in the meantime.
pub(in crate::dispatch) async fn gather(
    context: &Context,
    destination: &Destination,
    claim: Claim,
) -> store::Result<Option<Message>> {
    let message = Message::new(destination.id, Action::Create, Form::Digest, context.clock.moment());
    fill(context, destination, message, claim).await
}

/// Claims the deliveries of a planned digest; `None` if there are none.
pub(in crate::dispatch) async fn fill(
    context: &Context,
    destination: &Destination,
    mut message: Message,
    claim: Claim,
) -> store::Result<Option<Message>> {
    message.posted_after = context.sinks.posted_after(destination, &context.clock);
    let mut taken = 0;
    for _ in 0..UNITS {
        let Taken { deliveries, more } = context.store.claim(&message, destination.epoch, claim).await?;
        taken += deliveries;
        // Events that arrive meanwhile go into the next digest: otherwise this one would never end.
        if !more {
            break;
        }
    }
    if taken == 0 {
        return Ok(None);
    }
    tracing::info!(message.id = %message.id, deliveries = taken, "{} is far behind: one digest carries {taken} events", destination.name);
    Ok(Some(message))
}

/// Marks the deliveries of a digest that Discord accepted. Retries until the database accepts the change.
pub(in crate::dispatch) async fn settle(context: &Context, message: &Message) {
    let mut after = None;
    while let Some(last) = insist(context, || context.store.settle(message.id, after)).await {
        after = Some(last);
    }
    context.hub.progressed();
}

/// Releases the deliveries of a digest that Discord did not accept: they are pending in the table again.
pub(in crate::dispatch) async fn release(context: &Context, message: &Message) -> store::Result<()> {
    while context.store.release(message.id).await? > 0 {}
    Ok(())
}

/// Clears what a lane holds in memory after a digest has claimed deliveries from the table.
pub(in crate::dispatch) fn forget(queue: &mut Queue, alone: &mut HashSet<DeliveryId>) {
    queue.retain(|(priority, _), _| *priority <= Priority::Urgent);
    alone.clear();
}
