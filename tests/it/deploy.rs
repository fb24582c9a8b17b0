//! `deploy/`: what it names is there, what it sets is ours, and the program keeps systemd's side of the bargain.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nuncio::config::variable::VARIABLES;
use regex::Regex;

use crate::program::Program;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the first group of `pattern` finds.
fn found(text: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(&format!("(?m){pattern}")).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_variable_that_is_set_is_one_of_ours() {
    let compose = text("deploy/compose.yaml");
    let block = compose.split("    environment:\n").nth(1).unwrap();
    let block: String =
        block.lines().take_while(|line| line.starts_with("      ")).map(|line| format!("{line}\n")).collect();
    let set: Vec<String> = [
        found(&text("deploy/nuncio.service"), r"^Environment=([A-Z_]+)="),
        found(&block, r"^ +([A-Z_]+):"),
        found(&text("deploy/Dockerfile"), r"^ENV ([A-Z_]+)="),
    ]
    .concat();
    assert!(set.len() >= 3, "{set:?}");
    for name in set {
        assert!(VARIABLES.iter().any(|known| known.name == name), "{name}");
    }
    assert!(!compose.contains("postgres"), "this version has no PostgreSQL");
}

#[test]
fn every_file_that_is_named_is_there() {
    let (docker, compose) = (text("deploy/Dockerfile"), text("deploy/compose.yaml"));
    let mut named: Vec<PathBuf> =
        found(&text("Cargo.toml"), r#"^  \["([^"]+)", "#).into_iter().map(PathBuf::from).collect();
    assert!(named.len() >= 6, "{named:?}");
    named.extend(found(&docker, r"^COPY ([^- ]\S*)").into_iter().map(PathBuf::from));
    named.extend(found(&docker, r"(docs/\S+\.md)").into_iter().map(PathBuf::from));
    let context = PathBuf::from("deploy").join(&found(&compose, r"^ +context: (\S+)")[0]);
    named.push(context.join(&found(&compose, r"^ +dockerfile: (\S+)")[0]));
    named.extend(found(&compose, r"(docs/\S+\.md)").into_iter().map(PathBuf::from));
    named.extend(found(&text("deploy/nuncio.service"), r"(docs/\S+\.md)").into_iter().map(PathBuf::from));
    for path in named.iter().filter(|path| !path.starts_with("target")) {
        assert!(root().join(path).exists(), "{}", path.display());
    }
    // What the image takes from the build is where the build puts it.
    assert!(docker.contains("COPY --from=build /nuncio/target/release/nuncio "), "{docker}");
    // No secret gets into an image.
    let ignored: BTreeSet<String> =
        text("deploy/Dockerfile.dockerignore").lines().map(str::to_owned).collect();
    for path in ["**/.env", "**/nuncio.key", "**/*.db", "data", "logs", "target", ".git"] {
        assert!(ignored.contains(path), "{path}");
    }
}

/// `nuncio ARGS…` is a command with these options.
fn is_a_command(named: &str, args: &[&str]) {
    let run = Program::bare().run(&[args, &["--help"]].concat());
    assert_eq!(run.code, 0, "{named} runs `nuncio {}`: {}", args.join(" "), run.stderr);
}

// Control: with `serve` misspelt in the unit, in CMD or in HEALTHCHECK, it is red.
#[test]
fn every_command_that_is_run_is_a_command_of_the_program() {
    let unit = text("deploy/nuncio.service");
    let starts = found(&unit, r"^Exec\w+=/usr/bin/nuncio ?(.*)$");
    assert_eq!(starts, ["serve"]);
    let docker = text("deploy/Dockerfile");
    let exec_form =
        |pattern: &str| -> Vec<String> { serde_json::from_str(&found(&docker, pattern)[0]).unwrap() };
    let entry = exec_form(r"^ENTRYPOINT (\[.*\])$");
    assert_eq!(entry, ["nuncio"]);
    let health = exec_form(r"^HEALTHCHECK .*CMD (\[.*\])$");
    assert_eq!(health[0], "nuncio");
    let compose = text("deploy/compose.yaml");
    assert!(!compose.contains("command:") && !compose.contains("healthcheck:"), "{compose}");
    for (named, line) in [
        ("the unit", starts[0].clone()),
        ("CMD", exec_form(r"^CMD (\[.*\])$").join(" ")),
        ("HEALTHCHECK", health[1..].join(" ")),
    ] {
        is_a_command(named, &line.split_whitespace().collect::<Vec<_>>());
    }
    // The near miss that shows that the helper would notice.
    assert_ne!(Program::bare().run(&["srve", "--help"]).code, 0);
}

/// The files of the Debian package: where each comes from, where it is installed, and its mode.
fn assets() -> Vec<(String, String, String)> {
    let pattern = Regex::new(r#"(?m)^  \["([^"]+)", "([^"]+)", "([^"]+)"\],$"#).unwrap();
    let manifest = text("Cargo.toml");
    let assets = pattern.captures_iter(&manifest).map(|found| {
        let (from, to) = (&found[1], &found[2]);
        // A destination that ends with a slash is a folder.
        let name = if to.ends_with('/') { from.rsplit('/').next().unwrap() } else { "" };
        (from.to_owned(), format!("/{to}{name}"), found[3].to_owned())
    });
    assets.collect()
}

// Controls: with the unit installed elsewhere, with a script that names another file, or with an asset below /etc that is no
// configuration file of the package, it is red.
#[test]
fn the_debian_package_installs_what_its_unit_and_scripts_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let assets = assets();
    assert!(assets.len() >= 10, "{assets:?}");
    let installed: BTreeSet<&str> = assets.iter().map(|(_, to, _)| to.as_str()).collect();
    assert_eq!(installed.len(), assets.len(), "two files for one place: {assets:?}");
    for (from, to, mode) in &assets {
        assert_eq!(mode, if to.contains("/bin/") { "755" } else { "644" }, "{from}");
        // What an operator may change below /etc, an upgrade would overwrite unless it is listed in conf-files.
        assert!(!to.starts_with("/etc/"), "{to}");
    }
    let unit = text("deploy/nuncio.service");
    let named =
        [found(&unit, r"^Exec\w+=(/usr/bin/\S+)"), found(&unit, r"^Documentation=file://(\S+)$")].concat();
    assert_eq!(named.len(), 2, "{unit}");
    for path in named {
        assert!(installed.contains(path.as_str()), "the package does not install {path}");
    }
    let manifest = text("Cargo.toml");
    assert_eq!(found(&manifest, r#"^maintainer-scripts = "(.*)"$"#), ["deploy/debian"]);
    let license = &found(&manifest, r#"^license-file = \["([^"]+)""#)[0];
    assert!(root().join(license).exists(), "{license}");
    let (mut scripts, mut users) = (BTreeSet::new(), 0);
    for entry in std::fs::read_dir(root().join("deploy/debian")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let script = std::fs::read_to_string(&path).unwrap();
        assert!(script.starts_with("#!/bin/sh\n") && script.contains("\nset -e\n"), "{name}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o111, 0o111, "{name} can be run");
        let checked = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
        for service in found(&script, r"(nuncio\.service)") {
            assert!(installed.contains(format!("/usr/lib/systemd/system/{service}").as_str()), "{name}");
        }
        for file in found(&script, r"systemd-sysusers (\S+\.conf)") {
            assert!(installed.contains(format!("/usr/lib/sysusers.d/{file}").as_str()), "{name}: {file}");
            users += 1;
        }
        scripts.insert(name);
    }
    assert_eq!(scripts, BTreeSet::from(["postinst", "prerm"].map(str::to_owned)));
    assert_eq!(users, 1);
    // Who makes the user is installed before the package is.
    let depends = &found(&manifest, r#"^depends = "(.*)"$"#)[0];
    assert!(depends.contains("systemd-sysusers | adduser"), "{depends}");
    // The unit runs as the user that is made.
    let user = &found(&unit, r"^User=(\S+)$")[0];
    assert!(
        text("deploy/nuncio.sysusers").lines().any(|line| line.starts_with(&format!("u {user} "))),
        "{user}"
    );
}

#[test]
fn the_image_runs_as_nobody_special_and_is_asked_how_it_is() {
    let docker = text("deploy/Dockerfile");
    let last = docker.rsplit("\nFROM ").next().unwrap();
    assert_eq!(found(last, r"^USER (\S+)"), ["10001"]);
    let check = found(last, r"^HEALTHCHECK .*CMD (\[.*\])$");
    let check: Vec<String> = serde_json::from_str(&check[0]).unwrap();
    assert_eq!(check[0], "nuncio");
    // The command is there, and says that nobody listens.
    let run = Program::with_dotenv("WEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=9\n").run(&check[1..]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let rust: String = text("Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap()
        .replace('"', "");
    assert!(docker.contains(&format!("FROM rust:{rust}-")), "the image builds with {rust}");
}

#[test]
fn systemd_takes_the_unit() {
    let unit = text("deploy/nuncio.service");
    for line in ["Type=notify", "RestartPreventExitStatus=78", "ExecReload=/bin/kill -HUP $MAINPID"] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("systemd-analyze is not installed here: the unit was not verified");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nuncio.service");
    std::fs::write(&path, unit.replace("/usr/bin/nuncio", env!("CARGO_BIN_EXE_nuncio"))).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&path).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    // Out of 10; 20 stands for 2.0.
    let rated = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&path)
        .output();
    let rated = rated.unwrap();
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
}

#[test]
fn systemd_is_told_that_it_is_ready_that_it_lives_and_that_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let next = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap().trim().to_owned()
    };
    let program =
        Program::with_dotenv("WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=0\n")
            .env("NOTIFY_SOCKET", path.as_os_str())
            .env("WATCHDOG_USEC", "300000");
    let serving = program.serves();
    assert_eq!([next(), next(), next()], ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    serving.signal(rustix::process::Signal::TERM);
    let last = std::iter::from_fn(|| Some(next())).find(|word| word != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
    assert_eq!(serving.ends(), Some(0));
}
