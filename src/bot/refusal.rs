//! Refusals in words: why the person lacks access, and who has it; why a request changed nothing.

use crate::bot::text::plain;
use crate::hub::{Error, Refusal};
use crate::store;

/// Why a request changed nothing. `unchanged` is the sentence that says so: "Nothing was muted." An error if the
/// database failed: the caller logs it with a reference.
pub(super) fn sentence(error: Error, unchanged: &str) -> Result<String, store::Error> {
    let why = match error {
        Error::Forbidden(refusal) => return Ok(refused(&refusal)),
        Error::Unavailable(error) => return Err(error),
        Error::NotFound(why) | Error::Invalid { reason: why, .. } => why,
        Error::Conflict(conflict) => conflict.to_string(),
    };
    Ok(format!("{}. {unchanged}", plain(&why)))
}

/// Why a person may not change anything but decisions, and who may.
pub(super) fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotOperator(roles) if roles.is_empty() => {
            "Only members with the permission Manage Server can do this here: ask one of them.".to_owned()
        }
        Refusal::NotOperator(roles) => {
            let names: Vec<String> = roles.iter().take(5).map(|role| format!("<@&{role}>")).collect();
            format!("Only {} can do this: ask one of them.", names.join(" or "))
        }
        Refusal::ForeignGuild(guild) => format!(
            "Commands and buttons do not work in this server: it is not one of the operator's. If it is yours, put its id \
             `{guild}` into DISCORD_GUILD_ID in .env and restart nuncio."
        ),
        Refusal::OperatorGuildUnknown(guild) => format!(
            "nuncio does not know which server is the operator's, so commands and buttons work in none. If it is this one, \
             put its id `{guild}` into DISCORD_GUILD_ID in .env and restart nuncio."
        ),
        Refusal::TooEarly => "nuncio has only just started: please try again in a few seconds.".to_owned(),
        Refusal::TimedOut => {
            "You are in timeout here, so you cannot do this until the timeout is over.".to_owned()
        }
        _ => "This works only in a server.".to_owned(),
    }
}
