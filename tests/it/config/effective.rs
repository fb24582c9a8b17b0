//! `nuncio config`: what counts, and where it was set.

use serde_json::{Value, json};

use crate::program::{Program, Run};

const BROKEN: &str = r#"DISCORD_TOKEN=canary-token-0123456789
WEBHOOK_SECRET=canary-short
WEBHOOK_PORT=canary0123456789abcdef
RATE_LIMIT=often
XTSYSTEMS_API_URL=http://user:canary@xt.example
LOG_DIR='never closed
DISCORD_CLIENT_ID=your_discord_client_id_here
"#;

fn of<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let variables = shown["variables"].as_array().unwrap();
    variables.iter().find(|variable| variable["name"] == name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn shown(program: &Program) -> (i32, Value) {
    let run = program.run(&["config", "--json"]);
    let parsed = serde_json::from_str(&run.stdout);
    (run.code, parsed.unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr)))
}

// Control: with `is_secret` always false, this test and the next one find a canary.
#[test]
fn every_value_is_shown_with_where_it_was_set_and_no_secret() {
    let program = Program::with_dotenv(
        "# a comment\nWEBHOOK_SECRET=canary-secret-0123456789\nWEBHOOK_PORT=4000\nLOG_LEVEL=debug\n\
         XTSYSTEMS_API_URL=http://xt.example\nXTSYSTEMS_API_KEY=canary-key\n\
         DISCORD_WEBHOOK_CHANNELS={\"default\":[\"1200000000000000001\"]}\nDATABASE_URL=sqlite://d/n.db\nSOURCES={\"canary\":1}\n",
    )
    .env("WEBHOOK_PORT", "4001")
    .env("DISCORD_TOKEN", "canary-token-0123456789");
    let Run { code, stdout, stderr } = program.run(&["config"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(!stdout.contains("canary"), "{stdout}");
    let (code, json) = shown(&program);
    assert!(code == 0 && !json.to_string().contains("canary"), "{json}");
    for line in [
        "WEBHOOK_PORT              environment  4001",
        "WEBHOOK_SECRET            .env line 2  set, not shown (its SHA-256 begins with bab7b8ed)",
        "XTSYSTEMS_API_KEY         .env line 6  set, not shown",
        "XTSYSTEMS_API_URL         .env line 5  http://xt.example",
        "DISCORD_WEBHOOK_CHANNELS  .env line 7  {\"default\":[\"1200000000000000001\"]}",
        "XTSYSTEMS_APPROVE         default      POST /v1/machines/{id}/approve",
        "RUST_LOG                  default      not set (LOG_LEVEL counts in its place)",
        "NUNCIO_DATABASE_URL       default      not set (DATABASE_URL counts in its place)",
        "NUNCIO_ENCRYPTION_KEY     default      not set (the key is in nuncio.key)",
        "DISCORD_CLIENT_ID         default      not set",
    ] {
        assert!(stdout.lines().any(|found| found.starts_with(line)), "{line}\nis missing in\n{stdout}");
    }
    assert_eq!((&of(&json, "WEBHOOK_PORT")["value"], &json["ok"]), (&json!("4001"), &json!(true)));
    let secret = of(&json, "WEBHOOK_SECRET");
    assert_eq!(secret["value"], Value::Null);
    assert_eq!((&secret["is_secret"], &secret["line"]), (&json!(true), &json!(2)));
}

#[test]
fn a_broken_configuration_is_shown_with_each_problem_beside_its_value() {
    let program = Program::with_dotenv(BROKEN);
    let Run { code, stdout, stderr } = program.run(&["config"]);
    assert_eq!(code, 78, "{stdout}");
    assert!(stderr.contains("5 problems, marked WRONG"), "{stderr}");
    assert!(!stdout.contains("canary"), "{stdout}");
    let lines: Vec<_> = stdout.lines().collect();
    let after = |start: &str| {
        let at = lines.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{stdout}"));
        (lines[at], lines[at + 1].trim_start())
    };
    let (value, problem) = after("WEBHOOK_PORT ");
    assert!(
        value.ends_with(".env line 3  ••••") && problem.starts_with("WRONG: is not a port number"),
        "{stdout}"
    );
    let (value, problem) = after("RATE_LIMIT ");
    assert!(value.ends_with("often") && problem.starts_with("WRONG: "), "{stdout}");
    let (value, problem) = after("XTSYSTEMS_API_URL ");
    assert!(value.ends_with("http://••••@xt.example") && problem.contains("password"), "{stdout}");
    let (value, problem) = after("WEBHOOK_SECRET ");
    assert!(value.ends_with("set, not shown") && problem.contains("shorter than 16 bytes"), "{stdout}");
    let (value, problem) = after("LOG_DIR ");
    assert!(value.contains(".env line 6") && problem.contains("never closed"), "{stdout}");
    assert!(after("DISCORD_CLIENT_ID").0.ends_with("(a placeholder of the example counts as not set)"));
    let (code, json) = shown(&program);
    assert_eq!((code, &json["fingerprint"]), (78, &Value::Null));
    assert_eq!(of(&json, "RATE_LIMIT")["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_with_the_file_itself_is_shown_too() {
    let run = Program::with_dotenv("WEBHOOK_SECRET=0123456789abcdef\nnonsense\n").run(&["config"]);
    assert_eq!(run.code, 78);
    assert!(run.stdout.contains(".env line 2  WRONG: cannot be read."), "{}", run.stdout);
    let bare = Program::bare().run(&["config"]);
    assert_eq!(bare.code, 78);
    assert!(bare.stdout.contains("WRONG: is not set. Use the secret"), "{}", bare.stdout);
}

// Control: with the fingerprint shown to everybody, the stranger reads it.
#[tokio::test]
async fn health_shows_insiders_the_fingerprint_that_the_command_shows() {
    let program =
        Program::with_dotenv("WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=0\n");
    let serving = program.serves();
    let ask = async |header: Option<(&str, &str)>| {
        let mut request = crate::harness::http().get(format!("http://{}/health", serving.address));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let fingerprint = shown(&program).1["fingerprint"].clone();
    assert_eq!(fingerprint.as_str().unwrap().len(), 8);
    assert_eq!(ask(None).await["configuration"], fingerprint);
    assert_eq!(ask(Some(("x-forwarded-for", "192.0.2.7"))).await["configuration"], Value::Null);
}
