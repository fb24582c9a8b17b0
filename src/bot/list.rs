//! Paged lists. The buttons hold the page number, so they work after a restart.

use crate::bot::reply::{ReplyButton, ReplyEmbed, ReplyRow};
use crate::bot::text::glimpse;
use crate::hub::Hub;
use crate::model::{Decision, DeliveryDetails, RowResult, Snowflake};
use crate::render::{self, Color, Surface};
use crate::store::Result;

/// Lines per page: even with every field at its longest, a page fits Discord's 4096 characters of a description.
const LINES: u32 = 10;
/// The last page: people do not go further, and the query's offset stays cheap.
const LAST: u32 = 999;
const WHAT: &str = "page";

/// The content of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Dead letters.
    GivenUp,
    /// Machines without a decision.
    Undecided,
}

/// One page of a list that a person requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListPage {
    pub(super) list: List,
    /// Zero-based.
    pub(super) number: u32,
    /// Who requested the list: only they can turn its pages.
    pub(super) reader: Snowflake,
}

/// A rendered page.
pub(super) struct RenderedPage {
    /// Set if the list is empty.
    pub(super) sentence: Option<&'static str>,
    pub(super) embed: Option<ReplyEmbed>,
    pub(super) buttons: Vec<ReplyRow>,
}

impl List {
    const ALL: [Self; 2] = [Self::GivenUp, Self::Undecided];

    const fn as_str(self) -> &'static str {
        match self {
            Self::GivenUp => "failed",
            Self::Undecided => "pending",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::GivenUp => "Given up, the newest first",
            Self::Undecided => "Waiting for a decision, the oldest first",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::GivenUp => "/deliveries show lists the attempts, /deliveries retry sends one again",
            Self::Undecided => "Decide on their cards, or with /machine approve and /machine deny",
        }
    }

    const fn none(self) -> &'static str {
        match self {
            Self::GivenUp => "Nothing was given up.",
            Self::Undecided => "No machine waits for a decision.",
        }
    }

    async fn lines(self, hub: &Hub, skip: u32, limit: u32) -> Result<Vec<String>> {
        Ok(match self {
            Self::GivenUp => hub.given_up(skip, limit).await?.iter().map(listed).collect(),
            Self::Undecided => hub.undecided_machines(skip, limit).await?.iter().map(undecided).collect(),
        })
    }
}

impl ListPage {
    pub(super) const fn first(list: List, reader: Snowflake) -> Self {
        Self { list, number: 0, reader }
    }

    /// Parses a button's custom id: `v1:page:<list>:<number>:<reader>`.
    pub(super) fn parse(custom_id: &str) -> Option<Self> {
        let mut parts = custom_id.strip_prefix("v1:")?.split(':');
        if parts.next()? != WHAT {
            return None;
        }
        let list = parts.next()?;
        let list = List::ALL.into_iter().find(|known| known.as_str() == list)?;
        let number = parts.next()?.parse().ok().filter(|number| *number <= LAST)?;
        let reader = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { list, number, reader })
    }

    fn custom_id(self) -> String {
        format!("v1:{WHAT}:{}:{}:{}", self.list.as_str(), self.number, self.reader)
    }

    /// Renders the page from the current data. A page that no longer exists shows the first one.
    pub(super) async fn show(mut self, hub: &Hub) -> Result<RenderedPage> {
        let mut lines = self.list.lines(hub, self.number * LINES, LINES + 1).await?;
        if lines.is_empty() && self.number > 0 {
            self.number = 0;
            lines = self.list.lines(hub, 0, LINES + 1).await?;
        }
        if lines.is_empty() {
            return Ok(RenderedPage { sentence: Some(self.list.none()), embed: None, buttons: Vec::new() });
        }
        let is_last = lines.len() <= LINES as usize || self.number == LAST;
        lines.truncate(LINES as usize);
        let footer = format!("Page {} · {}", self.number + 1, self.list.hint());
        let embed =
            ReplyEmbed::new(self.list.title(), lines.join("\n")).color(Color::Info.number()).footer(footer);
        Ok(RenderedPage { sentence: None, embed: Some(embed), buttons: self.buttons(is_last) })
    }

    fn buttons(self, is_last: bool) -> Vec<ReplyRow> {
        let is_first = self.number == 0;
        if is_first && is_last {
            return Vec::new();
        }
        let button = |number: u32, label: &'static str, is_off: bool| {
            let id = Self { number, ..self }.custom_id();
            ReplyButton::secondary(id, label).disabled(is_off)
        };
        // Two buttons of one message need different ids, even if one of them is disabled.
        let (before, after) = (self.number.checked_sub(1).unwrap_or(LAST), self.number + 1);
        let buttons = [button(before, "Previous", is_first), button(after, "Next", is_last)];
        vec![ReplyRow::buttons(buttons)]
    }
}

/// A delivery in one line, corrupt rows included.
pub(super) fn listed(details: &RowResult<DeliveryDetails>) -> String {
    match details {
        Ok(details) => given_up(details),
        Err(row) => format!(
            "{} cannot be read: {}",
            render::code(&row.short()).write(Surface::Embed),
            glimpse(&row.why, 200)
        ),
    }
}

/// A dead letter in one line.
fn given_up(details: &DeliveryDetails) -> String {
    format!(
        "`{}` {} → {}, <t:{}:R>: {}",
        details.id.short(),
        render::code(&details.kind.as_str().chars().take(60).collect::<String>()).write(Surface::Embed),
        glimpse(&details.destination, 40),
        details.received_at.as_secs(),
        details.reason.as_deref().map_or_else(|| "no reason".to_owned(), |why| glimpse(why, 80)),
    )
}

fn undecided(decision: &Decision) -> String {
    format!(
        "🖥️ {} {} asked <t:{}:R>",
        glimpse(&decision.label, 60),
        render::code(&decision.object.chars().take(100).collect::<String>()).write(Surface::Embed),
        decision.asked_at.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::model::{DeliveryId, DestinationId, EventId, Kind, Status};

    const READER: Snowflake = Snowflake::new(7);

    // D-5
    #[test]
    fn only_what_we_write_is_read() {
        for list in List::ALL {
            let page = ListPage { list, number: 12, reader: READER };
            assert_eq!(ListPage::parse(&page.custom_id()), Some(page));
            assert!(
                ListPage { number: LAST, reader: Snowflake::new(u64::MAX), ..page }.custom_id().len() <= 100
            );
        }
        for wrong in [
            "",
            "v1:page:failed:1",
            "v1:page:failed:1:7:8",
            "v1:page:failed:-1:7",
            "v1:page:failed:1000:7",
            "v1:page:failed:99999999999:7",
            "v1:page:all:1:7",
            "v2:page:failed:1:7",
            "v1:pages:failed:1:7",
            "v1:page:failed:1:me",
        ] {
            assert_eq!(ListPage::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_buttons_of_a_page_differ_and_the_ends_are_off() {
        let json = |number, is_last| {
            let rows = ListPage { number, ..ListPage::first(List::GivenUp, READER) }.buttons(is_last);
            serde_json::to_value(rows).unwrap()
        };
        assert_eq!(json(0, true), serde_json::json!([]));
        for (number, is_last, off) in
            [(0, false, [true, false]), (3, false, [false, false]), (3, true, [false, true])]
        {
            let buttons = &json(number, is_last)[0]["components"];
            assert_eq!([&buttons[0]["disabled"], &buttons[1]["disabled"]], [off[0], off[1]]);
            assert_ne!(buttons[0]["custom_id"], buttons[1]["custom_id"]);
        }
    }

    #[test]
    fn a_page_of_the_longest_lines_fits() {
        let details = DeliveryDetails {
            id: DeliveryId::new(),
            event_id: EventId::new(),
            kind: Kind::new(&"a".repeat(128)),
            company: String::new(),
            received_at: Timestamp::from_secs(1_705_314_600),
            destination_id: DestinationId::new(),
            destination: "*".repeat(500),
            sink: None,
            closed: None,
            status: Status::Dead,
            reason: Some("_~".repeat(500)),
            attempts: 5,
            generation: 0,
            due_at: crate::clock::SteadyTime::default(),
            finished_at: None,
        };
        let line = given_up(&details);
        assert!(line.encode_utf16().count() * LINES as usize <= 4000, "{}", line.len());
    }
}
