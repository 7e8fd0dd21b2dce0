//! Dates in searches: every date is a range, as exact as it was written (R4, search, date).

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};
use serde_json::Value;

use super::filter::Prefix;

/// From the first instant to just before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Range {
    pub(in super::super) from: Timestamp,
    pub(in super::super) to: Timestamp,
}

/// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a date with a time. A time without an offset is in UTC.
pub(in super::super) fn parse(text: &str) -> Option<Range> {
    // A plus sign that was not percent-encoded in a query has become a space.
    let text = text.trim_end().replace(' ', "+");
    let fields: Vec<&str> = text.split('-').collect();
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    match fields.as_slice() {
        [year] if digits(year, 4) => days(&format!("{year}-01-01"), Span::new().years(1)),
        [year, month] if digits(year, 4) && digits(month, 2) => {
            days(&format!("{year}-{month}-01"), Span::new().months(1))
        }
        [_, _, day] if digits(day, 2) => days(&text, Span::new().days(1)),
        _ => moment(&text),
    }
}

fn days(first: &str, length: Span) -> Option<Range> {
    let first: Date = first.parse().ok()?;
    let next = first.checked_add(length).ok()?;
    let midnight = |date: Date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    Some(Range { from: midnight(first)?, to: midnight(next)? })
}

fn moment(text: &str) -> Option<Range> {
    let (_, time) = text.split_once('T')?;
    let from =
        text.parse::<Timestamp>().ok().or_else(|| Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())?;
    let clock = time.split(['Z', '+', '-']).next().unwrap_or_default();
    let length = match (clock.split(':').count(), clock.contains('.')) {
        (_, true) => Span::new().milliseconds(1),
        (2, _) => Span::new().minutes(1),
        _ => Span::new().seconds(1),
    };
    Some(Range { from, to: from.checked_add(length).ok()? })
}

/// The range of a date, dateTime, instant, Period or Timing.
pub(super) fn of_element(value: &Value) -> Option<Range> {
    match value {
        Value::String(text) => parse(text),
        Value::Object(members) if members.contains_key("event") || members.contains_key("repeat") => timing(value),
        Value::Object(members) => {
            let end = |name: &str| members.get(name).and_then(Value::as_str).and_then(parse);
            let (start, end) = (end("start"), end("end"));
            if start.is_none() && end.is_none() {
                return None;
            }
            Some(Range {
                from: start.map_or(Timestamp::MIN, |range| range.from),
                to: end.map_or(Timestamp::MAX, |range| range.to),
            })
        }
        _ => None,
    }
}

fn timing(value: &Value) -> Option<Range> {
    let events = value["event"].as_array().into_iter().flatten().filter_map(Value::as_str).filter_map(parse);
    let all = events.reduce(|one, other| Range { from: one.from.min(other.from), to: one.to.max(other.to) });
    all.or_else(|| of_element(&value["repeat"]["boundsPeriod"]))
}

impl Range {
    /// An instant that is known to the millisecond.
    pub(super) fn of_instant(at: Timestamp) -> Self {
        Self { from: at, to: at.checked_add(Span::new().milliseconds(1)).unwrap_or(at) }
    }

    /// Whether this range is as `prefix` and `wanted` ask.
    pub(super) fn is(self, prefix: Prefix, wanted: Self) -> bool {
        let within = wanted.from <= self.from && self.to <= wanted.to;
        match prefix {
            Prefix::Equal => within,
            Prefix::NotEqual => !within,
            Prefix::Greater => self.to > wanted.to,
            Prefix::Less => self.from < wanted.from,
            Prefix::GreaterOrEqual => within || self.to > wanted.to,
            Prefix::LessOrEqual => within || self.from < wanted.from,
            Prefix::After => self.from >= wanted.to,
            Prefix::Before => self.to <= wanted.from,
            Prefix::About => self.from < wanted.to && wanted.from < self.to,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn range(text: &str) -> Range {
        parse(text).unwrap_or_else(|| panic!("{text} is no date"))
    }

    fn texts(text: &str) -> (String, String) {
        let range = range(text);
        (range.from.to_string(), range.to.to_string())
    }

    #[test]
    fn a_date_is_as_long_as_it_is_inexact() {
        for (text, from, to) in [
            ("2020", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"),
            ("2020-02", "2020-02-01T00:00:00Z", "2020-03-01T00:00:00Z"),
            ("2020-02-29", "2020-02-29T00:00:00Z", "2020-03-01T00:00:00Z"),
            ("2020-02-29T10:30", "2020-02-29T10:30:00Z", "2020-02-29T10:31:00Z"),
            ("2020-02-29T10:30:05+02:00", "2020-02-29T08:30:05Z", "2020-02-29T08:30:06Z"),
            ("2020-02-29T10:30:05 02:00", "2020-02-29T08:30:05Z", "2020-02-29T08:30:06Z"),
            ("2020-02-29T10:30:05.5Z", "2020-02-29T10:30:05.5Z", "2020-02-29T10:30:05.501Z"),
        ] {
            assert_eq!(texts(text), (from.to_owned(), to.to_owned()), "{text}");
        }
        for text in ["", "2020-13", "2021-02-29", "yesterday", "2020-1-1", "20", "2020-02-29T", "T10:00"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_open_period_reaches_to_the_end_of_time() {
        let open = of_element(&json!({"start": "2020-01-01"})).unwrap();
        assert!(open.is(Prefix::Greater, range("2030")));
        assert!(!open.is(Prefix::Less, range("2020-01-01")));
        assert_eq!(of_element(&json!({})), None);
        let timing = of_element(&json!({"event": ["2020-02-01", "2020-01-01"]})).unwrap();
        assert_eq!(timing.from.to_string(), "2020-01-01T00:00:00Z");
    }

    #[test]
    fn prefixes_compare_ranges() {
        let day = range("2020-06-15");
        for (prefix, wanted, expected) in [
            (Prefix::Equal, "2020-06", true),
            (Prefix::Equal, "2020-06-15T10:00", false),
            (Prefix::NotEqual, "2020-06-14", true),
            (Prefix::Greater, "2020-06-14", true),
            (Prefix::Greater, "2020-06-15", false),
            (Prefix::GreaterOrEqual, "2020-06-15", true),
            (Prefix::LessOrEqual, "2020-06-15", true),
            (Prefix::Less, "2020-06-15T10:00", true),
            (Prefix::After, "2020-06-14", true),
            (Prefix::Before, "2020-06-16", true),
            (Prefix::Before, "2020-06-15", false),
        ] {
            assert_eq!(day.is(prefix, range(wanted)), expected, "{prefix:?} {wanted}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_is_not(text in "\\PC{0,30}") {
            if let Some(range) = parse(&text) {
                prop_assert!(range.from < range.to);
            }
        }

        #[test]
        fn a_date_is_less_equal_or_greater_and_not_two_of_them(
            year in 1900..2100i32, month in 1..=12u8, day in 1..=28u8, other in 1..=28u8,
        ) {
            let one = range(&format!("{year:04}-{month:02}-{day:02}"));
            let two = range(&format!("{year:04}-{month:02}-{other:02}"));
            let held: Vec<bool> =
                [Prefix::Less, Prefix::Equal, Prefix::Greater].map(|prefix| one.is(prefix, two)).to_vec();
            prop_assert_eq!(held.iter().filter(|held| **held).count(), 1);
            prop_assert_eq!(one.is(Prefix::LessOrEqual, two), held[0] || held[1]);
            prop_assert_eq!(one.is(Prefix::GreaterOrEqual, two), held[2] || held[1]);
            prop_assert_eq!(one.is(Prefix::NotEqual, two), !held[1]);
        }
    }
}
