//! No, in Discord's words: HTTP status, JSON error code and message.

use serde_json::{Map, Value, json};

/// Why Discord did not do what it was asked (Discord: "JSON Error Codes").
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// 404 without a code: no such route.
    NotFound,
    /// 405 without a code: the route is there, the method is not.
    MethodNotAllowed,
    /// 401: no token, or one that is not valid.
    Unauthorized,
    /// 404: no such channel, or none that the caller could know of.
    UnknownChannel,
    /// 404.
    UnknownGuild,
    /// 404.
    UnknownMember,
    /// 404.
    UnknownMessage,
    /// 404.
    UnknownUser,
    /// 404.
    UnknownRole,
    /// 413: over 25 MiB.
    TooLarge,
    /// 403: the caller may not see that.
    MissingAccess,
    /// 403: a message of somebody else cannot be edited.
    NotTheAuthor,
    /// 400: neither text nor embed nor component.
    EmptyMessage,
    /// 403: the caller may see it, but not do that.
    MissingPermissions,
    /// 400: a reply needs Read Message History.
    NoReplyWithoutHistory,
    /// 400: not JSON.
    InvalidJson,
    /// 400: an API version that is not served.
    InvalidVersion,
    /// 400: what was sent breaks a rule. The tree of Discord's `errors`.
    Form(Map<String, Value>),
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.facts().0
    }

    /// Discord's JSON error code; 0 is the general one.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.facts().1
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let (_, code, message) = self.facts();
        match self {
            Self::Form(errors) => json!({"message": message, "code": code, "errors": errors}),
            _ => json!({"message": message, "code": code}),
        }
    }

    fn facts(&self) -> (u16, u32, &'static str) {
        match self {
            Self::NotFound => (404, 0, "404: Not Found"),
            Self::MethodNotAllowed => (405, 0, "405: Method Not Allowed"),
            Self::Unauthorized => (401, 0, "401: Unauthorized"),
            Self::UnknownChannel => (404, 10003, "Unknown Channel"),
            Self::UnknownGuild => (404, 10004, "Unknown Guild"),
            Self::UnknownMember => (404, 10007, "Unknown Member"),
            Self::UnknownMessage => (404, 10008, "Unknown Message"),
            Self::UnknownRole => (404, 10011, "Unknown Role"),
            Self::UnknownUser => (404, 10013, "Unknown User"),
            Self::TooLarge => (413, 40005, "Request entity too large"),
            Self::MissingAccess => (403, 50001, "Missing Access"),
            Self::NotTheAuthor => (403, 50005, "Cannot edit a message authored by another user"),
            Self::EmptyMessage => (400, 50006, "Cannot send an empty message"),
            Self::MissingPermissions => (403, 50013, "Missing Permissions"),
            Self::Form(_) => (400, 50035, "Invalid Form Body"),
            Self::InvalidVersion => (400, 50041, "Invalid API version"),
            Self::InvalidJson => (400, 50109, "The request body contains invalid JSON."),
            Self::NoReplyWithoutHistory => {
                (400, 160_002, "Cannot reply without permission to read message history")
            }
        }
    }
}
