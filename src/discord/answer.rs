//! What Discord answers: which status and code comes to which outcome.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

use crate::discord::code::{Meaning, meaning, webhook_meaning};
use crate::discord::limits::{self, Heard};
use crate::model::{Arrived, Outcome, PauseScope, Reason, Receipt, Snowflake, WebhookUrl};
use crate::outgoing;

/// How much of an answer is read. Messages are far smaller; an endless one must not fill the memory.
const READ_LIMIT: usize = 1024 * 1024;
/// How much of a refusal is kept for the operator.
const KEEP: usize = 500;
/// How long everything waits when an answer does not come from Discord's API but from the wall before it.
const WALL: Duration = Duration::from_secs(60);
/// How long nothing is sent with a token that was refused.
const TOKEN_REFUSED: Duration = Duration::from_secs(3600);
/// How long a request without an answer may have been on its way.
pub const NO_ANSWER_LIMIT: Duration = super::wire::DEADLINE;

/// A request that did not bring what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Failure {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Discord's own error code, if it gave one.
    pub code: Option<u64>,
    /// What it means for whoever asked.
    pub outcome: Outcome,
    sentence: String,
}

impl Failure {
    pub(super) fn network(error: reqwest::Error) -> Self {
        let outcome = Outcome::Retry { after: None, arrived: Arrived::No };
        Self { status: None, code: None, outcome, sentence: sentence(&error) }
    }

    /// It was not even asked: the gate is shut.
    #[must_use]
    pub fn shut(wait: Duration) -> Self {
        let after = wait.clamp(limits::SHORTEST, limits::LONGEST);
        let sentence = "nothing is asked of Discord at the moment: it wanted to be left alone".to_owned();
        Self { status: None, code: None, outcome: pause(PauseScope::Address, after), sentence }
    }
}

/// One answer, read to its end or to [`READ_LIMIT`].
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    json: Option<Value>,
}

impl Answer {
    /// Reads `response`. What could not be read is left out: the status counts all the same.
    pub(super) async fn read(mut response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk[..chunk.len().min(READ_LIMIT - body.len())]);
            if body.len() == READ_LIMIT {
                break;
            }
        }
        Self::of(status, headers, body)
    }

    /// One of these parts.
    pub(super) fn of(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&body).ok();
        Self { status, headers, body, json }
    }

    pub(super) fn code(&self) -> Option<u64> {
        self.json.as_ref()?.get("code")?.as_u64()
    }

    /// The first few hundred bytes of a refusal.
    pub(super) fn excerpt(&self) -> Vec<u8> {
        self.body[..self.body.len().min(KEEP)].to_vec()
    }

    /// What this answer to "Create Message" comes to.
    pub(super) fn outcome(&self, channel: Snowflake) -> Outcome {
        match (self.status, self.code()) {
            // A 2xx that cannot be read was still sent: taking it for an error would post twice.
            (200..=299, _) => Outcome::Sent(Receipt { channel, message: self.message_id() }),
            // The message with this nonce was there and has been deleted: it was delivered.
            (404, Some(10008)) => Outcome::Sent(Receipt { channel, message: None }),
            _ => self.trouble(),
        }
    }

    /// What an answer comes to that is not a success.
    pub(super) fn trouble(&self) -> Outcome {
        let after = limits::retry_after(&self.headers, self.json.as_ref());
        match (self.status, self.code().and_then(meaning)) {
            (429, _) if self.json.is_none() => pause(PauseScope::Address, after.unwrap_or(WALL).max(WALL)),
            (429, _) if limits::is_global(&self.headers, self.json.as_ref()) => {
                pause(PauseScope::Address, after.unwrap_or(WALL))
            }
            (429, _) => Outcome::Retry { after, arrived: Arrived::No },
            (500..=599 | 408, _) => Outcome::Retry { after, arrived: Arrived::Maybe },
            (400..=499, Some(Meaning::Closed(why))) => Outcome::Closed(Reason::new(why)),
            (400..=499, Some(Meaning::Denied)) => Outcome::Denied(self.reason()),
            (400..=499, Some(Meaning::Later)) => {
                Outcome::Retry { after: Some(after.unwrap_or(WALL)), arrived: Arrived::No }
            }
            (400..=499, Some(Meaning::Wall)) => pause(PauseScope::Address, after.unwrap_or(WALL).max(WALL)),
            (401, _) => pause(PauseScope::Account, TOKEN_REFUSED),
            (403, None) if self.code().is_none() => {
                pause(PauseScope::Address, after.unwrap_or(WALL).max(WALL))
            }
            (403, None) => Outcome::Denied(self.reason()),
            (404 | 300..=399, None) => Outcome::Retry { after: Some(WALL), arrived: Arrived::No },
            _ => Outcome::Refused(self.reason()),
        }
    }

    /// Whether Discord counts it towards a ban of the address (Discord: "Invalid Request Limit").
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.status, 401 | 403) || (self.status == 429 && !limits::is_shared(&self.headers))
    }

    /// What it says about its bucket. A wait that is asked of everybody is the gate's.
    pub(super) fn heard(&self) -> Heard {
        let is_global = limits::is_global(&self.headers, self.json.as_ref());
        let blocked = match self.status {
            429 if !is_global && self.json.is_some() => {
                limits::retry_after(&self.headers, self.json.as_ref())
            }
            _ => None,
        };
        Heard { blocked, ..Heard::read(&self.headers) }
    }

    /// What this answer to "Edit Message" comes to.
    pub(super) fn edit_outcome(&self, channel: Snowflake, message: Snowflake) -> Outcome {
        match (self.status, self.code()) {
            (200..=299, _) => Outcome::Sent(Receipt { channel, message: Some(message) }),
            // Deleted; another one's; too many edits of an old message; in a thread that is archived, where posting
            // opens it again.
            (_, Some(10008 | 50005 | 30046 | 50083)) => Outcome::Uneditable(self.reason()),
            // Spacebar says only so much of a message that is gone. Discord knows no such code.
            (404, Some(404)) => Outcome::Uneditable(self.reason()),
            _ => self.outcome(channel),
        }
    }

    /// What this answer to "Execute Webhook" comes to. What is wrong with the address says nothing about the bot's token.
    pub(super) fn webhook_outcome(&self, url: &WebhookUrl) -> Outcome {
        match (self.status, webhook_meaning(self.status, self.code())) {
            (200..=299, _) => {
                // Where its channel cannot be read, the webhook stands for it.
                let channel = self.id("channel_id").or(url.thread()).unwrap_or(url.id());
                Outcome::Sent(Receipt { channel, message: self.message_id() })
            }
            (_, Some(why)) => Outcome::Closed(Reason::new(why)),
            _ => self.trouble(),
        }
    }

    /// What this answer to "Edit Webhook Message" comes to.
    pub(super) fn webhook_edit_outcome(&self, url: &WebhookUrl, message: Snowflake) -> Outcome {
        match (self.webhook_outcome(url), self.code()) {
            (Outcome::Sent(receipt), _) => Outcome::Sent(Receipt { message: Some(message), ..receipt }),
            (_, Some(10008 | 50005 | 30046 | 50083)) => Outcome::Uneditable(self.reason()),
            (outcome, _) => outcome,
        }
    }

    fn message_id(&self) -> Option<Snowflake> {
        self.id("id")
    }

    fn id(&self, key: &str) -> Option<Snowflake> {
        id_of(self.json.as_ref()?.get(key)?)
    }

    /// "400 50035 Invalid Form Body", with Discord's own explanation as far as it fits.
    pub(super) fn reason(&self) -> Reason {
        let code = self.code().map(|code| format!(" {code}")).unwrap_or_default();
        let text = match &self.json {
            Some(json) => {
                let message = json.get("message").and_then(Value::as_str).unwrap_or("no explanation");
                let errors = json.get("errors").map(|errors| format!(" {errors}")).unwrap_or_default();
                format!("{message}{errors}")
            }
            None => String::from_utf8_lossy(&self.body).into_owned(),
        };
        let text: String = text.chars().filter(|c| !c.is_control()).take(KEEP).collect();
        Reason::new(format!("Discord answered {}{code}: {text}", self.status))
    }
}

/// What it comes to when there was no answer at all.
pub(super) fn no_answer(error: &reqwest::Error) -> Outcome {
    // What never connected cannot have arrived; everything after that may have.
    let arrived = if error.is_connect() || error.is_builder() { Arrived::No } else { Arrived::Maybe };
    Outcome::Retry { after: None, arrived }
}

/// A network error in words, without the address it went to.
pub(super) fn sentence(error: &reqwest::Error) -> String {
    outgoing::cause(error)
}

/// An id, which Discord writes as text and others as a number.
pub(super) fn id_of(value: &Value) -> Option<Snowflake> {
    let number = value.as_u64().map(|id| id.to_string());
    number.as_deref().or_else(|| value.as_str())?.parse().ok()
}

/// The same, for serde.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Snowflake, D::Error> {
    id_of(&Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no id"))
}

/// Whether an answer is a success.
pub(super) fn success(answer: &Answer) -> Result<(), Failure> {
    if (200..=299).contains(&answer.status) {
        return Ok(());
    }
    let (outcome, sentence) = (answer.trouble(), answer.reason().to_string());
    Err(Failure { status: Some(answer.status), code: answer.code(), outcome, sentence })
}

/// The JSON of a successful answer.
pub(super) fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    success(answer)?;
    serde_json::from_slice(&answer.body).map_err(|error| Failure {
        status: Some(answer.status),
        code: None,
        outcome: Outcome::Retry { after: None, arrived: Arrived::No },
        sentence: format!("Discord's answer cannot be read: {error}"),
    })
}

fn pause(scope: PauseScope, after: Duration) -> Outcome {
    Outcome::Paused { scope, after }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: Snowflake = Snowflake::new(9);

    fn answer(status: u16, body: &str) -> Outcome {
        Answer::of(status, HeaderMap::new(), body.into()).outcome(CHANNEL)
    }

    // N-5
    #[rstest::rstest]
    #[case(200, r#"{"id":"7"}"#, "sent")]
    #[case(200, "<html>", "sent")]
    #[case(200, r#"{"code":10003}"#, "sent")]
    #[case(204, "", "sent")]
    #[case(404, r#"{"code":10008}"#, "sent")]
    #[case(400, r#"{"code":50035}"#, "refused")]
    #[case(400, r#"{"code":50006}"#, "refused")]
    #[case(413, r#"{"code":40005}"#, "refused")]
    #[case(413, "<html>too large</html>", "refused")]
    #[case(418, "", "refused")]
    #[case(401, r#"{"code":0}"#, "paused")]
    #[case(401, r#"{"code":50027}"#, "closed")]
    #[case(403, r#"{"code":50013}"#, "denied")]
    #[case(403, r#"{"code":50001}"#, "denied")]
    #[case(403, r#"{"code":99999}"#, "denied")]
    #[case(400, r#"{"code":160006}"#, "denied")]
    #[case(403, r#"{"code":40333}"#, "paused")]
    #[case(403, "<html>banned</html>", "paused")]
    #[case(404, r#"{"code":10003}"#, "closed")]
    #[case(404, r#"{"code":10004}"#, "closed")]
    #[case(404, r#"{"code":10015}"#, "closed")]
    #[case(400, r#"{"code":50008}"#, "closed")]
    #[case(400, r#"{"code":50024}"#, "closed")]
    #[case(400, r#"{"code":40058}"#, "closed")]
    #[case(400, r#"{"code":220001}"#, "closed")]
    #[case(400, r#"{"code":50083}"#, "closed")]
    #[case(403, r#"{"code":160005}"#, "closed")]
    #[case(404, r#"{"code":0}"#, "retry")]
    #[case(404, "<html>a proxy's page</html>", "retry")]
    #[case(403, r#"{"code":20016}"#, "retry")]
    #[case(429, r#"{"retry_after":1}"#, "retry")]
    #[case(429, r#"{"retry_after":1,"code":20028}"#, "retry")]
    #[case(429, r#"{"retry_after":1,"code":30046}"#, "retry")]
    #[case(429, r#"{"retry_after":1,"global":true}"#, "paused")]
    #[case(429, "error code: 1015", "paused")]
    #[case(408, "", "ambiguous")]
    #[case(500, "", "ambiguous")]
    #[case(502, "<html>", "ambiguous")]
    #[case(503, r#"{"code":130000}"#, "ambiguous")]
    #[case(302, "", "retry")]
    fn every_answer_has_its_outcome(#[case] status: u16, #[case] body: &str, #[case] class: &str) {
        assert_eq!(answer(status, body).class(), class);
    }

    #[rstest::rstest]
    #[case(200, r#"{"id":"7"}"#, "sent")]
    #[case(404, r#"{"code":10008}"#, "uneditable")]
    #[case(403, r#"{"code":50005}"#, "uneditable")]
    #[case(429, r#"{"code":30046}"#, "uneditable")]
    #[case(400, r#"{"code":50083}"#, "uneditable")]
    #[case(400, r#"{"code":50035}"#, "refused")]
    #[case(404, r#"{"code":10003}"#, "closed")]
    #[case(429, r#"{"retry_after":1}"#, "retry")]
    #[case(500, "", "ambiguous")]
    fn an_edit_has_outcomes_of_its_own(#[case] status: u16, #[case] body: &str, #[case] class: &str) {
        let json = serde_json::from_str(body).ok();
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), json };
        assert_eq!(answer.edit_outcome(CHANNEL, Snowflake::new(7)).class(), class);
    }

    #[test]
    fn a_refusal_tells_what_discord_said() {
        let Outcome::Refused(reason) =
            answer(400, r#"{"code":50035,"message":"Invalid Form Body","errors":{"embeds":{}}}"#)
        else {
            panic!("not refused");
        };
        assert_eq!(reason.as_str(), r#"Discord answered 400 50035: Invalid Form Body {"embeds":{}}"#);
    }

    // N-5, D-12
    #[rstest::rstest]
    #[case(200, r#"{"id":"7","channel_id":"8"}"#, "sent", "sent")]
    #[case(200, "<html>", "sent", "sent")]
    #[case(204, "", "sent", "sent")]
    #[case(404, r#"{"code":10015}"#, "closed", "closed")]
    #[case(404, r#"{"code":10003}"#, "closed", "closed")]
    #[case(404, "", "closed", "closed")]
    #[case(401, r#"{"code":50027}"#, "closed", "closed")]
    #[case(401, r#"{"code":0}"#, "closed", "closed")]
    #[case(401, "", "closed", "closed")]
    #[case(400, r#"{"code":220001}"#, "closed", "closed")]
    #[case(404, r#"{"code":10008}"#, "closed", "uneditable")]
    #[case(400, r#"{"code":50083}"#, "closed", "uneditable")]
    #[case(403, r#"{"code":50005}"#, "denied", "uneditable")]
    #[case(403, r#"{"code":50013}"#, "denied", "denied")]
    #[case(403, "<html>", "paused", "paused")]
    #[case(400, r#"{"code":50035}"#, "refused", "refused")]
    #[case(429, r#"{"retry_after":1}"#, "retry", "retry")]
    #[case(500, "", "ambiguous", "ambiguous")]
    fn a_webhook_has_outcomes_of_its_own(
        #[case] status: u16,
        #[case] body: &str,
        #[case] posted: &str,
        #[case] edited: &str,
    ) {
        let token = "t".repeat(68);
        let url = format!("https://discord.com/api/webhooks/1200000000000000001/{token}");
        let url = WebhookUrl::parse(&url, "").unwrap();
        let answer = Answer::of(status, HeaderMap::new(), body.as_bytes().to_vec());
        assert_eq!(answer.webhook_outcome(&url).class(), posted);
        assert_eq!(answer.webhook_edit_outcome(&url, Snowflake::new(7)).class(), edited);
    }
}
