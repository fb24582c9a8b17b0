//! One source's way in: the path it posts to, and the secrets its signature may be made with.

use crate::clock::Timestamp;
use crate::config::Webhook;
use crate::model::Source;
use crate::secret::Secret;
use crate::signature::xtsystems::{Reason, check};

/// A source that events are received from. Found by the path exactly as it was sent: nothing is decoded, so there is
/// one way to write it.
#[derive(Debug)]
pub(super) struct SourceRoute {
    /// Who sends.
    pub(super) source: Source,
    /// Where to.
    pub(super) path: String,
    /// The secret, then the one before it, if that is still accepted.
    secrets: Vec<Secret>,
    /// The largest body, in bytes.
    pub(super) body_limit: usize,
}

/// Which secret a signature was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretGeneration {
    Current,
    Previous,
}

impl SourceRoute {
    /// The gate of source `xtsystems`.
    pub(super) fn xtsystems(webhook: Webhook) -> Self {
        Self {
            source: Source::XtSystems,
            path: webhook.path,
            secrets: [Some(webhook.secret), webhook.previous_secret].into_iter().flatten().collect(),
            body_limit: webhook.body_limit,
        }
    }

    /// The secret that events are signed with now.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.secrets.first()
    }

    /// Checks a request against every secret, the current one first.
    ///
    /// # Errors
    /// The reason why it fails.
    pub(super) fn check(
        &self,
        timestamp: &[u8],
        signature: &[u8],
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<SecretGeneration, Reason> {
        for (secret, age) in self.secrets.iter().zip([SecretGeneration::Current, SecretGeneration::Previous])
        {
            match check(secret, timestamp, signature, body, received_at) {
                Ok(()) => return Ok(age),
                // Only another secret could make this one right.
                Err(Reason::Mismatch) => {}
                Err(reason) => return Err(reason),
            }
        }
        Err(Reason::Mismatch)
    }
}
