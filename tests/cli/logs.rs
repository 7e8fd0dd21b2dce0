//! `hlctl logs`: what the token validator logs.

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use hlctl_emulator::{Action, Clock, Options};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Cloud, Place, call, eventually, rule};

const GROUP: &str = "/aws/lambda/healthlake_token_validator";
const STREAM: &str = "2026/01/02/[1]0123";
/// 2026-01-02T03:04:05Z, at which the clock of the AWS stands still.
const NOW: i64 = 1_767_323_045_000;
const ALL: &str = "2026-01-02T00:00:00Z";

/// A SMART stack, with a stream in its log group.
fn applied() -> Place {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let place = Place::on(Cloud::with(Options { clock, ..Options::default() }), "smart");
    place.add_own_package();
    place.apply();
    let create = place.cloud().logs().create_log_stream().log_group_name(GROUP).log_stream_name(STREAM);
    call(create.send()).unwrap();
    place
}

fn log(place: &Place, events: &[(i64, &str)]) {
    let events = events
        .iter()
        .map(|(at, message)| InputLogEvent::builder().timestamp(NOW + at).message(*message).build().unwrap());
    let put = place.cloud().logs().put_log_events().log_group_name(GROUP).log_stream_name(STREAM);
    call(put.set_log_events(Some(events.collect())).send()).unwrap();
}

#[test]
fn events_are_printed_as_they_were_logged_and_move_no_cursor() {
    let place = applied();
    let nothing = place.run(["logs", "--since", ALL]).succeeds();
    assert_eq!(nothing.stdout, "");
    nothing.says(&format!("Nothing was logged to {GROUP} since 2026-01-02T00:00:00Z."));
    log(&place, &[(-3_600_000, "older\n"), (6, "refused: expired\u{1b}[2J\nsecond line"), (7, "accepted")]);
    let shown = place.run(["logs", "--since", ALL]).succeeds();
    assert_eq!(
        shown.stdout,
        "2026-01-02T02:04:05.000Z  older\n\
         2026-01-02T03:04:05.006Z  refused: expired\u{FFFD}[2J\n    second line\n\
         2026-01-02T03:04:05.007Z  accepted\n"
    );
    let since = place.run(["logs", "--since", "2026-01-02T03:04:05.007Z"]).succeeds();
    assert_eq!(since.stdout, "2026-01-02T03:04:05.007Z  accepted\n");
    let filtered = place.run(["logs", "--since", ALL, "--filter", "refused -accepted", "--json"]).succeeds().json();
    let event = json!({
        "time": "2026-01-02T03:04:05.006Z",
        "stream": STREAM,
        "message": "refused: expired\u{1b}[2J\nsecond line",
    });
    assert_eq!((&filtered["log_group"], &filtered["events"]), (&json!(GROUP), &json!([event])));
    place.run(["logs", "--since", ALL, "--filter", "nothing"]).succeeds().says("Nothing that matches was logged");
}

#[test]
fn a_log_of_several_pages_is_printed_whole() {
    let place = applied();
    let events: Vec<(i64, String)> = (0..6_000).map(|number| (number, format!("event {number}"))).collect();
    let events: Vec<(i64, &str)> = events.iter().map(|(at, message)| (*at, message.as_str())).collect();
    log(&place, &events);
    log(&place, &events);
    place.cloud().emulator.clear_requests();
    let shown = place.run(["logs", "--since", ALL]).succeeds();
    assert_eq!(place.cloud().count("FilterLogEvents"), 2);
    assert_eq!(shown.stdout.lines().count(), 12_000);
    assert!(shown.stdout.lines().is_sorted());
}

#[test]
fn what_is_followed_is_printed_once_until_a_signal() {
    let place = applied();
    log(&place, &[(0, "first")]);
    for (words, is_lines) in
        [(&["logs", "--since", ALL, "--follow"][..], false), (&["logs", "--since", ALL, "-f", "--json"], true)]
    {
        let running = place.run(words.iter().copied()).start();
        eventually("the first event is printed", || running.printed().contains("first"));
        let (next, late) = if is_lines { (30_002, 30_001) } else { (30_000, 29_999) };
        log(&place, &[(next, "next")]);
        let count = |running: &crate::support::Running, word: &str| running.printed().matches(word).count();
        let before = usize::from(is_lines);
        eventually("the next event is printed", || count(&running, "next") == before + 1);
        // It became visible after a younger one.
        log(&place, &[(late, "late")]);
        eventually("the late event is printed", || count(&running, "late") == before + 1);
        place.cloud().emulator.clear_requests();
        eventually("it looks again", || place.cloud().count("FilterLogEvents") > 2);
        running.signal(Signal::SIGINT);
        let ended = running.ends();
        assert_eq!((ended.code, ended.stderr.as_str()), (130, ""), "{ended}");
        let count = ended.stdout.lines().filter(|line| line.contains("first")).count();
        assert_eq!(count, 1, "{ended}");
        if is_lines {
            for line in ended.stdout.lines() {
                let document: Value = serde_json::from_str(line).unwrap();
                assert_eq!((&document["format_version"], &document["stream"]), (&json!(1), &json!(STREAM)));
            }
        }
    }
}

#[test]
fn what_keeps_a_log_from_being_read_is_reported_with_a_way_out() {
    let plain = Place::quick("minimal");
    plain.apply();
    plain.run(["logs"]).exits(64).says("it is without SMART on FHIR").says("smart_on_fhir = true");
    let place = applied();
    place.cloud().rules([rule("FilterLogEvents", None, Action::Deny)]);
    place.run(["logs"]).exits(1).says("logs:FilterLogEvents");
    place.run(["logs", "--follow"]).exits(1).says("logs:FilterLogEvents");
    place.cloud().heal();
    place.run(["logs", "--since", "soon"]).exits(64).says("or as 2026-05-01T09:30:00Z");
    call(place.cloud().logs().delete_log_group().log_group_name(GROUP).send()).unwrap();
    place.run(["logs"]).exits(1).says(&format!("AWS has no log group {GROUP}")).says("creates it again");
}
