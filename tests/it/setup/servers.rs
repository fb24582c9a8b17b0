//! A bot that is in several servers: one of them is the operator's.

use super::rig::{DOWN, ENTER, Rig};
use super::terminal::{answers, questions};

// Controls: with the first of several taken, nobody is asked for it; with the name not compared, `--guild` finds nothing.
#[tokio::test]
async fn with_everything_given_beforehand_the_server_must_be_named() {
    let rig = Rig::set().await;
    let (elsewhere, _) = rig.discord.invite("Customer", "alice", "lobby").unwrap();
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 2 && text.contains("\"Which server is yours\"") && text.contains("--guild ID"), "{text}");
    assert!(text.contains("Nothing was written"), "{text}");
    rig.is_untouched();
    let quiet = ["--no-test", "--no-register"];
    let named = rig.flags(&[&["--guild", "Acme NOC"][..], &quiet].concat());
    let (code, text) = rig.runs(&named, &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let env = rig.dotenv().unwrap();
    assert!(env.contains(&format!("DISCORD_GUILD_ID={}\n", rig.discord.guild_id())), "{env}");
    // The next time it is known.
    let (code, text) = rig.runs(&[&["setup", "--yes"][..], &quiet].concat(), "").await;
    assert!(code == 0 && text.contains("keep: the server Acme NOC"), "{text}");
    // Its id names it as well. The map's channels are in the other one: they are named with it, and kept.
    let id = elsewhere.to_string();
    let (code, text) = rig.runs(&[&["setup", "--yes", "--guild", &id][..], &quiet].concat(), "").await;
    assert!(text.contains("keep: alerts → Acme NOC / #alerts"), "{code}: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_terminal_one_is_chosen_and_its_channels_are_offered() {
    let rig = Rig::set().await;
    let (elsewhere, lobby) = rig.discord.invite("Customer", "alice", "lobby").unwrap();
    let all = questions(&rig);
    let mut terminal = rig.types(&["setup", "--no-test", "--no-register"]);
    answers(&mut terminal, &all[..4]).await;
    terminal.shows("Which server is yours?").await.shows("Customer (").await.types(&format!("{DOWN}{ENTER}"));
    terminal.shows("Channel for tickets:").await.shows("#lobby").await.types(ENTER);
    answers(&mut terminal, &all[5..9]).await;
    terminal.shows("The server has no roles").await;
    answers(&mut terminal, &all[11..]).await;
    let (code, text) = terminal.ends().await;
    assert_eq!(code, 0, "{text}");
    let env = rig.dotenv().unwrap();
    assert!(env.contains(&format!("DISCORD_GUILD_ID={elsewhere}\n")), "{env}");
    assert!(env.contains(&format!("\"default\":[\"{lobby}\"]")), "{env}");
    let alerts = rig.discord.channel_id("alerts").unwrap();
    assert!(!env.contains(&alerts.to_string()) && !text.contains("#alerts"), "{text}");
}
