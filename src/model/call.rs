//! Templates of calls to the platform's API, configurable by the operator: a method and a path.

use std::fmt;
use std::str::FromStr;

use crate::model::link::segment;

const PLACE: &str = "{id}";
/// Longer than any real API path; anything longer is a mistake.
const MAX_PATH: usize = 1024;
/// The longest id that goes into a path, in bytes.
const MAX_ID: usize = 512;

/// An HTTP method of the platform's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or performs an action.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The upper-case name used in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(text))
            .ok_or(())
    }
}

/// A method and a path below the API's base URL, with `{id}` as the placeholder for an object's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTemplate {
    method: Method,
    path: String,
}

/// One request target: a method and a path below the API's base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The HTTP method.
    pub method: Method,
    /// Begins with a slash; input from outside is percent-encoded.
    pub path: String,
}

impl CallTemplate {
    /// Parses `POST /v1/machines/{id}/approve`. With `about_one`, `{id}` is required; without it, `{id}` is
    /// forbidden. The error is a sentence for the operator and never repeats the value.
    pub fn parse(text: &str, about_one: bool) -> Result<Self, &'static str> {
        let mut words = text.split_ascii_whitespace();
        let (Some(method), Some(path), None) = (words.next(), words.next(), words.next()) else {
            return Err("it must be a method and a path with a space between");
        };
        let method = method
            .parse()
            .ok()
            .filter(|method| *method != Method::Get)
            .ok_or("its method must be POST, PUT, PATCH or DELETE")?;
        if !path.starts_with('/') || path.starts_with("//") {
            return Err("its path must begin with one /");
        }
        let plain = path.replace(PLACE, "");
        if path.len() > MAX_PATH
            || plain.bytes().any(|byte| !byte.is_ascii_graphic() || b"{}\\\"<>#^`|".contains(&byte))
        {
            return Err("its path holds a character that is not allowed in a path");
        }
        if path.split(['/', '?']).any(|segment| matches!(segment, "." | "..")) {
            return Err("its path must not contain . or .. as a part");
        }
        match (about_one, path.contains(PLACE)) {
            (true, false) => Err("its path needs {id} where the id belongs"),
            (false, true) => Err("its path must not hold {id}: a new ticket has no id yet"),
            _ => Ok(Self { method, path: path.to_owned() }),
        }
    }

    /// The endpoint of a call about the object `id`, which becomes one percent-encoded segment. `None` if no path can
    /// be built: an empty id, a dot segment (`.`, `..`), or one longer than 512 bytes.
    #[must_use]
    pub fn about(&self, id: &str) -> Option<Endpoint> {
        Some(Endpoint { method: self.method, path: self.path.replace(PLACE, &one_segment(id)?) })
    }

    /// The endpoint of a call that creates something and so has no id.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { method: self.method, path: self.path.clone() }
    }
}

impl Endpoint {
    /// `<path>/<id><rest>`, with the id as one percent-encoded segment. `None` if no path can be built.
    #[must_use]
    pub fn below(method: Method, path: &str, id: &str, rest: &str) -> Option<Self> {
        Some(Self { method, path: format!("{path}/{}{rest}", one_segment(id)?) })
    }
}

fn one_segment(id: &str) -> Option<String> {
    let id = id.trim();
    (!matches!(id, "" | "." | "..") && id.len() <= MAX_ID).then(|| segment(id))
}

impl fmt::Display for CallTemplate {
    /// For example `POST /v1/machines/{id}/approve`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The API calls that decisions and tickets turn into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Approves a machine.
    pub approve: CallTemplate,
    /// Denies a machine.
    pub deny: CallTemplate,
    /// Creates a ticket.
    pub create_ticket: CallTemplate,
    /// Updates a ticket.
    pub update_ticket: CallTemplate,
}

impl Default for Calls {
    fn default() -> Self {
        let call = |method, path: &str| CallTemplate { method, path: path.to_owned() };
        Self {
            approve: call(Method::Post, "/v1/machines/{id}/approve"),
            deny: call(Method::Post, "/v1/machines/{id}/deny"),
            create_ticket: call(Method::Post, "/v1/tickets"),
            update_ticket: call(Method::Put, "/v1/tickets/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("POST /v1/machines/{id}/approve", "a-1", Some("POST /v1/machines/a-1/approve"))]
    #[case("put /m/{id}", "../x?y#z", Some("PUT /m/..%2Fx%3Fy%23z"))]
    #[case("PATCH /m?id={id}", "ü b", Some("PATCH /m?id=%C3%BC%20b"))]
    #[case("POST /m/{id}", "a/b", Some("POST /m/a%2Fb"))]
    #[case("POST /m/{id}", "%2e%2e", Some("POST /m/%252e%252e"))]
    #[case("POST /m/{id}", "", None)]
    #[case("POST /m/{id}", " .. ", None)]
    #[case("POST /m/{id}", ".", None)]
    fn an_id_stays_one_segment(#[case] template: &str, #[case] id: &str, #[case] expected: Option<&str>) {
        let template = CallTemplate::parse(template, true).unwrap();
        assert_eq!(template.about(id).map(|endpoint| endpoint.to_string()).as_deref(), expected);
    }

    #[rstest::rstest]
    #[case("/v1/machines/{id}")]
    #[case("POST v1/machines/{id}")]
    #[case("POST //evil.example/{id}")]
    #[case("POST http://evil.example/{id}")]
    #[case("GET /v1/machines/{id}")]
    #[case("BREW /v1/machines/{id}")]
    #[case("POST /v1/machines")]
    #[case("POST /v1/../{id}")]
    #[case("POST /v1/{id}/{name}")]
    #[case("POST /v1/{id} x")]
    #[case("POST /v1/{id}#x")]
    #[case("POST /ü/{id}")]
    fn what_is_no_call_is_refused_in_a_sentence(#[case] text: &str) {
        let sentence = CallTemplate::parse(text, true).unwrap_err();
        assert!(sentence.starts_with("it") && !sentence.contains(text), "{sentence}");
    }

    #[test]
    fn what_makes_something_has_no_id_yet() {
        assert!(CallTemplate::parse("POST /v1/tickets/{id}", false).is_err());
        let template = CallTemplate::parse("POST /v1/tickets", false).unwrap();
        assert_eq!(template.endpoint().to_string(), "POST /v1/tickets");
    }

    #[test]
    fn the_defaults_are_what_an_operator_could_write() {
        let calls = Calls::default();
        for template in [&calls.approve, &calls.deny, &calls.update_ticket] {
            assert_eq!(CallTemplate::parse(&template.to_string(), true).as_ref(), Ok(template));
        }
        assert_eq!(CallTemplate::parse(&calls.create_ticket.to_string(), false), Ok(calls.create_ticket));
    }
}
