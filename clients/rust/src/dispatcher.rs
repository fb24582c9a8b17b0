//! The dispatcher: eight functions, and errors that become alerts.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::alerts::{Alerts, describe};
use crate::clock::{Clock, SystemClock};
use crate::connection::Connection;
use crate::event::{
    AlertSeverity, BillingEvent, BillingKind, Custom, NodeAlert, NodeMetric, ServerState, ServerStateChange,
    SettingsUpdate, SupportTicket, SyncCompletion, SystemAlert, TicketAction,
};
use crate::{Call, TextOrNumber, WebhookType};

/// A running nuncio, as an application sees it. Clones share their connections: make one, clone it where it is needed.
///
/// Each function returns a [`Call`]: add what is optional, then `.await` it, or `.wait().await` it. Await it within a
/// Tokio runtime; [`alert_on_err`](Self::alert_on_err) works everywhere.
#[derive(Clone)]
pub struct Dispatcher {
    connection: Arc<Connection>,
    pub(crate) alerts: Arc<Alerts>,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.connection.to.as_ref().map(|to| &to.url);
        f.debug_struct("Dispatcher").field("url", &url).finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// nuncio at `url`, with a key of `nuncio keys create`. What is wrong with either is an error of each call.
    ///
    /// ```no_run
    /// let nuncio = nuncio_client::Dispatcher::new("https://nuncio.example.com", "nun_…");
    /// ```
    #[must_use]
    pub fn new(url: impl AsRef<str>, key: impl AsRef<str>) -> Self {
        Self::with_clock(url.as_ref(), key.as_ref(), Arc::new(SystemClock))
    }

    /// nuncio at `NUNCIO_URL`, with the key `NUNCIO_API_KEY`. What is missing is an error of each call.
    #[must_use]
    pub fn from_env() -> Self {
        let variable = |name| std::env::var_os(name).unwrap_or_default().to_string_lossy().into_owned();
        Self::new(variable("NUNCIO_URL"), variable("NUNCIO_API_KEY"))
    }

    pub(crate) fn with_clock(url: &str, key: &str, clock: Arc<dyn Clock>) -> Self {
        let connection = Arc::new(Connection::new(url, key, clock));
        Self { alerts: Arc::new(Alerts::new(connection.separate())), connection }
    }

    fn call<E>(&self, event: E) -> Call<E> {
        Call::new(&self.connection, event)
    }

    /// Sends the caller's own embed to the webhooks of the category `event_type`: an [`Embed`](crate::Embed), or anything
    /// else that serializes as one.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// use nuncio_client::{Embed, WebhookType};
    ///
    /// let embed = Embed::new("My event").description("Something happened").color(0x3498db).field("Name", "Value", true);
    /// nuncio.dispatch(WebhookType::Custom, embed).await;
    /// # }
    /// ```
    pub fn dispatch(&self, event_type: WebhookType, embed: impl Serialize) -> Call<Custom> {
        self.call(Custom { event_type, embed: serde_json::to_value(embed).ok() })
    }

    /// Settings were changed: which ones. [`changed_fields`](crate::changed_fields) finds them.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// nuncio.settings_update(["site_name", "smtp.host"]).updated_by("admin@example.com").await;
    /// # }
    /// ```
    pub fn settings_update(
        &self,
        changed_fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> Call<SettingsUpdate> {
        let changed_fields = changed_fields.into_iter().map(Into::into).collect();
        self.call(SettingsUpdate { changed_fields, updated_by: None })
    }

    /// A game server went online or offline, or crashed.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// use nuncio_client::ServerState;
    ///
    /// nuncio.server_state_change("Minecraft 1", ServerState::Crashed).node("node-1").await;
    /// # }
    /// ```
    pub fn server_state_change(
        &self,
        server_name: impl Into<String>,
        new_state: ServerState,
    ) -> Call<ServerStateChange> {
        self.call(ServerStateChange { server_name: server_name.into(), new_state, node_id: None })
    }

    /// A sync ended.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// let started = std::time::Instant::now();
    /// nuncio.sync_completion(true).details("412 servers").duration(started.elapsed()).await;
    /// # }
    /// ```
    pub fn sync_completion(&self, success: bool) -> Call<SyncCompletion> {
        self.call(SyncCompletion { success, details: None, duration: None })
    }

    /// Something is wrong, and a person should know. It is an error unless [`severity`](Call::severity) says otherwise.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// use nuncio_client::AlertSeverity;
    ///
    /// nuncio.system_alert("Database", "connection refused").severity(AlertSeverity::Critical).await;
    /// # }
    /// ```
    pub fn system_alert(&self, title: impl Into<String>, error: impl Display) -> Call<SystemAlert> {
        let error = describe(&error, usize::MAX);
        self.call(SystemAlert { title: title.into(), error, severity: AlertSeverity::Error })
    }

    /// A support ticket was created, updated or resolved.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// use nuncio_client::TicketAction;
    ///
    /// nuncio.support_ticket(TicketAction::Created, "T-1001", "Cannot log in").details("since this morning").await;
    /// # }
    /// ```
    pub fn support_ticket(
        &self,
        action: TicketAction,
        ticket_id: impl Into<TextOrNumber>,
        subject: impl Into<String>,
    ) -> Call<SupportTicket> {
        let (ticket_id, subject) = (ticket_id.into(), subject.into());
        self.call(SupportTicket { action, ticket_id, subject, details: None })
    }

    /// A node uses more than the threshold. Both are percent.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// use nuncio_client::NodeMetric;
    ///
    /// nuncio.node_alert("node-1", NodeMetric::Memory, 93.5, 80).await;
    /// # }
    /// ```
    pub fn node_alert(
        &self,
        node_name: impl Into<String>,
        alert_type: NodeMetric,
        usage: impl Into<f64>,
        threshold: impl Into<f64>,
    ) -> Call<NodeAlert> {
        let (usage, threshold) = (usage.into().into(), threshold.into().into());
        self.call(NodeAlert { node_name: node_name.into(), alert_type, usage, threshold })
    }

    /// An invoice, a payment or a subscription.
    ///
    /// ```no_run
    /// # async fn example(nuncio: nuncio_client::Dispatcher) {
    /// use nuncio_client::BillingKind;
    ///
    /// nuncio.billing_event(BillingKind::Payment, "Invoice 7 was paid").amount("€ 12.50").for_user("cus_1").await;
    /// # }
    /// ```
    pub fn billing_event(&self, event_type: BillingKind, details: impl Into<String>) -> Call<BillingEvent> {
        self.call(BillingEvent { event_type, details: details.into(), amount: None })
    }

    /// Passes a result on; if it is an error, a system alert is sent. Nobody waits for the alert: a thread of its own
    /// sends it, so that this also works outside of Tokio. The same alert is sent once in 15 minutes, the next time with
    /// the number of repeats. It contains the error's text: keep customers' data out of that.
    ///
    /// ```no_run
    /// # fn sync() -> Result<u32, std::io::Error> { Ok(412) }
    /// # fn example(nuncio: nuncio_client::Dispatcher) -> Result<(), std::io::Error> {
    /// let servers = nuncio.alert_on_err("Nightly sync", sync())?;
    /// # let _ = servers;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What it was given.
    pub fn alert_on_err<T, E: Display>(&self, title: &str, result: Result<T, E>) -> Result<T, E> {
        if let Err(error) = &result {
            let text = describe(error, crate::alerts::TEXT_CHARS);
            self.alerts.report(format!("{title}\n{text}"), title.to_owned(), text);
        }
        result
    }

    /// Waits until the alerts of [`alert_on_err`](Self::alert_on_err) and `AlertLayer` have an answer, or the time is
    /// over: then `false`. For the end of a program. It blocks its thread.
    ///
    /// ```no_run
    /// # let nuncio = nuncio_client::Dispatcher::from_env();
    /// nuncio.flush(std::time::Duration::from_secs(5));
    /// ```
    pub fn flush(&self, at_most: Duration) -> bool {
        self.alerts.flush(at_most)
    }
}
