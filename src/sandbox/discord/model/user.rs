//! Users: people and the bot.

use serde_json::{Value, json};

use crate::model::Snowflake;

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct User {
    /// The id.
    pub id: Snowflake,
    /// The unique user name.
    pub username: String,
    /// The name that is shown; the user name if there is none.
    pub display: Option<String>,
    /// Whether an application speaks through it.
    pub bot: bool,
}

impl User {
    /// Discord's user object, with every key that the strictest client library wants.
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

    /// The same as the user sees it at `/users/@me`.
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
