//! Compares a body with the schema of its type: all unknown, missing and mistyped fields at once.
//!
//! The schema is the one in the OpenAPI document. It says what serde would take; where it cannot (several forms of one
//! value), it lets serde decide.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::json::parse::MOST_FAULTS;
use crate::api::json::pointer::Pointer;
use crate::api::problem::Fault;
use crate::api::suggest;

/// What happens to fields that are in no schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum UnknownFields {
    /// The body is refused: on routes of ours.
    Refused,
    /// They are left out, and named in the answer's `warnings`; camelCase names count as the field's own: on routes of
    /// the seeds, whose callers must not change.
    Warned,
}

/// The schema of a type, with those it refers to.
#[derive(Default)]
pub(super) struct BodySchema {
    root: Value,
    components: HashMap<String, Value>,
}

/// The schemas used so far: each is built once.
static SCHEMAS: LazyLock<RwLock<HashMap<TypeId, Arc<BodySchema>>>> = LazyLock::new(RwLock::default);

impl BodySchema {
    /// The schema of `T`.
    pub(super) fn of<T: ToSchema + 'static>() -> Arc<Self> {
        let id = TypeId::of::<T>();
        if let Some(known) = SCHEMAS.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Arc::clone(known);
        }
        let mut components = Vec::new();
        T::schemas(&mut components);
        // Schemas of derived types are always JSON.
        let json = |schema| serde_json::to_value(schema).unwrap_or_default();
        let components = components.into_iter().map(|(name, schema)| (name, json(schema))).collect();
        let built = Arc::new(Self { root: json(T::schema()), components });
        SCHEMAS.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&built));
        built
    }

    /// Checks `body`, and leaves out what it does not know. Returns the faults and the warnings.
    pub(super) fn check(&self, body: &mut Value, unknown: UnknownFields) -> (Vec<Fault>, Vec<Fault>) {
        let mut check = SchemaCheck {
            schema: self,
            unknown,
            at: Pointer::default(),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        check.value(&self.root, body);
        (check.faults, check.warnings)
    }

    fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            match self.components.get(name) {
                Some(component) => schema = component,
                None => return &Value::Null,
            }
        }
        schema
    }

    /// The members of the object that `schema` describes, those of its parts included, and which are required.
    fn members<'a>(&'a self, schema: &'a Value) -> Members<'a> {
        let mut members = Members { is_open: is_open(schema), ..Members::default() };
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            members.properties.extend(properties.iter().map(|(name, schema)| (name.as_str(), schema)));
        }
        members.required.extend(texts(schema.get("required")));
        for part in items(schema.get("allOf")) {
            let part = self.members(self.resolve(part));
            members.properties.extend(part.properties);
            members.required.extend(part.required);
            members.is_open |= part.is_open;
        }
        members
    }
}

#[derive(Default)]
struct Members<'a> {
    properties: Vec<(&'a str, &'a Value)>,
    required: Vec<&'a str>,
    /// Whether any other member is allowed: a map.
    is_open: bool,
}

fn is_open(schema: &Value) -> bool {
    match schema.get("additionalProperties") {
        Some(Value::Bool(is_open)) => *is_open,
        Some(_) => true,
        // An object without properties is free JSON.
        None => schema.get("properties").is_none() && schema.get("allOf").is_none(),
    }
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    items(list).filter_map(Value::as_str)
}

struct SchemaCheck<'a> {
    schema: &'a BodySchema,
    unknown: UnknownFields,
    at: Pointer,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl<'a> SchemaCheck<'a> {
    fn value(&mut self, schema: &'a Value, value: &mut Value) {
        let schema = self.schema.resolve(schema);
        if let Some(forms) = schema.get("oneOf").or_else(|| schema.get("anyOf")) {
            return self.one_of(items(Some(forms)).collect(), value);
        }
        if !fits(schema, value) {
            let wanted = wanted(schema);
            return self.fault(
                self.at.as_str().to_owned(),
                "wrong_type",
                format!("must be {wanted}, not {}", kind(value)),
            );
        }
        match value {
            Value::Object(object) => self.object(schema, object),
            Value::Array(all) => {
                if let Some(items) = schema.get("items") {
                    for (index, item) in all.iter_mut().enumerate() {
                        let length = self.at.enter(index);
                        self.value(items, item);
                        self.at.leave(length);
                    }
                }
            }
            Value::String(text) => self.word(schema, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A value of several possible forms: the one that fits by its JSON type, if only one does.
    fn one_of(&mut self, forms: Vec<&'a Value>, value: &mut Value) {
        let forms: Vec<&Value> = forms.into_iter().map(|form| self.schema.resolve(form)).collect();
        let mut fitting =
            forms.iter().copied().filter(|form| fits(form, value) || form.get("oneOf").is_some());
        match (fitting.next(), fitting.next()) {
            (Some(form), None) => self.value(form, value),
            // serde knows which.
            (Some(_), Some(_)) => {}
            (None, _) => {
                let wanted: Vec<String> = forms.iter().map(|form| wanted(form)).collect();
                let message = format!("must be {}, not {}", wanted.join(" or "), kind(value));
                self.fault(self.at.as_str().to_owned(), "wrong_type", message);
            }
        }
    }

    fn object(&mut self, schema: &'a Value, object: &mut Map<String, Value>) {
        let members = self.schema.members(schema);
        if self.unknown == UnknownFields::Warned && !members.is_open {
            self.rename(&members, object);
        }
        for &(name, schema) in &members.properties {
            if let Some(value) = object.get_mut(name) {
                let length = self.at.enter(name);
                self.value(schema, value);
                self.at.leave(length);
            }
        }
        for name in &members.required {
            if !object.contains_key(*name) {
                self.fault(self.at.to(name), "missing", format!("{name:?} is missing"));
            }
        }
        if !members.is_open {
            self.unknown_fields(&members, object);
        }
    }

    /// Gives fields in camelCase their own name.
    fn rename(&mut self, members: &Members<'_>, object: &mut Map<String, Value>) {
        let is_known = |name: &str| members.properties.iter().any(|(known, _)| *known == name);
        let renamed: Vec<(String, String)> = object
            .keys()
            .filter(|name| !is_known(name))
            .map(|name| (name.clone(), snake(name)))
            .filter(|(_, snake)| is_known(snake))
            .collect();
        for (name, snake) in renamed {
            let Some(value) = object.remove(&name) else { continue };
            if object.contains_key(&snake) {
                let message = format!("{name:?} is the same field as {snake:?}: send one of them");
                self.fault(self.at.to(&name), "duplicate_field", message);
            } else {
                object.insert(snake, value);
            }
        }
    }

    fn unknown_fields(&mut self, members: &Members<'_>, object: &mut Map<String, Value>) {
        let known = || members.properties.iter().map(|(name, _)| *name);
        let unknown: Vec<String> =
            object.keys().filter(|name| !known().any(|known| known == name.as_str())).cloned().collect();
        for name in unknown {
            let mut message = format!("there is no field {name:?} here.");
            message.push_str(&suggest::did_you_mean(&name, known()));
            match self.unknown {
                UnknownFields::Refused => self.fault(self.at.to(&name), "unknown_field", message),
                UnknownFields::Warned => {
                    object.remove(&name);
                    if self.warnings.len() < MOST_FAULTS {
                        message.push_str(" It was left out.");
                        self.warnings.push(Fault::new(self.at.to(&name), "unknown_field", message));
                    }
                }
            }
        }
    }

    /// A word of a closed set.
    fn word(&mut self, schema: &Value, text: &str) {
        let words: Vec<&str> = texts(schema.get("enum")).collect();
        if !words.is_empty() && !words.contains(&text) {
            let mut message = format!("must be one of {}.", words.join(", "));
            message.push_str(&suggest::did_you_mean(text, words));
            self.fault(self.at.as_str().to_owned(), "unknown_word", message);
        }
    }

    fn fault(&mut self, pointer: String, code: &'static str, message: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault::new(pointer, code, message));
        }
    }
}

/// The types that a schema allows; none: any.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        list => texts(list).collect(),
    }
}

fn fits(schema: &Value, value: &Value) -> bool {
    let types = types(schema);
    types.is_empty()
        || types.into_iter().any(|wanted| match value {
            Value::Null => wanted == "null",
            Value::Bool(_) => wanted == "boolean",
            Value::Number(number) => {
                wanted == "number" || wanted == "integer" && (number.is_i64() || number.is_u64())
            }
            Value::String(_) => wanted == "string",
            Value::Array(_) => wanted == "array",
            Value::Object(_) => wanted == "object",
        })
}

/// What a schema wants, in words.
fn wanted(schema: &Value) -> String {
    let words = types(schema).into_iter().map(|wanted| match wanted {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "text",
        "array" => "a list",
        "object" => "an object",
        other => other,
    });
    words.collect::<Vec<_>>().join(" or ")
}

/// What a value is, in words.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// `webhookUrl` → `webhook_url`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
