//! Words of dispatch requests: the functions, and the values that their arguments take.

use crate::model::closed_set::word_set;

word_set! {
    /// A function of the dispatcher.
    DispatchFunction {
        /// Settings were changed.
        SettingsUpdate = "settings-update",
        /// A server changed its state.
        ServerState = "server-state",
        /// A sync ended.
        SyncCompletion = "sync-completion",
        /// An error or an alert.
        SystemAlert = "system-alert",
        /// A support ticket changed.
        SupportTicket = "support-ticket",
        /// A node is short of a resource.
        NodeAlert = "node-alert",
        /// An invoice, a payment or a subscription.
        BillingEvent = "billing-event",
        /// A card that the caller composes.
        Custom = "custom",
        /// An event by its name, with any data.
        Event = "event",
    }
}

word_set! {
    /// State of a hosted server.
    ServerState {
        /// It runs.
        Online = "online",
        /// It was stopped.
        Offline = "offline",
        /// It stopped by itself.
        Crashed = "crashed",
    }
}

word_set! {
    /// How a sync ended.
    SyncEnd {
        /// All of it worked.
        Completed = "completed",
        /// Some of it failed.
        Failed = "failed",
        /// Somebody ended it early.
        Cancelled = "cancelled",
    }
}

word_set! {
    /// What happened to a support ticket.
    SupportAction {
        /// It is new.
        Created = "created",
        /// It has news.
        Updated = "updated",
        /// It is done.
        Resolved = "resolved",
    }
}

word_set! {
    /// A resource of a node.
    NodeResource {
        /// Processors.
        Cpu = "cpu",
        /// Memory.
        Memory = "memory",
        /// Disk space.
        Disk = "disk",
        /// Bandwidth.
        Network = "network",
    }
}

word_set! {
    /// What a billing event is about.
    BillingKind {
        /// An invoice was made.
        Invoice = "invoice",
        /// A payment arrived.
        Payment = "payment",
        /// A subscription changed.
        Subscription = "subscription",
    }
}

impl DispatchFunction {
    /// Whether it is for the platform's operators and must never reach the public.
    #[must_use]
    pub const fn is_internal(self) -> bool {
        matches!(self, Self::SettingsUpdate | Self::SystemAlert | Self::BillingEvent)
    }
}
