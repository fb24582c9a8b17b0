//! Fault injection for the platform.

use std::collections::VecDeque;

use serde_json::Value;

/// How a request to the platform fails.
#[derive(Clone, Debug, PartialEq)]
pub enum PlatformFault {
    /// Answers with this status and body; the request has no effect.
    Status(u16, Value),
    /// Never answers; the request has no effect.
    Hang,
    /// The request takes effect, and its answer is lost.
    DoneUnanswered,
}

#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<(String, PlatformFault)>);

impl Faults {
    pub(super) fn next_on(&mut self, part: &str, n: usize, fault: PlatformFault) {
        self.0.extend(std::iter::repeat_n((part.to_owned(), fault), n));
    }

    /// Takes the fault for the request `POST /v1/…`.
    pub(super) fn take(&mut self, request: &str) -> Option<PlatformFault> {
        let at = self.0.iter().position(|(part, _)| request.starts_with(part.as_str()))?;
        self.0.remove(at).map(|(_, fault)| fault)
    }
}
