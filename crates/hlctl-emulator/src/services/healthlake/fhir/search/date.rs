//! Dates in searches: every date is a range, as exact as it was written (R4, search, date).

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::filter::Prefix;

/// Nanoseconds since 1970. R4's dates go on for a while after the last [`Timestamp`], 9999-12-30.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Instant(i128);

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 24 * 60 * 60 * SECOND;

impl Instant {
    /// The nearest instant that a resource can have been changed at.
    pub(in super::super) fn timestamp(self) -> Timestamp {
        let nearest = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_nanosecond(self.0).unwrap_or(nearest)
    }

    fn after(self, nanoseconds: i128) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    /// The beginning of a day in UTC.
    fn midnight(date: Date) -> Option<Self> {
        let days = date.since(Date::constant(1970, 1, 1)).ok()?.get_days();
        Some(Self(i128::from(days) * DAY))
    }
}

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at.as_nanosecond())
    }
}

/// From the first instant to just before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Range {
    pub(in super::super) from: Instant,
    pub(in super::super) to: Instant,
}

/// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a date with a time. A time without an offset is in UTC.
pub(in super::super) fn parse(text: &str) -> Option<Range> {
    // A plus sign that was not percent-encoded in a query has become a space.
    let text = text.trim_end().replace(' ', "+");
    match text.split_once('T') {
        Some((date, time)) => moment(date, time),
        None => days(&text),
    }
}

/// Digits, as many as wanted, as a number.
fn digits<N: std::str::FromStr>(text: &str, count: usize) -> Option<N> {
    let is_plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

fn days(text: &str) -> Option<Range> {
    let fields: Vec<&str> = text.split('-').collect();
    let year = digits::<i16>(fields.first()?, 4).filter(|year| *year > 0)?;
    let field = |place: usize| fields.get(place).map_or(Some(1), |field| digits::<i8>(field, 2));
    let first = Date::new(year, field(1)?, field(2)?).ok()?;
    let last = match fields.len() {
        1 => Date::new(year, 12, 31).ok()?,
        2 => first.last_of_month(),
        3 => first,
        _ => return None,
    };
    Some(Range { from: Instant::midnight(first)?, to: Instant::midnight(last)?.after(DAY) })
}

/// A date with a time, to the nanosecond; R4 allows any number of digits after that.
fn moment(date: &str, time: &str) -> Option<Range> {
    let day = days(date).filter(|_| date.len() == 10)?.from;
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let fields: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match fields.as_slice() {
        [hour, minute] if fraction.is_none() => (hour, minute, &"00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let below = |text: &str, end: i128| digits::<i128>(text, 2).filter(|number| *number < end);
    // R4 has leap seconds.
    let seconds = (below(hour, 24)? * 60 + below(minute, 60)?) * 60 + below(second, 61)?;
    let nanoseconds = match fraction {
        None => 0,
        Some(fraction) if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        Some(fraction) => digits::<i128>(&format!("{fraction:0<9}")[..9], 9)?,
    };
    let from = day.after(seconds * SECOND + nanoseconds - offset(zone)? * SECOND);
    let length = match (fields.len(), fraction) {
        (_, Some(_)) => SECOND / 1000,
        (2, None) => 60 * SECOND,
        _ => SECOND,
    };
    Some(Range { from, to: from.after(length) })
}

/// Seconds that a place is ahead of UTC.
fn offset(zone: &str) -> Option<i128> {
    let sign = match zone.bytes().next() {
        None => return Some(0),
        Some(b'Z') => return (zone == "Z").then_some(0),
        Some(b'+') => 1,
        Some(_) => -1,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let hours = digits::<i128>(hours, 2).filter(|hours| *hours <= 14)?;
    let minutes = digits::<i128>(minutes, 2).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 60 + minutes) * 60)
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
                from: start.map_or(Instant(i128::MIN), |range| range.from),
                to: end.map_or(Instant(i128::MAX), |range| range.to),
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
        let from = Instant::from(at);
        Self { from, to: from.after(SECOND / 1000) }
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
        parse(text).unwrap_or_else(|| panic!("{text} is not a date"))
    }

    fn texts(text: &str) -> (String, String) {
        let range = range(text);
        (range.from.timestamp().to_string(), range.to.timestamp().to_string())
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
            ("2020-02-29T23:59:05.123456789123Z", "2020-02-29T23:59:05.123456789Z", "2020-02-29T23:59:05.124456789Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:01Z"),
        ] {
            assert_eq!(texts(text), (from.to_owned(), to.to_owned()), "{text}");
        }
        for text in [
            "",
            "2020-13",
            "2021-02-29",
            "yesterday",
            "2020-1-1",
            "20",
            "2020-02-29T",
            "T10:00",
            "0000",
            "2020-02-29-01",
            "2020-02T10:00",
            "2020-02-29T24:00",
            "2020-02-29T10",
            "2020-02-29T10:00:00.Z",
            "2020-02-29T10:00:00+02",
            "2020-02-29T10:00:00+15:00",
            "2020-02-29T10:00:00Zx",
            "2020-02-29T10:00:00é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_time_is_a_date_like_any_other() {
        for (one, prefix, other, expected) in [
            ("9999-12-31", Prefix::Equal, "9999-12-31", true),
            ("9999-12-31", Prefix::Equal, "9999", true),
            ("9999-12-31", Prefix::Equal, "9999-12-30", false),
            ("9999-12-31", Prefix::Greater, "9999-12-30", true),
            ("9999-12-30", Prefix::Less, "9999-12-31", true),
            ("9999-12-31T23:59:59.999999999-14:00", Prefix::After, "9999-12-31", true),
            ("1980-01-02", Prefix::LessOrEqual, "9999", true),
            ("0001-01-01T00:00:00+14:00", Prefix::Before, "0001", true),
        ] {
            assert_eq!(range(one).is(prefix, range(other)), expected, "{one} {prefix:?} {other}");
        }
    }

    #[test]
    fn an_open_period_reaches_to_the_end_of_time() {
        let open = of_element(&json!({"start": "2020-01-01"})).unwrap();
        assert!(open.is(Prefix::Greater, range("2030")));
        assert!(!open.is(Prefix::Less, range("2020-01-01")));
        assert_eq!(of_element(&json!({})), None);
        let timing = of_element(&json!({"event": ["2020-02-01", "2020-01-01"]})).unwrap();
        assert_eq!(timing.from.timestamp().to_string(), "2020-01-01T00:00:00Z");
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
        fn whatever_r4_allows_is_a_date(
            text in "[1-9][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|1[0-9]|2[0-8])(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]{1,15})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00))?)?)?",
        ) {
            prop_assert!(parse(&text).is_some_and(|range| range.from < range.to), "{}", text);
        }

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
