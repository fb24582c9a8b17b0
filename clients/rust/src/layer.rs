//! `error!` becomes a system alert.

use std::fmt::{Debug, Write};
use std::sync::Arc;

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::Dispatcher;
use crate::alerts::{Alerts, Bounded, TEXT_CHARS, in_alert_thread};

/// What sends an alert logs errors too. They are left out, or one alert would make the next.
const OWN_TARGETS: [&str; 9] = [
    "nuncio_client",
    "reqwest",
    "hyper",
    "hyper_util",
    "h2",
    "native_tls",
    "tokio_native_tls",
    "rustls",
    "mio",
];

/// A layer for `tracing`: what is logged with `error!` is sent as a system alert.
///
/// Nobody waits for it: an event is folded and queued, and a thread of its own sends it. The same error (the same place,
/// and the same text apart from its numbers) is sent once in 15 minutes, the next time with the number of repeats. Up to
/// 100 alerts wait; what comes beyond that is counted, and reported with the next alert.
///
/// Sent are the message and the fields `error` and `err`. Other fields may be customers' data:
/// [`with_fields`](Self::with_fields) names those that are sent too. Events of this crate and of its HTTP stack are left
/// out.
///
/// ```no_run
/// use nuncio_client::{AlertLayer, Dispatcher};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let nuncio = Dispatcher::from_env();
/// let subscriber = tracing_subscriber::registry().with(AlertLayer::new(&nuncio));
/// tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is set");
///
/// tracing::error!(error = "connection refused", "the database is gone");
/// nuncio.flush(std::time::Duration::from_secs(5)); // at the end of the program
/// ```
pub struct AlertLayer {
    alerts: Arc<Alerts>,
    fields: Vec<String>,
}

impl AlertLayer {
    /// A layer that sends to this nuncio.
    #[must_use]
    pub fn new(nuncio: &Dispatcher) -> Self {
        Self { alerts: nuncio.alerts.clone(), fields: Vec::new() }
    }

    /// Sends these fields too, as `name=value`.
    #[must_use]
    pub fn with_fields(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fields.extend(names.into_iter().map(Into::into));
        self
    }
}

impl Debug for AlertLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlertLayer").field("fields", &self.fields).finish_non_exhaustive()
    }
}

impl<S: Subscriber> Layer<S> for AlertLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() != Level::ERROR || in_alert_thread() {
            return;
        }
        let mut texts = Texts::new(&self.fields);
        event.record(&mut texts);
        let target = texts.log_target.as_deref().unwrap_or(metadata.target());
        if is_own(target) {
            return;
        }
        let mut text = texts.message.text;
        for (name, value) in &texts.errors {
            text += if text.is_empty() { "" } else { ": " };
            text += if value.is_empty() { name } else { value };
        }
        if text.is_empty() {
            text += "an error without a message";
        }
        let id = format!(
            "{}:{}\n{}",
            metadata.file().unwrap_or(target),
            metadata.line().unwrap_or(0),
            shape(&text)
        );
        for (name, value) in &texts.fields {
            text += &format!("\n{name}={value}");
        }
        self.alerts.report(id, format!("Error in {target}"), text.chars().take(TEXT_CHARS).collect());
    }
}

fn is_own(target: &str) -> bool {
    target.split("::").next().is_some_and(|first| OWN_TARGETS.contains(&first))
}

/// A text without its numbers and ids: "user 4711 is gone" and "user 4712 is gone" are the same error.
fn shape(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_alphanumeric());
    words.map(|word| if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word }).collect()
}

/// The texts of an event that may be sent.
struct Texts<'a> {
    wanted: &'a [String],
    message: Bounded,
    errors: Vec<(&'static str, String)>,
    fields: Vec<(&'static str, String)>,
    /// The target of a record of the crate `log`.
    log_target: Option<String>,
}

impl<'a> Texts<'a> {
    fn new(wanted: &'a [String]) -> Self {
        let message = Bounded::new(TEXT_CHARS);
        Self { wanted, message, errors: Vec::new(), fields: Vec::new(), log_target: None }
    }
}

impl Visit for Texts<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let name = field.name();
        let written = || {
            let mut text = Bounded::new(TEXT_CHARS);
            let _ = write!(text, "{value:?}");
            text.text
        };
        match name {
            "message" => {
                let _ = write!(self.message, "{value:?}");
            }
            "error" | "err" => self.errors.push((name, written())),
            "log.target" => self.log_target = Some(written().trim_matches('"').to_owned()),
            _ if self.wanted.iter().any(|wanted| wanted == name) => self.fields.push((name, written())),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Without quotation marks.
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = Bounded::new(TEXT_CHARS);
        let mut cause = Some(value);
        while let Some(error) = cause {
            let before = if text.text.is_empty() { "" } else { ": " };
            if write!(text, "{before}{error}").is_err() {
                break;
            }
            cause = error.source();
        }
        self.record_debug(field, &format_args!("{}", text.text));
    }
}
