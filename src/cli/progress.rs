//! A progress line for an operator who waits: one line on stderr, which disappears when the work is done.
//!
//! It is shown on a terminal only. Elsewhere nothing is written, so that scripts see the same output.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the line is redrawn, even if the work has nothing to report.
const TICK: Duration = Duration::from_millis(120);
const UNCOUNTED: &str = "{spinner} {msg} ({elapsed})";
const COUNTED: &str = "{spinner} {msg} [{bar:30}] {human_pos} of {human_len} ({elapsed})";

/// The progress line of one piece of work. Dropping it removes the line.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// For work of unknown size: "copying the database".
    pub(super) fn new(what: &'static str) -> Self {
        Self::on(ProgressDrawTarget::stderr(), what)
    }

    /// For work that prints its result as it goes: shown only if the result goes to a file or to another program.
    pub(super) fn beside_output(what: &'static str) -> Self {
        let is_read = io::stdout().is_terminal();
        Self::on(if is_read { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }, what)
    }

    fn on(target: ProgressDrawTarget, what: &'static str) -> Self {
        let line = ProgressBar::with_draw_target(None, target).with_message(what);
        if let Ok(style) = ProgressStyle::with_template(UNCOUNTED) {
            line.set_style(style);
        }
        // The first is drawn now, so that the operator sees at once that something is going on.
        line.tick();
        line.enable_steady_tick(TICK);
        Self(line)
    }

    /// Sets the progress: `done` of `all`.
    pub(super) fn set(&self, done: u64, all: u64) {
        if self.0.length().is_none()
            && let Ok(style) = ProgressStyle::with_template(COUNTED)
        {
            self.0.set_style(style);
        }
        self.0.set_length(all);
        self.0.set_position(done);
    }

    /// Whether the line is visible.
    pub(super) fn is_shown(&self) -> bool {
        !self.0.is_hidden()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
