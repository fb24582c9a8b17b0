//! In-doubt messages: begun, with an unknown outcome.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{
    Action, CorruptRow, Delivery, DeliveryId, DestinationId, Form, Message, MessageId, Nonce, PostedAfter,
    Snowflake,
};
use crate::store::corrupt;
use crate::store::delivery::{self, COLUMNS};
use crate::store::sql::{Row, query};
use crate::store::{Error, Result, Store};

/// The unfinished messages that a lane finds.
#[derive(Debug, Default)]
pub struct InDoubt {
    /// The messages, oldest first, with their deliveries.
    pub messages: Vec<Message>,
    /// The corrupt messages.
    pub corrupt_rows: Vec<CorruptRow>,
    /// The corrupt deliveries of readable messages.
    pub lost: Vec<CorruptRow>,
}

impl Store {
    /// Returns the messages of a lane that may or may not have arrived.
    pub async fn open_messages(&self, destination: DestinationId) -> Result<InDoubt> {
        let rows = query(
            "SELECT rowid AS place, id, destination_id, nonce, action, edits, form, pings, created_at, planned_at, ambiguous_since, \
             settling, maybe_duplicate, posted_after, discord_time, \
             (SELECT COUNT(*) FROM attempts WHERE message_id = messages.id) AS attempts \
             FROM messages WHERE destination_id = $1 AND state = 'sending' ORDER BY id",
        )
        .bind(destination)
        .fetch_all(self.read())
        .await?;
        let mut found = InDoubt::default();
        for row in &rows {
            let mut message = match corrupt::decode::<MessageId, _>(row, read)? {
                Ok(message) => message,
                Err(row) => {
                    found.corrupt_rows.push(row);
                    continue;
                }
            };
            if message.form != Form::Digest {
                let (deliveries, lost) = self.on_their_way(&message).await?;
                message.deliveries = deliveries;
                let nothing_left = message.deliveries.is_empty() && !lost.is_empty();
                found.lost.extend(lost);
                if nothing_left {
                    found.corrupt_rows.push(corrupt::of::<MessageId>(
                        row,
                        "nothing that it carries can be read".to_owned(),
                    )?);
                    continue;
                }
            }
            found.messages.push(message);
        }
        Ok(found)
    }

    async fn on_their_way(&self, message: &Message) -> Result<(Vec<Delivery>, Vec<CorruptRow>)> {
        let rows = query(format!(
            "SELECT {COLUMNS} FROM deliveries WHERE message_id = $1 AND status = 'sending' ORDER BY id"
        ))
        .bind(message.id)
        .fetch_all(self.read())
        .await?;
        corrupt::partition::<DeliveryId, _>(&rows, delivery::read)
    }
}

fn read(row: &Row) -> Result<Message> {
    let form: String = row.try_get("form")?;
    let (action, edits): (String, Option<String>) = (row.try_get("action")?, row.try_get("edits")?);
    let pings: String = row.try_get("pings")?;
    let created_at = Timestamp::from_millis(row.try_get("created_at")?);
    let millis = |column| Ok::<_, Error>(row.try_get::<Option<i64>>(column)?.map(Timestamp::from_millis));
    Ok(Message {
        id: row.try_get("id")?,
        destination_id: row.try_get("destination_id")?,
        nonce: Nonce::stored(row.try_get("nonce")?),
        action: Action::from_parts(&action, edits.as_deref())
            .ok_or_else(|| Error::Corrupt(format!("a message action {action:?} {edits:?}")))?,
        form: Form::from_word(&form).ok_or_else(|| Error::Corrupt(format!("a message form {form:?}")))?,
        pings: pings.split(',').filter_map(|id| id.parse::<Snowflake>().ok()).collect(),
        deliveries: Vec::new(),
        late: None,
        no_buttons: None,
        through: None,
        replies: Vec::new(),
        settling: row.try_get("settling")?,
        shows: Vec::new(),
        tags: Vec::new(),
        created_at,
        planned_at: SteadyTime::from_millis(row.try_get("planned_at")?),
        posted_after: PostedAfter { message: row.try_get("posted_after")?, time: millis("discord_time")? },
        tried_at: None,
        attempts: u32::try_from(row.try_get::<i64>("attempts")?).unwrap_or(u32::MAX),
        maybe_duplicate: row.try_get("maybe_duplicate")?,
        // No outcome was recorded: the process that began it may have sent it.
        ambiguous_since: Some(millis("ambiguous_since")?.unwrap_or(created_at)),
    })
}
