//! A problem: something that keeps nuncio from doing its job, with a stable code and a sentence for the operator.

/// One problem, as `/health`, the start page and `/webhook-status` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable word for monitors, such as `gateway_down`. It holds no name and no id.
    pub code: &'static str,
    /// What happened, what nuncio does, and what to do. It may name servers, channels and roles.
    pub sentence: String,
}

impl Problem {
    /// The problem `code`, described by `sentence`.
    pub fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    /// All of `sentences` as problems of one code.
    pub(super) fn all(
        code: &'static str,
        sentences: impl IntoIterator<Item = String>,
    ) -> impl Iterator<Item = Self> {
        sentences.into_iter().map(move |sentence| Self::new(code, sentence))
    }
}
