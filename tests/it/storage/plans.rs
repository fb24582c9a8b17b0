//! No statement's cost grows with all the events there ever were, if it asks about one thing.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `subject <> ''` beside `subject = $2` | `a_thing_is_found_by_its_subject` |
//! | `id` in the index of what a message carries | `a_digest_is_read_and_marked_page_by_page` |

use std::fs;
use std::path::Path;

use sqlx::Row as _;

use crate::harness::Harness;

/// The texts of all statements in a folder of the sources, as far as they stand there in one piece.
fn statements(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            statements(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let literals = text.split('"').filter(|part| {
                ["SELECT ", "UPDATE ", "DELETE FROM "].iter().any(|begin| part.starts_with(begin))
            });
            found.extend(literals.map(one_line));
        }
    }
}

fn one_line(literal: &str) -> String {
    let lines: Vec<&str> = literal.lines().map(|line| line.trim().trim_end_matches('\\')).collect();
    lines.concat().replace("{COLUMNS}", "*").replace("{}", "*")
}

/// How SQLite goes about each statement of the store; those whose text is put together are left out.
async fn plans(t: &Harness) -> Vec<(String, String)> {
    let mut found = Vec::new();
    statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store")), &mut found);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(t.store().path());
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let mut plans = Vec::new();
    for sql in found {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        if let Ok(rows) = sqlx::query(explain).fetch_all(&mut database).await {
            let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            plans.push((sql, steps.join("; ")));
        }
    }
    assert!(plans.len() > 100, "only {} statements were found", plans.len());
    plans
}

#[tokio::test]
async fn a_thing_is_found_by_its_subject() {
    let t = Harness::start().await;
    for (sql, plan) in plans(&t).await {
        // By the source alone: that is nearly all of them. An index made for one statement costs as much.
        assert!(!plan.contains("(source=?)") && !plan.contains("AUTOMATIC"), "{sql}\n{plan}");
    }
    t.finish().await;
}

#[tokio::test]
async fn a_digest_is_read_and_marked_page_by_page() {
    let t = Harness::start().await;
    let plans = plans(&t).await;
    let pages: Vec<_> = plans.iter().filter(|(sql, _)| sql.contains("WHERE message_id = $1")).collect();
    let paged = |sql: &str| sql.contains("ORDER BY id LIMIT") && !sql.starts_with("SELECT d.");
    let pages: Vec<_> = pages.into_iter().filter(|(sql, _)| paged(sql)).collect();
    assert!(pages.len() >= 3, "{pages:#?}");
    for (sql, plan) in pages {
        assert!(
            plan.contains("deliveries_message (message_id=?") && !plan.contains("ORDER BY"),
            "{sql}\n{plan}"
        );
    }
    t.finish().await;
}
