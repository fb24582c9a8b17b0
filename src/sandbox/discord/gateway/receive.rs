//! Handling of client payloads: Discord's rules for IDENTIFY, RESUME and the rest, in Discord's order.

use std::sync::Arc;

use serde_json::{Value, json};

use super::close::CloseCode;
use super::command::{Command, Envelope, Identify, Members, Resume};
use super::greeting;
use super::session::{Gap, Session};
use super::sessions::Ending;
use super::start::Start;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::State;
use crate::sandbox::discord::model::Dispatch;
use crate::sandbox::discord::token::Kind;
use crate::secret::Secret;

/// How many guilds one connection may serve (Discord: "Sharding").
const GUILDS_PER_SHARD: usize = 2500;

impl State {
    /// Handles a payload of a connection, which it may end. Returns whether it was a heartbeat.
    pub(super) fn receive(&mut self, link: u64, bytes: &[u8], now: Timestamp) -> bool {
        if self.gateway.ending(link).is_some() {
            // It arrived while the connection was closing.
            return false;
        }
        match self.handle_payload(link, bytes, now) {
            Ok(heartbeat) => heartbeat,
            Err(code) => {
                self.gateway.end(link, Ending::Close(code), now);
                false
            }
        }
    }

    fn handle_payload(&mut self, link: u64, bytes: &[u8], now: Timestamp) -> Result<bool, CloseCode> {
        let envelope = Envelope::read(bytes)?;
        self.gateway.record(link, &envelope, now)?;
        match envelope.command(self.gateway.session(link).is_some())? {
            Command::Heartbeat => {
                if self.gateway.acking {
                    self.gateway.send(link, json!({"t": null, "s": null, "op": 11, "d": null}));
                }
                return Ok(true);
            }
            Command::Identify(identify) => self.identify(link, &identify, now)?,
            Command::Resume(resume) => self.resume(link, &resume, now)?,
            Command::Members(members) => self.request_members(link, &members),
            Command::Other => {}
        }
        Ok(false)
    }

    /// The bot with this token, with or without the `Bot ` prefix.
    fn bot(&self, token: &str) -> Result<Snowflake, CloseCode> {
        let token = token.strip_prefix("Bot ").unwrap_or(token);
        let caller = self.tokens.check(&format!("Bot {token}"));
        let bot = caller.filter(|caller| caller.kind == Kind::Bot).map(|caller| caller.user);
        bot.ok_or(CloseCode::AUTHENTICATION_FAILED)
    }

    fn identify(&mut self, link: u64, identify: &Identify, now: Timestamp) -> Result<(), CloseCode> {
        self.gateway.identifies += 1;
        let user = self.bot(&identify.token)?;
        let intents = identify.intents()?;
        if intents.any_privileged() && !self.gateway.privileged {
            return Err(CloseCode::DISALLOWED_INTENTS);
        }
        if identify.shard.is_some_and(|(shard, count)| shard >= count) {
            return Err(CloseCode::INVALID_SHARD);
        }
        let compress = identify.compress == Some(true);
        let mut session = Session::new(user, intents, identify.shard, compress);
        if greeting::mine(&self.world, &session).count() > GUILDS_PER_SHARD {
            return Err(CloseCode::SHARDING_REQUIRED);
        }
        match self.gateway.starts.take(identify.shard.map_or(0, |(shard, _)| shard), now) {
            Start::Granted => {}
            Start::TooSoon => {
                self.gateway.invalidate(link, false, now);
                return Ok(());
            }
            Start::Exhausted => {
                // Discord resets the token and notifies the owner by mail.
                self.tokens.revoke(&Secret::new(identify.token.trim_start_matches("Bot ")));
                self.gateway.expel(user, now);
                return Err(CloseCode::AUTHENTICATION_FAILED);
            }
        }
        let own = || format!("ws://{}/gateway", self.address);
        let url = self.gateway.resume_url.clone().unwrap_or_else(own);
        let ready = greeting::ready(&self.world, &session, self.gateway.version(link), &url);
        let guilds: Vec<Value> = greeting::mine(&self.world, &session)
            .filter(|_| session.knows_guilds())
            .map(|guild| greeting::guild_create(&self.world, guild, user, intents))
            .collect();
        let (ready, guilds) = self.dialect.greet(ready, guilds);
        session.push(event("READY", ready));
        for guild in guilds {
            session.push(event("GUILD_CREATE", guild));
        }
        self.gateway.attach(link, session);
        Ok(())
    }

    fn resume(&mut self, link: u64, resume: &Resume, now: Timestamp) -> Result<(), CloseCode> {
        let user = self.bot(&resume.token)?;
        let known = self.gateway.take(&resume.session_id, user, now);
        let Some(mut session) = known.filter(|_| self.dialect.resumes()) else {
            self.gateway.invalidate(link, false, now);
            return Ok(());
        };
        match session.rewind(resume.seq) {
            Ok(()) => {}
            Err(Gap::Lost) => {
                self.gateway.invalidate(link, false, now);
                return Ok(());
            }
            Err(Gap::Ahead) => return Err(CloseCode::INVALID_SEQ),
        }
        session.push(event("RESUMED", json!({"_trace": ["[\"nuncio-sandbox\",{}]"]})));
        self.gateway.resumes += 1;
        self.gateway.attach(link, session);
        Ok(())
    }

    fn request_members(&mut self, link: u64, request: &Members) {
        let Some(session) = self.gateway.session(link) else { return };
        let (user, intents) = (session.user(), session.intents());
        let guild = request.guild().and_then(|guild| self.world.guild(user, guild).ok());
        let Some(guild) = guild.filter(|guild| session.serves(Some(guild.id))) else { return };
        let chunks = greeting::chunks(&self.world, guild, request, intents);
        if let Some(session) = self.gateway.session_mut(link) {
            for chunk in chunks {
                session.push(event("GUILD_MEMBERS_CHUNK", chunk));
            }
        }
    }
}

fn event(t: &'static str, d: Value) -> Arc<Dispatch> {
    Arc::new(Dispatch { t, d })
}
