//! Signal handling: which signals shut the program down, and which must not end it at all.
//!
//! The default action of SIGHUP, SIGUSR1 and SIGUSR2 is to kill. `logrotate`, a terminal that closes and habits from
//! other servers send them to a server that must go on.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Signals that a running server logs and otherwise ignores.
struct Ignored {
    user1: Signal,
    user2: Signal,
}

/// A token that Ctrl-C, SIGTERM and SIGQUIT cancel, and the SIGHUPs that ask for a reload. SIGUSR1 and SIGUSR2 are
/// logged, and the program goes on.
///
/// # Errors
/// If the system does not let signals be caught.
pub(super) fn for_server() -> anyhow::Result<(CancellationToken, Signal)> {
    let hangups = signal(SignalKind::hangup())?;
    let mut ignored =
        Ignored { user1: signal(SignalKind::user_defined1())?, user2: signal(SignalKind::user_defined2())? };
    tokio::spawn(async move {
        loop {
            ignored.log_next().await;
        }
    });
    let stop = ends_with(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit()])?;
    Ok((stop, hangups))
}

/// A token that Ctrl-C, SIGTERM, SIGQUIT and SIGHUP cancel: a program of the terminal ends with it.
///
/// # Errors
/// If the system does not let signals be caught.
pub(super) fn for_terminal() -> anyhow::Result<CancellationToken> {
    ends_with(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit(), SignalKind::hangup()])
}

/// A token that Ctrl-C cancels between two questions. During a question the terminal library gets the key instead.
/// Every other signal ends the process at once: it has not begun anything then, or can be run again.
///
/// # Errors
/// If the system does not let signals be caught.
pub(super) fn for_questions() -> anyhow::Result<CancellationToken> {
    ends_with(&[SignalKind::interrupt()])
}

fn ends_with(kinds: &[SignalKind]) -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in kinds {
        let (mut signal, stop) = (signal(*kind)?, stop.clone());
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

impl Ignored {
    async fn log_next(&mut self) {
        tokio::select! {
            _ = self.user1.recv() => tracing::info!("SIGUSR1 received: nuncio ignores it"),
            _ = self.user2.recv() => tracing::info!("SIGUSR2 received: nuncio ignores it"),
        }
    }
}
