//! Rows of a CSV file (RFC 4180), as PostgreSQL's `\copy … CSV HEADER` and spreadsheets write them.

use serde_json::{Map, Value};

use crate::discord_webhooks::import::UnreadableSource;

/// Reads webhooks from CSV with a line of names.
///
/// # Errors
/// If it has no rows, a quote is never closed, or a row has more values than there are names.
pub fn read_csv(text: &str) -> Result<Vec<Value>, UnreadableSource> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let comma = if first.contains(';') && !first.contains(',') { ';' } else { ',' };
    let mut records = records(text, comma)?.into_iter();
    let names = records.next().unwrap_or_default();
    let mut rows = Vec::new();
    for (number, record) in records.enumerate() {
        if record.len() > names.len() {
            return Err(UnreadableSource(format!("row {} has more values than there are names", number + 1)));
        }
        let values = names.iter().cloned().zip(record.into_iter().map(Value::String));
        rows.push(Value::Object(values.collect::<Map<_, _>>()));
    }
    match rows.is_empty() {
        true => Err(UnreadableSource(
            "it holds no row: a line with the names of the columns is expected, then a row for each webhook"
                .to_owned(),
        )),
        false => Ok(rows),
    }
}

fn records(text: &str, comma: char) -> Result<Vec<Vec<String>>, UnreadableSource> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            letter if letter == comma && !quoted => record.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    if quoted {
        return Err(UnreadableSource("a quote in it is never closed".to_owned()));
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        records.push(record);
    }
    // An empty line is no row.
    records.retain(|record| record.iter().any(|field| !field.is_empty()));
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_line_breaks_and_semicolons_are_read() {
        let rows = read_csv(
            "name,\"webhookUrl\",scope\r\n\"Acme, \"\"NOC\"\"\nnight\",https://x,ADMIN\r\n\r\nB,,\n",
        )
        .unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["name"], "Acme, \"NOC\"\nnight");
        assert_eq!((&rows[0]["webhookUrl"], &rows[1]["scope"]), (&"https://x".into(), &"".into()));
        assert_eq!(read_csv("name;url\nA;https://x").unwrap()[0]["url"], "https://x");
        for bad in ["", "name,url\n", "name\na,b\n", "name\n\"a\n"] {
            assert!(read_csv(bad).is_err(), "{bad:?}");
        }
    }
}
