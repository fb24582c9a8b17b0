//! who may do what. The matrix is made from the document, so a new route is in it.

use std::time::Duration;

use serde_json::json;

use super::{Api, BOOTSTRAP, routes};

const ROLES: [&str; 3] = ["reader", "sender", "admin"];

/// Every route × every role: 403 below the role that the document names, and neither 401 nor 403 from there on.
// Control: with `Reader` in the place of `Admin` in a handler of `src/api/keys.rs`, it is red.
#[tokio::test]
async fn every_route_takes_the_roles_that_its_document_names() {
    let api = Api::start().await;
    let mut keys = Vec::new();
    for role in ROLES {
        keys.push((role, api.key_of(role).await));
    }
    let mut asked = 0;
    for route in routes() {
        let needed = ROLES.iter().position(|role| *role == route.role).unwrap();
        for (place, (role, key)) in keys.iter().enumerate() {
            let mut request = api.request(&route.method, &route.concrete()).bearer_auth(key);
            if route.has_body() {
                request = request.json(&json!({}));
            }
            let reply = api.send(request).await;
            let name = format!("{} {} as {role}: {}", route.method, route.path, reply.text);
            if place < needed {
                assert_eq!((reply.status, reply.code().as_str()), (403, "forbidden"), "{name}");
                assert!(reply.json()["detail"].as_str().unwrap().contains(&route.role), "{name}");
            } else {
                assert!(![401, 403, 405, 500, 503].contains(&reply.status), "{name}");
            }
            asked += 1;
        }
    }
    assert_eq!(asked, routes().len() * ROLES.len());
    api.finish().await;
}

/// Every route × everything that is no valid key: 401, whatever else the request is.
// Control: without `authenticate` in `router.rs` the handlers answer 500; without a line of `given_key`, one row is red.
#[tokio::test]
async fn no_route_is_open_to_anything_but_one_valid_key() {
    let api = Api::start().await;
    let (_, valid) = api.key(json!({"name": "valid", "role": "admin"})).await;
    let (revoked_id, revoked) = api.key(json!({"name": "revoked", "role": "admin"})).await;
    let gone = api.send(api.request("DELETE", &format!("/v1/keys/{revoked_id}")).bearer_auth(&valid)).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    let soon = nuncio::clock::Timestamp::from_millis(api.t.clock.now().as_millis() + 60_000).to_rfc3339();
    let (_, expired) = api.key(json!({"name": "expired", "role": "admin", "expires_at": soon})).await;
    let before = api.send(api.request("GET", "/v1/keys").bearer_auth(&expired)).await;
    assert_eq!(before.status, 200, "{}", before.text);
    api.t.clock.advance(Duration::from_secs(61));

    let mut flipped = valid.clone();
    let last = flipped.pop().unwrap();
    flipped.push(if last == 'a' { 'b' } else { 'a' });
    let credentials: Vec<(&str, Vec<(&str, String)>)> = vec![
        ("none", vec![]),
        ("empty", vec![("authorization", String::new())]),
        ("no scheme", vec![("authorization", valid.clone())]),
        ("another scheme", vec![("authorization", format!("Basic {valid}"))]),
        ("a token of another kind", vec![("authorization", "Bearer nun_nothing".to_owned())]),
        ("two spaces", vec![("authorization", format!("Bearer  {valid}"))]),
        ("a tail", vec![("authorization", format!("Bearer {valid} x"))]),
        ("a list", vec![("authorization", format!("Bearer {valid}, Bearer {valid}"))]),
        (
            "twice",
            vec![("authorization", format!("Bearer {valid}")), ("authorization", format!("Bearer {valid}"))],
        ),
        ("in both headers", vec![("authorization", format!("Bearer {valid}")), ("x-api-key", valid.clone())]),
        ("a bad checksum", vec![("x-api-key", flipped)]),
        ("revoked", vec![("x-api-key", revoked)]),
        ("expired", vec![("authorization", format!("Bearer {expired}"))]),
    ];
    for route in routes() {
        for (what, headers) in &credentials {
            let mut request = api.request(&route.method, &route.concrete());
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            let reply = api.send(request).await;
            let name = format!("{} {}, {what}", route.method, route.path);
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (401, "unauthorized"),
                "{name}: {}",
                reply.text
            );
            assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"nuncio\"", "{name}");
        }
        for query in [
            format!("api_key={valid}"),
            format!("x=nun_{}", "a".repeat(42)),
            format!("access_token={BOOTSTRAP}"),
        ] {
            let path = format!("{}?{query}", route.concrete());
            let reply = api.send(api.request(&route.method, &path).bearer_auth(&valid)).await;
            assert_eq!((reply.status, reply.code().as_str()), (401, "key_in_query"), "{}", reply.text);
        }
    }
    // What is not there is not told to strangers either.
    for path in ["/v1", "/v1/", "/v1/nothing", "/v1/keys/a/b/c", "/v1/../v1/nothing"] {
        assert_eq!(api.send(api.request("GET", path)).await.status, 401, "{path}");
        assert_eq!(api.get(path).await.code(), "not_found", "{path}");
    }
    let hint = api.send(api.request("GET", "/v1/keys")).await;
    assert!(hint.json()["detail"].as_str().unwrap().contains("nuncio keys create"), "{}", hint.text);
    // The control of all the rows above: each valid form passes.
    for (name, value) in [
        ("authorization", format!("Bearer {valid}")),
        ("authorization", format!("bEARER {valid}")),
        ("x-api-key", valid.clone()),
        ("x-api-key", BOOTSTRAP.to_owned()),
    ] {
        let reply = api.send(api.request("GET", "/v1/keys").header(name, &value)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    // The canary: no key is in any line of the log.
    for line in api.t.log.all() {
        assert!(
            ![&valid, &expired].iter().any(|key| line.contains(key.as_str())) && !line.contains(BOOTSTRAP),
            "{line}"
        );
    }
    api.finish().await;
}

/// A company's admin has its own keys; those of others do not exist for it, by any route.
// Control: without `sees` in `hub/keys.rs` the other company's key is revoked.
#[tokio::test]
async fn another_companys_key_is_not_found() {
    let api = Api::start().await;
    let (_, acme) = api.key(json!({"name": "acme", "role": "admin", "company_id": "acme"})).await;
    let (other_id, other) = api.key(json!({"name": "other", "role": "admin", "company_id": "other"})).await;
    let own = api
        .send(
            api.request("POST", "/v1/keys").bearer_auth(&acme).json(&json!({"name": "n", "role": "reader"})),
        )
        .await;
    assert_eq!((own.status, &own.json()["company_id"]), (201, &json!("acme")), "{}", own.text);

    let listed = api.send(api.request("GET", "/v1/keys").bearer_auth(&acme)).await.json();
    let names: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["acme", "n"]);
    for (method, path) in
        [("DELETE", format!("/v1/keys/{other_id}")), ("POST", format!("/v1/keys/{other_id}/rotate"))]
    {
        let reply = api.send(api.request(method, &path).bearer_auth(&acme)).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{}", reply.text);
    }
    // Nor can it make one for itself.
    let body = json!({"name": "n", "role": "admin", "company_id": "other"});
    let foreign = api.send(api.request("POST", "/v1/keys").bearer_auth(&acme).json(&body)).await;
    assert_eq!((foreign.status, foreign.faults()), (422, vec!["/company_id invalid".to_owned()]));
    assert_eq!(api.send(api.request("GET", "/v1/keys").bearer_auth(&other)).await.status, 200);
    api.finish().await;
}

/// Rotation: both keys are accepted for a while, and then the new one only.
#[tokio::test]
async fn a_rotated_key_has_an_overlap() {
    let api = Api::start().await;
    let (id, old) = api.key(json!({"name": "shop", "role": "admin", "company_id": "acme"})).await;
    let rotated = api.post(&format!("/v1/keys/{id}/rotate"), json!({"overlap_seconds": 60})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let new = rotated.json()["key"].as_str().unwrap().to_owned();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        for key in [&old, &new] {
            statuses.push(api.send(api.request("GET", "/v1/keys").bearer_auth(key)).await.status);
        }
        api.t.clock.advance(Duration::from_secs(61));
    }
    assert_eq!(statuses, [200, 200, 401, 200]);
    let again = api.post(&format!("/v1/keys/{id}/rotate"), json!({})).await;
    assert_eq!((again.status, again.code().as_str()), (409, "conflict"), "{}", again.text);
    api.finish().await;
}
