//! Clocks: the wall clock, the monotonic clock, and every sleep of the crate.
//!
//! A [`Clock`] runs by itself and can be moved forward by hand ([`Clock::advance`]), which wakes every sleeper whose
//! time has come. Tests move it instead of waiting. Nothing else in the crate calls `tokio::time::sleep`.
//!
//! It has three times: the wall clock ([`Clock::now`]), the steady timeline that stored durations are measured on
//! ([`Clock::steady`]), and the proven time that appointments are compared with ([`Clock::for_appointments`]).

mod proof;
mod steady;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, PrimitiveDateTime};
use tokio::sync::watch;

pub use proof::{Proof, ProvenTime, TOLERANCE, Witness, differ};
pub use steady::{Jump, Moment, SteadyTime};

/// The format of a `Date` header (RFC 9110, IMF-fixdate).
const HTTP_DATE: &str = "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT";

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates it from milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Creates it from whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Parses an RFC 3339 date and time (`2024-01-15T10:30:00Z`, any offset, with or without fractions). A time
    /// without an offset counts as UTC, as Python's `isoformat` writes it.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let text = text.trim();
        let parsed = OffsetDateTime::parse(text, &Rfc3339)
            .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339))
            .ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// Formats it as RFC 3339 in UTC, as in an embed's `timestamp`. Times outside the years 0 to 9999 become the epoch.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
    }

    /// Parses a `Date` header (RFC 9110, IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`).
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let format = time::format_description::parse_borrowed::<2>(HTTP_DATE).ok()?;
        let parsed = PrimitiveDateTime::parse(text.trim(), &format).ok()?;
        Some(Self::from_secs(parsed.assume_utc().unix_timestamp()))
    }

    /// Formats it as a `Date` header, in whole seconds. Times outside the years 0 to 9999 become the epoch.
    #[must_use]
    pub fn to_http_date(self) -> String {
        let format = time::format_description::parse_borrowed::<2>(HTTP_DATE).ok();
        format
            .zip(OffsetDateTime::from_unix_timestamp(self.as_secs()).ok())
            .and_then(|(format, at)| at.format(&format).ok())
            .unwrap_or_else(|| "Thu, 01 Jan 1970 00:00:00 GMT".to_owned())
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The time `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The time `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The duration since `earlier`; zero if this time is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The clock of one nuncio process. Clones share it.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    started: Instant,
    /// Total of the manual advances. Twins share it.
    ahead: watch::Sender<Duration>,
    /// Total of the manual wall-clock steps, in milliseconds. Intervals do not follow it.
    stepped: Arc<AtomicI64>,
    /// The steady timeline's value when `elapsed` is zero, in milliseconds.
    steady_origin: AtomicI64,
    /// The newest proof of the time.
    proof: Mutex<Option<Proof>>,
    /// The last time that a start moved the steady timeline forward.
    jump: Mutex<Option<Jump>>,
}

impl Clock {
    /// A clock that follows the machine's until it is moved.
    #[must_use]
    pub fn system() -> Self {
        Self::made_of(Instant::now(), watch::Sender::new(Duration::ZERO), Arc::default())
    }

    /// This clock as a new process sees it: without the proven time that this process learned.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self::made_of(self.0.started, self.0.ahead.clone(), Arc::clone(&self.0.stepped))
    }

    fn made_of(started: Instant, ahead: watch::Sender<Duration>, stepped: Arc<AtomicI64>) -> Self {
        let (steady_origin, proof, jump) = (AtomicI64::new(0), Mutex::new(None), Mutex::new(None));
        let clock = Self(Arc::new(Inner { started, ahead, stepped, steady_origin, proof, jump }));
        clock.set_steady(SteadyTime::from_millis(clock.now().as_millis()));
        clock
    }

    /// The clock of a second machine: it advances together with this one, and its wall clock agrees with this one's
    /// until one of the two is stepped.
    #[must_use]
    pub fn twin(&self) -> Self {
        let stepped = self.0.stepped.load(Ordering::Relaxed);
        Self::made_of(self.0.started, self.0.ahead.clone(), Arc::new(AtomicI64::new(stepped)))
    }

    /// The wall clock's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now_when(*self.0.ahead.borrow())
    }

    fn now_when(&self, ahead: Duration) -> Timestamp {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let Timestamp(millis) = Timestamp::default().plus(machine + ahead);
        Timestamp(millis.saturating_add(self.0.stepped.load(Ordering::Relaxed)))
    }

    /// Time since this clock was created. Never goes back, whatever happens to the wall clock: intervals are measured
    /// with it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.started.elapsed() + *self.0.ahead.borrow()
    }

    /// The current point on the steady timeline, where stored durations begin and end. It advances like
    /// [`Clock::elapsed`], whatever happens to the wall clock.
    #[must_use]
    pub fn steady(&self) -> SteadyTime {
        self.steady_when(*self.0.ahead.borrow())
    }

    fn steady_when(&self, ahead: Duration) -> SteadyTime {
        let origin = SteadyTime::from_millis(self.0.steady_origin.load(Ordering::Relaxed));
        origin.plus(self.0.started.elapsed() + ahead)
    }

    /// This moment, on the wall clock and on the steady timeline.
    #[must_use]
    pub fn moment(&self) -> Moment {
        // Read once: an advance between two reads would look like a wall clock that was set.
        let ahead = *self.0.ahead.borrow();
        let wall = self.now_when(ahead);
        Moment { wall, steady: self.steady_when(ahead), proven: self.proven(wall, ahead) }
    }

    fn proven(&self, wall: Timestamp, ahead: Duration) -> ProvenTime {
        let proven = self.proof().map(|proof| proof.at(self.0.started.elapsed() + ahead));
        ProvenTime::new(proven.filter(|proven| differ(*proven, wall)).unwrap_or(wall))
    }

    /// Sets the steady timeline. Only for the code that restores it from the database, before it is used.
    pub fn set_steady(&self, now: SteadyTime) {
        let origin = now.minus(self.elapsed()).as_millis();
        self.0.steady_origin.store(origin, Ordering::Relaxed);
    }

    /// Sets the jump that a start made on the steady timeline. Only for the code that restores it from the database.
    pub fn set_jump(&self, jump: Jump) {
        *self.0.jump.lock().unwrap_or_else(PoisonError::into_inner) = Some(jump);
    }

    fn jump(&self) -> Option<Jump> {
        *self.0.jump.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the point `at` of the steady timeline.
    #[must_use]
    pub fn age(&self, at: SteadyTime) -> Duration {
        let now = self.steady();
        self.jump().map_or_else(|| now.since(at), |jump| jump.age(at, now))
    }

    /// The point of the steady timeline that was `age` ago.
    #[must_use]
    pub fn ago(&self, age: Duration) -> SteadyTime {
        let now = self.steady();
        self.jump().map_or_else(|| now.minus(age), |jump| jump.before(now, age))
    }

    /// Records `date`, which `witness` gave just now, as the proven time. A person's confirmation takes precedence over
    /// Discord.
    pub fn prove(&self, witness: Witness, date: Timestamp) {
        let mut proof = self.0.proof.lock().unwrap_or_else(PoisonError::into_inner);
        let is_confirmed = proof.is_some_and(|proof| proof.witness == Witness::Person);
        if witness == Witness::Person || !is_confirmed {
            *proof = Some(Proof { witness, date, heard_at: self.elapsed() });
        }
    }

    /// Drops the proof, because the wall clock was set since.
    pub fn forget_proof(&self) {
        *self.0.proof.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The newest proof of the time.
    #[must_use]
    pub fn proof(&self) -> Option<Proof> {
        *self.0.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time to compare appointments with: the wall clock, unless a proven time differs from it.
    #[must_use]
    pub fn for_appointments(&self) -> ProvenTime {
        self.moment().proven
    }

    /// Sleeps for `span` of this clock's time.
    pub async fn sleep(&self, span: Duration) {
        self.sleep_until_elapsed(self.elapsed().saturating_add(span)).await;
    }

    /// Sleeps until [`Clock::elapsed`] reaches `until`.
    pub async fn sleep_until_elapsed(&self, until: Duration) {
        let mut moved = self.0.ahead.subscribe();
        loop {
            let left = until.saturating_sub(self.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The sender lives as long as `self`: this cannot fail while we sleep.
                _ = moved.changed() => {}
            }
        }
    }

    /// Sleeps until the steady timeline reaches `until`.
    pub async fn sleep_until(&self, until: SteadyTime) {
        self.sleep(until.since(self.steady())).await;
    }

    /// Runs `work` for at most `limit`; `None` if it did not finish by then.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.sleep(limit) => None,
        }
    }

    /// Blocks this thread for `span` of real time, however short: the runtime's timers have millisecond resolution.
    /// Only for a thread on which nothing else runs.
    pub fn block_thread(&self, span: Duration) {
        std::thread::sleep(span);
    }

    /// Moves this clock forward and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        self.0.ahead.send_modify(|ahead| *ahead += by);
    }

    /// Steps the wall clock by `millis`, forward or back, as NTP or a person would: [`Clock::now`] jumps,
    /// [`Clock::elapsed`] and every sleep continue undisturbed.
    pub fn step_wall(&self, millis: i64) {
        self.0.stepped.fetch_add(millis, Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn advancing_wakes_sleepers() {
        let clock = Clock::system();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3600)).await }
        });
        // Else the sleeper would only start after the advance, and sleep its whole hour.
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(3601));
        sleeper.await.unwrap();
    }

    #[test]
    fn a_stepped_wall_clock_leaves_intervals_alone() {
        let clock = Clock::system();
        let (wall, elapsed) = (clock.now(), clock.elapsed());
        clock.step_wall(-3_600_000);
        assert!(clock.now() < wall.minus(Duration::from_secs(3000)));
        assert!(clock.elapsed() >= elapsed && clock.elapsed() < elapsed + Duration::from_secs(3000));
        clock.step_wall(7_200_000);
        assert!(clock.now() > wall.plus(Duration::from_secs(3000)));
    }

    #[test]
    fn twins_move_on_together_and_are_stepped_apart() {
        let (clock, other) = (Clock::system(), Clock::system().twin());
        let twin = clock.twin();
        clock.advance(Duration::from_secs(3600));
        clock.step_wall(86_400_000);
        assert!(twin.elapsed() >= Duration::from_secs(3600) && other.elapsed() < Duration::from_secs(3600));
        let apart = clock.now().since(twin.now());
        assert!(apart > Duration::from_secs(86_000) && apart < Duration::from_secs(87_000), "{apart:?}");
    }

    #[test]
    fn http_dates_are_read_back() {
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";
        let at = Timestamp::parse_http_date(text).unwrap();
        assert_eq!(at, Timestamp::from_secs(784_111_777));
        assert_eq!(at.to_http_date(), text);
        for wrong in ["", "784111777", "Sun, 06 Nov 1994 08:49:37 +0100", "soon"] {
            assert_eq!(Timestamp::parse_http_date(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn reads_the_times_platforms_write() {
        let noon = Timestamp::from_secs(1_705_314_600);
        for text in [
            "2024-01-15T10:30:00Z",
            "2024-01-15T11:30:00+01:00",
            "2024-01-15T10:30:00.000",
            "2024-01-15T10:30:00",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), Some(noon), "{text}");
        }
        assert_eq!(noon.to_rfc3339(), "2024-01-15T10:30:00Z");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
        assert_eq!(Timestamp::from_millis(i64::MAX).to_rfc3339(), "1970-01-01T00:00:00Z");
    }
}
