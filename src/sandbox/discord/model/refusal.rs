//! Refusals in Discord's form: HTTP status, JSON error code and message.

use serde_json::{Map, Value, json};

/// Why Discord refused a request (Discord: "JSON Error Codes").
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// 404 without a code: no such route.
    NotFound,
    /// 405 without a code: the route exists, the method does not.
    MethodNotAllowed,
    /// 401: no token, or an invalid one.
    Unauthorized,
    /// 404: the channel does not exist, or the caller cannot see it.
    UnknownChannel,
    /// 404: no such guild.
    UnknownGuild,
    /// 404: the user is not in the guild.
    UnknownMember,
    /// 404: no such message in the channel.
    UnknownMessage,
    /// 404: no such user.
    UnknownUser,
    /// 404: no such role in the guild.
    UnknownRole,
    /// 400: `@everyone` and managed roles cannot be deleted.
    InvalidRole,
    /// 400: bulk delete takes messages of at most two weeks.
    TooOldToDelete,
    /// 404: no such webhook; also a followup to an unanswered interaction.
    UnknownWebhook,
    /// 400: not an emoji.
    UnknownEmoji,
    /// 404: the interaction is unknown, or its deadline is over.
    UnknownInteraction,
    /// 404: no such command in the scope.
    UnknownCommand,
    /// 404: no overwrite for this role or member.
    UnknownOverwrite,
    /// 403: the application is another bot's.
    NotYourApplication,
    /// 400: the scope has its maximum of commands.
    TooManyCommands,
    /// 400: the channel has its maximum of 15 webhooks.
    TooManyWebhooks,
    /// 403: only people may do that.
    BotsCannot,
    /// 403: only bots may do that.
    PeopleCannot,
    /// 400: an interaction takes only one first answer.
    AlreadyAnswered,
    /// 400: the forum requires a tag on each post.
    TagRequired,
    /// 400: a forum holds threads, not messages.
    ForumNeedsThread,
    /// 400: not a text channel, such as a category.
    NotText,
    /// 400: the operation does not apply to this type of channel.
    WrongChannelKind,
    /// 401: the token is wrong; also an interaction's token after 15 minutes.
    InvalidWebhookToken,
    /// 400: the content of an archived thread cannot be changed.
    ThreadArchived,
    /// 400: the message already has a thread.
    ThreadExists,
    /// 400: the thread is locked.
    ThreadLocked,
    /// 400: a webhook in a forum needs a thread, or the name of a new one.
    ForumWebhookWithoutThread,
    /// 400: a webhook request has both a thread and the name of a new one.
    ForumWebhookWithBoth,
    /// 400: a webhook can open threads in forums only.
    WebhookThreadOutsideForum,
    /// 413: the body is over 25 MiB.
    TooLarge,
    /// 403: the caller cannot see the resource.
    MissingAccess,
    /// 403: another user's message cannot be edited.
    NotTheAuthor,
    /// 400: neither text nor embed nor component.
    EmptyMessage,
    /// 403: the caller can see the resource, but lacks the permission.
    MissingPermissions,
    /// 400: a reply needs Read Message History.
    NoReplyWithoutHistory,
    /// 400: the body is not JSON.
    InvalidJson,
    /// 400: an unsupported API version.
    InvalidVersion,
    /// 400: validation failed; holds Discord's `errors` tree.
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

    /// The JSON body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let (_, code, message) = self.facts();
        match self {
            Self::Form(errors) => json!({"message": message, "code": code, "errors": errors}),
            _ => json!({"message": message, "code": code}),
        }
    }

    /// A form error for one value at `path`, whose parts are separated by dots.
    #[must_use]
    pub fn at(path: &str, code: &str, message: &str) -> Self {
        let leaf = json!({"_errors": [{"code": code, "message": message}]});
        let tree =
            path.rsplit('.').filter(|part| !part.is_empty()).fold(leaf, |inner, part| json!({part: inner}));
        Self::Form(tree.as_object().cloned().unwrap_or_default())
    }

    /// Moves a form error below `key` of an enclosing form.
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
