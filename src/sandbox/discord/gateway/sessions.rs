//! All gateway connections and sessions, and the switches that make them misbehave. Part of the state behind the one
//! lock, so events reach every session in the order they happened, and none can be missed.
//!
//! A *link* is one connection. Waking its task notifies it; the task then fetches what is to be sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::close::CloseCode;
use super::command::Envelope;
use super::received::Received;
use super::session::Session;
use super::start::Starts;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Dispatch, World};

/// How long a session can be resumed.
const RESUMABLE: Duration = Duration::from_secs(180);
/// How many payloads a connection may send in which time (Discord: "Rate Limiting").
const PAYLOADS: (u32, Duration) = (120, Duration::from_secs(60));
/// How many received payloads are kept.
const REMEMBERED: usize = 2000;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Send a close frame with this code.
    Close(CloseCode),
    /// Send a close frame without a code.
    Bare,
    /// Drop the connection without a close frame.
    Cut,
}

/// The data for the task of a new connection.
pub(super) struct Opened {
    pub(super) link: u64,
    pub(super) wake: Arc<Notify>,
    pub(super) ended: CancellationToken,
    pub(super) heartbeat: Duration,
}

struct Link {
    payloads: VecDeque<Value>,
    ending: Option<Ending>,
    wake: Arc<Notify>,
    ended: CancellationToken,
    /// The number of payloads received in this window, and the end of the window.
    received: (u32, Timestamp),
    version: u8,
}

/// The connections and sessions of one Discord.
pub(in crate::sandbox::discord) struct Sessions {
    links: BTreeMap<u64, Link>,
    sessions: Vec<Session>,
    last_link: u64,
    pub(in crate::sandbox::discord) starts: Starts,
    pub(super) received: VecDeque<Received>,
    pub(super) closes: Vec<Option<u16>>,
    pub(super) identifies: usize,
    pub(super) resumes: usize,
    pub(super) interaction: Option<Arc<Dispatch>>,
    /// The heartbeat interval of new connections.
    pub(super) heartbeat: Duration,
    pub(super) acking: bool,
    pub(super) down_until: Timestamp,
    pub(super) privileged: bool,
    /// The resume address, if not the sandbox's own.
    pub(super) resume_url: Option<String>,
}

impl Sessions {
    /// No connections yet; `privileged` decides whether privileged intents may be requested.
    pub(in crate::sandbox::discord) fn new(privileged: bool) -> Self {
        Self {
            links: BTreeMap::new(),
            sessions: Vec::new(),
            last_link: 0,
            starts: Starts::default(),
            received: VecDeque::new(),
            closes: Vec::new(),
            identifies: 0,
            resumes: 0,
            interaction: None,
            heartbeat: Duration::from_millis(41_250),
            acking: true,
            down_until: Timestamp::default(),
            privileged,
            resume_url: None,
        }
    }

    /// Registers a new connection.
    pub(super) fn open(&mut self, version: u8) -> Opened {
        self.last_link += 1;
        let (wake, ended) = (Arc::new(Notify::new()), CancellationToken::new());
        let received = (0, Timestamp::default());
        let (payloads, ending) = (VecDeque::new(), None);
        let link =
            Link { payloads, ending, wake: Arc::clone(&wake), ended: ended.clone(), received, version };
        self.links.insert(self.last_link, link);
        Opened { link: self.last_link, wake, ended, heartbeat: self.heartbeat }
    }

    /// The next payload for a connection, and whether it may be compressed by itself.
    pub(super) fn next(&mut self, link: u64) -> Option<(Value, bool)> {
        // Events first: a client that sees an answer has seen every event before it.
        let event = self
            .session_mut(link)
            .and_then(|session| session.next().map(|payload| (payload, session.compress)));
        event.or_else(|| Some((self.links.get_mut(&link)?.payloads.pop_front()?, false)))
    }

    /// How the connection ends, once that is decided.
    pub(super) fn ending(&self, link: u64) -> Option<Ending> {
        self.links.get(&link)?.ending
    }

    /// Removes a closed connection; `by_client` holds the client's code, if the client closed.
    pub(super) fn left(&mut self, link: u64, by_client: Option<Option<u16>>, now: Timestamp) {
        self.links.remove(&link);
        if let Some(code) = by_client {
            self.closes.push(code);
            if matches!(code, Some(1000 | 1001)) {
                self.sessions.retain(|session| session.link != Some(link));
            }
        }
        self.detach(link, now);
        self.sessions.retain(|session| session.link.is_some() || now.since(session.left) < RESUMABLE);
    }

    /// Delivers an event to every session that should receive it.
    pub(in crate::sandbox::discord) fn publish(
        &mut self,
        dispatch: &Arc<Dispatch>,
        world: &World,
        now: Timestamp,
    ) {
        if dispatch.t == "INTERACTION_CREATE" {
            self.interaction = Some(Arc::clone(dispatch));
        }
        let mut slow = Vec::new();
        for session in &mut self.sessions {
            let Some(seen) = session.view(dispatch, world) else { continue };
            let keeps_up = session.push(seen);
            if let Some(link) = session.link {
                if let Some(link) = self.links.get(&link) {
                    link.wake.notify_one();
                }
                if !keeps_up {
                    slow.push(link);
                }
            }
        }
        for link in slow {
            self.end(link, Ending::Close(CloseCode::UNKNOWN_ERROR), now);
        }
    }

    /// Records a client's payload, and counts it against the rate limit.
    pub(super) fn record(&mut self, link: u64, envelope: &Envelope, now: Timestamp) -> Result<(), CloseCode> {
        if self.received.len() == REMEMBERED {
            self.received.pop_front();
        }
        self.received.push_back(Received::new(now, link, envelope));
        let Some(Link { received: (count, until), .. }) = self.links.get_mut(&link) else { return Ok(()) };
        if now >= *until {
            (*count, *until) = (0, now.plus(PAYLOADS.1));
        }
        *count += 1;
        if *count > PAYLOADS.0 { Err(CloseCode::RATE_LIMITED) } else { Ok(()) }
    }

    /// Sends a payload that is not an event.
    pub(super) fn send(&mut self, link: u64, payload: Value) {
        if let Some(link) = self.links.get_mut(&link) {
            link.payloads.push_back(payload);
            link.wake.notify_one();
        }
    }

    /// Sends a payload that is not an event to every connection with a session.
    pub(super) fn send_all(&mut self, payload: &Value) {
        let links: Vec<u64> = self.sessions.iter().filter_map(|session| session.link).collect();
        for link in links {
            self.send(link, payload.clone());
        }
    }

    /// Sends op 9 on a connection, which then has no session; a session that is not `resumable` is removed.
    pub(super) fn invalidate(&mut self, link: u64, resumable: bool, now: Timestamp) {
        if !resumable {
            self.sessions.retain(|session| session.link != Some(link));
        }
        self.detach(link, now);
        self.send(link, json!({"t": null, "s": null, "op": 9, "d": resumable}));
    }

    /// [`Sessions::invalidate`] for every session.
    pub(super) fn invalidate_all(&mut self, resumable: bool, now: Timestamp) {
        let links: Vec<u64> = self.sessions.iter().filter_map(|session| session.link).collect();
        if !resumable {
            // Disconnected sessions that wait to be resumed, too.
            self.sessions.retain(|session| session.link.is_some());
        }
        for link in links {
            self.invalidate(link, resumable, now);
        }
    }

    /// Ends a connection.
    pub(super) fn end(&mut self, link: u64, ending: Ending, now: Timestamp) {
        if let Some(found) = self.links.get_mut(&link) {
            found.ending.get_or_insert(ending);
            found.ended.cancel();
        }
        if matches!(ending, Ending::Close(code) if code.ends_session()) {
            self.sessions.retain(|session| session.link != Some(link));
        }
        self.detach(link, now);
    }

    /// Ends all connections.
    pub(super) fn end_all(&mut self, ending: Ending, now: Timestamp) {
        let links: Vec<u64> = self.links.keys().copied().collect();
        for link in links {
            self.end(link, ending, now);
        }
    }

    /// Ends the sessions of `user`, whose token is no longer valid.
    pub(in crate::sandbox::discord) fn expel(&mut self, user: Snowflake, now: Timestamp) {
        let (theirs, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.sessions).into_iter().partition(|session| session.user() == user);
        self.sessions = others;
        for link in theirs.iter().filter_map(|session| session.link) {
            self.end(link, Ending::Close(CloseCode::AUTHENTICATION_FAILED), now);
        }
    }

    pub(super) fn session(&self, link: u64) -> Option<&Session> {
        self.sessions.iter().find(|session| session.link == Some(link))
    }

    pub(super) fn session_mut(&mut self, link: u64) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.link == Some(link))
    }

    /// Attaches a session to a connection.
    pub(super) fn attach(&mut self, link: u64, mut session: Session) {
        session.link = Some(link);
        self.sessions.push(session);
        if let Some(link) = self.links.get(&link) {
            link.wake.notify_one();
        }
    }

    /// Takes out a session, if it exists, is not expired, and belongs to this user. A connection that it is still on
    /// is closed: its client has reconnected elsewhere.
    pub(super) fn take(&mut self, id: &str, user: Snowflake, now: Timestamp) -> Option<Session> {
        let at = self.sessions.iter().position(|one| one.id() == id && one.user() == user)?;
        let session = self.sessions.swap_remove(at);
        if let Some(link) = session.link {
            self.end(link, Ending::Close(CloseCode::UNKNOWN_ERROR), now);
            return Some(session);
        }
        (now.since(session.left) < RESUMABLE).then_some(session)
    }

    /// The API version of a connection.
    pub(super) fn version(&self, link: u64) -> u8 {
        self.links.get(&link).map_or(10, |link| link.version)
    }

    /// The number of connections that are open and not about to end.
    pub(super) fn connections(&self) -> usize {
        self.links.values().filter(|link| link.ending.is_none()).count()
    }

    /// The connected sessions.
    pub(super) fn live(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.link.is_some())
    }

    fn detach(&mut self, link: u64, now: Timestamp) {
        if let Some(session) = self.session_mut(link) {
            session.link = None;
            session.left = now;
        }
    }
}
