//! Trouble on demand.

use std::collections::VecDeque;

use serde_json::Value;

/// How the platform fails.
#[derive(Clone, Debug, PartialEq)]
pub enum PlatformFault {
    /// It answers this, and does nothing.
    Status(u16, Value),
    /// It answers nothing until it is stopped, and does nothing.
    Hang,
    /// It does what it was asked for, and its answer is lost.
    DoneUnanswered,
}

#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<(String, PlatformFault)>);

impl Faults {
    pub(super) fn next_on(&mut self, part: &str, n: usize, fault: PlatformFault) {
        self.0.extend(std::iter::repeat_n((part.to_owned(), fault), n));
    }

    /// The fault for the request `POST /v1/…`, used up.
    pub(super) fn take(&mut self, request: &str) -> Option<PlatformFault> {
        let at = self.0.iter().position(|(part, _)| request.starts_with(part.as_str()))?;
        self.0.remove(at).map(|(_, fault)| fault)
    }
}
