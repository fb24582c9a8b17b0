//! Routes that operators set on Discord, as lists show them.

use crate::clock::Timestamp;
use crate::model::route::RouteKey;
use crate::model::{DestinationId, RouteId, Sink};

/// A route that an operator set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRoute {
    /// Id of the route.
    pub id: RouteId,
    /// Key that matches events.
    pub key: RouteKey,
    /// Id of the target destination.
    pub destination: DestinationId,
    /// Type and address of the target.
    pub sink: Sink,
    /// Name of the operator who set it.
    pub by: String,
    /// When it was set.
    pub since: Timestamp,
}
