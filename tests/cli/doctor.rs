//! `hlctl doctor`: what would fail is reported before anything is made, with what to do about it, and nothing is changed.

use hlctl_emulator::{Action, Faults, HealthLakeFaults};

use crate::support::{Census, Ended, Place, call, eventually, rule, snapshot};

/// The findings of one check, as status and everything said.
fn findings(ended: &Ended, check: &str) -> Vec<(String, String)> {
    let all = ended.json()["findings"].as_array().unwrap().clone();
    let of_check = all.into_iter().filter(|finding| finding["check"] == check);
    of_check.map(|finding| (finding["status"].as_str().unwrap().to_owned(), finding.to_string())).collect()
}

/// The only finding of a check must have this status and say this.
fn finds(ended: &Ended, check: &str, status: &str, said: &str) {
    let found = findings(ended, check);
    assert!(matches!(found.as_slice(), [(s, text)] if s == status && text.contains(said)), "{found:?}\n{ended}");
}

fn doctor(place: &Place) -> Ended {
    place.run(["doctor", "--json"]).ends()
}

fn well(place: &Place) -> Ended {
    let ended = doctor(place);
    assert_eq!(ended.code, 0, "{ended}");
    ended
}

fn ill(place: &Place) -> Ended {
    let ended = doctor(place);
    assert_eq!(ended.code, 1, "{ended}");
    for finding in ended.json()["findings"].as_array().unwrap() {
        let needs_advice = finding["status"] != "ok";
        assert_eq!(finding["mend"].is_string(), needs_advice, "{finding:#}");
    }
    ended
}

#[test]
fn all_is_well_before_anything_is_made_and_nothing_is_changed() {
    let place = Place::quick("minimal");
    let files = place.files();
    let ended = place.run(["doctor"]).succeeds();
    snapshot("doctor_well", &ended);
    let changes: Vec<String> =
        place.cloud().mutations().into_iter().filter(|name| !name.starts_with("Simulate")).collect();
    assert_eq!(changes, Vec::<String>::new(), "reads only");
    assert_eq!(place.files(), files);
}

#[test]
fn all_is_well_with_a_whole_smart_stack() {
    let place = Place::quick("smart");
    well(&place);
    place.apply();
    let ended = well(&place);
    finds(&ended, "permissions", "ok", "arn:aws:iam::000000000000:user/sandbox has the ");
    finds(&ended, "package", "ok", "x86_64");
}

#[test]
fn the_sandbox_can_be_asked_too() {
    let place = Place::sandbox("minimal");
    let ended = well(&place);
    finds(&ended, "clock", "not_checkable", "clock skew could not be measured");
}

#[test]
fn names_that_others_have_are_reported_with_all_else_that_is_wrong() {
    let place = Place::quick("minimal");
    let strangers = place.cloud().sdk_as("123456789012", "us-east-1");
    let s3 = aws_sdk_s3::config::Builder::from(&strangers).force_path_style(true).build();
    call(aws_sdk_s3::Client::from_conf(s3).create_bucket().bucket("example-fhir-minimal-data").send()).unwrap();
    let iam = place.cloud().iam();
    let trust = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
    let role = iam.create_role().role_name("HealthLakeImportExportRole").assume_role_policy_document(trust);
    call(role.send()).unwrap();
    let ended = ill(&place);
    let names = findings(&ended, "names");
    assert_eq!(names.len(), 2, "{ended}");
    assert!(names.iter().all(|(status, _)| status == "problem"), "{ended}");
    assert!(names.iter().any(|(_, text)| text.contains("s3_bucket.data")), "{ended}");
    assert!(names.iter().any(|(_, text)| text.contains("iam_role.healthlake")), "{ended}");
}

#[test]
fn an_administrator_of_the_keys_must_exist() {
    let place = Place::quick("minimal");
    place.add("kms_admin_iam_arn = \"arn:aws:iam::000000000000:role/security/kms-admin\"");
    finds(&ill(&place), "key_admin", "problem", "does not exist");
    let iam = place.cloud().iam();
    let trust = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
    let role = |path: &str| iam.create_role().role_name("kms-admin").path(path).assume_role_policy_document(trust);
    call(role("/").send()).unwrap();
    finds(&ill(&place), "key_admin", "problem", "at another path: arn:aws:iam::000000000000:role/kms-admin");
    call(iam.delete_role().role_name("kms-admin").send()).unwrap();
    call(role("/security/").send()).unwrap();
    finds(&well(&place), "key_admin", "ok", "exists");
    place.configure("000000000000", "999999999999");
    finds(&well(&place), "key_admin", "not_checkable", "it belongs to another account");
    place.configure("999999999999:role/security/kms-admin", "000000000000:user/nobody");
    finds(&ill(&place), "key_admin", "problem", "does not exist");
    place.configure("user/nobody", "user/sandbox");
    finds(&well(&place), "key_admin", "ok", "exists");
    place.cloud().emulator.set_faults(r#"{"deny": ["iam:GetUser"]}"#.parse().unwrap());
    finds(&well(&place), "key_admin", "not_checkable", "allow iam:GetUser");
}

#[test]
fn who_makes_a_store_must_be_a_data_lake_administrator() {
    let place = Place::quick("minimal");
    let lake_administrators = Some(vec!["arn:aws:iam::000000000000:role/lake".to_owned()]);
    let healthlake = HealthLakeFaults { lake_administrators, ..HealthLakeFaults::default() };
    place.cloud().emulator.set_faults(Faults { healthlake, ..Faults::default() });
    finds(&ill(&place), "lake_formation", "problem", "role/lake");
    place.run(["apply", "-y"]).exits(6).says("data lake administrator");
    place.cloud().emulator.set_faults(r#"{"deny": ["lakeformation:GetDataLakeSettings"]}"#.parse().unwrap());
    finds(&well(&place), "lake_formation", "not_checkable", "lakeformation:GetDataLakeSettings");
}

#[test]
fn an_account_full_of_stores_is_warned_of() {
    let place = Place::quick("minimal");
    for number in 0..20 {
        let version = aws_sdk_healthlake::types::FhirVersion::R4;
        let create = place.cloud().healthlake().create_fhir_datastore().datastore_type_version(version);
        call(create.datastore_name(format!("store-{number}")).send()).unwrap();
    }
    finds(&well(&place), "store_quota", "warning", "20 of 20");
    place.run(["plan"]).succeeds().says("20 of 20");
}

#[test]
fn permissions_that_may_not_be_asked_about_are_not_checkable() {
    let place = Place::quick("minimal");
    place.cloud().emulator.set_faults(r#"{"deny": ["iam:SimulatePrincipalPolicy"]}"#.parse().unwrap());
    finds(&well(&place), "permissions", "not_checkable", "allow iam:SimulatePrincipalPolicy");
}

#[test]
fn a_denied_action_is_named_with_how_it_is_denied() {
    let place = Place::quick("minimal");
    place.cloud().emulator.set_faults(r#"{"deny": ["kms:CreateKey", "s3:PutBucketLogging"]}"#.parse().unwrap());
    let ended = ill(&place);
    finds(&ended, "permissions", "problem", "kms:CreateKey: a policy denies it");
    finds(&ended, "permissions", "problem", "s3:PutBucketLogging: a policy denies it");
    finds(&ended, "permissions", "problem", "lacks 2 of");
}

#[test]
fn a_session_is_judged_as_its_role() {
    let place = Place::quick("minimal");
    let iam = place.cloud().iam();
    let trust =
        r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}}"#;
    let role = iam.create_role().role_name("deployer").path("/ci/").assume_role_policy_document(trust);
    let arn = call(role.send()).unwrap().role.unwrap().arn;
    let sts = aws_sdk_sts::Client::new(&place.cloud().sdk("us-east-1"));
    let session = call(sts.assume_role().role_arn(&arn).role_session_name("build").send()).unwrap();
    let given = session.credentials.unwrap();
    let ended = place
        .run(["doctor", "--json"])
        .env("AWS_ACCESS_KEY_ID", &given.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &given.secret_access_key)
        .env("AWS_SESSION_TOKEN", &given.session_token)
        .ends();
    finds(&ended, "credentials", "ok", "assumed-role/deployer/build");
    finds(&ended, "permissions", "ok", "arn:aws:iam::000000000000:role/ci/deployer has");
}

#[test]
fn credentials_that_end_soon_are_warned_of_by_doctor_and_plan() {
    let place = Place::quick("minimal");
    let given = r#"{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "secret", "SessionToken": "t",
        "Expiration": "EXPIRY"}"#;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(20);
    place.write("given.json", &given.replace("EXPIRY", &soon.to_string()));
    let config = format!("[default]\ncredential_process = cat {}\n", place.path("given.json").display());
    std::fs::write(place.home().join(".aws/config"), config).unwrap();
    let run = |arguments: &[&'static str]| {
        place
            .run(arguments.iter().copied())
            .without("AWS_ACCESS_KEY_ID")
            .without("AWS_SECRET_ACCESS_KEY")
            .env("PATH", &std::env::var("PATH").unwrap())
            .succeeds()
    };
    finds(&run(&["doctor", "--json"]), "credentials", "warning", "they expire in ");
    run(&["plan"]).says("they expire in ");
}

#[test]
fn without_access_the_rest_is_left_and_the_reason_reported() {
    let place = Place::quick("minimal");
    let none = place.run(["doctor", "--json"]).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").exits(1);
    finds(&none, "access", "problem", "no credentials were found");
    let expired = place.run(["doctor", "--json"]).env("AWS_ACCESS_KEY_ID", "EXPIRED").exits(1);
    finds(&expired, "access", "problem", "have expired");
    place.add("allowed_account_ids = [\"123456789012\"]");
    finds(&ill(&place), "access", "problem", "allowed_account_ids");
}

#[test]
fn a_broken_configuration_a_missing_package_and_a_damaged_state_are_problems() {
    let place = Place::quick("smart");
    place.configure("smart_on_fhir          = true", "smart_on_fhir = true\nlambda_package = \"nowhere.zip\"");
    finds(&ill(&place), "package", "problem", "nowhere.zip");
    place.configure("lambda_package", "lambda_pakage");
    finds(&ill(&place), "config", "problem", "lambda_pakage");
    place.write("healthlake.state.json", "{");
    let damaged = ill(&place);
    assert_eq!(findings(&damaged, "state")[0].0, "problem", "{damaged}");
}

#[test]
fn a_wait_that_is_too_short_is_warned_of() {
    let place = Place::quick("minimal");
    place.add("wait_timeout = 600");
    finds(&well(&place), "config", "warning", "wait_timeout");
}

#[test]
fn a_lock_that_another_run_holds_is_reported_with_its_holder() {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().rules([rule("GetCallerIdentity", Some(1), Action::Hang)]);
    let other = place.run(["apply", "-y"]).start();
    eventually("the other run asks", || has_lock(&place));
    let reported = doctor(&place);
    finds(&reported, "state", "warning", "is locked by `hlctl apply");
    other.kill();
}

fn has_lock(place: &Place) -> bool {
    place.files().iter().any(|(path, _)| path.to_string_lossy().ends_with("lock"))
}

#[test]
fn before_a_destroy_full_buckets_are_reported() {
    let place = Place::quick("minimal");
    let nothing = place.run(["doctor", "--destroy", "--json"]).succeeds();
    finds(&nothing, "state", "ok", "nothing to destroy");
    place.apply();
    let empty = place.run(["doctor", "--destroy", "--json"]).succeeds();
    finds(&empty, "buckets", "ok", "empty");
    let put = place.cloud().s3().put_object().bucket("example-fhir-minimal-data").key("a").body(b"x".to_vec().into());
    call(put.send()).unwrap();
    let full = place.run(["doctor", "--destroy", "--json"]).exits(1);
    finds(&full, "buckets", "problem", "1 object");
    place.add("force_destroy = true");
    let forced = place.run(["doctor", "--destroy", "--json"]).succeeds();
    finds(&forced, "buckets", "warning", "1 object");
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn a_clock_that_is_wrong_would_be_reported() {
    // The emulator's server dates its answers by this machine's clock, so that they agree.
    let place = Place::quick("minimal");
    finds(&well(&place), "clock", "ok", "agrees");
}

#[test]
fn json_has_the_whole_and_a_verdict() {
    let place = Place::quick("minimal");
    let whole = well(&place).json();
    assert_eq!(whole["passed"], true);
    assert_eq!(whole["format_version"], 1);
    let checks: Vec<&str> =
        whole["findings"].as_array().unwrap().iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    let expected =
        ["state", "config", "access", "credentials", "clock", "names", "store_quota", "lake_formation", "permissions"];
    assert_eq!(checks, expected);
    assert!(whole["findings"].as_array().unwrap().iter().all(|finding| finding["detail"].is_array()));
}
