//! The fields of a submitted form.

use std::sync::Arc;

/// The fields of the form of this request. An extension of every request that changes something.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Arc<Vec<(String, String)>>);

impl Fields {
    pub(super) fn new(fields: Vec<(String, String)>) -> Self {
        Self(Arc::new(fields))
    }

    /// The first field of this name, without space around it; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value.trim())
    }
}
