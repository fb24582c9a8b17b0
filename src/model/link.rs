//! URL templates of the platform's own pages, as the operator configured them.

use std::fmt::Write as _;

/// The longest URL that Discord accepts (Discord: embed `url`).
const MAX_URL: usize = 2048;
const PLACE: &str = "{id}";

/// An `http` or `https` URL with `{id}` as the placeholder for an object's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate(String);

impl LinkTemplate {
    /// Parses a template. The error is a sentence for the operator; it never repeats the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let rest = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.get(..scheme.len()).filter(|head| head.eq_ignore_ascii_case(scheme)))
            .map(|head| &text[head.len()..])
            .ok_or("it must start with https:// or http://")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || host.contains(['{', '}']) {
            return Err("it needs a host name before {id}, as in https://example.com/tickets/{id}".to_owned());
        }
        if host.contains(['@', '\\']) {
            return Err("it must not hold a user name or password".to_owned());
        }
        if text.chars().any(|c| !c.is_ascii_graphic() || "<>\"`\\".contains(c)) {
            return Err("it holds a character that is not allowed in a web address".to_owned());
        }
        if !rest.contains(PLACE) {
            return Err(
                "it needs {id} where the id belongs, as in https://example.com/tickets/{id}".to_owned()
            );
        }
        if text.len() > MAX_URL / 2 {
            return Err(format!("it is longer than {} characters", MAX_URL / 2));
        }
        Ok(Self(text.to_owned()))
    }

    /// The URL of the object `id`, which becomes one percent-encoded segment. `None` if no URL can be built: an empty
    /// id, a dot segment (`.`, `..`), or a URL too long for Discord.
    #[must_use]
    pub fn expand(&self, id: &str) -> Option<String> {
        let id = id.trim();
        if matches!(id, "" | "." | "..") || id.len() > MAX_URL {
            return None;
        }
        let url = self.0.replace(PLACE, &segment(id));
        (url.len() <= MAX_URL).then_some(url)
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters: the result is one segment, in a path or in a
/// query.
pub(super) fn segment(id: &str) -> String {
    id.bytes().fold(String::with_capacity(id.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Link targets of card titles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// A ticket's page.
    pub ticket: Option<LinkTemplate>,
    /// An asset's page.
    pub asset: Option<LinkTemplate>,
    /// A machine's page.
    pub machine: Option<LinkTemplate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("https://x.example/tickets/{id}", "a-1", Some("https://x.example/tickets/a-1"))]
    #[case("http://localhost:3000/t?id={id}", "a&b=c", Some("http://localhost:3000/t?id=a%26b%3Dc"))]
    #[case("https://x.example/{id}/edit", "../admin?x#y", Some("https://x.example/..%2Fadmin%3Fx%23y/edit"))]
    #[case("https://x.example/{id}", "ü €", Some("https://x.example/%C3%BC%20%E2%82%AC"))]
    #[case("https://x.example/{id}", "..", None)]
    #[case("https://x.example/{id}", " ", None)]
    fn an_id_stays_one_segment(#[case] template: &str, #[case] id: &str, #[case] expected: Option<&str>) {
        assert_eq!(LinkTemplate::parse(template).unwrap().expand(id).as_deref(), expected);
    }

    #[test]
    fn an_address_too_long_for_discord_is_left_out() {
        let template = LinkTemplate::parse("https://x.example/{id}").unwrap();
        assert_eq!(template.expand(&"€".repeat(300)), None);
        assert_eq!(template.expand(&"x".repeat(1_000_000)), None);
    }

    #[rstest::rstest]
    #[case("javascript:alert(1)//{id}")]
    #[case("ftp://x.example/{id}")]
    #[case("https://{id}/x")]
    #[case("https:///{id}")]
    #[case("https://user:pass@x.example/{id}")]
    #[case("https://x.example/tickets")]
    #[case("https://x.example/a b/{id}")]
    #[case("ü")]
    fn what_is_no_template_is_refused_in_a_sentence(#[case] text: &str) {
        let sentence = LinkTemplate::parse(text).unwrap_err();
        assert!(sentence.starts_with("it ") && !sentence.contains(text), "{sentence}");
    }
}
