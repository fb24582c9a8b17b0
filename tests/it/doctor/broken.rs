//! Broken set-ups, and what becomes of each: `nuncio doctor` names the cause, `nuncio serve` names it on the terminal, what
//! they say is carried out to the letter, and then all is well.
//!
//! The secret that differs at XTSystems is in `send`, a read-only disk in `disk`; that OpenSSL is missing shows when nuncio is
//! built, and the README says what to install.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::rig::{NOTHING, Rig};

/// One set-up with one thing wrong.
struct Broken {
    /// What is wrong.
    breaks: fn(&mut Rig),
    /// The codes that doctor names, and its exit code.
    named: (&'static [&'static str], i32),
    /// Words of the cause and of the remedy, in what doctor says.
    says: &'static [&'static str],
    /// The words of the cause and of the remedy at the start; none if nuncio starts all the same.
    at_start: &'static [&'static str],
    /// What doctor says, carried out.
    mends: fn(&mut Rig),
}

/// What stands in `.env` otherwise.
const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015";
const OTHER_KEY: &str = "another-key-0123456789";

fn token(rig: &Rig) -> String {
    rig.discord.bot_token().expose().to_owned()
}

fn rights(rig: &mut Rig) {
    let token = token(rig);
    rig.set_to("DISCORD_TOKEN", &token);
}

async fn holds(broken: Broken) {
    let mut rig = Rig::set().await;
    rig.finds(0, &NOTHING).await;
    (broken.breaks)(&mut rig);
    let (codes, exit) = broken.named;
    let seen = rig.finds(exit, codes).await;
    for word in broken.says {
        assert!(seen.text.contains(word), "{word:?} is not in what doctor says: {}", seen.text);
    }
    assert!(!seen.text.contains(SECRET) && !seen.text.contains(&token(&rig)), "{}", seen.text);
    if !broken.at_start.is_empty() {
        let (code, said) = rig.cannot_serve().await;
        assert_eq!(code, 78, "{said}");
        for word in broken.at_start {
            assert!(said.contains(word), "{word:?} is not said at the start: {said}");
        }
    }
    (broken.mends)(&mut rig);
    rig.finds(0, &NOTHING).await;
}

// Controls: without its own code in `configuration::code`, `a_secret_that_is_too_short`, `a_secret_that_is_the_placeholder`,
// `a_line_that_assigns_nothing` and `a_token_with_a_space_in_it` fail; without the check, `no_map` and
// `a_key_file_that_holds_no_key` do.
macro_rules! broken {
    ($($name:ident: $broken:expr;)*) => {
        $(#[tokio::test] async fn $name() { holds($broken).await; })*
    };
}

broken! {
    a_token_with_the_word_bot_before_it: Broken {
        breaks: |rig| { let token = format!("Bot {}", token(rig)); rig.set_to("DISCORD_TOKEN", &token); },
        named: (&["discord-token-malformed"], 78),
        says: &["DISCORD_TOKEN (.env line ", "begins with \\\"Bot \\\"", "Leave that word off"],
        at_start: &["DISCORD_TOKEN", "begins with \"Bot \"", "Leave that word off"],
        mends: rights,
    };
    a_token_with_a_space_in_it: Broken {
        breaks: |rig| { let token = token(rig).replacen('.', ". ", 1); rig.set_to("DISCORD_TOKEN", &token); },
        named: (&["discord-token-malformed"], 78),
        says: &["holds a space", "Copy it anew"],
        at_start: &["DISCORD_TOKEN", "holds a space", "Copy it anew"],
        mends: rights,
    };
    a_secret_that_is_too_short: Broken {
        breaks: |rig| rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f"),
        named: (&["secret-too-short"], 78),
        says: &["is shorter than 16 bytes", "WEBHOOK_SECRET="],
        at_start: &["WEBHOOK_SECRET", "is shorter than 16 bytes", "Use the secret of the webhook in XTSystems"],
        mends: |rig| rig.set_to("WEBHOOK_SECRET", SECRET),
    };
    a_secret_that_is_the_placeholder: Broken {
        breaks: |rig| rig.set_to("WEBHOOK_SECRET", "your_secure_webhook_secret_here"),
        named: (&["secret-missing"], 78),
        says: &["still holds a placeholder", "WEBHOOK_SECRET="],
        at_start: &["WEBHOOK_SECRET", "still holds a placeholder", "WEBHOOK_SECRET="],
        mends: |rig| rig.set_to("WEBHOOK_SECRET", SECRET),
    };
    a_secret_with_a_space_at_its_end: Broken {
        breaks: |rig| rig.set_to("WEBHOOK_SECRET", &format!("{SECRET} ")),
        named: (&["configuration-refused"], 78),
        says: &["has a space or a line break at one end", "remove it"],
        at_start: &["WEBHOOK_SECRET", "has a space or a line break at one end"],
        mends: |rig| rig.set_to("WEBHOOK_SECRET", SECRET),
    };
    a_map_with_a_key_twice: Broken {
        breaks: |rig| {
            let id = rig.id("alerts");
            rig.set_to("DISCORD_WEBHOOK_CHANNELS", &format!("{{\"default\":[\"{id}\"],\"default\":[\"{id}\"]}}"));
        },
        named: (&["configuration-refused"], 78),
        says: &["at \\\"default\\\": this key is there twice", "Keep one of them"],
        at_start: &["DISCORD_WEBHOOK_CHANNELS", "is there twice", "Keep one of them"],
        mends: |rig| { let id = rig.id("alerts"); rig.map_to(&[&id]); },
    };
    a_map_with_one_kind_in_two_spellings: Broken {
        breaks: |rig| {
            let id = rig.id("alerts");
            rig.set_to("DISCORD_WEBHOOK_CHANNELS", &format!("{{\"ticket.created\":[\"{id}\"],\"ticket_created\":[\"{id}\"]}}"));
        },
        named: (&["configuration-refused"], 78),
        says: &["means the same as \\\"ticket.created\\\"", "dots and underscores are the same"],
        at_start: &["means the same as", "Keep one of them"],
        mends: |rig| rig.map_only("ticket.created"),
    };
    a_map_that_is_no_json: Broken {
        breaks: |rig| rig.set_to("DISCORD_WEBHOOK_CHANNELS", "{\"default\":[\"1200000000000000009\"]"),
        named: (&["configuration-refused"], 78),
        says: &["DISCORD_WEBHOOK_CHANNELS (.env line "],
        at_start: &["DISCORD_WEBHOOK_CHANNELS"],
        mends: |rig| { let id = rig.id("alerts"); rig.map_to(&[&id]); },
    };
    a_link_in_the_map: Broken {
        breaks: |rig| { let link = format!("https://discord.com/channels/{}/{}", rig.discord.guild_id(), rig.id("alerts")); rig.map_to(&[&link]); },
        named: (&["configuration-refused"], 78),
        says: &["holds a link: the id is the last number in it"],
        at_start: &["at \"default\": this key holds a link", "the last number in it"],
        mends: |rig| { let id = rig.id("alerts"); rig.map_to(&[&id]); },
    };
    the_address_of_a_webhook_in_the_map: Broken {
        breaks: |rig| rig.map_to(&["https://discord.com/api/webhooks/1200000000000000009/canary"]),
        named: (&["configuration-refused"], 78),
        says: &["holds the address of a Discord webhook, which is a password", "nuncio discord-webhooks add"],
        at_start: &["holds the address of a Discord webhook", "nuncio discord-webhooks add"],
        mends: |rig| { let id = rig.id("alerts"); rig.map_to(&[&id]); },
    };
    no_map: Broken {
        breaks: |rig| rig.take_out("DISCORD_WEBHOOK_CHANNELS"),
        named: (&["map-empty"], 0),
        says: &["names no channel", "{\\\"default\\\":[\\\"CHANNEL_ID\\\"]}"],
        at_start: &[],
        mends: |rig| { let id = rig.id("alerts"); rig.map_to(&[&id]); },
    };
    a_name_that_is_misspelt: Broken {
        breaks: |rig| rig.add_line("WEBHOOK_SECRT=0a1b2c3d4e5f60718293"),
        named: (&["configuration-note"], 0),
        says: &["WEBHOOK_SECRT", "is WEBHOOK_SECRET meant?"],
        at_start: &[],
        mends: Rig::clear_lines,
    };
    a_line_that_assigns_nothing: Broken {
        breaks: |rig| rig.add_line("this is no assignment"),
        named: (&["env-file-unreadable"], 78),
        says: &[".env (line ", "A line is NAME=value"],
        at_start: &[".env (line ", "cannot be read", "A line is NAME=value"],
        mends: Rig::clear_lines,
    };
    a_port_that_is_none: Broken {
        breaks: |rig| rig.set_to("WEBHOOK_PORT", "http"),
        named: (&["configuration-refused"], 78),
        says: &["WEBHOOK_PORT", "is not a port number"],
        at_start: &["WEBHOOK_PORT", "is not a port number", "A number from 1 to 65535"],
        mends: |rig| rig.set_to("WEBHOOK_PORT", "0"),
    };
    an_address_of_another_machine: Broken {
        breaks: |rig| rig.set_to("WEBHOOK_HOST", "192.0.2.1"),
        named: (&["address-unusable"], 1),
        says: &["is no address of this machine", "0.0.0.0 for all"],
        at_start: &["WEBHOOK_HOST is 192.0.2.1", "Set it to one of them, or to 0.0.0.0"],
        mends: |rig| rig.set_to("WEBHOOK_HOST", "127.0.0.1"),
    };
    a_public_url_without_its_scheme: Broken {
        breaks: |rig| rig.set_to("PUBLIC_URL", "nuncio.example"),
        named: (&["configuration-refused"], 78),
        says: &["PUBLIC_URL", "https://nuncio.example"],
        at_start: &["PUBLIC_URL", "https://nuncio.example"],
        mends: |rig| rig.set_to("PUBLIC_URL", "http://127.0.0.1:9"),
    };
    another_database_that_is_none_of_ours: Broken {
        breaks: |rig| rig.set_to("NUNCIO_DATABASE_URL", "postgres://somebody@database/web"),
        named: (&["configuration-refused"], 78),
        says: &["names a PostgreSQL database", "NUNCIO_DATABASE_URL=sqlite://data/nuncio.db"],
        at_start: &["NUNCIO_DATABASE_URL", "sqlite://data/nuncio.db"],
        mends: |rig| rig.set_to("NUNCIO_DATABASE_URL", "sqlite://data/nuncio.db"),
    };
    xtsystems_that_nobody_answers_for: Broken {
        breaks: |rig| rig.set_to("XTSYSTEMS_API_URL", "http://127.0.0.1:9"),
        named: (&["xtsystems-unreachable"], 1),
        says: &["XTSystems (http://127.0.0.1:9) cannot be reached", "Check XTSYSTEMS_API_URL and whether it runs"],
        at_start: &[],
        mends: |rig| { let url = rig.platform_url.clone(); rig.set_to("XTSYSTEMS_API_URL", &url); },
    };
    a_key_that_xtsystems_does_not_take: Broken {
        breaks: |rig| rig.set_to("XTSYSTEMS_API_KEY", OTHER_KEY),
        named: (&["xtsystems-key-refused"], 1),
        says: &["refuses XTSYSTEMS_API_KEY", "Make a key in XTSystems"],
        at_start: &[],
        mends: |rig| { let key = rig.platform.key().expose().to_owned(); rig.set_to("XTSYSTEMS_API_KEY", &key); },
    };
    a_key_file_that_holds_no_key: Broken {
        breaks: |rig| {
            std::fs::write(rig.path("nuncio.key"), "hunter2").unwrap();
            std::fs::set_permissions(rig.path("nuncio.key"), Permissions::from_mode(0o600)).unwrap();
        },
        named: (&["key-file-unusable"], 1),
        says: &["is not a key of 64 hex digits", "Put the copy of it back"],
        at_start: &["nuncio.key is not a key of 64 hex digits", "put the copy of it back"],
        mends: |rig| std::fs::write(rig.path("nuncio.key"), "5e".repeat(32)).unwrap(),
    };
    a_folder_where_the_database_belongs: Broken {
        breaks: |rig| std::fs::create_dir_all(rig.path("data/nuncio.db")).unwrap(),
        named: (&["database-unusable"], 1),
        says: &["NUNCIO_DATABASE_URL"],
        at_start: &["nuncio.db", "NUNCIO_DATABASE_URL"],
        mends: |rig| rig.set_to("NUNCIO_DATABASE_URL", "sqlite://data/other.db"),
    };
}

// Its owner alone may write there, and that is somebody else.
#[tokio::test]
async fn a_data_folder_that_this_user_may_not_write() {
    let mut rig = Rig::set().await;
    rig.belongs_to_nobody();
    std::fs::create_dir(rig.path("data")).unwrap();
    std::fs::set_permissions(rig.path("data"), Permissions::from_mode(0o555)).unwrap();
    let seen = rig.finds(1, &["data-folder-unwritable"]).await;
    assert!(seen.text.contains("chown, chmod u+rwx"), "{}", seen.text);
    let (code, said) = rig.cannot_serve().await;
    assert!(code != 0 && said.contains("data") && said.contains("NUNCIO_DATABASE_URL"), "{code}: {said}");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(rig.path("data"), Some(65534), Some(65534)).unwrap();
    }
    std::fs::set_permissions(rig.path("data"), Permissions::from_mode(0o755)).unwrap();
    rig.finds(0, &NOTHING).await;
}

#[tokio::test]
async fn a_port_that_another_program_has_is_named_at_the_start_too() {
    let mut rig = Rig::set().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    rig.set_to("WEBHOOK_PORT", &port.to_string());
    let hanging_up = std::thread::spawn(move || {
        // The last one to come is this test.
        while let Ok((mut stream, _)) = other.accept() {
            let mut first = [0];
            if std::io::Read::read(&mut stream, &mut first).is_ok_and(|read| read == 1) && first == *b"!" {
                return;
            }
        }
    });
    rig.finds(1, &["port-taken"]).await;
    let (code, said) = rig.cannot_serve().await;
    assert!(
        code == 78 && said.contains(&format!("Port {port} is in use")) && said.contains("Stop that program"),
        "{said}"
    );
    std::io::Write::write_all(&mut std::net::TcpStream::connect(("127.0.0.1", port)).unwrap(), b"!").unwrap();
    hanging_up.join().unwrap();
    rig.is_reached_by(&format!("http://127.0.0.1:{port}"));
    rig.finds(0, &NOTHING).await;
}

// Not broken, though other programs stumble over it: all of it must be read as it is meant.
#[tokio::test]
async fn a_file_with_crlf_and_bom_and_an_unquoted_map_with_spaces_is_fine() {
    let mut rig = Rig::set().await;
    let (alerts, general) = (rig.id("alerts"), rig.id("general"));
    rig.take_out("DISCORD_WEBHOOK_CHANNELS");
    rig.add_line(&format!(
        "DISCORD_WEBHOOK_CHANNELS={{ \"alert.*\": [ \"{alerts}\" ], \"default\": [\"{general}\"] }}"
    ));
    let seen = rig.finds(0, &NOTHING).await;
    assert!(seen.text.contains("#alerts: the bot may write there"), "{}", seen.text);
    rig.dresses_file(|text| format!("\u{feff}{}", text.replace('\n', "\r\n")));
    let seen = rig.finds(0, &NOTHING).await;
    assert!(seen.text.contains("#alerts: the bot may write there"), "{}", seen.text);
    rig.serve_again().await;
    rig.ends_serving().await;
}

#[tokio::test]
async fn no_env_at_all_is_answered_with_ways_on() {
    let rig = Rig::set().await.without_anything();
    let seen = rig.finds(78, &["secret-missing"]).await;
    assert!(
        seen.text.contains("There is no .env in this folder") && seen.text.contains("WEBHOOK_SECRET="),
        "{}",
        seen.text
    );
    let (code, said) = rig.cannot_serve().await;
    assert!(code == 78 && said.contains("cp .env.example .env"), "{said}");
}

// A clock is not set back by a test: Discord's is. What is said then is that ours is ahead.
#[tokio::test]
async fn a_clock_that_is_six_minutes_off() {
    let rig = Rig::set().await;
    rig.discord.clock().step_wall(-360_000);
    let seen = rig.finds(1, &["clock-skewed"]).await;
    assert!(
        seen.text.contains("timedatectl set-ntp true") && seen.text.contains("6 min ahead of Discord's"),
        "{}",
        seen.text
    );
    rig.discord.clock().step_wall(360_000);
    rig.finds(0, &NOTHING).await;
}
