//! Discord's own description of its API, and what an exchange has to be by it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use boon::{Compiler, SchemaIndex, Schemas, ValidationError};
use nuncio::sandbox::discord::Exchange;
use serde_json::{Value, json};

/// Where the description is looked for when `NUNCIO_DISCORD_SPEC` does not say it.
const BESIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/discord-openapi.json");

/// What people do in the sandbox; Discord does not describe it.
const UNDESCRIBED: [&str; 1] = ["/interactions"];

/// The description, and the validators made of it so far.
pub struct Description {
    document: Value,
    validators: Mutex<Validators>,
}

#[derive(Default)]
struct Validators {
    schemas: Schemas,
    /// By the name of what is described.
    known: HashMap<String, SchemaIndex>,
}

impl Description {
    /// The description, if it is on this machine; else it says that nothing is checked.
    #[expect(clippy::print_stdout, reason = "a test that checks nothing has to say so")]
    pub fn find() -> Option<Self> {
        let path =
            std::env::var_os("NUNCIO_DISCORD_SPEC").map_or_else(|| PathBuf::from(BESIDE), PathBuf::from);
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!(
                "Discord's description is not here (NUNCIO_DISCORD_SPEC names the file): nothing is checked"
            );
            return None;
        };
        let mut document: Value = serde_json::from_str(&text).unwrap();
        // The codes within a form's tree are described as integers; Discord's documentation shows words, and words
        // are what Discord sends. A node may also be wrong itself and have wrong children.
        document["components"]["schemas"]["InnerErrors"]["properties"]["_errors"]["items"] = json!({
            "type": "object", "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        });
        // Sets of permissions are described as integers in requests; documented, and sent, are numbers in strings.
        permissions_in_strings(&mut document);
        // A message through a webhook is described with an alternative in which everything is optional.
        let execute = &mut document["paths"]["/webhooks/{webhook_id}/{webhook_token}"]["post"];
        execute["requestBody"]["content"]["application/json"]["schema"] =
            json!({"$ref": "#/components/schemas/IncomingWebhookRequestPartial"});
        Some(Self { document, validators: Mutex::default() })
    }

    /// What is wrong with the answer.
    pub fn answer(&self, exchange: &Exchange) -> Vec<String> {
        let Some((template, operation)) = self.operation(exchange) else { return undescribed(exchange) };
        let responses = &operation["responses"];
        let status = exchange.status.to_string();
        let group = format!("{}XX", &status[..1]);
        let Some(name) =
            [status.as_str(), group.as_str()].into_iter().find(|name| responses.get(name).is_some())
        else {
            return vec![told(exchange, "", &format!("{template} answers no {status}"))];
        };
        let response = self.followed(&responses[name]);
        let schema = &response["content"]["application/json"]["schema"];
        match (&exchange.answer, schema.is_null()) {
            (None, true) => Vec::new(),
            (Some(_), true) => vec![told(exchange, "", "there should be no body")],
            (None, false) => vec![told(exchange, "", "there should be a body")],
            (Some(body), false) => self.check(exchange, &format!("{template} {name}"), schema, body),
        }
    }

    /// What is wrong with the request.
    pub fn request(&self, exchange: &Exchange) -> Vec<String> {
        let Some((template, operation)) = self.operation(exchange) else { return undescribed(exchange) };
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        match &exchange.request {
            Some(body) if !schema.is_null() => self.check(exchange, &template, schema, body),
            _ => Vec::new(),
        }
    }

    /// The operation with the template of its path; a path that is written out goes before one with a parameter.
    fn operation(&self, exchange: &Exchange) -> Option<(String, &Value)> {
        let path = exchange.path.trim_start_matches("/api").trim_start_matches("/v10");
        let parts: Vec<&str> = path.split('/').collect();
        let paths = self.document["paths"].as_object()?;
        let fits = |template: &str| {
            let wanted: Vec<&str> = template.split('/').collect();
            wanted.len() == parts.len()
                && wanted.iter().zip(&parts).all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
        };
        let template = paths
            .keys()
            .filter(|template| fits(template))
            .min_by_key(|template| template.matches('{').count())?;
        let operation = paths[template].get(exchange.method.to_lowercase())?;
        Some((format!("{} {template}", exchange.method), operation))
    }

    fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }

    fn check(&self, exchange: &Exchange, name: &str, schema: &Value, body: &Value) -> Vec<String> {
        let mut validators = self.validators.lock().unwrap();
        let Validators { schemas, known } = &mut *validators;
        let index = *known.entry(name.to_owned()).or_insert_with_key(|name| {
            let mut schema = schema.clone();
            schema["components"] = self.document["components"].clone();
            let address = format!("https://description.invalid/{}", name.replace(['/', ' ', '{', '}'], "-"));
            let mut compiler = Compiler::new();
            compiler.enable_format_assertions();
            compiler.add_resource(&address, schema).unwrap();
            compiler.compile(&address, schemas).unwrap()
        });
        match schemas.validate(body, index) {
            Ok(()) => Vec::new(),
            Err(error) => leaves(&error).into_iter().map(|(at, what)| told(exchange, &at, &what)).collect(),
        }
    }
}

/// What is wrong by itself, with its place.
fn leaves(error: &ValidationError) -> Vec<(String, String)> {
    match error.causes.as_slice() {
        [] => vec![(error.instance_location.to_string(), error.kind.to_string())],
        causes => causes.iter().flat_map(leaves).collect(),
    }
}

fn permissions_in_strings(value: &mut Value) {
    if let Some(properties) = value.get_mut("properties") {
        for key in ["default_member_permissions", "permissions", "allow", "deny"] {
            if let Some(Value::Array(kinds)) = properties.get_mut(key).and_then(|one| one.get_mut("type"))
                && !kinds.contains(&json!("string"))
            {
                kinds.push(json!("string"));
            }
        }
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(permissions_in_strings),
        Value::Array(list) => list.iter_mut().for_each(permissions_in_strings),
        _ => {}
    }
}

fn undescribed(exchange: &Exchange) -> Vec<String> {
    let known = UNDESCRIBED.iter().any(|path| exchange.path.ends_with(path));
    // A route that is nobody's is answered 404 without a code of its own.
    let nowhere = matches!(exchange.status, 404 | 405);
    if known || nowhere { Vec::new() } else { vec![told(exchange, "", "Discord has no such route")] }
}

fn told(exchange: &Exchange, at: &str, what: &str) -> String {
    let what: String = what.chars().take(600).collect();
    format!("{} {} {}: {at}: {what}", exchange.method, exchange.path, exchange.status)
}
