//! The only loop that polls.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How often to look and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// First interval between two looks; it grows to twice that.
    pub interval: Duration,
    /// Longest wait.
    pub timeout: Duration,
}

impl Default for Pace {
    /// A store takes 20 to 30 minutes; 90 are enough for one with preloaded data.
    fn default() -> Self {
        Self { interval: Duration::from_secs(30), timeout: Duration::from_secs(90 * 60) }
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
pub enum Look<T> {
    /// It is there.
    Ready(T),
    /// Not yet; the status as AWS names it.
    Pending(String),
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
pub trait LookError {
    /// Whether nothing was heard of AWS: it goes on with its work, and a later look may hear of it.
    fn is_lost_connection(&self) -> bool;
}

/// How long the connection may be lost before a wait gives up: a laptop that wakes needs a while to find a network.
const LONGEST_OUTAGE: Duration = Duration::from_secs(10 * 60);
/// No look takes longer, with all its attempts. Whatever takes longer than a nap and a look was asleep with the machine:
/// AWS has worked on meanwhile, but nobody could see it, so that time counts for nothing.
const LONGEST_LOOK: Duration = Duration::from_secs(2 * 60);

/// Looks until the answer is ready, at once and then at jittered intervals.
///
/// `pending` hears each status. The interval grows by a fiftieth each time up to twice the first, so that a long wait
/// asks less and a short one notices soon.
///
/// # Errors
/// The look's own error, or the time is up, or a stop was asked for.
pub async fn until<T, E, F, Fut>(pace: Pace, stop: &Stop, pending: impl Fn(&str), look: F) -> Result<T, Ended<E>>
where
    E: LookError,
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Look<T>, E>>,
{
    let mut interval = pace.interval;
    let mut status = "under way".to_owned();
    let mut awake = Duration::ZERO;
    let mut last_heard = Duration::ZERO;
    loop {
        let begun = Instant::now();
        let seen = tokio::select! {
            seen = look() => seen,
            _ = stop.requested() => return Err(Ended::Stopped(status)),
        };
        match seen {
            Ok(Look::Ready(value)) => return Ok(value),
            Ok(Look::Pending(now)) => {
                pending(&now);
                status = now;
                last_heard = awake;
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
        let nap = interval.mul_f64(0.9 + fastrand::f64() / 5.0).min(left);
        tokio::select! {
            () = sleep(nap) => {}
            _ = stop.requested() => return Err(Ended::Stopped(status)),
        }
        awake += begun.elapsed().min(nap + LONGEST_LOOK);
        interval = interval.mul_f64(1.02).min(pace.interval * 2);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::cell::Cell;

    use super::*;

    impl LookError for () {
        fn is_lost_connection(&self) -> bool {
            true
        }
    }

    /// A refusal by AWS.
    #[derive(Debug)]
    struct Refused;

    impl LookError for Refused {
        fn is_lost_connection(&self) -> bool {
            false
        }
    }

    const PACE: Pace = Pace { interval: Duration::from_secs(30), timeout: Duration::from_secs(5400) };

    #[tokio::test(start_paused = true)]
    async fn a_store_that_takes_25_minutes_is_awaited() {
        let begun = Instant::now();
        let look = || async move {
            Ok::<_, ()>(if begun.elapsed() > Duration::from_secs(1500) {
                Look::Ready(())
            } else {
                Look::Pending("CREATING".into())
            })
        };
        until(PACE, &Stop::never(), |_| {}, look).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1500 + 66));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_ends_with_the_last_status() {
        let begun = Instant::now();
        let ended =
            until(PACE, &Stop::never(), |_| {}, || async { Ok::<Look<()>, ()>(Look::Pending("CREATING".into())) })
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
                async { Ok::<Look<()>, ()>(Look::Pending("CREATING".into())) }
            },
        );
        let (ended, ()) = tokio::join!(wait, async {
            sleep(Duration::from_secs(1)).await;
            send.send_modify(|signals| assert!(signals.note(Signal::Interrupt)));
        });
        assert!(matches!(ended, Err(Ended::Stopped(_))));
        assert_eq!(begun.elapsed().as_secs(), 1);
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
                Ok::<_, ()>(if number > 3 { Look::Ready(()) } else { Look::Pending("CREATING".into()) })
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
                0..60 => Ok(Look::Pending("CREATING".into())),
                60..600 => Err(()),
                _ => Ok(Look::Ready(())),
            }
        };
        until(PACE, &Stop::never(), |_| {}, look).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_stays_away_ends_the_wait() {
        let begun = Instant::now();
        let ended = until(PACE, &Stop::never(), |_| {}, || async { Err::<Look<()>, ()>(()) }).await;
        assert!(matches!(ended, Err(Ended::Failed(()))));
        assert!((600..700).contains(&begun.elapsed().as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_aws_refuses_ends_the_wait_at_once() {
        let begun = Instant::now();
        let ended = until(PACE, &Stop::never(), |_| {}, || async { Err::<Look<()>, _>(Refused) }).await;
        assert!(matches!(ended, Err(Ended::Failed(Refused))));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
