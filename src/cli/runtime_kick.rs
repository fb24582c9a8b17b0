//! The pulse: keeps the runtime going while one of its tasks does not give way.
//!
//! The thread that waits for the system's events, timers among them, wakes no other when one comes. Should the task that
//! it then runs never give way, nobody waits for events any more, and all tasks stand still, the door's too. serenity
//! has such a task: a connection that was closed without a code is read again and again, until a heartbeat is due.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Clock;

/// How long everything may stand still.
const EVERY: Duration = Duration::from_millis(250);

/// Asks `runtime` for nothing, again and again: whichever thread is woken by it waits for events from then on.
///
/// # Errors
/// The system has no thread for it.
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

    // Without the pulse nothing rings: the one thread that waits for timers is the one that the byte wakes.
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
        let is_heard = rang.recv_timeout(Duration::from_secs(60)).is_ok();
        ends.store(true, Ordering::SeqCst);
        assert!(is_heard);
    }
}
