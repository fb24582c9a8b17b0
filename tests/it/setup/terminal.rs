//! The questions, answered at a terminal. Reading it is work: the sandboxes answer on another thread meanwhile.

use nuncio::sandbox::discord::{Permission, Permissions, Setup};

use super::rig::{CTRL_C, CTRL_D, DOWN, ENTER, ESC, KEY, Rig, Terminal, UP};

/// Every question of a first set-up, and the keys that answer it.
pub fn questions(rig: &Rig) -> Vec<(&'static str, String)> {
    let line = |text: &str| format!("{text}{ENTER}");
    vec![
        ("Do events come from XTSystems?", line("")),
        ("Address of XTSystems' API:", line(&rig.xtsystems)),
        ("API key of XTSystems:", line(KEY)),
        ("Token of the Discord bot:", line(&rig.token())),
        ("Channel for tickets:", line("")),
        ("Channel for assets:", line("")),
        ("Channel for machines:", line("")),
        ("Channel for alerts:", line("")),
        ("Channel for everything else:", line("")),
        ("Roles that approve and deny machines:", line(" ")),
        ("Roles that may do what else changes something", line(&format!("{DOWN} "))),
        ("Port to listen on:", line(&rig.port)),
        ("Address at which this port is reached from outside:", line("")),
        ("Do it?", line("")),
    ]
}

pub async fn answers(terminal: &mut Terminal, questions: &[(&str, String)]) {
    for (question, keys) in questions {
        terminal.shows(question).await.types(keys);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_answers_question_after_question_and_sees_a_card() {
    let rig = Rig::set().await;
    let mut terminal = rig.types(&["setup"]);
    answers(&mut terminal, &questions(&rig)).await;
    terminal.shows("Wrote ").await.shows("XTSystems sends its events to").await;
    terminal.shows("saw it in #alerts after").await.shows("Everything works.").await;
    terminal.shows("Start nuncio now?").await.types(&format!("n{ENTER}"));
    let (code, text) = terminal.ends().await;
    assert_eq!(code, 0, "{text}");
    rig.holds_no_secret(&text);
    assert!(text.contains("The bot is in one server, Acme NOC"), "{text}");
    assert!(text.contains("+ DISCORD_TOKEN=••••") && text.contains("+ WEBHOOK_PORT="), "{text}");
    let env = rig.dotenv().unwrap();
    // Each group went to the channel that is called like it.
    for (key, channel) in [
        ("ticket.*", "tickets"),
        ("asset.*", "assets"),
        ("machine.*", "machines"),
        ("alert.*", "alerts"),
        ("default", "general"),
    ] {
        let id = rig.discord.channel_id(channel).unwrap();
        assert!(env.contains(&format!("\"{key}\":[\"{id}\"]")), "{key}: {env}");
    }
    let role = |name| rig.discord.role_id(name).unwrap();
    assert!(env.contains(&format!("APPROVER_ROLES={}\n", role("Approvers"))), "{env}");
    assert!(env.contains(&format!("OPERATOR_ROLES={}\n", role("Operators"))), "{env}");
    assert_eq!(rig.discord.messages(rig.discord.channel_id("alerts").unwrap()).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_at_any_question_changed_nothing() {
    let rig = Rig::set().await;
    let all = questions(&rig);
    for stopped in 0..all.len() {
        let key = [ESC, CTRL_C, CTRL_D][stopped % 3];
        let mut terminal = rig.types(&["setup"]);
        answers(&mut terminal, &all[..stopped]).await;
        terminal.shows(all[stopped].0).await.types(key);
        let (code, text) = terminal.ends().await;
        assert!(code == 1 && text.contains("Stopped. Nothing was written"), "{}: {text}", all[stopped].0);
        rig.is_untouched();
    }
    let mut terminal = rig.types(&["setup"]);
    answers(&mut terminal, &all[..all.len() - 1]).await;
    terminal.shows("Do it?").await.types(&format!("n{ENTER}"));
    let (code, text) = terminal.ends().await;
    assert!(code == 1 && text.contains("Stopped. Nothing was written"), "{text}");
    rig.is_untouched();
}

// Controls: without `is_refused`, `is_key`, the check of what is typed, its trim, or the refusal of port 0 this fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_and_a_wrong_token_are_asked_for_again() {
    let rig = Rig::set().await;
    let all = questions(&rig);
    let mut terminal = rig.types(&["setup", "--no-test"]);
    answers(&mut terminal, &all[..2]).await;
    terminal.shows("API key of XTSystems:").await.types(&format!("another-key{ENTER}"));
    terminal.shows("refuses XTSYSTEMS_API_KEY").await.shows("API key of XTSystems:").await.types(&all[2].1);
    let token = rig.token();
    for (wrong, found) in [
        (format!("Bot {token}"), "begins with \"Bot \""),
        (format!("\"{token}\""), "starts with a double quote"),
        (format!("{} {token}", &token[..4]), "holds a space"),
        (token.replace(|letter: char| letter.is_ascii_lowercase(), "x"), "Discord refuses DISCORD_TOKEN"),
    ] {
        terminal.shows("Token of the Discord bot:").await.types(&format!("{wrong}{ENTER}"));
        terminal.shows(found).await;
    }
    // Blanks around it come of copying.
    terminal.shows("Token of the Discord bot:").await.types(&format!(" {token} {ENTER}"));
    answers(&mut terminal, &all[4..11]).await;
    terminal.shows("Port to listen on:").await.types(&format!("0{ENTER}"));
    terminal.shows("has to be known to whoever sends events").await;
    answers(&mut terminal, &all[11..]).await;
    let (code, text) = terminal.ends().await;
    assert!(code == 0 && text.contains("Wrote "), "{text}");
    rig.holds_no_secret(&text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_xtsystems_that_does_not_answer_can_be_left_out() {
    let rig = Rig::set().await;
    let mut terminal = rig.types(&["setup", "--no-test"]);
    terminal.shows("Do events come from XTSystems?").await.types(ENTER);
    terminal.shows("Address of XTSystems' API:").await.types(&format!("http://127.0.0.1:9{ENTER}"));
    terminal.shows("API key of XTSystems:").await.types(&format!("{KEY}{ENTER}"));
    terminal.shows("cannot be reached").await.shows("What now?").await.types(&format!("{UP}{ENTER}"));
    terminal.shows("Set up without XTSystems").await;
    answers(&mut terminal, &questions(&rig)[3..]).await;
    let (code, text) = terminal.ends().await;
    assert_eq!(code, 0, "{text}");
    assert!(
        rig.dotenv().unwrap().contains("XTSYSTEMS_API_KEY=\n") && rig.platform.recorded_requests().is_empty()
    );
}

// Controls: without `stop.cancelled`, or without Ctrl-D while it waits, this fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setup_goes_on_as_soon_as_the_bot_was_invited() {
    let rig = Rig::set().await;
    rig.discord.kick_bot();
    let all = questions(&rig);
    let mut terminal = rig.types(&["setup", "--no-test"]);
    answers(&mut terminal, &all[..4]).await;
    terminal.shows("The bot is in no server yet").await.shows("permissions=84992").await;
    rig.discord.invite_back(Permissions::from_bits(84_992));
    terminal.types(ENTER);
    answers(&mut terminal, &all[4..]).await;
    assert_eq!(terminal.ends().await.0, 0);
    // Whoever does not wait changed nothing.
    let rig = Rig::set().await;
    rig.discord.kick_bot();
    let mut terminal = rig.types(&["setup"]);
    answers(&mut terminal, &questions(&rig)[..4]).await;
    terminal.shows("permissions=84992").await.signal(rustix::process::Signal::INT);
    let (code, text) = terminal.ends().await;
    assert!(code == 1 && text.contains("Stopped. Nothing was written"), "{text}");
    rig.is_untouched();
    let mut terminal = rig.types(&["setup"]);
    answers(&mut terminal, &questions(&rig)[..4]).await;
    terminal.shows("permissions=84992").await.types(CTRL_D);
    let (code, text) = terminal.ends().await;
    assert!(code == 1 && text.contains("Stopped. Nothing was written"), "{text}");
    rig.is_untouched();
}

// Another's change wins. Controls: without the comparison with `before`, or without the check of a channel's name, this
// fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_somebody_changed_meanwhile_is_left_to_them() {
    let permissions = Permissions::invited().with(Permissions::of(&[Permission::ManageChannels]));
    let rig = Rig::with(Setup { permissions, ..Setup::default() }).await;
    let all = questions(&rig);
    let mut terminal = rig.types(&["setup"]);
    answers(&mut terminal, &all[..7]).await;
    terminal.shows("Channel for alerts:").await.types(&format!("{}{ENTER}", UP.repeat(5)));
    let endless = "x".repeat(101);
    terminal.shows("Name of the new channel:").await.types(&format!("{endless}{ENTER}"));
    terminal.shows("has 1 to 100 characters").await;
    terminal.shows("Name of the new channel:").await.types(&format!("night watch{ENTER}"));
    answers(&mut terminal, &all[8..13]).await;
    terminal.shows("Do it?").await;
    rig.write("# mine\n");
    terminal.types(ENTER);
    let (code, text) = terminal.ends().await;
    assert!(code == 1 && text.contains("somebody else changed it meanwhile"), "{text}");
    assert_eq!(rig.dotenv().unwrap(), "# mine\n");
}

// Control: with `may_make` always true this fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_that_may_make_no_channel_reads_the_list_again() {
    let rig = Rig::set().await;
    let mut terminal = rig.types(&["setup"]);
    answers(&mut terminal, &questions(&rig)[..7]).await;
    terminal.shows("Channel for alerts:").await.shows("read the list again").await;
    rig.discord.add_channel("night-watch");
    terminal.types(&format!("{}{ENTER}", UP.repeat(5)));
    terminal.shows("#night-watch").await.types(ESC);
    let (code, text) = terminal.ends().await;
    assert!(code == 1 && text.contains("Nothing was written"), "{text}");
    rig.is_untouched();
}

// Controls: with any channel taken, or without a second look at it, this fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_without_a_permission_is_named_and_taken_once_it_is_granted() {
    let rig = Rig::set().await;
    let alerts = rig.discord.channel_id("alerts").unwrap();
    rig.discord.deny(alerts, Permission::SendMessages);
    let all = questions(&rig);
    let mut terminal = rig.types(&["setup", "--no-test"]);
    answers(&mut terminal, &all[..7]).await;
    terminal.shows("Channel for alerts:").await.shows("#alerts: missing Send Messages").await.types(ENTER);
    terminal.shows("#alerts: missing Send Messages").await.shows("Choose another, or grant it").await;
    rig.discord.allow(alerts, Permission::SendMessages);
    terminal.shows("Channel for alerts:").await.types(ENTER);
    answers(&mut terminal, &all[8..]).await;
    let (code, text) = terminal.ends().await;
    assert!(code == 0 && rig.dotenv().unwrap().contains(&alerts.to_string()), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_channel_is_made_when_everything_is_agreed_to_and_not_before() {
    let permissions = Permissions::invited().with(Permissions::of(&[Permission::ManageChannels]));
    let rig = Rig::with(Setup { permissions, ..Setup::default() }).await;
    let all = questions(&rig);
    let go = async |agreed: bool| {
        let mut terminal = rig.types(&["setup"]);
        answers(&mut terminal, &all[..7]).await;
        // Above the first is the last.
        let up = UP.repeat(5);
        terminal.shows("Channel for alerts:").await.types(&format!("{up}{ENTER}"));
        terminal.shows("Name of the new channel:").await.types(&format!("night watch{ENTER}"));
        answers(&mut terminal, &all[8..13]).await;
        terminal.shows("the new #night-watch").await.shows("make the channel #night-watch in Acme NOC").await;
        terminal.shows("Do it?").await.types(if agreed { ENTER } else { ESC });
        terminal
    };
    let (code, text) = go(false).await.ends().await;
    assert!(code == 1 && text.contains("Nothing was written"), "{text}");
    assert_eq!(rig.discord.channel_id("night-watch"), None);
    rig.is_untouched();
    let mut terminal = go(true).await;
    terminal.shows("Made the channel #night-watch").await.shows("saw it in").await;
    terminal.shows("Start nuncio now?").await.types(ESC);
    let (code, text) = terminal.ends().await;
    let id = rig.discord.channel_id("night-watch").expect("the channel was made");
    assert!(code == 0 && rig.dotenv().unwrap().contains(&id.to_string()), "{text}");
    assert_eq!(rig.discord.messages(id).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bare_clone_offers_it_at_a_terminal() {
    let rig = Rig::set().await;
    let mut bare = rig.types_bare();
    bare.shows("There is no .env here")
        .await
        .shows("nuncio setup")
        .await
        .shows("nuncio demo")
        .await
        .types(ENTER);
    bare.shows("Do events come from XTSystems?").await.types(ESC);
    let (code, text) = bare.ends().await;
    assert!(code == 1 && text.contains("Nothing was written"), "{text}");
    let mut bare = rig.types_bare();
    bare.shows("What now?").await.types(ESC);
    let (code, text) = bare.ends().await;
    assert!(code == 78 && text.contains("nuncio setup"), "{text}");
    rig.is_untouched();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_may_have_nuncio_serve_at_once() {
    let rig = Rig::set().await;
    let mut terminal = rig.types(&["setup"]);
    answers(&mut terminal, &questions(&rig)).await;
    terminal.shows("Start nuncio now?").await.types(ENTER);
    terminal.shows("is ready").await.signal(rustix::process::Signal::TERM);
    let (code, text) = terminal.ends().await;
    assert!(code == 0 && text.contains("stopped"), "{text}");
}
