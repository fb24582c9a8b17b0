//! Environment → Config.
