//! A setup that fails after it made channels: what is there already is named, and the next run goes on from it.

use nuncio::sandbox::discord::{Permission, Permissions, Setup};

use super::rig::{ENTER, Rig, Terminal, UP};
use super::terminal::{answers, questions};

async fn rig() -> Rig {
    let permissions = Permissions::invited().with(Permissions::of(&[Permission::ManageChannels]));
    Rig::with(Setup { permissions, ..Setup::default() }).await
}

/// Answers everything, with a new channel for alerts, up to the last question.
async fn up_to_do_it(rig: &Rig, is_there: bool) -> Terminal {
    let all = questions(rig);
    let mut terminal = rig.types(&["setup", "--no-test"]);
    answers(&mut terminal, &all[..7]).await;
    // Above the first is the last.
    let up = UP.repeat(5);
    terminal.shows("Channel for alerts:").await.types(&format!("{up}{ENTER}"));
    terminal.shows("Name of the new channel:").await.types(&format!("night watch{ENTER}"));
    if is_there {
        terminal.shows("There is a channel #night-watch already: it is used.").await;
    }
    answers(&mut terminal, &all[8..13]).await;
    terminal.shows("Do it?").await;
    terminal
}

fn channels_made(rig: &Rig) -> usize {
    let requests = rig.discord.requests();
    requests.iter().filter(|asked| asked.method == "POST" && asked.path.ends_with("/channels")).count()
}

// Controls: without `with_channels`, the message does not name the channel; without the look at the names that are there, the
// second run makes another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_before_env_could_not_be_written_is_used_by_the_next_run() {
    let mut rig = rig().await;
    rig.belongs_to_nobody();
    let mut terminal = up_to_do_it(&rig, false).await;
    rig.is_open(false);
    terminal.types(ENTER);
    let (code, text) = terminal.ends().await;
    assert!(code == 1 && text.contains("could not be written ("), "{text}");
    // A terminal breaks lines.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "In Acme NOC, setup already made #night-watch: the next run uses it if you give the same name."
        ),
        "{text}"
    );
    assert!(rig.dotenv().is_none() && rig.platform.recorded_requests().is_empty(), "{text}");
    let id = rig.discord.channel_id("night-watch").expect("the channel was made");
    rig.is_open(true);
    let mut terminal = up_to_do_it(&rig, true).await;
    terminal.types(ENTER);
    let (code, text) = terminal.ends().await;
    assert!(code == 0 && !text.contains("make the channel"), "{text}");
    assert!(rig.dotenv().unwrap().contains(&format!("\"alert.*\":[\"{id}\"]")), "{text}");
    assert_eq!(channels_made(&rig), 1);
}

// Control: without the look before `make_channels`, the channel is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_env_that_somebody_else_changes_meanwhile_ends_it_before_anything_is_made() {
    let rig = rig().await;
    let mut terminal = up_to_do_it(&rig, false).await;
    rig.write("# theirs\n");
    terminal.types(ENTER);
    let (code, text) = terminal.ends().await;
    assert!(code == 1 && text.contains("somebody else changed it meanwhile"), "{text}");
    assert_eq!((rig.dotenv().unwrap().as_str(), channels_made(&rig)), ("# theirs\n", 0));
}
