//! Role routes of a guild.

use super::Call;
use super::command::object;
use super::reply::Answer;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Permissions, Refusal, RoleChange, World};
use crate::sandbox::discord::validate::Form;

/// Maximum characters of a role's name.
const NAME: usize = 100;

/// The guild's roles: list, or create one.
pub(super) fn all(
    world: &mut World,
    user: Snowflake,
    guild: Snowflake,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    match call.method.as_str() {
        "GET" => {
            let roles = &world.guild(user, guild)?.roles;
            Ok(Answer::json(roles.iter().map(|role| role.object()).collect()))
        }
        "POST" => {
            world.guild(user, guild)?;
            world.make_role(user, guild, change(call)?, now).map(Answer::json)
        }
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// One role: read, change or delete.
pub(super) fn one(
    world: &mut World,
    user: Snowflake,
    (guild, role): (Snowflake, Snowflake),
    call: &Call,
) -> Result<Answer, Refusal> {
    let roles = &world.guild(user, guild)?.roles;
    let known = roles.iter().find(|known| known.id == role).ok_or(Refusal::UnknownRole)?;
    match call.method.as_str() {
        "GET" => Ok(Answer::json(known.object())),
        "PATCH" => world.change_role(user, guild, role, change(call)?).map(Answer::json),
        "DELETE" => world.delete_role(user, guild, role).map(|()| Answer::empty()),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

fn change(call: &Call) -> Result<RoleChange, Refusal> {
    let given = object(call)?;
    let mut form = Form::default();
    let change = RoleChange {
        name: form.text(&given, "name", 0..=NAME),
        permissions: form
            .integer(&given, "permissions", 0..=i64::MAX)
            .map(|bits| Permissions::from_bits(bits.unsigned_abs())),
        mentionable: form.flag(&given, "mentionable"),
    };
    form.finish(change)
}
