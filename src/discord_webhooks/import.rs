//! The import of the old dispatcher's webhooks: each address is read strictly, looked at, and stored once.
//!
//! The sources differ only in how they are read: all of them become JSON objects, whose names are compared without case
//! and underscores. What cannot be stored is named with its place and the reason, and stops nothing else.

mod csv;
mod postgres;
mod row;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::discord_webhooks::{DiscordWebhooks, Look};
use crate::hub::{Conflict, Error};
use crate::model::{By, LostWebhook, StoredWebhook};
use crate::store;

pub use csv::read_csv;
pub use postgres::read_postgres;
pub use row::{Candidate, ImportOptions};

/// How often an address is looked at before it counts as not reachable.
const TRIES: u32 = 3;
/// The wait between two looks.
const AGAIN: Duration = Duration::from_secs(2);

/// A source that is no list of webhooks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableSource(pub(crate) String);

/// Reads webhooks from JSON: a list of rows, an older setting `discord_webhooks`, or names with addresses.
///
/// # Errors
/// If it is no JSON, or holds nothing that looks like a webhook.
pub fn read_json(text: &str) -> Result<Vec<Value>, UnreadableSource> {
    // The parser's own message may repeat an address.
    let value = serde_json::from_str(text).map_err(|error| {
        UnreadableSource(format!("it is not JSON (line {}, column {})", error.line(), error.column()))
    })?;
    let rows = row::rows(value);
    match rows.is_empty() {
        true => Err(UnreadableSource(
            "it holds no webhook: rows with webhookUrl, name, type and scope are expected".to_owned(),
        )),
        false => Ok(rows),
    }
}

/// Counts of an import, and what could not be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Discord knows them.
    pub alive: u64,
    /// Deleted in Discord.
    pub deleted: u64,
    /// Discord refuses their token.
    pub refused: u64,
    /// Discord could not be asked about them.
    pub unreachable: u64,
    /// Led through a proxy, and lead to Discord now.
    pub rewritten: u64,
    /// Stored before, or twice in the source.
    pub known: u64,
    /// Stored now.
    pub stored: u64,
    /// Types that nuncio does not know: stored as CUSTOM.
    pub retyped: u64,
    /// What cannot be stored: where, and why.
    pub faults: Vec<String>,
}

impl ImportReport {
    /// The counts in one line: `41 alive, 3 deleted at Discord, 2 through your proxy: rewritten`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = format!("{} alive", self.alive);
        let counts = [
            (self.deleted, " deleted at Discord"),
            (self.refused, " whose token Discord refuses"),
            (self.unreachable, " that could not be looked at"),
            (self.rewritten, " through your proxy: rewritten"),
            (self.known, " stored already"),
            (self.retyped, " of an unknown type: CUSTOM"),
            (u64::try_from(self.faults.len()).unwrap_or(u64::MAX), " that cannot be stored"),
        ];
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            let _ = write!(text, ", {count}{what}");
        }
        text
    }
}

/// Imports candidates one after the other.
pub struct Importer<'a> {
    webhooks: &'a DiscordWebhooks,
    /// What is stored already, or was seen in this source: company, owner and address.
    known: HashSet<(String, String, String)>,
    /// Whether it only looks.
    is_dry: bool,
    by: &'a By,
    report: ImportReport,
}

impl<'a> Importer<'a> {
    /// An importer; with `is_dry` it stores nothing.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn new(webhooks: &'a DiscordWebhooks, is_dry: bool, by: &'a By) -> store::Result<Self> {
        let stored = webhooks.hub().webhooks().await?;
        let known = stored.iter().map(key).collect();
        Ok(Self { webhooks, known, is_dry, by, report: ImportReport::default() })
    }

    /// Takes one row of the source.
    ///
    /// # Errors
    /// If the database failed. What is wrong with the row is in the report.
    pub async fn take(&mut self, place: &str, row: &Value, options: &ImportOptions) -> store::Result<()> {
        let webhooks = self.webhooks;
        let candidate = match Candidate::read(row, options, |text| webhooks.parse(text)) {
            Ok(candidate) => candidate,
            Err(why) => {
                self.report.faults.push(format!("{place}: {why}"));
                return Ok(());
            }
        };
        self.report.rewritten += u64::from(candidate.is_rewritten);
        self.report.retyped += u64::from(candidate.is_retyped);
        let (about, url) = (candidate.about, candidate.url);
        if !self.known.insert((about.company.clone(), about.owner.clone(), url.mark().stored())) {
            self.report.known += 1;
            return Ok(());
        }
        let identity = match self.look(&url).await {
            Look::Known(identity) => {
                self.report.alive += 1;
                Some(identity)
            }
            Look::Lost(LostWebhook::Deleted, _) => {
                self.report.deleted += 1;
                return Ok(());
            }
            Look::Lost(LostWebhook::TokenRefused, _) => {
                self.report.refused += 1;
                return Ok(());
            }
            Look::Unreachable(_) => {
                self.report.unreachable += 1;
                None
            }
        };
        let kept = match self.is_dry {
            true => webhooks.hub().checked_webhook(about, &url, self.by).await.map(|_| false),
            false => webhooks.hub().add_webhook(about, &url, identity, None, self.by).await.map(|_| true),
        };
        match kept {
            Ok(stored) => self.report.stored += u64::from(stored),
            Err(Error::Conflict(Conflict::Stored(_))) => self.report.known += 1,
            Err(Error::Unavailable(error)) => return Err(error),
            Err(error) => self.report.faults.push(format!("{place}: {error}")),
        }
        Ok(())
    }

    /// What became of the rows.
    #[must_use]
    pub fn finish(self) -> ImportReport {
        self.report
    }

    /// Looks at an address, again after a while if Discord asks for it.
    async fn look(&self, url: &crate::model::WebhookUrl) -> Look {
        let mut tries = 1;
        loop {
            match self.webhooks.look(url).await {
                Look::Unreachable(_) if tries < TRIES => {
                    tries += 1;
                    self.webhooks.clock.sleep(AGAIN).await;
                }
                look => return look,
            }
        }
    }
}

fn key(webhook: &StoredWebhook) -> (String, String, String) {
    (webhook.about.company.clone(), webhook.about.owner.clone(), webhook.mark.stored())
}
