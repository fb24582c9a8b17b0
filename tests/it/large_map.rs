//! A map of thousands of channels: made all at once, left alone by commands, and told in ten lines.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::harness::Harness;
use crate::program::Program;

const CHANNELS: u64 = 10_000;

fn map(channels: u64) -> String {
    let entry = |n: u64| (format!("kind{n}.happened"), json!([(100_000_000_000_000_000 + n).to_string()]));
    Value::Object((0..channels).map(entry).collect::<Map<_, _>>()).to_string()
}

fn count(program: &Program, what: &str) -> Vec<i64> {
    let path = program.path().join("data/nuncio.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(what).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

// Item 25. Controls: with a commit for each channel they were made at many times; with `Hub::new` in the commands, there
// are 10,000 destinations before a server ran, and each of them was written again by every command.
#[test]
fn ten_thousand_channels_are_made_at_once_and_commands_write_none_of_them() {
    let program = Program::with_dotenv(&format!(
        "WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=0\nDISCORD_WEBHOOK_CHANNELS={}\n",
        map(CHANNELS)
    ));
    let lists: [&[&str]; 4] =
        [&["mute", "--list"], &["discord-webhooks", "list"], &["deliveries"], &["events"]];
    for args in lists {
        assert_eq!(program.run(args).code, 0, "{args:?}");
    }
    assert_eq!(count(&program, "SELECT COUNT(*) FROM destinations"), [0]);

    drop(program.serves());
    let channels = "SELECT COUNT(*) FROM destinations WHERE sink = 'channel'";
    assert_eq!(count(&program, channels), [CHANNELS as i64]);
    let written = "SELECT DISTINCT updated_at FROM destinations";
    let at = count(&program, written);
    assert_eq!(at.len(), 1, "one unit has one time");

    for args in lists.into_iter().chain([&["redeliver", "--unrouted"] as &[&str]]) {
        assert_eq!(program.run(args).code, 0, "{args:?}");
    }
    drop(program.serves());
    assert_eq!(count(&program, written), at, "nothing was written again");
}

// Item 25
#[tokio::test]
async fn health_names_the_first_ten() {
    let t = Harness::with(|variables| {
        variables.remove("DISCORD_GATEWAY");
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map(25));
    })
    .await;
    t.online().await;
    // Until then nothing is known of channels.
    let told = t.hub().table_changes().wait_for(Option::is_some).await.map(drop);
    told.unwrap();
    let health = t.health().await;
    let problems: Vec<&str> =
        health["problems"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let named: BTreeSet<&str> =
        problems.iter().copied().filter(|problem| problem.contains("which is not there")).collect();
    assert_eq!(named.len(), 10, "{problems:#?}");
    assert!(problems.iter().any(|problem| problem.starts_with("and 15 more like these")), "{problems:#?}");
    t.finish().await;
}
