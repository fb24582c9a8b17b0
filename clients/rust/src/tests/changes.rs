//! Settings are compared without leaving the application: `clients/conformance/changed_fields.json`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cases, conformance};
use crate::changed_fields;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    before: Value,
    after: Value,
    changed: Vec<String>,
}

#[test]
fn changed_fields_are_named_in_order() {
    for case in conformance::<Cases<Case>>("changed_fields").cases {
        assert_eq!(changed_fields(&case.before, &case.after), case.changed, "{}", case.name);
    }
}

#[test]
fn settings_may_be_a_type_of_the_application() {
    #[derive(Serialize)]
    struct Settings {
        site_name: &'static str,
        smtp_port: u16,
    }
    let before = Settings { site_name: "Acme", smtp_port: 25 };
    assert_eq!(changed_fields(&before, &Settings { smtp_port: 587, ..before }), ["smtp_port"]);
    assert_eq!(changed_fields(&None::<Settings>, &before), ["site_name", "smtp_port"]);
    assert!(changed_fields(&before, &before).is_empty());
}
