//! Durations, times, counts and quoted words, as messages have them.

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

/// Whether a character could make a text look like another one: it moves a terminal's cursor, or it turns the direction in which
/// people read what follows (the bidirectional formatting characters of Unicode Standard Annex 9).
pub fn is_deceptive(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// A text that somebody else may have written, with escapes in place of what is deceptive. Tabs stay.
pub fn shown(text: &str) -> Cow<'_, str> {
    let is_escaped = |char: char| is_deceptive(char) && char != '\t';
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if is_escaped(char) {
            plain.extend(char.escape_default());
        } else {
            plain.push(char);
        }
    }
    Cow::Owned(plain)
}

/// One word of a POSIX shell, for messages that name a command of another tool. Quotes are single ones, between which no shell
/// replaces anything; `shlex` writes double ones around a single one.
pub fn shell_quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=@%+,".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let reported = [850, 4_200, 1_443_000, 3_720_000].map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(reported, ["850 ms", "4.2 s", "24m 03s", "1h 02m"]);
    }

    #[test]
    fn a_plain_word_is_left_alone() {
        assert_eq!(shell_quoted("module.healthlake.aws_s3_bucket.data"), "module.healthlake.aws_s3_bucket.data");
        assert_eq!(shell_quoted(r#"aws_x.y["o'brien"]"#), r#"'aws_x.y["o'\''brien"]'"#);
        assert_eq!(shell_quoted(""), "''");
    }

    #[test]
    fn what_moves_the_cursor_or_turns_the_direction_is_escaped() {
        assert_eq!(shown("Zoë\tعمر"), "Zoë\tعمر");
        assert_eq!(shown("a\u{1b}[2Jb\u{9b}c\r\n"), "a\\u{1b}[2Jb\\u{9b}c\\r\\n");
        assert_eq!(shown("\u{202e}txt\u{2066}.\u{200f}"), "\\u{202e}txt\\u{2066}.\\u{200f}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_shell_gives_back_what_was_quoted(word in "[^\0]{0,40}") {
            let script = format!("printf %s {}", shell_quoted(&word));
            let reported = std::process::Command::new("sh").arg("-c").arg(&script).output().unwrap();
            prop_assert_eq!(String::from_utf8(reported.stdout).unwrap(), word);
        }
    }
}
