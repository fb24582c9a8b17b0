//! The proof, in its short form: the real program and the sandbox as processes of their own, a sender that keeps a
//! book, and sets that are compared at the end. `examples/trust.rs` runs the same rigs at full length.
//!
//! Each row carries its own control: the same with the protection taken away, which must be seen to fail, or the row
//! does not hold.

#[path = "rig.rs"]
pub mod rig;

use rig::table::{HEAD, Holds, Row};
use rig::{
    Size, click, decision, kill, network, pace, packed, poison, power, refused, stop, storage, webhook,
};

/// Runs a rig in its short form. It holds, or it cannot be tried here and says why.
async fn holds<R: Future<Output = anyhow::Result<Row>>>(rig: impl FnOnce(Size) -> R) {
    rig::try_program(env!("CARGO_BIN_EXE_nuncio"));
    let row = rig(Size::Short).await.unwrap();
    println!("{HEAD}\n{row}");
    assert_ne!(row.holds, Holds::No, "{row}");
}

#[tokio::test]
async fn k1_killed_at_random_nothing_is_lost_or_doubled() {
    holds(kill::at_random).await;
}

#[tokio::test]
async fn k1_killed_among_packs_and_digests_nothing_is_lost_or_doubled() {
    holds(packed::at_random).await;
}

#[tokio::test]
async fn k2_killed_before_the_answer_the_repeat_is_a_duplicate() {
    holds(kill::before_the_answer).await;
}

#[tokio::test]
async fn k3_killed_after_discord_took_it_nothing_is_doubled() {
    holds(kill::after_discord_took_it).await;
}

#[tokio::test]
async fn k3_killed_over_webhooks_what_stands_twice_says_so() {
    holds(webhook::killed).await;
}

#[tokio::test]
async fn d12_a_deleted_webhook_is_left_alone_and_replaced() {
    holds(webhook::deleted).await;
}

#[tokio::test]
async fn k4_killed_after_a_decision_it_is_told_once() {
    holds(decision::killed).await;
}

#[tokio::test]
async fn k5_told_to_stop_it_answers_and_ends_in_order() {
    holds(stop::under_load).await;
}

#[tokio::test]
async fn k7_a_power_cut_takes_nothing_that_was_acknowledged() {
    holds(power::cuts).await;
}

#[tokio::test]
async fn f1_a_full_disk_refuses_and_heals() {
    holds(storage::disk_full).await;
}

#[tokio::test]
async fn f3_a_locked_database_refuses_and_heals() {
    holds(storage::locked).await;
}

#[tokio::test]
async fn d7_a_click_waits_for_nobody() {
    holds(click::acknowledged).await;
}

#[tokio::test]
async fn n1_a_storm_of_faults_loses_and_doubles_nothing() {
    holds(network::storm).await;
}

#[tokio::test]
async fn n2_lying_headers_cost_neither_a_panic_nor_a_week() {
    holds(network::lying_headers).await;
}

#[tokio::test]
async fn n8_n9_answers_of_strangers_lose_and_double_nothing() {
    holds(network::strangers_answer).await;
}

#[tokio::test]
async fn n10_after_the_faults_every_lane_is_back() {
    holds(network::recovery).await;
}

#[tokio::test]
async fn n4_a_dead_token_is_left_alone() {
    holds(refused::dead_token).await;
}

#[tokio::test]
async fn n5_refusals_are_not_repeated() {
    holds(refused::refusals).await;
}

#[tokio::test]
async fn l2_poison_harms_nobody_else() {
    holds(poison::among_others).await;
}

#[tokio::test]
async fn full_speed_provokes_no_limit() {
    holds(pace::full_speed).await;
}

#[tokio::test]
async fn a_restart_goes_on_at_once() {
    holds(pace::restart).await;
}
