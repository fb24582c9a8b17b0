//! Restarting a crashed lane: its in-flight messages become in-doubt before anything else is sent. The crash may have
//! happened after the request was sent; treated as unsent, that message would be sent again and again, without the
//! label that it may be a duplicate.

use crate::dispatch::Context;
use crate::dispatch::lane::insist::insist;
use crate::model::{DeliveryId, DestinationId};

/// After this many consecutive crashes a lane makes no digests, to isolate the delivery that causes them.
pub(in crate::dispatch) const MANY: u32 = 5;

/// Records the crash; retries until the database accepts it.
pub(in crate::dispatch) async fn record_crash(context: &Context, destination: DestinationId) {
    let crash = insist(context, || context.store.record_lane_crash(destination)).await;
    for digest in &crash.split {
        while insist(context, || context.store.release(*digest)).await > 0 {}
        tracing::warn!(message.id = %digest, "a digest made nuncio panic (stderr shows where): its events are sent \
                                              in smaller messages. Please report this");
    }
    if !crash.split.is_empty() {
        insist(context, || context.store.withdraw_empty(destination)).await;
    }
    if crash.given_up.is_empty() {
        return;
    }
    crash.given_up.iter().for_each(|_| context.hub.gave_up());
    let ids: Vec<String> = crash.given_up.iter().map(DeliveryId::short).collect();
    let ids = ids.join(", ");
    tracing::error!(
        destination = %destination,
        "a message makes nuncio panic every time (stderr shows where). nuncio gave up {ids}; everything else goes \
         on. The message may be in the channel, and its events are kept. Please report this; after the fix, `nuncio \
         redeliver ID` sends it"
    );
}
