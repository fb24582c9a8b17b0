//! `/webhook-status`: nuncio's health in figures.

use std::time::Duration;

use super::{CommandContext, Error};
use crate::bot::reply::{ReplyBody, ReplyEmbed};
use crate::clock::Timestamp;
use crate::hub::{GatewayState, SystemStatus};
use crate::render::{self, Color, Markdown, Surface};

/// Deadline for an immediate reply. Discord allows three seconds; after this, the reply is deferred.
const AT_ONCE: Duration = Duration::from_millis(1500);
/// Discord: "Embed Limits".
const MAX_VALUE: usize = 1024;
/// Maximum length of the list of problems, which may be many.
const MAX_PROBLEMS: usize = 2000;
/// Maximum length of one problem: what to do is at its end, and must not be cut off.
const MAX_PROBLEM: usize = 600;

pub(super) async fn webhook_status(context: CommandContext<'_>) -> Result<(), Error> {
    let data = context.data();
    let asking = data.hub.status();
    tokio::pin!(asking);
    let status = match data.clock.within(AT_ONCE, &mut asking).await {
        Some(status) => status?,
        None => {
            context.responder.defer().await?;
            asking.await?
        }
    };
    let embed = embed(&status, data.errands.registrar.has_secret(), data.clock.now());
    context.responder.reply(ReplyBody::default().embed(embed).ephemeral()).await?;
    Ok(())
}

/// The reply. Stays within Discord's limits: eleven fields, each at most 1024 characters except the description.
fn embed(status: &SystemStatus, has_secret: bool, now: Timestamp) -> ReplyEmbed {
    let is_well = status.problems.is_empty();
    let color = if is_well { Color::Done } else { Color::Warning };
    let problems = status
        .problems
        .iter()
        .map(|problem| Some(render::literal("⚠️ ").and(render::short(&problem.sentence(), MAX_PROBLEM))));
    let problems = Markdown::join(problems, "\n").cut(MAX_PROBLEMS, Surface::Embed).write(Surface::Embed);
    let mut fields = vec![
        ("Server", server(status), true),
        ("Gateway", gateway(status.gateway), true),
        ("Secret", if has_secret { "set" } else { "not set" }.to_owned(), true),
        ("Endpoint", endpoint(status, has_secret), false),
        ("Database", database(status), false),
        ("Outbox", outbox(status, now), true),
        ("Last event", last_event(status), true),
        ("Last 24 hours", lately(status), true),
    ];
    if let Some(mutes) = mutes(status) {
        fields.push(("Muted", mutes, false));
    }
    if let Some(refusals) = refusals(status) {
        fields.push(("Refused in the last 24 hours", refusals, false));
    }
    ReplyEmbed::new(if is_well { "✅ All is well" } else { "⚠️ Something needs a look" }, problems)
        .color(color.number())
        .fields(fields)
        .footer("nuncio")
        .timestamp(now.to_rfc3339())
}

fn server(status: &SystemStatus) -> String {
    format!("nuncio {}, up {}", status.version, span(status.uptime))
}

fn gateway(gateway: GatewayState) -> String {
    match gateway {
        GatewayState::Off => "off".to_owned(),
        GatewayState::Starting => "connecting".to_owned(),
        GatewayState::Connected { since } => format!("connected {}", ago(since)),
        GatewayState::Lost { since } => format!("lost {}, reconnecting", ago(since)),
        GatewayState::Stopped => "offline until a restart: see the problems".to_owned(),
    }
}

fn endpoint(status: &SystemStatus, has_secret: bool) -> String {
    match &status.endpoint {
        Some(_) if !has_secret => {
            "none: without `WEBHOOK_SECRET` nuncio takes no events of XTSystems".to_owned()
        }
        Some(endpoint) => format!("`POST http://{}{}`", endpoint.address, endpoint.path),
        None => "none".to_owned(),
    }
}

fn database(status: &SystemStatus) -> String {
    let path = render::code(&status.database.display().to_string());
    path.and(render::text(&format!(", {}", bytes(status.database_bytes)))).write(Surface::Embed)
}

fn outbox(status: &SystemStatus, now: Timestamp) -> String {
    let waiting = status.backlog.pending + status.backlog.sending;
    let waiting = match status.oldest {
        Some(oldest) if waiting > 0 => {
            format!("{waiting} waiting, the oldest for {}", span(now.since(oldest)))
        }
        _ if waiting > 0 => format!("{waiting} on their way"),
        _ => "empty".to_owned(),
    };
    match status.backlog.unrouted {
        0 => waiting,
        unrouted => format!("{waiting} · {unrouted} unrouted"),
    }
}

fn last_event(status: &SystemStatus) -> String {
    match &status.newest {
        Some((kind, at)) => format!("{} {}", render::code(kind).write(Surface::Embed), ago(*at)),
        None => "none yet".to_owned(),
    }
}

fn lately(status: &SystemStatus) -> String {
    let tally = status.lately;
    format!("{} accepted · {} delivered · {} dead", tally.accepted, tally.delivered, tally.dead)
}

fn mutes(status: &SystemStatus) -> Option<String> {
    let lines = status.mutes.iter().map(|mute| {
        let until = [render::literal(", ends "), render::moment(mute.until)];
        Some(
            [
                render::short(mute.name(), 60),
                render::literal(" by "),
                render::short(&mute.by, 30),
                until.into(),
            ]
            .into(),
        )
    });
    Some(Markdown::join(lines, "\n").cut(MAX_VALUE, Surface::Embed).write(Surface::Embed))
        .filter(|lines| !lines.is_empty())
}

fn refusals(status: &SystemStatus) -> Option<String> {
    let lines = status.refusals.iter().map(|findings| {
        let sentence =
            findings.sentence.strip_prefix("a webhook was refused: ").unwrap_or(&findings.sentence);
        let last = [render::literal(", last "), render::moment(findings.last_at)];
        let counted = render::number(findings.last_day).and(render::literal(" × "));
        Some(counted.and(render::text(sentence)).and(Markdown::from(last)))
    });
    Some(Markdown::join(lines, "\n").cut(MAX_VALUE, Surface::Embed).write(Surface::Embed))
        .filter(|lines| !lines.is_empty())
}

/// A relative timestamp, which Discord shows as "3 minutes ago".
fn ago(at: Timestamp) -> String {
    format!("<t:{}:R>", at.as_secs())
}

/// "3 d 4 h", "12 min", "7 s".
fn span(span: Duration) -> String {
    let secs = span.as_secs();
    match (secs / 86_400, secs / 3600 % 24, secs / 60 % 60) {
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use insta::assert_snapshot;

    use super::*;
    use crate::hub::{Finding, Findings, Problem, ProblemCode, WebhookEndpoint};
    use crate::model::{Backlog, Tally};
    use crate::model::{Mute, MuteId};

    const NOW: Timestamp = Timestamp::from_secs(1_705_314_600);

    fn refused(sentence: &str, last_day: u64) -> Findings {
        Findings {
            finding: Finding::Mismatch,
            last_hour: 0,
            last_day,
            last_at: NOW,
            sentence: sentence.to_owned(),
            last_from: "192.0.2.1".to_owned(),
            addresses: Vec::new(),
            seconds_behind: None,
        }
    }

    fn status() -> SystemStatus {
        SystemStatus {
            version: "0.1.0",
            uptime: Duration::from_secs(93_784),
            endpoint: Some(WebhookEndpoint {
                address: ([127, 0, 0, 1], 3000).into(),
                path: "/webhooks/xtsystems".to_owned(),
            }),
            database: PathBuf::from("data/nuncio.db"),
            database_bytes: 5 * 1024 * 1024,
            gateway: GatewayState::Connected { since: NOW.minus(Duration::from_secs(60)) },
            backlog: Backlog { pending: 3, sending: 1, dead: 2, unrouted: 5 },
            oldest: Some(NOW.minus(Duration::from_secs(125))),
            newest: Some(("ticket.created".to_owned(), NOW.minus(Duration::from_secs(7)))),
            refusals: vec![refused("a webhook was refused: the signature does not match", 12)],
            mutes: vec![Mute {
                id: MuteId::new(),
                pattern: "alert.*".to_owned(),
                alert: None,
                until: NOW.plus(Duration::from_secs(3600)),
                reason: String::new(),
                by: "Bob".to_owned(),
                since: NOW,
            }],
            lately: Tally { accepted: 40, delivered: 38, dead: 2 },
            problems: vec![Problem::new(
                ProblemCode::ChannelUnusable,
                "Acme_NOC / #alerts: missing Embed Links (denied by role @muted)",
            )],
        }
    }

    fn lines(status: &SystemStatus) -> String {
        let embed = serde_json::to_value(embed(status, true, NOW)).unwrap();
        let fields = embed["fields"].as_array().unwrap().iter();
        let fields = fields.map(|field| {
            format!("{}: {}", field["name"].as_str().unwrap(), field["value"].as_str().unwrap())
        });
        let mut lines = vec![embed["title"].as_str().unwrap().to_owned()];
        lines.push(embed["description"].as_str().unwrap().to_owned());
        lines.extend(fields);
        lines.join("\n")
    }

    #[test]
    fn every_figure_has_its_place() {
        assert_snapshot!(lines(&status()), @r"
        ⚠️ Something needs a look
        ⚠️ Acme\_NOC / #alerts: missing Embed Links (denied by role @muted)
        Server: nuncio 0.1.0, up 1 d 2 h
        Gateway: connected <t:1705314540:R>
        Secret: set
        Endpoint: `POST http://127.0.0.1:3000/webhooks/xtsystems`
        Database: `data/nuncio.db`, 5 MiB
        Outbox: 4 waiting, the oldest for 2 min · 5 unrouted
        Last event: `ticket.created` <t:1705314593:R>
        Last 24 hours: 40 accepted · 38 delivered · 2 dead
        Muted: alert.\* by Bob, ends <t:1705318200:R>
        Refused in the last 24 hours: 12 × the signature does not match, last <t:1705314600:R>
        ");
    }

    #[test]
    fn however_much_there_is_to_tell_it_fits() {
        let mut status = status();
        status.problems =
            vec![Problem::new(ProblemCode::Unrouted, "`*_@everyone https://example.com ".repeat(50)); 500];
        status.refusals = vec![refused(&"*".repeat(500), u64::MAX); 500];
        status.mutes =
            vec![Mute { pattern: "*".repeat(128), by: "_".repeat(100), ..status.mutes[0].clone() }; 99];
        status.newest = Some(("x".repeat(500), NOW));
        status.database = PathBuf::from("`/".repeat(2000));
        let embed = serde_json::to_value(embed(&status, true, NOW)).unwrap();
        let units = |value: &serde_json::Value| value.as_str().unwrap_or_default().encode_utf16().count();
        let fields = embed["fields"].as_array().unwrap();
        assert!(fields.iter().all(|field| (1..=1024).contains(&units(&field["value"]))));
        let sum: usize = fields.iter().map(|field| units(&field["name"]) + units(&field["value"])).sum();
        assert!(sum + units(&embed["description"]) + units(&embed["title"]) < 6000);
        assert!(!embed.to_string().contains("@everyone https"));
    }

    #[test]
    fn without_a_secret_there_is_no_endpoint() {
        let text = serde_json::to_value(embed(&status(), false, NOW)).unwrap().to_string();
        assert!(text.contains("\"not set\"") && text.contains("takes no events of XTSystems"), "{text}");
        assert!(!text.contains("POST http"), "{text}");
    }

    #[rstest::rstest]
    #[case(7, "7 s")]
    #[case(125, "2 min")]
    #[case(7320, "2 h 2 min")]
    #[case(93_784, "1 d 2 h")]
    fn spans(#[case] secs: u64, #[case] text: &str) {
        assert_eq!(span(Duration::from_secs(secs)), text);
    }
}
