//! Standard output and standard error: results on the one, messages to a person on the other.
//!
//! A result that could not be written (a full disk, a device that fails) is remembered, and [`written`] turns it into
//! the command's failure: whoever redirects a list into a file must not take half of it for the whole.

use std::io::{self, ErrorKind, Write as _};
use std::sync::{Mutex, PoisonError};

/// The first failure to write to standard output.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a command's result: a line on stdout.
pub(super) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    note(writeln!(stdout, "{text}").and_then(|()| stdout.flush()));
}

/// Prints help and the version, which clap writes itself.
pub(super) fn print_clap(error: &clap::Error) {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if !error.use_stderr() {
        note(printed);
    }
}

/// Remembers that something could not be printed.
fn note(printed: io::Result<()>) {
    match printed {
        // Whoever closed our output (`| head`) has seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            FAILURE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        _ => {}
    }
}

/// Whether all that was printed was written.
///
/// # Errors
/// What kept the first line that was not from being written.
pub(super) fn written() -> anyhow::Result<()> {
    match FAILURE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        None => Ok(()),
        Some(error) => Err(anyhow::anyhow!(
            "The output could not be written ({error}), so it is incomplete. Run the command again with its output \
             elsewhere."
        )),
    }
}

/// Writes to the person at the shell: a line on stderr. Where nobody reads it, nothing is lost.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
