//! The OpenAPI document: what the handlers say, completed with what is alike for all of them.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use crate::api::answer::IDEMPOTENCY_KEY;
use crate::api::doctor::DoctorReport;
use crate::api::problem::{Code, PROBLEM_JSON, ProblemBody};

const DESCRIPTION: &str = "Signed events in, Discord messages out, decisions back. Every request carries an API key. \
                           Every failure is a problem (RFC 9457).";

/// The groups of routes, in the order of the page.
const TAGS: &[(&str, &str)] = &[
    ("dispatch", "Events of a hosting platform, for the stored Discord webhooks that subscribe to them."),
    ("discord-webhooks", "Stored Discord webhooks: where dispatched events go."),
    ("keys", "The keys of this API."),
];

/// The OpenAPI 3.1 document of these routes.
pub(in crate::api) fn complete(paths: OpenApi) -> Value {
    let info = InfoBuilder::new()
        .title("nuncio")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    let base = OpenApiBuilder::new().info(info).paths(paths.paths).components(paths.components).build();
    // A document of ours is always JSON.
    let mut document = serde_json::to_value(base).unwrap_or_default();
    document["servers"] = json!([{"url": "/"}]);
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete_operation(path, method, operation);
        }
    }
    let used: Vec<&str> =
        operations(&document).filter_map(|operation| operation["tags"][0].as_str()).collect();
    let tags = TAGS.iter().filter(|(name, _)| used.contains(name));
    let tags = tags.map(|(name, description)| json!({"name": name, "description": description})).collect();
    document["tags"] = tags;
    let components = &mut document["components"];
    components["responses"] = responses();
    components["securitySchemes"] = security_schemes();
    add_schema::<ProblemBody<'_>>(components);
    add_schema::<DoctorReport>(components);
    document
}

/// Every operation of the document.
fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, item)| item.as_object())
        .flatten()
        .map(|(_, one)| one)
}

/// What each route has beside what its handler says: an id, the other security scheme, and its problems.
fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let tag = operation["tags"][0].as_str().unwrap_or_default().replace('-', "_");
    let name = operation["operationId"].as_str().unwrap_or_default();
    operation["operationId"] = format!("{tag}_{name}").into();
    let roles = operation["security"][0]["bearer"].clone();
    operation["security"] = json!([{"bearer": roles}, {"api_key": roles}]);
    let has_body = operation.get("requestBody").is_some();
    let answered = |status: &str| operation["responses"].get(status).is_some();
    let is_once = method == "post" && (answered("201") || answered("202"));
    let has_query = list(&operation["parameters"]).any(|parameter| parameter["in"] == "query");
    let statuses = [
        (400, has_body || has_query || is_once),
        (401, true),
        (403, true),
        (404, path.contains('{')),
        (409, is_once || has_body),
        (413, has_body),
        (415, has_body),
        (422, has_body),
        (429, true),
        (500, true),
        (503, true),
    ];
    for (status, _) in statuses.into_iter().filter(|(_, is_possible)| *is_possible) {
        operation["responses"][status.to_string()] =
            json!({"$ref": format!("#/components/responses/{}", name_of(status))});
    }
    if is_once {
        let parameter = json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A text of your choice (a UUID): a repetition with the same key and body has no further effect, \
                            and the same answer, for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        });
        debug_assert!(IDEMPOTENCY_KEY.eq_ignore_ascii_case("Idempotency-Key"));
        match operation["parameters"].as_array_mut() {
            Some(parameters) => parameters.push(parameter),
            None => operation["parameters"] = json!([parameter]),
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn name_of(status: u16) -> String {
    format!("Problem{status}")
}

/// A response for each status that a problem can have.
fn responses() -> Value {
    let mut responses: Map<String, Value> = Map::new();
    for code in Code::ALL {
        let status = code.status().as_u16();
        let response = responses.entry(name_of(status)).or_insert_with(|| {
            let schema = json!({"$ref": "#/components/schemas/Problem"});
            let mut response = json!({"description": "", "content": {PROBLEM_JSON: {"schema": schema}}});
            if matches!(status, 409 | 429 | 503) {
                let seconds = json!({"type": "integer", "minimum": 1});
                response["headers"] =
                    json!({"Retry-After": {"description": "In seconds.", "schema": seconds}});
            }
            response
        });
        let description = response["description"].as_str().unwrap_or_default();
        let separator = if description.is_empty() { "" } else { "\n\n" };
        let sentence = format!("{description}{separator}`{}`: {}", code.as_str(), code.meaning().trim());
        response["description"] = sentence.into();
    }
    Value::Object(responses)
}

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "nun_…",
            "description": "A key that `nuncio keys create` or `POST /v1/keys` made, or `NUNCIO_API_KEY`. The role that a \
                            route needs is listed with it: `admin` includes `sender`, which includes `reader`.",
        },
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
    })
}

/// Adds a schema that no route names.
fn add_schema<T: ToSchema>(components: &mut Value) {
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    schemas.push((T::name().into_owned(), T::schema()));
    for (name, schema) in schemas {
        components["schemas"][name] = serde_json::to_value(schema).unwrap_or_default();
    }
}
