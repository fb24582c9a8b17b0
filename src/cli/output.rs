//! Standard output and standard error: results on one, messages to the operator on the other.
//!
//! A failed write of a result (a full disk, a broken device) is remembered, and [`written`] turns it into the
//! command's failure: an operator who redirects a list into a file must not take half of it for the whole.

use std::io::{self, ErrorKind, Write as _};
use std::sync::{Mutex, PoisonError};

/// The first failure to write to standard output.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a command's result: a line on stdout.
pub(super) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    note(writeln!(stdout, "{text}").and_then(|()| stdout.flush()));
}

/// A number with its noun: "1 delivery", "2 deliveries".
pub(super) fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

/// Prints help and the version, which clap writes itself.
pub(super) fn print_clap(error: &clap::Error) {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if !error.use_stderr() {
        note(printed);
    }
}

/// Remembers a failure to print.
fn note(printed: io::Result<()>) {
    match printed {
        // The reader that closed our output (`| head`) has seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            FAILURE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        _ => {}
    }
}

/// Succeeds if everything printed was written.
///
/// # Errors
/// The first failure to write.
pub(super) fn written() -> anyhow::Result<()> {
    match FAILURE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        None => Ok(()),
        Some(error) => Err(anyhow::anyhow!(
            "The output could not be written ({error}), so it is incomplete. Run the command again with its output \
             elsewhere."
        )),
    }
}

/// Prints a message to the operator: a line on stderr. Where it cannot be written, nothing is lost.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
