//! Event → Card.
