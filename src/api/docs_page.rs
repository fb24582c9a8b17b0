//! `/docs`: a page made from the OpenAPI document. It has no script and loads nothing from elsewhere.

use std::fmt::Write as _;

use serde_json::Value;

use crate::api::problem::Code;

/// Its style sheet.
pub(in crate::api) const STYLE: &str = include_str!("docs_page.css");
/// Where the page finds that.
pub(in crate::api) const STYLE_PATH: &str = "/docs/style.css";
/// Its content security policy: a style sheet, and nothing else.
pub(in crate::api) const CSP: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const START: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>nuncio API</title>
<link rel=\"stylesheet\" href=\"/docs/style.css\">
<h1>nuncio API</h1>
";

const CONVENTIONS: &str = "<h2 id=\"conventions\">Conventions</h2>
<p>Every request below <code>/v1</code> carries a key: <code>Authorization: Bearer nun_…</code> or \
<code>X-API-Key: nun_…</code>, once, and never in the address. <code>nuncio keys create</code> makes one. \
Its role is <code>admin</code>, <code>sender</code> or <code>reader</code>, each including the ones after it.</p>
<p>Bodies are JSON of at most 1 MiB. Lists have pages: <code>limit</code> (1 to 200) and <code>cursor</code>. \
A POST with an <code>Idempotency-Key</code> is carried out once, however often it is sent within 24 hours. \
Answers have an <code>X-Request-Id</code>, which the log has as well.</p>
";

/// The operations of a path item, in the order in which people look for them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The page about `document`, as HTML.
pub(in crate::api) fn html(document: &Value) -> String {
    let mut page = START.to_owned();
    let info = &document["info"];
    let _ = write!(
        page,
        "<p>{}</p><p class=\"faint\">Version {} · <a href=\"/openapi.json\">openapi.json</a></p>",
        prose(text(&info["description"])),
        escape(text(&info["version"])),
    );
    contents(&mut page, document);
    page.push_str(CONVENTIONS);
    for tag in list(&document["tags"]) {
        let name = text(&tag["name"]);
        let _ =
            write!(page, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", escape(name), prose(text(&tag["description"])));
        for (path, method, operation) in operations(document, name) {
            section(&mut page, path, method, operation);
        }
    }
    problems(&mut page);
    schemas(&mut page, document);
    page.push_str("</html>\n");
    page
}

/// The operations with this tag.
fn operations<'a>(document: &'a Value, tag: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| METHODS.map(|method| (path.as_str(), method, &item[method])))
        .filter(move |(_, _, operation)| operation["tags"][0] == *tag)
}

fn contents(page: &mut String, document: &Value) {
    page.push_str("<nav><ul><li><a href=\"#conventions\">Conventions</a></li>");
    for tag in list(&document["tags"]) {
        let name = text(&tag["name"]);
        for (path, method, operation) in operations(document, name) {
            let _ = write!(
                page,
                "<li><a href=\"#{}\"><span class=\"method\">{}</span> <code>{}</code></a></li>",
                escape(text(&operation["operationId"])),
                method.to_ascii_uppercase(),
                escape(path),
            );
        }
    }
    page.push_str(
        "<li><a href=\"#problems\">Problems</a></li><li><a href=\"#schemas\">Schemas</a></li></ul></nav>",
    );
}

fn section(page: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        page,
        "<section class=\"operation\" id=\"{}\"><h3><span class=\"method\">{}</span> <code class=\"route\">{}</code></h3>\
         <p>{}</p>",
        escape(text(&operation["operationId"])),
        method.to_ascii_uppercase(),
        escape(path),
        prose(text(&operation["summary"])),
    );
    if let Some(description) = operation["description"].as_str() {
        let _ = write!(page, "<p>{}</p>", prose(description));
    }
    let role = text(&operation["security"][0]["bearer"][0]);
    let _ = write!(page, "<p class=\"role\">Role: {}</p>", escape(role));
    let mut parameters = list(&operation["parameters"]).peekable();
    if parameters.peek().is_some() {
        page.push_str("<dl>");
        for parameter in parameters {
            let _ = write!(
                page,
                "<dt><code>{}</code> <span class=\"faint\">{}</span></dt><dd>{}</dd>",
                escape(text(&parameter["name"])),
                escape(text(&parameter["in"])),
                prose(text(&parameter["description"])),
            );
        }
        page.push_str("</dl>");
    }
    let json = "application/json";
    if let Some(body) = operation["requestBody"]["content"].get(json) {
        let _ = write!(page, "<p>Body: {}</p>", type_of(&body["schema"]));
    }
    page.push_str("<dl>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let Some(description) = response["description"].as_str() else { continue };
        let _ = write!(page, "<dt>{}</dt><dd>{}", escape(status), prose(description));
        if let Some(content) = response["content"].get(json) {
            let _ = write!(page, " {}", type_of(&content["schema"]));
        }
        page.push_str("</dd>");
    }
    page.push_str("</dl></section>");
}

fn problems(page: &mut String) {
    page.push_str(
        "<h2 id=\"problems\">Problems</h2><p>Every failure is <code>application/problem+json</code>: see \
         <a href=\"#schema-Problem\">Problem</a>. Programs compare <code>code</code>.</p><dl>",
    );
    for code in Code::ALL {
        let _ = write!(
            page,
            "<dt id=\"{0}\"><code>{0}</code> <span class=\"faint\">{1}</span></dt><dd>{2}</dd>",
            code.as_str(),
            code.status().as_u16(),
            prose(code.meaning().trim()),
        );
    }
    page.push_str("</dl>");
}

fn schemas(page: &mut String, document: &Value) {
    page.push_str("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(page, "<section class=\"operation\" id=\"schema-{0}\"><h3>{0}</h3>", escape(name));
        let _ = write!(page, "<p>{}</p>", prose(text(&schema["description"])));
        if schema.get("enum").is_some() {
            let _ = write!(page, "<p>{}</p>", type_of(schema));
        }
        let required: Vec<&str> = list(&schema["required"]).filter_map(Value::as_str).collect();
        let parts = [schema].into_iter().chain(list(&schema["allOf"]));
        page.push_str("<dl>");
        for part in parts {
            if let Some(reference) = part["$ref"].as_str() {
                let _ = write!(page, "<dt>and all of {}</dt>", link(reference));
            }
            for (field, schema) in part["properties"].as_object().into_iter().flatten() {
                let is_required = required.contains(&field.as_str())
                    || list(&part["required"]).any(|name| *name == *field.as_str());
                let _ = write!(
                    page,
                    "<dt><code>{}</code> <span class=\"faint\">{}{}</span></dt><dd>{}</dd>",
                    escape(field),
                    type_of(schema),
                    if is_required { "" } else { ", optional" },
                    prose(text(&schema["description"])),
                );
            }
        }
        page.push_str("</dl>");
        if let Some(example) = schema.get("example") {
            let pretty = serde_json::to_string_pretty(example).unwrap_or_default();
            let _ = write!(page, "<pre>{}</pre>", escape(&pretty));
        }
        page.push_str("</section>");
    }
}

/// What a schema describes, in a few words, as HTML.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return link(reference);
    }
    let forms: Vec<String> = list(&schema["oneOf"])
        .chain(list(&schema["anyOf"]))
        .chain(list(&schema["allOf"]))
        .map(type_of)
        .collect();
    if !forms.is_empty() {
        return forms.join(" or ");
    }
    let words: Vec<String> =
        list(&schema["enum"]).map(|word| format!("<code>{}</code>", escape(text(word)))).collect();
    if !words.is_empty() {
        return words.join(" · ");
    }
    if schema.get("items").is_some() {
        return format!("list of {}", type_of(&schema["items"]));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        several => list(several).map(text).collect(),
    };
    let format =
        schema["format"].as_str().map_or_else(String::new, |format| format!(" ({})", escape(format)));
    let types = if types.is_empty() { "any JSON".to_owned() } else { escape(&types.join(" or ")) };
    format!("{types}{format}")
}

fn link(reference: &str) -> String {
    let name = escape(reference.rsplit('/').next().unwrap_or_default());
    format!("<a href=\"#schema-{name}\">{name}</a>")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A description as HTML: `code` between backquotes, paragraphs between empty lines.
fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for (at, piece) in escape(text).split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(html, "<code>{piece}</code>");
        } else {
            html.push_str(&piece.replace("\n\n", "<br>"));
        }
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
