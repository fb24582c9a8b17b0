//! S-6, item 42: what the program is made of, held to the rules of `deny.toml` with Cargo's own word alone. `cargo-deny`
//! itself takes CI minutes to build, so it is asked only where it is installed (`.ci/run`).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use regex::Regex;
use serde_json::Value;

/// The packages that are linked into the program or build it, without those that only tests need.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let (mut used, mut waiting) = (BTreeSet::new(), vec![metadata["resolve"]["root"].as_str().unwrap()]);
    while let Some(id) = waiting.pop() {
        if !used.insert(id) {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                waiting.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    let all = metadata["packages"].as_array().unwrap().iter();
    let found: Vec<Value> =
        all.filter(|package| used.contains(package["id"].as_str().unwrap())).cloned().collect();
    assert!(found.len() > 100, "{} packages are too few to be all", found.len());
    found
}

fn rules() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap()
}

/// The quoted words of the list `name`.
fn list(rules: &str, name: &str) -> String {
    let list = Regex::new(&format!(r"(?ms)^{name} = \[(.*?)\]$")).unwrap();
    list.captures(rules).unwrap_or_else(|| panic!("deny.toml has no {name}"))[1].to_owned()
}

/// Crates of a list with the reason that each must have.
fn crates(rules: &str, name: &str) -> BTreeSet<String> {
    let list = list(rules, name);
    let entry = Regex::new(r#"\{ crate = "([^"]+)", reason = "[^"]{4,}" \}"#).unwrap();
    let found: BTreeSet<String> = entry.captures_iter(&list).map(|found| found[1].to_owned()).collect();
    assert_eq!(
        found.len(),
        list.matches("crate =").count(),
        "each entry of {name} stands once, with a reason"
    );
    found
}

/// `sha2@0.10`, `syn@2`: as far as Cargo takes two versions for compatible.
fn compatible(package: &Value) -> String {
    let (name, version) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
    let mut parts = version.split('.');
    let (major, minor) = (parts.next().unwrap(), parts.next().unwrap());
    if major == "0" { format!("{name}@0.{minor}") } else { format!("{name}@{major}") }
}

/// Whether an SPDX expression is fulfilled by allowed licenses (`/` is Cargo's old way to write OR).
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.replace('/', " OR ");
    // None of ours nests deeper than one pair of brackets around an OR.
    let all = expression.split(" AND ");
    all.map(|part| part.trim().trim_start_matches('(').trim_end_matches(')'))
        .all(|part| part.split(" OR ").any(|license| allowed.contains(license.trim())))
}

// Control: without MIT among them, most packages are named.
#[test]
fn every_license_is_one_of_those_allowed() {
    let rules = rules();
    let list = list(&rules, "allow");
    let allowed: BTreeSet<&str> = list.split(',').map(|word| word.trim().trim_matches('"')).collect();
    for package in packages() {
        let license = package["license"].as_str().unwrap_or("none");
        assert!(is_allowed(license, &allowed), "{}: {license}", package["name"]);
    }
    assert!(!is_allowed("GPL-3.0", &allowed) && !is_allowed("MIT AND GPL-3.0", &allowed));
    assert!(is_allowed("GPL-3.0 OR MIT", &allowed) && is_allowed("(MIT OR GPL-3.0) AND ISC", &allowed));
}

#[test]
fn everything_comes_from_the_one_registry() {
    for package in packages() {
        let is_ours = package["name"] == env!("CARGO_PKG_NAME");
        let from = package["source"].as_str().unwrap_or_default();
        assert!(is_ours || from == "registry+https://github.com/rust-lang/crates.io-index", "{package}");
    }
}

#[test]
fn what_is_banned_is_not_used() {
    let banned = crates(&rules(), "deny");
    for package in packages() {
        assert!(!banned.contains(package["name"].as_str().unwrap()), "{} is banned", package["name"]);
    }
}

// Control: without one of the entries of `skip`, its crate is named; with one too many, that one is.
#[test]
fn what_is_used_twice_is_named_with_its_reason() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap().to_owned();
        versions.entry(name).or_default().insert(compatible(&package));
    }
    let skipped = crates(&rules(), "skip");
    for (name, versions) in versions {
        let unnamed: Vec<_> = versions.iter().filter(|version| !skipped.contains(*version)).collect();
        assert!(
            unnamed.len() <= 1,
            "{name} is used as {unnamed:?}: name all but one in deny.toml, with the reason"
        );
        let needless = skipped.iter().filter(|skip| skip.split('@').next() == Some(&*name));
        let needless: Vec<_> =
            needless.filter(|skip| versions.len() < 2 || !versions.contains(*skip)).collect();
        assert!(needless.is_empty(), "{needless:?} is not used twice any more: remove it from deny.toml");
    }
}

// The list that `.ci/release` puts beside the program. Control: without the last `end()` of `.ci/sbom`, the last crate is
// missing.
#[test]
fn the_list_of_a_release_names_every_crate() {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new("bash").arg(".ci/sbom").current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&list["bomFormat"], &list["specVersion"]), (&Value::from("CycloneDX"), &Value::from("1.5")));
    let own = &list["metadata"]["component"];
    assert_eq!((&own["name"], &own["type"]), (&Value::from("nuncio"), &Value::from("application")));
    let listed: BTreeMap<&str, &Value> = list["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| (component["purl"].as_str().unwrap(), component))
        .collect();

    let lock = std::fs::read_to_string(format!("{root}/Cargo.lock")).unwrap();
    let field = |package: &str, name: &str| {
        let found = package.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
        found.map(|value| value.trim_end_matches('"').to_owned())
    };
    let mut count = 0;
    for package in lock.split("[[package]]\n").skip(1) {
        let (name, version) = (field(package, "name").unwrap(), field(package, "version").unwrap());
        // The program itself, and the client: neither is a part of the program.
        if field(package, "source").is_none() {
            continue;
        }
        let purl = format!("pkg:cargo/{name}@{version}");
        let component = listed.get(&*purl).unwrap_or_else(|| panic!("{purl} is not listed"));
        let checksum = field(package, "checksum").unwrap();
        assert_eq!(component["hashes"][0]["content"], checksum, "{purl}");
        count += 1;
    }
    assert_eq!(listed.len(), count);
    // Cargo's metadata also counts what only the features of tests need: what is built in is a part of it.
    let packages = packages();
    let known: BTreeSet<String> = packages
        .iter()
        .map(|package| {
            format!(
                "pkg:cargo/{}@{}",
                package["name"].as_str().unwrap(),
                package["version"].as_str().unwrap()
            )
        })
        .collect();
    let mut built_in = BTreeSet::new();
    for (purl, component) in listed.iter().filter(|(_, component)| component["scope"] == "required") {
        assert!(known.contains(*purl), "{purl} is not built in");
        assert!(component["licenses"][0]["expression"].is_string(), "{purl} has no license");
        built_in.insert(component["name"].as_str().unwrap());
    }
    for name in ["axum", "libsqlite3-sys", "serenity", "tokio"] {
        assert!(built_in.contains(name), "{name}");
    }
    assert!(!built_in.contains("insta"), "tests need it, the program does not");
}
