//! A connection whose answers are one behind: everything that is asked on it gets the answer to what was asked before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tracing::Level;

use super::ticket;
use crate::harness::Harness;

/// What stands in for the answer.
const STALE: &[u8] = b"HTTP/1.1 200 OK\r\nvia: 1.1 google\r\ncontent-type: application/json\r\ncontent-length: 24\r\n\r\n{\"id\":\"5\",\"nonce\":\"old\"}";

/// Passes on what goes to and fro, but for the first message that is posted: before its answer another one arrives, so
/// that every later answer on that connection is one behind.
async fn shifted(listener: TcpListener, discord: String, connections: Arc<AtomicUsize>) {
    let fresh = Arc::new(AtomicBool::new(true));
    while let Ok((near, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::AcqRel);
        let far = TcpStream::connect(&discord).await.unwrap();
        tokio::spawn(pass_on(near, far, Arc::clone(&fresh)));
    }
}

async fn pass_on(near: TcpStream, far: TcpStream, fresh: Arc<AtomicBool>) {
    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
    let is_behind = Arc::new(AtomicBool::new(false));
    let falls_behind = Arc::clone(&is_behind);
    let back = tokio::spawn(async move {
        let (mut late, mut buffer) = (STALE.to_vec(), vec![0; 65536]);
        while let Ok(length @ 1..) = from_far.read(&mut buffer).await {
            let answer = buffer[..length].to_vec();
            let behind = is_behind.load(Ordering::Acquire);
            let given = if behind { std::mem::replace(&mut late, answer) } else { answer };
            if to_near.write_all(&given).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 65536];
    while let Ok(length @ 1..) = from_near.read(&mut buffer).await {
        let request = &buffer[..length];
        if request.starts_with(b"POST") && fresh.swap(false, Ordering::AcqRel) {
            falls_behind.store(true, Ordering::Release);
        }
        if to_far.write_all(request).await.is_err() {
            break;
        }
    }
    back.abort();
}

// N-8. Control: without `distrust` every later answer is another's, and each message takes 15 s and a look.
#[tokio::test]
async fn a_stale_answer_costs_the_connection_and_nothing_else() {
    let mut t = Harness::plain().await;
    t.stop().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let through = listener.local_addr().unwrap();
    let discord = t.variable("DISCORD_API_URL").replace("http://", "").replace("/api", "");
    let connections = Arc::new(AtomicUsize::new(0));
    let proxy = tokio::spawn(shifted(listener, discord, Arc::clone(&connections)));
    t.set("DISCORD_API_URL", format!("http://{through}/api"));
    t.boot().await;
    t.introduced().await;
    for number in 0..6 {
        t.sends_body(ticket(number)).await;
        t.settle_in_steps(Duration::from_secs(1)).await;
    }
    let messages = t.channel("tickets").next_messages(6).await;
    for (number, message) in messages.iter().enumerate() {
        assert_eq!(message.title(), format!("🎫 #{number} Printer"));
    }
    let doubted = t.log.at(Level::WARN).iter().filter(|line| line.contains("did not take a message")).count();
    assert_eq!(doubted, 1, "{:#?}", t.log.at(Level::WARN));
    t.finish().await;
    proxy.abort();
    assert!(connections.load(Ordering::Acquire) >= 2);
}
