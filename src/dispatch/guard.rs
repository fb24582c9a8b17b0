//! Fault isolation for poison deliveries: a panic or a corrupt row while one delivery is planned or composed becomes an
//! error value, and does not end the lane.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::clock::Timestamp;
use crate::dispatch::Context;
use crate::model::{Arrived, Attempt, CorruptRow, Delivery, Destination, Message, Outcome, Reason};
use crate::store::{self, InDoubt, Waiting};

/// The operator's remedy for a row that nuncio did not write.
const MEND: &str = "Another program, or the disk, changed that row: check the file with `sqlite3 FILE 'PRAGMA \
                    integrity_check'`, repair the row or restore a backup; then `nuncio redeliver ID` sends it";

/// Maximum attempts of a request that makes nuncio panic and may have arrived each time.
const TRIES: u32 = 5;

/// Why something could not be composed, in a sentence for the operator. A panic's message is on stderr, with its
/// location; it may hold external data, so it is not repeated here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Poison(Reason);

/// Runs `work` in isolation. Its panic, or a corrupt row, becomes the inner error. The outer error is the database's,
/// and affects every delivery.
///
/// State that `work` was changing when it panicked may be half changed: the caller must discard it.
pub(super) async fn isolate<T>(
    work: impl Future<Output = store::Result<T>>,
) -> store::Result<Result<T, Poison>> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(done)) => Ok(Ok(done)),
        Ok(Err(error)) if error.is_of_one_row() => Ok(Err(Poison(Reason::new(error.to_string())))),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(Err(Poison(Reason::new("it makes nuncio panic (stderr shows where)")))),
    }
}

/// The readable deliveries of `waiting`. The others are quarantined.
pub(super) async fn readable(
    context: &Context,
    place: &str,
    waiting: Waiting,
) -> store::Result<Vec<Delivery>> {
    quarantine(context, place, waiting.corrupt_rows).await?;
    Ok(waiting.deliveries)
}

/// The readable in-doubt messages of `destination`, with their deliveries. The others are given up.
pub(super) async fn in_doubt(context: &Context, destination: &Destination) -> store::Result<Vec<Message>> {
    let InDoubt { messages, corrupt_rows, lost } = context.store.open_messages(destination.id).await?;
    let place = &destination.name;
    quarantine(context, place, lost).await?;
    for message in corrupt_rows {
        let (id, why) = (message.short(), message.why.clone());
        let carried = context.store.give_up_message(destination.id, message).await?;
        tracing::error!(
            "the message {} for {place} cannot be read: {why}. It may be in the channel or not. Given up with it: \
             {}; everything else goes on. {MEND}",
            id.escape_debug(),
            if carried.is_empty() { "nothing".to_owned() } else { shown(carried.iter().map(String::as_str)) },
        );
        carried.iter().for_each(|_| context.hub.gave_up());
    }
    Ok(messages)
}

/// Gives up corrupt deliveries, and logs each once.
async fn quarantine(context: &Context, place: &str, corrupt: Vec<CorruptRow>) -> store::Result<()> {
    if corrupt.is_empty() {
        return Ok(());
    }
    for row in context.store.give_up_corrupt(corrupt).await? {
        tracing::error!(
            "a delivery for {place} cannot be read: {}. Given up: {}; everything else goes on, and its event is \
             kept. {MEND}",
            row.why,
            shown([row.id.as_str()].into_iter()),
        );
        context.hub.gave_up();
    }
    Ok(())
}

/// Ids in the short form of lists, escaped because they may hold anything.
fn shown<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ends = ids.map(|id| {
        let end = id.char_indices().rev().nth(7).map_or(id, |(at, _)| &id[at..]);
        end.escape_debug().to_string()
    });
    ends.collect::<Vec<_>>().join(", ")
}

impl Poison {
    pub(super) fn into_reason(self) -> Reason {
        self.0
    }

    /// The attempt of a message that could not be composed: no request was sent.
    pub(super) fn unsent(self, now: Timestamp) -> Attempt {
        Attempt::unanswered(now, Outcome::Refused(self.0))
    }

    /// The attempt of a message that panicked while being sent: it may have arrived. It is given up after `TRIES`
    /// attempts.
    pub(super) fn lost(self, now: Timestamp, tries: u32) -> Attempt {
        if tries + 1 >= TRIES {
            return Attempt::unanswered(now, Outcome::Refused(self.0));
        }
        let response = format!("{}; it is tried again", self.0).into_bytes();
        let again = Outcome::Retry { after: None, arrived: Arrived::Maybe };
        Attempt { response, ..Attempt::unanswered(now, again) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Error;

    // L-2
    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let broken = isolate(async {
            tokio::task::yield_now().await;
            if true {
                panic!("poison: for this test");
            }
            Ok(())
        });
        let poison = broken.await.unwrap().unwrap_err();
        assert!(poison.0.as_str().contains("panic"), "{poison:?}");
        assert!(!poison.0.as_str().contains("for this test"), "it may hold what came from outside");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_one_delivery_s_affair_and_a_full_disk_is_everybody_s() {
        let unreadable = isolate::<()>(async { Err(Error::Corrupt("a source \"x\"".to_owned())) }).await;
        assert!(unreadable.unwrap().unwrap_err().0.as_str().contains("a source \"x\""));
        assert!(matches!(isolate::<()>(async { Err(Error::Full) }).await, Err(Error::Full)));
        assert_eq!(isolate(async { Ok(7) }).await.unwrap(), Ok(7));
    }

    #[test]
    fn a_request_that_breaks_us_is_not_made_for_ever() {
        let poison = || Poison(Reason::new("x"));
        let outcomes = (0..TRIES).map(|tries| poison().lost(Timestamp::default(), tries).outcome.class());
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
            ["ambiguous", "ambiguous", "ambiguous", "ambiguous", "refused"]
        );
    }
}
