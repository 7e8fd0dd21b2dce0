//! The only loop that polls.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How often to look and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollPolicy {
    /// Shortest interval between two looks.
    pub shortest: Duration,
    /// Longest interval between two looks, whatever the shortest is.
    pub longest: Duration,
    /// Longest wait.
    pub timeout: Duration,
    /// When what is waited for usually ends; `None` where nobody can say.
    pub due: Option<Due>,
}

/// The ages at which something usually ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    /// Hardly any ends sooner, unless it is over within seconds.
    pub from: Duration,
    /// Most have ended by then.
    pub until: Duration,
}

/// Shortest interval. Only a server that plays AWS is done so soon, and an account creates one store a minute at most, so no two
/// stores are this young.
const SHORTEST: Duration = Duration::from_millis(150);
/// Up to this age the interval is a smaller share of the age.
const VERY_YOUNG: Duration = Duration::from_secs(4);
/// Interval while it is due: what ends at any time in between is seen after half of it on average.
const WHILE_DUE: Duration = Duration::from_millis(5600);

impl Default for PollPolicy {
    /// A store takes 20 to 30 minutes; 90 are enough for one with preloaded data.
    fn default() -> Self {
        let (longest, timeout) = (Duration::from_secs(60), Duration::from_secs(90 * 60));
        Self { shortest: SHORTEST, longest, timeout, due: None }
    }
}

impl PollPolicy {
    /// The same for what usually ends at these ages.
    pub fn due(self, due: Due) -> Self {
        Self { due: Some(due), ..self }
    }

    /// The same with no shorter interval than this, unless the longest is shorter.
    pub fn at_least(self, shortest: Duration) -> Self {
        Self { shortest: self.shortest.max(shortest), ..self }
    }

    /// The same with no longer interval than this.
    pub fn at_most(self, longest: Duration) -> Self {
        Self { longest: self.longest.min(longest), ..self }
    }

    /// The interval before the next look at something of this age.
    ///
    /// It is a share of the age, so that a short wait ends soon and a long one asks little; but what is due is looked at often, and the
    /// look before is not so late that it would pass over the time at which it becomes due.
    pub fn interval(&self, age: Duration) -> Duration {
        let share = (age / if age <= VERY_YOUNG { 16 } else { 8 }).max(self.shortest);
        let interval = match self.due {
            Some(due) if age < due.from => share.min((due.from - age).max(WHILE_DUE)),
            Some(due) => share.min(WHILE_DUE + age.saturating_sub(due.until) / 8),
            None => share,
        };
        interval.min(self.longest)
    }

    /// The interval, a tenth shorter to a tenth longer for a `chance` from 0 to 1, and never longer than the longest.
    fn jittered(&self, age: Duration, chance: f64) -> Duration {
        self.interval(age).min(self.longest.mul_f64(1.0 / 1.1)).mul_f64(0.9 + chance / 5.0)
    }
}

/// Tells everyone to stop: no new work, waits end at once, calls under way may finish. A second Ctrl-C asks for more.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Signals>);

/// The signals that came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signals {
    first: Option<Signal>,
    interrupted: Option<Instant>,
    insists: bool,
}

/// Programs that start hlctl often pass on the SIGINT that the terminal has already sent to hlctl itself. One that comes within
/// this time of the first is the same Ctrl-C.
const SAME_KEY_PRESS: Duration = Duration::from_millis(500);

impl Signals {
    /// Takes a signal into account, and returns whether that changes anything. The first one asks to stop. A second SIGINT asks
    /// to stop at once; SIGTERM does not, since CI runners send it soon after SIGINT whatever the command does.
    pub fn note(&mut self, signal: Signal) -> bool {
        let is_first = self.first.is_none();
        self.first.get_or_insert(signal);
        if signal != Signal::Interrupt || self.insists {
            return is_first;
        }
        let now = Instant::now();
        let first = *self.interrupted.get_or_insert(now);
        self.insists = now.duration_since(first) >= SAME_KEY_PRESS;
        is_first || self.insists
    }
}

/// The signal that asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal went away.
    HangUp,
}

impl Stop {
    /// A stop that comes when something is sent.
    pub fn new(receiver: watch::Receiver<Signals>) -> Self {
        Self(receiver)
    }

    /// A stop that never comes.
    pub fn never() -> Self {
        Self(watch::channel(Signals::default()).1)
    }

    /// The signal, if it has come.
    pub fn signal(&self) -> Option<Signal> {
        self.0.borrow().first
    }

    /// Waits for the signal.
    pub async fn requested(&self) -> Signal {
        self.when(|signals| signals.first).await
    }

    /// Waits for a second Ctrl-C.
    pub async fn insisted(&self) {
        self.when(|signals| signals.insists.then_some(())).await;
    }

    async fn when<T>(&self, has: impl Fn(&Signals) -> Option<T>) -> T {
        let mut receiver = self.0.clone();
        loop {
            if let Some(found) = has(&receiver.borrow_and_update()) {
                return found;
            }
            if receiver.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll<T> {
    /// It is there.
    Ready(T),
    /// Not yet; the status as AWS names it.
    Pending(String),
    /// The same of something whose age AWS tells.
    PendingFor(String, Duration),
}

/// Why a wait ended without what it waited for.
#[derive(Debug)]
pub enum Ended<E> {
    /// A look failed.
    Failed(E),
    /// It took too long; the last status seen.
    TimedOut(String),
    /// The user asked to stop; the last status seen.
    Stopped(String),
}

/// Why a look can fail.
pub trait PollError {
    /// Whether nothing was heard of AWS: it goes on with its work, and a later look may hear of it.
    fn is_lost_connection(&self) -> bool;
}

/// How long the connection may be lost before a wait gives up: a laptop that wakes needs a while to find a network.
const LONGEST_OUTAGE: Duration = Duration::from_secs(10 * 60);
/// No look takes longer, with all its attempts. Whatever takes longer than a nap and a look was asleep with the machine:
/// AWS has worked on meanwhile, but nobody could see it, so that time counts for nothing.
const LONGEST_LOOK: Duration = Duration::from_secs(2 * 60);

/// Looks until the answer is ready, at once and then at intervals that depend on the age ([`PollPolicy::interval`]). What is waited for is as old
/// as this wait, or older if a look says so. The intervals are jittered, so that waits that began together do not look together.
///
/// `pending` hears each status.
///
/// # Errors
/// The look's own error, or the time is up, or a stop was asked for.
pub async fn until<T, E, F, Fut>(pace: PollPolicy, stop: &Stop, pending: impl Fn(&str), look: F) -> Result<T, Ended<E>>
where
    E: PollError,
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Poll<T>, E>>,
{
    let mut status = "under way".to_owned();
    let mut awake = Duration::ZERO;
    let mut last_heard = Duration::ZERO;
    let mut older = Duration::ZERO;
    loop {
        let begun = Instant::now();
        let seen = tokio::select! {
            seen = look() => seen,
            _ = stop.requested() => return Err(Ended::Stopped(status)),
        };
        match seen {
            Ok(Poll::Ready(value)) => return Ok(value),
            Ok(Poll::Pending(now)) => {
                pending(&now);
                status = now;
                last_heard = awake;
            }
            Ok(Poll::PendingFor(now, age)) => {
                pending(&now);
                status = now;
                last_heard = awake;
                older = age.saturating_sub(awake + begun.elapsed());
            }
            Err(error) if error.is_lost_connection() && awake - last_heard < LONGEST_OUTAGE => {
                pending("no connection to AWS");
            }
            Err(error) => return Err(Ended::Failed(error)),
        }
        let left = pace.timeout.saturating_sub(awake + begun.elapsed().min(LONGEST_LOOK));
        if left.is_zero() {
            return Err(Ended::TimedOut(status));
        }
        let age = older + awake + begun.elapsed().min(LONGEST_LOOK);
        let nap = pace.jittered(age, fastrand::f64()).min(left);
        tokio::select! {
            () = sleep(nap) => {}
            _ = stop.requested() => return Err(Ended::Stopped(status)),
        }
        awake += begun.elapsed().min(nap + LONGEST_LOOK);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    impl PollError for () {
        fn is_lost_connection(&self) -> bool {
            true
        }
    }

    /// A refusal by AWS.
    #[derive(Debug)]
    struct Refused;

    impl PollError for Refused {
        fn is_lost_connection(&self) -> bool {
            false
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);
    /// Usually over between 20 and 30 minutes, as a creation is.
    const PACE: PollPolicy = PollPolicy {
        shortest: SHORTEST,
        longest: MINUTE,
        timeout: Duration::from_secs(5400),
        due: Some(Due { from: Duration::from_secs(1180), until: Duration::from_secs(1830) }),
    };

    /// The looks at something that ends at the age `end`, the first at the age `begin`: how many, and how long after its end the last.
    fn looks(pace: PollPolicy, begin: Duration, end: Duration, mut chance: impl FnMut() -> f64) -> (u32, Duration) {
        let (mut age, mut count) = (begin, 1);
        while age < end {
            age += pace.jittered(age, chance());
            count += 1;
        }
        (count, age - end)
    }

    /// The mean of what is late, for ends that are equally likely between the two ages.
    fn late(begin: Duration, from: Duration, until: Duration) -> Duration {
        let mut chances = fastrand::Rng::with_seed(7);
        let ends = (0..2000).map(|step| from + (until - from).mul_f64(f64::from(step) / 2000.0));
        let late: Duration = ends.map(|end| looks(PACE, begin, end, || chances.f64()).1).sum();
        late / 2000
    }

    #[test]
    fn the_end_of_a_creation_is_seen_three_seconds_late_on_average_whenever_the_wait_begins() {
        for begin in [0, 5, 60, 300, 900, 1100, 1179, 1199].map(Duration::from_secs) {
            let late = late(begin, 20 * MINUTE, 30 * MINUTE);
            assert!(late <= Duration::from_secs(3), "{late:?} late if the first look is at {begin:?}");
        }
    }

    #[test]
    fn what_ends_within_seconds_is_seen_at_once() {
        for (end, least) in [(0.1, 0.1), (0.5, 0.1), (2.0, 0.1), (4.0, 0.3), (10.0, 1.0), (60.0, 5.0)] {
            let end = Duration::from_secs_f64(end);
            let late = late(Duration::ZERO, end, end.mul_f64(1.2));
            assert!(late <= Duration::from_secs_f64(least), "{late:?} late after {end:?}");
        }
    }

    #[test]
    fn the_looks_at_one_store_stay_below_400_an_hour() {
        let mut chances = fastrand::Rng::with_seed(7);
        let mut rate = |minutes: u32| {
            let end = minutes * MINUTE;
            f64::from(looks(PACE, Duration::ZERO, end, || chances.f64()).0) / end.as_secs_f64() * 3600.0
        };
        // Of those that take a while: one that is done in a minute is not looked at for an hour.
        for minutes in [15, 20, 25, 30, 35, 40, 50, 60, 90] {
            let rate = rate(minutes);
            assert!(rate < 400.0, "{rate} an hour for a store that takes {minutes} minutes");
        }
    }

    #[test]
    fn all_stores_of_an_account_stay_within_its_quota() {
        // Ten a second, one creation a minute, and twenty stores ("AWS HealthLake endpoints and quotas").
        // The shortest intervals, and a request that takes 20 ms.
        let rate = |age: Duration| 1.0 / (PACE.jittered(age, 0.0).as_secs_f64() + 0.02);
        for second in 0..7200 {
            let rate: f64 = (0..20).map(|store| rate(Duration::from_secs(second) + store * MINUTE)).sum();
            assert!(rate < 10.0, "{rate} a second, {second} seconds after the last creation");
        }
    }

    proptest! {
        #[test]
        fn no_interval_is_longer_than_the_longest_or_passes_over_the_time_at_which_it_is_due(
            age in 0.0..10_000.0f64, chance in 0.0..=1.0f64, longest in 0.001..3600.0f64, from in 0.0..3000.0f64, takes in 0.0..3000.0f64,
        ) {
            let [age, longest, from, takes] = [age, longest, from, takes].map(Duration::from_secs_f64);
            let due = Due { from, until: from + takes };
            let pace = PollPolicy { longest, ..PollPolicy::default() };
            for pace in [pace, pace.due(due), pace.at_least(Duration::from_secs(1)).due(due)] {
                let interval = pace.interval(age);
                prop_assert!(interval <= longest && !interval.is_zero());
                prop_assert!(pace.jittered(age, chance) <= longest);
                if pace.due.is_some() && age < from {
                    prop_assert!(interval <= (from - age).max(WHILE_DUE));
                }
            }
        }

        #[test]
        fn two_waits_that_begin_together_do_not_stay_together(seed: u64) {
            let mut ages = [Duration::ZERO; 2];
            let mut chances = fastrand::Rng::with_seed(seed);
            let mut together = 0;
            for _ in 0..50 {
                ages = ages.map(|age| age + PACE.jittered(age, chances.f64()));
                together += u32::from(ages[0].abs_diff(ages[1]) < Duration::from_millis(1));
            }
            prop_assert!(together < 10);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_takes_25_minutes_is_awaited() {
        let begun = Instant::now();
        let look = || async move {
            Ok::<_, ()>(if begun.elapsed() > Duration::from_secs(1500) {
                Poll::Ready(())
            } else {
                Poll::Pending("CREATING".into())
            })
        };
        until(PACE, &Stop::never(), |_| {}, look).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1500) + WHILE_DUE.mul_f64(1.1) + Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_resumed_knows_the_age_that_aws_reports() {
        let (begun, looks) = (Instant::now(), Cell::new(0));
        let age = || 19 * MINUTE + begun.elapsed();
        let look = || {
            looks.set(looks.get() + 1);
            async {
                let status = || "CREATING".to_owned();
                Ok::<_, ()>(if age() >= 25 * MINUTE { Poll::Ready(()) } else { Poll::PendingFor(status(), age()) })
            }
        };
        until(PACE, &Stop::never(), |_| {}, look).await.unwrap();
        assert!(age() < 25 * MINUTE + WHILE_DUE.mul_f64(1.1) + Duration::from_millis(1));
        // A wait that took it for new would have looked fifty times in the first minute.
        assert!((50..75).contains(&looks.get()), "{} looks", looks.get());
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_ends_with_the_last_status() {
        let begun = Instant::now();
        let ended =
            until(PACE, &Stop::never(), |_| {}, || async { Ok::<Poll<()>, ()>(Poll::Pending("CREATING".into())) })
                .await;
        assert!(matches!(ended, Err(Ended::TimedOut(status)) if status == "CREATING"));
        assert_eq!(begun.elapsed().as_secs(), 5400);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_nap_at_once() {
        let (send, receive) = watch::channel(Signals::default());
        let looks = Cell::new(0);
        let begun = Instant::now();
        let stop = Stop::new(receive);
        let wait = until(
            PACE,
            &stop,
            |_| {},
            || {
                looks.set(looks.get() + 1);
                async { Ok::<Poll<()>, ()>(Poll::Pending("CREATING".into())) }
            },
        );
        let (ended, ()) = tokio::join!(wait, async {
            sleep(SHORTEST / 2).await;
            send.send_modify(|signals| assert!(signals.note(Signal::Interrupt)));
        });
        assert!(matches!(ended, Err(Ended::Stopped(_))));
        assert_eq!(begun.elapsed().as_millis(), SHORTEST.as_millis() / 2);
        assert_eq!(looks.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_ctrl_c_insists_and_nothing_else_does() {
        use Signal::{HangUp, Interrupt, Terminate};
        let insists = |signals: &Signals| signals.insists;
        let later = || tokio::time::advance(SAME_KEY_PRESS);
        let mut signals = Signals::default();
        assert!(signals.note(Interrupt));
        // The same key press, passed on by a program that started this one.
        assert!(!signals.note(Interrupt));
        later().await;
        for other in [Terminate, HangUp, Terminate] {
            assert!(!signals.note(other) && !insists(&signals), "{other:?}");
        }
        assert!(signals.note(Interrupt) && insists(&signals));
        assert!(!signals.note(Interrupt));
        assert_eq!(signals.first, Some(Interrupt));

        let mut signals = Signals::default();
        assert!(signals.note(Terminate));
        later().await;
        assert!(!signals.note(Interrupt) && !insists(&signals));
        later().await;
        assert!(signals.note(Interrupt) && insists(&signals));
        assert_eq!(signals.first, Some(Terminate));
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_the_machine_slept_does_not_count() {
        let looks = Cell::new(0);
        let look = || {
            looks.set(looks.get() + 1);
            let number = looks.get();
            async move {
                if number == 2 {
                    tokio::time::advance(PACE.timeout * 2).await;
                }
                Ok::<_, ()>(if number > 3 { Poll::Ready(()) } else { Poll::Pending("CREATING".into()) })
            }
        };
        until(PACE, &Stop::never(), |_| {}, look).await.unwrap();
        assert_eq!(looks.get(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_comes_back_within_ten_minutes_is_waited_for() {
        let begun = Instant::now();
        let look = || async move {
            match begun.elapsed().as_secs() {
                0..60 => Ok(Poll::Pending("CREATING".into())),
                60..600 => Err(()),
                _ => Ok(Poll::Ready(())),
            }
        };
        until(PACE, &Stop::never(), |_| {}, look).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_stays_away_ends_the_wait() {
        let begun = Instant::now();
        let ended = until(PACE, &Stop::never(), |_| {}, || async { Err::<Poll<()>, ()>(()) }).await;
        assert!(matches!(ended, Err(Ended::Failed(()))));
        assert!((600..700).contains(&begun.elapsed().as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_aws_refuses_ends_the_wait_at_once() {
        let begun = Instant::now();
        let ended = until(PACE, &Stop::never(), |_| {}, || async { Err::<Poll<()>, _>(Refused) }).await;
        assert!(matches!(ended, Err(Ended::Failed(Refused))));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
