//! `nuncio events show`: one event with its state, its deliveries and its body.

use serde_json::{Value, json};

use crate::cli::event_state::state;
use crate::cli::id_lookup::{self, Named};
use crate::cli::table::{age, clean, short};
use crate::cli::{corrupt, print};
use crate::clock::Timestamp;
use crate::model::dispatch::{WebhookSelection, selection_of};
use crate::model::{DeliveryDetails, DeliveryFilter, RowResult, Source, payload};
use crate::store::{Recent, Store};

/// The most characters of a text from outside on a line.
const GLIMPSE: usize = 120;
/// The most deliveries shown.
const DELIVERIES: u32 = 1000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Id of the event or of one of its deliveries: evt_… or dlv_…, or the last 8 characters
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the event on stdout.
///
/// # Errors
/// If there is no such event, or its row cannot be read.
pub(super) async fn run(args: &Args, store: &Store, now: Timestamp) -> anyhow::Result<()> {
    let id = match id_lookup::find(store, &args.id).await? {
        Named::Event(id) => id,
        Named::Delivery(id) => match store.delivery_details(id).await? {
            Some(Ok(delivery)) => delivery.event_id,
            _ => anyhow::bail!("the event of {id} cannot be read: {}", corrupt::advice(store)),
        },
    };
    let event = match store.recent_one(id).await? {
        Some(Ok(event)) => event,
        Some(Err(row)) => anyhow::bail!("{id} cannot be read: {}. {}", row.why, corrupt::advice(store)),
        None => anyhow::bail!("{id} is not kept any more (RETENTION_DAYS)"),
    };
    let deliveries = store.deliveries_after(DeliveryFilter::Of(id), 0, DELIVERIES).await?;
    let raw = store.event_body(id).await?.unwrap_or_default();
    let selection = selection_of(&raw, &event.company).filter(|_| event.source == Source::Dispatch);
    let body = readable(&raw);
    if args.json {
        print(&as_json(&event, &deliveries, &body).to_string());
    } else {
        lines(&event, &deliveries, selection.as_ref(), now).iter().for_each(|line| print(line));
        body.lines().for_each(|line| print(&clean(line, usize::MAX)));
    }
    Ok(())
}

/// The event's body, readable and without its secrets.
fn readable(body: &[u8]) -> String {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    json.and_then(|json| serde_json::to_string_pretty(&payload::without_secrets(&json).0).ok())
        .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

fn lines(
    event: &Recent,
    deliveries: &[RowResult<DeliveryDetails>],
    selection: Option<&WebhookSelection>,
    now: Timestamp,
) -> Vec<String> {
    let selection = selection.map(WebhookSelection::in_words).unwrap_or_default();
    let mut lines = vec![
        format!("{}  {}", event.id, event.kind.as_str()),
        format!(
            "  received  {}, {} ago, from {}",
            short(event.received_at),
            age(now.since(event.received_at)),
            event.source
        ),
        format!("  state     {}", clean(&state(event), GLIMPSE)),
    ];
    for (what, text) in [("company", &event.company), ("subject", &event.subject), ("meant for", &selection)]
    {
        if !text.is_empty() {
            lines.push(format!("  {what:8}  {}", clean(text, GLIMPSE)));
        }
    }
    for delivery in deliveries {
        lines.push(match delivery {
            Ok(delivery) => {
                let reason =
                    delivery.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let line = format!("{}  {}{reason}", delivery.destination, delivery.status.as_str());
                format!("  {}  {}", delivery.id.short(), clean(&line, 2 * GLIMPSE))
            }
            Err(row) => format!("  {}  {}", clean(&row.short(), 8), corrupt::UNREADABLE),
        });
    }
    lines
}

fn as_json(event: &Recent, deliveries: &[RowResult<DeliveryDetails>], body: &str) -> Value {
    let delivery_json = |delivery: &RowResult<DeliveryDetails>| match delivery {
        Ok(delivery) => json!({
            "id": delivery.id.to_string(), "destination": delivery.destination,
            "status": delivery.status.as_str(), "reason": delivery.reason,
        }),
        Err(row) => corrupt::json(row),
    };
    json!({
        "id": event.id.to_string(),
        "kind": event.kind.as_str(),
        "received_at": event.received_at.to_rfc3339(),
        "source": event.source.as_str(),
        "company_id": event.company,
        "subject": event.subject,
        "state": state(event),
        "deliveries": deliveries.iter().map(delivery_json).collect::<Vec<_>>(),
        "body": serde_json::from_str::<Value>(body).unwrap_or_else(|_| body.into()),
    })
}
