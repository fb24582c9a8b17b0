//! The runtime kick: keeps the async runtime going while one of its tasks does not yield.
//!
//! The worker thread that polls the system's events, timers included, wakes no other worker when one arrives. If the
//! task that it then runs never yields, no thread polls any more, and all tasks stop, those of ingress too. serenity
//! has such a task: it reads a connection that was closed without a code again and again, until a heartbeat is due.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Clock;

/// The longest stall of all tasks.
const EVERY: Duration = Duration::from_millis(250);

/// Spawns an empty task on `runtime` at an interval: the worker that it wakes polls for events from then on.
///
/// # Errors
/// If the system cannot start a thread.
pub(super) fn start(runtime: &Handle) -> std::io::Result<()> {
    let runtime = runtime.clone();
    let beat = move || {
        loop {
            Clock::system().block_thread(EVERY);
            runtime.spawn(async {});
        }
    };
    std::thread::Builder::new().name("pulse".to_owned()).spawn(beat).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    // Without the kick no timer fires: the byte wakes the only thread that polls timers.
    #[test]
    fn a_task_that_does_not_give_way_stops_no_other() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (receiver, _) = listener.accept().unwrap();
        receiver.set_nonblocking(true).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ends);
        runtime.spawn(async move {
            tokio::net::TcpStream::from_std(receiver).unwrap().read_u8().await.unwrap();
            while !until.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        });
        let (ring, rang) = mpsc::channel();
        runtime.spawn(async move {
            Clock::system().sleep(Duration::from_millis(500)).await;
            ring.send(()).unwrap();
        });
        let metrics = runtime.metrics();
        while (0..2).any(|worker| metrics.worker_park_unpark_count(worker).is_multiple_of(2)) {
            std::thread::yield_now();
        }
        sender.write_all(&[1]).unwrap();
        start(runtime.handle()).unwrap();
        let has_fired = rang.recv_timeout(Duration::from_secs(60)).is_ok();
        ends.store(true, Ordering::SeqCst);
        assert!(has_fired);
    }
}
