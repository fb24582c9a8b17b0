//! The roles of approvers and operators.

use crate::doctor::{self, Code, State};
use crate::setup::draft::{APPROVERS, OPERATORS};
use crate::setup::server::{ServerRow, Servers};
use crate::setup::{PromptQuestion, Setup, SetupStop};

/// One of the two role variables.
struct RoleVariable {
    variable: &'static str,
    flag: &'static str,
    text: &'static str,
    who: &'static str,
}

const ALL: [RoleVariable; 2] = [
    RoleVariable {
        variable: APPROVERS,
        flag: "--approver-role",
        text: "Roles that approve and deny machines:",
        who: "approve and deny machines",
    },
    RoleVariable {
        variable: OPERATORS,
        flag: "--operator-role",
        text: "Roles that may do what else changes something (tickets, mutes, where events go):",
        who: "change what else there is",
    },
];

pub(super) fn ask(setup: &mut Setup<'_>, servers: &Servers) -> Result<(), SetupStop> {
    let options = setup.options;
    for (which, given) in ALL.iter().zip([&options.approver_roles, &options.operator_roles]) {
        one(setup, servers, which, given)?;
    }
    Ok(())
}

fn one(
    setup: &mut Setup<'_>,
    servers: &Servers,
    which: &RoleVariable,
    given: &[String],
) -> Result<(), SetupStop> {
    let rows = servers.roles();
    if !given.is_empty() {
        let mut ids = Vec::new();
        for text in given {
            match named(&rows, text) {
                Some(row) => ids.push(row.id.to_string()),
                None => unknown(setup, servers, which, &rows, text)?,
            }
        }
        if ids.len() == given.len() {
            setup.draft.set(which.variable, &ids.join(","));
            return Ok(());
        }
    } else if let Some(value) = setup.draft.decided(which.variable).map(str::to_owned)
        && !setup.options.again
        && is_well(setup, servers, which)?
    {
        let who = match value.as_str() {
            "" => "whoever has Manage Server".to_owned(),
            ids => ids.split(',').map(|id| name(&rows, id.trim())).collect::<Vec<_>>().join(", "),
        };
        setup.keep(&format!("{who} may {}", which.who));
        return Ok(());
    }
    let instead = format!("{} ID", which.flag);
    let help = "Space chooses, Enter goes on. None: whoever has Manage Server.";
    let question = PromptQuestion { text: which.text, help, instead: &instead };
    let lines: Vec<String> = rows.iter().map(|row| format!("@{}", row.name)).collect();
    // With --again, Enter keeps the roles that are set.
    let before = setup.draft.value(which.variable).unwrap_or_default().to_owned();
    let before =
        before.split(',').filter_map(|id| rows.iter().position(|row| row.id.to_string() == id.trim()));
    let before: Vec<usize> = before.collect();
    let chosen = match lines.as_slice() {
        [] => {
            setup.say(&format!("The server has no roles: whoever has Manage Server may {}.", which.who));
            Vec::new()
        }
        lines => setup.prompt.choose_several(&question, lines, &before)?,
    };
    let ids: Vec<String> =
        chosen.iter().filter_map(|at| rows.get(*at)).map(|row| row.id.to_string()).collect();
    setup.draft.set(which.variable, &ids.join(","));
    Ok(())
}

/// Whether every configured role gives someone access, by the checks of doctor.
fn is_well(setup: &mut Setup<'_>, servers: &Servers, which: &RoleVariable) -> Result<bool, SetupStop> {
    let config = setup.draft.config()?;
    let application = servers.application.as_ref().map(|application| application.id);
    let checks = doctor::discord::of_servers(
        &config,
        &servers.snapshot,
        &Default::default(),
        application,
        setup.clock.now(),
    );
    let mut is_well = true;
    for check in checks {
        let is_of_roles = matches!(check.code, Code::RoleUnknown | Code::RoleIsEveryone);
        if check.state != State::Ok && is_of_roles && check.found.starts_with(which.variable) {
            setup.wrong(&check.found, &check.remedy.unwrap_or_default())?;
            is_well = false;
        }
    }
    Ok(is_well)
}

fn named<'a>(rows: &'a [ServerRow], text: &str) -> Option<&'a ServerRow> {
    let name = text.trim_start_matches('@');
    rows.iter().find(|row| row.id.to_string() == text || row.name == name)
}

fn name(rows: &[ServerRow], id: &str) -> String {
    named(rows, id).map_or_else(|| id.to_owned(), |row| format!("@{}", row.name))
}

fn unknown(
    setup: &mut Setup<'_>,
    servers: &Servers,
    which: &RoleVariable,
    rows: &[ServerRow],
    text: &str,
) -> Result<(), SetupStop> {
    let server = &servers.home;
    let names: Vec<String> = rows.iter().map(|row| format!("{} ({})", row.name, row.id)).collect();
    let found = if text.trim_start_matches('@') == "everyone" || text == server.id.to_string() {
        format!(
            "{} names @everyone, which Discord lists among nobody's roles: it would let nobody in.",
            which.flag
        )
    } else {
        format!("{} names {text}, and {} has no such role for people.", which.flag, server.name)
    };
    setup.wrong(&found, &format!("It has: {}.", names.join(", ")))
}
