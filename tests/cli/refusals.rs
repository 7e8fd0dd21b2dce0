//! What is refused before anything is begun: names that are taken, wrong accounts and regions, no credentials, no AWS.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::{Place, call, snapshot};

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "healthlake.amazonaws.com"}}]}"#;

fn nothing_was_changed(place: &Place) {
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert!(!place.path("healthlake.state.json").exists());
}

#[test]
fn taken_names_are_all_reported_before_anything_is_made() {
    let place = Place::quick("minimal");
    let cloud = place.cloud();
    call(cloud.s3().create_bucket().bucket("example-fhir-minimal-data").send()).unwrap();
    let role = cloud.iam().create_role().role_name("HealthLakeImportExportRole").assume_role_policy_document(TRUST);
    call(role.send()).unwrap();
    cloud.emulator.clear_requests();
    let refused = place.run(["apply", "-y"]).exits(1);
    let refused =
        refused.says("example-fhir-minimal-data exists already").says("HealthLakeImportExportRole exists already");
    nothing_was_changed(&place);
    snapshot("taken", &refused.stderr[refused.stderr.find("error:").unwrap()..]);
}

#[test]
fn a_bucket_of_another_account_is_reported_together_with_other_taken_names() {
    let place = Place::quick("minimal");
    let cloud = place.cloud();
    let theirs = aws_sdk_s3::config::Builder::from(&cloud.sdk_as("999999999999", "us-east-1")).force_path_style(true);
    let theirs = aws_sdk_s3::Client::from_conf(theirs.build());
    for bucket in ["example-fhir-minimal-data", "example-fhir-minimal-logs"] {
        call(theirs.create_bucket().bucket(bucket).send()).unwrap();
    }
    let role = cloud.iam().create_role().role_name("HealthLakeImportExportRole").assume_role_policy_document(TRUST);
    call(role.send()).unwrap();
    cloud.emulator.clear_requests();
    let refused = place.run(["apply", "-y"]).exits(1);
    nothing_was_changed(&place);
    snapshot("taken_by_others", &refused.stderr[refused.stderr.find("error:").unwrap()..]);
}

#[test]
fn a_bucket_in_another_region_is_named_with_its_region() {
    let place = Place::quick("minimal");
    let cloud = place.cloud();
    let elsewhere = aws_sdk_s3::config::Builder::from(&cloud.sdk("eu-west-1")).force_path_style(true).build();
    let location = aws_sdk_s3::types::BucketLocationConstraint::EuWest1;
    let location = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(location).build();
    let create = aws_sdk_s3::Client::from_conf(elsewhere).create_bucket().bucket("example-fhir-minimal-data");
    call(create.create_bucket_configuration(location).send()).unwrap();
    cloud.emulator.clear_requests();
    place.run(["apply", "-y"]).exits(1).says("set region = \"eu-west-1\" or choose another bucket name");
    nothing_was_changed(&place);
}

#[test]
fn a_second_stack_with_the_same_names_is_refused_and_names_the_first() {
    let place = Place::quick("minimal");
    place.apply();
    let text = place.read("healthlake.toml").replace("example-fhir", "example-second");
    place.write("second.toml", &text);
    place.cloud().emulator.clear_requests();
    place.run(["-c", "second.toml", "apply", "-y"]).exits(1).says("belongs to another hlctl stack, fhir-minimal-");
    let plan = place.run(["-c", "second.toml", "plan", "--json"]).exits(1).json();
    let refusals = plan["refusals"].as_array().unwrap();
    assert!(!refusals.is_empty(), "{plan:#}");
    let stack = place.state()["stack"].clone();
    assert!(refusals.iter().all(|refusal| refusal["owner"] == stack), "{refusals:#?}");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn an_account_that_is_not_allowed_is_refused() {
    let place = Place::quick("minimal");
    place.add("allowed_account_ids = [\"123456789012\"]");
    let refused = place.run(["apply", "-y"]).exits(5);
    snapshot("account_not_allowed", &refused);
    nothing_was_changed(&place);
    place.run(["apply", "-y"]).env("AWS_ACCESS_KEY_ID", "123456789012").succeeds();
}

#[test]
fn a_state_is_not_used_in_another_account_or_region() {
    let place = Place::quick("minimal");
    place.apply();
    let before = place.files();
    place.cloud().emulator.clear_requests();
    for command in
        [vec!["plan"], vec!["apply", "-y"], vec!["destroy", "-y", "--allow-destroy", "fhir-minimal"], vec!["wait"]]
    {
        let elsewhere = place.run(command.iter().copied()).env("AWS_ACCESS_KEY_ID", "123456789012").exits(1);
        elsewhere.says("the state belongs to account 000000000000").says("123456789012");
        let region = command.iter().copied().chain(["--region", "eu-west-1"]);
        place.run(region).exits(1).says("the state belongs to region us-east-1");
    }
    assert!(place.files() == before);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_state_of_aws_is_not_used_in_the_sandbox() {
    let place = Place::quick("minimal");
    place.apply();
    let run = place.run(["plan", "--sandbox", "--state", "healthlake.state.json"]).exits(1);
    run.says("the state was written for AWS").says("leave --sandbox out");
}

#[test]
fn without_credentials_the_exit_code_says_so() {
    let place = Place::quick("minimal");
    let run = place.run(["plan"]).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").exits(4);
    run.says("no credentials were found");
    nothing_was_changed(&place);
}

#[test]
fn expired_credentials_exit_with_4_and_say_what_to_do() {
    let place = Place::quick("minimal");
    place.apply();
    let error = r#"{"rules": [{"action": {"error": {"code": "ExpiredToken", "message": "The security token included in the request is expired", "status": 403}}}]}"#;
    place.cloud().emulator.set_faults(error.parse().unwrap());
    place.run(["plan"]).exits(4).says("the credentials have expired");
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).exits(4);
    place.cloud().heal();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn without_a_region_it_is_a_usage_error() {
    let place = Place::quick("minimal");
    place.run(["plan"]).without("AWS_REGION").exits(64).says("no region is set");
}

#[test]
fn an_endpoint_that_refuses_connections_is_named_as_such() {
    let place = Place::quick("minimal");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = place.run(["plan"]).env("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}")).exits(1);
    run.says("sts:GetCallerIdentity failed").says("check the network");
}

#[test]
fn an_endpoint_that_answers_html_is_distinguished_from_aws() {
    let place = Place::quick("minimal");
    place.cloud().emulator.set_faults(r#"{"rules": [{"action": "html"}]}"#.parse().unwrap());
    place.run(["plan"]).exits(1).says("the answer does not come from AWS").says("check AWS_ENDPOINT_URL and any proxy");
}

#[test]
fn an_endpoint_that_is_no_web_server_gives_an_error_and_no_panic() {
    let place = Place::quick("minimal");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
        }
    });
    let run = place.run(["plan"]).env("AWS_ENDPOINT_URL", &url).exits(1);
    run.says("sts:GetCallerIdentity failed").keeps_silent_about("panicked");
}
