//! The help of the command line: an example for every command, shell completions, man pages.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::{Cli, print};

/// An example for each command, by its name; the program itself has the empty name. A test finds a command without an
/// example, and an example without a command.
const EXAMPLES: &[(&str, &str)] = &[
    ("", "nuncio demo"),
    ("audit", "nuncio audit --limit 20"),
    ("audit rekey", "nuncio audit rekey"),
    ("audit verify", "nuncio audit verify --json"),
    ("clock", "nuncio clock"),
    ("clock confirm", "nuncio clock confirm"),
    ("completions", "nuncio completions bash > ~/.local/share/bash-completion/completions/nuncio"),
    ("config", "nuncio config --json"),
    ("console", "nuncio console"),
    ("db", "nuncio db backup before-upgrade.db"),
    ("db backup", "nuncio db backup before-upgrade.db"),
    ("db check", "nuncio db check"),
    ("db export", "nuncio db export > nuncio.jsonl"),
    ("db restore", "nuncio db restore before-upgrade.db"),
    ("deliveries", "nuncio deliveries --dead"),
    ("demo", "nuncio demo"),
    ("discord-webhooks", "nuncio discord-webhooks list"),
    ("discord-webhooks add", "nuncio discord-webhooks add --name 'Acme NOC' --type SUPPORT --scope ADMIN"),
    ("discord-webhooks disable", "nuncio discord-webhooks disable 4f2a91c0"),
    ("discord-webhooks edit", "nuncio discord-webhooks edit 4f2a91c0 --type VPS"),
    ("discord-webhooks enable", "nuncio discord-webhooks enable 4f2a91c0"),
    ("discord-webhooks import", "nuncio discord-webhooks import --from old.csv --dry-run"),
    ("discord-webhooks list", "nuncio discord-webhooks list --json"),
    ("discord-webhooks remove", "nuncio discord-webhooks remove 4f2a91c0"),
    ("discord-webhooks replace", "nuncio discord-webhooks replace 4f2a91c0"),
    ("discord-webhooks test", "nuncio discord-webhooks test 4f2a91c0"),
    ("dispatch", "nuncio dispatch server-state Survival crashed --node node-1"),
    (
        "dispatch billing-event",
        "nuncio dispatch billing-event invoice 'Invoice 7' --scopes USER --user cus_1",
    ),
    ("dispatch custom", "nuncio dispatch custom 'Maintenance tonight' --field 'Nodes=node-1'"),
    ("dispatch event", "nuncio dispatch event user.registered --data '{\"username\":\"jane\"}'"),
    ("dispatch node-alert", "nuncio dispatch node-alert node-1 memory 93.5 80 --wait"),
    ("dispatch server-state", "nuncio dispatch server-state Survival crashed --node node-1"),
    ("dispatch settings-update", "nuncio dispatch settings-update --changed site_name --updated-by alice"),
    ("dispatch support-ticket", "nuncio dispatch support-ticket created T-1001 'Cannot log in'"),
    (
        "dispatch sync-completion",
        "nuncio dispatch sync-completion completed --duration 45.23s --count servers=96",
    ),
    (
        "dispatch system-alert",
        "nuncio dispatch system-alert 'Database unreachable' refused --severity critical",
    ),
    ("doctor", "nuncio doctor"),
    ("events", "nuncio events --limit 20"),
    ("events show", "nuncio events show 4f2a91c0"),
    ("health", "nuncio health --live"),
    ("keys", "nuncio keys list"),
    ("keys create", "nuncio keys create 'web shop' --role sender --company acme --expires-in 90d"),
    ("keys list", "nuncio keys list --json"),
    ("keys revoke", "nuncio keys revoke 4f2a91c0"),
    ("keys rotate", "nuncio keys rotate 'web shop' --overlap 2d"),
    ("man", "nuncio man | man -l -"),
    ("mute", "nuncio mute 'alert.*' --for 1h --reason 'the core switch is replaced'"),
    ("redeliver", "nuncio redeliver --dead --since 2h"),
    ("sandbox", "nuncio sandbox --port 8080"),
    ("send", "nuncio send ticket.created"),
    ("serve", "nuncio serve"),
    ("setup", "nuncio setup"),
    ("unmute", "nuncio unmute 'alert.*'"),
    ("verify", "nuncio verify --timestamp 1705314600 --signature sha256=0000 < body.json"),
    ("webhooks", "nuncio webhooks register"),
    ("webhooks create", "nuncio webhooks create --name 'Tickets only' --events 'ticket.*'"),
    ("webhooks delete", "nuncio webhooks delete 4f2a91c0"),
    ("webhooks deliveries", "nuncio webhooks deliveries --limit 10"),
    ("webhooks disable", "nuncio webhooks disable 4f2a91c0"),
    ("webhooks enable", "nuncio webhooks enable 4f2a91c0"),
    ("webhooks list", "nuncio webhooks list"),
    ("webhooks register", "nuncio webhooks register --events 'ticket.*,alert.triggered'"),
    ("webhooks test", "nuncio webhooks test"),
    ("webhooks update", "nuncio webhooks update 4f2a91c0 --events 'ticket.*'"),
];

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write a page for each command into this folder
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// The argument parser, with an example for every command.
pub(super) fn command() -> Command {
    walk(Cli::command(), "")
}

fn walk(command: Command, path: &str) -> Command {
    let example = EXAMPLES.iter().find(|(name, _)| *name == path).map_or("", |(_, example)| example);
    let before = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let command = command.after_help(format!("{before}Example:\n  {example}"));
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |sub| walk(sub, path.trim_start()))
    })
}

/// Prints a shell's completions.
pub(super) fn complete(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "nuncio", &mut script);
    print(String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}

/// Prints the man page, or writes all of them.
///
/// # Errors
/// If they cannot be written.
pub(super) fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    match &args.dir {
        Some(dir) => {
            let cannot = || format!("cannot write to {}: name a folder that exists", dir.display());
            clap_mangen::generate_to(command(), dir).with_context(cannot)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command()).render(&mut page)?;
            print(String::from_utf8_lossy(&page).trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(command: &Command, path: &str, names: &mut Vec<String>) {
        names.push(path.to_owned());
        for sub in command.get_subcommands() {
            self::names(sub, format!("{path} {}", sub.get_name()).trim_start(), names);
        }
    }

    #[test]
    fn every_command_has_an_example_that_is_one_of_it() {
        let mut all = Vec::new();
        names(&Cli::command(), "", &mut all);
        let mut with: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        all.sort_unstable();
        with.sort_unstable();
        assert_eq!(all, with);
        for (name, example) in EXAMPLES {
            // The rest, after a pipe or a redirection, is for the shell.
            let typed =
                example.split([">", "<", "|"].map(|sign| sign.chars().next().unwrap())).next().unwrap();
            let words = typed.replace('\'', "\u{1}");
            let words = words.split('\u{1}').enumerate().flat_map(|(at, piece)| match at % 2 {
                0 => piece.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
                _ => vec![piece.to_owned()],
            });
            let parsed = Cli::command().try_get_matches_from(words);
            let mut matches = &parsed.unwrap_or_else(|error| panic!("{example}: {error}"));
            for part in name.split_whitespace() {
                let (found, below) = matches.subcommand().unwrap_or_else(|| panic!("{example}"));
                assert_eq!(found, part, "{example}");
                matches = below;
            }
        }
    }
}
