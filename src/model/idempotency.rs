//! Requests that are carried out once, however often they are sent: the `Idempotency-Key` of the API.

use std::fmt;
use std::sync::Arc;

use crate::model::ApiKeyId;
use crate::signature::sha256;

/// The key of a request, and which request it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// The key that the caller chose.
    pub key: String,
    /// Whose key it is: every caller has keys of their own. `None`: `NUNCIO_API_KEY`.
    pub principal: Option<ApiKeyId>,
    /// SHA-256 of method, path and body: another request with the same key is refused.
    pub fingerprint: [u8; 32],
}

impl IdempotencyClaim {
    /// The claim of a request.
    #[must_use]
    pub fn new(
        key: impl Into<String>,
        principal: Option<ApiKeyId>,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Self {
        let fingerprint = sha256(&[method.as_bytes(), b"\n", path.as_bytes(), b"\n", body]);
        Self { key: key.into(), principal, fingerprint }
    }
}

/// Makes the stored answer of a result.
type MakeAnswer<T> = Arc<dyn Fn(&T) -> Vec<u8> + Send + Sync>;

/// A claim, and how the answer is made of the result `T`. The answer is stored in the unit that makes the change.
pub struct Once<T> {
    /// The claim.
    pub claim: IdempotencyClaim,
    answer: MakeAnswer<T>,
}

impl<T> Once<T> {
    /// A claim whose answer is made by `answer`: status and body, in any form. It must not fail, and may run more than
    /// once.
    pub fn new(claim: IdempotencyClaim, answer: impl Fn(&T) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { claim, answer: Arc::new(answer) }
    }

    /// The answer for `result`.
    #[must_use]
    pub fn answer(&self, result: &T) -> Vec<u8> {
        (self.answer)(result)
    }
}

impl<T> Clone for Once<T> {
    fn clone(&self) -> Self {
        Self { claim: self.claim.clone(), answer: Arc::clone(&self.answer) }
    }
}

impl<T> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Once").field(&self.claim).finish()
    }
}

/// Result of a request that is carried out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotent<T> {
    /// It was carried out now.
    Done(T),
    /// It was carried out before; what was answered then.
    Before(Vec<u8>),
}

impl<T> Idempotent<T> {
    /// The result of a request without a claim, which is never a repetition.
    #[must_use]
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(result) => Some(result),
            Self::Before(_) => None,
        }
    }
}

/// The key was used for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherBody;

/// Result of a unit with a claim.
pub type OnceResult<T> = Result<Idempotent<T>, OtherBody>;
