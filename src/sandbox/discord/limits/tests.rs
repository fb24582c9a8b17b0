use super::*;

const CREATE: &str = "POST /channels/{channel}/messages";
const BOT: Snowflake = Snowflake::new(1);

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn channel(id: u64) -> Bucket {
    Bucket { route: CREATE, major: Some(Snowflake::new(id)) }
}

#[test]
fn a_channel_takes_five_in_five_seconds_and_then_again() {
    let mut limiter = Limiter::new(RateLimits::default());
    for left in (0..5).rev() {
        let standing = limiter.take(BOT, channel(1), at(1000)).unwrap();
        assert_eq!((standing.limit, standing.remaining, standing.reset_after), (5, left, at(5000)));
    }
    let limited = limiter.take(BOT, channel(1), at(3000)).unwrap_err();
    assert_eq!((limited.retry_after, limited.global), (at(3000), false));
    assert!(limiter.take(BOT, channel(2), at(3000)).is_ok(), "another channel has its own");
    assert!(limiter.take(Snowflake::new(2), channel(1), at(3000)).is_ok(), "another caller too");
    assert!(limiter.take(BOT, channel(1), at(5999)).is_err());
    assert_eq!(limiter.take(BOT, channel(1), at(6000)).unwrap().remaining, 4);
}

#[test]
fn the_global_limit_holds_over_all_buckets() {
    let mut limiter = Limiter::new(RateLimits::default());
    for n in 0..50 {
        limiter.take(BOT, channel(n), at(0)).unwrap();
    }
    let limited = limiter.take(BOT, channel(99), at(400)).unwrap_err();
    assert_eq!((limited.retry_after, limited.global, limited.standing), (at(600), true, None));
    assert!(limiter.take(BOT, channel(99), at(1000)).is_ok());
}

#[test]
fn too_many_invalid_requests_ban_the_address_for_a_while() {
    let invalid = Allowance::new(3, at(1000));
    let mut limiter = Limiter::new(RateLimits { invalid, ban: at(5000), ..RateLimits::default() });
    limiter.invalid(at(0));
    limiter.invalid(at(500));
    limiter.invalid(at(1000)); // The window of the first two is over.
    limiter.invalid(at(1100));
    assert_eq!(limiter.banned(at(1100)), None);
    limiter.invalid(at(1200));
    assert_eq!(limiter.banned(at(1200)), Some(at(5000)));
    assert_eq!(limiter.banned(at(6200)), None);
}

#[test]
fn a_bucket_has_one_name_for_all_channels() {
    assert_eq!(channel(1).name(), channel(2).name());
    assert_eq!(channel(1).name().len(), 32);
}
