//! Logging: readable lines on stderr, the same lines in `combined.log`, and errors also in `error.log`.
//!
//! Files rotate daily, and the two names always link to the newest. An unwritable directory is reported and
//! does no harm. Whatever a value contains, one log event is one line.

mod daily;
mod line;
pub mod metric;

use std::io::IsTerminal as _;
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::clock::Clock;
use daily::Daily;
use line::{OneLine, fields};

/// Default filters of noisy crates: `warn` or off, unless the operator's filter names them.
/// serenity logs whole payloads as warnings, with interaction tokens in them: `bot` logs what matters of them.
const NOISY: &str = "hyper=warn,hyper_util=warn,poise=off,reqwest=warn,serenity=off,tungstenite=warn";

/// Maximum number of lines that wait for a slow disk before new ones are dropped. The library allocates the queue up
/// front, and its own default costs 5 MB per file.
const WAITING_LINES: usize = 2048;

/// Guard of the log writers: pending lines are written when this is dropped.
#[must_use]
#[derive(Debug)]
pub struct Telemetry {
    _files: Vec<WorkerGuard>,
}

/// Starts logging for the whole process, with `filter` in `RUST_LOG` syntax. Returns what failed, as sentences to
/// be logged as warnings. If logging was started before, it stays unchanged.
pub fn init(filter: &str, log_dir: &Path) -> (Telemetry, Vec<String>) {
    let mut notes = Vec::new();
    let mut files = Vec::new();
    let color =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![
        fmt::layer()
            .fmt_fields(fields())
            .with_ansi(color)
            .with_target(false)
            .with_writer(OneLine::new(std::io::stderr, color))
            .boxed(),
    ];
    for (name, least) in [("combined.log", LevelFilter::TRACE), ("error.log", LevelFilter::ERROR)] {
        match Daily::open(log_dir, name, Clock::system()) {
            Ok(file) => {
                let (writer, guard) =
                    NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).finish(file);
                files.push(guard);
                let layer = fmt::layer()
                    .fmt_fields(fields())
                    .with_ansi(false)
                    .with_writer(OneLine::new(writer, false));
                layers.push(layer.with_filter(least).boxed());
            }
            Err(reason) => notes
                .push(format!("{name} cannot be written in LOG_DIR ({reason}): logging goes on without it")),
        }
    }
    // The filter is the outermost layer: it applies to all others.
    let started = tracing_subscriber::registry().with(layers).with(directives(filter)).try_init();
    if started.is_err() {
        notes.push("logging was started twice: the first one counts".to_owned());
    }
    (Telemetry { _files: files }, notes)
}

/// Parses a level by the names that the old bot and others use; `None` for anything else.
#[must_use]
pub fn level(word: &str) -> Option<&'static str> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "off" | "none" => "off",
        "error" => "error",
        "warn" | "warning" => "warn",
        "info" => "info",
        "debug" | "http" | "verbose" => "debug",
        "trace" | "silly" => "trace",
        _ => return None,
    })
}

/// Whether `text` is a filter in `RUST_LOG` syntax.
#[must_use]
pub fn is_filter(text: &str) -> bool {
    EnvFilter::builder().parse(text).is_ok()
}

/// Puts [`NOISY`] before `filter`, whose own directives override it. A level below `warn` stays as it is, and an
/// invalid filter counts as `info`.
fn directives(filter: &str) -> EnvFilter {
    let is_quiet = filter.trim().parse::<LevelFilter>().is_ok_and(|level| level < LevelFilter::WARN);
    let text = if is_quiet { filter.to_owned() } else { format!("{NOISY},{filter}") };
    EnvFilter::builder().parse(text).unwrap_or_else(|_| EnvFilter::new(format!("{NOISY},info")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("info", "hyper=warn")]
    #[case("debug,reqwest=debug", "reqwest=debug")]
    #[case("not a = filter !", "info")]
    fn noisy_crates_are_quiet_unless_named(#[case] filter: &str, #[case] holds: &str) {
        let text = directives(filter).to_string();
        assert!(text.split(',').any(|directive| directive == holds), "{text}");
    }

    #[test]
    fn a_quiet_filter_stays_quiet() {
        assert_eq!(directives("off").to_string(), "off");
        assert_eq!(level("verbose"), Some("debug"));
        assert_eq!(level("nuncio=debug"), None);
    }
}
