//! Log injection protection: one event is one line, and no value can begin a line of its own or control a terminal.
//!
//! tracing-subscriber 0.3.23 escapes a few control characters in the message and none in a field shown by `Display`.
//! [`fields`] therefore escapes every value where it is formatted, and [`OneLine`] checks the finished line
//! once more. With colors on it leaves ESC alone, since only the formatter's own is still there then.

use std::borrow::Cow;
use std::fmt::{self, Debug, Write as _};
use std::io::{self, Write};

use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{FormatFields, MakeWriter};

/// Formats fields as `message name=value …`. Never uses colors, whatever the layer's setting: a span's fields are
/// formatted once, by whichever layer comes first, and the others write the same text to their files.
pub(super) fn fields() -> impl for<'a> FormatFields<'a> + Send + Sync + 'static {
    debug_fn(|writer: &mut Writer<'_>, field: &Field, value: &dyn Debug| -> fmt::Result {
        let value = format!("{value:?}");
        let value = visible(&value, false);
        match field.name() {
            "message" => write!(writer, "{value}"),
            name => write!(writer, "{name}={value}"),
        }
    })
    .delimited(" ")
}

/// Creates writers that escape control characters.
pub(super) struct OneLine<M> {
    inner: M,
    colour: bool,
}

impl<M> OneLine<M> {
    pub(super) const fn new(inner: M, colour: bool) -> Self {
        Self { inner, colour }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = OneLineWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        OneLineWriter { inner: self.inner.make_writer(), colour: self.colour }
    }
}

/// Writes lines; the formatter passes each event in one piece.
pub(super) struct OneLineWriter<W> {
    inner: W,
    colour: bool,
}

impl<W: Write> Write for OneLineWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(visible(&String::from_utf8_lossy(bytes), self.colour).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Escapes the control characters in `text`, except a line break at its end (and ESC, with colors on).
fn visible(text: &str, colour: bool) -> Cow<'_, str> {
    let (body, end) = text.strip_suffix('\n').map_or((text, ""), |body| (body, "\n"));
    let is_hidden = |char: char| is_control(char) && !(colour && char == '\u{1b}');
    if !body.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in body.chars() {
        if is_hidden(char) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown.push_str(end);
    Cow::Owned(shown)
}

/// Control characters, line and paragraph separators, and marks that change the direction of text.
fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Logs one event with hostile values in every possible place, and returns the output.
    fn logged(colour: bool) -> String {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let writer = {
            let kept = kept.clone();
            move || kept.clone()
        };
        let layer = tracing_subscriber::fmt::layer()
            .fmt_fields(fields())
            .with_ansi(colour)
            .without_time()
            .with_writer(OneLine::new(writer, colour));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let hostile = "a\n2024 ERROR forged\r\0\x1b[31m\u{202e}\u{9b}b";
            let span = tracing::info_span!("request", path = hostile, by = %hostile);
            let _inside = span.enter();
            tracing::info!(kind = %hostile, other = ?hostile, plain = hostile, "got {hostile}");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    // S-4
    #[test]
    fn values_cannot_forge_lines_or_steer_a_terminal() {
        let text = logged(false);
        let body = text.strip_suffix('\n').unwrap();
        assert!(!body.contains(is_control), "{text:?}");
        assert!(body.contains(r"a\n2024 ERROR forged\r"), "{text}");
    }

    // S-4
    #[test]
    fn with_colours_only_the_formatters_own_escapes_are_left() {
        let text = logged(true);
        let body = text.strip_suffix('\n').unwrap();
        assert!(body.contains('\u{1b}') && !body.contains("\u{1b}[31m"), "{text:?}");
        assert!(!body.contains(|char| is_control(char) && char != '\u{1b}'), "{text:?}");
    }
}
