//! Parsing Discord interactions into clicks: which person clicked which button, and where.

use serenity::all::{
    ActionRowComponent, ComponentInteraction, ComponentInteractionDataKind, ModalInteraction,
};

use crate::bot::person::person;
use crate::clock::Clock;
use crate::hub::{Click, ClickOrigin};
use crate::model::{DecisionAction, Snowflake, Token};

const VERSION: &str = "v1";

/// Parses the custom id of a decision's button or dialog: `v1:<press>:<token>`.
fn parse(custom_id: &str) -> Option<(DecisionAction, Token)> {
    let mut parts = custom_id.split(':');
    let (version, press, token) = (parts.next()?, parts.next()?, parts.next()?);
    let press = DecisionAction::ALL.into_iter().find(|known| known.as_str() == press)?;
    (version == VERSION && parts.next().is_none()).then(|| Some((press, token.parse().ok()?)))?
}

/// Whether a custom id has the format of a decision's button, of any version. Then no other handler answers it.
pub(super) fn is_ours(custom_id: &str) -> bool {
    let mut parts = custom_id.split(':');
    let (version, press) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_version = version.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
    let is_known = DecisionAction::ALL.iter().any(|known| known.as_str() == press);
    is_version && (is_known || version != VERSION) || !custom_id.contains(':')
}

/// Parses a click on a decision's button; `None` if the button is another one.
pub(super) fn of_button(component: &ComponentInteraction, bot: u64, clock: &Clock) -> Option<Click> {
    if !matches!(component.data.kind, ComponentInteractionDataKind::Button) {
        return None;
    }
    let (press, token) = parse(&component.data.custom_id)?;
    let author = component.message.author.id.get();
    let is_ours =
        (author == component.application_id.get() || author == bot) && component.message.webhook_id.is_none();
    Some(Click {
        interaction: Snowflake::new(component.id.get()),
        person: person(&component.user, component.member.as_ref(), component.guild_id, clock),
        press,
        token,
        place: Some(ClickOrigin {
            channel: Snowflake::new(component.channel_id.get()),
            message: Some(Snowflake::new(component.message.id.get())),
            is_ours,
        }),
        text: None,
    })
}

/// Parses a submitted dialog; `None` if the dialog is another one.
pub(super) fn of_dialog(modal: &ModalInteraction, clock: &Clock) -> Option<Click> {
    let (press, token) = parse(&modal.data.custom_id)?;
    Some(Click {
        interaction: Snowflake::new(modal.id.get()),
        person: person(&modal.user, modal.member.as_ref(), modal.guild_id, clock),
        press,
        token,
        place: Some(ClickOrigin {
            channel: Snowflake::new(modal.channel_id.get()),
            message: modal.message.as_ref().map(|message| Snowflake::new(message.id.get())),
            is_ours: true,
        }),
        text: text_of(modal).map(|text| text.trim().to_owned()),
    })
}

/// The text typed into a dialog.
pub(super) fn text_of(modal: &ModalInteraction) -> Option<String> {
    let mut components = modal.data.components.iter().flat_map(|row| &row.components);
    components.find_map(|component| match component {
        ActionRowComponent::InputText(input) => input.value.clone(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // D-5
    #[test]
    fn only_what_we_write_is_read() {
        let token = Token::random();
        for press in DecisionAction::ALL {
            assert_eq!(
                parse(&format!("v1:{}:{}", press.as_str(), token.as_str())),
                Some((press, token.clone()))
            );
        }
        for wrong in [
            String::new(),
            "approve".to_owned(),
            format!("v2:approve:{}", token.as_str()),
            format!("v1:approved:{}", token.as_str()),
            format!("v1:approve:{}x", token.as_str()),
            format!("v1:approve:{}:x", token.as_str()),
            format!("V1:approve:{}", token.as_str()),
            format!("v1:approve:{}", token.as_str().to_uppercase()),
            "v1:approve:".to_owned(),
            "v1::".to_owned(),
            "x".repeat(100),
            ":".repeat(100),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong:?}");
        }
    }
}
