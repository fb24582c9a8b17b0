//! Every statement of the store is one that PostgreSQL takes: it is prepared and planned there, on the schema that the
//! migrations make, and nothing in it has another type or another meaning than on SQLite.
//!
//! The statements are read from the sources. Recording what SQLite prepares while the tests run would see only what some
//! test happens to run, and needs a hook in the product. `statements.rs` follows each call to its text and reports the call
//! that it cannot follow, and it takes a literal that no call leads to for a statement as well: none is missed in silence.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | a rule of `rules.rs`, PostgreSQL's answer | `postgresql_takes_every_statement`, its planted ones |
//! | the error for what cannot be followed | `a_statement_that_cannot_be_followed_is_reported` |

mod calls;
pub mod postgres;
mod rules;
mod rust;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use nuncio::model::wait::{WAITS, WaitKind, WaitStorage};

use postgres::Postgres;
use rules::{Nullable, Rules};
use statements::{Found, Given, Sources, Statement};

/// Statements that belong to SQLite: the beginning of the file's name, the beginning of the statement, and why.
const OF_SQLITE: &[(&str, &str, &str)] = &[
    ("src/store/engine/sqlite", "", "the engine itself"),
    ("src/store/sql.rs", "", "the seam: it begins and ends transactions, and hands on what it is given"),
    ("src/store/backup.rs", "", "copies, checks and replaces a database file"),
    ("src/store/survey", "", "doctor reads a database file without opening the store"),
    ("src/store/migrate.rs", "", "looks into SQLite's catalog for the record of migrations"),
    ("src/store/wal.rs", "PRAGMA wal_checkpoint", "SQLite's log"),
    ("src/store/error.rs", "PRAGMA quick_check", "whether the file is sound"),
    ("src/store/open.rs", "SELECT sqlite_version()", "which SQLite it is"),
];

/// Tables whose rows have `rowid` on SQLite, the name of a row that cannot be read otherwise. On PostgreSQL it is a column.
const ROW_IDS: [&str; 3] = ["events", "deliveries", "messages"];

/// What no literal says.
fn given() -> Vec<Given> {
    let given = |file, expression, values| Given { file, expression, values };
    let column = |of: fn(&WaitStorage) -> Option<&'static str>| -> Vec<String> {
        let durations = WAITS.iter().filter(|wait| matches!(wait.kind, WaitKind::Duration { .. }));
        durations.filter_map(|wait| of(&wait.storage)).map(str::to_owned).collect()
    };
    let steady = "src/store/steady.rs";
    vec![
        given("src/store/retention.rs", "places.join(\", \")", vec!["$1, $2".to_owned()]),
        given("src/store/delivery.rs", "last.as_i64()", vec!["0".to_owned()]),
        given(
            steady,
            "table",
            column(|at| if let WaitStorage::Column { table, .. } = at { Some(table) } else { None }),
        ),
        given(
            steady,
            "column",
            column(|at| if let WaitStorage::Column { column, .. } = at { Some(column) } else { None }),
        ),
        given(
            steady,
            "rows",
            column(|at| if let WaitStorage::Column { rows, .. } = at { Some(rows) } else { None }),
        ),
    ]
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether all statements of a file are SQLite's.
fn is_of_sqlite(file: &str) -> bool {
    OF_SQLITE.iter().any(|(place, text, _)| text.is_empty() && file.starts_with(place))
}

/// The statements that must be portable, and the calls that could not be followed.
fn portable() -> Found {
    let mut found = Sources::read(root(), "src/store", given()).statements(is_of_sqlite);
    found.statements.retain(|one| {
        !OF_SQLITE.iter().any(|(place, text, _)| one.file.starts_with(place) && one.sql.starts_with(text))
    });
    found
}

#[test]
fn each_call_leads_to_its_statement() {
    let found = portable();
    assert!(found.unresolved.is_empty(), "no statement was found for\n{}", found.unresolved.join("\n"));
    assert!(found.statements.len() > 150, "only {} statements were found", found.statements.len());
    let sources = Sources::read(root(), "src/store", given());
    let all = sources.statements(|_| false);
    for (place, text, why) in OF_SQLITE {
        let statement =
            all.statements.iter().any(|one| one.file.starts_with(place) && one.sql.starts_with(text));
        assert!(statement, "{place} has no statement {text:?} ({why})");
    }
    assert!(sources.unneeded().is_empty(), "no statement needs {:?}", sources.unneeded());
}

/// The script that makes the schema: the migrations in their order.
fn migrations() -> String {
    let files = fs::read_dir(root().join("migrations")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<_> =
        files.filter(|file| file.extension().is_some_and(|extension| extension == "sql")).collect();
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    // SQLite replaces a table that others name with foreign keys off. PostgreSQL has CASCADE for it.
    let replaced = regex::Regex::new(r"(?m)^DROP TABLE (\w+);").unwrap();
    replaced.replace_all(&texts.join("\n"), "DROP TABLE $1 CASCADE;").into_owned()
}

/// What PostgreSQL says about a statement.
#[derive(Default)]
struct Answer {
    /// Errors, without what follows from an earlier one.
    errors: Vec<String>,
    parameters: Vec<String>,
    results: Vec<(String, String)>,
}

/// Prepares, describes and plans all statements in one session.
fn answers(server: &Postgres, statements: &[&Statement]) -> Vec<Answer> {
    let parameter = regex::Regex::new(r"\$(\d+)").unwrap();
    let mut script = "SET plan_cache_mode = force_generic_plan;\n".to_owned();
    for (number, statement) in statements.iter().enumerate() {
        let sql = statement.sql.trim().trim_end_matches(';');
        let count = parameter.captures_iter(sql).filter_map(|found| found[1].parse().ok()).max().unwrap_or(0);
        let nulls = if count == 0 { String::new() } else { format!("({})", vec!["NULL"; count].join(", ")) };
        writeln!(
            script,
            "PREPARE s{number} AS {sql};\n\\echo @error {number} :SQLSTATE :LAST_ERROR_MESSAGE\n\
             \\echo @results {number}\n{sql} \\gdesc\n\\echo @end\n\\o /dev/null\nEXPLAIN EXECUTE s{number}{nulls};\n\\o\n\
             \\echo @error {number} :SQLSTATE :LAST_ERROR_MESSAGE"
        )
        .unwrap();
    }
    script.push_str(
        "SELECT '@parameters ' || SUBSTR(name, 2) || ' ' || ARRAY_TO_STRING(parameter_types, ',') FROM pg_prepared_statements;\n",
    );
    let mut found: Vec<Answer> = statements.iter().map(|_| Answer::default()).collect();
    let mut describes = None;
    for line in server.psql(&script, false).lines() {
        let mut words = line.splitn(3, ' ');
        let (mark, number, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
        let number = || number.and_then(|number| number.parse::<usize>().ok());
        match (mark, describes) {
            (Some("@error"), _) => {
                let errors = &mut found[number().unwrap()].errors;
                if !rest.starts_with("00000") && errors.is_empty() {
                    errors.push(rest.to_owned());
                }
            }
            (Some("@results"), _) => describes = number(),
            (Some("@end"), _) => describes = None,
            (Some("@parameters"), _) => {
                let types = rest.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned);
                found[number().unwrap()].parameters = types.collect();
            }
            (_, Some(statement)) => {
                let column = line.split_once('|').map(|(name, kind)| (name.to_owned(), kind.to_owned()));
                found[statement].results.extend(column);
            }
            _ => {}
        }
    }
    found
}

/// Columns that can be null.
fn nullable(server: &Postgres) -> Nullable {
    let columns = server.psql(
        "SELECT table_name || ' ' || column_name FROM information_schema.columns \
         WHERE is_nullable = 'YES' AND table_schema = 'public';",
        true,
    );
    let mut found = BTreeMap::new();
    for (table, column) in columns.lines().filter_map(|line| line.split_once(' ')) {
        found.entry(table.to_owned()).or_insert_with(BTreeSet::new).insert(column.to_owned());
    }
    assert!(!found.is_empty());
    found
}

/// What must be changed in each statement so that PostgreSQL takes it.
fn complaints(server: &Postgres, rules: &Rules, statements: &[&Statement]) -> Vec<Vec<String>> {
    let answers = answers(server, statements).into_iter();
    let complaints = answers.zip(statements).map(|(answer, statement)| {
        let mut found = answer.errors;
        found.extend(rules::of_types(&answer.parameters, &answer.results, statement.declared.as_deref()));
        found.extend(rules.of_text(&statement.sql));
        found
    });
    complaints.collect()
}

/// Statements that must not pass, each with a word of the complaint.
const PLANTED: &[(&str, Option<&str>, &str)] = &[
    ("SELECT id FROM events WHERE substr(id, -8) = $1", None, "from the end"),
    ("SELECT id FROM events WHERE substr(id, $1) = 'x'", None, "$1 is integer"),
    ("INSERT OR IGNORE INTO meta (key, value, updated_at) VALUES ($1, $2, $3)", None, "syntax error"),
    ("SELECT name FROM destinations WHERE enabled = 1", None, "operator does not exist"),
    ("SELECT 1 FROM meta", None, "integer"),
    ("SELECT SUM(updated_at) FROM meta", None, "numeric"),
    ("SELECT key, COUNT(*) FROM meta", None, "GROUP BY"),
    ("SELECT key FROM meta WHERE value LIKE $1", None, "ignores case"),
    ("SELECT key FROM meta WHERE updated_at = $1 + 1000 * 1000 * 1000 * 1000", None, "out of range"),
    ("SELECT key FROM meta WHERE updated_at / $1 > 1", None, "division"),
    ("SELECT id FROM destinations ORDER BY id, closed_reason DESC LIMIT 5", None, "NULLS"),
    ("SELECT key FROM meta LIMIT -1", None, "below 0"),
    ("SELECT LOWER(key) FROM meta", None, "ASCII"),
    ("SELECT CAST(value AS INTEGER) FROM meta", None, "four bytes"),
    ("SELECT CAST(value AS BYTEA) FROM meta", None, "makes a number"),
    ("SELECT key FROM meta ORDER BY RANDOM()", None, "between 0 and 1"),
    ("SELECT id FROM events LEFT JOIN mutes USING (id) WHERE mutes.until IS $1", None, "syntax error"),
    ("SELECT key, updated_at FROM meta", Some("Vec<(String,String)>"), "read as text"),
    ("SELECT key, updated_at FROM meta", Some("Option<String>"), "2 columns are read as 1"),
];

#[test]
fn postgresql_takes_every_statement() {
    let Some(server) = Postgres::start() else {
        assert!(
            std::env::var("NUNCIO_REQUIRE_POSTGRES").as_deref() != Ok("1"),
            "PostgreSQL is not installed here: no statement was tried on it"
        );
        // Past the test's own output, which is shown only if it fails.
        let _ = writeln!(std::io::stderr(), "PostgreSQL is not installed here: no statement was tried on it");
        return;
    };
    server.psql(&migrations(), true);
    let found = portable();
    let row_ids = ROW_IDS.map(|table| {
        format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS rowid BIGINT GENERATED BY DEFAULT AS IDENTITY;")
    });
    server.psql(&row_ids.join("\n"), true);
    let rules = Rules::new(nullable(&server));
    let planted = PLANTED.iter().map(|(sql, declared, _)| Statement {
        file: "planted".to_owned(),
        sql: (*sql).to_owned(),
        declared: declared.map(str::to_owned),
    });
    let planted: Vec<Statement> = planted.collect();
    let statements: Vec<&Statement> = found.statements.iter().chain(&planted).collect();
    let mut complaints = complaints(&server, &rules, &statements);
    let of_planted = complaints.split_off(found.statements.len());
    let refused = statements.iter().zip(&complaints).filter(|(_, why)| !why.is_empty());
    let refused: Vec<String> =
        refused.map(|(one, why)| format!("{}: {}\n    {}", one.file, why.join("; "), one.sql)).collect();
    assert!(refused.is_empty(), "{} of {}:\n{}", refused.len(), complaints.len(), refused.join("\n"));
    for ((sql, _, word), why) in PLANTED.iter().zip(of_planted) {
        assert!(why.iter().any(|why| why.contains(word)), "{sql}: {why:?} does not say {word:?}");
    }
}

/// The statements in `code`, and how many calls could not be followed.
fn planted(code: &str) -> (Vec<String>, usize) {
    let mut sources = Sources::default();
    sources.add("src/store/other.rs", "pub const COLUMNS: &str = \"a, b\"; pub const ALIEN: &str = made();");
    sources.add("src/store/planted.rs", code);
    let found = sources.statements(|_| false);
    (found.statements.into_iter().map(|one| one.sql).collect(), found.unresolved.len())
}

#[rstest::rstest]
#[case(r#"fn f() { query("SELECT 1") }"#, &["SELECT 1"])]
#[case(r#"fn f() { query_scalar::<i64>("SELECT \
    1").bind(2) }"#, &["SELECT 1"])]
#[case("fn f() { let sql = r#\"SELECT \"a\"\"#; tx.batch(sql) }", &["SELECT \"a\""])]
#[case(r#"use crate::store::other::COLUMNS; fn f() { query(format!("SELECT {COLUMNS} FROM {}", "t")) }"#, &["SELECT a, b FROM t"])]
#[case(r#"fn f() { query(format!("SELECT {}", other::COLUMNS.replace("b", "c"))) }"#, &["SELECT a, c"])]
#[case(r#"const A: &str = "SELECT 2"; fn f() { g(3, A); g(4, "SELECT 3") } fn g(x: u8, sql: &str) { query(sql) }"#, &["SELECT 2", "SELECT 3"])]
#[case(r#"fn f(&self) { let sql = match x { A => "SELECT 4", B { .. } => { "SELECT 5" } }; query(sql) }"#, &["SELECT 4", "SELECT 5"])]
#[case(r#"fn t(self) -> &str { match self { A => "x", B => "y" } } fn u(self) -> &str { if a { "1" } else { "2" } }
    fn f() { query(format!("SELECT {} FROM {}", s.u(), s.t())) }"#, &["SELECT 1 FROM x", "SELECT 2 FROM y"])]
#[case(r#"fn f() { connection.query_row("SELECT 6", [], |row| row.get(0)) } // query("SELECT 7")"#, &["SELECT 6"])]
fn a_statement_is_followed_to_its_text(#[case] code: &str, #[case] statements: &[&str]) {
    assert_eq!(planted(code), (statements.iter().map(|one| (*one).to_owned()).collect(), 0));
}

#[rstest::rstest]
#[case("fn f() { query(made()) }")]
#[case("fn f() { query(sql) }")]
#[case("fn f(sql: &str) { query(sql) }")]
#[case("fn f() { let sql = made(); query(sql) }")]
#[case("fn f() { query(UNKNOWN) }")]
#[case("use crate::store::other::ALIEN; fn f() { tx.batch(ALIEN) }")]
#[case(r#"fn f() { query(format!("SELECT {x}")) }"#)]
#[case(r#"fn f() { query(["SELECT ", "1"].concat()) }"#)]
#[case("fn f() { connection.prepare_cached(&self.sql) }")]
#[case(r#"fn f() { g("SELECT 1"); g(made()) } fn g(sql: &str) { query(sql) }"#)]
fn a_statement_that_cannot_be_followed_is_reported(#[case] code: &str) {
    assert_eq!(planted(code).1, 1, "{:?}", planted(code));
}
