//! Sample events, one of every kind, as the platform would send them: `nuncio send` posts them and the tests render
//! them. The bodies are the files of `samples/`.

/// The field that marks an event as a sample: `"nuncio_sample": true` beside `event_type`, inside the signed body. Any
/// other value, and the same name anywhere deeper, means nothing.
pub const MARK: &str = "nuncio_sample";

/// A sample body. It has no `timestamp` of its own, so each time it is sent it is a new event.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The event's kind: `ticket.created`.
    pub kind: &'static str,
    /// The whole body: JSON on one line.
    pub body: &'static str,
}

macro_rules! samples {
    ($($kind:literal from $file:literal),+ $(,)?) => {
        &[$(Sample { kind: $kind, body: include_str!(concat!("samples/", $file)).trim_ascii() }),+]
    };
}

const ALL: &[Sample] = samples![
    "ticket.created" from "ticket_created.json",
    "ticket.updated" from "ticket_updated.json",
    "ticket.closed" from "ticket_closed.json",
    "asset.created" from "asset_created.json",
    "asset.updated" from "asset_updated.json",
    "user.created" from "user_created.json",
    "company.created" from "company_created.json",
    "machine.registered" from "machine_registered.json",
    "machine.approved" from "machine_approved.json",
    "alert.triggered" from "alert_triggered.json",
    "webhook.test" from "webhook_test.json",
    "printer.jammed" from "printer_jammed.json",
];

const DISPATCHED: &[Sample] = samples![
    "settings.updated" from "dispatch_settings_updated.json",
    "server.online" from "dispatch_server_online.json",
    "server.offline" from "dispatch_server_offline.json",
    "server.crashed" from "dispatch_server_crashed.json",
    "sync.completed" from "dispatch_sync_completed.json",
    "sync.failed" from "dispatch_sync_failed.json",
    "sync.cancelled" from "dispatch_sync_cancelled.json",
    "system.alert" from "dispatch_system_alert.json",
    "support.created" from "dispatch_support_created.json",
    "support.updated" from "dispatch_support_updated.json",
    "support.resolved" from "dispatch_support_resolved.json",
    "node.alert" from "dispatch_node_alert.json",
    "billing.invoice" from "dispatch_billing_invoice.json",
    "billing.payment" from "dispatch_billing_payment.json",
    "billing.subscription" from "dispatch_billing_subscription.json",
    "dispatch.custom" from "dispatch_custom.json",
    "user.registered" from "dispatch_user_registered.json",
];

const OWN: &[Sample] = samples![
    "destination.closed" from "own_destination_closed.json",
    "destination.denied" from "own_destination_denied.json",
    "destination.reopened" from "own_destination_reopened.json",
    "destination.expired" from "own_destination_expired.json",
    "nuncio.source.refused" from "own_source_refused.json",
    "nuncio.source.accepted" from "own_source_accepted.json",
    "nuncio.mute.ended" from "own_mute_ended.json",
];

/// Every sample: the kinds that have a card of their own, then one that has none.
#[must_use]
pub const fn all() -> &'static [Sample] {
    ALL
}

/// A sample of each event that nuncio creates itself to report its own health. No sender can send them.
#[must_use]
pub const fn own() -> &'static [Sample] {
    OWN
}

/// A sample of each kind that a hosting platform dispatches, as its body is kept. They come through the API only.
#[must_use]
pub const fn dispatched() -> &'static [Sample] {
    DISPATCHED
}

/// The kinds that have a card of their own.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|sample| sample.kind).filter(|kind| *kind != "printer.jammed")
}

/// The sample of `kind`, in any spelling (`ticket_created`, `Ticket.Created`).
#[must_use]
pub fn find(kind: &str) -> Option<&'static Sample> {
    let kind = crate::model::Kind::new(kind);
    ALL.iter().find(|sample| sample.kind == kind.canonical())
}
