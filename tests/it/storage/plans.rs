//! No statement's cost grows with all the events there ever were, if it asks about one thing.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `subject` in the unique index of events | `a_thing_is_found_by_its_subject` |
//! | `SUBSTR(subject, 1, 6) = 'alert:'` beside `subject = $2` | `the_repeats_of_an_alert_are_found_by_their_own_index` |
//! | `id` in the index of what a message carries | `a_digest_is_read_and_marked_page_by_page` |
//! | `status IN ('pending', 'sending')` for what waits, `JOIN` for `CROSS JOIN` | `nothing_goes_through_all_that_ever_was` |
//! | `owner` in the index of stored webhooks | `the_webhooks_of_a_dispatch_are_found_by_their_index` |
//! | the message of an event asked for by its own row's channel | `nothing_goes_through_all_that_ever_was` |

use std::fs;
use std::path::Path;

use crate::database::Database;
use crate::harness::Harness;

/// The tables that grow with every event.
const GROWING: &[&str] = &["events", "deliveries", "messages", "attempts"];
/// Indexes that hold only what is under way or needs somebody: going through one of them ends soon.
const SHORT: &[&str] = &["deliveries_lane", "deliveries_dead", "messages_open", "events_unrouted"];
/// Statements that go through a table all the same, and why they may.
const MAY: &[(&str, &str)] = &[
    ("SELECT COUNT(*) FROM events", "doctor has the whole file checked anyway, and counts it once"),
    ("t.not_before, COUNT(*), MIN(d.due_at)", "the same: doctor, once, on a connection of its own"),
    (
        "INSERT INTO destinations (id, sink, address,",
        "SQLite's look for rows that missed this one: it is made only where a foreign key is broken",
    ),
    (
        "(SELECT 1 FROM messages WHERE messages.id = deliveries.message_id",
        "what a message carried that cannot be read: somebody else changed its row",
    ),
    ("SELECT DISTINCT kind FROM events", "a person wants to mute a kind that nuncio does not know, rarely"),
    (
        "FROM events WHERE SUBSTR(id, 13) = $1",
        "a person typed the end of an event's id, rarely: an index costs each event a page",
    ),
    ("FROM messages WHERE form = 'digest' AND SUBSTR(id,", "a person typed the end of a digest's id, rarely"),
    ("events ORDER BY id DESC LIMIT", "the newest: it ends at the limit"),
    (
        "FROM events WHERE {which} ORDER BY id DESC LIMIT",
        "a list that a person asked for, the newest first, to the limit",
    ),
    (
        "{JOINED} WHERE {filter} ORDER BY d.id DESC",
        "a list that a person asked for, the newest first, to the limit",
    ),
];
/// How many texts are no statement by themselves: the one that retention puts together around a list of ids.
const IN_PIECES: usize = 1;

/// The texts of all statements in a folder of the sources, as far as they stand there in one piece; those of tests
/// are left out.
fn statements(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            statements(&path, found);
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let literals = text.split('"').filter(|part| {
                ["SELECT ", "UPDATE ", "DELETE FROM ", "INSERT INTO "]
                    .iter()
                    .any(|begin| part.starts_with(begin))
            });
            found.extend(literals.map(one_line));
        }
    }
}

fn one_line(literal: &str) -> String {
    let lines: Vec<&str> = literal.lines().map(|line| line.trim().trim_end_matches('\\')).collect();
    lines.concat()
}

/// What the statements about alert storms have in common.
fn unshown() -> String {
    let source = include_str!("../../../src/store/alert_storm.rs");
    let literal = source.split("const UNSHOWN: &str = \"").nth(1).unwrap().split('"').next().unwrap();
    one_line(literal)
}

/// A text with what the code puts into it.
fn whole(text: &str) -> String {
    let joined = "deliveries AS d LEFT JOIN events AS e ON e.id = d.event_id LEFT JOIN destinations AS t ON t.id = d.destination_id \
         LEFT JOIN mutes AS m ON m.id = d.muted_by";
    text.replace("{COLUMNS}", "*")
        .replace("{JOINED}", joined)
        .replace("{filter}", "TRUE")
        .replace("SELECT {} FROM {} WHERE d.", &format!("SELECT * FROM {joined} WHERE d."))
        .replace("SELECT {}", "SELECT *")
        .replace("{UNSHOWN}", &unshown())
        .replace("{chosen}", "SELECT id FROM deliveries WHERE message_id = $3 LIMIT $4")
        .replace("rank <= {}", "rank <= 0")
        .replace("FROM events WHERE {which} ORDER", "FROM events ORDER")
        .replace("{table}", "deliveries")
        .replace("{column}", "due_at")
        .replace("{rows}", "status = 'pending'")
        .replace(", {} FROM", ", * FROM")
}

/// How SQLite goes about each statement of the store, step by step.
async fn plans(t: &Harness) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store")), &mut found);
    let database = Database::open(t.store().path()).await.unwrap();
    let (mut plans, mut refused) = (Vec::new(), Vec::new());
    for text in found {
        let explain = format!("EXPLAIN QUERY PLAN {}", whole(&text));
        match database.rows(explain, |row| row.get("detail")).await {
            Ok(steps) => plans.push((text, steps)),
            Err(error) => refused.push(format!("{text}: {error}")),
        }
    }
    assert_eq!(refused.len(), IN_PIECES, "{refused:#?}");
    assert!(plans.len() > 150, "only {} statements were found", plans.len());
    plans
}

/// The table that grows with every event, if this step goes through all of it.
fn goes_through(sql: &str, step: &str) -> Option<&'static str> {
    let mut words = step.strip_prefix("SCAN ")?.split(' ');
    let name = words.next()?;
    let through = words.next_back();
    if through.is_some_and(|index| SHORT.contains(&index)) {
        return None;
    }
    let called = |table: &str| name == table || whole(sql).contains(&format!("{table} AS {name} "));
    GROWING.iter().copied().find(|table| called(table))
}

#[tokio::test]
async fn nothing_goes_through_all_that_ever_was() {
    let t = Harness::start().await;
    let (mut excused, mut found) = (std::collections::BTreeSet::new(), Vec::new());
    for (sql, steps) in plans(&t).await {
        for (step, table) in steps.iter().filter_map(|step| Some((step, goes_through(&sql, step)?))) {
            match MAY.iter().find(|(part, _)| sql.contains(part)) {
                Some((part, _)) => drop(excused.insert(*part)),
                None => found.push(format!("all {table}: {step}\n{sql}")),
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
    assert_eq!(excused.len(), MAY.len(), "an excuse that nobody needs: only {excused:?} are");
    t.finish().await;
}

#[tokio::test]
async fn a_thing_is_found_by_its_subject() {
    let t = Harness::start().await;
    for (sql, steps) in plans(&t).await {
        let plan = steps.join("; ");
        // By the source alone: that is nearly all of them. An index made for one statement costs as much.
        assert!(!plan.contains("(source=?)") && !plan.contains("AUTOMATIC"), "{sql}\n{plan}");
    }
    t.finish().await;
}

#[tokio::test]
async fn the_repeats_of_an_alert_are_found_by_their_own_index() {
    let t = Harness::start().await;
    let plans = plans(&t).await;
    let about = |sql: &str| sql.contains("subject = $2") && sql.contains("id >= $3");
    let since: Vec<_> = plans.iter().filter(|(sql, _)| about(sql)).collect();
    assert_eq!(since.len(), 2, "{since:#?}");
    for (sql, steps) in since {
        let plan = steps.join("; ");
        assert!(
            plan.contains("events_alert (source=? AND subject=? AND id>?)") && !plan.contains("ORDER BY"),
            "{sql}\n{plan}"
        );
    }
    t.finish().await;
}

#[tokio::test]
async fn a_digest_is_read_and_marked_page_by_page() {
    let t = Harness::start().await;
    let plans = plans(&t).await;
    let pages: Vec<_> = plans.iter().filter(|(sql, _)| sql.contains("WHERE message_id = $1")).collect();
    let bounded = |sql: &str| sql.contains("ORDER BY id LIMIT") || sql.contains("id > $3 AND id <= $4");
    let paged = |sql: &str| bounded(sql) && !sql.starts_with("SELECT d.");
    let pages: Vec<_> = pages.into_iter().filter(|(sql, _)| paged(sql)).collect();
    assert!(pages.len() >= 3, "{pages:#?}");
    for (sql, steps) in pages {
        let plan = steps.join("; ");
        assert!(
            plan.contains("deliveries_message (message_id=?") && !plan.contains("ORDER BY"),
            "{sql}\n{plan}"
        );
    }
    t.finish().await;
}

// one statement, which looks at the webhooks that it selects, and at no others.
#[tokio::test]
async fn the_webhooks_of_a_dispatch_are_found_by_their_index() {
    let t = Harness::start().await;
    let plans = plans(&t).await;
    let mut selecting = plans.iter().filter(|(sql, _)| sql.contains("AND category IN ("));
    let (sql, steps) = selecting.next().unwrap();
    assert!(selecting.next().is_none(), "one statement selects them");
    assert!(sql.contains("UNION ALL"));
    let found: Vec<&String> = steps.iter().filter(|step| step.contains("destinations")).collect();
    let by_index = |step: &&&String| {
        step.contains("SEARCH")
            && step.contains("destinations_selection (company_id=? AND category=? AND scope=?")
    };
    assert_eq!((found.len(), found.iter().filter(by_index).count()), (2, 2), "{steps:#?}");
    assert!(found.iter().any(|step| step.contains("owner=?")), "{steps:#?}");
    t.finish().await;
}
