//! Database engines: the only files that name a driver, besides the bulk insert and the tools that read a database
//! without opening the store.

pub(super) mod sqlite;
