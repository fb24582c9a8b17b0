//! The actor of a shell command, for the audit log.

use crate::cli::table;
use crate::model::Actor;

/// The user at the shell, by the name in the environment; behind `sudo`, the user who called it.
pub(super) fn actor() -> Actor {
    let variable = |name| std::env::var(name).ok().filter(|user| !user.trim().is_empty());
    let user = variable("SUDO_USER").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    Actor::at_shell(user.map(|user| table::clean(&user, 40)).as_deref())
}
