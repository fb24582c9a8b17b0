//! Roles: made, changed and deleted by those who may manage them.

use serde_json::{Value, json};

use super::Permissions;
use crate::model::Snowflake;

/// What a role is made with, or what is changed of it; what is absent is left alone.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// The name.
    pub name: Option<String>,
    /// What it adds.
    pub permissions: Option<Permissions>,
    /// Whether anybody may mention it.
    pub mentionable: Option<bool>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// The id.
    pub id: Snowflake,
    /// The name.
    pub name: String,
    /// What it adds.
    pub permissions: Permissions,
    /// Whether anybody may mention it.
    pub mentionable: bool,
    /// Whether it belongs to a bot.
    pub managed: bool,
    /// Its place, 0 for `@everyone`.
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
