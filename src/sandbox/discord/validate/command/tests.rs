use rstest::rstest;
use serde_json::json;

use super::*;
use crate::sandbox::discord::model::Refusal;

/// The first error code in the tree of errors, with its path.
fn first(value: &Value, path: &str) -> Option<String> {
    let object = value.as_object()?;
    if let Some(errors) = object.get("_errors") {
        return Some(format!("{path}: {}", errors[0]["code"].as_str()?));
    }
    object.iter().find_map(|(key, inner)| first(inner, &format!("{path}.{key}")))
}

fn error(body: &Value) -> Option<String> {
    match command(body, None) {
        Err(refusal @ Refusal::Form(_)) => first(&refusal.body()["errors"], ""),
        other => {
            assert!(other.is_ok(), "{other:?}");
            None
        }
    }
}

fn option(more: Value) -> Value {
    let mut option = json!({"type": 3, "name": "o", "description": "d"});
    option.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    option
}

fn with_options(options: Value) -> Value {
    json!({"name": "c", "description": "d", "options": options})
}

#[rstest]
#[case(json!({"name": "c", "description": "d"}))]
#[case(json!({"name": "a-b_c'1", "description": "d", "options": [], "nsfw": null, "type": null}))]
#[case(json!({"name": "สวัสดี", "description": "d"}))]
#[case(json!({"name": "नमस्ते", "description": "d"}))]
#[case(json!({"name": "Show It", "type": 3}))]
#[case(json!({"name": "Show It", "type": 2, "description": ""}))]
#[case(with_options(json!([option(json!({"channel_types": [], "min_value": null, "choices": [], "options": []}))])))]
#[case(with_options(json!([option(json!({"type": 7, "channel_types": []}))])))]
#[case(with_options(json!([{"type": 2, "name": "g", "description": "d", "options": [
    {"type": 1, "name": "s", "description": "d", "options": [option(json!({}))]}]}])))]
fn what_discord_takes_is_taken(#[case] body: Value) {
    assert_eq!(error(&body), None, "{body}");
}

#[rstest]
#[case(json!({"description": "d"}), ".name: BASE_TYPE_REQUIRED")]
#[case(json!({"name": "Upper", "description": "d"}), ".name: APPLICATION_COMMAND_INVALID_NAME")]
#[case(json!({"name": "a b", "description": "d"}), ".name: APPLICATION_COMMAND_INVALID_NAME")]
#[case(json!({"name": "c".repeat(33), "description": "d"}), ".name: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"name": "c"}), ".description: BASE_TYPE_REQUIRED")]
#[case(json!({"name": "c", "description": "d".repeat(101)}), ".description: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"name": "c", "type": 2, "description": "d"}), ".description: APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET")]
#[case(json!({"name": "c", "description": "d", "default_member_permissions": "x"}), ".default_member_permissions: BITSET_TYPE_CONVERT")]
#[case(json!({"name": "c", "description": "d", "contexts": [3]}), ".contexts.0: BASE_TYPE_CHOICES")]
#[case(with_options(json!([{"name": "o", "description": "d"}])), ".options.0.type: BASE_TYPE_REQUIRED")]
#[case(with_options(json!([option(json!({"type": 12}))])), ".options.0.type: BASE_TYPE_CHOICES")]
#[case(with_options(json!([option(json!({})), option(json!({}))])), ".options.1.name: APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS")]
#[case(with_options(json!([option(json!({})), option(json!({"name": "p", "required": true}))])), ".options.1: APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID")]
#[case(with_options(json!([option(json!({})), option(json!({"name": "s", "type": 1}))])), ".options.1: APPLICATION_COMMAND_OPTIONS_TYPE_INVALID")]
#[case(with_options(json!([option(json!({"autocomplete": true, "choices": [{"name": "a", "value": "a"}]}))])), ".options.0.choices: APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES")]
#[case(with_options(json!([option(json!({"type": 4, "choices": [{"name": "a", "value": "a"}]}))])), ".options.0.choices.0.value: BASE_TYPE_CONVERT")]
#[case(with_options(json!([option(json!({"max_length": 0}))])), ".options.0.max_length: NUMBER_TYPE_MIN")]
#[case(with_options(json!([option(json!({"type": 1, "options": [option(json!({"type": 1}))]}))])), ".options.0.options.0.type: BASE_TYPE_CHOICES")]
fn what_discord_refuses_is_refused(#[case] body: Value, #[case] wrong: &str) {
    assert_eq!(error(&body).as_deref(), Some(wrong), "{body}");
}

#[rstest]
#[case(25, None)]
#[case(26, Some(".options: BASE_TYPE_MAX_LENGTH"))]
fn there_are_at_most_25_options(#[case] count: usize, #[case] wrong: Option<&str>) {
    let options: Vec<Value> = (0..count).map(|n| option(json!({"name": format!("o{n}")}))).collect();
    assert_eq!(error(&with_options(json!(options))).as_deref(), wrong);
}

#[rstest]
// One for the name and one for the description of the command, 100 and 2 for each option, 200 for each choice.
#[case(39, None)]
#[case(40, Some(": APPLICATION_COMMAND_TOO_LARGE"))]
fn a_command_has_at_most_8000_characters(#[case] choices: usize, #[case] wrong: Option<&str>) {
    let choice = |n: usize| json!({"name": format!("{n:0>100}"), "value": format!("{n:0>100}")});
    let of = |name: &str, range: std::ops::Range<usize>| {
        option(json!({"name": name, "choices": range.map(choice).collect::<Vec<_>>()}))
    };
    let body = with_options(json!([of("a", 0..20), of("b", 20..choices)]));
    assert_eq!(error(&body).as_deref(), wrong);
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    let before = command(&with_options(json!([option(json!({}))])), None).unwrap();
    let after = command(&json!({"description": "new", "type": 3}), Some(&before)).unwrap();
    assert_eq!((&after["description"], &after["type"]), (&json!("new"), &json!(1)));
    assert_eq!(after["options"], before["options"]);
}
