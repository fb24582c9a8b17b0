//! I-11: what one connection may cost in memory. Measured from outside, on a program of its own.

use std::net::SocketAddr;

use crate::attack::sender::Post;
use crate::attack::wire::Wire;
use crate::program::Program;

const LIMIT: usize = 256 * 1024;
const CONNECTIONS: usize = 16;

/// The most memory that the process has had so far, in bytes.
fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Every connection sends as much as it may in pieces of one byte, each with as many bytes around it as are allowed,
/// and none of them ends: all are in memory at the same time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_body_in_the_smallest_pieces_costs_no_more_than_twice_the_limit() {
    let program = Program::with_dotenv(
        "WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_PORT=0\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_BODY_LIMIT=256KiB\n",
    );
    let serving = program.serves();
    let address: SocketAddr = serving.address.parse().unwrap();
    let mut warm = Wire::connect(address).await;
    warm.says("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(warm.hears_status().await, 200);
    let before = peak(serving.process());

    let head = Post::bare("")
        .without("Content-Length")
        .with("Transfer-Encoding", "chunked")
        .with("X-XTSystems-Timestamp", "1705314600")
        .with("X-XTSystems-Signature", "sha256=00")
        .head();
    let chunks = "1\r\n{\r\n".repeat(1024);
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut wire = Wire::connect(address).await;
        wire.says(&head).await;
        wires.push(wire);
    }
    // One after the other, a bit each: all of them grow together.
    for _ in 0..LIMIT / 1024 - 1 {
        for wire in &mut wires {
            assert!(wire.can_say(&chunks).await);
        }
    }
    // All of it has been read when the last byte of each has been answered.
    for wire in &mut wires {
        wire.says("0\r\n\r\n").await;
        assert_eq!(wire.hears_status().await, 401);
    }
    let grown = peak(serving.process()) - before;
    assert!(grown < CONNECTIONS * 2 * LIMIT, "{} KiB a connection", grown / CONNECTIONS / 1024);
}
