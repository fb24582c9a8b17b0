//! Replies to clicks: one sentence with what to do next, visible to the person who clicked only.

use crate::bot::refusal;
use crate::bot::reply::ReplyEmbed;
use crate::hub::{ClickOutcome, Conflict, Details, Error, Refusal};
use crate::model::{CallState, Decision, DecisionAction, DecisionKind, Mute, Phase, Snowflake, Verdict};
use crate::render::{self, Markdown, Surface, literal, moment, short};
use crate::store;

pub(super) const UNKNOWN: &str =
    "This button has expired: nuncio does not know it. Use the newest card about the same thing.";

pub(super) const SAMPLE: &str = "This card is a sample: nothing is sent. On a real event this button works.";

/// The process ended before the database committed the click.
pub(super) const CUT_OFF: &str = "nuncio is stopping, and its database was busy: look at the card in a minute, and press \
     again if it has not changed.";

/// Maximum number of roles that a sentence names.
const MOST_ROLES: usize = 5;
const NAME: usize = 60;

/// The reply to a click.
pub(super) enum ClickReply {
    /// No reply: the card shows the result.
    Nothing,
    Sentence(String),
    /// The details of a decision.
    Embed(Box<ReplyEmbed>),
}

/// The reply to a click with this outcome.
pub(super) fn to(clicked: &ClickOutcome) -> ClickReply {
    match clicked {
        ClickOutcome::Replayed => ClickReply::Nothing,
        ClickOutcome::Done(decision) => done(decision),
        ClickOutcome::Muted { mute, already } => ClickReply::Sentence(muted(mute, *already)),
        ClickOutcome::Details(details) => embed(details),
    }
}

/// The reply to a click that changed nothing. An error if the database failed.
pub(super) fn unchanged(press: DecisionAction, error: Error) -> Result<String, store::Error> {
    match error {
        Error::Forbidden(refusal) => Ok(refused(&refusal, press)),
        Error::Conflict(Conflict::Decided(decision)) => Ok(late(press, &decision)),
        error => refusal::sentence(error, "Nothing was changed."),
    }
}

fn done(decision: &Decision) -> ClickReply {
    let name = || short(&decision.label, NAME);
    let sentence: Markdown = match decision.kind {
        DecisionKind::Take => {
            [literal("Telling XTSystems that "), name(), literal(" is yours; the card shows when it is.")]
                .into()
        }
        DecisionKind::Note => [
            literal("Telling XTSystems your note to "),
            name(),
            literal("; the card shows when it is there."),
        ]
        .into(),
        DecisionKind::Close => {
            [literal("Telling XTSystems that "), name(), literal(" is closed; the card shows when it is.")]
                .into()
        }
        DecisionKind::Machine | DecisionKind::Ticket | DecisionKind::Alert => return ClickReply::Nothing,
    };
    ClickReply::Sentence(write(sentence))
}

/// How long an alert is muted, and how to end that.
fn muted(mute: &Mute, already: bool) -> String {
    let name = || short(mute.name(), 2 * NAME);
    let until = mute.until.as_secs();
    if already {
        let by = write([name(), literal(" is muted already, by "), short(&mute.by, NAME)].into());
        return format!("{by}, until <t:{until}:t>: `/unmute` ends it sooner.");
    }
    format!(
        "{} is muted until <t:{until}:t>: only this alert, unless it gets worse. It is kept and summed up then; \
         `/unmute` ends it sooner.",
        write(name()),
    )
}

/// Another person was faster, or it is too late.
fn late(press: DecisionAction, decision: &Decision) -> String {
    let name = || short(&decision.label, NAME);
    let who = || {
        let by =
            decision.decider.as_ref().map(|decider| [literal(" by "), short(&decider.name, NAME)].into());
        let at = decision.decided_at.map(|at| [literal(" "), moment(at)].into());
        Markdown::from([by.unwrap_or_default(), at.unwrap_or_default()])
    };
    let verdict = || literal(if decision.verdict == Verdict::Denied { "denied" } else { "approved" });
    let sentence: Markdown = match (press, decision.kind) {
        (DecisionAction::Undo, DecisionKind::Machine) if decision.phase() == Phase::Pending => {
            [name(), literal(" is open already: there is nothing to undo.")].into()
        }
        (DecisionAction::Undo, DecisionKind::Machine) => [
            literal("Too late to undo: XTSystems is being told that "),
            name(),
            literal(" is "),
            verdict(),
            literal(". Change it in XTSystems."),
        ]
        .into(),
        (DecisionAction::TryAgain | DecisionAction::Resend, _)
            if matches!(decision.platform, CallState::Refused | CallState::Held) =>
        {
            [
                name(),
                literal(": something newer counts. Nothing was sent; use the buttons on its newest card."),
            ]
            .into()
        }
        (DecisionAction::TryAgain | DecisionAction::Resend, _) => {
            [name(), literal(" is on its way to XTSystems, or has arrived there: the card shows which.")]
                .into()
        }
        (DecisionAction::OnIt, _) if decision.verdict == Verdict::Expired => {
            [name(), literal(" has come again since: use the buttons on its newest card.")].into()
        }
        (DecisionAction::OnIt, _) => {
            [literal("Somebody is on it already: it was taken"), who(), literal(".")].into()
        }
        (DecisionAction::Take | DecisionAction::Close, _) => [
            name(),
            literal(": the same is on its way already"),
            who(),
            literal(". The card shows what comes of it."),
        ]
        .into(),
        _ => match decision.phase() {
            Phase::ApprovedUpstream => [name(), literal(" was already approved in XTSystems.")].into(),
            Phase::Expired => [
                literal("Nobody decided on "),
                name(),
                literal(" in time, so its buttons have ended. `/machine approve` still works."),
            ]
            .into(),
            Phase::Pending => {
                [name(), literal(" has asked again since: use the buttons on its newest card.")].into()
            }
            _ => [name(), literal(" was already "), verdict(), who(), literal(".")].into(),
        },
    };
    write(sentence)
}

/// Why the person lacks access, and who has it.
pub(super) fn refused(refusal: &Refusal, press: DecisionAction) -> String {
    let what = match press {
        DecisionAction::Approve | DecisionAction::Deny | DecisionAction::Undo | DecisionAction::TryAgain => {
            "decide about machines"
        }
        DecisionAction::Resend | DecisionAction::Take | DecisionAction::Note | DecisionAction::Close => {
            "change tickets"
        }
        DecisionAction::OnIt | DecisionAction::Mute => "take or mute alerts",
        DecisionAction::Details => "see this",
    };
    match refusal {
        Refusal::NotApprover(roles) | Refusal::NotOperator(roles) if roles.is_empty() => {
            format!("Only members with the permission Manage Server can {what} here: ask one of them.")
        }
        Refusal::NotApprover(roles) | Refusal::NotOperator(roles) => {
            format!("Only {} can {what}: ask one of them.", mentions(roles))
        }
        Refusal::ForeignGuild(_)
        | Refusal::OperatorGuildUnknown(_)
        | Refusal::TooEarly
        | Refusal::NotByKey
        | Refusal::NeedsRole(_)
        | Refusal::OwnersKey => refusal::refused(refusal),
        Refusal::NoGuild => format!("To {what}, use the buttons on the card in its server."),
        Refusal::TimedOut => {
            format!("You are in timeout here, so you cannot {what} until the timeout is over.")
        }
        Refusal::Unknown => UNKNOWN.to_owned(),
        Refusal::Misplaced => {
            "This is not where nuncio posted its card: use the buttons on the original card.".to_owned()
        }
        Refusal::NoKey => {
            "nuncio has no XTSYSTEMS_API_KEY any more, so it could not tell XTSystems: set it, restart \
                           nuncio, and press again."
                .to_owned()
        }
    }
}

/// The database failed to save the click.
pub(super) fn not_kept(reference: &str) -> String {
    format!(
        "The database could not save this, so nothing was done. Press again in a minute; if it fails again, give \
         your operator the code `{reference}`."
    )
}

/// Renders roles as mentions. They show as names and notify no one: replies allow no mentions.
fn mentions(roles: &[Snowflake]) -> String {
    let names: Vec<String> = roles.iter().take(MOST_ROLES).map(|role| format!("<@&{role}>")).collect();
    names.join(" or ")
}

fn embed(details: &Details) -> ClickReply {
    let card = render::details(&details.decision, &details.all, details.event.as_ref());
    let body = render::message(&[card], &[]);
    // A message of one card has one embed.
    let Some(shown) = body.embeds.into_iter().next() else { return ClickReply::Nothing };
    let fields = shown.fields.into_iter().map(|field| (field.name, field.value, false));
    let embed = ReplyEmbed::new(shown.title, shown.description).color(shown.color).fields(fields);
    ClickReply::Embed(Box::new(embed.footer(shown.footer.text)))
}

fn write(sentence: Markdown) -> String {
    sentence.write(Surface::Content)
}
