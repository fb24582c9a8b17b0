//! `nuncio send` and `nuncio verify`, as a person at a shell uses them.

#![expect(clippy::unwrap_used, reason = "a receiver that cannot listen has failed its test")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use nuncio::clock::Clock;
use nuncio::secret::Secret;
use nuncio::signature::{sign, xtsystems};
use serde_json::Value;

use crate::harness::free_port;
use crate::program::Program;

const SECRET: &str = "canary-secret-0123456789";
const BODY: &str = r#"{"event_type":"ticket.created","data":{}}"#;

fn program() -> Program {
    Program::with_dotenv(&format!("WEBHOOK_SECRET={SECRET}\n"))
}

/// Answers as many requests as there are `answers`; gives back their heads and bodies.
fn receiver(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || answers.iter().map(|answer| hear(&listener, answer)).collect());
    (url, heard)
}

fn hear(listener: &TcpListener, answer: &str) -> (String, String) {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8(request.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if body.len().to_string() == header(head, "content-length") {
            let length = r#"{"success":true}"#.len();
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{{\"success\":true}}").unwrap();
            return (head.to_owned(), body.to_owned());
        }
    }
}

fn header(head: &str, name: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned())
        .next()
        .unwrap_or_default()
}

#[test]
fn send_posts_a_signed_event_with_a_fresh_timestamp() {
    let (url, heard) = receiver(&["200 OK"]);
    let run = program().run(&["send", "ticket_created", "--to", &url]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, "ticket.created  200 OK  {\"success\":true}\n");

    let (head, body) = heard.join().unwrap().remove(0);
    assert!(head.starts_with("POST /webhooks/xtsystems HTTP/1.1"), "{head}");
    assert_eq!(header(&head, "content-type"), "application/json");
    let timestamp = header(&head, xtsystems::TIMESTAMP_HEADER);
    let signature = header(&head, xtsystems::SIGNATURE_HEADER);
    let now = Clock::system().now();
    let checked = xtsystems::check(
        &Secret::new(SECRET),
        timestamp.as_bytes(),
        signature.as_bytes(),
        body.as_bytes(),
        now,
    );
    assert_eq!(checked, Ok(()));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["timestamp"].to_string(), timestamp);
}

// Control: without the look at who is local in `Outgoing`, the proxy is asked, and nobody is there.
#[test]
fn what_is_on_this_machine_is_not_reached_through_a_proxy() {
    let (url, heard) = receiver(&["200 OK"]);
    let nobody = format!("127.0.0.1:{}", free_port());
    let proxied = program().env("HTTP_PROXY", format!("http://{nobody}"));
    let run = proxied.run(&["send", "ticket_created", "--to", &url]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(heard.join().unwrap().len(), 1);
}

#[test]
fn a_list_in_the_wrong_folder_says_that_nothing_was_there() {
    let program = program();
    let run = program.run(&["events"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert!(
        run.stderr.starts_with("There was no database at data/nuncio.db, so nuncio created an empty one."),
        "{}",
        run.stderr
    );
    assert_eq!(program.run(&["events"]).stderr, "No events yet.\n", "now there is one");
}

#[test]
fn a_file_where_the_folder_of_the_database_should_be_is_told_with_what_to_do() {
    let program = program();
    std::fs::write(program.path().join("data"), "x").unwrap();
    let run = program.run(&["events"]);
    assert_eq!(run.code, 78);
    assert!(
        run.stderr.contains("data cannot be used (") && run.stderr.contains("NUNCIO_DATABASE_URL"),
        "{}",
        run.stderr
    );
}

#[test]
fn verify_without_a_body_says_where_it_comes_from() {
    let run = program().run_with(&["verify", "--timestamp", "1", "--signature", "x"], b"");
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stdout, @r"
    timestamp  WRONG: timestamp has one digit, ten are expected
    signature  WRONG: signature is malformed: it does not begin with sha256=
    body       WRONG: it is empty. It comes from stdin: nuncio verify … < body.json
    refused
    ");
}

#[test]
fn send_all_posts_every_sample_and_fails_if_one_is_refused() {
    let count = nuncio::samples::all().len();
    let (url, heard) = receiver(&["401 Unauthorized"; 32][..count.min(32)]);
    let run = program().run(&["send", "--all", "--to", &url]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout.lines().count(), count);
    assert!(run.stderr.contains("is WEBHOOK_SECRET the one of the receiver?"), "{}", run.stderr);
    assert_eq!(heard.join().unwrap().len(), count);
}

#[test]
fn send_takes_data_of_any_kind_from_stdin() {
    let (url, heard) = receiver(&["200 OK"]);
    let run =
        program().run_with(&["send", "printer.on.fire", "--data", "-", "--to", &url], br#"{"floor":3}"#);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let body: Value = serde_json::from_str(&heard.join().unwrap()[0].1).unwrap();
    assert_eq!(body["event_type"], "printer.on.fire");
    assert_eq!(body["data"]["floor"], 3);
}

#[test]
fn send_of_an_unknown_kind_lists_the_known_ones() {
    let run = program().run(&["send", "ticket.create"]);
    assert_eq!(run.code, 2);
    for sample in nuncio::samples::all() {
        assert!(run.stderr.contains(sample.kind));
    }
}

#[test]
fn send_to_nobody_says_how_to_start_somebody() {
    let free = format!("127.0.0.1:{}", free_port());
    let run = program().run(&["send", "ticket.created", "--to", &format!("http://{free}")]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stderr,
        format!(
            "nuncio: nothing listens at http://{free}/webhooks/xtsystems: start it with `nuncio` (or `nuncio demo`), or name another address with --to\n"
        )
    );
}

#[test]
fn send_without_a_secret_is_a_configuration_error() {
    let run = Program::with_dotenv("WEBHOOK_PORT=3000").run(&["send", "ticket.created"]);
    assert_eq!(run.code, 78);
    assert!(run.stderr.contains("WEBHOOK_SECRET is not set."), "{}", run.stderr);
}

#[test]
fn a_printed_curl_holds_the_signature_and_not_the_secret() {
    let run = program().run(&["send", "ticket.created", "--print-curl"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.starts_with("curl ") && run.stdout.lines().count() == 1);
    assert!(!run.stdout.contains(SECRET));
    let after = |name: &str| run.stdout.split(name).nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let body = after("--data-binary '");
    let timestamp = after("X-XTSystems-Timestamp: ");
    let signature = sign(&Secret::new(SECRET), &[timestamp.as_bytes(), body.as_bytes()]);
    assert_eq!(after("X-XTSystems-Signature: "), signature);
}

#[rstest::rstest]
#[case::right("", BODY, 0, "timestamp  ok\nsignature  ok\nbody       ok\naccepted\n")]
#[case::line_break(
    "",
    "{\"event_type\":\"ticket.created\",\"data\":{}}\n",
    1,
    "signature  WRONG: signature does not match (another secret, or a proxy changed the body)\n           it matches without the line break at the body's end"
)]
#[case::millis(
    "000",
    BODY,
    1,
    "timestamp  WRONG: timestamp has 13 digits: milliseconds, seconds are expected\nsignature  ok"
)]
fn verify_says_which_part_is_wrong(
    #[case] suffix: &str,
    #[case] body: &str,
    #[case] code: i32,
    #[case] told: &str,
) {
    let timestamp = format!("{}{suffix}", Clock::system().now().as_secs());
    let signature = sign(&Secret::new(SECRET), &[timestamp.as_bytes(), BODY.as_bytes()]);
    let run = program()
        .run_with(&["verify", "--timestamp", &timestamp, "--signature", &signature], body.as_bytes());
    assert_eq!(run.code, code, "{}", run.stderr);
    assert!(run.stdout.contains(told), "{}", run.stdout);
}

#[test]
fn verify_knows_the_previous_secret() {
    let timestamp = Clock::system().now().as_secs().to_string();
    let signature = sign(&Secret::new("old"), &[timestamp.as_bytes(), BODY.as_bytes()]);
    let args = ["verify", "--timestamp", &timestamp, "--signature", &signature];
    let rotating = Program::with_dotenv(&format!("WEBHOOK_SECRET={SECRET}\nWEBHOOK_SECRET_PREVIOUS=old\n"));
    let run = rotating.run_with(&args, BODY.as_bytes());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("signature  ok, with WEBHOOK_SECRET_PREVIOUS"), "{}", run.stdout);
    assert_eq!(program().run_with(&args, BODY.as_bytes()).code, 1);
}

#[test]
fn verify_of_an_old_request_tells_the_signature_apart_from_the_time() {
    let signature = sign(&Secret::new(SECRET), &[b"1705314600", BODY.as_bytes()]);
    let run = program()
        .run_with(&["verify", "--timestamp", "1705314600", "--signature", &signature], BODY.as_bytes());
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("behind our clock") && run.stdout.contains("signature  ok"),
        "{}",
        run.stdout
    );
}

#[rstest::rstest]
#[case(&["unknown"])]
#[case(&["send"])]
#[case(&["send", "ticket.created", "--all"])]
#[case(&["verify"])]
#[case(&["redeliver"])]
fn wrong_usage_ends_with_2(#[case] args: &[&str]) {
    assert_eq!(program().run(args).code, 2);
}
