//! A proxy that lets requests through and keeps the first answer to itself: what a sender sees whose connection breaks
//! at the worst moment.

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{PATIENCE, within};

/// It holds the connection until it is dropped, and then cuts it.
pub struct Proxy {
    /// Where senders reach it.
    pub address: String,
    answered: oneshot::Receiver<()>,
    _task: Cut,
}

struct Cut(JoinHandle<anyhow::Result<()>>);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Proxy {
    /// One that stands before `address` (`http://host:port/path`).
    pub async fn before(address: &str) -> anyhow::Result<Self> {
        let host = address.split('/').nth(2).context("an address")?.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let own = address.replacen(&host, &listener.local_addr()?.to_string(), 1);
        let (heard, answered) = oneshot::channel();
        let task = Cut(tokio::spawn(pass(listener, host, heard)));
        Ok(Self { address: own, answered, _task: task })
    }

    /// Waits until there is an answer that the sender does not get.
    pub async fn answered(&mut self) -> anyhow::Result<()> {
        within("an answer", PATIENCE, &mut self.answered).await?.context("the proxy broke")
    }
}

async fn pass(listener: TcpListener, host: String, heard: oneshot::Sender<()>) -> anyhow::Result<()> {
    let (mut sender, _) = listener.accept().await?;
    let mut program = TcpStream::connect(host).await?;
    let mut heard = Some(heard);
    let (mut asked, mut answer) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            read = sender.read(&mut asked) => match read? {
                0 => return Ok(()),
                size => program.write_all(&asked[..size]).await?,
            },
            read = program.read(&mut answer) => {
                if read.unwrap_or(0) == 0 {
                    // The program is gone; the sender finds out when it is cut off.
                    std::future::pending::<()>().await;
                }
                heard.take().map(|heard| heard.send(()));
            }
        }
    }
}
