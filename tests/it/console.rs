//! The console in a browser, as far as a test without one can be a person: pages are read, links followed, and forms sent
//! with the fields that they have. `docs/console.md` says the same in words.

mod browser;
mod guarded;
mod page;
mod sign_in;
mod text;

use browser::{Browser, signed_in};
