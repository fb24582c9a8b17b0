//! The OpenAPI document: it is committed, true, complete, and its examples are examples of it.

use std::collections::{BTreeMap, BTreeSet};

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use super::{Api, routes};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

// Control: with another word in any doc comment of `src/api/keys.rs`, it is red.
#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let now = format!("{}\n", serde_json::to_string_pretty(&nuncio::api::document()).unwrap());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(COMMITTED, &now).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    let differs = committed.lines().zip(now.lines()).find(|(one, other)| one != other);
    assert!(
        committed == now,
        "docs/openapi.json is old, first at {differs:?}: UPDATE_OPENAPI=1 cargo test --test it api writes it"
    );
}

/// The methods of each path, as the running nuncio names them in `Allow`, are those of the document: no route is without
/// a description, and nothing is described that is not there.
#[tokio::test]
async fn every_route_is_in_the_document_and_the_reverse() {
    let api = Api::start().await;
    let served = api.send(api.request("GET", "/openapi.json")).await;
    assert_eq!(served.json(), nuncio::api::document());
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for route in routes() {
        methods.entry(route.concrete()).or_default().insert(route.method);
    }
    for (path, mut documented) in methods {
        let refused = api.send(api.request("TRACE", &path).bearer_auth(super::BOOTSTRAP)).await;
        assert_eq!((refused.status, refused.code().as_str()), (405, "method_not_allowed"), "{path}");
        if documented.contains("GET") {
            documented.insert("HEAD".to_owned());
        }
        let allowed: BTreeSet<String> = refused.header("allow").split(',').map(str::to_owned).collect();
        assert_eq!(allowed, documented, "{path}");
    }
    // A route in the router that is in no `routes!` would be in no document: only the three that answer 404 are so.
    let router = include_str!("../../../src/api/router.rs");
    assert_eq!(router.matches(".route(\"/v1").count(), 3);
    api.finish().await;
}

/// Every place of `document` that holds an example, with its schema's pointer.
fn examples(at: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            let is_schema = members.contains_key("type")
                || members.contains_key("allOf")
                || members.contains_key("oneOf");
            if is_schema {
                found.extend(members.get("example").map(|example| (at.to_owned(), example.clone())));
                let many = members.get("examples").and_then(Value::as_array).into_iter().flatten();
                found.extend(many.map(|example| (at.to_owned(), example.clone())));
            } else if let Some(example) = members.get("example") {
                found.push((format!("{at}/schema"), example.clone()));
            }
            for (name, member) in
                members.iter().filter(|(name, _)| !["example", "examples"].contains(&name.as_str()))
            {
                let name = name.replace('~', "~0").replace('/', "~1");
                examples(&format!("{at}/{name}"), member, found);
            }
        }
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(index, one)| examples(&format!("{at}/{index}"), one, found));
        }
        _ => {}
    }
}

fn invalid(document: &Value, at: &str, value: &Value) -> Option<String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("http://nuncio/openapi.json", document.clone()).unwrap();
    let at = at.replace('{', "%7B").replace('}', "%7D");
    let index = compiler.compile(&format!("http://nuncio/openapi.json#{at}"), &mut schemas).unwrap();
    schemas.validate(value, index).err().map(|error| format!("{at}: {error:#}"))
}

// Control: the last assertion, and a wrong word in an example of `src/api/keys.rs`.
#[test]
fn examples_are_examples() {
    let document = nuncio::api::document();
    let mut found = Vec::new();
    examples("", &document, &mut found);
    assert!(found.len() >= 6, "{found:#?}");
    for (at, example) in &found {
        assert_eq!(invalid(&document, at, example), None);
    }
    // Every body has one.
    for route in routes().iter().filter(|route| route.has_body()) {
        let body = &route.operation["requestBody"]["content"]["application/json"];
        let name = body["schema"]["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap();
        let has = body.get("example").or_else(|| document["components"]["schemas"][name].get("example"));
        assert!(has.is_some(), "{} {}: no example", route.method, route.path);
    }
    assert!(
        invalid(&document, "/components/schemas/NewKey", &json!({"name": "x", "role": "sendr"})).is_some()
    );
}

#[test]
fn every_operation_says_who_may_call_it_and_what_can_go_wrong() {
    let (mut ids, document) = (BTreeSet::new(), nuncio::api::document());
    assert_eq!(document["openapi"].as_str().map(|version| &version[..4]), Some("3.1."));
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        assert!(["admin", "sender", "reader"].contains(&route.role.as_str()), "{name}: {:?}", route.role);
        let operation = &route.operation;
        assert!(ids.insert(operation["operationId"].to_string()), "{name}: {}", operation["operationId"]);
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{name}");
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(
            document["tags"].as_array().unwrap().iter().any(|known| known["name"] == tag),
            "{name}: {tag}"
        );
        for status in ["401", "403", "429", "500", "503"] {
            assert!(operation["responses"].get(status).is_some(), "{name}: {status}");
        }
    }
}

/// What `nuncio doctor --json` prints is what its schema says.
#[test]
fn doctors_report_fits_its_schema() {
    let folder = tempfile::TempDir::new().unwrap();
    let doctor = std::process::Command::new(env!("CARGO_BIN_EXE_nuncio"))
        .args(["doctor", "--json"])
        .current_dir(folder.path())
        .env_clear()
        .envs([
            crate::harness::NO_CERTIFICATES,
            ("WEBHOOK_SECRET", crate::harness::SECRET),
            ("WEBHOOK_PORT", "1"),
        ])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert!(!report["checks"].as_array().unwrap().is_empty());
    assert_eq!(invalid(&nuncio::api::document(), "/components/schemas/DoctorReport", &report), None);
}
