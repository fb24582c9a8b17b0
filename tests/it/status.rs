//! What nuncio says about its own state: `/health`, the start page, `/webhook-status`, and the log at start.

mod insiders;
mod platform;
mod refusals;
mod servers;
