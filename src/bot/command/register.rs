//! `/register-webhook`: has the platform send its events here.

use futures_util::future;
use serenity::all::CreateAutocompleteResponse;

use super::gate::Done;
use super::{Context, Error, gate};
use crate::model::AuditOutcome;
use crate::xtsystems::Registered;

/// More than there are kinds.
const MOST_KINDS: usize = 50;
const LONGEST_KIND: usize = 100;

/// Have XTSystems send its events here: makes the webhook there, or brings it up to date
#[poise::command(
    slash_command,
    rename = "register-webhook",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
pub(super) async fn register_webhook(
    context: Context<'_>,
    #[description = "Which events, with commas between; all of them if you leave it out"]
    #[max_length = 1000]
    #[autocomplete = "suggest"]
    events: Option<String>,
) -> Result<(), Error> {
    let events = events.as_deref().unwrap_or("*");
    gate::operate(context, "webhook", async { Ok(register(context, events).await) }).await
}

/// Registers, and says what came of it.
async fn register(context: Context<'_>, events: &str) -> Done {
    let data = context.data();
    let refused = |sentence: &str| Done::new(AuditOutcome::Refused, "webhook", sentence);
    let Some(events) = kinds(events) else {
        return refused(
            "Those are no kinds of event. Name some like `ticket.created, ticket.*`, or leave them out for all.",
        );
    };
    let Some(platform) = &data.errands.platform else { return refused(super::NO_KEY) };
    let Some(url) = data.errands.webhook_url(&data.hub) else {
        return refused("This nuncio does not listen for events.");
    };
    if !platform.can_reach(&url) {
        return refused(
            "XTSystems is not on this machine, so it cannot reach `localhost`: set PUBLIC_URL to an address that it can \
             reach, restart nuncio, and try again. Nothing was changed.",
        );
    }
    match platform.register(&url, &events, &data.errands.secret).await {
        Ok(registered) => Done::new(AuditOutcome::Done, "webhook", told(&registered, &url)),
        Err(failure) => Done::new(AuditOutcome::Failed, "webhook", format!("Not registered. {failure}.")),
    }
}

fn told(registered: &Registered, url: &str) -> String {
    let did = match registered {
        Registered::Made(_) => "Registered",
        Registered::Updated(_) => "The registration was there and is up to date now",
    };
    let events: Vec<String> = registered.webhook().events.iter().map(|kind| super::quoted(kind)).collect();
    let events = if events.is_empty() { "its events".to_owned() } else { events.join(", ") };
    format!("{did}: XTSystems sends {events} to {}, signed. Try it with `/test-webhook`.", super::quoted(url))
}

/// A list of kinds and patterns; `None` if one is neither.
fn kinds(text: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_kind = |part: &&str| {
        part.len() <= LONGEST_KIND
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-*".contains(&byte))
    };
    let good = !parts.is_empty() && parts.len() <= MOST_KINDS && parts.iter().all(is_kind);
    good.then(|| parts.iter().map(|part| (*part).to_owned()).collect())
}

/// Completes the last kind of the list.
async fn suggest(_: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let (before, last) = match partial.rsplit_once(',') {
        Some((before, last)) => (format!("{before}, "), last.trim()),
        None => (String::new(), partial.trim()),
    };
    let found = super::kinds_and_families().filter(|kind| kind.contains(last));
    let lists = found.map(|kind| format!("{before}{kind}")).filter(|list| list.len() <= 100).take(25);
    future::ready(super::choices(lists.map(|list| (list.clone(), list)))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("*", Some("*"))]
    #[case("ticket.created, ticket.*", Some("ticket.created ticket.*"))]
    #[case("a.b,,c_d ", Some("a.b c_d"))]
    #[case("", None)]
    #[case(",", None)]
    #[case("ticket.created; drop", None)]
    #[case("`@everyone`", None)]
    fn lists_of_kinds(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(kinds(text).map(|kinds| kinds.join(" ")).as_deref(), expected);
    }

    // D-10
    #[test]
    fn a_list_of_absurd_length_is_none() {
        assert_eq!(kinds(&"a".repeat(6000)), None);
        assert_eq!(kinds(&"a,".repeat(3000)), None);
    }
}
