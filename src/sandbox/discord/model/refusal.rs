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
    /// 400: `@everyone` and the roles of bots are not deleted.
    InvalidRole,
    /// 400: two weeks are the most.
    TooOldToDelete,
    /// 404: also a followup to an interaction that was not answered.
    UnknownWebhook,
    /// 400.
    UnknownEmoji,
    /// 404: unknown, or not answered in time.
    UnknownInteraction,
    /// 404.
    UnknownCommand,
    /// 404.
    UnknownOverwrite,
    /// 403.
    NotYourApplication,
    /// 400.
    TooManyCommands,
    /// 400: 15 in the channel.
    TooManyWebhooks,
    /// 403: only people do that.
    BotsCannot,
    /// 403: only bots do that.
    PeopleCannot,
    /// 400: an interaction is answered once.
    AlreadyAnswered,
    /// 400.
    TagRequired,
    /// 400: a forum holds threads, not messages.
    ForumNeedsThread,
    /// 400: a category and the like.
    NotText,
    /// 400.
    WrongChannelKind,
    /// 401: also the token of an interaction after 15 minutes.
    InvalidWebhookToken,
    /// 400: what is in an archived thread cannot be changed.
    ThreadArchived,
    /// 400: a message has one thread.
    ThreadExists,
    /// 400.
    ThreadLocked,
    /// 400.
    ForumWebhookWithoutThread,
    /// 400.
    ForumWebhookWithBoth,
    /// 400.
    WebhookThreadOutsideForum,
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

    /// A form of which one thing is wrong: what stands at `path`, its parts with dots between.
    #[must_use]
    pub fn at(path: &str, code: &str, message: &str) -> Self {
        let leaf = json!({"_errors": [{"code": code, "message": message}]});
        let tree =
            path.rsplit('.').filter(|part| !part.is_empty()).fold(leaf, |inner, part| json!({part: inner}));
        Self::Form(tree.as_object().cloned().unwrap_or_default())
    }

    /// The same for a form that stands at `key` of a greater one.
    #[must_use]
    pub fn within(self, key: &str) -> Self {
        match self {
            Self::Form(errors) => Self::Form(Map::from_iter([(key.to_owned(), errors.into())])),
            other => other,
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
            Self::UnknownWebhook => (404, 10015, "Unknown Webhook"),
            Self::UnknownEmoji => (400, 10014, "Unknown Emoji"),
            Self::UnknownInteraction => (404, 10062, "Unknown interaction"),
            Self::UnknownCommand => (404, 10063, "Unknown application command"),
            Self::UnknownOverwrite => (404, 10009, "Unknown permission overwrite"),
            Self::NotYourApplication => {
                (403, 20012, "You are not authorized to perform this action on this application")
            }
            Self::TooManyCommands => (400, 30032, "Maximum number of application commands reached (100)"),
            Self::TooManyWebhooks => (400, 30007, "Maximum number of webhooks reached (15)"),
            Self::BotsCannot => (403, 20001, "Bots cannot use this endpoint"),
            Self::PeopleCannot => (403, 20002, "Only bots can use this endpoint"),
            Self::AlreadyAnswered => (400, 40060, "Interaction has already been acknowledged."),
            Self::TagRequired => (400, 40067, "A tag is required to create a forum post in this channel"),
            Self::ForumNeedsThread => (400, 40058, "Cannot send a message in a forum channel"),
            Self::NotText => (400, 50008, "Cannot send messages in a non-text channel"),
            Self::WrongChannelKind => (400, 50024, "Cannot execute action on this channel type"),
            Self::InvalidWebhookToken => (401, 50027, "Invalid Webhook Token"),
            Self::ThreadArchived => (400, 50083, "Thread is archived"),
            Self::ThreadExists => (400, 160_004, "A thread has already been created for this message"),
            Self::ThreadLocked => (400, 160_005, "Thread is locked"),
            Self::ForumWebhookWithoutThread => {
                (400, 220_001, "Webhooks posted to forum channels must have a thread_name or thread_id")
            }
            Self::ForumWebhookWithBoth => (
                400,
                220_002,
                "Webhooks posted to forum channels cannot have both a thread_name and thread_id",
            ),
            Self::WebhookThreadOutsideForum => {
                (400, 220_003, "Webhooks can only create threads in forum channels")
            }
            Self::TooLarge => (413, 40005, "Request entity too large"),
            Self::MissingAccess => (403, 50001, "Missing Access"),
            Self::NotTheAuthor => (403, 50005, "Cannot edit a message authored by another user"),
            Self::EmptyMessage => (400, 50006, "Cannot send an empty message"),
            Self::MissingPermissions => (403, 50013, "Missing Permissions"),
            Self::InvalidRole => (400, 50028, "Invalid Role"),
            Self::TooOldToDelete => {
                (400, 50034, "You can only bulk delete messages that are under 14 days old.")
            }
            Self::Form(_) => (400, 50035, "Invalid Form Body"),
            Self::InvalidVersion => (400, 50041, "Invalid API version"),
            Self::InvalidJson => (400, 50109, "The request body contains invalid JSON."),
            Self::NoReplyWithoutHistory => {
                (400, 160_002, "Cannot reply without permission to read message history")
            }
        }
    }
}
