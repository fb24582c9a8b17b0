//! The form of a stored webhook: what was typed, and every fault at its field.

use askama::Template;

use crate::clock::Timestamp;
use crate::console::discord_webhooks::words::{self, State, When};
use crate::console::form::Fields;
use crate::console::page::Frame;
use crate::hub::{Error, webhook_faults};
use crate::model::{Category, NewWebhook, Scope, StoredWebhook, WebhookChange};

/// The form's name of a value that the hub names.
pub(super) fn field(name: &str) -> &'static str {
    match name {
        "webhook_url" => "address",
        "user_id" => "owner",
        "description" => "description",
        "avatar_url" => "avatar",
        "scope" => "scope",
        "type" => "type",
        _ => "name",
    }
}

/// What is wrong, by field.
#[derive(Default)]
pub(super) struct FormFaults(Vec<(&'static str, String)>);

impl FormFaults {
    pub(super) fn one(field: &'static str, text: impl Into<String>) -> Self {
        Self(vec![(field, text.into())])
    }

    pub(super) fn add(&mut self, field: &'static str, text: String) {
        self.0.push((field, text));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn at(&self, field: &str) -> Option<String> {
        let texts: Vec<&str> =
            self.0.iter().filter(|(at, _)| *at == field).map(|(_, text)| text.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }
}

/// What was typed, without the address.
#[derive(Clone, Default)]
pub(super) struct FormValues {
    name: String,
    category: Option<Category>,
    scope: Option<Scope>,
    owner: String,
    description: String,
    avatar: String,
}

impl FormValues {
    /// The values of a submitted form.
    pub(super) fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            name: text("name"),
            category: Category::from_word(fields.text("type")),
            scope: Scope::from_word(fields.text("scope")),
            owner: text("owner"),
            description: text("description"),
            avatar: text("avatar"),
        }
    }

    fn stored(about: &NewWebhook) -> Self {
        Self {
            name: about.name.clone(),
            category: Some(about.category),
            scope: Some(about.scope),
            owner: about.owner.clone(),
            description: about.description.clone(),
            avatar: about.avatar_url.clone().unwrap_or_default(),
        }
    }

    /// The webhook that was described; `None` without a type or a scope.
    pub(super) fn about(&self) -> Option<NewWebhook> {
        Some(NewWebhook {
            category: self.category?,
            scope: self.scope?,
            owner: self.owner.clone(),
            description: self.description.clone(),
            avatar_url: Some(self.avatar.clone()).filter(|url| !url.is_empty()),
            ..NewWebhook::named(self.name.as_str())
        })
    }

    /// The change that was described; `None` without a type or a scope.
    pub(super) fn change(&self) -> Option<WebhookChange> {
        let about = self.about()?;
        Some(WebhookChange {
            name: Some(about.name),
            category: Some(about.category),
            scope: Some(about.scope),
            owner: Some(about.owner),
            description: Some(about.description),
            avatar_url: Some(about.avatar_url),
            enabled: None,
        })
    }

    /// All that is wrong with them.
    pub(super) fn faults(&self) -> FormFaults {
        let mut faults = FormFaults::default();
        if self.category.is_none() {
            faults.add("type", "Choose what this webhook receives.".to_owned());
        }
        if self.scope.is_none() {
            faults.add("scope", "Choose whom it is for.".to_owned());
        }
        // The other values are checked all the same.
        let described = Self {
            category: self.category.or(Some(Category::Custom)),
            scope: self.scope.or(Some(Scope::Admin)),
            ..self.clone()
        };
        for error in described.about().map(|about| webhook_faults(&about)).unwrap_or_default() {
            match error {
                // In the words of this page.
                Error::Invalid { field: "user_id", .. } if self.owner.is_empty() => {
                    faults.add(
                        "owner",
                        "Fill in the customer's id: the webhook is for one customer.".to_owned(),
                    );
                }
                Error::Invalid { field: "name", .. } if self.name.is_empty() => {
                    faults.add("name", "Give it a name.".to_owned());
                }
                Error::Invalid { field: name, reason } => faults.add(field(name), reason),
                error => faults.add("name", error.to_string()),
            }
        }
        faults
    }
}

/// A line of text to fill in.
struct TextField {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    kind: &'static str,
    longest: u32,
    is_required: bool,
    value: String,
    fault: Option<String>,
}

/// One of several to choose.
struct FormChoice {
    word: &'static str,
    label: &'static str,
    help: &'static str,
    is_chosen: bool,
}

/// What the page of a stored webhook says about it.
struct WebhookDetails {
    id: String,
    mark: String,
    in_discord: String,
    state: State,
    last_success: Option<When>,
    waiting: u64,
    is_enabled: bool,
}

#[derive(Template)]
#[template(path = "console/discord_webhooks/form.html")]
pub(super) struct WebhookForm {
    frame: Frame,
    action: String,
    stored: Option<WebhookDetails>,
    /// How many fields have a fault.
    faults: usize,
    address: TextField,
    name: TextField,
    types: Vec<FormChoice>,
    type_fault: Option<String>,
    scopes: Vec<FormChoice>,
    scope_fault: Option<String>,
    rest: Vec<TextField>,
}

impl WebhookForm {
    /// The form to add a webhook.
    pub(super) fn adding(frame: Frame, values: &FormValues, faults: &FormFaults) -> Self {
        Self::new(frame, "/console/discord-webhooks".to_owned(), None, values, faults)
    }

    /// The page of a stored webhook, with what was typed there before, if anything.
    pub(super) fn editing(
        frame: Frame,
        webhook: &StoredWebhook,
        values: Option<&FormValues>,
        faults: &FormFaults,
        now: Timestamp,
    ) -> Self {
        let in_discord =
            webhook.identity.as_ref().and_then(|identity| identity.name.clone()).unwrap_or_default();
        let about = WebhookDetails {
            id: webhook.id.to_string(),
            mark: webhook.mark.to_string(),
            in_discord,
            state: State::of(webhook),
            last_success: webhook.last_success_at.map(|at| When::new(at, now)),
            waiting: webhook.waiting,
            is_enabled: webhook.about.enabled,
        };
        let stored = FormValues::stored(&webhook.about);
        let action = format!("/console/discord-webhooks/{}", webhook.id);
        Self::new(frame, action, Some(about), values.unwrap_or(&stored), faults)
    }

    fn new(
        frame: Frame,
        action: String,
        stored: Option<WebhookDetails>,
        values: &FormValues,
        faults: &FormFaults,
    ) -> Self {
        let text = |name: &'static str, label, help, value: &str| TextField {
            name,
            label,
            help,
            kind: "text",
            longest: 100,
            is_required: false,
            // Pasted into the wrong field, it is not shown either.
            value: if value.to_ascii_lowercase().contains("/webhooks/") {
                String::new()
            } else {
                value.to_owned()
            },
            fault: faults.at(name),
        };
        let address = TextField {
            kind: "url",
            longest: 400,
            is_required: true,
            ..text(
                "address",
                "Webhook URL",
                "In Discord: Edit Channel, Integrations, Webhooks, New Webhook, Copy Webhook URL. It is a password: nuncio \
                 keeps it sealed and never shows it again.",
                "",
            )
        };
        let name = text("name", "Name", "As lists, logs and problems call it: “Acme alerts”.", &values.name);
        let owner = text(
            "owner",
            "Customer's id",
            "Required if it is for one customer: the id by which the application knows them.",
            &values.owner,
        );
        let description =
            text("description", "Description", "What it is for. Optional.", &values.description);
        let avatar = text(
            "avatar",
            "Icon",
            "The https:// address of a picture that Discord shows beside its messages. Optional.",
            &values.avatar,
        );
        let types = Category::ALL.iter().map(|category| {
            let (label, help) = words::category(*category);
            FormChoice { word: category.as_str(), label, help, is_chosen: values.category == Some(*category) }
        });
        let chosen = values.scope.unwrap_or(Scope::Admin);
        let scopes = Scope::ALL.iter().map(|scope| {
            let (label, help) = words::scope(*scope);
            FormChoice { word: scope.as_str(), label, help, is_chosen: chosen == *scope }
        });
        Self {
            frame,
            action,
            stored,
            faults: faults.0.len(),
            address,
            name: TextField { longest: 80, is_required: true, ..name },
            types: types.collect(),
            type_fault: faults.at("type"),
            scopes: scopes.collect(),
            scope_fault: faults.at("scope"),
            rest: vec![
                owner,
                TextField { longest: 400, ..description },
                TextField { kind: "url", longest: 2000, ..avatar },
            ],
        }
    }
}
