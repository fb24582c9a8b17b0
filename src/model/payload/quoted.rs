//! Valid JSON that the parser cannot represent: numbers beyond a double, and nesting beyond its recursion limit.
//!
//! RFC 8259 sets no limits, so a sender may use either. Such a part becomes a string of its own text: the event is
//! accepted, and the card shows the part as it was written. The scanner does not recurse: depth costs one byte a
//! level.

/// Containers nested deeper than this become text. `serde_json` stops at 127.
const DEEPEST: usize = 100;
/// Numbers larger than this become text: just below the largest double, where parsers may round differently.
const LARGEST: f64 = 1.79e308;

/// `json` with each part quoted that the parser cannot represent. `None` if there is no such part, or if it is not
/// JSON.
#[must_use]
pub fn quoted(json: &str) -> Option<String> {
    let mut walk = JsonWalk { json, at: 0, open: Vec::new(), deep_from: None, copied: 0, out: String::new() };
    walk.run()?;
    if walk.copied == 0 {
        return None;
    }
    walk.out.push_str(&json[walk.copied..]);
    Some(walk.out)
}

/// An open container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Array,
    Object,
}

/// The token that may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    CommaOrEnd,
}

struct JsonWalk<'a> {
    json: &'a str,
    at: usize,
    open: Vec<Open>,
    /// Start of the part that is nested too deep, while inside one.
    deep_from: Option<usize>,
    /// How many bytes of `json` are in `out`.
    copied: usize,
    out: String,
}

impl JsonWalk<'_> {
    /// Scans to the end; `None` if this is not JSON.
    fn run(&mut self) -> Option<()> {
        let mut next = Next::Value;
        loop {
            while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            if next == Next::CommaOrEnd && self.open.is_empty() {
                return self.peek().is_none().then_some(());
            }
            next = self.step(next, self.peek()?)?;
        }
    }

    fn step(&mut self, next: Next, byte: u8) -> Option<Next> {
        match (next, byte) {
            (Next::ValueOrEnd, b']') | (Next::NameOrEnd, b'}') => self.end(byte),
            (Next::Value | Next::ValueOrEnd, _) => self.value(byte),
            (Next::Name | Next::NameOrEnd, _) => {
                self.string()?;
                while self.peek()?.is_ascii_whitespace() {
                    self.at += 1;
                }
                (self.take()? == b':').then_some(Next::Value)
            }
            (Next::CommaOrEnd, b',') => {
                self.at += 1;
                Some(if *self.open.last()? == Open::Array { Next::Value } else { Next::Name })
            }
            (Next::CommaOrEnd, _) => self.end(byte),
        }
    }

    fn value(&mut self, byte: u8) -> Option<Next> {
        match byte {
            b'[' | b'{' => return Some(self.begin(byte)),
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => {
                let word =
                    ["true", "false", "null"].into_iter().find(|word| self.rest().starts_with(word))?;
                self.at += word.len();
            }
        }
        Some(Next::CommaOrEnd)
    }

    fn begin(&mut self, byte: u8) -> Next {
        if self.open.len() == DEEPEST {
            self.deep_from = Some(self.at);
        }
        self.at += 1;
        self.open.push(if byte == b'[' { Open::Array } else { Open::Object });
        if byte == b'[' { Next::ValueOrEnd } else { Next::NameOrEnd }
    }

    fn end(&mut self, byte: u8) -> Option<Next> {
        let open = match byte {
            b']' => Open::Array,
            b'}' => Open::Object,
            _ => return None,
        };
        self.open.pop().filter(|last| *last == open)?;
        self.at += 1;
        if self.open.len() == DEEPEST
            && let Some(from) = self.deep_from.take()
        {
            self.quote(from);
        }
        Some(Next::CommaOrEnd)
    }

    fn string(&mut self) -> Option<()> {
        let from = self.at;
        if self.take()? != b'"' {
            return None;
        }
        loop {
            match self.take()? {
                b'"' => break,
                b'\\' => drop(self.take()?),
                _ => {}
            }
        }
        // The parser itself validates what is not quoted.
        let is_text =
            self.deep_from.is_none() || serde_json::from_str::<String>(&self.json[from..self.at]).is_ok();
        is_text.then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let from = self.at;
        let length = self.rest().bytes().take_while(|byte| is_of_a_number(*byte)).count();
        self.at += length;
        let text = &self.json[from..self.at];
        let number = text.parse::<f64>().ok().filter(|_| is_number(text))?;
        if self.deep_from.is_none() && number.abs() > LARGEST {
            self.quote(from);
        }
        Some(())
    }

    /// Quotes `json` from `from` to the current position.
    fn quote(&mut self, from: usize) {
        self.out.push_str(&self.json[self.copied..from]);
        self.out.push_str(&serde_json::Value::from(&self.json[from..self.at]).to_string());
        self.copied = self.at;
    }

    fn rest(&self) -> &str {
        // Everything that the scanner steps over is ASCII, except the insides of strings, which end with a quote.
        self.json.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

/// Whether what Rust parses as a number is valid in JSON too: Rust also accepts a plus, a leading zero and a bare
/// point.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = digits.starts_with('0') && digits[1..].starts_with(|next: char| next.is_ascii_digit());
    let bare_point = text.ends_with('.') || text.contains(".e") || text.contains(".E");
    digits.starts_with(|first: char| first.is_ascii_digit()) && !leading_zero && !bare_point
}

const fn is_of_a_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[rstest::rstest]
    #[case("1e400", r#""1e400""#)]
    #[case(r#" {"a": -1E+999 , "b":[1,2e308]}"#, r#" {"a": "-1E+999" , "b":[1,"2e308"]}"#)]
    #[case(r#"{"ä\"\\":9e999,"b":"1e400"}"#, r#"{"ä\"\\":"9e999","b":"1e400"}"#)]
    fn a_number_that_is_too_large_becomes_text(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(quoted(json).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_nested_too_deep_becomes_text() {
        let nested = |inner: &str, depth| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(quoted(&nested("1", DEEPEST)), None);
        for depth in [DEEPEST + 1, 127, 500_000] {
            let inside = nested(r#"{"a" : "\"é", "b":[1e400,null]}"#, depth - DEEPEST);
            let expected = nested(&Value::from(inside.as_str()).to_string(), DEEPEST);
            assert!(quoted(&nested(&inside, DEEPEST)) == Some(expected), "{depth}");
        }
    }

    #[rstest::rstest]
    #[case("[1e400")]
    #[case("[1e400}")]
    #[case("[1e400,]")]
    #[case("[01e400]")]
    #[case("[1.e400]")]
    #[case("[+1e400]")]
    #[case("[-]")]
    #[case(r#"{"a":1e400,}"#)]
    #[case(r#"{"a" 1e400}"#)]
    #[case(r#"{"a":1e400} x"#)]
    #[case("[1e400 2]")]
    #[case("[Infinity,1e400]")]
    #[case("")]
    #[case("[1e400,\"")]
    fn what_is_not_json_stays_so(#[case] json: &str) {
        assert_eq!(quoted(json), None);
        let deep = format!("{}{json}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(quoted(&deep).filter(|_| !json.is_empty()), None, "{deep}");
    }

    // A lone surrogate is rejected at any depth.
    #[test]
    fn deep_strings_are_read_as_strictly_as_others() {
        let deep = |text: &str| format!("{}\"{text}\"{}", "[".repeat(200), "]".repeat(200));
        assert!(quoted(&deep("\\ud83d\\ude00")).is_some());
        assert_eq!(quoted(&deep("\\ud800")), None);
        assert_eq!(quoted(&deep("\\x")), None);
        assert_eq!(quoted(&deep("\n")), None);
    }

    proptest! {
        #[test]
        fn nothing_else_is_touched_and_nothing_panics(json in r#"[\[\]{}",:0-9eE.\-+ a-zé\\u]{0,60}"#) {
            if serde_json::from_str::<Value>(&json).is_ok() {
                prop_assert_eq!(quoted(&json), None);
            }
            if let Some(text) = quoted(&json) {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok() || text.contains("\\u"), "{} {}", json, text);
            }
        }
    }
}
