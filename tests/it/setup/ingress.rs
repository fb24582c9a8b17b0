//! The port, the registration at XTSystems, and the test that arrives there.

use nuncio::secret::Secret;

use crate::recovery;
use crate::setup::rig::Rig;

#[tokio::test]
async fn a_nuncio_that_runs_already_takes_the_test_if_it_has_this_configuration() {
    let rig = Rig::set().await;
    let (code, text) = rig.runs(&rig.flags(&["--no-test"]), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let serving = recovery::Program::of(rig.serves()).await;
    let (code, text) = rig.runs(&["setup", "--yes"], "").await;
    assert!(code == 0 && text.contains("saw it in #alerts after"), "{text}");
    let (code, text) = rig.runs(&["setup", "--yes", "--operator-role", "Operators"], "").await;
    assert!(code == 1 && text.contains("has another configuration. Restart it"), "{text}");
    assert!(rig.dotenv().unwrap().contains("OPERATOR_ROLES=1"));
    assert!(serving.terminate().await.success());
}

// Control: where any nuncio on the port is taken for this one, XTSystems gets this folder's secret, and the other nuncio
// refuses its events.
#[tokio::test]
async fn a_port_of_another_nuncio_is_refused_before_anything_is_changed() {
    let other = Rig::set().await;
    let (code, text) = other.runs(&other.flags(&["--no-test"]), &other.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let serving = recovery::Program::of(other.serves()).await;
    let mut rig = Rig::set().await;
    rig.port.clone_from(&other.port);
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 1 && text.contains("by another nuncio, which has another key"), "{text}");
    rig.is_untouched();
    assert!(serving.terminate().await.success());
}

#[tokio::test]
async fn a_webhook_that_sends_elsewhere_is_named_before_it_is_moved() {
    let rig = Rig::set().await;
    rig.platform.add_webhook("Discord Bot Integration", "http://localhost:9/old", Secret::new("x"));
    let (code, text) = rig.runs(&rig.flags(&["--no-test"]), &rig.secrets()).await;
    assert!(code == 0 && text.contains("and no longer to http://localhost:9/old"), "{text}");
    // Near miss: once it sends here, nothing is moved.
    let (code, text) = rig.runs(&["setup", "--yes", "--no-test"], "").await;
    assert!(
        code == 0 && text.contains("have XTSystems send its events here") && !text.contains("no longer"),
        "{text}"
    );
}

#[tokio::test]
async fn a_port_that_another_program_has_is_refused() {
    let mut rig = Rig::set().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    rig.port = other.local_addr().unwrap().port().to_string();
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 1 && text.contains(&format!("Port {} is in use", rig.port)), "{text}");
    rig.is_untouched();
}

// XTSystems is reached through a proxy here, and so it is on no address of this machine.
#[tokio::test]
async fn xtsystems_elsewhere_is_given_no_address_that_it_cannot_reach() {
    let mut rig = Rig::set().await;
    let proxy = std::mem::replace(&mut rig.xtsystems, "http://xtsystems.invalid".to_owned());
    rig.sets("http_proxy", &proxy);
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 1 && text.contains("so it cannot reach http://localhost:"), "{text}");
    assert!(text.contains("--public-url") && text.contains("Nothing was written"), "{text}");
    rig.is_untouched();
}

#[tokio::test]
async fn a_test_that_does_not_arrive_everywhere_is_no_success() {
    let rig = Rig::set().await;
    let (code, text) = rig.runs(&rig.flags(&["--no-test"]), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = rig.runs(&["mute", "alert.*", "--for", "1h", "--anyway"], "").await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = rig.runs(&["setup", "--yes"], "").await;
    assert!(code == 1 && text.contains("that kind is muted") && !text.contains("Everything works"), "{text}");
    assert_eq!(rig.runs(&["unmute", "alert.*"], "").await.0, 0);
    let (code, text) = rig.runs(&["setup", "--yes", "--public-url", "http://127.0.0.1:9"], "").await;
    assert!(code == 1 && text.contains("XTSystems does not reach nuncio at http://127.0.0.1:9/"), "{text}");
    let tickets = rig.discord.channel_id("tickets").unwrap();
    let map = format!("DISCORD_WEBHOOK_CHANNELS='{{\"ticket.*\":[\"{tickets}\"],\"default\":[]}}'");
    let is_map = |line: &str| line.starts_with("DISCORD_WEBHOOK_CHANNELS=");
    let env = rig.dotenv().unwrap();
    let lines = env.lines().map(|line| if is_map(line) { &map } else { line });
    rig.write(&lines.map(|line| format!("{line}\n")).collect::<String>());
    let (code, text) = rig.runs(&["setup", "--yes"], "").await;
    assert!(code == 1 && text.contains("goes nowhere: nothing in the map matches alert.triggered"), "{text}");
}
