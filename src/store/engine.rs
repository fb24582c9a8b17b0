//! Database engines: the only files that name a driver.

pub(super) mod sqlite;
