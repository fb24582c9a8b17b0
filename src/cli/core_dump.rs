//! Core-dump prevention: a server's memory holds the bot's token and the webhook's secret.
//!
//! The limit keeps the kernel from writing a file; "not dumpable" keeps it from passing the memory to a collector
//! (`core_pattern` with a pipe, which ignores the limit) and keeps other processes of this user from reading it.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps of this process. Call it before secrets are read. Returns what the system refused, as sentences
/// for the log: a refusal is no reason not to serve.
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
