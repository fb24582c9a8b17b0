//! A call that is about to be made: an event, the choice of webhooks, and whether Discord is waited for.

use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;

use crate::connection::Connection;
use crate::event::Event;
use crate::{Accepted, DispatchOptions, DispatchResult, WebhookScope, WebhookType};

/// One event for nuncio. `.await` sends it and returns what nuncio answered at once; [`wait`](Self::wait) waits for
/// Discord. Neither panics, and what goes wrong is in the result's `errors`.
///
/// ```no_run
/// # async fn example(nuncio: nuncio_client::Dispatcher) {
/// use nuncio_client::BillingKind;
///
/// let invoice = nuncio.billing_event(BillingKind::Invoice, "Invoice 7").amount("€ 12.50").for_user("cus_1");
/// let result = invoice.wait().await;
/// if !result.success {
///     eprintln!("{} of {} failed: {:?}", result.failed, result.sent + result.failed, result.errors);
/// }
/// # }
/// ```
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug)]
pub struct Call<E> {
    connection: Arc<Connection>,
    pub(crate) event: E,
    options: DispatchOptions,
}

/// The JSON body of a request.
#[derive(Serialize)]
struct Body<'a, E> {
    #[serde(flatten)]
    event: &'a E,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<&'a DispatchOptions>,
}

impl<E> Call<E> {
    pub(crate) fn new(connection: &Arc<Connection>, event: E) -> Self {
        Self { connection: connection.clone(), event, options: DispatchOptions::default() }
    }

    /// Which webhooks receive it, all choices at once. Replaces those made before.
    pub fn options(mut self, options: DispatchOptions) -> Self {
        self.options = options;
        self
    }

    /// To webhooks of these categories, instead of the event's own.
    pub fn types(mut self, types: impl IntoIterator<Item = WebhookType>) -> Self {
        self.options.types = Some(types.into_iter().collect());
        self
    }

    /// To webhooks of these scopes, instead of the operators' own.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = WebhookScope>) -> Self {
        self.options.scopes = Some(scopes.into_iter().collect());
        self
    }

    /// To the webhooks of this customer and nobody else.
    pub fn for_user(mut self, user_id: impl Into<String>) -> Self {
        self.options.scopes = Some(vec![WebhookScope::User]);
        self.options.user_id = Some(user_id.into());
        self
    }

    /// To disabled webhooks too.
    pub fn include_disabled(mut self) -> Self {
        self.options.only_enabled = Some(false);
        self
    }
}

impl<E: Event> Call<E> {
    /// Sends it and waits for what Discord answers, at most ten seconds. What has no answer by then is `pending`: nuncio
    /// goes on with it.
    pub fn wait(self) -> impl Future<Output = DispatchResult> + Send + 'static {
        let request = self.send(true);
        async { request.await.into() }
    }

    fn send(
        self,
        wait: bool,
    ) -> impl Future<Output = Result<crate::exchange::Answer, String>> + Send + 'static + use<E> {
        let Self { connection, event, options } = self;
        let body = body(&event, &options);
        async move { connection.post(E::ROUTE, wait, body).await }
    }
}

/// `None`: it cannot be written as JSON.
pub(crate) fn body<E: Event>(event: &E, options: &DispatchOptions) -> Option<String> {
    let chosen = Some(options).filter(|options| **options != DispatchOptions::default());
    serde_json::to_string(&Body { event, options: chosen }).ok()
}

impl<E: Event> IntoFuture for Call<E> {
    type Output = Accepted;
    type IntoFuture = Pin<Box<dyn Future<Output = Accepted> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let request = self.send(false);
        Box::pin(async { request.await.into() })
    }
}
