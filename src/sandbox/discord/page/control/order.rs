//! Execution of single control commands.

use std::time::Duration;

use serde_json::Value;

use crate::sandbox::Snowflake;
use crate::sandbox::discord::{Dialect, Discord, Fault, Permission, Permissions, RateLimits};

/// The longest duration that can be requested, in seconds.
const LONGEST: f64 = 86_400.0;

impl Discord {
    /// Executes one command; the error describes what is wrong with it.
    pub(super) fn execute(&self, order: &str, value: &Value) -> Result<(), String> {
        let seconds = || seconds(value).ok_or("a number of seconds, at most a day");
        let known = |known: bool| known.then_some(()).ok_or("there is no such thing");
        match order {
            "fail" => {
                let count = value["n"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
                let fault = fault(value)?;
                match (value["on"].as_str(), value["about"].as_str()) {
                    (part, Some(text)) => {
                        self.faults().next_about(part.unwrap_or_default(), text, count, fault)
                    }
                    (Some(part), None) => self.faults().next_on(part, count, fault),
                    (None, None) => self.faults().next(count, fault),
                }
            }
            "storm" => {
                let share = value["share"].as_f64().filter(|share| (0.0..=1.0).contains(share));
                let share = share.ok_or("share: a number from 0 to 1")?;
                let span = seconds_of(value)?;
                let seed = value["seed"].as_u64().unwrap_or_default();
                let part = value["on"].as_str().unwrap_or_default();
                match value["foreign"].as_bool() {
                    Some(true) => self.faults().foreign_storm(seed, part, share, span),
                    _ => self.faults().storm(seed, part, share, span),
                }
            }
            "limits" => self.set_rate_limits(match value.as_str() {
                Some("default") => RateLimits::default(),
                Some("none") => RateLimits::unlimited(),
                _ => return Err("default or none".to_owned()),
            }),
            "nonce_window_s" => self.set_nonce_window(seconds()?),
            "add_channel" => {
                let one = std::slice::from_ref(value);
                for name in value.as_array().map_or(one, Vec::as_slice) {
                    self.add_channel(name.as_str().ok_or("a name, or a list of names")?);
                }
            }
            "deny" | "allow" => {
                let channel = self.place(&value["channel"]).ok_or("channel: a name or an id")?;
                let word = value["permission"].as_str().unwrap_or_default();
                let permission = permission(word).ok_or("permission: no such one")?;
                match order {
                    "deny" => self.deny(channel, permission),
                    _ => self.allow(channel, permission),
                }
            }
            "clear" => self.faults().clear(),
            "break_s" => self.faults().break_for(seconds()?),
            "ban_s" => self.ban_for(seconds()?),
            "advance_s" => self.clock().advance(seconds()?),
            "kick_bot" => self.kick_bot(),
            "invite_bot" => {
                let bits = value.as_str().and_then(|bits| bits.parse().ok());
                self.invite_back(Permissions::from_bits(bits.ok_or("the permissions: a number, in a text")?));
            }
            "delete_channel" => {
                let id = self.place(value);
                known(id.is_some_and(|id| self.delete_channel(id)))?;
            }
            "delete_webhook" => {
                let id = id(value).unwrap_or_else(|| self.webhook_id());
                known(self.delete_webhook(id))?;
            }
            "gateway" => self.gateway().execute(value)?,
            "dialect" | "manner" => self.behave(match value.as_str() {
                Some("discord") => Dialect::Discord,
                Some("others") => Dialect::Others,
                _ => return Err("discord or others".to_owned()),
            }),
            "distort" => self.distort_interactions((!value.is_null()).then(|| value.clone())),
            "revoke_token" => self.revoke_token(),
            "restore_token" => self.restore_token(),
            "replay_interaction" => known(self.replay_interaction(id(value)))?,
            _ => return Err("no such order".to_owned()),
        }
        Ok(())
    }

    /// A channel by its name or id.
    fn place(&self, value: &Value) -> Option<Snowflake> {
        let name = value.as_str()?;
        self.channel_id(name).or_else(|| name.parse().ok())
    }
}

/// A permission that the bot needs, by the name of [`Permission`] in snake case.
fn permission(word: &str) -> Option<Permission> {
    match word {
        "view_channel" => Some(Permission::ViewChannel),
        "send_messages" => Some(Permission::SendMessages),
        "embed_links" => Some(Permission::EmbedLinks),
        "read_message_history" => Some(Permission::ReadMessageHistory),
        _ => None,
    }
}

fn id(value: &Value) -> Option<Snowflake> {
    value.as_str().and_then(|id| id.parse().ok())
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().filter(|seconds| (0.0..=LONGEST).contains(seconds))?;
    Some(Duration::from_secs_f64(seconds))
}

fn seconds_of(value: &Value) -> Result<Duration, &'static str> {
    seconds(&value["seconds"]).ok_or("seconds: a number, at most a day")
}

fn headers(value: &Value) -> Vec<(String, String)> {
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    value["headers"].as_object().into_iter().flatten().filter_map(pair).collect()
}

/// The fault: by its `kind`, or, without one, a status.
fn fault(value: &Value) -> Result<Fault, &'static str> {
    let span = || seconds_of(value);
    let message = value["message"].as_str().unwrap_or("Something is wrong");
    Ok(match value["kind"].as_str() {
        None | Some("status") => {
            let status = value["status"].as_u64().unwrap_or(500);
            let status = u16::try_from(status).ok().filter(|status| (200..600).contains(status));
            let status = status.ok_or("status: a number from 200 to 599")?;
            let code = value["code"].as_u64().and_then(|code| u32::try_from(code).ok());
            match code {
                _ if value["headers"].is_object() || value["body"].is_string() => {
                    let body = value["body"].as_str().unwrap_or_default().to_owned();
                    Fault::Status { status, headers: headers(value), body }
                }
                Some(code) => Fault::refusal(status, code, message),
                None if status == 429 => {
                    Fault::rate_limited(span()?, value["scope"].as_str().unwrap_or("user"))
                }
                None => Fault::status(status),
            }
        }
        Some("delay") => Fault::Delay(span()?),
        Some("slow") => Fault::Slow(span()?),
        Some("cut_before") => Fault::CutBefore,
        Some("cut_after") => Fault::CutAfter,
        Some("hang_after") => Fault::HangAfter,
        // The second of two words is the fault's earlier name.
        Some("wrong_body" | "garbage") => Fault::WrongBody,
        Some("truncated") => Fault::Truncated,
        Some("stale") => Fault::Stale,
        Some("false_success" | "pretended") => Fault::FalseSuccess,
        Some("wrong_headers" | "lying") => Fault::WrongHeaders(headers(value)),
        Some(_) => {
            return Err(
                "kind: status, delay, slow, cut_before, cut_after, hang_after, wrong_body, wrong_headers, truncated, stale or \
                 false_success",
            );
        }
    })
}
