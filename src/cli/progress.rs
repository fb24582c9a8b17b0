//! Progress where a person waits: one line on stderr, which is gone when the work is done.
//!
//! It is shown on a terminal only. Everywhere else nothing is written, so that the output of scripts stays what it was.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the line moves, also while the work itself has nothing to report.
const TICK: Duration = Duration::from_millis(120);
const UNCOUNTED: &str = "{spinner} {msg} ({elapsed})";
const COUNTED: &str = "{spinner} {msg} [{bar:30}] {human_pos} of {human_len} ({elapsed})";

/// The line of one piece of work. It is removed when this is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// For work of which nobody knows how much it is: "copying the database".
    pub(super) fn new(what: &'static str) -> Self {
        Self::on(ProgressDrawTarget::stderr(), what)
    }

    /// For work that prints its result as it goes: shown only where that goes to a file or to another program.
    pub(super) fn beside_output(what: &'static str) -> Self {
        let is_read = io::stdout().is_terminal();
        Self::on(if is_read { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }, what)
    }

    fn on(target: ProgressDrawTarget, what: &'static str) -> Self {
        let line = ProgressBar::with_draw_target(None, target).with_message(what);
        if let Ok(style) = ProgressStyle::with_template(UNCOUNTED) {
            line.set_style(style);
        }
        // The first is drawn now: whoever waits sees at once that something goes on.
        line.tick();
        line.enable_steady_tick(TICK);
        Self(line)
    }

    /// So much is done, of so much.
    pub(super) fn set(&self, done: u64, all: u64) {
        if self.0.length().is_none()
            && let Ok(style) = ProgressStyle::with_template(COUNTED)
        {
            self.0.set_style(style);
        }
        self.0.set_length(all);
        self.0.set_position(done);
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        !self.0.is_hidden()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
