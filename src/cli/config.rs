//! `nuncio config`: the value of every variable, and where it is set.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{CONFIGURATION, print, say, table};
use crate::config::{
    ConfigProblem, Effective, InvalidValue, Setting, SettingOrigin, SettingValue, Variables,
};
use crate::store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints every variable, and exits with 78 if something is wrong.
pub(super) fn run(args: &Args, variables: &Variables) -> ExitCode {
    let effective = Effective::of(variables, store::entrance_of(variables));
    if args.json {
        print(&as_json(&effective).to_string());
    } else {
        print_table(&effective);
    }
    match effective.wrong() {
        0 => ExitCode::SUCCESS,
        wrong => {
            let things = if wrong == 1 { "problem" } else { "problems" };
            say(&format!("nuncio cannot start with this configuration: {wrong} {things}, marked WRONG."));
            ExitCode::from(CONFIGURATION)
        }
    }
}

fn print_table(effective: &Effective) {
    let settings = &effective.settings;
    let names = settings.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    let origins = settings.iter().map(|setting| origin(setting.origin).len()).max().unwrap_or_default();
    let indent = names + origins + 4;
    for setting in settings {
        let first = format!("{:names$}  {:origins$}  ", setting.name, origin(setting.origin));
        let mut value = value(&setting.value);
        if let Some(remark) = &setting.remark {
            value.push_str(&format!(" ({remark})"));
        }
        table::hanging(&first, indent, &value).iter().for_each(|line| print(line));
        for wrong in &setting.problems {
            let text = format!("WRONG: {}", sentence(wrong));
            table::hanging("", indent, &text).iter().for_each(|line| print(line));
        }
    }
    for ConfigProblem { variable, place, wrong } in &effective.problems {
        print(&format!("{variable} {place}  WRONG: {}", sentence(wrong)));
    }
    if let Some(fingerprint) = &effective.fingerprint {
        print(&format!("\nFingerprint of the whole configuration: {fingerprint}"));
    }
    for note in &effective.notes {
        print(&format!("Note: {note}"));
    }
}

fn sentence(wrong: &InvalidValue) -> String {
    format!("{}. {}", wrong.what, wrong.fix.replace('\n', " "))
}

fn origin(origin: SettingOrigin) -> String {
    match origin {
        SettingOrigin::Environment => "environment".to_owned(),
        SettingOrigin::File(line) => format!(".env line {line}"),
        SettingOrigin::Default => "default".to_owned(),
    }
}

fn value(value: &SettingValue) -> String {
    match value {
        SettingValue::Unset => "not set".to_owned(),
        SettingValue::Plain(text) => text.clone(),
        SettingValue::Secret(None) => "set, not shown".to_owned(),
        SettingValue::Secret(Some(fingerprint)) => {
            format!("set, not shown (its SHA-256 begins with {fingerprint})")
        }
    }
}

fn as_json(effective: &Effective) -> Value {
    json!({
        "ok": effective.wrong() == 0,
        "fingerprint": effective.fingerprint,
        "variables": effective.settings.iter().map(setting_json).collect::<Vec<_>>(),
        "problems": effective.problems.iter().map(problem_json).collect::<Vec<_>>(),
        "notes": effective.notes,
    })
}

fn setting_json(setting: &Setting) -> Value {
    let (origin, line) = match setting.origin {
        SettingOrigin::Environment => ("environment", None),
        SettingOrigin::File(line) => (".env", Some(line)),
        SettingOrigin::Default => ("default", None),
    };
    let (value, is_secret, sha256) = match &setting.value {
        SettingValue::Unset => (None, false, None),
        SettingValue::Plain(text) => (Some(text), false, None),
        SettingValue::Secret(sha256) => (None, true, sha256.as_ref()),
    };
    json!({
        "name": setting.name,
        "origin": origin,
        "line": line,
        "is_set": setting.value != SettingValue::Unset,
        "value": value,
        "is_secret": is_secret,
        "sha256_begins_with": sha256,
        "remark": setting.remark,
        "problems": setting.problems.iter().map(wrong_json).collect::<Vec<_>>(),
    })
}

fn problem_json(problem: &ConfigProblem) -> Value {
    json!({"variable": problem.variable, "place": problem.place, "what": problem.wrong.what, "fix": problem.wrong.fix})
}

fn wrong_json(wrong: &InvalidValue) -> Value {
    json!({"what": wrong.what, "fix": wrong.fix})
}
