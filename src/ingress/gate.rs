//! A source's route: its webhook path, and the secrets that may sign its events.

use crate::clock::Timestamp;
use crate::config::Webhook;
use crate::model::Source;
use crate::secret::Secret;
use crate::signature::xtsystems::{Reason, check};

/// A source of events. Matched by the path exactly as sent: nothing is decoded, so each route has exactly one
/// spelling.
#[derive(Debug)]
pub(super) struct SourceRoute {
    pub(super) source: Source,
    pub(super) path: String,
    /// The current secret, then the previous one, if that is still accepted.
    secrets: Vec<Secret>,
    /// Maximum body size, in bytes.
    pub(super) body_limit: usize,
}

/// Which secret made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretGeneration {
    Current,
    Previous,
}

impl SourceRoute {
    /// The route of source `xtsystems`.
    pub(super) fn xtsystems(webhook: Webhook) -> Self {
        Self {
            source: Source::XtSystems,
            path: webhook.path,
            secrets: [Some(webhook.secret), webhook.previous_secret].into_iter().flatten().collect(),
            body_limit: webhook.body_limit,
        }
    }

    /// The current signing secret.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.secrets.first()
    }

    /// Verifies a request against every secret, the current one first.
    ///
    /// # Errors
    /// Why verification fails.
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
                // Only with this reason can another secret change the result.
                Err(Reason::Mismatch) => {}
                Err(reason) => return Err(reason),
            }
        }
        Err(Reason::Mismatch)
    }
}
