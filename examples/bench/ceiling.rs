//! The ceiling: a bare loop that does what durable ingest needs, and nothing else.
//!
//! hyper on tokio as in nuncio, the same check of the signature; then one row for each event, inserted by one thread
//! that commits up to 64 at once with `synchronous=FULL`. It does not parse the JSON, routes nothing, plans no
//! delivery, has no deadlines, no limits and no logs.

use std::convert::Infallible;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use nuncio::clock::Clock;
use nuncio::secret::Secret;
use nuncio::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER, check};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::request::SECRET;

/// How many rows share a commit, as in nuncio.
const GROUP: usize = 64;
/// The size limit of the write-ahead log, as in nuncio.
const WAL_LIMIT: u64 = 32 * 1024 * 1024;

/// The size of the page cache, as in nuncio: a negative number is in KiB.
const CACHE_KIB: i64 = -8 * 1024;

/// A row to insert, and the channel that reports when it is on disk.
struct Row {
    /// The unique key; the signature serves as well as any hash.
    key: HeaderValue,
    body: Bytes,
    stored: oneshot::Sender<String>,
}

/// Serves on a free port until it is killed; prints the port.
pub fn run(database: &Path) -> anyhow::Result<()> {
    let connection = open(database)?;
    connection.execute_batch(
        "CREATE TABLE events (id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL)",
    )?;
    let (rows, queue) = mpsc::sync_channel(1024);
    let wal = database.with_extension("db-wal");
    std::thread::spawn(move || write(connection, &queue, &wal));
    let checkpoints = open(database)?;
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let _ = checkpoints.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    });
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(rows))
}

fn open(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    Ok(connection)
}

async fn serve(rows: mpsc::SyncSender<Row>) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let rows = rows.clone();
        let secret = Secret::new(SECRET);
        let service = service_fn(move |request| answer(request, rows.clone(), secret.clone()));
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

async fn answer(
    request: Request<Incoming>,
    rows: mpsc::SyncSender<Row>,
    secret: Secret,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let now = Clock::system().now();
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(refusal(StatusCode::BAD_REQUEST)) };
    let body = body.to_bytes();
    let (Some(timestamp), Some(signature)) =
        (one(&head.headers, TIMESTAMP_HEADER), one(&head.headers, SIGNATURE_HEADER))
    else {
        return Ok(refusal(StatusCode::UNAUTHORIZED));
    };
    if check(&secret, timestamp.as_bytes(), signature.as_bytes(), &body, now).is_err() {
        return Ok(refusal(StatusCode::UNAUTHORIZED));
    }
    let (stored, answer) = oneshot::channel();
    if rows.try_send(Row { key: signature.clone(), body, stored }).is_err() {
        return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE));
    }
    let Ok(id) = answer.await else { return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE)) };
    let text = format!(
        r#"{{"success":true,"message":"Webhook processed successfully","event_id":"{id}","duplicate":false}}"#
    );
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    headers.get(name)
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// The writer: the only thread that writes.
fn write(mut connection: Connection, queue: &mpsc::Receiver<Row>, wal: &Path) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        let Ok(ids) = commit(&mut connection, &group) else { continue };
        for (row, id) in group.into_iter().zip(ids) {
            let _ = row.stored.send(id);
        }
        if std::fs::metadata(wal).is_ok_and(|wal| wal.len() > WAL_LIMIT) {
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}

fn commit(connection: &mut Connection, group: &[Row]) -> rusqlite::Result<Vec<String>> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut ids = Vec::with_capacity(group.len());
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO events (id, key, body) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING RETURNING id",
        )?;
        for row in group {
            let id = format!("evt_{}", uuid::Uuid::now_v7().simple());
            let key = row.key.to_str().unwrap_or_default();
            ids.push(insert.query_row((id, key, row.body.as_ref()), |row| row.get(0))?);
        }
    }
    transaction.commit()?;
    Ok(ids)
}
