//! What PostgreSQL takes without an error, and yet does otherwise than SQLite.
//!
//! Not seen here: the order of an expression that can be null under a name of its own (`MAX(x) AS y … ORDER BY y`), and of a
//! column that is null because of a LEFT JOIN.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

/// Types of results and parameters that the seam knows. A number of four bytes or a NUMERIC needs a CAST.
const TYPES: [&str; 4] = ["bigint", "text", "bytea", "boolean"];

/// Columns that can be null, by table.
pub type Nullable = BTreeMap<String, BTreeSet<String>>;

/// The rules about the text of a statement: what is looked for, in capitals, and why.
const RULES: [(&str, &str); 8] = [
    (r"\bI?LIKE\b", "LIKE ignores case on SQLite only, and knows \\ on PostgreSQL only"),
    (
        r"\bSUBSTR(ING)?\(([^(),]|\([^()]*\))*,\s*(-|\$\d+\s*[,)])",
        "SUBSTR counts from the end on SQLite only",
    ),
    (r"\b(LIMIT|OFFSET)\s+-", "no limit below 0 on PostgreSQL"),
    (r"[/%]\s*([^\s\d]|0)", "a division by 0 is null on SQLite, an error on PostgreSQL"),
    (r"\b(LOWER|UPPER)\(", "SQLite knows the case of ASCII only"),
    (r"\bAS\s+INT(EGER)?\b", "INTEGER has four bytes on PostgreSQL: BIGINT"),
    (r"\bRANDOM\(", "RANDOM is between 0 and 1 on PostgreSQL"),
    (r"\bAS\s+BYTEA\)", "a CAST to BYTEA makes a number on SQLite"),
];

/// The rules, ready to be asked about many statements.
pub struct Rules {
    text: Regex,
    rules: Vec<(Regex, &'static str)>,
    orders: Regex,
    end: Regex,
    nullable: Nullable,
}

impl Rules {
    pub fn new(nullable: Nullable) -> Self {
        let regex = |pattern| Regex::new(pattern).unwrap();
        Self {
            text: regex("'(?:[^']|'')*'"),
            rules: RULES.iter().map(|(pattern, why)| (regex(pattern), *why)).collect(),
            orders: regex(r"\bORDER BY\s+"),
            end: regex(r"^(LIMIT|OFFSET|RETURNING|ON CONFLICT|FOR)\b"),
            nullable,
        }
    }

    /// Complaints about the text of a statement.
    pub fn of_text(&self, sql: &str) -> Vec<String> {
        let sql = self.text.replace_all(sql, "''").to_uppercase();
        let broken = self.rules.iter().filter(|(pattern, _)| pattern.is_match(&sql));
        let mut found: Vec<String> = broken.map(|(_, why)| (*why).to_owned()).collect();
        let terms = self.orders(&sql).into_iter().filter(|term| may_be_null(term, &sql, &self.nullable));
        found.extend(terms.map(|term| {
            format!(
                "ORDER BY {term}: nulls come first on SQLite, last on PostgreSQL; say NULLS FIRST or LAST"
            )
        }));
        found
    }

    /// The terms of all ORDER BY in a statement.
    fn orders(&self, sql: &str) -> Vec<String> {
        let mut found = Vec::new();
        for begin in self.orders.find_iter(sql) {
            let (mut depth, mut term) = (0, String::new());
            let rest = &sql[begin.end()..];
            for (at, letter) in rest.char_indices() {
                match letter {
                    '(' => depth += 1,
                    ')' if depth == 0 => break,
                    ')' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(std::mem::take(&mut term).trim().to_owned());
                        continue;
                    }
                    _ if depth == 0 && self.end.is_match(&rest[at..]) => break,
                    _ => {}
                }
                term.push(letter);
            }
            found.push(term.trim().to_owned());
        }
        found
    }
}

/// Whether a term names a column that can be null: in the table that it names, or in any of the statement.
fn may_be_null(term: &str, sql: &str, nullable: &Nullable) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').map(str::to_lowercase).collect()
    };
    let (in_term, in_sql) = (words(term), words(sql));
    if in_term.contains("nulls") || in_term.contains("coalesce") {
        return false;
    }
    let of = nullable.keys().find(|table| in_term.contains(*table));
    let tables = nullable.iter().filter(|(table, _)| of.map_or(in_sql.contains(*table), |of| of == *table));
    tables.flat_map(|(_, columns)| columns).any(|column| in_term.contains(column))
}

/// Complaints about the types that PostgreSQL found in a statement, and the one that its rows are read as.
pub fn of_types(parameters: &[String], results: &[(String, String)], declared: Option<&str>) -> Vec<String> {
    let is_known = |kind: &str| TYPES.contains(&kind);
    let parameters = parameters.iter().enumerate().filter(|(_, kind)| !is_known(kind));
    let mut found: Vec<String> = parameters.map(|(at, kind)| format!("${} is {kind}", at + 1)).collect();
    let odd = results.iter().filter(|(_, kind)| !is_known(kind));
    found.extend(odd.map(|(name, kind)| format!("the result {name} is {kind}")));
    let declared = declared.map(read_as).unwrap_or_default();
    if !declared.is_empty() && !results.is_empty() && declared.len() != results.len() {
        found.push(format!("{} columns are read as {}", results.len(), declared.len()));
    }
    let pairs =
        declared.iter().zip(results).filter_map(|(rust, (name, kind))| Some((rust.as_deref()?, name, kind)));
    found.extend(
        pairs
            .filter(|(rust, _, kind)| rust != kind && is_known(kind))
            .map(|(rust, name, kind)| format!("the result {name} is {kind} and read as {rust}")),
    );
    found
}

/// PostgreSQL's names of the types in a Rust type as written: `Vec<(String,Option<i64>)>`. `None` of one that is not known.
fn read_as(declared: &str) -> Vec<Option<String>> {
    let inner = |mut kind: &'_ str| -> String {
        while let Some(within) = ["Option<", "Vec<"].iter().find_map(|outer| kind.strip_prefix(outer)) {
            if within == "u8>" {
                break;
            }
            kind = within.strip_suffix('>').unwrap_or(within);
        }
        kind.to_owned()
    };
    let whole = inner(declared);
    let columns = whole.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    columns
        .map_or(vec![whole.as_str()], |columns| columns.split(',').filter(|one| !one.is_empty()).collect())
        .into_iter()
        .map(|column| {
            let name = match inner(column).as_str() {
                "i64" => "bigint",
                "String" => "text",
                "bool" => "boolean",
                "Vec<u8>" => "bytea",
                _ => return None,
            };
            Some(name.to_owned())
        })
        .collect()
}
