//! `nuncio setup --again`: everything is asked for, with what is set as the answer of Enter.

use super::rig::{DOWN, ENTER, KEY, Rig, Terminal};

const AGAIN: [&str; 4] = ["setup", "--again", "--no-test", "--no-register"];

async fn up_to_the_channels(rig: &Rig) -> Terminal {
    let (code, text) = rig.runs(&rig.flags(&["--no-test", "--no-register"]), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let mut terminal = rig.types(&AGAIN);
    terminal.shows("Do events come from XTSystems?").await.types(ENTER);
    terminal.shows("Address of XTSystems' API:").await.types(ENTER);
    // Secrets are not shown, so they are typed again.
    terminal.shows("API key of XTSystems:").await.types(&format!("{KEY}{ENTER}"));
    terminal.shows("Token of the Discord bot:").await.types(&format!("{}{ENTER}", rig.token()));
    terminal
}

async fn from_the_roles_on(terminal: &mut Terminal) {
    for question in [
        "Roles that approve and deny machines:",
        "Roles that may do what else changes something",
        "Port to listen on:",
        "Address at which this port is reached from outside:",
    ] {
        terminal.shows(question).await.types(ENTER);
    }
}

// Controls: with no role selected at first, Enter takes the approvers away; with a channel guessed for a group that has none,
// the map grows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enter_at_every_question_changes_nothing() {
    let rig = Rig::set().await;
    let mut terminal = up_to_the_channels(&rig).await;
    let before = rig.dotenv().unwrap();
    for what in ["alerts", "everything else", "tickets", "assets", "machines"] {
        terminal.shows(&format!("Channel for {what}:")).await.types(ENTER);
    }
    from_the_roles_on(&mut terminal).await;
    let (code, text) = terminal.ends().await;
    assert!(code == 0 && text.contains("nothing to change"), "{text}");
    assert_eq!(rig.dotenv().unwrap(), before);
}

// Control: with groups asked for in an empty map alone, tickets are not asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_gets_a_channel_of_its_own_later() {
    let rig = Rig::set().await;
    let mut terminal = up_to_the_channels(&rig).await;
    for what in ["alerts", "everything else"] {
        terminal.shows(&format!("Channel for {what}:")).await.types(ENTER);
    }
    terminal.shows("Channel for tickets:").await.types(&format!("{DOWN}{ENTER}"));
    for what in ["assets", "machines"] {
        terminal.shows(&format!("Channel for {what}:")).await.types(ENTER);
    }
    from_the_roles_on(&mut terminal).await;
    terminal.shows("Do it?").await.types(ENTER);
    let (code, text) = terminal.ends().await;
    assert_eq!(code, 0, "{text}");
    let env = rig.dotenv().unwrap();
    assert!(env.contains("\"ticket.*\":[\"") && !env.contains("asset.*"), "{env}");
    let approvers = rig.discord.role_id("Approvers").unwrap();
    assert!(env.contains(&format!("APPROVER_ROLES={approvers}\n")), "{env}");
}
