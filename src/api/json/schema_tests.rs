//! Faults of bodies that do not match their schema.

use serde_json::json;

use super::*;

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Order {
    user_id: String,
    amount: Option<f64>,
    color: Option<i64>,
    lines: Vec<OrderLine>,
    options: Option<OrderOptions>,
    free: Option<Value>,
    tags: Option<HashMap<String, String>>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct OrderLine {
    name: String,
    kind: Option<LineKind>,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum LineKind {
    Server,
    Voucher,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct OrderOptions {
    only_enabled: Option<bool>,
}

fn check(mut body: Value, unknown: UnknownFields) -> (Vec<String>, Value) {
    let (faults, warnings) = BodySchema::of::<Order>().check(&mut body, unknown);
    let lines = faults.into_iter().chain(warnings);
    (lines.map(|fault| format!("{} {}: {}", fault.pointer, fault.code, fault.message)).collect(), body)
}

#[test]
fn all_faults_are_told_at_once() {
    let body = json!({
        "amout": 3, "amount": "3", "color": 1.5, "lines": [{"name": 1, "kind": "sever"}, 4], "options": [],
        "tags": {"a": 1}, "free": {"anything": [1]},
    });
    assert_eq!(
        check(body, UnknownFields::Refused).0,
        [
            "/amount wrong_type: must be a number or null, not text",
            "/color wrong_type: must be a whole number or null, not a number",
            "/lines/0/name wrong_type: must be text, not a number",
            "/lines/0/kind unknown_word: must be one of server, voucher. Did you mean \"server\"?",
            "/lines/1 wrong_type: must be an object, not a number",
            "/options wrong_type: must be an object or null, not a list",
            "/user_id missing: \"user_id\" is missing",
            "/amout unknown_field: there is no field \"amout\" here. Did you mean \"amount\"?",
        ]
    );
    assert_eq!(check(json!([]), UnknownFields::Refused).0, [" wrong_type: must be an object, not a list"]);
}

#[test]
fn a_body_that_fits_stays_as_it_is() {
    let body = json!({"user_id": "u", "amount": null, "lines": [{"name": "x", "kind": "voucher"}],
                      "options": {"only_enabled": false}, "free": 1, "tags": {"a": "b"}});
    for unknown in [UnknownFields::Refused, UnknownFields::Warned] {
        assert_eq!(check(body.clone(), unknown), (vec![], body.clone()));
    }
}

// Control: on a route of ours, the same body is refused.
#[test]
fn callers_of_the_seeds_may_write_camel_case_and_more_than_is_known() {
    let body = json!({"userId": "u", "lines": [], "options": {"onlyEnabled": true}, "extra": 1});
    let (warned, taken) = check(body.clone(), UnknownFields::Warned);
    assert_eq!(warned, ["/extra unknown_field: there is no field \"extra\" here. It was left out."]);
    assert_eq!(taken, json!({"lines": [], "options": {"only_enabled": true}, "user_id": "u"}));
    assert_eq!(check(body, UnknownFields::Refused).0.len(), 4);

    let twice = json!({"userId": "a", "user_id": "b", "lines": []});
    let (warned, _) = check(twice, UnknownFields::Warned);
    assert_eq!(
        warned,
        ["/userId duplicate_field: \"userId\" is the same field as \"user_id\": send one of them"]
    );
}
