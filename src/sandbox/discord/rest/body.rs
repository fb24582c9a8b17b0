//! Request bodies: JSON, or a multipart form with files whose `payload_json` is the JSON (Discord: "Uploading
//! Files").

use serde_json::{Value, json};

use super::Call;
use crate::sandbox::discord::model::Refusal;
use crate::sandbox::discord::validate::Form;

/// A parsed body.
#[derive(Debug, PartialEq)]
pub(super) struct Upload {
    pub(super) body: Value,
    /// The files, as incomplete attachment objects. Their bytes are not kept.
    pub(super) files: Vec<Value>,
}

/// Parses the body of a call by its content type.
pub(super) fn read(call: &Call) -> Result<Upload, Refusal> {
    let content_type = call.header("content-type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let boundary = content_type.split_once("boundary=").map(|(_, rest)| rest.trim_matches('"'));
    match (kind.as_str(), boundary) {
        ("application/json", _) => Ok(Upload { body: parse(&call.body)?, files: Vec::new() }),
        ("multipart/form-data", Some(boundary)) => form(&call.body, boundary),
        _ => {
            let mut form = Form::default();
            let message = "Expected \"Content-Type\" header to be one of {'application/json'}.";
            form.refuse("", "CONTENT_TYPE_INVALID", message);
            Err(form.into())
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes).map_err(|_| Refusal::InvalidJson)
}

/// Parses a multipart form. Parts other than `payload_json` and files are ignored.
fn form(bytes: &[u8], boundary: &str) -> Result<Upload, Refusal> {
    let mut upload = Upload { body: json!({}), files: Vec::new() };
    // The first delimiter has no line break before it; adding one makes all delimiters alike.
    let bytes = [b"\r\n", bytes].concat();
    for part in pieces(&bytes, format!("\r\n--{boundary}").as_bytes()).skip(1) {
        let mut halves = pieces(part, b"\r\n\r\n");
        let head = String::from_utf8_lossy(halves.next().unwrap_or_default()).into_owned();
        let Some(start) = halves.next().map(|_| head.len() + 4) else { continue };
        let content = part.get(start..).unwrap_or_default();
        if let Some(filename) = parameter(&head, "filename") {
            let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type: "));
            upload.files.push(json!({
                "id": null, "filename": filename, "size": content.len(), "url": format!("attachment://{filename}"), "proxy_url": format!("attachment://{filename}"),
                "content_type": kind.unwrap_or("application/octet-stream"),
            }));
        } else if parameter(&head, "name") == Some("payload_json") {
            upload.body = parse(content)?;
        }
    }
    Ok(upload)
}

/// The value of `name="value"` in a part's header.
fn parameter<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let marker = format!(" {name}=\"");
    let start = head.find(&marker)? + marker.len();
    head[start..].split('"').next()
}

/// The pieces of `bytes` between the occurrences of `delimiter`.
fn pieces<'a>(bytes: &'a [u8], delimiter: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let all = rest?;
        let at = all.windows(delimiter.len()).position(|window| window == delimiter);
        rest = at.map(|at| &all[at + delimiter.len()..]);
        Some(at.map_or(all, |at| &all[..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_files_is_read() {
        let text = "--xx\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json\
                    \r\n\r\n{\"content\":\"hi\"}\r\n--xx\r\nContent-Disposition: form-data; name=\"files[0]\"; \
                    filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\none\r\n\r\ntwo\r\n--xx--\r\n";
        let upload = form(text.as_bytes(), "xx").unwrap();
        assert_eq!(upload.body, json!({"content": "hi"}));
        assert_eq!(upload.files.len(), 1);
        assert_eq!(upload.files[0]["filename"], "a.txt");
        assert_eq!(upload.files[0]["size"], 10);
        assert_eq!(upload.files[0]["content_type"], "text/plain");
    }
}
