//! nuncio for the API alone: no `WEBHOOK_SECRET`, no bot, no map. What is not configured is not there, and no problem.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | without a secret nothing is taken at the door | a route with no secrets in `SourceRoute::all` |
//! | what is not configured is no problem | `needs_bot` always true |
//! | a start needs some way in | `report_no_entrance` left out: it serves, and the test does not end |
//! | the operators' listener takes no webhooks, the public one no `/metrics` | `ListenerRole::Admin` left out; `merge` for both |

use nuncio::hub::Finding;
use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, free_port, http};
use crate::program::{Program, Run};

const KEY: &str = "canary-api-key-0123456789";

/// Status and text of the answer to a request with `key`.
async fn asks(method: &str, url: &str, key: &str) -> (u16, String) {
    let request =
        http().request(method.parse().unwrap(), url).header("authorization", format!("Bearer {key}"));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn health_of(address: &str, key: &str) -> Value {
    serde_json::from_str(&asks("GET", &format!("http://{address}/health"), key).await.1).unwrap()
}

/// What an operator sees of a nuncio without XTSystems, at `address`, run in the folder of `program`.
async fn works_without_xtsystems(program: &Program, address: &str, key: &str) {
    let url = |path: &str| format!("http://{address}{path}");
    let health = health_of(address, key).await;
    assert_eq!((&health["status"], &health["problems"]), (&json!("ok"), &json!([])), "{health}");
    assert_eq!(health["discord"], "disconnected");
    assert_eq!(asks("GET", &url("/health/ready"), key).await.0, 200);
    let page = asks("GET", &url("/"), key).await.1;
    assert!(page.contains("Everything works.") && page.contains("No webhooks are received"), "{page}");
    let doctor = program.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{}{}", doctor.stdout, doctor.stderr);
    // Here nobody can be asked for the time.
    let odd = doctor.stdout.lines().filter(|line| line.contains(['✗', '!']) && !line.contains("[clock]"));
    assert_eq!(odd.collect::<Vec<_>>(), [""; 0], "{}", doctor.stdout);
    assert!(doctor.stdout.contains("this nuncio works without XTSystems"), "{}", doctor.stdout);
    let doctor = program.run(&["doctor", "--send"]);
    assert!(doctor.stdout.contains("Nothing was sent: WEBHOOK_SECRET is not set"), "{}", doctor.stdout);
    assert_eq!(program.run(&["config"]).code, 0);
    assert_eq!(program.run(&["health"]).code, 0);
    for (method, path) in [
        ("POST", "/webhooks/xtsystems"),
        ("GET", "/webhooks/xtsystems"),
        ("PUT", "/webhooks/xtsystems"),
        ("GET", "/webhooks/config"),
        ("POST", "/webhooks/register"),
    ] {
        let (status, text) = asks(method, &url(path), key).await;
        assert_eq!((status, text.as_str()), (404, r#"{"error":"Not found"}"#), "{method} {path}");
    }
    assert_eq!(health_of(address, key).await["codes"], json!([]), "a sender's mistake is no problem");
    let sent = program.run(&["send", "ticket.created"]);
    assert!(sent.code == 78 && sent.stderr.contains("WEBHOOK_SECRET is not set"), "{}", sent.stderr);
}

// A-1
#[tokio::test]
async fn an_empty_folder_and_an_api_key_are_enough() {
    let program = Program::bare()
        .env("NUNCIO_API_KEY", KEY)
        .env("WEBHOOK_PORT", free_port().to_string())
        .env("DISCORD_API_URL", "http://127.0.0.1:9/api");
    let serving = program.serves();
    let said = serving.said.join("\n");
    assert!(said.contains("webhooks: none are taken, because WEBHOOK_SECRET is not set"), "{said}");
    assert!(!said.contains("WARN") && !said.contains("nowhere yet"), "{said}");
    works_without_xtsystems(&program, &serving.address, KEY).await;
    serving.signal(rustix::process::Signal::TERM);
    assert_eq!(serving.ends(), Some(0));
}

#[tokio::test]
async fn an_empty_folder_and_a_stored_key_are_enough() {
    let program = Program::bare()
        .env("WEBHOOK_PORT", free_port().to_string())
        .env("DISCORD_API_URL", "http://127.0.0.1:9/api");
    let created = program.run(&["keys", "create", "ops", "--role", "admin"]);
    assert_eq!(created.code, 0, "{}", created.stderr);
    assert!(!created.stderr.contains("another folder"), "{}", created.stderr);
    let key = created.stdout.trim_end();
    let serving = program.serves();
    works_without_xtsystems(&program, &serving.address, key).await;
    let metrics = http().get(format!("http://{}/metrics", serving.address));
    let metrics = metrics.header("x-forwarded-for", "192.0.2.1").header("x-api-key", key);
    assert_eq!(metrics.send().await.unwrap().status(), 200);
    serving.signal(rustix::process::Signal::TERM);
    assert_eq!(serving.ends(), Some(0));
    // Without its last key there is no way in.
    assert_eq!(program.run(&["keys", "revoke", "ops"]).code, 0);
    names_both_ways_on(&program.run(&["serve"]));
}

fn names_both_ways_on(run: &Run) {
    assert_eq!(run.code, 78, "{}", run.stderr);
    for way in ["WEBHOOK_SECRET=", "NUNCIO_API_KEY", "nuncio keys create"] {
        assert!(run.stderr.contains(way), "{way}: {}", run.stderr);
    }
}

#[test]
fn without_any_way_in_both_ways_on_are_named() {
    names_both_ways_on(&Program::with_dotenv("WEBHOOK_PORT=3000\n").run(&["serve"]));
    names_both_ways_on(&Program::with_dotenv("NUNCIO_API_KEY=\nWEBHOOK_SECRET=\n").run(&["serve"]));
    // A key that is refused is the one problem that there is.
    let run = Program::with_dotenv("NUNCIO_API_KEY=short\n").run(&["serve"]);
    assert!(run.code == 78 && run.stderr.contains("1 problem"), "{}", run.stderr);
}

#[tokio::test]
async fn the_door_opens_and_closes_with_the_secret() {
    let mut t = Harness::with(|variables| {
        variables.remove("WEBHOOK_SECRET");
        variables.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
    })
    .await;
    let body = json!({"event_type": "ticket.created", "data": {"id": "t-1", "title": "Test"}});
    assert_eq!(t.platform().send(body.clone()).await.unwrap().status, 404);
    let found = t.hub().findings();
    assert_eq!(found[0].finding, Finding::UnknownSource);
    assert!(found[0].sentence.contains("set WEBHOOK_SECRET"), "{}", found[0].sentence);
    assert_eq!(asks("GET", &t.url("/webhooks/config"), KEY).await.0, 404);

    t.set("WEBHOOK_SECRET", crate::harness::SECRET);
    t.reload().await;
    assert_eq!(t.platform().send(body.clone()).await.unwrap().status, 200);
    t.channel("tickets").next_message().await;
    assert_eq!(asks("GET", &t.url("/webhooks/config"), KEY).await.0, 200);
    assert_eq!(asks("GET", &t.url("/webhooks/config"), "nobody's").await.0, 401);
    t.unset("WEBHOOK_SECRET");
    t.reload().await;
    assert_eq!(t.platform().send(body).await.unwrap().status, 404);
    t.log.expect(Level::WARN, "this nuncio takes none");
    t.finish().await;
}

// Without a token, only what needs the bot makes it a problem: XTSystems' events, or a channel in the map.
#[tokio::test]
async fn a_missing_token_is_a_problem_where_something_waits_for_the_bot() {
    let mut t = Harness::with(|variables| {
        for name in ["WEBHOOK_SECRET", "DISCORD_TOKEN", "DISCORD_WEBHOOK_CHANNELS"] {
            variables.remove(name);
        }
        variables.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
    })
    .await;
    assert_eq!(t.health().await["codes"], json!([]));
    t.set("DISCORD_WEBHOOK_CHANNELS", r#"{"default":["1200000000000000009"]}"#);
    t.reload().await;
    assert_eq!(t.health().await["codes"], json!(["no_token"]));
    t.unset("DISCORD_WEBHOOK_CHANNELS");
    t.reload().await;
    assert_eq!(t.health().await["codes"], json!([]));
    t.set("WEBHOOK_SECRET", crate::harness::SECRET);
    t.reload().await;
    assert_eq!(t.health().await["codes"], json!(["no_token"]));
    t.finish().await;
}

#[tokio::test]
async fn operators_may_have_a_listener_of_their_own() {
    let t = Harness::with(|variables| {
        variables.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
        variables.insert("ADMIN_LISTEN".to_owned(), "127.0.0.1:0".to_owned());
    })
    .await;
    assert_eq!(asks("GET", &t.admin_url("/metrics"), KEY).await.0, 200);
    assert_eq!(asks("GET", &t.url("/metrics"), KEY).await.0, 404);
    assert_eq!(asks("GET", &t.url("/health"), KEY).await.0, 200);
    assert_eq!(asks("POST", &t.admin_url("/webhooks/xtsystems"), KEY).await.0, 404);
    assert_eq!(asks("GET", &t.admin_url("/nothing"), KEY).await.0, 404);
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.log.expect(Level::WARN, "nothing is received at its path");
    t.finish().await;

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let program = Program::bare()
        .env("NUNCIO_API_KEY", KEY)
        .env("WEBHOOK_PORT", "0")
        .env("ADMIN_LISTEN", taken.local_addr().unwrap().to_string());
    let run = program.run(&["serve"]);
    assert!(run.code == 78 && run.stderr.contains("ADMIN_LISTEN"), "{}", run.stderr);
    let doctor = program.env("DISCORD_API_URL", "http://127.0.0.1:9/api").run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("ADMIN_LISTEN is 127.0.0.1:"), "{}", doctor.stdout);
}
