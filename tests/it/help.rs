//! What a person sees who asks for help: examples, completions, man pages, tables that fit.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::Program;

/// The commands that a help lists.
fn listed(help: &str) -> Vec<String> {
    let Some(list) = help.split("\nCommands:\n").nth(1) else { return Vec::new() };
    let lines = list.split("\n\n").next().unwrap().lines();
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn walk(program: &Program, path: &[String], seen: &mut usize) {
    let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let run = program.run(&args);
    assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
    let (_, example) =
        run.stdout.split_once("Example:\n  nuncio").unwrap_or_else(|| panic!("{args:?}: {}", run.stdout));
    // Of the command itself, or of one below it.
    assert!(path.is_empty() || example.starts_with(&format!(" {}", path.join(" "))), "{args:?}: {example}");
    *seen += 1;
    for name in listed(&run.stdout) {
        walk(program, &[path, &[name]].concat(), seen);
    }
}

#[test]
fn the_help_of_every_command_ends_with_an_example() {
    let (program, mut seen) = (Program::bare(), 0);
    walk(&program, &[], &mut seen);
    assert!(seen >= 28, "{seen} commands were found");
}

#[test]
fn what_is_misspelt_is_answered_with_what_was_meant() {
    let program = Program::with_dotenv("WEBHOOK_SECRET=0123456789abcdef\n");
    for (args, meant) in [
        (&["deliverys"][..], "'deliveries'"),
        (&["db", "bakup", "x"], "'backup'"),
        (&["events", "--lmit", "3"], "'--limit'"),
        (&["send", "tiket.created"], "did you mean ticket.created?"),
        (&["send", "machine_registerd"], "did you mean machine.registered?"),
    ] {
        let run = program.run(args);
        assert_eq!(run.code, 2, "{args:?}");
        assert!(run.stderr.contains(meant), "{args:?}: {}", run.stderr);
    }
    assert!(!program.run(&["send", "something.else"]).stderr.contains("did you mean"));
}

fn is_installed(program: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    let is_there = found.unwrap().success();
    if !is_there {
        println!("{program} is not installed here: what needs it was not tried");
    }
    is_there
}

#[test]
fn completions_are_what_the_shells_take() {
    let program = Program::bare();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = program.run(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("discord-webhooks"), "{shell}: {}", run.stderr);
    }
    if is_installed("bash") {
        std::fs::write(program.path().join("nuncio.bash"), program.run(&["completions", "bash"]).stdout)
            .unwrap();
        let script = "source ./nuncio.bash; COMP_WORDS=(nuncio del); COMP_CWORD=1; _nuncio nuncio del nuncio; \
                      echo \"${COMPREPLY[*]}\"";
        let output = Command::new("bash").args(["-c", script]).current_dir(program.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "deliveries", "{output:?}");
    }
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let program = Program::bare();
    let page = program.run(&["man"]).stdout;
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{page}");
    assert!(page.contains(".SH SUBCOMMANDS") && page.contains("Example:"), "{page}");
    std::fs::create_dir(program.path().join("pages")).unwrap();
    assert_eq!(program.run(&["man", "--dir", "pages"]).code, 0);
    let pages: Vec<_> =
        std::fs::read_dir(program.path().join("pages")).unwrap().map(|page| page.unwrap().path()).collect();
    let has = |name: &str| pages.iter().any(|page| page.ends_with(name));
    assert!(pages.len() >= 28 && has("nuncio.1") && has("nuncio-db-backup.1"), "{pages:?}");
    if is_installed("groff") {
        for page in &pages {
            let output =
                Command::new("groff").args(["-man", "-ww", "-z", "-Tutf8"]).arg(page).output().unwrap();
            assert!(output.status.success(), "{}: {output:?}", page.display());
        }
    }
    let missing = program.run(&["man", "--dir", "nowhere"]);
    assert!(missing.code == 1 && missing.stderr.contains("cannot write to nowhere"), "{}", missing.stderr);
}

/// Runs `command` in a terminal of so many columns.
fn in_terminal(folder: &Path, columns: usize, command: &str) -> Option<String> {
    if !is_installed("script") {
        return None;
    }
    let typed =
        format!("stty cols {columns} rows 40; {} {command} 2>/dev/null", env!("CARGO_BIN_EXE_nuncio"));
    let mut script = Command::new("script");
    script.args(["-qec", &typed, "/dev/null"]).current_dir(folder).stdin(Stdio::null());
    Some(String::from_utf8(script.output().unwrap().stdout).unwrap().replace('\r', ""))
}

#[test]
fn a_table_fits_the_terminal_and_is_whole_in_a_pipe() {
    let long = "x".repeat(60);
    let program = Program::with_dotenv(&format!(
        "WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=0\nDISCORD_WEBHOOK_CHANNELS={{\"{long}.a\":[\"1200000000000000001\"],\"default\":[\"1200000000000000002\"]}}\n"
    ));
    let serving = program.serves();
    let to = format!("http://{}", serving.address);
    assert_eq!(program.run(&["send", "ticket.created", "--to", &to]).code, 0);
    for (command, part) in
        [("events", "ticket.created"), ("deliveries", "ticket.created"), ("config", &*long)]
    {
        let whole = program.run(&[command]).stdout;
        assert!(whole.lines().any(|line| line.chars().count() > 60), "{command}: {whole}");
        assert!(whole.contains(part), "{command}: {whole}");
        if let Some(seen) = in_terminal(program.path(), 60, command) {
            assert!(seen.lines().count() > 0, "{command}");
            for line in seen.lines() {
                assert!(line.chars().count() <= 60, "{command}: {line}");
            }
        }
    }
}
