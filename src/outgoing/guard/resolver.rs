//! A resolver that removes every address that may not be reached. What it returns is what the client connects to.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::outgoing::guard::{BlockedTarget, Guard};

/// Looks a name up.
type LookUp = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The name service.
#[derive(Clone, Default)]
pub enum Lookup {
    /// The one of this machine.
    #[default]
    System,
    /// A function, so that a test can answer as a hostile name server does.
    Of(Arc<LookUp>),
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Of(_) => "Of(…)",
        })
    }
}

impl Lookup {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()),
            Self::Of(look_up) => look_up(name),
        }
    }
}

/// The resolver of a guarded client.
pub(super) struct GuardedResolver {
    pub(super) guard: Guard,
    /// The port of nuncio's own listener, in the client for it.
    pub(super) to_own: Option<u16>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, port) = (self.guard.clone(), self.to_own.unwrap_or_default());
        Box::pin(async move {
            // A name server that fails does not switch the protection off.
            let found =
                guard.0.lookup.addresses(name.as_str()).await.map_err(|_| BlockedTarget::Unresolved)?;
            let is_empty = found.is_empty();
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|ip| guard.allows(*ip, port))
                .map(|ip| SocketAddr::new(ip.to_canonical(), 0))
                .collect();
            match allowed.is_empty() {
                false => Ok(Box::new(allowed.into_iter()) as Addrs),
                true if is_empty => Err(BlockedTarget::Unresolved.into()),
                true => Err(BlockedTarget::Address.into()),
            }
        })
    }
}
