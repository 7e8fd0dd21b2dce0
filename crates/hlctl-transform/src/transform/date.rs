//! The transform `dateFormat`: patterns of Java's `DateTimeFormatter` (CSV profiles, "dateFormat").
//!
//! Names of months and days are English, as Java's root locale has them. A day that the calendar does not have is wrong; Java
//! would be lenient about the 29th to 31st (`ResolverStyle.SMART`), and which style AWS uses is not documented. Parts that contradict
//! one another are wrong in every style, such as the name of a day that the date does not fall on.

use std::fmt;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Literal(String),
    Year { short: bool },
    Month(Width),
    Day(Digits),
    Hour(Digits),
    Hour12(Digits),
    Minute(Digits),
    Second(Digits),
    Fraction(usize),
    HalfDay,
    Weekday { short: bool },
    Offset { zulu: bool, minutes: Minutes },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    /// One or two.
    Few,
    Two,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Number(Digits),
    Short,
    Long,
}

/// How the minutes of an offset are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Minutes {
    /// `+01`, with minutes only where there are any.
    IfAny,
    /// `+0100`
    Joined,
    /// `+01:00`
    Colon,
}

/// A part of a date or time that a pattern can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatePart {
    /// The year.
    Year,
    /// The month.
    Month,
    /// The day.
    Day,
    /// The hour.
    Hour,
    /// Minutes, seconds and fractions.
    Minute,
    /// The time zone's offset.
    Offset,
}

/// What is wrong with the patterns of a date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateFault {
    /// A letter that means nothing, or not so often.
    Letters(String),
    /// `Y`, the year of weeks, which is another year around New Year.
    WeekYear,
    /// `D`, the day of the year.
    DayOfYear,
    /// A zone by name.
    Zone(String),
    /// Optional parts in square brackets.
    Optional,
    /// A character that Java reserves.
    Reserved(char),
    /// A quotation mark is not closed.
    Quote,
    /// There is nothing in it.
    Nothing,
    /// `h` without `a`, or `a` without `h`.
    HalfDay,
    /// The output has a part that the input does not.
    Lacks(DatePart),
    /// Names of days in the output.
    Weekday,
}

impl DateFault {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Letters(_) => "use yyyy, MM, dd, HH, hh, mm, ss, S, a, E, X and texts in single quotation marks",
            Self::WeekYear => "write yyyy",
            Self::DayOfYear => "write dd",
            Self::Zone(_) => "write XXX if the data has offsets such as -05:00",
            Self::Optional => "write the pattern of the cells without square brackets",
            Self::Reserved(_) => "put the character between single quotation marks",
            Self::Quote => "close it with a second single quotation mark; two in a row are the character itself",
            Self::Nothing => "write a pattern such as MM/dd/yyyy",
            Self::HalfDay => "write hours as HH, or as hh together with a",
            Self::Lacks(DatePart::Offset) => {
                "if all times are of one zone, write its offset as text: yyyy-MM-dd'T'HH:mm:ss'-05:00'"
            }
            Self::Lacks(_) => "leave the part out of the output, or read it from the input",
            Self::Weekday => "FHIR has no names of days; leave E out",
        }
    }
}

impl fmt::Display for DateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Letters(letters) => write!(f, "the date pattern has {letters}, which is not known here"),
            Self::WeekYear => f.write_str("the date pattern has Y, the year that weeks belong to"),
            Self::DayOfYear => f.write_str("the date pattern has D, the day of the year"),
            Self::Zone(letters) => write!(f, "the date pattern has {letters}, the name of a time zone"),
            Self::Optional => f.write_str("the date pattern has optional parts"),
            Self::Reserved(char) => write!(f, "the date pattern has {char}, which Java reserves"),
            Self::Quote => f.write_str("the date pattern has a quotation mark that is not closed"),
            Self::Nothing => f.write_str("the date pattern is empty"),
            Self::HalfDay => f.write_str("the date pattern has one of h and a without the other"),
            Self::Lacks(part) => write!(f, "outputFormat has {part}, which inputFormat does not have"),
            Self::Weekday => f.write_str("outputFormat has the name of a day"),
        }
    }
}

impl fmt::Display for DatePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Year => "the year",
            Self::Month => "the month",
            Self::Day => "the day",
            Self::Hour => "the hour",
            Self::Minute => "minutes or seconds",
            Self::Offset => "the time zone's offset",
        })
    }
}

/// How a date is read and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateFormats {
    input: Vec<Item>,
    output: Vec<Item>,
}

/// The parts of a date that were read.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    year: Option<u16>,
    month: Option<u8>,
    day: Option<u8>,
    /// From 0, Monday.
    weekday: Option<u8>,
    hour: Option<u8>,
    hour12: Option<u8>,
    afternoon: Option<bool>,
    minute: Option<u8>,
    second: Option<u8>,
    nanos: Option<u32>,
    offset: Option<i16>,
}

/// A date, with the first of what it does not have.
#[derive(Clone, Copy, Debug)]
struct Moment {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
    /// Minutes east of UTC.
    offset: i16,
}

impl DateFormats {
    /// Reads both patterns. Tells of which one a fault is: `true` is the input.
    pub(crate) fn parse(input: &str, output: &str) -> Result<Self, (bool, DateFault)> {
        let read = items(input).map_err(|fault| (true, fault))?;
        let written = items(output).map_err(|fault| (false, fault))?;
        let given = parts(&read);
        for part in parts(&written) {
            // A time of whole hours has no minutes, as Java has it too.
            let known = given.contains(&part) || (part == DatePart::Minute && given.contains(&DatePart::Hour));
            if !known {
                return Err((false, DateFault::Lacks(part)));
            }
        }
        if written.iter().any(|item| matches!(item, Item::Weekday { .. })) {
            return Err((false, DateFault::Weekday));
        }
        Ok(Self { input: read, output: written })
    }

    /// Whether the output has a time and ends with neither an offset nor a text that may be one.
    pub(crate) fn lacks_offset(&self) -> bool {
        let has_time = parts(&self.output).iter().any(|part| [DatePart::Hour, DatePart::Minute].contains(part));
        let ends_with_offset = match self.output.last() {
            Some(Item::Offset { .. }) => true,
            Some(Item::Literal(text)) => text.ends_with('Z') || text.ends_with(|char: char| char.is_ascii_digit()),
            _ => false,
        };
        has_time && !ends_with_offset
    }

    /// Writes the date in its other form; `None` if the text is no such date.
    pub(crate) fn convert(&self, text: &str, out: &mut String) -> Option<()> {
        let moment = read(&self.input, text)?;
        for item in &self.output {
            write(item, &moment, out);
        }
        Some(())
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn items(pattern: &str) -> Result<Vec<Item>, DateFault> {
    if pattern.is_empty() {
        return Err(DateFault::Nothing);
    }
    let mut items: Vec<Item> = Vec::new();
    let text = |items: &mut Vec<Item>, char: char| match items.last_mut() {
        Some(Item::Literal(text)) => text.push(char),
        _ => items.push(Item::Literal(char.to_string())),
    };
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let run = chars[at..].iter().take_while(|other| **other == char).count();
        match char {
            '\'' => {
                let mut end = at + 1;
                if chars.get(end) == Some(&'\'') {
                    text(&mut items, '\'');
                    at += 2;
                    continue;
                }
                loop {
                    match (chars.get(end), chars.get(end + 1)) {
                        (None, _) => return Err(DateFault::Quote),
                        (Some('\''), Some('\'')) => {
                            text(&mut items, '\'');
                            end += 2;
                        }
                        (Some('\''), _) => break,
                        (Some(other), _) => {
                            text(&mut items, *other);
                            end += 1;
                        }
                    }
                }
                at = end + 1;
                continue;
            }
            '[' | ']' => return Err(DateFault::Optional),
            '{' | '}' | '#' => return Err(DateFault::Reserved(char)),
            letter if letter.is_ascii_alphabetic() => items.push(field(letter, run)?),
            other => {
                text(&mut items, other);
                at += 1;
                continue;
            }
        }
        at += run;
    }
    let (has_half, has_hour12) = items.iter().fold((false, false), |(half, hour), item| match item {
        Item::HalfDay => (true, hour),
        Item::Hour12(_) => (half, true),
        _ => (half, hour),
    });
    if has_half == has_hour12 { Ok(items) } else { Err(DateFault::HalfDay) }
}

fn field(letter: char, count: usize) -> Result<Item, DateFault> {
    let unknown = || DateFault::Letters(std::iter::repeat_n(letter, count.min(12)).collect());
    let digits = match count {
        1 => Some(Digits::Few),
        2 => Some(Digits::Two),
        _ => None,
    };
    let number = |of: fn(Digits) -> Item| digits.map(of).ok_or_else(unknown);
    let minutes = match count {
        1 => Some(Minutes::IfAny),
        2 => Some(Minutes::Joined),
        3 => Some(Minutes::Colon),
        _ => None,
    };
    match letter {
        'y' | 'u' if count == 4 => Ok(Item::Year { short: false }),
        'y' | 'u' if count == 2 => Ok(Item::Year { short: true }),
        'Y' => Err(DateFault::WeekYear),
        'M' | 'L' => match count {
            3 => Ok(Item::Month(Width::Short)),
            4 => Ok(Item::Month(Width::Long)),
            _ => digits.map(|digits| Item::Month(Width::Number(digits))).ok_or_else(unknown),
        },
        'd' => number(Item::Day),
        'D' => Err(DateFault::DayOfYear),
        'H' => number(Item::Hour),
        'h' => number(Item::Hour12),
        'm' => number(Item::Minute),
        's' => number(Item::Second),
        'S' if count <= 9 => Ok(Item::Fraction(count)),
        'a' if count == 1 => Ok(Item::HalfDay),
        'E' if count <= 4 => Ok(Item::Weekday { short: count < 4 }),
        'X' | 'x' => {
            let minutes = minutes.ok_or_else(unknown)?;
            Ok(Item::Offset { zulu: letter == 'X', minutes })
        }
        'Z' if count <= 3 => Ok(Item::Offset { zulu: false, minutes: Minutes::Joined }),
        'z' | 'V' | 'v' | 'O' => Err(DateFault::Zone(std::iter::repeat_n(letter, count.min(12)).collect())),
        _ => Err(unknown()),
    }
}

fn parts(items: &[Item]) -> Vec<DatePart> {
    let part = |item: &Item| match item {
        Item::Literal(_) | Item::HalfDay | Item::Weekday { .. } => None,
        Item::Year { .. } => Some(DatePart::Year),
        Item::Month(_) => Some(DatePart::Month),
        Item::Day(_) => Some(DatePart::Day),
        Item::Hour(_) | Item::Hour12(_) => Some(DatePart::Hour),
        Item::Minute(_) | Item::Second(_) | Item::Fraction(_) => Some(DatePart::Minute),
        Item::Offset { .. } => Some(DatePart::Offset),
    };
    items.iter().filter_map(part).collect()
}

/// Takes a number of so many digits from the front.
fn number(text: &mut &str, digits: Digits, range: std::ops::RangeInclusive<u8>) -> Option<u8> {
    let bytes = text.as_bytes();
    let first = bytes.first().filter(|byte| byte.is_ascii_digit())?;
    let second = bytes.get(1).filter(|byte| byte.is_ascii_digit());
    let (value, length) = match (second, digits) {
        (Some(second), _) => ((first - b'0') * 10 + (second - b'0'), 2),
        (None, Digits::Few) => (first - b'0', 1),
        (None, Digits::Two) => return None,
    };
    *text = &text[length..];
    range.contains(&value).then_some(value)
}

/// Takes a number of exactly so many digits.
fn exactly(text: &mut &str, count: usize) -> Option<u32> {
    let digits = text.as_bytes().get(..count).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let value = digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    *text = &text[count..];
    Some(value)
}

/// Takes one of these names, and gives its place among them.
fn named(text: &mut &str, names: &[&str], short: bool) -> Option<u8> {
    for (place, name) in names.iter().enumerate() {
        let name = if short { &name[..3] } else { name };
        if let Some(rest) = text.strip_prefix(name) {
            *text = rest;
            return u8::try_from(place).ok();
        }
    }
    None
}

fn offset(text: &mut &str, zulu: bool, minutes: Minutes) -> Option<i16> {
    if zulu && let Some(rest) = text.strip_prefix('Z') {
        *text = rest;
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    *text = &text[1..];
    let hours = number(text, Digits::Two, 0..=18)?;
    let minutes = match minutes {
        Minutes::IfAny if !text.as_bytes().first().is_some_and(u8::is_ascii_digit) => 0,
        Minutes::IfAny | Minutes::Joined => number(text, Digits::Two, 0..=59)?,
        Minutes::Colon => {
            *text = text.strip_prefix(':')?;
            number(text, Digits::Two, 0..=59)?
        }
    };
    let total = sign * (i16::from(hours) * 60 + i16::from(minutes));
    (total.abs() <= 18 * 60).then_some(total)
}

/// Notes a part; a second one has to be the same.
fn note<T: Copy + PartialEq>(part: &mut Option<T>, value: T) -> Option<()> {
    (*part.get_or_insert(value) == value).then_some(())
}

fn read(items: &[Item], mut text: &str) -> Option<Moment> {
    let mut found = Found::default();
    let text = &mut text;
    for item in items {
        match item {
            Item::Literal(expected) => *text = text.strip_prefix(expected.as_str())?,
            Item::Year { short: false } => note(&mut found.year, u16::try_from(exactly(text, 4)?).ok()?)?,
            // Java's base is 2000.
            Item::Year { short: true } => note(&mut found.year, u16::try_from(2000 + exactly(text, 2)?).ok()?)?,
            Item::Month(Width::Number(digits)) => note(&mut found.month, number(text, *digits, 1..=12)?)?,
            Item::Month(width) => note(&mut found.month, named(text, &MONTHS, *width == Width::Short)? + 1)?,
            Item::Day(digits) => note(&mut found.day, number(text, *digits, 1..=31)?)?,
            Item::Hour(digits) => note(&mut found.hour, number(text, *digits, 0..=23)?)?,
            Item::Hour12(digits) => note(&mut found.hour12, number(text, *digits, 1..=12)?)?,
            Item::Minute(digits) => note(&mut found.minute, number(text, *digits, 0..=59)?)?,
            Item::Second(digits) => note(&mut found.second, number(text, *digits, 0..=59)?)?,
            Item::Fraction(count) => {
                let value = exactly(text, *count)?;
                note(&mut found.nanos, (*count..9).fold(value, |nanos, _| nanos * 10))?;
            }
            Item::HalfDay => note(&mut found.afternoon, named(text, &["AM", "PM"], false)? == 1)?,
            Item::Weekday { short } => note(&mut found.weekday, named(text, &DAYS, *short)?)?,
            Item::Offset { zulu, minutes } => note(&mut found.offset, offset(text, *zulu, *minutes)?)?,
        }
    }
    if text.is_empty() { found.moment() } else { None }
}

impl Found {
    /// The date, if it exists and its parts agree.
    fn moment(mut self) -> Option<Moment> {
        if let (Some(hour), Some(afternoon)) = (self.hour12, self.afternoon) {
            note(&mut self.hour, hour % 12 + if afternoon { 12 } else { 0 })?;
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if self.year == Some(0) || day > days(self.year, month) {
            return None;
        }
        // Without a whole date there is nothing to compare the name of a day with; Java ignores it then, too.
        if let (Some(year), Some(_), Some(_), Some(weekday)) = (self.year, self.month, self.day, self.weekday)
            && weekday != weekday_of(year, month, day)
        {
            return None;
        }
        Some(Moment {
            // No output has a year that the input does not have.
            year: self.year.unwrap_or_default(),
            month,
            day,
            hour: self.hour.unwrap_or_default(),
            minute: self.minute.unwrap_or_default(),
            second: self.second.unwrap_or_default(),
            nanos: self.nanos.unwrap_or_default(),
            offset: self.offset.unwrap_or_default(),
        })
    }
}

/// The day of the week of a date of the Gregorian calendar, from 0, Monday.
fn weekday_of(year: u16, month: u8, day: u8) -> u8 {
    let before = u32::from(year) - 1;
    let months: u32 = (1..month).map(|month| u32::from(days(Some(year), month))).sum();
    // The first of January of the year 1 was a Monday.
    let passed = before * 365 + before / 4 - before / 100 + before / 400 + months + u32::from(day) - 1;
    (passed % 7) as u8
}

/// How many days a month has; without a year, those that it can have.
fn days(year: Option<u16>, month: u8) -> u8 {
    match month {
        2 if year.is_none_or(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn write(item: &Item, moment: &Moment, out: &mut String) {
    let mut two = |value: u8, digits: Digits| {
        if digits == Digits::Two || value > 9 {
            out.push(char::from(b'0' + value / 10));
        }
        out.push(char::from(b'0' + value % 10));
    };
    let hour12 = if moment.hour.is_multiple_of(12) { 12 } else { moment.hour % 12 };
    match item {
        Item::Literal(text) => out.push_str(text),
        Item::Year { short } => {
            let [century, year] =
                [moment.year / 100, moment.year % 100].map(|part| u8::try_from(part).unwrap_or_default());
            if !short {
                two(century, Digits::Two);
            }
            two(year, Digits::Two);
        }
        Item::Month(Width::Number(digits)) => two(moment.month, *digits),
        Item::Month(width) => {
            let name = MONTHS.get(usize::from(moment.month).wrapping_sub(1)).copied().unwrap_or_default();
            out.push_str(if *width == Width::Short { name.get(..3).unwrap_or_default() } else { name });
        }
        Item::Day(digits) => two(moment.day, *digits),
        Item::Hour(digits) => two(moment.hour, *digits),
        Item::Hour12(digits) => two(hour12, *digits),
        Item::Minute(digits) => two(moment.minute, *digits),
        Item::Second(digits) => two(moment.second, *digits),
        Item::Fraction(count) => {
            let digits = format!("{:09}", moment.nanos);
            out.push_str(&digits[..*count]);
        }
        Item::HalfDay => out.push_str(if moment.hour < 12 { "AM" } else { "PM" }),
        // No output has it.
        Item::Weekday { .. } => {}
        Item::Offset { zulu: true, .. } if moment.offset == 0 => out.push('Z'),
        Item::Offset { minutes, .. } => {
            out.push(if moment.offset < 0 { '-' } else { '+' });
            let total = moment.offset.unsigned_abs();
            let [hours, rest] = [total / 60, total % 60].map(|part| u8::try_from(part).unwrap_or_default());
            let _ = match minutes {
                Minutes::IfAny if rest == 0 => fmt::Write::write_fmt(out, format_args!("{hours:02}")),
                Minutes::IfAny | Minutes::Joined => fmt::Write::write_fmt(out, format_args!("{hours:02}{rest:02}")),
                Minutes::Colon => fmt::Write::write_fmt(out, format_args!("{hours:02}:{rest:02}")),
            };
        }
    }
}

#[cfg(test)]
mod tests;
