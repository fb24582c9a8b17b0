//! One example of every kind of event, as the platform would send it.

/// A body as it would arrive, without a `timestamp` of its own.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// What happened: `ticket.created`.
    pub kind: &'static str,
    /// The whole body: JSON on one line.
    pub body: &'static str,
}

const ALL: &[Sample] = &[
    Sample {
        kind: "ticket.created",
        body: r#"{"event_type":"ticket.created","data":{"id":"ticket-uuid","seq_id":1001,"title":"Network Issue","status":"open","priority":"high","created_by":"user@example.com","created_at":"2024-01-15T10:30:00Z"}}"#,
    },
    Sample {
        kind: "machine.registered",
        body: r#"{"event_type":"machine.registered","data":{"asset_id":"asset-uuid","hostname":"DESKTOP-001","ip_address":"192.168.1.100","status":"pending","registered_at":"2024-01-15T10:30:00Z"}}"#,
    },
    Sample {
        kind: "asset.created",
        body: r#"{"event_type":"asset.created","data":{"id":"asset-uuid","name":"Server-001","description":"Production web server","created_by":"admin@example.com","created_at":"2024-01-15T10:30:00Z"}}"#,
    },
];

/// Every sample.
#[must_use]
pub const fn all() -> &'static [Sample] {
    ALL
}

/// The sample of `kind`, however it is written (`ticket_created`, `Ticket.Created`).
#[must_use]
pub fn find(kind: &str) -> Option<&'static Sample> {
    let kind = crate::model::Kind::new(kind).canonical();
    ALL.iter().find(|sample| sample.kind == kind)
}
