//! Event sources.

use std::fmt;
use std::str::FromStr;

use crate::model::closed_set::closed_set;

closed_set! {
    /// A sender of events. A closed set: the compiler lists the code that must handle a new one.
    Source {
        /// XTSystems' webhooks.
        XtSystems,
        /// A hosting platform, through the dispatch API. These events choose stored webhooks, and never match the map.
        Dispatch,
        /// nuncio itself. The hub addresses these events; they never match the map.
        Nuncio,
    }
}

impl Source {
    /// The name in paths, logs and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XtSystems => "xtsystems",
            Self::Dispatch => "dispatch",
            Self::Nuncio => "nuncio",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Source {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|source| source.as_str() == text).ok_or(())
    }
}
