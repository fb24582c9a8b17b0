//! The session cookie.
//!
//! It is sent to `/console` only, never to scripts, and never by another site. Where the browser came by HTTPS it is
//! `Secure`, with the prefix that makes browsers insist on that (`__Host-` would need `Path=/`).

use axum::http::{HeaderMap, header};

use crate::model::{CONSOLE_SESSION_LONGEST, ClientScheme, ConsoleToken};

/// Its name over plain HTTP.
const PLAIN: &str = "nuncio_console";
/// Its name over HTTPS.
const SECURE: &str = "__Secure-nuncio_console";
/// The attributes that it always has.
const ATTRIBUTES: &str = "Path=/console; HttpOnly; SameSite=Strict";

/// The `Set-Cookie` header that signs in.
pub(super) fn set(token: &ConsoleToken, scheme: ClientScheme) -> String {
    let (text, longest) = (token.secret().expose(), CONSOLE_SESSION_LONGEST.as_secs());
    match scheme {
        ClientScheme::Https => format!("{SECURE}={text}; {ATTRIBUTES}; Max-Age={longest}; Secure"),
        ClientScheme::Http => format!("{PLAIN}={text}; {ATTRIBUTES}; Max-Age={longest}"),
    }
}

/// The `Set-Cookie` headers that sign out, whatever the scheme was at sign-in.
pub(super) fn unset() -> [String; 2] {
    [format!("{SECURE}=; {ATTRIBUTES}; Max-Age=0; Secure"), format!("{PLAIN}=; {ATTRIBUTES}; Max-Age=0")]
}

/// The token of the request's cookie. Over HTTPS, only the secure one counts: the other can come from a page that was
/// not encrypted. Two cookies of one name are none.
pub(super) fn token(headers: &HeaderMap, scheme: ClientScheme) -> Option<ConsoleToken> {
    let of = |name: &str| {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value);
        let (value, other) = (values.next(), values.next());
        value.filter(|_| other.is_none()).and_then(ConsoleToken::parse)
    };
    match scheme {
        ClientScheme::Https => of(SECURE),
        ClientScheme::Http => of(SECURE).or_else(|| of(PLAIN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_the_scheme_counts_and_two_of_them_are_none() {
        let (one, other) = (ConsoleToken::generate(), ConsoleToken::generate());
        let (plain, secure) =
            (format!("{PLAIN}={}", one.secret().expose()), format!("{SECURE}={}", other.secret().expose()));
        let read = |lines: &[&str], scheme| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, line.parse().unwrap());
            }
            token(&headers, scheme)
        };
        assert_eq!(read(&[&plain], ClientScheme::Http), Some(one));
        assert_eq!(read(&[&plain], ClientScheme::Https), None);
        let both = format!("a=b; {plain}; {secure}");
        assert_eq!(read(&[&both], ClientScheme::Https), Some(other));
        assert_eq!(read(&[&plain, &plain], ClientScheme::Http), None);
        assert_eq!(read(&[&format!("{PLAIN}=short")], ClientScheme::Http), None);
    }
}
