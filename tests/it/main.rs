//! The integration tests.

mod cards;
