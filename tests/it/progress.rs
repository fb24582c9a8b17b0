//! Progress where a person waits: on a terminal only.

use std::process::{Command, Stdio};

use crate::program::Program;

const WAITS: [&[&str]; 4] =
    [&["db", "check"], &["db", "backup", "copy.db"], &["audit", "verify"], &["db", "export"]];

/// A folder with a database.
fn program() -> Program {
    let program = Program::with_dotenv("WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_PORT=0\n");
    drop(program.serves());
    program
}

// Control: with a line drawn on any stderr, it is red.
#[test]
fn without_a_terminal_the_output_is_what_it_always_was() {
    let program = program();
    let check = program.run(&["db", "check"]);
    assert_eq!((&*check.stdout, &*check.stderr), ("database   ok\naudit log  ok, 0 entries\n", ""));
    let backup = program.run(&["db", "backup", "copy.db"]);
    assert!(backup.stdout.starts_with("copy.db holds all of data/nuncio.db: "), "{}", backup.stdout);
    assert_eq!((backup.stdout.lines().count(), backup.stderr.lines().count()), (1, 1), "{}", backup.stderr);
    let verify = program.run(&["audit", "verify"]);
    assert_eq!(verify.stdout, "The audit log is intact: 0 entries.\n");
    assert!(verify.stderr.starts_with("Keep the value below elsewhere"), "{}", verify.stderr);
    assert_eq!(program.run(&["db", "export"]).stderr, "");
    let restore = program.run(&["db", "restore", "copy.db"]);
    assert_eq!((restore.code, &*restore.stderr), (0, ""), "{}", restore.stdout);
}

// Control: without the first `tick`, a short wait shows nothing.
#[test]
fn on_a_terminal_a_line_says_what_is_waited_for_and_is_gone_in_the_end() {
    let program = program();
    for (args, line) in WAITS.into_iter().zip([
        "checking the database (0s)",
        "copying the database (0s)",
        "verifying the audit log (0s)",
        // Its lines are on the terminal: nothing is drawn between them.
        "",
    ]) {
        let command = format!("{} {}", env!("CARGO_BIN_EXE_nuncio"), args.join(" "));
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).current_dir(program.path()).env("TERM", "xterm");
        let Ok(output) = script.stdin(Stdio::null()).output() else {
            println!("script is not installed here: the line at a terminal was not looked for");
            return;
        };
        let seen = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {seen}");
        assert!(seen.contains(line), "{args:?}: {seen:?}");
        // Clearing a line: the last thing that is drawn is nothing.
        assert_eq!(seen.contains("\u{1b}[2K"), !line.is_empty(), "{args:?}: {seen:?}");
    }
}
