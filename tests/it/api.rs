//! The API's conventions, at every route that its document names: keys and roles, problems, bodies, pages, repetitions.

mod auth;
mod bodies;
mod document;
mod envelope;
mod lists;
mod once;
mod page;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::harness::{Harness, http};

/// `NUNCIO_API_KEY` of these tests.
const BOOTSTRAP: &str = "the-bootstrap-key-of-these-tests";

/// nuncio with an API, and the verbs of somebody who calls it.
struct Api {
    t: Harness,
}

/// An answer.
struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    /// Its body; null if it is none.
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the problem that it is.
    fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        assert_eq!(body["request_id"], self.header("x-request-id"), "{body}");
        assert_eq!(body["type"], format!("/docs#{}", body["code"].as_str().unwrap()), "{body}");
        body["code"].as_str().unwrap().to_owned()
    }

    /// Pointers and codes of its faults.
    fn faults(&self) -> Vec<String> {
        let body = self.json();
        let faults = body["errors"].as_array().into_iter().flatten();
        faults
            .map(|fault| {
                format!("{} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())
            })
            .collect()
    }
}

impl Api {
    /// With so wide a limit that no test meets it by accident.
    async fn start() -> Self {
        Self::with_limit("60000/1m").await
    }

    async fn with_limit(limit: &str) -> Self {
        let t = Harness::with(|variables| {
            variables.insert("NUNCIO_API_KEY".to_owned(), BOOTSTRAP.to_owned());
            variables.insert("API_RATE_LIMIT".to_owned(), limit.to_owned());
        });
        Self { t: t.await }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        http().request(Method::from_bytes(method.as_bytes()).unwrap(), self.t.url(path))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.unwrap() }
    }

    /// A request with the bootstrap key.
    async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path).bearer_auth(BOOTSTRAP)).await
    }

    /// The same with a body.
    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request("POST", path).bearer_auth(BOOTSTRAP).json(&body)).await
    }

    /// Creates a key of this kind; its id and its text.
    async fn key(&self, about: Value) -> (String, String) {
        let made = self.post("/v1/keys", about).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    }

    /// A key of this role.
    async fn key_of(&self, role: &str) -> String {
        self.key(json!({"name": format!("a {role}"), "role": role})).await.1
    }

    async fn finish(self) {
        self.t.finish().await;
    }
}

/// A route of the document.
struct Route {
    method: String,
    path: String,
    /// The role that it needs.
    role: String,
    operation: Value,
}

impl Route {
    /// The path with an id that nothing has in the place of each parameter.
    fn concrete(&self) -> String {
        let nobody = "0".repeat(32);
        let parts = self.path.split('/').map(|part| match part {
            "{id}" if self.path.starts_with("/v1/keys") => format!("key_{nobody}"),
            part if part.starts_with('{') => format!("dst_{nobody}"),
            part => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn has_body(&self) -> bool {
        self.operation.get("requestBody").is_some()
    }
}

/// Every route of the document.
fn routes() -> Vec<Route> {
    let document = nuncio::api::document();
    let paths = document["paths"].as_object().unwrap().clone();
    let routes = paths.into_iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().clone();
        operations.into_iter().map(move |(method, operation)| Route {
            method: method.to_uppercase(),
            path: path.clone(),
            role: operation["security"][0]["bearer"][0].as_str().unwrap_or_default().to_owned(),
            operation,
        })
    });
    routes.collect()
}
