//! Which stored webhooks a dispatch is for: what the caller asks, and the selection that follows from it.

use serde_json::{Map, Value, json};

use crate::model::dispatch::words::DispatchFunction;
use crate::model::{Category, Scope};

/// The options of a dispatch, as the caller gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchOptions {
    /// Categories instead of the function's own; empty: the function's own.
    pub types: Vec<Category>,
    /// Scopes; empty: [`Scope::Admin`].
    pub scopes: Vec<Scope>,
    /// The customer whose webhooks [`Scope::User`] means.
    pub user_id: Option<String>,
    /// Whether disabled webhooks are left out.
    pub only_enabled: bool,
    /// The company whose webhooks are meant; `None`: that of the caller's key.
    pub company_id: Option<String>,
}

impl Default for DispatchOptions {
    fn default() -> Self {
        Self { types: Vec::new(), scopes: Vec::new(), user_id: None, only_enabled: true, company_id: None }
    }
}

/// `USER` is among the scopes, and no customer is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scope USER needs user_id: the customer whose webhooks are meant")]
pub struct NoUserId;

/// The stored webhooks that a dispatch reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSelection {
    /// Exactly this company; empty: those of none.
    pub company: String,
    /// Any of these categories.
    pub categories: Vec<Category>,
    /// Those of the platform's administrators.
    pub admins: bool,
    /// Those for the public.
    pub public: bool,
    /// Those of this customer.
    pub owner: Option<String>,
    /// Whether disabled ones are left out.
    pub only_enabled: bool,
}

impl DispatchOptions {
    /// The selection of a dispatch of `function` whose own category is `own`, for `company`.
    ///
    /// # Errors
    /// [`NoUserId`].
    pub fn selection(
        &self,
        function: DispatchFunction,
        own: Category,
        company: &str,
    ) -> Result<WebhookSelection, NoUserId> {
        let has = |scope| self.scopes.contains(&scope);
        let owner = match has(Scope::User) {
            true => Some(self.user_id.clone().filter(|id| !id.is_empty()).ok_or(NoUserId)?),
            false => None,
        };
        Ok(WebhookSelection {
            company: company.to_owned(),
            categories: if self.types.is_empty() { vec![own] } else { self.types.clone() },
            admins: self.scopes.is_empty() || has(Scope::Admin),
            public: has(Scope::Public) && !function.is_internal(),
            owner,
            only_enabled: self.only_enabled,
        })
    }

    /// As they are kept with the event; what was not given is left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut kept = Map::new();
        if !self.types.is_empty() {
            kept.insert("types".to_owned(), self.types.iter().map(|one| one.as_str()).collect());
        }
        if !self.scopes.is_empty() {
            kept.insert("scopes".to_owned(), self.scopes.iter().map(|one| one.as_str()).collect());
        }
        if let Some(id) = &self.user_id {
            kept.insert("user_id".to_owned(), json!(id));
        }
        if !self.only_enabled {
            kept.insert("only_enabled".to_owned(), json!(false));
        }
        Value::Object(kept)
    }

    /// Reads what [`DispatchOptions::to_json`] wrote.
    #[must_use]
    pub fn from_json(kept: &Value) -> Self {
        let words = |name: &str| -> Vec<String> {
            let list = kept.get(name).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            types: words("types").iter().filter_map(|word| Category::from_word(word)).collect(),
            scopes: words("scopes").iter().filter_map(|word| Scope::from_word(word)).collect(),
            user_id: kept.get("user_id").and_then(Value::as_str).map(str::to_owned),
            only_enabled: kept.get("only_enabled").and_then(Value::as_bool).unwrap_or(true),
            company_id: None,
        }
    }
}

impl WebhookSelection {
    /// In words, for operators: "SYSTEM webhooks with scope ADMIN, enabled".
    #[must_use]
    pub fn in_words(&self) -> String {
        let categories: Vec<&str> = self.categories.iter().map(|one| one.as_str()).collect();
        let mut scopes: Vec<String> = Vec::new();
        if self.admins {
            scopes.push(Scope::Admin.as_str().to_owned());
        }
        if let Some(owner) = &self.owner {
            scopes.push(format!("{} (of {owner})", Scope::User));
        }
        if self.public {
            scopes.push(Scope::Public.as_str().to_owned());
        }
        let scopes =
            if scopes.is_empty() { "no scope".to_owned() } else { format!("scope {}", scopes.join(", ")) };
        let enabled = if self.only_enabled { "enabled" } else { "enabled or not" };
        format!("{} webhooks, {scopes}, {enabled}", categories.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(options: &DispatchOptions, function: DispatchFunction) -> Result<WebhookSelection, NoUserId> {
        options.selection(function, Category::System, "")
    }

    // Controls: without the filter of empty ids, the second case selects every webhook without an owner; without
    // `is_internal`, a failed payment reaches the public.
    #[test]
    fn scopes_and_types_choose_as_the_caller_says() {
        let plain = selected(&DispatchOptions::default(), DispatchFunction::SyncCompletion).unwrap();
        assert_eq!((plain.admins, plain.public, &plain.owner), (true, false, &None));
        assert_eq!(plain.categories, [Category::System]);
        let user = |user_id: Option<&str>| DispatchOptions {
            scopes: vec![Scope::User],
            user_id: user_id.map(str::to_owned),
            types: vec![Category::Custom, Category::Vps],
            ..DispatchOptions::default()
        };
        assert_eq!(selected(&user(None), DispatchFunction::Custom), Err(NoUserId));
        assert_eq!(selected(&user(Some("")), DispatchFunction::Custom), Err(NoUserId));
        let one = selected(&user(Some("cus_1")), DispatchFunction::BillingEvent).unwrap();
        assert_eq!((one.admins, one.public, one.owner.as_deref()), (false, false, Some("cus_1")));
        assert_eq!(one.categories, [Category::Custom, Category::Vps]);
        let public = DispatchOptions { scopes: vec![Scope::Public], ..DispatchOptions::default() };
        for function in DispatchFunction::ALL {
            let found = selected(&public, function).unwrap();
            assert_eq!((found.admins, found.public), (false, !function.is_internal()), "{function:?}");
        }
    }

    #[test]
    fn options_are_kept_as_they_were_given() {
        let all = DispatchOptions {
            types: vec![Category::Billing, Category::Custom],
            scopes: vec![Scope::User, Scope::Admin],
            user_id: Some("cus_1".to_owned()),
            only_enabled: false,
            company_id: None,
        };
        assert_eq!(DispatchOptions::from_json(&all.to_json()), all);
        assert_eq!(DispatchOptions::default().to_json(), json!({}));
        assert_eq!(DispatchOptions::from_json(&Value::Null), DispatchOptions::default());
    }
}
