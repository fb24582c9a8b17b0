//! Every route, from the table that the router is made of: what another site can make of it, and what its answers carry.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the layer `origin::same_only` | `no_other_site_changes_anything` |
//! | the form token in `session::signed_in_only` | `no_other_site_changes_anything` |
//! | the layer `session::signed_in_only` | `who_is_not_signed_in_sees_nothing` |
//! | the layer `headers::secure` | `every_answer_has_its_security_headers` |

use nuncio::console::{ConsoleRoute, routes};
use reqwest::Method;

use crate::console::browser::encoded;
use crate::console::{Browser, signed_in};
use crate::harness::Harness;
use crate::webhooks::{stores, url};

/// Its path with these parameters.
fn path(route: &ConsoleRoute, id: &str) -> String {
    route.path.replace("{id}", id).replace("{link}", &"0".repeat(64)).replace("{file}", "icon.svg")
}

/// Everything that a change would leave behind.
async fn state(t: &Harness) -> String {
    let webhooks = format!("{:?}", t.store().webhooks().await.unwrap());
    format!("{webhooks} {}", t.store().audited(1).await.unwrap()[0].seq)
}

// W-2
#[tokio::test]
async fn no_other_site_changes_anything() {
    let t = Harness::start().await;
    let id = stores(&t, &url(&t)).await.to_string();
    let (alice, other) = (signed_in(&t).await, signed_in(&t).await);
    let token = alice.opens("/console/discord-webhooks").await.token();
    let theirs = other.opens("/console/discord-webhooks").await.token();
    let ours = t.url("");
    let before = state(&t).await;
    let changing: Vec<ConsoleRoute> =
        routes().into_iter().filter(|route| route.method != Method::GET).collect();
    assert!(changing.len() > 8, "{changing:?}");
    let good = |token: &str| Some(encoded(&[("token", token), ("name", "Taken"), ("link", &"0".repeat(64))]));
    for route in &changing {
        let path = path(route, &id);
        for headers in [
            [("origin", "https://evil.example"), ("x-a", "")],
            [("origin", "null"), ("x-a", "")],
            [("x-a", ""), ("x-b", "")],
            [("origin", ours.as_str()), ("sec-fetch-site", "cross-site")],
            [("origin", ours.as_str()), ("sec-fetch-site", "same-site")],
            [("referer", ours.as_str()), ("x-a", "")],
        ] {
            let answer = alice.asks(route.method.clone(), &path, &headers, good(&token)).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
        }
        let from_us = [("origin", ours.as_str())];
        if route.needs_session {
            for wrong in ["", &theirs, &token[1..]] {
                let answer = alice.asks(route.method.clone(), &path, &from_us, good(wrong)).await;
                assert_eq!(answer.status, 403, "{path}");
            }
            // In another body than a form's, or in the query, the token is none.
            let text = [("origin", ours.as_str()), ("content-type", "text/plain")];
            let answer = alice.asks(route.method.clone(), &path, &text, good(&token)).await;
            assert!((400..=403).contains(&answer.status), "{path}: {}", answer.status);
            let query = format!("{path}?token={token}");
            assert_eq!(alice.asks(Method::POST, &query, &from_us, good("")).await.status, 403, "{path}");
        }
    }
    // Reading changes nothing, and no other method is a way around.
    for route in routes() {
        let path = path(&route, &id);
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        {
            let query = format!("{path}?_method=POST&token={token}");
            let answer =
                alice.asks(method.clone(), &query, &[("x-http-method-override", "POST")], None).await;
            let is_read = matches!(method, Method::GET | Method::HEAD);
            assert!(is_read || answer.status == 403, "{method} {path}: {}", answer.status);
        }
    }
    assert_eq!(state(&t).await, before);
    assert_eq!(t.channel("general").shown().len(), 0);
    t.finish().await;
}

#[tokio::test]
async fn who_is_not_signed_in_sees_nothing() {
    let t = Harness::start().await;
    let id = stores(&t, &url(&t)).await.to_string();
    let nobody = Browser::new(&t);
    let before = state(&t).await;
    for route in routes().iter().filter(|route| route.needs_session) {
        let path = path(route, &id);
        let answer = match route.method == Method::GET {
            true => nobody.gets(&path).await,
            false => nobody.posts(&path, &[("token", &"0".repeat(64))]).await,
        };
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.text().contains("nuncio console"), "{}", answer.html);
        assert!(!answer.html.contains("Acme NOC") && !answer.html.contains(&id), "{}", answer.html);
    }
    assert_eq!(state(&t).await, before);
    t.finish().await;
}

// W-5
#[tokio::test]
async fn every_answer_has_its_security_headers() {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https://cdn.discordapp.com; \
                          form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let t = Harness::start().await;
    let id = stores(&t, &url(&t)).await.to_string();
    let (alice, nobody) = (signed_in(&t).await, Browser::new(&t));
    let mut paths: Vec<String> = routes().iter().map(|route| path(route, &id)).collect();
    let style = {
        let html = alice.opens("/console/discord-webhooks").await.html;
        html.split("href=\"")
            .find_map(|rest| rest.split_once(".css").map(|(path, _)| format!("{path}.css")))
            .unwrap()
    };
    let others =
        ["/console/", "/console/nothing/here", "/console/discord-webhooks/dst_0", "/console/assets/no.js"];
    paths.extend(others.map(str::to_owned));
    paths.push(style.clone());
    for path in &paths {
        for browser in [&alice, &nobody] {
            for method in [Method::GET, Method::HEAD, Method::PUT] {
                let answer = browser.asks(method.clone(), path, &[("host", "evil.example")], None).await;
                let named = format!("{method} {path}: {}", answer.status);
                assert_eq!(answer.header("content-security-policy"), POLICY, "{named}");
                assert_eq!(answer.header("x-content-type-options"), "nosniff", "{named}");
                assert_eq!(answer.header("x-frame-options"), "DENY", "{named}");
                assert_eq!(answer.header("referrer-policy"), "same-origin", "{named}");
                assert!(!answer.html.contains("evil.example"), "{named}");
                assert!(!answer.header("location").contains("evil.example"), "{named}");
                let is_asset = path.contains("icon.svg") || *path == style;
                let kept = if is_asset && answer.status == 200 {
                    "public, max-age=31536000, immutable"
                } else {
                    "no-store"
                };
                assert_eq!(answer.header("cache-control"), kept, "{named}");
            }
        }
    }
    // With an address for operators, the console is there and nowhere else.
    t.finish().await;
    let t = Harness::with(|variables| {
        variables.insert("ADMIN_LISTEN".to_owned(), "127.0.0.1:0".to_owned());
    })
    .await;
    assert_eq!(t.looks_at("/console").await.0, 404);
    assert_eq!(signed_in(&t).await.gets("/console").await.status, 303);
    t.finish().await;
}
