//! The functions by their names in the conformance files.

use serde::Serialize;
use serde_json::Value;

use crate::*;

/// The variant that is written like this.
#[track_caller]
fn word<T: Serialize + Copy>(all: &[T], word: &Value) -> T {
    let found = all.iter().find(|one| serde_json::to_value(one).unwrap() == *word);
    *found.unwrap_or_else(|| panic!("no variant is written {word}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn text_or_number(value: &Value) -> TextOrNumber {
    value.as_f64().map_or_else(|| text(value).into(), Into::into)
}

pub(super) fn options(given: &Value) -> DispatchOptions {
    use WebhookScope as Scope;
    use WebhookType as Type;
    let types = [
        Type::GameServer,
        Type::Vps,
        Type::System,
        Type::Billing,
        Type::Security,
        Type::Support,
        Type::Custom,
    ];
    let scopes = [Scope::Admin, Scope::User, Scope::Public];
    let mut options = DispatchOptions::default();
    for (name, value) in given.as_object().into_iter().flatten() {
        match name.as_str() {
            "types" => options.types = Some(list(value).map(|one| word(&types, one)).collect()),
            "scopes" => options.scopes = Some(list(value).map(|one| word(&scopes, one)).collect()),
            "only_enabled" => options.only_enabled = value.as_bool(),
            "user_id" => options.user_id = Some(text(value).to_owned()),
            other => panic!("unknown option {other}"),
        }
    }
    options
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// Calls a function and returns its result as JSON.
pub(super) async fn call(
    nuncio: &Dispatcher,
    function: &str,
    arguments: &[Value],
    options: DispatchOptions,
    waits: bool,
) -> Value {
    macro_rules! end {
        ($call:expr) => {{
            let call = $call.options(options);
            if waits { serde_json::to_value(call.wait().await) } else { serde_json::to_value(call.await) }
                .unwrap()
        }};
    }
    /// Adds what is not left out.
    macro_rules! with {
        ($call:expr, $($method:ident($at:literal, $read:expr)),+) => {{
            let mut call = $call;
            $(if !arguments[$at].is_null() {
                call = call.$method($read(&arguments[$at]));
            })+
            end!(call)
        }};
    }
    match function {
        "dispatch" => {
            let types = [WebhookType::Custom, WebhookType::System, WebhookType::Billing];
            end!(nuncio.dispatch(word(&types, &arguments[0]), &arguments[1]))
        }
        "settings_update" => {
            with!(nuncio.settings_update(list(&arguments[0]).map(text)), updated_by(1, text))
        }
        "server_state_change" => {
            let states = [ServerState::Online, ServerState::Offline, ServerState::Crashed];
            let state = word(&states, &arguments[1]);
            with!(nuncio.server_state_change(text(&arguments[0]), state), node(2, text_or_number))
        }
        "sync_completion" => {
            let success = arguments[0].as_bool().unwrap();
            with!(nuncio.sync_completion(success), details(1, text), duration(2, text_or_number))
        }
        "system_alert" => {
            use AlertSeverity::{Critical, Error, Info, Warning};
            let severity = |value: &Value| word(&[Info, Warning, Error, Critical], value);
            with!(nuncio.system_alert(text(&arguments[0]), text(&arguments[1])), severity(2, severity))
        }
        "support_ticket" => {
            let actions = [TicketAction::Created, TicketAction::Updated, TicketAction::Resolved];
            let action = word(&actions, &arguments[0]);
            let ticket = nuncio.support_ticket(action, text_or_number(&arguments[1]), text(&arguments[2]));
            with!(ticket, details(3, text))
        }
        "node_alert" => {
            use NodeMetric::{Cpu, Disk, Memory, Network};
            let metric = word(&[Cpu, Memory, Disk, Network], &arguments[1]);
            let number = |at: usize| arguments[at].as_f64().unwrap();
            end!(nuncio.node_alert(text(&arguments[0]), metric, number(2), number(3)))
        }
        "billing_event" => {
            let kinds = [BillingKind::Invoice, BillingKind::Payment, BillingKind::Subscription];
            let kind = word(&kinds, &arguments[0]);
            with!(nuncio.billing_event(kind, text(&arguments[1])), amount(2, text_or_number))
        }
        other => panic!("unknown function {other}"),
    }
}
