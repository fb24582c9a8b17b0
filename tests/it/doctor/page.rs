//! The page about `nuncio doctor`.

use nuncio::doctor::Code;

// Both ways: every code has its section, in the order of the output, and no section is about a code that there is not.
#[test]
fn every_code_has_its_section() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.md");
    let text = std::fs::read_to_string(page).unwrap();
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(headings, codes);
}
