//! `/register-webhook`: registers nuncio's webhook with XTSystems.

use super::authorize::Done;
use super::{CommandContext, Error, authorize};
use crate::bot::kinds::kinds_and_families;
use crate::bot::reply::Choice;
use crate::bot::text::quoted;
use crate::model::AuditOutcome;
use crate::xtsystems::{Registered, Registration, RegistrationError, RegistrationRequest};

/// Registers the webhook for `events`, with commas between; for all events if there are none.
pub(super) async fn register_webhook(context: CommandContext<'_>, events: Option<&str>) -> Result<(), Error> {
    let events = events.map(list);
    authorize::operate(context, "webhook", async { Ok(register(context, events).await) }).await
}

/// Registers the webhook and returns the outcome.
async fn register(context: CommandContext<'_>, events: Option<Vec<String>>) -> Done {
    let wanted = RegistrationRequest { events, ..RegistrationRequest::default() };
    match context.data().errands.registrar.register(&wanted).await {
        Ok(registration) => Done::new(AuditOutcome::Done, "webhook", summary(&registration)),
        Err(why @ RegistrationError::Failed(_)) => {
            Done::new(AuditOutcome::Failed, "webhook", why.to_string())
        }
        Err(why) => Done::new(AuditOutcome::Refused, "webhook", why.to_string()),
    }
}

fn summary(Registration { registered, url }: &Registration) -> String {
    let did = match registered {
        Registered::Made(_) => "Registered",
        Registered::Updated(_) => "The registration was there and is up to date now",
    };
    let events: Vec<String> = registered.webhook().events.iter().map(|kind| quoted(kind)).collect();
    let events = if events.is_empty() { "its events".to_owned() } else { events.join(", ") };
    format!("{did}: XTSystems sends {events} to {}, signed. Try it with `/test-webhook`.", quoted(url))
}

/// Splits a list at commas and spaces.
fn list(text: &str) -> Vec<String> {
    let parts = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Completes the last kind of the list.
pub(super) fn suggest(partial: &str) -> Vec<Choice> {
    let (before, last) = match partial.rsplit_once(',') {
        Some((before, last)) => (format!("{before}, "), last.trim()),
        None => (String::new(), partial.trim()),
    };
    let found = kinds_and_families().filter(|kind| kind.contains(last));
    let lists = found.map(|kind| format!("{before}{kind}")).filter(|list| list.len() <= 100).take(25);
    super::choices(lists.map(|list| (list.clone(), list)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("*", "*")]
    #[case("ticket.created, ticket.*", "ticket.created ticket.*")]
    #[case("a.b,,c_d ", "a.b c_d")]
    #[case(",", "")]
    fn lists(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(list(text).join(" "), expected);
    }
}
