//! Where the emulator takes the time from.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// A source of the present instant: the system's, or one that a test moves by hand.
///
/// Clones share the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(start))))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Manual(instant) => *instant.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward. The system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(instant) = &self.0 {
            let mut instant = instant.lock().unwrap_or_else(PoisonError::into_inner);
            *instant = after(*instant, by);
        }
    }
}

/// `instant` plus `delay`, or the end of time where that lies beyond it.
pub(crate) fn after(instant: Timestamp, delay: Duration) -> Timestamp {
    instant.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// Seconds since the epoch with milliseconds, as the JSON protocols write an instant.
pub(crate) fn epoch_seconds(instant: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay below 2^53 for 285,000 years")]
    let milliseconds = instant.as_millisecond() as f64;
    milliseconds / 1000.0
}

/// ISO 8601 in UTC to the second, as the query protocols write an instant.
pub(crate) fn iso_seconds(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_asked() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        clock.advance(Duration::from_millis(1500));
        assert!((epoch_seconds(other.now()) - 1.5).abs() < f64::EPSILON);
        assert_eq!(iso_seconds(other.now()), "1970-01-01T00:00:01Z");
    }
}
