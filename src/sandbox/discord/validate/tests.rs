use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn x(length: usize) -> String {
    "é".repeat(length)
}

fn fields(count: usize) -> Value {
    (0..count).map(|n| json!({"name": format!("n{n}"), "value": "v"})).collect()
}

fn row(buttons: usize) -> Value {
    let buttons: Vec<Value> = (0..buttons)
        .map(|n| json!({"type": 2, "style": 1, "label": "Go", "custom_id": format!("b{n}")}))
        .collect();
    json!({"type": 1, "components": buttons})
}

fn link_row() -> Value {
    json!({"type": 1, "components": [{"type": 2, "style": 5, "label": "Open", "url": "https://a.b"}]})
}

fn button(more: Value) -> Value {
    let mut button = json!({"type": 2, "style": 1, "label": "Go", "custom_id": "b"});
    for (key, value) in more.as_object().unwrap() {
        button[key] = value.clone();
    }
    json!({"components": [{"type": 1, "components": [button]}]})
}

/// The errors of a body, each as `path: CODE`.
fn wrong(body: &Value) -> Vec<String> {
    fn gather(at: &str, tree: &Value, found: &mut Vec<String>) {
        for (key, value) in tree.as_object().unwrap() {
            if key == "_errors" {
                let errors = value.as_array().unwrap();
                found.extend(errors.iter().map(|error| format!("{at}: {}", error["code"].as_str().unwrap())));
            } else {
                gather(format!("{at}.{key}").trim_start_matches('.'), value, found);
            }
        }
    }
    let mut found = Vec::new();
    match draft(body) {
        Ok(_) => {}
        Err(Refusal::Form(errors)) => gather("", &Value::Object(errors), &mut found),
        Err(other) => panic!("{other:?}"),
    }
    found
}

#[rstest]
#[case::content(json!({"content": x(2000)}))]
#[case::content_is_measured_trimmed(json!({"content": format!("  {}\n", x(2000))}))]
#[case::beyond_the_basic_plane(json!({"content": "🎫".repeat(2000)}))]
#[case::nulls(json!({"content": "a", "embeds": null, "components": null, "nonce": null, "flags": null}))]
#[case::unknown_keys(json!({"content": "a", "wait": true, "embeds": [{"title": "a", "whatever": [1]}]}))]
#[case::nonce_text(json!({"content": "a", "nonce": "n".repeat(25)}))]
#[case::nonce_number(json!({"content": "a", "nonce": 1_234_567_890_123_456_789_u64}))]
#[case::embeds(json!({"embeds": vec![json!({"title": "t"}); 10]}))]
#[case::title(json!({"embeds": [{"title": x(256)}]}))]
#[case::description(json!({"embeds": [{"description": x(4096)}]}))]
#[case::fields(json!({"embeds": [{"fields": fields(25)}]}))]
#[case::field(json!({"embeds": [{"fields": [{"name": x(256), "value": x(1024), "inline": true}]}]}))]
#[case::footer(json!({"embeds": [{"footer": {"text": x(2048)}}]}))]
#[case::author(json!({"embeds": [{"author": {"name": x(256), "url": "https://a.b/c"}}]}))]
#[case::sum(json!({"embeds": [{"description": x(4096)}, {"description": x(1904)}]}))]
#[case::colors(json!({"embeds": [{"title": "a", "color": 0}, {"title": "a", "color": 0xFF_FFFF}]}))]
#[case::timestamp(json!({"embeds": [{"title": "a", "timestamp": "2024-01-15T10:30:00.5+01:00"}]}))]
#[case::date(json!({"embeds": [{"title": "a", "timestamp": "2024-01-15"}]}))]
#[case::url(json!({"embeds": [{"title": "a", "url": format!("https://a.b/{}", "c".repeat(2036))}]}))]
#[case::attached_image(json!({"embeds": [{"image": {"url": "attachment://a.png"}}]}))]
#[case::rows(json!({"components": [row(5)]}))]
#[case::label(button(json!({"label": x(80)})))]
#[case::custom_id(button(json!({"custom_id": x(100)})))]
#[case::emoji_only(button(json!({"label": null, "emoji": {"name": "✅"}})))]
#[case::link(button(json!({"style": 5, "custom_id": null, "url": format!("https://a.b/{}", "c".repeat(500))})))]
#[case::mentions(json!({"content": "a", "allowed_mentions": {"parse": ["users", "roles", "everyone"]}}))]
#[case::mentions_listed(json!({"content": "a", "allowed_mentions": {"parse": ["users"], "roles": vec!["1"; 100]}}))]
#[case::mentions_empty_list(json!({"content": "a", "allowed_mentions": {"parse": ["users"], "users": []}}))]
#[case::tree(json!({"flags": 1 << 15, "components": [{"type": 10, "content": x(4000)}]}))]
#[case::reference(json!({"content": "a", "message_reference": {"message_id": "5"}}))]
fn what_is_within_the_limits_passes(#[case] body: Value) {
    assert_eq!(wrong(&body), Vec::<String>::new());
}

#[rstest]
#[case(json!([]), ": DICT_TYPE_CONVERT")]
#[case(json!({"content": x(2001)}), "content: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"content": {}}), "content: STRING_TYPE_CONVERT")]
#[case(json!({"content": "a", "nonce": "n".repeat(26)}), "nonce: NONCE_TYPE_TOO_LONG")]
#[case(json!({"content": "a", "nonce": true}), "nonce: NONCE_TYPE_INVALID_TYPE")]
#[case(json!({"embeds": vec![json!({"title": "t"}); 11]}), "embeds: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": ["t"]}), "embeds.0: DICT_TYPE_CONVERT")]
#[case(json!({"embeds": [{"title": x(257)}]}), "embeds.0.title: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"description": x(4097)}]}), "embeds.0.description: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"color": 1}]}), "embeds.0.description: BASE_TYPE_REQUIRED")]
#[case(json!({"embeds": [{"title": "  "}]}), "embeds.0.description: BASE_TYPE_REQUIRED")]
#[case(json!({"embeds": [{"fields": fields(26)}]}), "embeds.0.fields: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"fields": [{"name": x(257), "value": "v"}]}]}), "embeds.0.fields.0.name: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"fields": [{"name": "n", "value": x(1025)}]}]}), "embeds.0.fields.0.value: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"fields": [{"name": " ", "value": "v"}]}]}), "embeds.0.fields.0.name: BASE_TYPE_REQUIRED")]
#[case(json!({"embeds": [{"fields": [{"name": "n"}]}]}), "embeds.0.fields.0.value: BASE_TYPE_REQUIRED")]
#[case(json!({"embeds": [{"fields": [{"name": "n", "value": "\n "}]}]}), "embeds.0.fields.0.value: BASE_TYPE_REQUIRED")]
#[case(json!({"embeds": [{"footer": {"text": x(2049)}}]}), "embeds.0.footer.text: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"author": {"name": x(257)}}]}), "embeds.0.author.name: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"description": x(4096)}, {"description": x(1905)}]}), "embeds: MAX_EMBED_SIZE_EXCEEDED")]
#[case(json!({"embeds": [{"title": "a", "color": 0x100_0000}]}), "embeds.0.color: NUMBER_TYPE_MAX")]
#[case(json!({"embeds": [{"title": "a", "color": -1}]}), "embeds.0.color: NUMBER_TYPE_MIN")]
#[case(json!({"embeds": [{"title": "a", "color": "red"}]}), "embeds.0.color: NUMBER_TYPE_COERCE")]
#[case(json!({"embeds": [{"title": "a", "timestamp": "soon"}]}), "embeds.0.timestamp: DATE_TIME_TYPE_PARSE")]
#[case(json!({"embeds": [{"title": "a", "url": "ftp://a.b"}]}), "embeds.0.url: URL_TYPE_INVALID_SCHEME")]
#[case(json!({"embeds": [{"title": "a", "url": "javascript:alert(1)"}]}), "embeds.0.url: URL_TYPE_INVALID_SCHEME")]
#[case(json!({"embeds": [{"title": "a", "url": "nowhere"}]}), "embeds.0.url: URL_TYPE_INVALID_URL")]
#[case(json!({"embeds": [{"title": "a", "url": format!("https://a.b/{}", "c".repeat(2037))}]}), "embeds.0.url: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"embeds": [{"title": "a", "image": {}}]}), "embeds.0.image.url: BASE_TYPE_REQUIRED")]
#[case(json!({"components": vec![link_row(); 6]}), "components: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"components": [row(6)]}), "components.0.components: BASE_TYPE_BAD_LENGTH")]
#[case(json!({"components": [row(0)]}), "components.0.components: BASE_TYPE_BAD_LENGTH")]
#[case(json!({"components": [{"type": 2}]}), "components.0: UNION_TYPE_CHOICES")]
#[case(json!({"components": [row(1), row(1)]}), "components.1.components.0.custom_id: COMPONENT_CUSTOM_ID_DUPLICATED")]
#[case(button(json!({"label": x(81)})), "components.0.components.0.label: BASE_TYPE_MAX_LENGTH")]
#[case(button(json!({"label": null})), "components.0.components.0.label: BASE_TYPE_REQUIRED")]
#[case(button(json!({"custom_id": x(101)})), "components.0.components.0.custom_id: BASE_TYPE_BAD_LENGTH")]
#[case(button(json!({"custom_id": ""})), "components.0.components.0.custom_id: BASE_TYPE_BAD_LENGTH")]
#[case(button(json!({"custom_id": null})), "components.0.components.0.custom_id: BASE_TYPE_REQUIRED")]
#[case(button(json!({"style": 7})), "components.0.components.0.style: BASE_TYPE_CHOICES")]
#[case(button(json!({"style": null})), "components.0.components.0.style: BASE_TYPE_REQUIRED")]
#[case(button(json!({"style": 5, "custom_id": null})), "components.0.components.0.url: BUTTON_COMPONENT_URL_REQUIRED")]
#[case(button(json!({"style": 5, "url": "https://a.b"})), "components.0.components.0: BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE")]
#[case(button(json!({"style": 5, "custom_id": null, "url": format!("https://a.b/{}", "c".repeat(501))})), "components.0.components.0.url: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"content": "a", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}), "allowed_mentions: MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE")]
#[case(json!({"content": "a", "allowed_mentions": {"parse": ["all"]}}), "allowed_mentions.parse.0: BASE_TYPE_CHOICES")]
#[case(json!({"content": "a", "allowed_mentions": {"roles": vec!["1"; 101]}}), "allowed_mentions.roles: BASE_TYPE_MAX_LENGTH")]
#[case(json!({"content": "a", "allowed_mentions": {"users": ["x"]}}), "allowed_mentions.users.0: NUMBER_TYPE_COERCE")]
#[case(json!({"content": "a", "message_reference": {}}), "message_reference.message_id: BASE_TYPE_REQUIRED")]
#[case(json!({"content": "a", "flags": 1 << 15}), "content: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")]
#[case(json!({"flags": 1 << 15, "components": [{"type": 10, "content": x(2001)}, {"type": 10, "content": x(2000)}]}), "components: COMPONENT_MAX_TEXT_SIZE_EXCEEDED")]
fn what_is_over_a_limit_is_refused_where_it_stands(#[case] body: Value, #[case] error: &str) {
    assert_eq!(wrong(&body), [error]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_discords_tree() {
    let body = json!({"content": x(2001), "embeds": [{"title": "ok"}, {"title": x(300), "fields": [{"name": "n"}]}]});
    let refusal = draft(&body).unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (400, 50035));
    insta::assert_json_snapshot!(refusal.body(), @r#"
    {
      "message": "Invalid Form Body",
      "code": 50035,
      "errors": {
        "content": {
          "_errors": [
            {
              "code": "BASE_TYPE_MAX_LENGTH",
              "message": "Must be 2000 or fewer in length."
            }
          ]
        },
        "embeds": {
          "1": {
            "title": {
              "_errors": [
                {
                  "code": "BASE_TYPE_MAX_LENGTH",
                  "message": "Must be 256 or fewer in length."
                }
              ]
            },
            "fields": {
              "0": {
                "value": {
                  "_errors": [
                    {
                      "code": "BASE_TYPE_REQUIRED",
                      "message": "This field is required"
                    }
                  ]
                }
              }
            }
          }
        }
      }
    }
    "#);
}

#[test]
fn text_is_trimmed_cleaned_and_shown_as_discord_shows_it() {
    let body = json!({
        "content": "  hi\u{0}\u{7} there\n",
        "embeds": [{"title": " T ", "description": "", "timestamp": "2024-01-15T11:30:00+01:00",
                    "fields": [{"name": "n ", "value": " v"}]}],
    });
    let draft = draft(&body).unwrap();
    assert_eq!(draft.content, "hi there");
    let shown = json!({
        "type": "rich", "title": "T", "timestamp": "2024-01-15T10:30:00.000000+00:00",
        "fields": [{"name": "n", "value": "v", "inline": false}],
    });
    assert_eq!(draft.embeds, [shown]);
}

#[test]
fn an_edit_leaves_alone_what_it_does_not_name_and_empties_what_is_null() {
    let untouched = edit(&json!({"content": "b"}), 0).unwrap();
    assert_eq!((untouched.content.as_deref(), untouched.embeds), (Some("b"), None));
    let emptied = edit(&json!({"content": null, "embeds": [], "components": null}), 0).unwrap();
    assert_eq!(emptied.content.as_deref(), Some(""));
    assert_eq!((emptied.embeds, emptied.components), (Some(vec![]), Some(vec![])));
}

#[test]
fn components_are_shown_numbered_with_discords_defaults_and_nothing_else() {
    let button = json!({"type": 2, "style": 1, "label": " Go ", "custom_id": "b", "url": null, "mine": 1});
    let select = json!({"type": 3, "custom_id": "s", "options": [{"label": "l", "value": "v"}]});
    let rows = json!([{"type": 1, "components": [button]}, {"type": 1, "components": [select]}]);
    let draft = draft(&json!({"components": rows})).unwrap();
    let shown = json!([
        {"type": 1, "id": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "b", "id": 2}]},
        {"type": 1, "id": 3, "components": [{"type": 3, "custom_id": "s", "id": 4, "min_values": 1,
            "max_values": 1, "options": [{"label": "l", "value": "v"}]}]},
    ]);
    assert_eq!(Value::Array(draft.components), shown);
}

#[test]
fn a_message_of_components_alone_stays_one() {
    let tree = json!({"components": [{"type": 10, "content": "a"}]});
    assert!(edit(&tree, 0).is_err());
    assert!(edit(&tree, 1 << 15).is_ok());
    assert_eq!(edit(&json!({"flags": 0}), 1 << 15).unwrap().flags, Some(1 << 15));
    assert!(edit(&json!({"content": "a"}), 1 << 15).is_err());
}

/// JSON of the relevant keys, with values that are mostly invalid there.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!("https://a.b")),
        (0_i64..20).prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "content",
        "embeds",
        "title",
        "fields",
        "name",
        "value",
        "footer",
        "text",
        "image",
        "url",
        "components",
        "type",
        "style",
        "custom_id",
        "options",
        "flags",
        "nonce",
        "allowed_mentions",
        "parse",
        "users",
        "message_reference",
        "message_id",
        "accessory",
        "timestamp",
    ]);
    leaf.prop_recursive(6, 96, 8, move |inner| {
        let object = prop::collection::vec((keys.clone(), inner.clone()), 0..8)
            .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
        prop_oneof![prop::collection::vec(inner, 0..8).prop_map(Value::from), object]
    })
}

proptest! {
    #[test]
    fn any_json_is_taken_or_refused_with_a_reason(body in any_json()) {
        for refusal in [draft(&body).err(), edit(&body, 0).err(), edit(&body, 1 << 15).err()].into_iter().flatten() {
            let Refusal::Form(errors) = refusal else { panic!("{refusal:?}") };
            prop_assert!(!errors.is_empty());
        }
    }
}
