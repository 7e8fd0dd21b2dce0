//! Credentials: every way to have them, what is said where they do not come, and those that end while hlctl is at work.

mod clock;
mod failures;
mod fips;
mod trust;
mod ways;

use hlctl_emulator::{Action, Rule};

use crate::support::{Census, Place, Run, eventually, rule};

/// AWS takes the credentials no more, for so many requests of the operation.
fn expired(operation: &str, times: Option<u64>) -> Rule {
    let message = "The security token included in the request is expired".to_owned();
    let action = Action::Error { code: "ExpiredTokenException".to_owned(), message, status: 400 };
    Rule { times, ..rule(operation, None, action) }
}

/// A run whose credentials come from the profile alone.
fn by_profile<'a>(place: &'a Place, arguments: &[&'a str]) -> Run<'a> {
    let run = place.run(arguments.iter().copied()).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    run.env("AWS_PROFILE", "renewed").env("PATH", "/usr/bin:/bin")
}

/// A profile whose program gives other credentials each time, and counts how often it was asked.
fn with_program(place: &Place) {
    let script = place.program(
        "credentials.sh",
        "#!/bin/sh\necho asked >> \"$0.count\"\nn=$(wc -l < \"$0.count\")\n\
         printf '{\"Version\": 1, \"AccessKeyId\": \"test\", \"SecretAccessKey\": \"secret\", \"SessionToken\": \"token-%d\"}' \"$n\"\n",
    );
    let profile = format!("[profile renewed]\ncredential_process = {}\n", script.display());
    std::fs::write(place.home().join(".aws/config"), profile).unwrap();
}

fn times_asked(place: &Place) -> usize {
    place.read("credentials.sh.count").lines().count()
}

#[test]
fn a_program_that_gives_credentials_is_asked_again_when_they_have_expired() {
    let place = Place::quick("minimal");
    with_program(&place);
    place.cloud().rules([expired("CreateRole", Some(1)), expired("CreateFHIRDatastore", Some(1))]);
    by_profile(&place, &["apply", "-y"]).succeeds();
    assert!((2..=3).contains(&times_asked(&place)), "asked {} times", times_asked(&place));
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn a_credentials_file_that_was_renewed_during_the_wait_is_read_again() {
    let place = Place::still("minimal");
    let credentials = |key: &str| {
        let text = format!("[renewed]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
        std::fs::write(place.home().join(".aws/credentials"), text).unwrap();
    };
    credentials("test");
    let running = by_profile(&place, &["apply", "-y"]).start();
    eventually("the apply waits for its store", || place.cloud().count("DescribeFHIRDatastore") > 3);
    credentials("another");
    place.cloud().rules([expired("DescribeFHIRDatastore", Some(1))]);
    eventually("the old ones are refused", || {
        place.cloud().requests().iter().any(|record| record.error.as_deref() == Some("ExpiredTokenException"))
    });
    place.cloud().let_a_minute_pass();
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{ended}");
}

#[test]
fn credentials_that_expire_for_good_stop_the_run_with_the_state_whole() {
    let place = Place::quick("minimal");
    place.cloud().rules([expired("CreateRole", None), expired("PutBucketVersioning", None)]);
    let ended = place.run(["apply", "-y"]).exits(6);
    let ended =
        ended.says("the credentials have expired: renew them").says("`hlctl apply` continues where this stopped");
    assert!(ended.stderr.matches("next: the credentials have expired").count() <= 3, "{ended}");
    place.cloud().heal();
    place.apply();
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_program_whose_credentials_are_never_accepted_is_not_asked_for_ever() {
    let place = Place::quick("minimal");
    with_program(&place);
    place.cloud().rules([expired("GetCallerIdentity", None)]);
    by_profile(&place, &["plan"]).exits(4).says("the credentials have expired");
    assert!(times_asked(&place) <= 5, "asked {} times", times_asked(&place));
}
