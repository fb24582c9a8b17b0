//! `nuncio discord-webhooks`, and that a webhook's address is seen nowhere.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{ChildStderr, Command};

use super::{routes_to, url};
use crate::harness::{Harness, NO_CERTIFICATES, http, within};

const ADD: &[&str] =
    &["discord-webhooks", "add", "--name", "Acme NOC", "--type", "support", "--scope", "admin"];

/// Stores the webhook of the sandbox; answers its id.
async fn adds(t: &Harness) -> String {
    let ran = t.runs_with(ADD, &format!("{}\n", url(t))).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout.trim().to_owned()
}

#[tokio::test]
async fn a_webhook_is_stored_tested_listed_and_removed() {
    let t = Harness::plain().await;
    let empty = t.runs(&["discord-webhooks", "list"]).await;
    assert!(
        empty.code == 0 && empty.stdout.is_empty() && empty.stderr.contains("nuncio discord-webhooks add")
    );
    let id = adds(&t).await;
    let again = t.runs_with(ADD, &url(&t)).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains(&format!("stored already, as {id}")), "{}", again.stderr);
    let tested = t.runs(&["discord-webhooks", "test", &id[id.len() - 8..]]).await;
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("Discord answered 200"), "{}", tested.stdout);
    assert_eq!(t.channel("general").next_message().await.title(), "🧪 Webhook Test");
    let listed = t.runs(&["discord-webhooks", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed[0]["id"], id);
    assert_eq!((&listed[0]["type"], &listed[0]["scope"]), (&"SUPPORT".into(), &"ADMIN".into()));
    assert!(listed[0]["test_success_at"].is_string() && listed[0]["user_id"].is_null(), "{listed}");
    let shown = listed[0]["webhook_url"].as_str().unwrap();
    assert!(shown.starts_with("…/webhooks/") && shown.ends_with(&url(&t)[url(&t).len() - 4..]), "{shown}");
    assert!(t.runs(&["discord-webhooks", "list"]).await.stdout.contains(shown));
    t.discord.delete_webhook(t.discord.webhook_id());
    let tested = t.runs(&["discord-webhooks", "test", "Acme NOC"]).await;
    assert_eq!(tested.code, 1);
    assert!(
        tested.stdout.contains("10015") && tested.stderr.contains(&format!("replace {id}")),
        "{}",
        tested.stdout
    );
    let removed = t.runs(&["discord-webhooks", "remove", &id]).await;
    assert_eq!(removed.code, 0, "{}", removed.stderr);
    assert_eq!(t.runs(&["discord-webhooks", "test", &id]).await.code, 1);
    let audit = t.runs(&["audit"]).await.stdout;
    assert!(audit.contains("discord-webhook.add") && audit.contains("discord-webhook.remove"), "{audit}");
    assert!(audit.contains(shown), "{audit}");
    t.finish().await;
}

#[tokio::test]
async fn what_is_no_address_is_refused_in_a_sentence_that_does_not_repeat_it() {
    let t = Harness::plain().await;
    let token = "canary".repeat(11);
    let evil = format!("https://discord.com.evil.example/api/webhooks/1200000000000000001/{token}");
    let cut = format!("https://discord.com/api/webhooks/1200000000000000001/{}", &token[..30]);
    for (input, words) in
        [(evil.as_str(), "does not lead to Discord"), (&cut, "cut off"), ("", "it is empty")]
    {
        let ran = t.runs_with(ADD, input).await;
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(!ran.stderr.contains("canary") && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    let ran = t.runs(&[ADD, &[evil.as_str()]].concat()).await;
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("arguments can be seen by others") && !ran.stderr.contains("canary"),
        "{}",
        ran.stderr
    );
    let ran = t.runs(&["discord-webhooks", "add", "--name", "x", "--scope", "user"]).await;
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let ran = t.runs_with(&["discord-webhooks", "add", "--name", "x", "--type", "nonsense"], &url(&t)).await;
    assert!(ran.code == 2 && ran.stderr.contains("GAME_SERVER, VPS"), "{}", ran.stderr);
    t.finish().await;
}

#[tokio::test]
async fn without_the_key_nothing_is_sealed_or_opened_and_it_is_said_what_to_do() {
    let mut t = Harness::plain().await;
    let id = adds(&t).await;
    t.stop().await;
    t.unset("NUNCIO_ENCRYPTION_KEY");
    let ran = t.runs(&["discord-webhooks", "test", &id]).await;
    assert_eq!(ran.code, 78);
    assert!(ran.stderr.contains("put the file back, or set NUNCIO_ENCRYPTION_KEY"), "{}", ran.stderr);
    t.set("NUNCIO_ENCRYPTION_KEY", "ab".repeat(32));
    let ran = t.runs_with(&["discord-webhooks", "replace", &id], &url(&t)).await;
    assert_eq!(ran.code, 78);
    assert!(ran.stderr.contains("sealed with another key"), "{}", ran.stderr);
    assert_eq!(t.runs(&["discord-webhooks", "list"]).await.code, 0, "what may be shown needs no key");
    t.set("NUNCIO_ENCRYPTION_KEY", "5e".repeat(32));
    t.boot().await;
    t.finish().await;
}

/// Keeps what a program says, and tells once where it takes events.
async fn hears(stderr: ChildStderr, kept: PathBuf, ready: tokio::sync::oneshot::Sender<String>) {
    let mut kept = std::fs::File::create(kept).unwrap();
    let (mut lines, mut ready) = (BufReader::new(stderr).split(b'\n'), Some(ready));
    while let Some(line) = lines.next_segment().await.unwrap() {
        kept.write_all(&line).and_then(|()| kept.write_all(b"\n")).unwrap();
        let line = String::from_utf8_lossy(&line);
        if let Some((_, address)) = line.split_once("webhooks: POST ")
            && let Some(ready) = ready.take()
        {
            ready.send(address.trim().to_owned()).unwrap();
        }
    }
}

const API_KEY: &str = "an-api-key-of-the-canary-run";

/// A secret in the ways in which it could leak: as it is, its beginning, in hex, in base64 (at each of the three places at
/// which it can begin), and in percent-encoding.
fn encodings(secret: &str) -> Vec<String> {
    let percent: String = secret.bytes().take(12).map(|byte| format!("%{byte:02X}")).collect();
    let mut forms =
        vec![secret.to_owned(), secret[..12].to_owned(), hex::encode(secret)[..24].to_owned(), percent];
    forms.extend((0..3).map(|skip| base64(&secret.as_bytes()[skip..][..18])));
    forms
}

/// Base64 of whole groups of three bytes.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[(bits >> shift & 63) as usize]))
    };
    bytes.chunks(3).flat_map(group).collect()
}

// S-1, A-2
#[tokio::test]
async fn its_address_is_nowhere_to_be_seen() {
    let mut t = Harness::plain().await;
    let id = adds(&t).await;
    routes_to(&mut t, id.parse().unwrap()).await;
    t.stop().await;
    // The real program, as talkative as it can be: a message that arrives, one in doubt, and the end of the webhook.
    let mut serve = Command::new(env!("CARGO_BIN_EXE_nuncio"));
    let variables = [
        "DISCORD_TOKEN",
        "DISCORD_API_URL",
        "DISCORD_GATEWAY",
        "DISCORD_WEBHOOK_CHANNELS",
        "WEBHOOK_SECRET",
        "NUNCIO_DATABASE_URL",
        "NUNCIO_ENCRYPTION_KEY",
        "LOG_DIR",
        "CARDS",
        "COALESCE",
    ];
    serve
        .env_clear()
        .envs([NO_CERTIFICATES])
        .current_dir(t.folder())
        .envs(variables.map(|name| (name, t.variable(name).to_owned())));
    serve
        .env("RUST_LOG", "trace,hyper=trace,hyper_util=trace,reqwest=trace")
        .env("WEBHOOK_PORT", "0")
        .env("WEBHOOK_HOST", "127.0.0.1")
        .env("NUNCIO_API_KEY", API_KEY)
        .arg("serve");
    let (said, printed) = (t.folder().join("said"), t.folder().join("printed"));
    serve.stdout(std::fs::File::create(&printed).unwrap()).stderr(Stdio::piped());
    let mut serve = serve.kill_on_drop(true).spawn().unwrap();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let heard = tokio::spawn(hears(serve.stderr.take().unwrap(), said.clone(), ready));
    let address = within("nuncio to be ready", is_ready).await.unwrap();
    let sender = nuncio::demo::XtSystems::over(
        http().clone(),
        address.clone(),
        nuncio::secret::Secret::new(t.variable("WEBHOOK_SECRET")),
        t.clock.clone(),
    );
    t.discord.faults().next_on("POST /api/v10/webhooks/", 1, nuncio::sandbox::discord::Fault::CutAfter);
    sender.send(crate::limits::ticket(1)).await.unwrap();
    let messages = t.channel("general").next_messages(2).await;
    t.discord.delete_webhook(t.discord.webhook_id());
    sender.send(crate::limits::ticket(2)).await.unwrap();
    t.channel("alerts").next_message().await;
    let host = address.trim_end_matches("/webhooks/xtsystems");
    let mut seen = vec![format!("{messages:?}")];
    // The API is told the address in every way: it was stored before, it is dead now, it is given again, and mistyped.
    let (api, own) = (format!("{host}/v1/discord-webhooks"), format!("{host}/v1/discord-webhooks/{id}"));
    let (test, own_test) = (format!("{api}/test"), format!("{own}/test"));
    let requests = [
        ("POST", &api, json!({"name": "Again", "webhook_url": url(&t), "avatar_url": url(&t)})),
        ("POST", &api, json!({"name": "Again", "webhook_url": url(&t)})),
        ("POST", &api, json!({"name": url(&t), "webhook_url": 7, "type": url(&t)})),
        ("POST", &test, json!({"webhook_url": url(&t)})),
        ("POST", &test, json!({"webhook_url": format!("{}/slack", url(&t))})),
        ("PATCH", &own, json!({"webhook_url": url(&t), "description": url(&t)})),
        ("PUT", &own, json!({"name": "Again", "webhook_url": url(&t)})),
        ("POST", &own_test, json!({})),
        ("GET", &own, json!({})),
        ("GET", &api, json!({})),
    ];
    for (number, (method, path, body)) in requests.into_iter().enumerate() {
        let request = http().request(method.parse().unwrap(), path).bearer_auth(API_KEY);
        let answer = request.header("idempotency-key", number.to_string()).json(&body);
        let answer = answer.send().await.unwrap();
        let head = format!("{:?}", answer.headers());
        seen.push(head + &answer.text().await.unwrap());
    }
    for path in ["/health", "/metrics", "/"] {
        seen.push(http().get(format!("{host}{path}")).send().await.unwrap().text().await.unwrap());
    }
    let commands: [&[&str]; 6] = [
        &["deliveries", "--json"],
        &["discord-webhooks", "list"],
        &["events"],
        &["audit"],
        &["db", "backup", "copy.db"],
        &["db", "export"],
    ];
    for args in commands {
        let ran = t.runs(args).await;
        seen.push(ran.stdout + &ran.stderr);
    }
    serve.start_kill().unwrap();
    within("nuncio to end", serve.wait()).await.unwrap();
    within("all of what it said", heard).await.unwrap();
    let token = url(&t).rsplit('/').next().unwrap().to_owned();
    let forms = encodings(&token);
    let is_seen = |bytes: &[u8]| {
        forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
    };
    for form in &encodings(&token) {
        assert!(is_seen(format!("… {form} …").as_bytes()), "the control: where it is, it is seen");
    }
    assert!(seen.iter().any(|text| text.contains("Discord answered 404 10015")), "{seen:#?}");
    seen.iter().for_each(|text| assert!(!is_seen(text.as_bytes()), "{text}"));
    let mut folders = vec![t.folder().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                assert!(!is_seen(&std::fs::read(&path).unwrap()), "in {}", path.display());
            }
        }
    }
    assert!(files >= 5, "the database, its companions, the logs");
    let trace = std::fs::read_to_string(&said).unwrap();
    assert!(trace.contains("TRACE") && trace.contains("may be a duplicate"), "it was talkative");
    t.boot().await;
    t.finish_with_backlog(1).await;
}
