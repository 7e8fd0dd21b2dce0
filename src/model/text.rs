//! Durations, times and counts in words, as every message has them.

use std::borrow::Cow;
use std::time::Duration;

/// A duration as people say it: `850 ms`, `4.2 s`, `24m 03s`, `1h 02m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A number and what it counts: `1 resource`, `2 resources`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The day that is so many days from now, in UTC.
pub fn date_in(days: u8) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * i64::from(days));
    then.strftime("%Y-%m-%d").to_string()
}

/// The day of a time in seconds since 1970, in UTC.
pub fn date_of(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

/// A time in seconds since 1970, to the second, in UTC.
pub fn instant(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// The longest error that is worth reading; what a file or AWS holds can be any length.
const LONGEST_ERROR: usize = 8 << 10;

/// The beginning of a text that is too long for anyone to read.
pub fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_ERROR {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(LONGEST_ERROR);
    Cow::Owned(format!("{}... ({} bytes more)", &text[..end], text.len() - end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let told = [850, 4_200, 1_443_000, 3_720_000].map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(told, ["850 ms", "4.2 s", "24m 03s", "1h 02m"]);
    }
}
