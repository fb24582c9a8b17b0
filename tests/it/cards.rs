//! What every kind of event looks like, and that nothing an event says can make a message wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hostile;
mod packing;
mod rules;
mod secret;

use nuncio::clock::Timestamp;
use nuncio::model::{Event, EventId, Kind, Links, Payload, Snowflake, Source};
use nuncio::render::{self, Body, View};
use nuncio::samples;
use serde_json::Value;

/// An event as ingress would make it of `body`, with an id and times that never change.
fn event(kind: &str, company: &str, data: Value) -> Event {
    let occurred_at = Timestamp::from_secs(1_705_314_600);
    let id: EventId = "evt_018d0cd5f04070008000c0ffee123456".parse().unwrap();
    Event {
        id,
        source: Source::XtSystems,
        kind: Kind::new(kind),
        company: company.to_owned(),
        subject: String::new(),
        occurred_at,
        received_at: Timestamp::from_millis(occurred_at.as_millis() + 38),
        data: Payload::parsed(Source::XtSystems, data),
        size: 0,
    }
}

fn sample(kind: &str) -> Event {
    let body: Value = serde_json::from_str(samples::find(kind).unwrap().body).unwrap();
    let company = body.get("company_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    event(kind, &company, body["data"].clone())
}

fn sent(event: &Event, pings: &[Snowflake]) -> Body {
    let view = View { company_name: None, links: &Links::default(), asked: None };
    render::message(&[render::card(event, &view)], pings)
}

#[test]
fn ticket_created() {
    insta::assert_json_snapshot!(sent(&sample("ticket.created"), &[]), @r##"
    {
      "content": "Ticket #1001, high: Network Issue",
      "embeds": [
        {
          "type": "rich",
          "title": "🎫 #1001 Network Issue",
          "description": "high · open · by user@example.com",
          "color": 65535,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · ticket.created · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn ticket_updated() {
    insta::assert_json_snapshot!(sent(&sample("ticket.updated"), &[]), @r##"
    {
      "content": "#1001: high → critical, open → in progress, by Bob (Acme)",
      "embeds": [
        {
          "type": "rich",
          "title": "📝 #1001 Network Issue",
          "description": "priority: high → critical · status: open → in progress\n**Acme** · for Bob · by Bob",
          "fields": [
            {
              "name": "Latest note",
              "value": "The uplink of switch 3 drops every 90 seconds. Replacement is on its way."
            }
          ],
          "color": 16776960,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · ticket.updated · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn ticket_closed() {
    insta::assert_json_snapshot!(sent(&sample("ticket.closed"), &[]), @r##"
    {
      "content": "#1001 closed: Switch 3 replaced; uplink stable for an hour. (Acme)",
      "embeds": [
        {
          "type": "rich",
          "title": "🔒 #1001 Network Issue",
          "description": "**Acme** · closed by Bob · <t:1705323900:R>",
          "fields": [
            {
              "name": "Resolution",
              "value": "Switch 3 replaced; uplink stable for an hour."
            }
          ],
          "color": 3066993,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · ticket.closed · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn asset_created() {
    insta::assert_json_snapshot!(sent(&sample("asset.created"), &[]), @r##"
    {
      "content": "New asset Server-001",
      "embeds": [
        {
          "type": "rich",
          "title": "💻 Server-001",
          "description": "by admin@example.com\nProduction web server",
          "color": 3447003,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · asset.created · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn asset_updated() {
    insta::assert_json_snapshot!(sent(&sample("asset.updated"), &[]), @r##"
    {
      "content": "Asset Server-001: status active → maintenance (Acme)",
      "embeds": [
        {
          "type": "rich",
          "title": "🔧 Server-001",
          "description": "**Acme** · server · maintenance · by admin@example.com\nProduction web server",
          "fields": [
            {
              "name": "Changed",
              "value": "status: active → maintenance\nlocation: Rack 4 → Rack 7"
            }
          ],
          "color": 16776960,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · asset.updated · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn user_created() {
    insta::assert_json_snapshot!(sent(&sample("user.created"), &[]), @r##"
    {
      "content": "New user jane@example.com (Acme)",
      "embeds": [
        {
          "type": "rich",
          "title": "👤 Jane Doe",
          "description": "jane@example.com · **Acme** · company admin",
          "color": 3447003,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · user.created · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn company_created() {
    insta::assert_json_snapshot!(sent(&sample("company.created"), &[]), @r##"
    {
      "content": "New company Acme",
      "embeds": [
        {
          "type": "rich",
          "title": "🏢 Acme",
          "description": "it@acme.example · `https://acme.example` · by admin@example.com",
          "color": 3447003,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · company.created · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn machine_registered() {
    insta::assert_json_snapshot!(sent(&sample("machine.registered"), &[]), @r##"
    {
      "content": "DESKTOP-001 asks to join",
      "embeds": [
        {
          "type": "rich",
          "title": "🖥️ DESKTOP-001 wants to join",
          "description": "`192.168.1.100` · asked <t:1705314600:R>",
          "color": 15105570,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · machine.registered · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn machine_approved() {
    insta::assert_json_snapshot!(sent(&sample("machine.approved"), &[]), @r##"
    {
      "content": "DESKTOP-001 approved (Acme)",
      "embeds": [
        {
          "type": "rich",
          "title": "✅ DESKTOP-001 approved",
          "description": "**Acme** · by admin@example.com · `192.168.1.100` · <t:1705314840:R>",
          "color": 3066993,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · machine.approved · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn alert_triggered() {
    insta::assert_json_snapshot!(sent(&sample("alert.triggered"), &[]), @r##"
    {
      "content": "CRITICAL: Disk full on SRV-DB1 (Acme)",
      "embeds": [
        {
          "type": "rich",
          "title": "🚨 CRITICAL · Disk full",
          "description": "**SRV-DB1** · Acme · first <t:1705309920:R>, ×14\nVolume /var is 97 % full and grows by 1 GB an hour.",
          "fields": [
            {
              "name": "Details",
              "value": "```\nmount: /var\nused_percent: 97\nfree: 3.1 GB\ndevice: /dev/sda3\n```"
            }
          ],
          "color": 15158332,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · alert.triggered · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn webhook_test() {
    insta::assert_json_snapshot!(sent(&sample("webhook.test"), &[]), @r##"
    {
      "content": "Test arrived",
      "embeds": [
        {
          "type": "rich",
          "title": "🧪 Test arrived",
          "description": "XTSystems → here within 1 s\nThis is a test of your webhook.",
          "color": 3066993,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · webhook.test · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}

#[test]
fn a_kind_without_a_card_of_its_own() {
    insta::assert_json_snapshot!(sent(&sample("printer.jammed"), &[]), @r##"
    {
      "content": "printer.jammed (Acme)",
      "embeds": [
        {
          "type": "rich",
          "title": "📨 printer.jammed",
          "description": "**Acme**\nprinter: LJ-4200 (2nd floor)\ntray: 2\nlocation: Office 2.14\npaper: A4\npages waiting: 37\n… 8 more",
          "color": 3447003,
          "timestamp": "2024-01-15T10:30:00Z",
          "footer": {
            "text": "XTSystems · printer.jammed · ee123456"
          }
        }
      ],
      "allowed_mentions": {
        "parse": [],
        "roles": []
      }
    }
    "##);
}
