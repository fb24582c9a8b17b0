//! The walls of the house: who imports whom, who names which library, how large a room may get.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The floors, lowest first. A room imports from lower floors only; the rooms of the lowest may know each other.
const FLOORS: &[&[&str]] = &[
    &["clock", "key", "outgoing", "secret", "signature", "telemetry", "samples"],
    // Neither knows the other: the sandbox's Discord could be a crate by itself.
    &["model", "sandbox"],
    &["config"],
    &["store", "render"],
    &["hub", "discord", "xtsystems"],
    &["discord_webhooks"],
    &["api", "console", "ingress", "bot", "dispatch", "demo"],
    &["app", "doctor"],
    &["setup"],
    &["cli"],
];
/// Rooms that may import even less than their floor allows.
const NARROWER: &[(&str, &[&str])] = &[
    // An independent model of Discord: a mistake made in the product must not be made there as well.
    ("sandbox", &["clock", "secret"]),
    // It works from outside, as the platform and a visitor do.
    ("demo", &["clock", "outgoing", "secret", "signature", "model", "sandbox"]),
    ("discord", &["clock", "outgoing", "secret", "model", "config"]),
    ("xtsystems", &["clock", "outgoing", "secret", "model", "config"]),
];
/// Rooms that only some rooms may import.
const RESERVED: &[(&str, &[&str])] = &[("sandbox", &["demo", "cli"]), ("demo", &["cli"])];
/// Libraries that only some rooms, or folders of rooms, may name.
const KEEPERS: &[(&str, &[&str])] = &[
    ("rusqlite", &["store/engine"]),
    ("askama", &["console"]),
    ("axum", &["api", "console", "ingress", "sandbox", "demo", "app"]),
    ("hyper", &["ingress"]),
    ("tower_governor", &["api", "ingress"]),
    ("governor", &["api", "ingress"]),
    ("garde", &["api"]),
    ("serde_path_to_error", &["api"]),
    ("strsim", &["api"]),
    ("utoipa", &["api"]),
    ("utoipa_axum", &["api"]),
    ("dotenvy", &["config"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("inquire", &["cli"]),
    ("sd_notify", &["cli"]),
    ("serenity", &["bot"]),
    ("poise", &["bot"]),
    ("anyhow", &["app", "cli"]),
    ("native_tls", &["outgoing"]),
    ("tokio_postgres", &["discord_webhooks"]),
    ("postgres_native_tls", &["discord_webhooks"]),
    ("reqwest", &["config", "outgoing", "discord", "xtsystems", "sandbox", "demo", "cli"]),
];
const LONGEST_FILE: usize = 400;

struct File {
    path: PathBuf,
    room: String,
    text: String,
}

impl File {
    /// Its lines without comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
    }

    /// The rooms it names as `crate::room`.
    fn imports(&self) -> BTreeSet<&str> {
        self.code()
            .flat_map(|line| line.split("crate::").skip(1))
            .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
            .filter(|room| FLOORS.iter().any(|floor| floor.contains(room)))
            .collect()
    }
}

fn sources() -> Vec<File> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let file = |path: PathBuf| {
        let within = path.strip_prefix(&root).unwrap();
        let first = within.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.strip_suffix(".rs").unwrap_or(first).to_owned();
        File { text: std::fs::read_to_string(&path).unwrap(), path, room }
    };
    paths.into_iter().map(file).filter(|file| file.room != "lib" && file.room != "main").collect()
}

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|floor| floor.contains(&room))
        .unwrap_or_else(|| panic!("{room} stands on no floor: give it one in FLOORS"))
}

fn may_import(room: &str, other: &str) -> bool {
    let allows = |rules: &[(&str, &[&str])], room: &str, other: &str| {
        rules.iter().find(|(of, _)| *of == room).is_none_or(|(_, allowed)| allowed.contains(&other))
    };
    room == other
        || (floor(other) < floor(room) || floor(room) == 0)
            && allows(NARROWER, room, other)
            && allows(RESERVED, other, room)
}

/// The imports that the file must not have.
fn forbidden(file: &File) -> Vec<String> {
    let imports = file.imports().into_iter().filter(|import| !may_import(&file.room, import));
    imports.map(|import| format!("{}: {} may not import {import}", file.path.display(), file.room)).collect()
}

#[test]
fn imports_point_one_way() {
    let found: Vec<String> = sources().iter().flat_map(forbidden).collect();
    assert!(found.is_empty(), "{found:#?}");
}

// The control of the test above: an import that was planted is found, whichever rule it breaks, and no other is.
#[test]
fn a_planted_import_is_found() {
    let planted = |room: &str, import: &str| {
        let path = PathBuf::from(format!("src/{room}/planted.rs"));
        let text =
            format!("// use crate::cli::Comment;\nuse crate::{room}::Own;\nuse crate::{import}::Planted;");
        forbidden(&File { path, room: room.to_owned(), text })
    };
    for (room, import) in [
        // Upwards, and sideways.
        ("store", "hub"),
        ("bot", "ingress"),
        ("api", "ingress"),
        ("hub", "api"),
        ("model", "sandbox"),
        ("model", "demo"),
        ("sandbox", "demo"),
        // The sandbox knows nothing of the product, not even what all others may import.
        ("sandbox", "model"),
        ("sandbox", "signature"),
        ("sandbox", "telemetry"),
        // The demo works from outside.
        ("demo", "hub"),
        ("demo", "store"),
        ("demo", "xtsystems"),
        // The product does not know that it is tested and shown.
        ("hub", "sandbox"),
        ("app", "sandbox"),
        ("app", "demo"),
    ] {
        assert_eq!(
            planted(room, import),
            [format!("src/{room}/planted.rs: {room} may not import {import}")],
            "{room} imports {import}"
        );
    }
    for (room, import) in [
        ("sandbox", "clock"),
        ("sandbox", "secret"),
        ("demo", "sandbox"),
        ("demo", "model"),
        ("cli", "sandbox"),
        ("cli", "demo"),
        ("secret", "clock"),
    ] {
        assert_eq!(planted(room, import), Vec::<String>::new(), "{room} imports {import}");
    }
}

#[test]
fn libraries_have_their_keepers() {
    for file in sources() {
        let keeps = |keeper: &&str| {
            let folder = keeper.contains('/').then(|| format!("src/{keeper}/"));
            folder.map_or(file.room == **keeper, |folder| file.path.to_str().unwrap().contains(&folder))
        };
        for (library, keepers) in KEEPERS.iter().filter(|(_, keepers)| !keepers.iter().any(keeps)) {
            let path = format!("{library}::");
            let named = file.code().find(|line| {
                line.match_indices(&path).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                })
            });
            assert!(
                named.is_none(),
                "{}: only {keepers:?} may name {library}: {named:?}",
                file.path.display()
            );
        }
    }
}

/// What a file of the bot names of its gateway, or of the libraries behind it, though it is no part of that folder.
/// Only the connection's loop and the registration of the commands call the gateway.
fn named_of_the_gateway(file: &File) -> Option<&str> {
    let path = file.path.to_str().unwrap();
    let is_caller = ["src/bot.rs", "src/bot/register.rs"].iter().any(|caller| path.ends_with(caller));
    if file.room != "bot" || path.contains("src/bot/gateway") {
        return None;
    }
    let named = |line: &&str| {
        line.contains("serenity::") || line.contains("poise::") || !is_caller && line.contains("gateway::")
    };
    file.code().find(named)
}

/// Handlers take our own interaction and answer through our own responder, wherever it comes from.
#[test]
fn handlers_know_nothing_of_the_gateway() {
    for file in sources() {
        let named = named_of_the_gateway(&file);
        assert!(named.is_none(), "{}: this belongs into bot/gateway/: {named:?}", file.path.display());
    }
}

// The control of the test above: what is planted is found, and what only looks like it is not.
#[test]
fn a_planted_use_of_the_gateway_is_found() {
    let file =
        |path: &str, text: &str| File { path: path.into(), room: "bot".to_owned(), text: text.to_owned() };
    for planted in [
        "use serenity::all::Http;",
        "async fn mute(context: poise::Context<'_, Data, Error>) {}",
        "#[poise::command(slash_command)]",
        "use crate::bot::gateway::callback::Callback;",
    ] {
        let handler = file("src/bot/command/mute.rs", planted);
        assert_eq!(named_of_the_gateway(&handler), Some(planted));
        assert_eq!(named_of_the_gateway(&file("src/bot/gateway/listener.rs", planted)), None);
    }
    for innocent in
        ["// use serenity::all::Http;", "use crate::hub::Gateway;", "self.set_gateway(Gateway::Off);"]
    {
        assert_eq!(named_of_the_gateway(&file("src/bot/command/mute.rs", innocent)), None);
    }
    let caller = |text| named_of_the_gateway(&file("src/bot/register.rs", text)).map(str::to_owned);
    assert_eq!(caller("use crate::bot::gateway::command;"), None);
    assert!(caller("use poise::builtins;").is_some());
}

#[test]
fn time_passes_through_the_clock() {
    for file in sources().into_iter().filter(|file| file.room != "clock") {
        for sleep in ["tokio::time", "thread::sleep", "SystemTime::now", "Instant::now"] {
            let named = file.code().any(|line| line.contains(sleep));
            assert!(!named, "{}: {sleep} belongs to the clock", file.path.display());
        }
    }
}

#[test]
fn rooms_stay_small() {
    for file in sources() {
        let lines = file.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines: split it by noun", file.path.display());
        assert!(!file.path.ends_with("mod.rs"), "{}", file.path.display());
    }
}

/// `cargo package` leaves the tests and the clients out, and what it packs builds: all that the product includes is
/// beside it.
/// Control: a sample in `tests/fixtures/` is found.
#[test]
fn the_product_reads_nothing_of_its_tests() {
    for file in sources() {
        let named = file.code().find(|line| line.contains("include_") && line.contains("tests/"));
        assert!(named.is_none(), "{}: {named:?}", file.path.display());
    }
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let excluded = manifest.lines().find(|line| line.starts_with("exclude = ")).unwrap_or_default();
    for folder in ["tests", "clients"] {
        assert!(excluded.contains(&format!("\"/{folder}\"")), "{excluded}");
    }
}

/// One HTTP client and one TLS stack, or secrets and timeouts would have to be right twice.
#[test]
fn the_lock_file_holds_one_reqwest_and_no_rustls() {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let count = |name: &str| lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    assert_eq!(count("reqwest"), 1);
    assert_eq!(count("rustls"), 0);
}
