//! Writes that must not be lost: repeated until the database accepts them.

use std::time::Duration;

use crate::dispatch::Context;
use crate::hub::Hub;
use crate::store;

/// How long a lane waits before it repeats a write that the database refused.
pub(in crate::dispatch) const STORE_AGAIN: Duration = Duration::from_secs(1);

/// Repeats `write` until the database accepts it.
pub(in crate::dispatch) async fn insist<T, F: Future<Output = store::Result<T>>>(
    context: &Context,
    write: impl Fn() -> F,
) -> T {
    loop {
        match write().await {
            Ok(done) => return done,
            Err(error) => put_off(context, &error).await,
        }
    }
}

/// Reports that the database refused a write, and waits until it is worth another try.
pub(in crate::dispatch) async fn put_off(context: &Context, error: &store::Error) {
    store_failing(&context.hub, error);
    context.clock.sleep(STORE_AGAIN).await;
}

/// Logs, once, that the database refuses writes.
fn store_failing(hub: &Hub, error: &store::Error) {
    if hub.storage_failing(error) {
        tracing::error!("{error}. Until the database takes writes again, deliveries wait");
    }
}
