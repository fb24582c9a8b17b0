//! A minimal gateway client that knows only the protocol, and the Discord it connects to.

use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, coding::CloseCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::sandbox::discord::model::Draft;
use crate::sandbox::discord::{Discord, Permissions, Setup};
use crate::sandbox::serve;

/// Intents: guilds and guild messages.
pub const INTENTS: u64 = 1 | 1 << 9;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Discord server.
pub struct Stage {
    pub discord: Discord,
    pub clock: Clock,
    pub address: String,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(Setup { permissions: Permissions::pinging(), ..Setup::default() }).await
    }

    pub async fn with(setup: Setup) -> Self {
        let clock = Clock::system();
        let discord = Discord::new(clock.clone(), setup);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(discord.clone(), listener, stop.clone()));
        Self { discord, clock, address, stop, serving }
    }

    /// A client that has received HELLO.
    pub async fn connect(&self) -> Client {
        self.connect_by("?v=10&encoding=json").await
    }

    pub async fn connect_by(&self, query: &str) -> Client {
        let mut client = self.dial(query).await.unwrap();
        let hello = client.op(10).await;
        assert_eq!(hello["heartbeat_interval"], 41_250);
        client
    }

    pub async fn dial(&self, query: &str) -> Result<Client, u16> {
        match connect_async(format!("ws://{}/gateway/{query}", self.address)).await {
            Ok((socket, _)) => {
                let inflate = query.contains("zlib-stream").then(|| Decompress::new(true));
                Ok(Client { socket, inflate, seq: 0, session: String::new(), compressed: 0 })
            }
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The data of IDENTIFY with these intents.
    pub fn identify(&self, intents: u64) -> Value {
        json!({"token": self.token(), "intents": intents, "properties": {"os": "linux"}})
    }

    pub fn token(&self) -> &str {
        self.discord.bot_token().expose()
    }

    /// A client in a new session, after READY and the guilds. The clock is advanced so that the next may follow at
    /// once.
    pub async fn log_in(&self) -> Client {
        self.log_in_as(self.identify(INTENTS)).await
    }

    pub async fn log_in_as(&self, identify: Value) -> Client {
        let mut client = self.connect().await;
        client.send(2, identify).await;
        client.ready().await;
        client.event("GUILD_CREATE").await;
        self.clock.advance(Duration::from_secs(5));
        client
    }

    /// A client that requests to resume the session of `of`.
    pub async fn resume(&self, of: &Client) -> Client {
        self.resume_at(&of.session, of.seq).await
    }

    pub async fn resume_at(&self, session: &str, seq: u64) -> Client {
        let mut client = self.connect().await;
        client.send(6, json!({"token": self.token(), "session_id": session, "seq": seq})).await;
        client.session = session.to_owned();
        client
    }

    /// The session start limits, as in `GET /gateway/bot`.
    pub async fn limits(&self) -> Value {
        let request = reqwest::Client::new().get(format!("http://{}/api/v10/gateway/bot", self.address));
        let token = format!("Bot {}", self.token());
        let answer = request.header("Authorization", token).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["session_start_limit"].take()
    }

    /// A user sends a message.
    pub fn says(&self, who: &str, channel: &str, content: &str) {
        let (author, channel) =
            (self.discord.user_id(who).unwrap(), self.discord.channel_id(channel).unwrap());
        let draft = Draft { content: content.to_owned(), ..Draft::default() };
        self.discord.change(|world, now| world.post(author, channel, draft, now)).unwrap();
    }

    /// Stops the server, and proves that it stops and closes its clients' connections.
    pub async fn end(self, clients: impl IntoIterator<Item = Client>) {
        self.stop.cancel();
        for mut client in clients {
            assert_eq!(client.closed().await, Some(1001));
        }
        self.serving.await.unwrap().unwrap();
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub struct Client {
    socket: Socket,
    inflate: Option<Decompress>,
    /// The last sequence number seen.
    pub seq: u64,
    pub session: String,
    /// How many messages came compressed.
    pub compressed: usize,
}

impl Client {
    pub async fn send(&mut self, op: u64, d: Value) {
        self.send_text(&json!({"op": op, "d": d}).to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next payload; `Err` with the code if the connection was closed, without one if it broke off.
    pub async fn next(&mut self) -> Result<Value, Option<u16>> {
        let message = Clock::system().within(PATIENCE, self.socket.next()).await.expect("something to come");
        let text = match message {
            Some(Ok(Message::Text(text))) if self.inflate.is_none() => text.as_bytes().to_vec(),
            Some(Ok(Message::Binary(bytes))) => {
                self.compressed += 1;
                self.inflate(&bytes)
            }
            Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
            Some(Err(_)) | None => return Err(None),
            Some(Ok(other)) => panic!("{other:?}"),
        };
        let payload: Value = serde_json::from_slice(&text).unwrap();
        if let Some(seq) = payload["s"].as_u64() {
            assert_eq!(payload["op"], 0);
            self.seq = seq;
        }
        Ok(payload)
    }

    fn inflate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut whole = Decompress::new(true);
        let streaming = self.inflate.is_some();
        assert!(!streaming || bytes.ends_with(&[0, 0, 0xFF, 0xFF]));
        let inflate = self.inflate.as_mut().unwrap_or(&mut whole);
        let mut text = Vec::with_capacity(1 << 20);
        inflate.decompress_vec(bytes, &mut text, FlushDecompress::Sync).unwrap();
        text
    }

    /// The data of the next payload, which must have this opcode.
    pub async fn op(&mut self, op: u64) -> Value {
        let mut payload = self.next().await.unwrap();
        assert_eq!(payload["op"], op, "{payload}");
        payload["d"].take()
    }

    /// The data of the next payload, which must be this event with the next sequence number.
    pub async fn event(&mut self, t: &str) -> Value {
        let before = self.seq;
        let mut payload = self.next().await.unwrap();
        assert_eq!(payload["t"], t, "{payload}");
        assert!(self.seq > before, "{} after {before}", self.seq);
        payload["d"].take()
    }

    pub async fn ready(&mut self) -> Value {
        let ready = self.event("READY").await;
        self.session = ready["session_id"].as_str().unwrap().to_owned();
        ready
    }

    /// Sends a heartbeat; the next payload must be its ACK.
    pub async fn beats(&mut self) {
        self.send(1, json!(self.seq)).await;
        assert_eq!(self.op(11).await, Value::Null);
    }

    /// Sends a heartbeat and reads everything up to its ACK.
    pub async fn beats_through(&mut self) {
        self.send(1, json!(self.seq)).await;
        while self.next().await.unwrap()["op"] != 11 {}
    }

    /// How the connection ended; it must be the next thing that happens.
    pub async fn closed(&mut self) -> Option<u16> {
        self.next().await.expect_err("the connection to be closed")
    }

    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        self.socket.send(Message::Close(Some(frame))).await.unwrap();
        assert_eq!(self.closed().await, Some(code));
    }
}
