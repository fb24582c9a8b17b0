//! Startup failures that only an operator can fix: a taken port, an address of another machine, a folder or a disk that
//! cannot be written.
//!
//! They end the program with 78, so that supervisors do not restart it again and again
//! (systemd: `RestartPreventExitStatus=78`).

use std::io::Error;
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;

use crate::doctor::{cannot_keep_data, cannot_listen};

/// A startup failure, and what to do. Its `Display` is the whole message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CannotStart(pub(super) String);

/// Binds the address of `WEBHOOK_HOST` and `WEBHOOK_PORT`.
///
/// # Errors
/// [`CannotStart`].
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, CannotStart> {
    TcpListener::bind(address).await.map_err(|error| CannotStart(refused(address, &error)))
}

fn refused(address: SocketAddr, error: &Error) -> String {
    let (found, remedy) = cannot_listen(address, error);
    format!("{found}. nuncio did not start. {remedy}")
}

/// The failure `error` of a start. If the folder of `database` cannot be written, that is the cause: then in the words of
/// `nuncio doctor`.
pub(super) fn explained(error: anyhow::Error, database: &Path) -> anyhow::Error {
    match cannot_keep_data(database) {
        Some((found, remedy)) => CannotStart(format!("{found} nuncio did not start. {remedy}")).into(),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[rstest::rstest]
    #[case(ErrorKind::AddrInUse, "Port 80 is in use")]
    #[case(ErrorKind::AddrNotAvailable, "no address of this machine")]
    #[case(ErrorKind::PermissionDenied, "ports below 1024")]
    #[case(ErrorKind::OutOfMemory, "cannot listen on 192.0.2.1:80")]
    fn each_reason_has_its_remedy(#[case] kind: ErrorKind, #[case] expected: &str) {
        let text = refused("192.0.2.1:80".parse().unwrap(), &kind.into());
        assert!(text.contains(expected) && text.contains("WEBHOOK_"), "{text}");
    }
}
