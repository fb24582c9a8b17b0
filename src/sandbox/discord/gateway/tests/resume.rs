//! How connections end, and whether their sessions can be resumed.

use std::time::Duration;

use rstest::rstest;

use super::client::{Client, Stage};
use crate::sandbox::discord::{Discord, Gateway, Permission};

/// Makes cheap changes that bots receive as events.
fn changes(discord: &Discord, times: usize) {
    let channel = discord.channel_id("alerts").unwrap();
    for _ in 0..times {
        discord.deny(channel, Permission::AttachFiles);
    }
}

#[derive(Clone, Copy, Debug)]
enum How {
    Cut,
    Closed(u16),
    Reconnect,
    Invalid(bool),
    ByClient(u16),
}

/// Ends the client's connection; returns the session id and sequence number for a resume.
async fn end(gateway: &Gateway, mut client: Client, how: How) -> (String, u64) {
    let known = (client.session.clone(), client.seq);
    match how {
        How::Cut => {
            gateway.cut_all();
            assert_eq!(client.closed().await, None);
        }
        How::Closed(code) => {
            gateway.close_all(code);
            assert_eq!(client.closed().await, Some(code));
        }
        How::Reconnect => {
            gateway.reconnect_all();
            client.op(7).await;
            client.close(4000).await;
        }
        How::Invalid(resumable) => {
            gateway.invalidate_all(resumable);
            assert_eq!(client.op(9).await, resumable);
            client.close(4000).await;
        }
        How::ByClient(code) => client.close(code).await,
    }
    known
}

#[rstest]
#[case(How::Cut)]
#[case(How::Closed(4000))]
#[case(How::Closed(4008))]
#[case(How::Closed(1000))]
#[case(How::Closed(1001))]
#[case(How::Reconnect)]
#[case(How::Invalid(true))]
#[case(How::ByClient(4000))]
#[case(How::ByClient(3000))]
#[tokio::test]
async fn nothing_is_missed_and_nothing_comes_twice_after(#[case] how: How) {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    t.says("nuncio", "tickets", "one");
    client.event("MESSAGE_CREATE").await;
    let gateway = t.discord.gateway();
    let (session, seq) = end(&gateway, client, how).await;
    t.discord.wait_until(|discord| (discord.gateway().connections() == 0).then_some(())).await;
    t.says("nuncio", "tickets", "two");
    t.says("nuncio", "tickets", "three");
    let mut client = t.resume_at(&session, seq).await;
    assert_eq!(client.event("MESSAGE_CREATE").await["content"], "two");
    assert_eq!(client.event("MESSAGE_CREATE").await["content"], "three");
    client.event("RESUMED").await;
    t.says("nuncio", "tickets", "four");
    assert_eq!(client.event("MESSAGE_CREATE").await["content"], "four");
    assert_eq!(client.seq, 7);
    assert_eq!((gateway.identifies(), gateway.resumes()), (1, 1));
    assert_eq!(gateway.sessions(), [session]);
    t.end([client]).await;
}

#[rstest]
#[case(How::Closed(4007))]
#[case(How::Closed(4009))]
#[case(How::Invalid(false))]
#[case(How::ByClient(1000))]
#[case(How::ByClient(1001))]
#[tokio::test]
async fn a_new_session_is_needed_after(#[case] how: How) {
    let t = Stage::start().await;
    let client = t.log_in().await;
    let (session, seq) = end(&t.discord.gateway(), client, how).await;
    let mut client = t.resume_at(&session, seq).await;
    assert_eq!(client.op(9).await, false);
    t.end([client]).await;
}

#[tokio::test]
async fn a_session_waits_for_three_minutes() {
    let t = Stage::start().await;
    let client = t.log_in().await;
    let (session, seq) = end(&t.discord.gateway(), client, How::Cut).await;
    t.clock.advance(Duration::from_secs(170));
    let mut client = t.resume_at(&session, seq).await;
    client.event("RESUMED").await;
    let (session, seq) = end(&t.discord.gateway(), client, How::Cut).await;
    t.clock.advance(Duration::from_secs(181));
    let mut client = t.resume_at(&session, seq).await;
    assert_eq!(client.op(9).await, false);
    t.end([client]).await;
}

#[tokio::test]
async fn a_sequence_number_from_the_future_is_refused() {
    let t = Stage::start().await;
    let client = t.log_in().await;
    let (session, seq) = end(&t.discord.gateway(), client, How::Cut).await;
    let mut client = t.resume_at(&session, seq + 1).await;
    assert_eq!(client.closed().await, Some(4007));
    t.end([]).await;
}

#[tokio::test]
async fn a_session_can_be_resumed_again_from_the_same_place() {
    let t = Stage::start().await;
    let client = t.log_in().await;
    let (session, seq) = end(&t.discord.gateway(), client, How::Cut).await;
    t.says("nuncio", "tickets", "one");
    for _ in 0..3 {
        let mut client = t.resume_at(&session, seq).await;
        assert_eq!(client.event("MESSAGE_CREATE").await["content"], "one");
        client.event("RESUMED").await;
        client.beats().await;
        t.discord.gateway().cut_all();
        assert_eq!(client.closed().await, None);
    }
    t.end([]).await;
}

#[tokio::test]
async fn the_connection_that_a_session_moved_away_from_is_closed() {
    let t = Stage::start().await;
    let mut old = t.log_in().await;
    let mut new = t.resume(&old).await;
    new.event("RESUMED").await;
    assert_eq!(old.closed().await, Some(4000));
    new.beats().await;
    assert_eq!(t.discord.gateway().connections(), 1);
    t.end([new]).await;
}

#[tokio::test]
async fn who_missed_too_much_starts_anew() {
    let t = Stage::start().await;
    let client = t.log_in().await;
    let (session, seq) = end(&t.discord.gateway(), client, How::Cut).await;
    changes(&t.discord, 4097);
    let mut client = t.resume_at(&session, seq).await;
    assert_eq!(client.op(9).await, false);
    t.end([client]).await;
}

#[tokio::test]
async fn who_reads_too_slowly_is_disconnected_and_loses_nothing() {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    // All at once, so that the connection cannot send in between.
    changes(&t.discord, 3000);
    assert_eq!(client.closed().await, Some(4000));
    let mut client = t.resume(&client).await;
    for _ in 0..3000 {
        client.event("CHANNEL_UPDATE").await;
    }
    client.event("RESUMED").await;
    client.beats().await;
    t.end([client]).await;
}

#[tokio::test]
async fn a_client_without_heartbeats_is_dropped_with_its_session() {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    let pulse = t.discord.gateway().pulse().clone();
    pulse.advance(Duration::from_secs(50));
    client.beats().await;
    pulse.advance(Duration::from_secs(50));
    client.beats().await;
    // Heartbeats do not use the sandbox's clock.
    t.clock.advance(Duration::from_secs(3600));
    client.beats().await;
    pulse.advance(Duration::from_secs(63));
    assert_eq!(client.closed().await, Some(4009));
    let mut client = t.resume(&client).await;
    assert_eq!(client.op(9).await, false);
    t.end([client]).await;
}
