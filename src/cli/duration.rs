//! Durations on the command line.

use std::time::Duration;

use jiff::SignedDuration;

/// `90s`, `1.5m`, `1h 30m`; a bare number is seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let with_units = || text.parse::<SignedDuration>().ok().and_then(|duration| duration.try_into().ok());
    seconds.or_else(with_units).ok_or_else(|| "write it as 90s, 45m, 2h or 1h 30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["soon", "", "-5s", "-5", "5s ago", "10 parsecs", "inf", "1e300"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
