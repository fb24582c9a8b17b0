//! Sign-in to the console as use cases: one-time links from the shell, sessions, and their end.
//!
//! There is no password. Whoever may read the database and its key makes a link, and whoever opens that first has a
//! session in that person's name.

use crate::clock::Timestamp;
use crate::hub::Hub;
use crate::hub::error::Result;
use crate::model::{Actor, By, ConsoleSession, ConsoleToken};
use crate::store::{self, EndedSessions};

/// Suffix of the names of people at the shell.
const AT_SHELL: &str = " (command line)";

impl Hub {
    /// Makes a one-time link to the console.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::hub::Error::Forbidden).
    pub async fn console_link(&self, by: &By) -> Result<ConsoleToken> {
        self.authorize(by, "console").await?;
        let link = ConsoleToken::generate();
        self.0
            .store
            .add_console_link(&link, session_name(&by.actor), self.session_time(), by.clone())
            .await?;
        Ok(link)
    }

    /// Exchanges a one-time link for a session with a new cookie. The session of the cookie `before` ends. `None` if the
    /// link was used, is too old, or never was one.
    pub async fn exchange_console_link(
        &self,
        link: &str,
        before: Option<&ConsoleToken>,
    ) -> store::Result<Option<(ConsoleSession, ConsoleToken)>> {
        let Some(link) = ConsoleToken::parse(link) else { return Ok(None) };
        if !self.0.store.has_console_link(&link).await? {
            return Ok(None);
        }
        let token = ConsoleToken::generate();
        let exchanged =
            self.0.store.exchange_console_link(&link, &token, before, self.session_time()).await?;
        Ok(exchanged.map(|session| (session, token)))
    }

    /// The session of this cookie; `None` if it ended.
    pub async fn console_session(&self, token: &ConsoleToken) -> store::Result<Option<ConsoleSession>> {
        let now = self.session_time();
        let found = self.0.store.console_session(token).await?.filter(|session| !session.is_over(now));
        if let Some(session) = found.as_ref().filter(|session| now.since(session.used_at).as_secs() >= 60) {
            self.0.store.note_console_session_used(session.id, now);
        }
        Ok(found)
    }

    /// Ends sessions; returns how many there were.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::hub::Error::Forbidden).
    pub async fn end_console_sessions(&self, which: EndedSessions, by: &By) -> Result<u64> {
        self.authorize(by, "console").await?;
        Ok(self.0.store.end_console_sessions(which, by.clone()).await?)
    }

    /// The time that sessions and links are compared with.
    fn session_time(&self) -> Timestamp {
        self.0.clock.for_appointments().get()
    }
}

/// The name of the sessions that this person's links open: "alice (console)".
fn session_name(actor: &Actor) -> String {
    format!("{} (console)", actor.name().strip_suffix(AT_SHELL).unwrap_or("somebody"))
}
