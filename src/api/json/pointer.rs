//! JSON pointers (RFC 6901).

use std::fmt::Write as _;

/// A pointer that is extended and cut back while a value is walked.
#[derive(Default)]
pub(super) struct Pointer(String);

impl Pointer {
    /// The pointer to the member `key`.
    pub(super) fn to(&self, key: &str) -> String {
        let mut pointer = self.0.clone();
        push(&mut pointer, key);
        pointer
    }

    /// Extends it by `key`; the result cuts it back.
    pub(super) fn enter(&mut self, key: impl std::fmt::Display) -> usize {
        let length = self.0.len();
        push(&mut self.0, &key.to_string());
        length
    }

    /// Undoes the [`enter`](Self::enter) that returned `length`.
    pub(super) fn leave(&mut self, length: usize) {
        self.0.truncate(length);
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn push(pointer: &mut String, key: &str) {
    // Writing to a String cannot fail.
    let _ = write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"));
}

/// The pointer to where serde failed.
pub(super) fn of_serde(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = Pointer::default();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.enter(index),
            Segment::Map { key } => pointer.enter(key),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
    }
    pointer.0
}

/// The pointer to what `garde` found. A field's name is the one in Rust: rename it for `garde` where serde does.
pub(super) fn of_garde(path: &garde::Path) -> String {
    // Its components are public only in this form: pairs of kind and text.
    let components = serde_json::to_value(path).unwrap_or_default();
    let mut pointer = Pointer::default();
    for component in components.as_array().into_iter().flatten() {
        let text = component.get(1).and_then(|text| text.as_str()).unwrap_or_default();
        if component.get(0).is_none_or(|kind| kind != "none") {
            pointer.enter(text.strip_prefix("r#").unwrap_or(text));
        }
    }
    pointer.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped_and_cut_back() {
        let mut pointer = Pointer::default();
        let outer = pointer.enter("a/b");
        assert_eq!(pointer.to("~c"), "/a~1b/~0c");
        let inner = pointer.enter(3);
        assert_eq!(pointer.as_str(), "/a~1b/3");
        pointer.leave(inner);
        pointer.leave(outer);
        assert_eq!(pointer.as_str(), "");
        assert_eq!(of_garde(&garde::Path::new("fields").join(0).join("r#type")), "/fields/0/type");
    }
}
