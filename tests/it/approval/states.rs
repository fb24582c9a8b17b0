//! Every state of a card that asks, as people see it, and as Discord wants it.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tracing::Level;

use super::{GRACE, Stage};
use crate::contract::{description::Description, nothing};
use crate::harness::{Answering, Message};

/// A message as text: what is different every time is left out.
fn picture(state: &str, message: &Message) -> String {
    let (embed, mut text) = (&message.0["embeds"][0], format!("== {state}\n"));
    let say = |text: &mut String, value: &Value| {
        writeln!(text, "{}", masked(value.as_str().unwrap_or_default())).unwrap()
    };
    say(&mut text, &message.0["content"]);
    writeln!(text, "# {} ({})", embed["title"].as_str().unwrap(), color(embed["color"].as_u64())).unwrap();
    say(&mut text, &embed["description"]);
    for field in embed["fields"].as_array().into_iter().flatten() {
        writeln!(text, "{}: {}", field["name"], field["value"]).unwrap();
    }
    let footer = embed["footer"]["text"].as_str().unwrap();
    writeln!(text, "_{}_", footer.rsplit_once(" · ").unwrap().0).unwrap();
    let buttons: Vec<String> = message.buttons().iter().map(|label| format!("[{label}]")).collect();
    writeln!(text, "{}", buttons.join(" ")).unwrap();
    text
}

/// The legend's names.
fn color(number: Option<u64>) -> &'static str {
    match number {
        Some(3_066_993) => "green",
        Some(15_158_332) => "red",
        Some(16_776_960) => "yellow",
        Some(15_105_570) => "orange",
        Some(65_535) => "cyan",
        _ => "another",
    }
}

/// Without the numbers of times, and of how long it took.
fn masked(text: &str) -> String {
    ["<t:", "after "].into_iter().fold(text.to_owned(), |text, mark| {
        let mut pieces = text.split(mark);
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |masked, piece| {
            let rest = piece.trim_start_matches(|letter: char| letter.is_ascii_digit());
            masked + mark.trim_end_matches([':', ' ']) + rest
        })
    })
}

impl Stage {
    async fn wants_to_join(&self, id: &str) -> Message {
        let data = json!({
            "id": id, "hostname": id.to_uppercase(), "ip_address": "192.168.1.100", "operating_system": "Windows 11",
            "company_name": "Acme",
        });
        self.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
        self.t.channel("machines").next_message().await
    }
}

#[tokio::test]
async fn each_state_as_people_see_it_and_as_discord_wants_it() {
    let s = Stage::with(|variables| {
        variables.insert("DECISION_EXPIRY".to_owned(), "24h".to_owned());
        let url = "https://xtsystems.example/machines/{id}".to_owned();
        variables.insert("XTSYSTEMS_MACHINE_URL".to_owned(), url);
    })
    .await;
    s.t.discord.keep_exchanges();
    let mut seen = String::new();

    let card = s.wants_to_join("lab-1").await;
    seen += &picture("pending", &card);
    let data = json!({"id": "lab-1", "hostname": "LAB-1", "company_name": "Acme", "again": 1});
    s.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
    let again = |now: &Message| now.description().contains("×2");
    seen += &picture("asked again", &s.t.channel("machines").becomes(card.id(), "×2", again).await);
    s.clicks("alice", &card, "Approve").await;
    seen += &picture("deciding", &s.says(&card, "⏳").await);
    s.platform.next(1, &Answering::With(503, r#"{"detail":"just now not"}"#));
    s.t.clock.advance(GRACE);
    let waits = |now: &Message| now.description().contains("Attempt 1");
    seen += &picture("no answer yet", &s.t.channel("machines").becomes(card.id(), "Attempt 1", waits).await);
    s.t.clock.advance(GRACE);
    seen += &picture("approved", &s.says(&card, "✅").await);

    let card = s.wants_to_join("lab-2").await;
    s.denies("bob", &card, "not ours").await;
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    seen += &picture("denied", &s.says(&card, "❌").await);
    let data = json!({"id": "lab-2", "hostname": "LAB-2", "again": 1});
    s.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
    let anew = s.t.channel("machines").next_message().await;
    seen += &picture("a new round", &anew);

    for (state, status) in [("refused", 422), ("held", 404)] {
        s.platform.next(1, &Answering::With(status, r#"{"detail":"no licence left"}"#));
        let card = s.wants_to_join(&format!("lab-{state}")).await;
        s.clicks("alice", &card, "Approve").await;
        s.says(&card, "⏳").await;
        s.t.clock.advance(GRACE);
        seen += &picture(state, &s.says(&card, "⚠️").await);
    }
    s.t.log.expect(Level::ERROR, "set XTSYSTEMS_APPROVE");

    let joined = json!({"event_type": "machine.approved", "data": {"id": "lab-2"}});
    s.t.sends_body(joined).await;
    seen += &picture("decided elsewhere", &s.says(&anew, "approved in XTSystems").await);

    let card = s.wants_to_join("lab-9").await;
    s.t.clock.advance(std::time::Duration::from_secs(24 * 3600));
    seen += &picture("expired", &s.says(&card, "⌛").await);

    s.t.sends("ticket_created.json").await;
    let ticket = s.t.channel("tickets").next_message().await;
    seen += &picture("a ticket", &ticket);
    s.t.person("bob").clicks("tickets", &ticket, "Take").await;
    let taken = |now: &Message| now.description().contains("🙋 taken");
    seen += &picture(
        "a ticket that was taken",
        &s.t.channel("tickets").becomes(ticket.id(), "taken", taken).await,
    );
    s.t.settle().await;

    let exchanges = s.t.discord.take_exchanges();
    if let Some(description) = Description::find() {
        // What people do is the sandbox's own.
        let ours = exchanges.iter().filter(|exchange| !exchange.path.ends_with("/interactions"));
        let wrong: Vec<String> = ours.flat_map(|exchange| description.request(exchange)).collect();
        nothing(wrong);
    }
    insta::assert_snapshot!(seen, @r"
    == pending
    LAB-1 asks to join (Acme)
    # 🖥️ LAB-1 wants to join (orange)
    **Acme** · `192.168.1.100` · Windows 11
    _XTSystems · machine.registered_
    [Approve] [Deny] [Details] [Open]
    == asked again
    LAB-1 asks to join (Acme)
    # 🖥️ LAB-1 wants to join (orange)
    **Acme** · `192.168.1.100` · Windows 11
    asked again <t:R>, ×2
    _XTSystems · machine.registered_
    [Approve] [Deny] [Details] [Open]
    == deciding
    ⏳ LAB-1: approved by @Alice
    # ⏳ LAB-1: approved by @Alice (yellow)
    **Acme** · `192.168.1.100` · Windows 11
    telling XTSystems <t:R>
    _XTSystems · machine.registered_
    [Undo]
    == no answer yet
    ⏳ LAB-1: approved by @Alice
    # ⏳ LAB-1: approved by @Alice (yellow)
    **Acme** · `192.168.1.100` · Windows 11
    XTSystems answered 503 Service Unavailable. Attempt 1, next <t:R>.
    _XTSystems · machine.registered_

    == approved
    ✅ LAB-1 approved
    # ✅ LAB-1 approved (green)
    **Acme** · `192.168.1.100` · Windows 11
    approved by @Alice · <t:R> · after s
    XTSystems confirmed
    _XTSystems · machine.registered_
    [Details]
    == denied
    ❌ LAB-2 denied
    # ❌ LAB-2 denied (red)
    **Acme** · `192.168.1.100` · Windows 11
    denied by @Bob · <t:R> · after s
    Reason: *not ours*
    XTSystems confirmed
    _XTSystems · machine.registered_
    [Details]
    == a new round
    LAB-2 asks to join
    # 🖥️ LAB-2 wants to join (orange)
    was denied by @Bob on <t:D>: *not ours*
    _XTSystems · machine.registered_
    [Approve] [Deny] [Details] [Open]
    == refused
    ⚠️ LAB-REFUSED: approved here, not in XTSystems
    # ⚠️ LAB-REFUSED: approved here, **not** in XTSystems (red)
    **Acme** · `192.168.1.100` · Windows 11
    approved by @Alice · <t:R>
    XTSystems said: no licence left
    Fix that in XTSystems, then press Try again
    _XTSystems · machine.registered_
    [Try again] [Details] [Open]
    == held
    ⚠️ LAB-HELD: approved here, not in XTSystems
    # ⚠️ LAB-HELD: approved here, **not** in XTSystems (red)
    **Acme** · `192.168.1.100` · Windows 11
    approved by @Alice · <t:R>
    XTSystems has no POST /v1/machines/…/approve (404: no licence left): set XTSYSTEMS\_APPROVE, restart, then press Try again
    _XTSystems · machine.registered_
    [Try again] [Details] [Open]
    == decided elsewhere
    ✅ LAB-2 approved in XTSystems
    # ✅ LAB-2 approved in XTSystems (green)
    approved there <t:R>
    the buttons here were not used
    _XTSystems · machine.registered_
    [Details]
    == expired
    ⌛ LAB-9: nobody decided in 24 h
    # ⌛ LAB-9: nobody decided in 24 h (yellow)
    **Acme** · `192.168.1.100` · Windows 11
    `/machine approve` still works
    _XTSystems · machine.registered_
    [Details]
    == a ticket
    Ticket #1001, high: Network Issue
    # 🎫 #1001 Network Issue (cyan)
    high · open · by user@example.com
    _XTSystems · ticket.created_
    [Take] [Note…] [Close…]
    == a ticket that was taken
    Ticket #1001, high: Network Issue
    # 🎫 #1001 Network Issue (cyan)
    high · open · by user@example.com
    🙋 taken by @Bob <t:R>
    _XTSystems · ticket.created_
    [Note…] [Close…]
    ");
    s.finish().await;
}
