//! The console: pages for a browser, rendered by nuncio itself. They need no JavaScript, and load nothing from elsewhere.
//!
//! Every request passes the same layers (`routes.rs`): security headers on every answer, no change for another origin
//! (`origin.rs`), and everything but sign-in only with a session and, for changes, the session's own form token
//! (`session.rs`). So a handler cannot forget one. There is no password: `nuncio console` prints a one-time link.
//!
//! A handler reads its form, calls one use case of the [`Hub`](crate::hub::Hub), and redirects to a page that says what
//! happened. This room knows HTML; it knows no SQL, and decides nothing that another entrance would decide again.

mod assets;
mod attempts;
mod cookie;
mod discord_webhooks;
mod flash;
mod form;
mod headers;
mod origin;
mod page;
mod routes;
mod session;
mod sign_in;
mod signed_in;
mod state;

pub use routes::{ConsoleRoute, router, routes};
pub use state::ConsoleState;
