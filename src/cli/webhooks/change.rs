//! Changes at XTSystems. Each is recorded in the audit log, also if XTSystems refuses.

use std::process::ExitCode;

use crate::cli::actor::actor;
use crate::cli::webhooks::{
    RegistrationAdmin, asked_secret, confirmed, failed, is_same, is_terminal, lookup, rows,
};
use crate::cli::{Usage, print, say, table};
use crate::model::{AuditEntry, AuditOutcome};
use crate::secret::Secret;
use crate::store::Store;
use crate::xtsystems::{
    CallFailure, NewPlatformWebhook, PlatformWebhook, PlatformWebhookChange, Registered, Registration,
    RegistrationError, RegistrationRequest,
};

impl RegistrationAdmin {
    pub(super) async fn register(
        &self,
        wanted: RegistrationRequest,
        store: &Store,
    ) -> anyhow::Result<ExitCode> {
        let registration = self.registered(wanted, store).await?;
        let webhook = registration.registered.webhook();
        let did = match registration.registered {
            Registered::Made(_) => "Registered",
            Registered::Updated(_) => "The registration was there and is up to date now",
        };
        let url = table::clean(&registration.url, 200);
        print(&format!("{did}: XTSystems sends {} to {url}, signed.", kinds(webhook)));
        say(&format!("Try it: nuncio webhooks test {}", table::clean(&webhook.id, 60)));
        Ok(ExitCode::SUCCESS)
    }

    /// Creates the registration or updates it, and records it.
    pub(super) async fn registered(
        &self,
        wanted: RegistrationRequest,
        store: &Store,
    ) -> anyhow::Result<Registration> {
        let url = match &wanted.url {
            Some(url) => url.as_str(),
            None => self.here()?,
        };
        let done = match self.registrar(url).register(&wanted).await {
            Err(RegistrationError::Failed(failure)) => Err(failure),
            Err(why) => return Err(at_the_shell(&why)),
            Ok(registration) => Ok(registration),
        };
        self.noted(store, "command.register-webhook", "webhook", done).await
    }

    pub(super) async fn create(
        &self,
        name: String,
        wanted: RegistrationRequest,
        store: &Store,
    ) -> anyhow::Result<ExitCode> {
        let name = checked_name(&name)?;
        let url = match wanted.url {
            Some(url) => url,
            None => self.here()?.to_owned(),
        };
        self.must_reach(&url)?;
        // Another receiver must not learn this nuncio's signing secret.
        let is_here = self.here.as_deref().is_some_and(|here| is_same(&url, here));
        let secret = if is_here { self.secret()? } else { asked_secret()? };
        let events = wanted.events.unwrap_or_else(|| vec!["*".to_owned()]);
        let new = NewPlatformWebhook { name: name.clone(), url, events, company_id: wanted.company, secret };
        let done = self.platform.create_webhook(&new).await;
        let subject = format!("webhook {}", table::clean(&name, 80));
        let webhook = self.noted(store, "xtsystems-webhook.create", &subject, done).await?;
        print(&table::clean(&webhook.id, 200));
        let url = rows::address(&webhook.url, self.here.as_deref());
        say(&format!(
            "{} sends {} to {url}, signed. Try it: nuncio webhooks test {}",
            table::clean(&webhook.name, 80),
            kinds(&webhook),
            table::clean(&webhook.id, 60)
        ));
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn update(
        &self,
        webhook: PlatformWebhook,
        name: Option<String>,
        wanted: RegistrationRequest,
        secret: Option<Secret>,
        store: &Store,
    ) -> anyhow::Result<ExitCode> {
        let RegistrationRequest { url, events, company } = wanted;
        let name = name.as_deref().map(checked_name).transpose()?;
        let given = [
            (name.is_some(), "name"),
            (url.is_some(), "url"),
            (events.is_some(), "events"),
            (company.is_some(), "company"),
            (secret.is_some(), "secret"),
        ];
        let given: Vec<&str> =
            given.iter().filter(|(is_given, _)| *is_given).map(|(_, part)| *part).collect();
        if given.is_empty() {
            return Err(Usage(
                "nothing to change was given: --name, --url, --events, --company, --our-secret or --ask-secret. \
                 nuncio webhooks enable and disable switch one on and off"
                    .to_owned(),
            )
            .into());
        }
        if let Some(url) = &url {
            self.must_reach(url)?;
        }
        let change = PlatformWebhookChange { name, url, events, company_id: company, secret, active: None };
        let done = self.platform.update_webhook(&webhook.id, &change).await;
        let subject = format!("webhook {}: {}", lookup::named(&webhook), given.join(", "));
        let webhook = self.noted(store, "xtsystems-webhook.update", &subject, done).await?;
        let state = if webhook.active { "" } else { " It is disabled: nuncio webhooks enable has it send." };
        print(&format!(
            "{} is changed ({}). It sends {} to {}.{state}",
            lookup::named(&webhook),
            given.join(", "),
            kinds(&webhook),
            table::clean(&rows::address(&webhook.url, self.here.as_deref()), 200)
        ));
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn activate(&self, id: &str, active: bool, store: &Store) -> anyhow::Result<ExitCode> {
        let webhook = self.named(id).await?;
        let (action, state) = if active { ("enable", "enabled") } else { ("disable", "disabled") };
        let named = lookup::named(&webhook);
        if webhook.active == active {
            print(&format!("{named} is {state} already."));
            return Ok(ExitCode::SUCCESS);
        }
        let change = PlatformWebhookChange { active: Some(active), ..PlatformWebhookChange::default() };
        let done = self.platform.update_webhook(&webhook.id, &change).await;
        let action = format!("xtsystems-webhook.{action}");
        self.noted(store, &action, &format!("webhook {named}"), done).await?;
        print(&format!("{named} is {state}."));
        if !active {
            let id = table::clean(&webhook.id, 60);
            say(&format!("XTSystems sends nothing through it until: nuncio webhooks enable {id}"));
        }
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn delete(&self, id: &str, yes: bool, store: &Store) -> anyhow::Result<ExitCode> {
        let webhook = self.named(id).await?;
        let named = lookup::named(&webhook);
        if !yes {
            if !is_terminal() {
                return Err(Usage(format!(
                    "nobody can be asked here, so {named} was not deleted: add --yes to delete it"
                ))
                .into());
            }
            let url = table::clean(&rows::address(&webhook.url, self.here.as_deref()), 200);
            if !confirmed(&format!("Delete {named}, which sends to {url}, for good? [y/N]"))? {
                say("Nothing was deleted.");
                return Ok(failed());
            }
        }
        let done = self.platform.delete_webhook(&webhook.id).await;
        self.noted(store, "xtsystems-webhook.delete", &format!("webhook {named}"), done).await?;
        print(&format!("{named} is deleted."));
        if self.is_ours(&webhook) {
            say(
                "XTSystems sends nothing to this nuncio through it any more: nuncio webhooks register makes it again.",
            );
        }
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn test(&self, id: Option<&str>, store: &Store) -> anyhow::Result<ExitCode> {
        let webhook = self.named_or_ours(id).await?;
        let done = self.platform.test_webhook(&webhook.id).await;
        let (outcome, detail) = match &done {
            Ok(report) if report.success => (AuditOutcome::Done, String::new()),
            Ok(report) => (AuditOutcome::Failed, report.message.clone()),
            Err(failure) => (AuditOutcome::Failed, failure.to_string()),
        };
        let subject = format!("webhook {}", lookup::named(&webhook));
        note(store, "command.test-webhook", &subject, outcome, &detail).await;
        let report = done.map_err(|failure| self.explained(&failure))?;
        let url = table::clean(&rows::address(&webhook.url, self.here.as_deref()), 200);
        let took = report.ms.map(|ms| format!(" after {ms} ms")).unwrap_or_default();
        if report.success {
            let answer = report.status.map(|status| format!(": it answered {status}{took}"));
            print(&format!("A test arrived at {url}{}.", answer.unwrap_or_default()));
            if self.is_ours(&webhook) {
                say("nuncio events --limit 1 shows it.");
            }
            return Ok(ExitCode::SUCCESS);
        }
        print(&format!("No test arrived at {url}: {}", table::clean(&report.message, 300)));
        match report.status.and_then(|status| self.advice(&webhook, status)) {
            Some(advice) => say(&advice),
            None if self.is_ours(&webhook) => say(
                "Does nuncio run, and does XTSystems reach that address? PUBLIC_URL sets it; nuncio webhooks register then \
                 gives it to XTSystems.",
            ),
            None => say(&format!(
                "Is the receiver running, and does XTSystems reach it? nuncio webhooks update {} --url URL sets another \
                 address.",
                table::clean(&webhook.id, 60)
            )),
        }
        Ok(failed())
    }

    fn must_reach(&self, url: &str) -> anyhow::Result<()> {
        match self.platform.can_reach(url) {
            true => Ok(()),
            false => Err(at_the_shell(&RegistrationError::OutOfReach)),
        }
    }

    /// Records the result of a change before it is printed. If the audit log lacks it, the output says so.
    async fn noted<T>(
        &self,
        store: &Store,
        action: &str,
        subject: &str,
        done: Result<T, CallFailure>,
    ) -> anyhow::Result<T> {
        let (outcome, detail) = match &done {
            Ok(_) => (AuditOutcome::Done, String::new()),
            Err(failure) => (AuditOutcome::Failed, failure.to_string()),
        };
        note(store, action, subject, outcome, &detail).await;
        done.map_err(|failure| self.explained(&failure))
    }
}

async fn note(store: &Store, action: &str, subject: &str, outcome: AuditOutcome, detail: &str) {
    let entry = AuditEntry::new(actor(), action, subject);
    let entry = AuditEntry { outcome, detail: table::clean(detail, 500), ..entry };
    if let Err(error) = store.audit(entry).await {
        say(&format!("This is not in the audit log, which could not be written: {error}"));
    }
}

/// Why nothing was sent to XTSystems. A command reads `.env` itself, so it needs no restart.
fn at_the_shell(why: &RegistrationError) -> anyhow::Error {
    match why {
        RegistrationError::OutOfReach => anyhow::anyhow!(
            "XTSystems is not on this machine, so it cannot reach localhost. Nothing was changed: set PUBLIC_URL to an \
             address that it can reach, or give one with --url, and try again"
        ),
        why => anyhow::anyhow!("{why}"),
    }
}

fn checked_name(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Usage("a name has 1 to 100 visible characters. Nothing was changed".to_owned()).into());
    }
    Ok(name.to_owned())
}

/// The kinds that it sends, for a sentence.
pub(super) fn kinds(webhook: &PlatformWebhook) -> String {
    match webhook.events.as_slice() {
        [] => "its events".to_owned(),
        [all] if all == "*" => "all events".to_owned(),
        kinds => table::clean(&kinds.join(", "), 200),
    }
}
