//! No core dumps: the memory of a server holds the bot's token and the webhook's secret.
//!
//! The limit keeps the kernel from writing a file; "not dumpable" keeps it from handing the memory to a collector
//! (`core_pattern` with a pipe, which heeds no limit) and other processes of this user from reading it.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps of this process. To be called before secrets are read. What the system refuses is said, as
/// sentences for the log: it is no reason not to serve.
pub(super) fn forbid() -> Vec<String> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none);
    let refused = |what: &str, error: rustix::io::Errno| {
        format!("{what} ({error}): a crash may write the secrets of this process to a core dump")
    };
    let mut notes = Vec::new();
    notes.extend(limited.err().map(|error| refused("core dumps could not be limited", error)));
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        notes.extend(hidden.err().map(|error| refused("this process could not be made undumpable", error)));
    }
    notes
}
