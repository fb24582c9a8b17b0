//! Signed requests, prepared before the measurement.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use nuncio::secret::Secret;
use nuncio::signature::sign;

/// The signing secret of the benchmark.
pub const SECRET: &str = "a secret of the benchmark";
/// The ingress path.
pub const PATH: &str = "/webhooks/xtsystems";

/// Numbers the events of this process, so that no two are the same.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Requests ready to be written to a socket, in one buffer.
pub struct Requests {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Requests {
    /// `count` requests with bodies from `body`, which gets a unique number.
    pub fn of(count: usize, body: impl Fn(u64) -> String) -> Self {
        let secret = Secret::new(SECRET);
        let timestamp = seconds().to_string();
        let mut requests = Self { bytes: Vec::new(), ranges: Vec::with_capacity(count) };
        for _ in 0..count {
            let body = body(NUMBER.fetch_add(1, Ordering::Relaxed));
            let signature = sign(&secret, &[timestamp.as_bytes(), body.as_bytes()]);
            let start = requests.bytes.len();
            let request = format!(
                "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: xtsystems\r\nContent-Type: application/json\r\n\
                 X-XTSystems-Timestamp: {timestamp}\r\nX-XTSystems-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            requests.bytes.extend_from_slice(request.as_bytes());
            requests.ranges.push(start..requests.bytes.len());
        }
        requests
    }

    /// `count` requests as a platform sends them: tickets, assets, warnings, and a kind without a card of its own.
    pub fn mixed(count: usize) -> Self {
        Self::of(count, |number| match number % 4 {
            0 => ticket(number),
            1 => asset(number),
            2 => warning(number),
            _ => other(number),
        })
    }

    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    pub fn bytes(&self, index: usize) -> Option<&[u8]> {
        self.ranges.get(index).map(|range| &self.bytes[range.clone()])
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The end of every body: a customer, and the time.
fn tail(number: u64) -> String {
    format!(r#""company_id":"company-{}","timestamp":{}}}"#, number % 20, seconds())
}

/// A critical alert with a host of its own.
pub fn critical(number: u64) -> String {
    format!(
        r#"{{"event_type":"alert.triggered","data":{{"alert_type":"disk_full","severity":"critical","source":"NODE-{number}","message":"Volume /var is 97 % full and grows by 1 GB an hour.","details":{{"mount":"/var","used_percent":97}}}},{}"#,
        tail(number)
    )
}

/// A new ticket, of about 600 bytes.
pub fn ticket(number: u64) -> String {
    format!(
        r#"{{"event_type":"ticket.created","data":{{"id":"ticket-{number}","seq_id":{number},"title":"Printer on floor {} does not answer","status":"open","priority":"{}","created_by":"user{}@example.com","created_at":"2024-01-15T10:30:00Z","company_name":"Customer {}","description":"Since this morning the printer shows a red light and takes no jobs. Switching it off and on did not help; the cable was changed, and the other printer on the same port works. Please have somebody look at it before the end of the month, when the invoices are printed."}},{}"#,
        number % 9,
        ["low", "medium", "high"][(number % 3) as usize],
        number % 50,
        number % 20,
        tail(number)
    )
}

fn asset(number: u64) -> String {
    format!(
        r#"{{"event_type":"asset.updated","data":{{"id":"asset-{number}","name":"Server-{number}","description":"Production web server in rack {}, second from the top, with the new power supply","asset_type":"server","updated_by":"admin@example.com","updated_at":"2024-01-15T10:30:00Z","company_name":"Customer {}"}},{}"#,
        number % 12,
        number % 20,
        tail(number)
    )
}

fn warning(number: u64) -> String {
    format!(
        r#"{{"event_type":"alert.triggered","data":{{"id":"alert-{number}","alert_type":"disk_full","severity":"warning","source":"SRV-{number}","title":"Disk 81 % full","message":"Volume /var is 81 % full and grows by 1 GB a day.","details":{{"mount":"/var","used_percent":81,"free":"31 GB","device":"/dev/sda3"}},"first_seen":"2024-01-15T09:12:00Z","company_name":"Customer {}"}},{}"#,
        number % 20,
        tail(number)
    )
}

fn other(number: u64) -> String {
    format!(
        r#"{{"event_type":"printer.jammed","data":{{"id":"printer-{number}","printer":"HP-{}","tray":2,"pages_waiting":{},"since":"2024-01-15T09:12:00Z"}},{}"#,
        number % 90,
        number % 400,
        tail(number)
    )
}

/// A machine's join request.
pub fn machine(number: u64) -> String {
    format!(
        r#"{{"event_type":"machine.registered","data":{{"asset_id":"machine-{number}","hostname":"DESKTOP-{number}","ip_address":"192.168.1.100","status":"pending","registered_at":"2024-01-15T10:30:00Z"}},{}"#,
        tail(number)
    )
}
