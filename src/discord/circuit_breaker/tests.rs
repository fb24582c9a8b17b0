//! Tests of the circuit breaker with a clock that they move.

use super::*;

/// A circuit breaker with a recent success.
fn breaker() -> (Clock, CircuitBreaker) {
    let clock = Clock::system();
    let breaker = CircuitBreaker::new(clock.clone());
    breaker.try_acquire().unwrap().report_success();
    clock.advance(GLOBAL_WINDOW);
    (clock, breaker)
}

fn passes(breaker: &CircuitBreaker) -> Vec<Permit> {
    std::iter::from_fn(|| breaker.try_acquire().ok()).take(1000).collect()
}

fn pause(after: Duration) -> Outcome {
    Outcome::Paused { scope: PauseScope::Address, after }
}

fn again() -> Outcome {
    Outcome::Retry { after: None, arrived: crate::model::Arrived::Maybe }
}

// N-3. Control: with `is_discords` taken for every status, the HTML of a proxy ends the ban.
#[test]
fn a_ban_is_probed_by_one_request_after_5_10_20_40_60_seconds_and_only_discord_ends_it() {
    let (clock, breaker) = breaker();
    let ban = Outcome::Paused { scope: PauseScope::Ban, after: Duration::ZERO };
    let met: Vec<Permit> = (0..5).map(|_| breaker.try_acquire().unwrap()).collect();
    met.into_iter().for_each(|permit| permit.settle(false, &ban, false));
    for (nth, wait) in [5, 10, 20, 40, 60, 60].into_iter().enumerate() {
        clock.advance(Duration::from_secs(wait) - Duration::from_millis(1));
        assert!(breaker.try_acquire().is_err(), "{wait} s");
        clock.advance(Duration::from_millis(1));
        let probe = breaker.try_acquire().unwrap();
        assert!(breaker.try_acquire().is_err(), "one for all");
        // A ban, no response and a page in Discord's place are equal: the request did not reach Discord.
        let met = if nth % 2 == 0 { ban.clone() } else { again() };
        probe.settle(false, &met, false);
    }
    clock.advance(Duration::from_secs(60));
    let mut successes = breaker.successes();
    successes.mark_unchanged();
    breaker.try_acquire().unwrap().report_success();
    assert_eq!((breaker.state(), successes.has_changed().unwrap()), (BreakerState::Closed, true));
    clock.advance(GLOBAL_WINDOW);
    assert_eq!(passes(&breaker).len(), GLOBAL_LIMIT, "all follow");
    // The next ban starts again at the first interval.
    clock.advance(GLOBAL_WINDOW);
    breaker.try_acquire().unwrap().settle(false, &ban, false);
    clock.advance(Duration::from_secs(5));
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn no_more_than_fifty_can_arrive_in_a_second() {
    let (clock, breaker) = breaker();
    let flying = passes(&breaker);
    assert_eq!(flying.len(), GLOBAL_LIMIT);
    clock.advance(GLOBAL_WINDOW);
    assert_eq!(passes(&breaker).len(), 0, "they may arrive only now");
    drop(flying);
    assert_eq!(passes(&breaker).len(), 0);
    clock.advance(GLOBAL_WINDOW);
    assert_eq!(passes(&breaker).len(), GLOBAL_LIMIT);
}

// N-4
#[test]
fn as_long_as_nobody_came_through_only_three_find_out() {
    let (clock, breaker) = breaker();
    clock.advance(TOKEN_PROOF_LIFETIME);
    let mut flying = passes(&breaker);
    assert_eq!(flying.len(), MAX_UNPROVEN_IN_FLIGHT);
    flying.pop();
    assert_eq!(passes(&breaker).len(), 1, "no answer is not an answer");
    flying.pop().unwrap().report_success();
    assert!(passes(&breaker).len() > MAX_UNPROVEN_IN_FLIGHT);
}

#[test]
fn after_a_pause_one_finds_out_before_the_others_follow() {
    let (clock, breaker) = breaker();
    let earlier = breaker.try_acquire().unwrap();
    breaker.trip(OpenReason::Address, Duration::from_secs(60));
    earlier.settle(false, &pause(Duration::ZERO), false);
    assert!(breaker.try_acquire().is_err());
    clock.advance(Duration::from_secs(60));
    let first = breaker.try_acquire().unwrap();
    assert_eq!(breaker.try_acquire().err(), Some(Duration::MAX), "the others wait for the one");
    drop(first);
    let second = breaker.try_acquire().expect("it was not sent: the next one finds out");
    second.settle(false, &pause(Duration::from_secs(60)), true);
    assert!(
        matches!(breaker.state(), BreakerState::Open { why: OpenReason::Address, left } if left > Duration::ZERO)
    );
    clock.advance(Duration::from_secs(60));
    let third = breaker.try_acquire().unwrap();
    third.settle(true, &again(), false);
    assert_eq!(breaker.state(), BreakerState::Closed, "whatever it was, it came from Discord");
    assert_eq!(passes(&breaker).len(), GLOBAL_LIMIT - 1);
}

#[test]
fn what_left_before_the_pause_does_not_end_it() {
    let (_clock, breaker) = breaker();
    let earlier = breaker.try_acquire().unwrap();
    breaker.trip(OpenReason::Address, Duration::from_secs(60));
    earlier.settle(true, &again(), false);
    assert!(matches!(breaker.state(), BreakerState::Open { .. }));
    breaker.trip(OpenReason::Refusals, Duration::from_secs(1));
    assert!(
        matches!(breaker.state(), BreakerState::Open { why: OpenReason::Address, .. }),
        "it is only prolonged"
    );
}

#[test]
fn a_thousand_refusals_in_ten_minutes_are_enough_whichever_process_met_them() {
    let (clock, breaker) = breaker();
    let refused = Outcome::Denied(crate::model::Reason::new("no"));
    for _ in 1..REFUSALS {
        clock.advance(Duration::from_millis(100));
        breaker.try_acquire().unwrap().settle(true, &refused, true);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.try_acquire().unwrap().settle(true, &refused, true);
    assert!(breaker.try_acquire().is_err());
    // The next process restores them.
    let next = CircuitBreaker::new(clock.clone());
    next.recall((0..REFUSALS as u64).rev().map(Duration::from_millis));
    assert!(matches!(next.state(), BreakerState::Open { why: OpenReason::Refusals, .. }));
    clock.advance(REFUSAL_WINDOW);
    assert!(breaker.try_acquire().is_ok() && next.try_acquire().is_ok());
}

#[test]
fn a_dead_token_holds_only_those_that_carry_it() {
    let (clock, breaker) = breaker();
    breaker.trip(OpenReason::Token, Duration::MAX);
    assert_eq!(breaker.try_acquire().err(), Some(Duration::MAX));
    assert!(matches!(breaker.state(), BreakerState::Open { why: OpenReason::Token, .. }));
    breaker.try_acquire_without_token().unwrap().report_success();
    assert!(breaker.try_acquire().is_err(), "an answer to one without it says nothing about the token");
    breaker.trip(OpenReason::Address, Duration::from_secs(60));
    assert!(breaker.try_acquire_without_token().is_err(), "the address is the same for all");
    assert!(matches!(breaker.state(), BreakerState::Open { why: OpenReason::Address, .. }));
    clock.advance(Duration::from_secs(60));
    breaker.try_acquire_without_token().unwrap().report_success();
    assert!(matches!(breaker.state(), BreakerState::Open { why: OpenReason::Token, .. }));
}

#[test]
fn those_without_a_token_vouch_for_none_and_wait_for_none() {
    let (clock, breaker) = breaker();
    clock.advance(TOKEN_PROOF_LIFETIME);
    let without: Vec<Permit> =
        std::iter::from_fn(|| breaker.try_acquire_without_token().ok()).take(10).collect();
    assert_eq!(without.len(), 10);
    let flying = passes(&breaker);
    assert_eq!(flying.len(), MAX_UNPROVEN_IN_FLIGHT);
    without.into_iter().for_each(Permit::report_success);
    assert_eq!(passes(&breaker).len(), 0, "nobody vouched for the token");
    drop(flying);
}
