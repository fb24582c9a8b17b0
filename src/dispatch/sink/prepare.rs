//! Composes a message for one attempt to send it.

use crate::dispatch::Context;
use crate::dispatch::cards::compose::compose;
use crate::dispatch::cards::composed::Composed;
use crate::dispatch::cards::load::load_all;
use crate::dispatch::guard::isolate;
use crate::model::{Attempt, Message};
use crate::render::Body;
use crate::store::Result;

/// Composes `message`, and notes there what this attempt shows. If that fails, returns the attempt that says why:
/// nothing was sent.
pub(super) async fn prepare(
    context: &Context,
    message: &mut Message,
) -> Result<std::result::Result<(Composed, Body), Attempt>> {
    let composed = isolate(async {
        load_all(&context.store, message).await?;
        let composed = compose(context, message).await?;
        let body = composed.body(message.maybe_duplicate);
        Ok((composed, body))
    });
    Ok(match composed.await? {
        Ok((mut composed, body)) => {
            composed.note_in(message);
            Ok((composed, body))
        }
        Err(poison) => Err(poison.unsent(context.clock.now())),
    })
}
