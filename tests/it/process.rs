//! nuncio as a process: how it ends, what signals do to it, what it does when its output cannot be written, and what a
//! crash would leave behind.

use rustix::process::Signal;

use crate::program::Program;

const SECRET: &str = "WEBHOOK_SECRET=0123456789abcdef\n";

fn server() -> Program {
    Program::with_dotenv(&format!("{SECRET}WEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=0\n"))
}

// Item 19. Control: without `signals::for_server`, the first signal kills. SIGHUP reads the configuration again: see
// `reload.rs`.
#[test]
fn a_hangup_does_not_end_a_server_and_quit_ends_it_in_order() {
    // Its folder stays: without its `.env`, SIGHUP would find a configuration that is wrong.
    let program = server();
    let serving = program.serves();
    for (signal, name, what) in [
        (Signal::HUP, "SIGHUP", "the configuration has not changed"),
        (Signal::USR1, "SIGUSR1", "nuncio ignores it"),
        (Signal::USR2, "SIGUSR2", "nuncio ignores it"),
    ] {
        serving.signal(signal);
        let said = serving.logs(name);
        assert!(said.contains(what), "{said}");
    }
    serving.signal(Signal::QUIT);
    serving.logs("stopped");
    assert_eq!(serving.ends(), Some(0));
}

// Item 31
#[test]
fn what_only_a_person_can_mend_ends_with_78() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let run = Program::with_dotenv(&format!("{SECRET}WEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT={port}\n"))
        .run(&["serve"]);
    assert_eq!(run.code, 78, "{}", run.stderr);
    let expected = format!("Port {port} is in use (`ss -ltnp 'sport = :{port}'` shows by which program).");
    assert!(run.stderr.contains(&expected) && !run.stderr.contains("os error"), "{}", run.stderr);

    for (url, what) in [
        ("sqlite://.", "is a directory"),
        ("sqlite://.env/nuncio.db", ".env"),
        // Nobody may make anything there, root neither.
        ("sqlite:///proc/nuncio/nuncio.db", "/proc/nuncio"),
    ] {
        for args in [vec!["serve"], vec!["events"]] {
            let program = server().env("NUNCIO_DATABASE_URL", url);
            let run = program.run(&args);
            assert_eq!(run.code, 78, "{url} {args:?}: {}", run.stderr);
            assert!(run.stderr.contains(what), "{url} {args:?}: {}", run.stderr);
        }
    }
}

// Item 23: every command that prints. Control: with `print` as it was, all of them end with 0.
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let program = server();
    drop(program.serves());
    let list: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["audit", "--json"],
        &["audit", "verify"],
        &["config", "--json"],
        &["completions", "bash"],
        &["db", "check"],
        &["deliveries", "--json"],
        &["discord-webhooks", "list", "--json"],
        &["events", "--json"],
        &["man"],
        &["mute", "ticket.*", "--for", "1h"],
        &["mute", "--list"],
        &["redeliver", "--dead"],
        &["sandbox"],
        &["send", "--all", "--print-curl", "--to", "http://127.0.0.1:9"],
        &["unmute", "ticket.*"],
        &["verify", "--timestamp", "1705314600", "--signature", "sha256=00"],
    ];
    for args in list {
        let (code, stderr) = program.run_into("/dev/full", args, b"{}");
        assert_eq!(code, 1, "{args:?}: {stderr}");
        assert!(
            stderr.contains("The output could not be written (No space left on device"),
            "{args:?}: {stderr}"
        );
    }
    // Whoever reads no further has seen enough.
    assert_eq!(program.run(&["audit", "--json"]).code, 0);
}

// Item 37, S-3. Controls: without `core_dump::forbid` the limit is the shell's; with the limit alone `environ` belongs
// to the server's user.
#[test]
fn a_crash_leaves_no_secrets_behind() {
    use std::os::unix::fs::MetadataExt as _;
    let program = server();
    let serving = program.serves_as_nobody();
    let of = |name: &str| format!("/proc/{}/{name}", serving.process());
    let limits = std::fs::read_to_string(of("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    // The memory of what is not dumpable belongs to root, whoever runs it.
    assert_eq!(std::fs::metadata(of("environ")).unwrap().uid(), 0);
    let status = std::fs::read_to_string(of("status")).unwrap();
    let uid = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert_ne!(uid.split_whitespace().nth(1), Some("0"), "the server runs as root: nothing is shown");
}
