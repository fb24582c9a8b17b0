//! Tests of the table against `.env.example`, and of misspelled names.

use super::*;

#[test]
fn env_example_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
    if std::env::var_os("UPDATE_ENV_EXAMPLE").is_some() {
        std::fs::write(path, example()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == example(),
        ".env.example is not what src/config/variable.rs says; make it anew with\n    UPDATE_ENV_EXAMPLE=1 cargo test --lib variable"
    );
}

#[test]
fn the_reference_in_the_docs_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (head, rest) = page.split_once("<!-- variables -->\n").unwrap();
    let (committed, tail) = rest.split_once("<!-- /variables -->").unwrap();
    if std::env::var_os("UPDATE_ENV_EXAMPLE").is_some() {
        let page = format!("{head}<!-- variables -->\n{}<!-- /variables -->{tail}", reference());
        std::fs::write(path, page).unwrap();
        return;
    }
    assert!(
        committed == reference(),
        "docs/configuration.md is not what src/config/variable.rs says; make it anew with\n    UPDATE_ENV_EXAMPLE=1 cargo test --lib variable"
    );
}

#[rstest::rstest]
#[case("WEBHOOK_SECERT", Some("WEBHOOK_SECRET"))]
#[case("WEBHOK_PORT", Some("WEBHOOK_PORT"))]
#[case("DISCORD_TOKENS", Some("DISCORD_TOKEN"))]
#[case("PINGS", Some("PING"))]
#[case("PORT", None)]
#[case("PATH", None)]
#[case("WEBHOOK_SECRET", None)]
#[case("DATABASE_URL", None)]
fn misspelt_names(#[case] name: &str, #[case] meant: Option<&str>) {
    assert_eq!(misspelt(name), meant);
}
