//! `nuncio audit`, and the key that seals it, as a person at a shell meets them.

use serde_json::Value;

use crate::program::Program;

const DOTENV: &str =
    "WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=0\n";

// S-7
#[test]
fn the_key_is_made_once_and_never_anew_for_a_database_that_knows_one() {
    let program = Program::with_dotenv(DOTENV);
    drop(program.serves());
    let path = program.path().join("nuncio.key");
    let key = std::fs::read_to_string(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(program.serves());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), key, "it was made anew");

    std::fs::remove_file(&path).unwrap();
    let run = program.run(&["serve"]);
    assert_eq!(run.code, 78, "{}", run.stderr);
    assert!(run.stderr.contains("put the file back, or set NUNCIO_ENCRYPTION_KEY"), "{}", run.stderr);
    assert!(!path.exists(), "a new key was made");

    let other = program.env("NUNCIO_ENCRYPTION_KEY", "ab".repeat(32));
    let run = other.run(&["serve"]);
    assert_eq!(run.code, 78, "{}", run.stderr);
    assert!(run.stderr.contains("was sealed with another key"), "{}", run.stderr);

    std::fs::write(&path, "not a key").unwrap();
    let run = Program::with_dotenv(DOTENV).env("NUNCIO_ENCRYPTION_KEY", "canary").run(&["serve"]);
    assert_eq!(run.code, 78);
    assert!(run.stderr.contains("openssl rand -hex 32") && !run.stderr.contains("canary"), "{}", run.stderr);
}

#[test]
fn an_empty_log_verifies_and_says_how_to_keep_its_end() {
    let program = Program::with_dotenv(DOTENV);
    let list = program.run(&["audit"]);
    assert_eq!((list.code, list.stdout.as_str()), (0, ""));
    assert!(list.stderr.trim().ends_with("Nothing was done yet."), "{}", list.stderr);
    let json = program.run(&["audit", "--json"]);
    assert_eq!(json.stdout.trim(), "[]");
    let run = program.run(&["audit", "verify"]);
    assert_eq!((run.code, run.stdout.trim()), (0, "The audit log is intact: 0 entries."));
    let run = program.run(&["audit", "verify", "--json"]);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&told["ok"], &told["entries"]), (&Value::Bool(true), &Value::from(0)));
    let end = told["end"].as_str().unwrap();
    assert_eq!(program.run(&["audit", "verify", "--since", end]).code, 0);
    assert_eq!(program.run(&["audit", "verify", "--since", "yesterday"]).code, 2);
}

#[test]
fn when_the_key_is_lost_for_good_the_log_goes_on_with_another() {
    let program = Program::with_dotenv(DOTENV);
    let serving = program.serves();
    // Not while somebody appends with the old key.
    let run = program.run(&["audit", "rekey"]);
    assert_eq!(run.code, 78, "{}", run.stderr);
    drop(serving);
    let run = program.run(&["audit", "rekey"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("nothing was changed"), "{}", run.stderr);

    std::fs::remove_file(program.path().join("nuncio.key")).unwrap();
    let run = program.run(&["audit", "verify"]);
    assert_eq!(run.code, 78, "{}", run.stderr);
    assert!(run.stderr.contains("nuncio audit rekey"), "{}", run.stderr);
    let run = program.run(&["audit", "rekey"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stdout.trim(), "The audit log continues under the new key: entry 1 records it.");
    let run = program.run(&["audit", "verify"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.contains("It was started anew at entry 1 on 20"), "{}", run.stdout);
    let told: Value = serde_json::from_str(&program.run(&["audit", "verify", "--json"]).stdout).unwrap();
    assert_eq!((&told["ok"], &told["begun_anew"]["entry"]), (&Value::Bool(true), &Value::from(1)));
    drop(program.serves());
    assert!(program.run(&["audit"]).stdout.contains("audit.rekey"), "it is in the log");
}
