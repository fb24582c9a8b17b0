//! Proxies before a nuncio: faithful ones, and each of the usual mistakes.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use serde_json::Value;
use tokio::net::TcpListener;

/// What a proxy does to what it passes on.
#[derive(Clone, Copy, Debug)]
pub enum Dialect {
    Faithful,
    /// It takes `/webhooks` off the path.
    StripsPrefix,
    Drops(&'static str),
    /// It sends a header twice.
    Doubles(&'static str),
    /// It sets a header to this.
    Says(&'static str, &'static str),
    /// It reads the JSON and writes it again.
    RewritesBody,
    /// It passes on `/health` alone.
    OnlyHealth,
    Redirects,
    /// It appends the address of whoever asks to `X-Forwarded-For`.
    Appends,
    /// It takes that header away, and says `Via`.
    Hides,
    /// It takes that header away, and says `Forwarded`.
    SaysForwarded,
}

#[derive(Clone)]
struct Passing {
    to: String,
    manner: Dialect,
}

/// Passes everything on to `to` in its manner; answers where.
pub async fn before(to: &str, manner: Dialect) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(pass).with_state(Passing { to: to.to_owned(), manner });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A faithful proxy that hands on an event of somebody else's before each request: where it is, and how each event was
/// answered.
pub async fn with_events(to: &str) -> (String, Arc<Mutex<Vec<u16>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (passing, answers) =
        (Passing { to: to.to_owned(), manner: Dialect::Faithful }, Arc::<Mutex<Vec<u16>>>::default());
    let told = answers.clone();
    let router = Router::new().fallback(move |request: Request<Body>| {
        let (passing, told) = (passing.clone(), told.clone());
        async move {
            let event = crate::harness::http().post(format!("{}/webhooks/xtsystems", passing.to)).body("{}");
            let status = event.send().await.unwrap().status().as_u16();
            told.lock().unwrap().push(status);
            pass(State(passing), request).await
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, answers)
}

/// A program that is no nuncio and answers everything alike: its port.
pub async fn program(status: u16, body: Value) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = (StatusCode::from_u16(status).unwrap(), body.to_string());
    let router = Router::new().fallback(async move || answer.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

async fn pass(State(Passing { to, manner }): State<Passing>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let (mut path, mut headers) = (head.uri.to_string(), head.headers);
    let mut body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).unwrap();
    match manner {
        Dialect::Faithful => {}
        Dialect::StripsPrefix => path = path.trim_start_matches("/webhooks").to_owned(),
        Dialect::Drops(dropped) => drop(headers.remove(name(dropped))),
        Dialect::Doubles(doubled) => {
            if let Some(value) = headers.get(name(doubled)).cloned() {
                headers.append(name(doubled), value);
            }
        }
        Dialect::Says(said, value) => drop(headers.insert(name(said), value.parse().unwrap())),
        Dialect::RewritesBody => {
            if let Ok(value) = serde_json::from_slice::<Value>(&body) {
                body = value.to_string().into_bytes();
            }
        }
        Dialect::OnlyHealth if head.uri.path() != "/health" => return StatusCode::NOT_FOUND.into_response(),
        Dialect::OnlyHealth => {}
        Dialect::Redirects => {
            return (StatusCode::MOVED_PERMANENTLY, [("location", "https://nuncio.example/")])
                .into_response();
        }
        Dialect::Appends => {
            let before = headers.get("x-forwarded-for").map(|value| format!("{}, ", value.to_str().unwrap()));
            let appended = format!("{}198.51.100.7", before.unwrap_or_default());
            headers.insert("x-forwarded-for", appended.parse().unwrap());
        }
        Dialect::Hides => {
            headers.remove("x-forwarded-for");
            headers.insert("via", "1.1 proxy".parse().unwrap());
        }
        Dialect::SaysForwarded => {
            headers.remove("x-forwarded-for");
            headers.insert("forwarded", "for=198.51.100.7".parse().unwrap());
        }
    }
    headers.remove("content-length");
    headers.remove("host");
    let request = crate::harness::http().request(head.method, format!("{to}{path}"));
    let answer = request.headers(headers).body(body).send().await.unwrap();
    let status = answer.status();
    let mut passed = HeaderMap::new();
    if let Some(value) = answer.headers().get("content-type") {
        passed.insert("content-type", value.clone());
    }
    (status, passed, answer.bytes().await.unwrap()).into_response()
}

/// A certificate that signs itself, for `name`, that ends so many days from now.
pub struct Certificate {
    acceptor: SslAcceptor,
    /// Where it stands, for whoever is to trust it.
    pub file: PathBuf,
}

pub fn certificate(folder: &Path, name: &str, ends_in_days: i64) -> Certificate {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let now = nuncio::clock::Clock::system().now().as_secs();
    let at = |days: i64| Asn1Time::from_unix(now + days * 86_400).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&at(-30)).unwrap();
    builder.set_not_after(&at(ends_in_days)).unwrap();
    builder.append_extension(BasicConstraints::new().ca().build().unwrap()).unwrap();
    let names = SubjectAlternativeName::new().dns(name).build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build();
    let file = folder.join("proxy.pem");
    std::fs::write(&file, certificate.to_pem().unwrap()).unwrap();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    Certificate { acceptor: acceptor.build(), file }
}

/// Takes TLS off and passes the bytes on to `to` (`host:port`); answers the port.
pub fn tls_before(to: String, certificate: Certificate) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever does not trust the certificate hangs up.
            let Ok(mut tls) = certificate.acceptor.accept(stream.unwrap()) else { continue };
            let asked = whole(&mut tls);
            let mut behind = TcpStream::connect(&to).unwrap();
            behind.write_all(&asked).unwrap();
            let answer = whole(&mut behind);
            let _ = tls.write_all(&answer);
            let _ = tls.shutdown();
        }
    });
    port
}

/// A request or an answer, or what comes of it.
fn whole(from: &mut impl std::io::Read) -> Vec<u8> {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    while !is_whole(&all) {
        match from.read(&mut some) {
            Ok(0) | Err(_) => break,
            Ok(read) => all.extend_from_slice(&some[..read]),
        }
    }
    all
}

/// Whether a request or an answer is there with its whole body.
fn is_whole(all: &[u8]) -> bool {
    let text = String::from_utf8_lossy(all).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    all.len() >= head.len() + 4 + length.unwrap_or(0)
}
