//! What nuncio said: every test sees its own log, and an error that it did not expect fails it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use super::within;

type Lines = Arc<Mutex<Vec<(Level, String)>>>;
/// A text at which whoever says it panics, and how often still.
type Trap = Arc<Mutex<(String, usize)>>;

/// The lines of one test. Tests run on one thread each, so the thread's own subscriber sees all of theirs.
pub struct Log {
    lines: Lines,
    trap: Trap,
    _guard: DefaultGuard,
}

thread_local! {
    /// Bumped by every line.
    static SAID: watch::Sender<u64> = watch::Sender::new(0);
    static CURRENT: RefCell<Lines> = RefCell::default();
}

/// The newest lines of this thread's test, for the message of a failure.
pub fn last_lines() -> Vec<String> {
    let lines = CURRENT.with(|current| Arc::clone(&current.borrow()));
    let lines = lines.lock().unwrap();
    lines.iter().rev().take(20).rev().map(|(level, line)| format!("{level} {line}")).collect()
}

impl Log {
    pub fn start() -> Self {
        let (lines, trap) = (Lines::default(), Trap::default());
        CURRENT.with(|current| *current.borrow_mut() = Arc::clone(&lines));
        let subscriber = tracing_subscriber::registry().with(Recorder(Arc::clone(&lines), Arc::clone(&trap)));
        Self { lines, trap, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// Makes whoever says `text` panic, so many times.
    pub fn breaks_at(&self, text: &str, times: usize) {
        *self.trap.lock().unwrap() = (text.to_owned(), times);
    }

    /// Takes back one line of this level that holds `text`; there must be one.
    pub fn expect(&self, level: Level, text: &str) {
        let mut lines = self.lines.lock().unwrap();
        let found = lines.iter().position(|(its, line)| *its == level && line.contains(text));
        match found {
            Some(at) => drop(lines.remove(at)),
            None => panic!("nothing was logged at {level} about {text:?}: {lines:#?}"),
        }
    }

    /// Waits until a line of this level holds `text`.
    pub async fn seen(&self, level: Level, text: &str) {
        self.seen_times(level, text, 1).await;
    }

    /// Waits until so many lines of this level hold `text`.
    pub async fn seen_times(&self, level: Level, text: &str, times: usize) {
        let mut said = SAID.with(|said| said.subscribe());
        let seen = async {
            while self.at(level).iter().filter(|line| line.contains(text)).count() < times {
                said.changed().await.unwrap();
            }
        };
        within(&format!("{times} × {text:?} in the log"), seen).await;
    }

    /// All lines of this level.
    pub fn at(&self, level: Level) -> Vec<String> {
        self.lines
            .lock()
            .unwrap()
            .iter()
            .filter(|(its, _)| *its == level)
            .map(|(_, line)| line.clone())
            .collect()
    }

    /// All lines.
    pub fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    pub fn assert_no_errors(&self) {
        let errors = self.at(Level::ERROR);
        assert!(errors.is_empty(), "logged as errors: {errors:#?}");
    }
}

struct Recorder(Lines, Trap);

impl Recorder {
    fn is_trapped(&self, line: &str) -> bool {
        let mut trap = self.1.lock().unwrap();
        let springs = trap.1 > 0 && line.contains(&trap.0);
        trap.1 -= usize::from(springs);
        springs
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("nuncio") {
            let mut line = Line::default();
            event.record(&mut line);
            assert!(!self.is_trapped(&line.0), "the test wants whoever says {:?} to panic", line.0);
            self.0.lock().unwrap().push((*event.metadata().level(), line.0));
            SAID.with(|said| said.send_modify(|count| *count += 1));
        }
    }
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0.insert_str(0, &format!("{value:?} "));
        } else {
            write!(self.0, "{}={value:?} ", field.name()).unwrap();
        }
    }
}
