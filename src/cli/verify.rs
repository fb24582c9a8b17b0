//! `nuncio verify`: which part of a request's signature is wrong.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use crate::cli::print;
use crate::clock::Clock;
use crate::config::{Variables, WebhookConfig};
use crate::signature::xtsystems::{self, SignatureError};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Value of X-XTSystems-Timestamp
    #[arg(long, allow_hyphen_values = true)]
    timestamp: String,
    /// Value of X-XTSystems-Signature
    #[arg(long, allow_hyphen_values = true)]
    signature: String,
}

/// Checks every part, prints each result, and exits with 0 only if all of them are right.
pub(super) fn run(args: &Args, variables: &Variables) -> anyhow::Result<ExitCode> {
    let (WebhookConfig { previous_secret, .. }, secret) = WebhookConfig::for_signing(variables)?;
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        super::say("reading the body from the terminal, up to Ctrl-D; better: nuncio verify … < body.json");
    }
    let mut body = Vec::new();
    stdin.read_to_end(&mut body)?;

    let (timestamp, signature) = (args.timestamp.as_bytes(), args.signature.as_bytes());
    let with = |secret| xtsystems::check_signature(secret, timestamp, signature, &body);
    let is_previous = with(&secret) == Err(SignatureError::Mismatch)
        && previous_secret.as_ref().is_some_and(|previous| with(previous).is_ok());
    let parts = [
        ("timestamp", xtsystems::check_timestamp(timestamp, Clock::system().now())),
        ("signature", if is_previous { Ok(()) } else { with(&secret) }),
        ("body", xtsystems::check_body(&body)),
    ];
    for (part, result) in &parts {
        match result {
            Ok(()) if is_previous && *part == "signature" => {
                print(&format!(
                    "{part:9}  ok, with WEBHOOK_SECRET_PREVIOUS: XTSystems does not have the new secret yet"
                ));
            }
            Ok(()) => print(&format!("{part:9}  ok")),
            Err(SignatureError::BodyNotAnObject) if body.is_empty() => {
                print(&format!(
                    "{part:9}  WRONG: it is empty. It comes from stdin: nuncio verify … < body.json"
                ));
            }
            // The body alone does not show whether it was signed.
            Err(SignatureError::BodyNotAnObject) => {
                print(&format!("{part:9}  WRONG: it does not begin with {{"))
            }
            Err(reason) => print(&format!("{part:9}  WRONG: {reason}")),
        }
        if *result == Err(SignatureError::Mismatch)
            && let Some(mistake) = xtsystems::mistake(&secret, timestamp, signature, &body)
        {
            print(&format!("{:9}  {mistake}", ""));
        }
    }
    let is_right = parts.iter().all(|(_, result)| result.is_ok());
    print(if is_right { "accepted" } else { "refused" });
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
