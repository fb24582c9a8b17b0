//! `nuncio send`: signs events as XTSystems does, and posts them.

use std::io::{Error, ErrorKind, Read as _};
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reqwest::Url;
use serde_json::{Map, Value};

use crate::cli::{Usage, print, say};
use crate::clock::{Clock, Timestamp};
use crate::config::variable::distance;
use crate::config::{Variables, WebhookConfig};
use crate::outgoing::{NUNCIO_LIMIT, Outgoing, USER_AGENT, is_local, read_body};
use crate::samples;
use crate::secret::Secret;
use crate::signature::sign;
use crate::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Longer than ingress waits for the store.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Kind of event, for example ticket.created. Sends a sample, marked as such: pings nobody, and its buttons do nothing
    #[arg(required_unless_present = "all")]
    kind: Option<String>,
    /// Send a sample of every kind
    #[arg(long, conflicts_with_all = ["kind", "data"])]
    all: bool,
    /// Send your own event (its data, or a whole body): a JSON file, or - for stdin. It counts as real
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// URL to post to (default: the nuncio of this .env)
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Print a curl command instead of posting; it is valid for five minutes
    #[arg(long)]
    print_curl: bool,
}

/// A signed event.
struct SignedRequest {
    kind: String,
    timestamp: String,
    signature: String,
    body: String,
}

/// Posts each event and prints the answer; exits with 0 only if all were accepted.
pub(super) async fn run(args: Args, variables: &Variables) -> anyhow::Result<ExitCode> {
    let events = events(&args)?;
    let (webhook, secret) = WebhookConfig::for_signing(variables)?;
    let url = address(args.to.as_deref(), &webhook)?;
    let now = Clock::system().now();
    let requests = events.into_iter().map(|(kind, body)| signed(kind, body, &secret, now));
    if args.print_curl {
        for request in requests {
            print(&curl(&request, &url));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let outgoing = Outgoing::new(USER_AGENT, DEADLINE, is_local(url.as_str()));
    let client = outgoing.client()?;
    let mut accepted = true;
    for request in requests {
        let kind = request.kind.clone();
        let answer = post(&client, &url, request).await?;
        let status = answer.status();
        let (body, fault) = match read_body(answer, NUNCIO_LIMIT).await {
            Ok(body) => (body, None),
            Err(error) => (error.read, Some(error.fault)),
        };
        print(&format!("{kind}  {status}  {}", String::from_utf8_lossy(&body).trim_end()));
        if let Some(fault) = fault {
            say(&fault.to_string());
        }
        if !status.is_success() {
            accepted = false;
            say(&advice(status.as_u16(), &url));
        }
    }
    Ok(if accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The kinds and bodies to send.
fn events(args: &Args) -> anyhow::Result<Vec<(String, Map<String, Value>)>> {
    let sample = |sample: &samples::Sample| {
        let mut body: Map<String, Value> = serde_json::from_str(sample.body)?;
        // Real channels get it marked as a sample: it pings no member, and its buttons do nothing.
        body.insert(samples::MARK.to_owned(), true.into());
        Ok((sample.kind.to_owned(), body))
    };
    match (&args.kind, &args.data) {
        (Some(kind), Some(file)) => Ok(vec![(kind.clone(), body_of(kind, read(file)?))]),
        (Some(kind), None) => match samples::find(kind) {
            Some(found) => Ok(vec![sample(found)?]),
            None => {
                let kinds: Vec<_> = samples::all().iter().map(|sample| sample.kind).collect();
                let known = kinds.join("\n  ");
                let meant = meant(kind, &kinds).map(|meant| format!(": did you mean {meant}?"));
                let meant = meant.unwrap_or_else(|| ".".to_owned());
                Err(Usage(format!("there is no sample of {kind:?}{meant} Try one of these, or give your own with --data:\n  {known}")).into())
            }
        },
        (None, _) => samples::all().iter().map(sample).collect(),
    }
}

/// The kind that was probably meant: at most two letters away.
fn meant<'a>(kind: &str, kinds: &[&'a str]) -> Option<&'a str> {
    let typed = kind.replace('_', ".");
    let near = kinds.iter().map(|known| (distance(&typed, known), *known)).filter(|(far, _)| *far <= 2);
    near.min_by_key(|(far, _)| *far).map(|(_, known)| known)
}

/// The JSON of a file, or of stdin.
fn read(file: &str) -> anyhow::Result<Value> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut text).context("stdin cannot be read")?;
    } else {
        text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    }
    serde_json::from_str(&text).map_err(|error| {
        let place = if file == "-" { "stdin" } else { file };
        anyhow!("{place} is not JSON: {error}. --data takes an event's data, or a whole body with event_type and data")
    })
}

/// Why the file of `--data` cannot be read, and what to do.
fn unreadable(file: &str, error: &Error) -> anyhow::Error {
    let sentence = match error.kind() {
        ErrorKind::NotFound => format!("--data: there is no file {file} (use - for stdin)."),
        ErrorKind::IsADirectory => format!("--data: {file} is a folder. Name a file in it."),
        ErrorKind::PermissionDenied => format!("--data: this user may not read {file}."),
        ErrorKind::InvalidData => format!("--data: {file} is not text in UTF-8."),
        _ => format!("--data: {file} cannot be read ({error})."),
    };
    Usage(sentence).into()
}

/// The event's body: `read` itself if it is a whole body, otherwise a body with `read` as its data.
fn body_of(kind: &str, read: Value) -> Map<String, Value> {
    let (mut body, data) = match read {
        Value::Object(mut body) if body.contains_key("event_type") && body.contains_key("data") => {
            let data = body.get_mut("data").map(Value::take).unwrap_or_default();
            (body, data)
        }
        data => (Map::new(), data),
    };
    body.insert("event_type".to_owned(), kind.into());
    body.insert("data".to_owned(), data);
    body
}

/// Signs `body` with a fresh timestamp, so that every request is an event of its own.
fn signed(kind: String, mut body: Map<String, Value>, secret: &Secret, now: Timestamp) -> SignedRequest {
    body.insert("timestamp".to_owned(), now.as_secs().into());
    let body = Value::Object(body).to_string();
    let timestamp = now.as_secs().to_string();
    let signature = sign(secret, &[timestamp.as_bytes(), body.as_bytes()]);
    SignedRequest { kind, timestamp, signature, body }
}

/// The URL to post to: `to` (with our path, if it has none), otherwise this configuration's listener.
fn address(to: Option<&str>, webhook: &WebhookConfig) -> anyhow::Result<Url> {
    let Some(to) = to else {
        if webhook.port == 0 {
            return Err(
                Usage("WEBHOOK_PORT is 0, any free port: name the address with --to URL".to_owned()).into()
            );
        }
        let host = if webhook.host.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { webhook.host };
        let socket = std::net::SocketAddr::new(host, webhook.port);
        return Ok(Url::parse(&format!("http://{socket}{}", webhook.path))?);
    };
    let mut url =
        Url::parse(to).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
            Usage("--to takes a web address, as http://127.0.0.1:3000/webhooks/xtsystems".to_owned())
        })?;
    if url.path() == "/" {
        url.set_path(&webhook.path);
    }
    Ok(url)
}

async fn post(
    client: &reqwest::Client,
    url: &Url,
    request: SignedRequest,
) -> anyhow::Result<reqwest::Response> {
    let sent = client
        .post(url.clone())
        .header("Content-Type", "application/json")
        .header(TIMESTAMP_HEADER, request.timestamp)
        .header(SIGNATURE_HEADER, request.signature)
        .body(request.body)
        .send()
        .await;
    sent.map_err(|error| {
        let advice = if error.is_connect() {
            format!("nothing listens at {url}: start it with `nuncio` (or `nuncio demo`), or name another address with --to")
        } else if error.is_timeout() {
            format!("no answer from {url} within {} s: look at its log", DEADLINE.as_secs())
        } else {
            format!("{url} did not answer ({}): is it a nuncio?", error.without_url())
        };
        anyhow!(advice)
    })
}

/// Advice for an answer that is not 2xx.
fn advice(status: u16, url: &Url) -> String {
    match status {
        401 => "not verified: is WEBHOOK_SECRET the one of the receiver? Its log says which part was wrong"
            .to_owned(),
        404 | 405 => format!("{url} takes no events: is its path the receiver's WEBHOOK_PATH?"),
        413 => "too large: WEBHOOK_BODY_LIMIT of the receiver sets how much it takes".to_owned(),
        429 | 503 => "the receiver refuses requests for now: try again in a while".to_owned(),
        _ => "not accepted: the receiver's log says why".to_owned(),
    }
}

/// The request as a curl command for a POSIX shell.
fn curl(request: &SignedRequest, url: &Url) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    format!(
        "curl -sS -H 'Content-Type: application/json' -H '{TIMESTAMP_HEADER}: {}' -H '{SIGNATURE_HEADER}: {}' --data-binary {} {}",
        request.timestamp,
        request.signature,
        quoted(&request.body),
        quoted(url.as_str())
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhook(lines: &str) -> WebhookConfig {
        WebhookConfig::for_signing(&Variables::from_dotenv(&format!(
            "WEBHOOK_SECRET=0123456789abcdef\n{lines}"
        )))
        .unwrap()
        .0
    }

    #[rstest::rstest]
    #[case(None, "", "http://127.0.0.1:3000/webhooks/xtsystems")]
    #[case(None, "WEBHOOK_PORT=4000\nWEBHOOK_PATH=/hook", "http://127.0.0.1:4000/hook")]
    #[case(None, "WEBHOOK_HOST=::1", "http://[::1]:3000/webhooks/xtsystems")]
    #[case(Some("http://10.0.0.1:9"), "", "http://10.0.0.1:9/webhooks/xtsystems")]
    #[case(Some("https://x.example/a"), "", "https://x.example/a")]
    fn addresses(#[case] to: Option<&str>, #[case] lines: &str, #[case] expected: &str) {
        assert_eq!(address(to, &webhook(lines)).unwrap().as_str(), expected);
    }

    #[rstest::rstest]
    #[case(json!({"id": 1}), json!({"event_type": "a.b", "data": {"id": 1}}))]
    #[case(json!({"event_type": "x", "data": 1, "company_id": "c"}), json!({"event_type": "a.b", "data": 1, "company_id": "c"}))]
    #[case(json!([1]), json!({"event_type": "a.b", "data": [1]}))]
    fn data_becomes_a_body(#[case] read: Value, #[case] expected: Value) {
        assert_eq!(Value::Object(body_of("a.b", read)), expected);
    }

    #[test]
    fn a_curl_command_survives_quotes_and_holds_no_secret() {
        let request = signed(
            "a".to_owned(),
            body_of("a", "it's".into()),
            &Secret::new("0123456789abcdef"),
            Timestamp::from_secs(1_705_314_600),
        );
        let url = Url::parse("http://127.0.0.1:3000/hook").unwrap();
        insta::assert_snapshot!(curl(&request, &url), @r#"curl -sS -H 'Content-Type: application/json' -H 'X-XTSystems-Timestamp: 1705314600' -H 'X-XTSystems-Signature: sha256=7044bb641f08b935365ea82d27d00002dd60a98086f7badfef277420b71d742e' --data-binary '{"event_type":"a","data":"it'\''s","timestamp":1705314600}' 'http://127.0.0.1:3000/hook'"#);
    }
}
