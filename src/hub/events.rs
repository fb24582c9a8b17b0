//! Events as use cases: accepting them, what became of them, sending them again, and removing old ones.

mod accept;
mod delivery_details;
mod follow_up;
mod redeliver;
mod retention;
mod test_event;
mod unknown_kind;

pub use follow_up::{Notice, follow_up};
pub use redeliver::Redelivered;
pub use retention::Tidied;
pub use test_event::{Hop, Trace};
pub use unknown_kind::{UnknownKind, known_kinds, nearest};
