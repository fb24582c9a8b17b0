//! A problem: something that keeps nuncio from doing its job, with a stable code, what was found and what to do.

/// One problem, as `/health`, the start page, `/webhook-status`, the log and `nuncio doctor` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable word for monitors, such as `gateway_down`. It holds no name and no id.
    pub code: &'static str,
    /// What happened, and what nuncio does, without a full stop at its end. It may name servers, channels and roles. Where
    /// there is no `remedy`, it says what to do as well.
    pub found: String,
    /// What to do, where that is a sentence of its own.
    pub remedy: Option<String>,
}

impl Problem {
    /// The problem `code`, described by `sentence`, which says what to do as well.
    pub fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, found: sentence.into(), remedy: None }
    }

    /// The problem `code`, with what to do about it.
    pub fn with_remedy(code: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// Both in one, for a line of a log or a list.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}. {remedy}", self.found),
            None => self.found.clone(),
        }
    }

    /// All of `sentences` as problems of one code.
    pub(super) fn all(
        code: &'static str,
        sentences: impl IntoIterator<Item = String>,
    ) -> impl Iterator<Item = Self> {
        sentences.into_iter().map(move |sentence| Self::new(code, sentence))
    }
}
