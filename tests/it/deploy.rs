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
    for path in [".env", "nuncio.key", "data", "logs", "target", ".git"] {
        assert!(ignored.contains(path), "{path}");
    }
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
