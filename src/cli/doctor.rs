//! `nuncio doctor`: what is wrong with this set-up, and what to do.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{CONFIGURATION, FAILED, print, table};
use crate::clock::Clock;
use crate::config::Variables;
use crate::doctor::{self, Check, Diagnosis, Group, State};

/// Where a sentence begins, below the name of its group.
const INDENT: usize = 4;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Checks everything and shows it: 0 if nothing fails, 1 if something does, 78 if the configuration is refused.
pub(super) async fn run(args: &Args, variables: &Variables) -> ExitCode {
    let diagnosis = doctor::examine(variables, &Clock::system()).await;
    if args.json {
        print(&as_json(&diagnosis).to_string());
    } else {
        show(&diagnosis);
    }
    match diagnosis.count(State::Fail) {
        _ if diagnosis.is_refused => ExitCode::from(CONFIGURATION),
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    }
}

fn show(diagnosis: &Diagnosis) {
    for group in Group::ALL {
        let mut checks = diagnosis.checks.iter().filter(|check| check.code.group() == group).peekable();
        if checks.peek().is_some() {
            print(group.as_str());
        }
        checks.for_each(show_check);
    }
    let (failed, warned) = (diagnosis.count(State::Fail), diagnosis.count(State::Warn));
    print("");
    if diagnosis.is_refused {
        print("nuncio cannot start with this configuration. The rest is checked once it is accepted.");
    }
    print(&match (failed, warned) {
        (0, 0) => "All is well.".to_owned(),
        _ => format!("{failed} failed, {warned} to look at. docs/doctor.md explains each code in brackets."),
    });
}

fn show_check(check: &Check) {
    let sign = match check.state {
        State::Ok => '✓',
        State::Warn => '!',
        State::Fail => '✗',
    };
    let code = match check.state {
        State::Ok => String::new(),
        State::Warn | State::Fail => format!(" [{}]", check.code.as_str()),
    };
    let sentence = format!("{}{code}", table::clean(&check.found, usize::MAX));
    table::hanging(&format!("  {sign} "), INDENT, &sentence).iter().for_each(|line| print(line));
    if let Some(remedy) = &check.remedy {
        let remedy = table::clean(remedy, usize::MAX);
        table::hanging("", INDENT + 2, &remedy).iter().for_each(|line| print(line));
    }
}

fn as_json(diagnosis: &Diagnosis) -> Value {
    let check = |check: &Check| {
        json!({
            "code": check.code.as_str(),
            "group": check.code.group().as_str(),
            "state": check.state.as_str(),
            "found": check.found,
            "remedy": check.remedy,
        })
    };
    json!({
        "ok": diagnosis.count(State::Fail) == 0,
        "checks": diagnosis.checks.iter().map(check).collect::<Vec<_>>(),
    })
}
