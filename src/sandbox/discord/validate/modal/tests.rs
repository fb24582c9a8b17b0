use rstest::rstest;
use serde_json::json;

use super::*;

fn input(more: Value) -> Value {
    let mut input = json!({"type": 4, "custom_id": "i", "style": 1, "label": "l"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn row(input: Value) -> Value {
    json!({"type": 1, "components": [input]})
}

fn with(components: Value) -> Value {
    json!({"custom_id": "m", "title": "t", "components": components})
}

/// The path and code of the first error.
fn error(body: &Value) -> Option<String> {
    fn first(value: &Value, path: &str) -> Option<String> {
        let object = value.as_object()?;
        if let Some(errors) = object.get("_errors") {
            return Some(format!("{path}: {}", errors[0]["code"].as_str()?));
        }
        object.iter().find_map(|(key, inner)| first(inner, &format!("{path}.{key}")))
    }
    first(&modal(body).err()?.body()["errors"], "")
}

#[rstest]
#[case(with(json!([row(input(json!({})))])))]
#[case(with(json!([row(input(json!({"min_length": 3, "max_length": 400, "required": false, "value": null})))])))]
#[case(with(json!([{"type": 18, "label": "l", "component": {"type": 4, "custom_id": "i", "style": 2}}])))]
#[case(with(json!([{"type": 18, "label": "l", "component": {"type": 3, "custom_id": "i", "options": []}},
    {"type": 10, "content": "text"}])))]
fn what_discord_takes_is_taken(#[case] body: Value) {
    assert_eq!(error(&body), None, "{body}");
}

#[rstest]
#[case(json!({"title": "t", "components": [row(input(json!({})))]}), ".custom_id: BASE_TYPE_REQUIRED")]
#[case(json!({"custom_id": "m", "components": [row(input(json!({})))]}), ".title: BASE_TYPE_REQUIRED")]
#[case(json!({"custom_id": "m", "title": "t"}), ".components: BASE_TYPE_REQUIRED")]
#[case(with(json!(vec![json!({"type": 10, "content": "a"}); 6])), ".components: BASE_TYPE_BAD_LENGTH")]
#[case(with(json!([{"type": 2}])), ".components.0: UNION_TYPE_CHOICES")]
#[case(with(json!([row(json!({"type": 2, "custom_id": "i"}))])), ".components.0.components.0: UNION_TYPE_CHOICES")]
#[case(with(json!([row(input(json!({"label": "l".repeat(46)})))])), ".components.0.components.0.label: BASE_TYPE_MAX_LENGTH")]
#[case(with(json!([row(input(json!({"style": 3})))])), ".components.0.components.0.style: NUMBER_TYPE_MAX")]
#[case(with(json!([row(input(json!({"custom_id": "i".repeat(101)})))])), ".components.0.components.0.custom_id: BASE_TYPE_MAX_LENGTH")]
#[case(with(json!([row(input(json!({"max_length": 4001})))])), ".components.0.components.0.max_length: NUMBER_TYPE_MAX")]
#[case(with(json!([row(input(json!({"min_length": 9, "max_length": 3})))])), ".components.0.components.0.max_length: TEXT_INPUT_MAX_LENGTH_INVALID")]
#[case(with(json!([row(input(json!({}))), row(input(json!({})))])), ".components.1.components.0.custom_id: COMPONENT_CUSTOM_ID_DUPLICATED")]
fn what_discord_refuses_is_refused(#[case] body: Value, #[case] wrong: &str) {
    assert_eq!(error(&body).as_deref(), Some(wrong), "{body}");
}
