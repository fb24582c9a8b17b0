//! `nuncio doctor`: what is wrong with this setup, and what to do.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{CONFIGURATION, FAILED, print, table, webhooks};
use crate::clock::Clock;
use crate::config::{Config, Variables};
use crate::doctor::{self, Check, CodeGroup, Diagnosis, Repair, Repaired, State};

/// The indent of a sentence below the name of its group.
const INDENT: usize = 4;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Fix what can be fixed without risk (permissions of nuncio's files, the registration at XTSystems), then check again
    #[arg(long)]
    fix: bool,
    /// Test the running nuncio: sends a signed event, a card to every channel of the map, and a test from XTSystems
    #[arg(long)]
    send: bool,
}

/// Runs all checks and prints them: 0 if nothing fails, 1 if something does, 78 if the configuration is refused.
pub(super) async fn run(args: &Args, variables: &Variables) -> ExitCode {
    let clock = Clock::system();
    let mut diagnosis = doctor::examine(variables, &clock).await;
    let mut repairs = Vec::new();
    if args.fix {
        repairs = doctor::repair(variables, &diagnosis);
        repairs.extend(register(variables, &diagnosis).await);
        if repairs.iter().any(|repair| repair.repaired == Repaired::Done) {
            diagnosis = doctor::examine(variables, &clock).await;
        }
    }
    if args.send {
        diagnosis.checks.extend(doctor::send_tests(variables, &clock).await);
    }
    if args.json {
        print(&as_json(&diagnosis, args.fix.then_some(&repairs)).to_string());
    } else {
        show(&diagnosis, args.fix.then_some(&repairs));
    }
    match diagnosis.count(State::Fail) {
        _ if diagnosis.is_refused => ExitCode::from(CONFIGURATION),
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    }
}

/// Updates our registration at XTSystems if it is wrong and may be repaired.
async fn register(variables: &Variables, diagnosis: &Diagnosis) -> Option<Repair> {
    let code = match doctor::registration_to_repair(diagnosis)? {
        Ok(code) => code,
        Err(repair) => return Some(repair),
    };
    let config = Config::from_variables(variables).ok()?;
    Some(match webhooks::register_here(config).await {
        Ok(sentence) => Repair::done(code, sentence),
        Err(error) => Repair::not_done(code, format!("Nothing was registered at XTSystems: {error:#}.")),
    })
}

fn show(diagnosis: &Diagnosis, repairs: Option<&Vec<Repair>>) {
    if let Some(repairs) = repairs {
        print("fixed");
        if repairs.is_empty() {
            print("  nothing: there was nothing that can be fixed without asking you");
        }
        for repair in repairs {
            let sign = if repair.repaired == Repaired::Done { '✓' } else { '!' };
            let sentence =
                format!("{} [{}]", table::clean(&repair.sentence, usize::MAX), repair.code.as_str());
            table::hanging(&format!("  {sign} "), INDENT, &sentence).iter().for_each(|line| print(line));
        }
    }
    for group in CodeGroup::ALL {
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

fn as_json(diagnosis: &Diagnosis, repairs: Option<&Vec<Repair>>) -> Value {
    let check = |check: &Check| {
        json!({
            "code": check.code.as_str(),
            "group": check.code.group().as_str(),
            "state": check.state.as_str(),
            "found": check.found,
            "remedy": check.remedy,
        })
    };
    let mut all = json!({
        "ok": diagnosis.count(State::Fail) == 0,
        "checks": diagnosis.checks.iter().map(check).collect::<Vec<_>>(),
    });
    if let Some(repairs) = repairs {
        let repair = |repair: &Repair| {
            let is_done = repair.repaired == Repaired::Done;
            json!({"code": repair.code.as_str(), "done": is_done, "did": repair.sentence})
        };
        all["fixed"] = repairs.iter().map(repair).collect();
    }
    all
}
