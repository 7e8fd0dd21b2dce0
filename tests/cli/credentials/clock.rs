//! A clock that is wrong: any refusal shows it by its `Date`, whatever its code says.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::ways::configure;
use crate::support::Place;
use crate::support::issuer::{Asked, Issuer, Reply, cloud_that_knows_them};

const BEHIND: &str = "this machine's clock is 20 minutes behind AWS's";
const NEXT: &str = "next: AWS refuses requests that are signed with a wrong time: set this machine's clock";

/// A refusal by a server whose clock is so many minutes ahead of this machine's.
fn refused(minutes: i64) -> Reply {
    Reply::sts(403, "SignatureDoesNotMatch", "Signature expired")
        .dated(Timestamp::now() + SignedDuration::from_mins(minutes))
}

/// A place whose AWS refuses what `is_refused` is true of.
fn refusing(is_refused: fn(&Asked) -> bool, reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Place, Issuer) {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    let issuer = Issuer::answering(place.cloud(), move |asked| is_refused(asked).then(&reply));
    (place, issuer)
}

#[test]
fn a_refused_call_says_how_wrong_the_clock_is() {
    let (place, issuer) =
        refusing(|asked| asked.action().is_some_and(|action| action == "GetCallerIdentity"), || refused(20));
    let ended = place.run(["plan"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(4);
    ended.says("sts:GetCallerIdentity failed: SignatureDoesNotMatch").says(BEHIND).says(NEXT);
    let report = place.run(["doctor", "--json"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(1).json();
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "clock").unwrap();
    assert_eq!((&found["status"], &found["title"]), (&json!("problem"), &json!(BEHIND)));
}

#[test]
fn a_refusal_with_the_right_time_says_nothing_of_the_clock() {
    let (place, issuer) =
        refusing(|asked| asked.action().is_some_and(|action| action == "GetCallerIdentity"), || refused(0));
    let ended = place.run(["plan"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(4);
    ended.says("AWS does not accept these credentials").keeps_silent_about("clock");
}

#[test]
fn other_services_refuse_sooner_and_say_it_too() {
    let refuse = || {
        let body = json!({"message": "The request signature we calculated does not match"});
        Reply::json(400, "InvalidSignatureException", &body).dated(Timestamp::now() - SignedDuration::from_mins(7))
    };
    let (place, issuer) = refusing(
        |asked| asked.headers.get("x-amz-target").is_some_and(|target| target.ends_with("DescribeKey")),
        refuse,
    );
    place.apply();
    let ended = place.run(["plan"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(4);
    ended.says("this machine's clock is 7 minutes ahead of AWS's").says(NEXT);
}

#[test]
fn the_fhir_interface_says_it_too() {
    let refuse = || {
        let body = json!({"message": "Signature expired"});
        Reply::json(403, "InvalidSignatureException", &body).dated(Timestamp::now() + SignedDuration::from_mins(20))
    };
    let (place, issuer) = refusing(|asked| asked.target.contains("/r4/"), refuse);
    place.apply();
    let ended = place.run(["fhir", "search", "Patient"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(4);
    ended.says(BEHIND).says(NEXT);
}

#[test]
fn calls_that_obtain_credentials_say_it_too() {
    let role = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n\
                [profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n";
    // The SDK drops the refusal of a sign-in, and with it the date.
    let sign_in = "[profile deploy]\nlogin_session = arn:aws:iam::111122223333:user/kim\n";
    for config in [role, sign_in] {
        let place = Place::on(cloud_that_knows_them(), "minimal");
        let issuer = Issuer::answering(place.cloud(), |asked| match asked.target.as_str() {
            "/v1/token" => {
                let body = json!({"error": "AUTHCODE_EXPIRED", "message": "the proof is too old"});
                let date = Timestamp::now() + SignedDuration::from_mins(20);
                Some(Reply::json(400, "AccessDeniedException", &body).dated(date))
            }
            _ => (asked.action()? == "AssumeRole").then(|| refused(20)),
        });
        configure(&place, config);
        let ended = place.run(["plan", "--profile", "deploy"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(4);
        ended.says(BEHIND).says(NEXT);
    }
}

#[test]
fn the_state_in_s3_says_it_too() {
    let (place, issuer) = refusing(
        |asked| asked.target.starts_with("/states"),
        || {
            let body = "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current \
                    time is too large.</Message></Error>";
            let reply = Reply { status: 403, body: body.to_owned(), headers: String::new() };
            reply.dated(Timestamp::now() + SignedDuration::from_mins(20))
        },
    );
    place.add(r#"backend = { bucket = "states", key = "fhir.json" }"#);
    let ended = place.run(["plan"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(4);
    ended.says(BEHIND).says(NEXT);
}
