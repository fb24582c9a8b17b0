//! Users: people and bots.

use serde_json::{Value, json};

use crate::sandbox::Snowflake;

/// A Discord account.
#[derive(Clone, Debug)]
pub struct User {
    /// For a bot, also its application's id.
    pub id: Snowflake,
    /// The unique user name.
    pub username: String,
    /// The display name; clients show the user name if it is `None`.
    pub display: Option<String>,
    /// Whether it is an application's bot.
    pub bot: bool,
}

impl User {
    /// Discord's user object, with every key that the strictest client library requires.
    #[must_use]
    pub fn object(&self) -> Value {
        let mut object = json!({
            "id": self.id, "username": self.username, "avatar": null,
            "discriminator": if self.bot { "4242" } else { "0" }, "public_flags": 0, "flags": 0, "banner": null,
            "accent_color": null, "global_name": self.display, "avatar_decoration_data": null,
            "collectibles": null, "primary_guild": null,
        });
        if self.bot {
            object["bot"] = true.into();
        }
        object
    }

    /// [`User::object`] as the user itself sees it at `/users/@me`.
    #[must_use]
    pub fn own_object(&self) -> Value {
        let mut object = self.object();
        object["mfa_enabled"] = true.into();
        object["locale"] = "en-US".into();
        object["premium_type"] = 0.into();
        object["email"] = Value::Null;
        object["verified"] = true.into();
        object
    }
}
