//! Sends one event of each kind to a running nuncio and prints what Discord answered:
//! `NUNCIO_URL=http://localhost:3000 NUNCIO_API_KEY=… cargo run -p nuncio-client --example all_functions`.
#![expect(clippy::print_stdout, reason = "it talks to a person")]

use nuncio_client::{
    AlertSeverity, BillingKind, Dispatcher, Embed, NodeMetric, ServerState, TicketAction, WebhookType,
};

#[tokio::main]
async fn main() {
    let nuncio = Dispatcher::from_env();
    let embed = Embed::new("My event").description("Something happened").field("Field", "Value", true);
    let results = [
        nuncio.dispatch(WebhookType::Custom, embed).wait().await,
        nuncio.settings_update(["site_name", "smtp.host"]).updated_by("admin@example.com").wait().await,
        nuncio.server_state_change("Minecraft 1", ServerState::Crashed).node("node-1").wait().await,
        nuncio.sync_completion(true).details("412 servers").duration(45.23).wait().await,
        nuncio.system_alert("Database", "connection refused").severity(AlertSeverity::Critical).wait().await,
        nuncio.support_ticket(TicketAction::Created, "T-1001", "Cannot log in").wait().await,
        nuncio.node_alert("node-1", NodeMetric::Memory, 93.5, 80).wait().await,
        nuncio.billing_event(BillingKind::Payment, "Invoice 7 was paid").amount("€ 12.50").wait().await,
    ];
    for result in results {
        println!(
            "{} sent, {} failed, {} pending {:?}",
            result.sent, result.failed, result.pending, result.errors
        );
    }
}
