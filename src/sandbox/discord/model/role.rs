//! Roles of a guild, and changes to them.

use serde_json::{Value, json};

use super::Permissions;
use crate::sandbox::Snowflake;

/// The values for a new role, or a change to one; absent values stay unchanged.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// At most 100 characters.
    pub name: Option<String>,
    /// The permissions it grants.
    pub permissions: Option<Permissions>,
    /// Whether everybody may mention it.
    pub mentionable: Option<bool>,
}

/// A role of a guild.
#[derive(Clone, Debug)]
pub struct Role {
    /// For `@everyone`, the guild's id.
    pub id: Snowflake,
    /// The display name.
    pub name: String,
    /// The permissions it grants.
    pub permissions: Permissions,
    /// Whether everybody may mention it.
    pub mentionable: bool,
    /// Whether it is a bot's own role.
    pub managed: bool,
    /// The position in the hierarchy; 0 is `@everyone`.
    pub position: usize,
}

impl Role {
    /// Discord's role object.
    #[must_use]
    pub fn object(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "permissions": self.permissions, "position": self.position,
            "color": 0, "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
            "hoist": false, "managed": self.managed, "mentionable": self.mentionable, "icon": null, "unicode_emoji": null,
            "flags": 0,
        })
    }
}
