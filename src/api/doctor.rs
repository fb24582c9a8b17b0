//! What `nuncio doctor --json` prints, as a schema of the document. No route answers it.

use serde::Serialize;
use utoipa::ToSchema;

/// The report of `nuncio doctor --json`.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"ok": false, "checks": [{
    "code": "configuration", "group": "configuration", "state": "fail", "found": "WEBHOOK_SECRET is not set",
    "remedy": "Set it in .env.",
}]}))]
pub(in crate::api) struct DoctorReport {
    /// Whether no check failed.
    ok: bool,
    checks: Vec<DoctorCheck>,
    /// With `--fix`: what was repaired.
    #[schema(required = false)]
    fixed: Vec<DoctorRepair>,
}

/// One check.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct DoctorCheck {
    /// The code that `docs/doctor.md` explains.
    code: String,
    /// What the check is about.
    group: String,
    state: DoctorState,
    /// What was found.
    found: String,
    /// What to do; null if nothing.
    #[schema(required = true)]
    remedy: Option<String>,
}

/// The result of a check.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only for the document: `doctor.rs` has the values")]
pub(in crate::api) enum DoctorState {
    Ok,
    Warn,
    Fail,
}

/// One repair.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct DoctorRepair {
    /// The code of the check that it is about.
    code: String,
    /// Whether it was repaired.
    done: bool,
    /// What was done, or why not.
    did: String,
}
