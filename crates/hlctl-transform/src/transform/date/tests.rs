//! Dates that are read and written.

use super::*;

fn converted(input: &str, output: &str, text: &str) -> Option<String> {
    let formats = DateFormats::parse(input, output).unwrap_or_else(|(_, fault)| panic!("{fault}"));
    let mut out = String::new();
    formats.convert(text, &mut out).map(|()| out)
}

#[test]
fn dates_are_read_and_written_by_the_patterns_of_java() {
    for (input, output, text, expected) in [
        ("MM/dd/yyyy", "yyyy-MM-dd", "03/15/2024", "2024-03-15"),
        ("M/d/yyyy", "yyyy-MM-dd", "3/5/2024", "2024-03-05"),
        ("yyyyMMdd", "yyyy-MM-dd", "20240229", "2024-02-29"),
        ("yyyyMMddHHmm", "yyyy-MM-dd'T'HH:mm:ss", "202403151030", "2024-03-15T10:30:00"),
        ("dd-MMM-uuuu", "uuuu-MM-dd", "07-Sep-1999", "1999-09-07"),
        ("EEE, d MMMM yy", "yyyy-MM-dd", "Fri, 1 March 24", "2024-03-01"),
        (
            "yyyy-MM-dd HH:mm:ss.SSS",
            "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'",
            "2024-01-02 03:04:05.678",
            "2024-01-02T03:04:05.678000Z",
        ),
        (
            "yyyy-MM-dd'T'HH:mm:ssXXX",
            "yyyy-MM-dd'T'HH:mm:ssXXX",
            "2024-03-15T10:30:00-05:00",
            "2024-03-15T10:30:00-05:00",
        ),
        ("yyyy-MM-dd'T'HH:mm:ssX", "yyyy-MM-dd'T'HH:mm:ssxxx", "2024-03-15T10:30:00Z", "2024-03-15T10:30:00+00:00"),
        ("yyyy-MM-dd HH:mm Z", "yyyy-MM-dd'T'HH:mm:ssXXX", "2024-03-15 10:30 +0530", "2024-03-15T10:30:00+05:30"),
        ("MM/dd/yyyy hh:mm a", "yyyy-MM-dd'T'HH:mm", "03/15/2024 12:05 AM", "2024-03-15T00:05"),
        ("MM/dd/yyyy h:mm a", "yyyy-MM-dd'T'HH:mm", "03/15/2024 1:05 PM", "2024-03-15T13:05"),
        ("yyyy-MM", "yyyy", "2024-03", "2024"),
        ("''yyyy 'o''clock'", "yyyy", "'2024 o'clock", "2024"),
        ("EEE MMM d yyyy", "yyyy-MM-dd", "Tue Jan 2 2024", "2024-01-02"),
        ("EEE yyyy", "yyyy", "Mon 2024", "2024"),
        ("EEE MM yyyy", "yyyy-MM", "Mon 02 2024", "2024-02"),
        ("HH:mm (hh:mm a)", "HH:mm", "13:05 (01:05 PM)", "13:05"),
        ("SSS SS", "SSS", "120 12", "120"),
    ] {
        assert_eq!(converted(input, output, text).as_deref(), Some(expected), "{input}: {text}");
    }
}

#[test]
fn what_is_no_such_date_is_not_converted() {
    for (input, text) in [
        ("MM/dd/yyyy", "3/15/2024"),
        ("MM/dd/yyyy", "03/15/2024 "),
        ("MM/dd/yyyy", "13/01/2024"),
        ("MM/dd/yyyy", "02/30/2024"),
        ("MM/dd/yyyy", "02/29/2023"),
        ("MM/dd/yyyy", "02/29/1900"),
        ("MM/dd/yyyy", ""),
        ("MM/dd/yyyy", "0é/01/2024"),
        ("yyyy", "0000"),
        ("yyyy", "24"),
        ("dd-MMM-yyyy", "07-SEP-1999"),
        ("yyyy-MM-dd HH", "2024-01-01 24"),
        ("EEE MMM d yyyy", "Mon Jan 2 2024"),
        ("EEEE yyyy-MM-dd", "Thursday 2024-03-01"),
        ("EEE EEEE yyyy", "Mon Tuesday 2024"),
        ("yyyy-MM-dd yy", "2024-01-02 23"),
        ("yyyy-MM-dd uuuu", "2024-01-02 2023"),
        ("yyyy MM MMM", "2024 01 Feb"),
        ("yyyy HH:mm (hh:mm a)", "2024 13:05 (01:05 AM)"),
        ("yyyy SSS SS", "2024 123 12"),
        ("yyyy X XXX", "2024 +01 +02:00"),
    ] {
        assert_eq!(converted(input, "yyyy", text), None, "{input}: {text}");
    }
}

#[test]
fn days_of_the_week_are_those_of_the_calendar() {
    // Java's LocalDate.of(...).getDayOfWeek() says the same.
    for (year, month, day, expected) in [
        (1, 1, 1, "Monday"),
        (1600, 2, 29, "Tuesday"),
        (1900, 3, 1, "Thursday"),
        (1970, 1, 1, "Thursday"),
        (2000, 2, 29, "Tuesday"),
        (2023, 12, 31, "Sunday"),
        (2024, 12, 31, "Tuesday"),
        (9999, 12, 31, "Friday"),
    ] {
        assert_eq!(DAYS[usize::from(weekday_of(year, month, day))], expected, "{year}-{month}-{day}");
    }
}

#[test]
fn patterns_that_cannot_work_are_refused() {
    let fault = |input: &str, output: &str| DateFormats::parse(input, output).err();
    assert_eq!(fault("YYYY-MM-dd", "yyyy"), Some((true, DateFault::WeekYear)));
    assert_eq!(fault("yyyy-MM-DD", "yyyy"), Some((true, DateFault::DayOfYear)));
    assert_eq!(fault("yyyy", ""), Some((false, DateFault::Nothing)));
    assert_eq!(fault("yyyy", "yyyy'"), Some((false, DateFault::Quote)));
    assert_eq!(fault("yyyy[-MM]", "yyyy"), Some((true, DateFault::Optional)));
    assert_eq!(fault("yyyy hh", "yyyy"), Some((true, DateFault::HalfDay)));
    assert_eq!(fault("yyyy z", "yyyy"), Some((true, DateFault::Zone("z".to_owned()))));
    assert_eq!(fault("yyyy qq", "yyyy"), Some((true, DateFault::Letters("qq".to_owned()))));
    assert_eq!(fault("yyyy", "yyyy-MM"), Some((false, DateFault::Lacks(DatePart::Month))));
    assert_eq!(fault("yyyy HH", "yyyy HH:mm:ssXXX"), Some((false, DateFault::Lacks(DatePart::Offset))));
    assert_eq!(fault("yyyy-MM-dd", "EEE yyyy"), Some((false, DateFault::Weekday)));
}
