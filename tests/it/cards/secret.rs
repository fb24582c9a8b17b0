//! What is secret by its name is shown on no card (40).
//!
//! Control: without the look in the generic card, in an alert's details, in a list of changes, the cases of that name are red.

use rstest::rstest;
use serde_json::{Value, json};

use super::{event, sent};

#[rstest]
#[case::generic("backup.failed", json!({"host": "SRV-1", "password": "canary-1", "api_key": "canary-2"}), "password: (hidden)")]
#[case::generic_camel("backup.failed", json!({"host": "SRV-1", "accessToken": "canary-1"}), "accessToken: (hidden)")]
#[case::details("alert.triggered", json!({"title": "Disk", "details": {"disk": "sda", "db": {"client_secret": "canary-1"}}}), "(hidden)")]
#[case::changes("asset.updated", json!({"name": "SRV-1", "changes": {"ssh_key": ["canary-1", "canary-2"]}}), "ssh key: changed")]
fn a_value_whose_name_says_secret_is_hidden(#[case] kind: &str, #[case] data: Value, #[case] shown: &str) {
    let body = serde_json::to_string(&sent(&event(kind, "", data), &[])).unwrap();
    assert!(!body.contains("canary"), "{body}");
    assert!(body.contains(shown), "{body}");
}
