//! What an operator sees who starts nuncio with a configuration that does not do.

mod effective;

use crate::program::Program;

const NOTHING: [&str; 0] = [];

#[test]
fn a_bare_clone_is_shown_three_ways_on() {
    for args in [vec![], vec!["serve"]] {
        let run = Program::bare().run(&args);
        assert_eq!((run.code, run.stdout.as_str()), (78, ""));
        let secret = run.stderr.split("WEBHOOK_SECRET=").nth(1).unwrap().lines().next().unwrap().to_owned();
        assert!(secret.len() == 64 && hex::decode(&secret).is_ok(), "{secret}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stderr.replace(&secret, "<64 hex digits>"), @r#"
nuncio is not configured yet: WEBHOOK_SECRET is not set, and there is no .env here. Three ways on:

  1. See it at work, without a Discord account and without configuration:
         nuncio demo

  2. Set it up: every answer is checked, and a test event is sent in the end:
         nuncio setup

  3. Configure it by hand:
         cp .env.example .env
         chmod 600 .env
     and put your values in. A fresh random secret, ready to copy (XTSystems gets the same one):
         WEBHOOK_SECRET=<64 hex digits>

Only the API, for a program of yours (no XTSystems)? This is enough, and prints the key:
         nuncio keys create NAME --role admin
Then start nuncio.

No Discord account at hand? `nuncio sandbox` in another terminal is one. Put what it prints into .env: "api" as
DISCORD_API_URL, "bot_token" as DISCORD_TOKEN, what "xtsystems" holds as XTSYSTEMS_API_URL and XTSYSTEMS_API_KEY. Then run
nuncio setup.

In a clone, type `cargo run -- demo` instead of `nuncio demo`. Is nuncio configured already? It reads .env in the folder that
it is started in: go there first.
"#);
        }
    }
}

#[test]
fn the_offered_secret_is_new_every_time_and_is_taken() {
    let offered = || {
        let run = Program::bare().run(&NOTHING);
        run.stderr.split("WEBHOOK_SECRET=").nth(1).unwrap().lines().next().unwrap().to_owned()
    };
    let secret = offered();
    assert_ne!(secret, offered());
    let run = Program::bare().env("WEBHOOK_SECRET", &secret).run(&["send", "ticket.created", "--print-curl"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn the_documented_block_untouched_names_every_placeholder_at_once() {
    let run = Program::with_dotenv(
        r#"DISCORD_TOKEN=your_discord_bot_token_here
DISCORD_CLIENT_ID=your_discord_client_id_here
DISCORD_GUILD_ID=your_discord_guild_id_here
XTSYSTEMS_API_URL=http://localhost:20437
XTSYSTEMS_API_KEY=your_xtsystems_api_key_here
WEBHOOK_PORT=3000
WEBHOOK_SECRET=your_secure_webhook_secret_here
WEBHOOK_PATH=/webhooks/xtsystems
DISCORD_WEBHOOK_CHANNELS={"ticket.created":["CHANNEL_ID"],"machine.registered":["CHANNEL_ID"],"default":["CHANNEL_ID"]}
"#,
    )
    .run(&NOTHING);
    assert_eq!(run.code, 78);
    for name in [
        "DISCORD_TOKEN",
        "DISCORD_CLIENT_ID",
        "DISCORD_GUILD_ID",
        "XTSYSTEMS_API_KEY",
        "WEBHOOK_SECRET",
        r#"DISCORD_WEBHOOK_CHANNELS at "ticket.created""#,
        r#"DISCORD_WEBHOOK_CHANNELS at "machine.registered""#,
        r#"DISCORD_WEBHOOK_CHANNELS at "default""#,
    ] {
        assert!(run.stderr.contains(name), "{name} is not in:\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("_here") && !run.stderr.contains("[\"CHANNEL_ID"), "{}", run.stderr);
}

#[test]
fn the_example_copied_as_it_is_is_a_configuration_error() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).unwrap();
    let run = Program::with_dotenv(&example).run(&["serve"]);
    assert_eq!(run.code, 78);
    assert!(
        run.stderr.starts_with("nuncio did nothing: 1 problem in the configuration.\n\n  WEBHOOK_SECRET")
    );
}

// S-1
#[test]
fn no_value_is_printed_whatever_is_wrong_with_it() {
    let run = Program::with_dotenv(
        "WEBHOOK_SECRET=\"canary\nDISCORD_TOKEN=canary with spaces\nPING={\"canary\nDISCORD_API_URL=https://canary\n\
         WEBHOOK_PORT=canary\nNUNCIO_DATABASE_URL=postgres://canary@canary/canary\nDISCORD_WEBHOOK_CHANNELS={\"a\":\"canary\"}\n",
    )
    .env("XTSYSTEMS_API_KEY", "canary ü")
    .env("DATABASE_URL", "postgres://canary")
    .env("RUST_LOG", "trace")
    .env("RUST_BACKTRACE", "1")
    .run(&NOTHING);
    assert_eq!(run.code, 78);
    assert!(!run.stderr.contains("canary") && !run.stdout.contains("canary"), "{}", run.stderr);
    assert!(run.stderr.contains("XTSYSTEMS_API_KEY (in the environment)"), "{}", run.stderr);
}

// S-3
#[cfg(unix)]
#[test]
fn a_dotenv_that_others_may_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let program = Program::with_dotenv("WEBHOOK_PORT=3000\n");
    assert!(!program.run(&NOTHING).stderr.contains("chmod 600 .env"));
    let permissions = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(program.path().join(".env"), permissions).unwrap();
    assert!(program.run(&NOTHING).stderr.contains("chmod 600 .env"));
}

// Item 27. Controls: with all problems kept, "WEBHOOK_SECRET is not set" stands below the first; with the file's value
// kept, "is shorter than 16 bytes" below the second.
#[test]
fn what_cannot_be_read_is_said_and_nothing_else() {
    use std::os::unix::ffi::OsStringExt as _;
    let program = Program::bare();
    std::fs::create_dir(program.path().join(".env")).unwrap();
    for args in [vec!["serve"], vec!["send", "ticket.created"]] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(program.run(&args).stderr, @r#"
nuncio did nothing: 1 problem in the configuration.

  .env cannot be read (is a directory).
      Make it a file that this user may read.
"#);
        }
    }
    let program = Program::with_dotenv("WEBHOOK_SECRET=short\n")
        .env("WEBHOOK_SECRET", std::ffi::OsString::from_vec(b"0123456789abcdef\xff".to_vec()));
    insta::assert_snapshot!(program.run(&["serve"]).stderr, @r#"
nuncio did nothing: 1 problem in the configuration.

  WEBHOOK_SECRET (in the environment) is not text in UTF-8.
      Set it anew.
"#);
}

// Item 28: every variable of the contract's first section, those of later versions marked.
#[test]
fn the_example_lists_every_variable() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).unwrap();
    let all = "DISCORD_TOKEN DISCORD_CLIENT_ID DISCORD_GUILD_ID XTSYSTEMS_API_URL XTSYSTEMS_API_KEY XTSYSTEMS_APPROVE \
               XTSYSTEMS_DENY XTSYSTEMS_CREATE_TICKET XTSYSTEMS_UPDATE_TICKET XTSYSTEMS_TICKET_URL XTSYSTEMS_ASSET_URL \
               XTSYSTEMS_MACHINE_URL WEBHOOK_PORT WEBHOOK_HOST WEBHOOK_PATH WEBHOOK_SECRET API_RATE_LIMIT ADMIN_LISTEN \
               WEBHOOK_SECRET_PREVIOUS WEBHOOK_BODY_LIMIT DISCORD_WEBHOOK_CHANNELS PING APPROVER_ROLES OPERATOR_ROLES \
               NUNCIO_DATABASE_URL NUNCIO_API_KEY NUNCIO_ENCRYPTION_KEY PUBLIC_URL TRUSTED_PROXIES \
               ALLOW_PRIVATE_TARGETS RATE_LIMIT RATE_LIMIT_SCOPE CARDS FOLD_REPEATS COALESCE DECISION_GRACE \
               DECISION_EXPIRY DISPATCH_NAME DISPATCH_ICON_URL DISPATCH_FOOTER SOURCES DISCORD_API_URL LOG_DIR RUST_LOG \
               LOG_LEVEL RETENTION_DAYS MONITOR_CHANNELS";
    let lines: Vec<&str> = example.lines().collect();
    for name in all.split_whitespace() {
        let is_it = |line: &&str| line.trim_start_matches('#').starts_with(&format!("{name}="));
        let at = lines.iter().position(is_it).unwrap_or_else(|| panic!("{name} is not listed"));
        let comment: Vec<_> = lines[..at].iter().rev().take_while(|line| line.starts_with("# ")).collect();
        let is_marked = comment.last().is_some_and(|first| first.starts_with("# Planned, without effect"));
        // What is not planned does something: naming it makes no note.
        let run = Program::with_dotenv(&format!("WEBHOOK_PORT=x\n{name}=1\n")).run(&["serve"]);
        let notes = format!("{name} is set, but this version does not use it yet");
        assert_eq!(run.stderr.contains(&notes), is_marked, "{name}: {}", run.stderr);
    }
}

#[test]
fn both_logs_are_found_by_their_names() {
    // The port is taken, so that serving ends at once, after logging has begun.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let program = Program::with_dotenv(&format!(
        "WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT={port}\n"
    ));
    assert_eq!(program.run(&["serve"]).code, 78);
    for name in ["combined.log", "error.log"] {
        let found = std::fs::metadata(program.path().join("logs").join(name));
        assert!(found.is_ok_and(|found| found.is_file()), "{name}");
    }
}

#[test]
fn logs_that_cannot_be_written_are_told_and_do_no_harm() {
    let program =
        Program::with_dotenv("WEBHOOK_SECRET=0123456789abcdef\nLOG_DIR=.env\nWEBHOOK_HOST=192.0.2.1\n");
    let run = program.run(&["serve"]);
    assert_eq!(run.code, 78);
    assert!(run.stderr.contains("combined.log cannot be written in LOG_DIR"), "{}", run.stderr);
}

#[test]
fn a_path_with_an_empty_part_is_named_with_what_to_write() {
    for path in ["/webhooks//xtsystems", "/webhooks/xtsystems/", "/a/../b", "/web hooks"] {
        let program =
            Program::with_dotenv(&format!("WEBHOOK_SECRET={}\nWEBHOOK_PATH='{path}'\n", "5e".repeat(16)));
        let run = program.run(&["serve"]);
        assert_eq!(run.code, 78, "{path}: {}", run.stderr);
        assert!(
            run.stderr.contains(
                "WEBHOOK_PATH (.env line 2) has an empty part (`//`, or `/` at its end), `.` or `..`"
            ) && run
                .stderr
                .contains("Letters, digits, - _ . ~ and single slashes. Example: /webhooks/xtsystems"),
            "{path}: {}",
            run.stderr
        );
    }
}
