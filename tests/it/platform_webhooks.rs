//! `nuncio webhooks`: the webhooks of XTSystems, as a person at a shell meets them: the real program, against the sandbox's
//! XTSystems.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | an address elsewhere is masked | `masked`: the list shows it whole |
//! | nobody else is given our secret | `is_here` in `create`: nobody is asked for another one |
//! | nothing is deleted where nobody can be asked | `is_terminal` in `delete` |
//! | only a yes is one | a no taken for a yes in `confirmed` |
//! | XTSystems elsewhere is not given localhost | `can_reach` in `must_reach` |
//! | what was changed is in the audit log | `store.audit` in `note` |

use std::io::Write as _;
use std::process::{Command, Stdio};

use nuncio::demo::{Platform, PlatformFault};
use nuncio::secret::Secret;
use serde_json::{Value, json};

use crate::commands::{KEY, Stage};
use crate::harness::SECRET;
use crate::program::Program;

const OTHER_SECRET: &str = "canary of another receiver's secret";

/// A running nuncio that XTSystems can reach, and what a command printed there: never a secret. S-1
async fn stage() -> Stage {
    let mut s = Stage::start().await;
    let here = s.t.url("");
    s.t.set("PUBLIC_URL", here);
    s
}

/// Runs `nuncio webhooks ARGS…`: the exit code, stdout, stderr.
async fn runs(s: &Stage, args: &[&str]) -> (i32, String, String) {
    runs_with(s, args, "").await
}

async fn runs_with(s: &Stage, args: &[&str], input: &str) -> (i32, String, String) {
    let ran = s.t.runs_with(&[&["webhooks"][..], args].concat(), input).await;
    let printed = format!("{}{}", ran.stdout, ran.stderr);
    for secret in [KEY, SECRET, OTHER_SECRET] {
        assert!(!printed.contains(secret), "{args:?} printed a secret: {printed}");
    }
    (ran.code, ran.stdout, ran.stderr)
}

/// What XTSystems was asked for, the oldest first.
fn asked(s: &Stage) -> Vec<String> {
    s.platform.recorded_requests().iter().map(|told| format!("{} {}", told.method, told.path)).collect()
}

#[tokio::test]
async fn registering_makes_the_webhook_tests_it_and_lists_what_it_sent() {
    let s = stage().await;
    let here = s.t.url("/webhooks/xtsystems");
    let (code, stdout, stderr) = runs(&s, &["list"]).await;
    assert!(code == 0 && stdout.is_empty() && stderr.contains("nuncio webhooks register"), "{stderr}");
    let (code, _, stderr) = runs(&s, &["test"]).await;
    assert_eq!(code, 1);
    assert!(
        stderr.contains(&format!("no webhook that sends to {here}: nuncio webhooks register")),
        "{stderr}"
    );

    let (code, stdout, stderr) = runs(&s, &["register"]).await;
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, format!("Registered: XTSystems sends all events to {here}, signed.\n"));
    assert_eq!(stderr, "Try it: nuncio webhooks test whk-1\n");
    let (code, stdout, stderr) = runs(&s, &["test"]).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.starts_with(&format!("A test arrived at {here}: it answered 200 after ")), "{stdout}");
    assert_eq!(s.t.channel("general").next_message().await.title(), "🧪 Test arrived");

    let (code, stdout, stderr) = runs(&s, &["deliveries"]).await;
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.starts_with("CREATED "), "{stderr}");
    let words: Vec<&str> = stdout.split_whitespace().skip(1).take(4).collect();
    assert_eq!(words, ["webhook.test", "yes", "1", "200"], "{stdout}");
    let (_, stdout, _) = runs(&s, &["deliveries", "whk-1", "--limit", "1", "--json"]).await;
    let sent: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&sent[0]["event_type"], &sent[0]["response_status"]), (&json!("webhook.test"), &json!(200)));

    let wanted = ["register", "--events", "ticket.*, alert.triggered", "--company", "acme-1"];
    let (code, stdout, _) = runs(&s, &wanted).await;
    assert_eq!(code, 0);
    assert!(stdout.starts_with("The registration was there and is up to date now"), "{stdout}");
    let told = s.platform.recorded_requests();
    assert_eq!(
        (&told[2].body["events"], &told[2].body["company_id"]),
        (&json!(["ticket.*", "alert.triggered"]), &json!("acme-1"))
    );
    assert_eq!(asked(&s), ["POST /v1/webhooks", "POST /v1/webhooks/whk-1/test", "PUT /v1/webhooks/whk-1"]);
    // The failed test is none of them: there was nothing to ask for.
    let entry = s.audited(3).await;
    assert_eq!((entry.action.as_str(), entry.outcome.as_str()), ("command.register-webhook", "done"));
    assert_eq!(entry.actor_id, "shell");
    s.finish().await;
}

#[tokio::test]
async fn one_is_made_changed_switched_off_and_on_and_deleted() {
    let s = stage().await;
    s.platform.add_webhook(
        "Chat",
        "https://hooks.chat.example/T0/aBcDeFgHiJkLmNoPqRsTuVwX?key=canary",
        Secret::new(OTHER_SECRET),
    );
    let create = ["create", "--name", "Billing", "--url", "http://127.0.0.1:9/in", "--events", "invoice.*"];
    let (code, _, stderr) = runs(&s, &create).await;
    assert!(code == 2 && stderr.contains("a secret has at least 16 characters"), "{stderr}");
    let (code, stdout, stderr) = runs_with(&s, &create, &format!("{OTHER_SECRET}\n")).await;
    assert_eq!((code, stdout.as_str()), (0, "whk-2\n"), "{stderr}");
    assert!(stderr.contains("Billing sends invoice.* to http://127.0.0.1:9/in, signed"), "{stderr}");
    let (code, _, stderr) = runs_with(&s, &create, OTHER_SECRET).await;
    assert_eq!(code, 1);
    assert!(stderr.contains("already exists. Give it another --name"), "{stderr}");
    // Here it is our own secret: nobody is asked.
    let (code, _, stderr) = runs(&s, &["create", "--name", "Here"]).await;
    assert_eq!(code, 0, "{stderr}");

    let (_, stdout, _) = runs(&s, &["list"]).await;
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].ends_with("https://hooks.chat.example/T0/••••uVwX?••••"), "{stdout}");
    assert!(lines[1].starts_with("whk-2  Billing ") && lines[1].contains(" enabled "), "{stdout}");
    assert!(lines[2].ends_with("  (this nuncio)"), "{stdout}");
    let (_, stdout, _) = runs(&s, &["list", "--json"]).await;
    let listed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&listed[0]["active"], &listed[2]["is_this_nuncio"]), (&json!(true), &json!(true)));
    assert!(!stdout.contains("canary"), "{stdout}");

    let (code, _, stderr) = runs(&s, &["update", "whk-2"]).await;
    assert!(code == 2 && stderr.contains("nothing to change was given"), "{stderr}");
    let (code, stdout, stderr) =
        runs(&s, &["update", "Billing", "--events", "invoice.paid", "--our-secret"]).await;
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("whk-2 (Billing) is changed (events, secret)."), "{stdout}");
    let (code, stdout, _) = runs(&s, &["disable", "whk-2"]).await;
    assert_eq!((code, stdout.as_str()), (0, "whk-2 (Billing) is disabled.\n"));
    assert!(runs(&s, &["list"]).await.1.contains(" disabled "));
    let (_, stdout, _) = runs(&s, &["disable", "whk-2"]).await;
    assert_eq!(stdout, "whk-2 (Billing) is disabled already.\n");
    let (code, stdout, _) = runs(&s, &["enable", "whk-2"]).await;
    assert_eq!((code, stdout.as_str()), (0, "whk-2 (Billing) is enabled.\n"));

    let (code, _, stderr) = runs(&s, &["delete", "whk-2"]).await;
    assert!(code == 2 && stderr.contains("whk-2 (Billing) was not deleted: add --yes"), "{stderr}");
    assert!(!asked(&s).iter().any(|call| call.starts_with("DELETE")));
    let (code, stdout, _) = runs(&s, &["delete", "whk-2", "--yes"]).await;
    assert_eq!((code, stdout.as_str()), (0, "whk-2 (Billing) is deleted.\n"));
    let (code, _, stderr) = runs(&s, &["delete", "whk-3", "--yes"]).await;
    assert!(code == 0 && stderr.contains("nuncio webhooks register makes it again"), "{stderr}");

    let audit = s.t.runs(&["audit"]).await.stdout;
    for word in ["create", "update", "disable", "enable", "delete"] {
        assert!(audit.contains(&format!("xtsystems-webhook.{word}")), "{word}: {audit}");
    }
    assert!(audit.contains("failed") && !audit.contains(OTHER_SECRET) && !audit.contains(SECRET), "{audit}");
    s.finish().await;
}

#[tokio::test]
async fn an_id_that_is_none_is_answered_with_what_was_meant() {
    let s = stage().await;
    for (name, url) in
        [("Discord Bot Integration", "http://old.example/hook"), ("Billing", "http://b.example/")]
    {
        s.platform.add_webhook(name, url, Secret::new(OTHER_SECRET));
    }
    let (code, _, stderr) = runs(&s, &["test", "whj-1"]).await;
    assert_eq!(code, 1);
    assert!(stderr.contains("no webhook whj-1. Did you mean whk-1 (Discord Bot Integration)?"), "{stderr}");
    let (code, _, stderr) = runs(&s, &["delete", "whk", "--yes"]).await;
    assert_eq!(code, 2);
    assert!(stderr.contains("may be any of whk-1 (Discord Bot Integration), whk-2 (Billing)"), "{stderr}");
    let (code, _, stderr) = runs(&s, &["enable", "something else"]).await;
    assert!(
        code == 1 && !stderr.contains("Did you mean") && stderr.contains("nuncio webhooks list"),
        "{stderr}"
    );
    assert!(asked(&s).is_empty(), "something was changed");
    s.finish().await;
}

#[tokio::test]
async fn what_xtsystems_does_not_do_says_why_and_what_to_do() {
    let mut s = stage().await;
    // The receiver does not take what XTSystems sends.
    let here = s.t.url("/webhooks/xtsystems");
    s.platform.add_webhook("Discord Bot Integration", &here, Secret::new("another secret altogether"));
    let (code, stdout, stderr) = runs(&s, &["test"]).await;
    assert_eq!(code, 1);
    assert!(stdout.starts_with(&format!("No test arrived at {here}: The endpoint answered 401")), "{stdout}");
    assert!(stderr.contains("nuncio webhooks register sets the secret"), "{stderr}");
    let (_, stdout, stderr) = runs(&s, &["deliveries"]).await;
    assert!(
        stdout.contains("  no  ") && stderr.contains("nuncio webhooks register sets"),
        "{stdout}{stderr}"
    );
    s.platform.add_webhook("Nobody", "http://127.0.0.1:9/in", Secret::new(OTHER_SECRET));
    let (code, stdout, stderr) = runs(&s, &["test", "Nobody"]).await;
    assert_eq!(code, 1);
    assert!(stdout.contains("cannot be reached") && stderr.contains("--url URL"), "{stdout}{stderr}");
    let (code, _, stderr) = runs(&s, &["register", "--events", "a; drop"]).await;
    assert!(code == 2 && stderr.contains("not kinds of events"), "{stderr}");
    let (code, _, stderr) = runs(&s, &["register", "--url", "file:///etc/passwd"]).await;
    assert!(code == 2 && stderr.contains("not an address for a webhook"), "{stderr}");

    let echo = json!({"detail": format!("you sent Bearer {KEY}")});
    for (status, body, words) in [
        (401, echo, "refused XTSYSTEMS_API_KEY (401)"),
        (404, json!({"detail": "Not Found"}), "Is XTSYSTEMS_API_URL (http://127.0.0.1:"),
        (500, json!({"detail": "no disk"}), "no disk. Try again later"),
    ] {
        s.platform.fails_next("GET /v1/webhooks", 1, PlatformFault::Status(status, body));
        let (code, stdout, stderr) = runs(&s, &["list"]).await;
        assert!(code == 1 && stdout.is_empty() && stderr.contains(words), "{status}: {stderr}");
    }
    s.platform.fails_next("PUT /v1/webhooks", 1, PlatformFault::Status(500, json!({"detail": "no disk"})));
    let (code, _, stderr) = runs(&s, &["register"]).await;
    assert!(code == 1 && stderr.contains("no disk"), "{stderr}");
    assert_eq!(s.audited(3).await.outcome, "failed");

    s.t.set("XTSYSTEMS_API_URL", "http://127.0.0.1:9");
    let (code, _, stderr) = runs(&s, &["list"]).await;
    let words = "Check XTSYSTEMS_API_URL and whether it runs (XTSYSTEMS_API_URL is http://127.0.0.1:9)";
    assert!(code == 1 && stderr.contains(words), "{stderr}");
    s.t.set("XTSYSTEMS_API_URL", "http://192.0.2.1");
    s.t.unset("PUBLIC_URL");
    for args in [&["register"][..], &["create", "--name", "x"]] {
        let (code, _, stderr) = runs(&s, args).await;
        assert!(code == 1 && stderr.contains("set PUBLIC_URL") && !stderr.contains("restart"), "{stderr}");
    }
    s.t.unset("XTSYSTEMS_API_KEY");
    for args in [&["list"][..], &["register"], &["delete", "x", "--yes"]] {
        let (code, _, stderr) = runs(&s, args).await;
        assert!(code == 78 && stderr.starts_with("XTSYSTEMS_API_KEY is not set"), "{args:?}: {stderr}");
    }
    s.finish().await;
}

/// Types `answer` at a terminal in which `nuncio webhooks delete whk-1` runs; whether that could be tried here.
fn deletes_at_a_terminal(program: &Program, answer: &str) -> Option<String> {
    let command = format!("{} webhooks delete whk-1", env!("CARGO_BIN_EXE_nuncio"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(program.path());
    let child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        println!("script is not installed here: the question at a terminal was not tried");
        return None;
    };
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    Some(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_server_need_run_and_a_port_that_is_not_known_is_asked_for() {
    let platform = Platform::new(Secret::new(KEY), nuncio::clock::Clock::system());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Platform::url(listener.local_addr().unwrap());
    tokio::spawn(platform.clone().serve(listener, tokio_util::sync::CancellationToken::new()));
    let dotenv = |more: &str| {
        format!("WEBHOOK_SECRET=0123456789abcdef\nXTSYSTEMS_API_URL={url}\nXTSYSTEMS_API_KEY={KEY}\n{more}")
    };
    let program = Program::with_dotenv(&dotenv("WEBHOOK_PORT=4000\n"));
    let run = program.run(&["webhooks", "register"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(platform.recorded_requests()[0].body["url"], "http://localhost:4000/webhooks/xtsystems");
    assert!(program.run(&["audit"]).stdout.contains("command.register-webhook"));

    let program = Program::with_dotenv(&dotenv("WEBHOOK_PORT=0\n"));
    let run = program.run(&["webhooks", "register"]);
    assert!(run.code == 2 && run.stderr.contains("set PUBLIC_URL, or give --url"), "{}", run.stderr);
    let run = program.run(&["webhooks", "register", "--url", "http://localhost:4001/x"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(platform.recorded_requests().len(), 2, "one was updated by its name");
    assert_eq!(program.run(&["webhooks", "list"]).code, 0);
    if let Some(seen) = deletes_at_a_terminal(&program, "no\n") {
        assert!(seen.contains("Delete whk-1 (Discord Bot Integration), which sends to"), "{seen}");
        assert!(seen.contains("Nothing was deleted."), "{seen}");
    }
    if let Some(seen) = deletes_at_a_terminal(&program, "y\n") {
        assert!(seen.contains("whk-1 (Discord Bot Integration) is deleted."), "{seen}");
        assert_eq!(platform.recorded_requests().len(), 3);
    }
}
