//! A Discord and an XTSystems of our own.
