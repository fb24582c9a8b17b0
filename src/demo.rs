//! The demo: a fake XTSystems, a story of signed events, and the buttons of the demo's page.
//!
//! `nuncio demo` runs all of it around the real application; `nuncio sandbox` and the tests use the XTSystems alone.
//! It works from outside, over HTTP, as the platform and a visitor do. It must not know the hub, the store or our
//! clients: a mistake made there would be repeated here.
//!
//! It listens on loopback only. Nothing here is safe for the open network.

mod platform;
mod stage;
mod storm;
pub mod story;
mod xtsystems;

pub use platform::{Platform, PlatformFault, RecordedRequest};
pub use stage::Stage;
pub use xtsystems::{WebhookAnswer, XtSystems};
