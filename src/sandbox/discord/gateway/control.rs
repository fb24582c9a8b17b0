//! Gateway control as JSON: commands from the page and from tests in other languages, in place of the handle.

use std::time::Duration;

use serde_json::{Value, json};

use super::Gateway;

/// The longest duration that can be requested, in seconds.
const LONGEST_S: f64 = 86_400.0;

impl Gateway {
    /// Executes the commands of an object, in order: `cut`, `reconnect`, `beat`, `replay` (each `true`), `close` (a
    /// code), `invalidate` (whether sessions stay resumable), `silent` (whether heartbeats stay unanswered),
    /// `down_s`, `heartbeat_ms`, `starts` (`[total, max_concurrency]`), `privileged_intents` (whether they may be
    /// requested), `resume_url`.
    ///
    /// # Errors
    /// Names an unknown command, or what a command expects; the commands before it have been executed.
    pub fn execute(&self, orders: &Value) -> Result<(), String> {
        let orders = orders.as_object().ok_or("an object of orders is wanted")?;
        for (order, value) in orders {
            self.execute_one(order, value).map_err(|wanted| format!("{order}: {wanted}"))?;
        }
        Ok(())
    }

    fn execute_one(&self, order: &str, value: &Value) -> Result<(), &'static str> {
        let yes = || value.as_bool().filter(|yes| *yes).ok_or("true is wanted");
        let whether = || value.as_bool().ok_or("true or false is wanted");
        match order {
            "cut" => yes().map(|_| self.cut_all())?,
            "reconnect" => yes().map(|_| self.reconnect_all())?,
            "beat" => yes().map(|_| self.request_heartbeats())?,
            "replay" => {
                yes().map(|_| self.replay_last_interaction().then_some(()).ok_or("there was none"))??
            }
            "invalidate" => self.invalidate_all(whether()?),
            "silent" => self.stop_acking(whether()?),
            "privileged_intents" => self.allow_privileged_intents(whether()?),
            "close" if value.is_null() => self.close_all_without_code(),
            "close" => {
                let code = value.as_u64().and_then(|code| u16::try_from(code).ok());
                // The codes that an endpoint may send (RFC 6455, section 7.4).
                let code = code.filter(|code| matches!(code, 1000..=1003 | 1007..=1011 | 3000..=4999));
                self.close_all(code.ok_or("a close code is wanted, or null for none")?);
            }
            "down_s" => {
                let seconds = value.as_f64().filter(|seconds| (0.0..=LONGEST_S).contains(seconds));
                self.down_for(Duration::from_secs_f64(seconds.ok_or("seconds are wanted, at most a day")?));
            }
            "heartbeat_ms" => {
                let millis = value.as_u64().filter(|millis| (1..=86_400_000).contains(millis));
                self.set_heartbeat_interval(Duration::from_millis(
                    millis.ok_or("milliseconds are wanted, from 1 to a day")?,
                ));
            }
            "starts" => {
                let number =
                    |at: usize| value.get(at)?.as_u64().and_then(|number| u32::try_from(number).ok());
                let both = number(0).zip(number(1)).filter(|(_, places)| *places > 0);
                let (total, places) = both.ok_or("[total, max_concurrency] is wanted")?;
                self.set_session_start_limit(total, places);
            }
            "resume_url" => self.set_resume_url(value.as_str().ok_or("an address is wanted")?),
            _ => return Err("there is no such order"),
        }
        Ok(())
    }

    /// The gateway's state for the page: counters, ids of the connected sessions, and the last client payloads.
    #[must_use]
    pub fn report(&self) -> Value {
        json!({
            "connections": self.connections(), "sessions": self.sessions(), "identifies": self.identifies(),
            "resumes": self.resumes(), "client_closes": self.client_closes(), "received": self.received(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::sandbox::discord::{Discord, Setup};

    #[test]
    fn orders_are_carried_out_or_refused_with_what_they_want() {
        let gateway = Discord::new(Clock::system(), Setup::default()).gateway();
        let all = json!({
            "cut": true, "reconnect": true, "beat": true, "close": 4000, "invalidate": false, "silent": true,
            "down_s": 1.5, "heartbeat_ms": 1000, "starts": [10, 2], "privileged_intents": true,
            "resume_url": "ws://127.0.0.1:1",
        });
        assert_eq!(gateway.execute(&all), Ok(()));
        assert!(gateway.is_down());
        for (wrong, why) in [
            (json!([]), "an object of orders is wanted"),
            (json!({"cut": false}), "cut: true is wanted"),
            (json!({"replay": true}), "replay: there was none"),
            (json!({"close": 1005}), "close: a close code is wanted, or null for none"),
            (json!({"down_s": -1}), "down_s: seconds are wanted, at most a day"),
            (json!({"heartbeat_ms": 0}), "heartbeat_ms: milliseconds are wanted, from 1 to a day"),
            (json!({"starts": [1, 0]}), "starts: [total, max_concurrency] is wanted"),
            (json!({"explode": true}), "explode: there is no such order"),
        ] {
            assert_eq!(gateway.execute(&wrong), Err(why.to_owned()));
        }
        assert_eq!(gateway.report()["connections"], 0);
    }
}
