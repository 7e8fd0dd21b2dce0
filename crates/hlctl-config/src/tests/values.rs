//! What a good configuration turns into.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

#[test]
fn defaults_are_those_of_the_module() {
    snapshot("defaults", &format!("{:#?}", loaded("")));
}

#[test]
fn the_least_and_the_most_are_allowed() {
    let name = "n".repeat(256);
    let text = format!(
        "datastore_name = \"{name}\"\ndata_bucket_name = \"abc\"\nlogs_bucket_name = \"{}\"\n\
         kms_deletion_window_in_days = 7\ndatastore_backup = true\ndatastore_backup_retention_in_days = 30\n\
         poll_interval = 0.001\nwait_timeout = 604800\nhealthlake_role_name = \"{}\"\nlambda_memory_size = 10240\n",
        "l".repeat(63),
        "r".repeat(64),
    );
    let config = load(&sources(&text)).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.kms_deletion_window_in_days, 7);
    assert_eq!(config.poll_interval, Duration::from_millis(1));
    let backup = Backup { enabled: true, retention_days: Some(30), tags: None };
    assert_eq!(config.datastore_backup, Some(backup));
}

#[test]
fn names_and_tags_of_any_script_are_allowed() {
    let config = loaded("[tags]\n\"Größe 大\" = \"très :/=+-@ grand\"\n");
    assert_eq!(config.tags.get("Größe 大").map(String::as_str), Some("très :/=+-@ grand"));
}

#[test]
fn an_empty_administrator_is_none() {
    assert_eq!(loaded("kms_admin_iam_arn = \"\"\n").kms_admin_iam_arn, None);
    for arn in [
        "arn:aws:iam::123456789012:root",
        "arn:aws-us-gov:iam::123456789012:user/ops/alice",
        "arn:aws:iam::123456789012:role/kms-admin",
    ] {
        let config = loaded(&format!("kms_admin_iam_arn = \"{arn}\"\n"));
        assert_eq!(config.kms_admin_iam_arn.as_deref(), Some(arn));
    }
}

#[test]
fn protection_is_a_flag_or_addresses() {
    assert_eq!(loaded("protect = true\n").protect, Protect::Default);
    assert_eq!(loaded("protect = false\n").protect, Protect::Addresses(BTreeSet::new()));
    let config = loaded("protect = [\"kms_key.s3\", 'cognito_user.test_users[\"alice\"]']\n");
    let addresses = ["kms_key.s3", "cognito_user.test_users[\"alice\"]"].map(str::to_owned);
    assert_eq!(config.protect, Protect::Addresses(addresses.into()));
}

#[test]
fn unset_is_not_the_same_as_off() {
    assert_eq!(loaded("").datastore_analytics, None);
    assert_eq!(loaded("datastore_analytics = false\n").datastore_analytics, Some(Analytics::Disabled));
    assert_eq!(loaded("datastore_analytics = true\n").datastore_analytics, Some(Analytics::Enabled));
    assert_eq!(loaded("datastore_analytics = \"paused\"\n").datastore_analytics, Some(Analytics::Paused));
    assert_eq!(loaded("").datastore_default_profiles, None);
    assert_eq!(loaded("datastore_default_profiles = []\n").datastore_default_profiles, Some(Vec::new()));
    let off = Backup { enabled: false, retention_days: None, tags: None };
    assert_eq!(loaded("datastore_backup = false\n").datastore_backup, Some(off));
}

#[test]
fn a_token_left_out_keeps_its_default() {
    let config = loaded("cognito_token_validity = { refresh_token = 10 }\n");
    let validity = config.smart.token_validity;
    assert_eq!((validity.access.value, validity.access.unit.as_str()), (60, "minutes"));
    assert_eq!((validity.refresh.value, validity.refresh.unit.as_str()), (10, "days"));
}

#[test]
fn a_unit_alone_is_checked_against_the_default_number() {
    let problems = load(&with("cognito_token_validity_units = { id_token = \"days\" }\n")).unwrap_err();
    assert!(problems.to_string().contains("cognito_token_validity"), "{problems}");
}

#[test]
fn scopes_of_smart_2_may_have_filters_as_far_as_cognito_has_their_characters() {
    let scopes = r#"["Observation.rs?category=laboratory", "Observation.rs?date=ge2024-01-01&status=final", "Condition.r?code:in=a|b"]"#;
    let text = format!("smart_authorization_strategy = \"SMART_ON_FHIR\"\ncognito_user_scopes = {scopes}\n");
    assert_eq!(loaded(&text).smart.user_scopes.len(), 3);
    assert!(loaded("").smart.user_scopes.is_empty());
}

#[test]
fn a_client_has_room_for_45_fhir_scopes_in_all() {
    let list = |key: &str, count: usize| {
        let types: Vec<String> = (0..count).map(|number| format!("\"{}.read\"", letters(number))).collect();
        format!("{key} = [{}]\n", types.join(", "))
    };
    let all = |users: usize| {
        list("cognito_system_scopes", 10) + &list("cognito_patient_scopes", 10) + &list("cognito_user_scopes", users)
    };
    assert_eq!(loaded(&all(25)).smart.user_scopes.len(), 25);
    assert!(load(&with(&all(26))).unwrap_err().to_string().contains("51 scopes"));
}

/// A name of letters for a number.
fn letters(number: usize) -> String {
    format!("T{}", "a".repeat(number + 1))
}

#[test]
fn addresses_for_log_in_may_be_of_an_app() {
    let urls = r#"["http://localhost:8080/x", "myapp://callback", "com.example.app:/back", "https://a.example/?q=1"]"#;
    assert_eq!(loaded(&format!("cognito_callback_urls = {urls}\n")).smart.callback_urls.len(), 4);
}

#[test]
fn a_dotted_bucket_is_only_a_warning() {
    let text = MINIMAL.replace("example-fhir-data", "example.fhir.data");
    let Examined { config, problems, .. } = examine(&sources(&text));
    assert!(config.is_some());
    assert_eq!(problems.summary(), "1 warning");
}

#[test]
fn a_tag_called_like_a_key_is_only_a_warning_and_none_if_the_key_is_set() {
    let first = examine(&with("[tags]\nregion = \"north\"\n"));
    assert_eq!((first.config.is_some(), first.problems.summary().as_str()), (true, "1 warning"));
    let second = examine(&with("region = \"us-east-1\"\n[tags]\nregion = \"north\"\n"));
    assert!(second.problems.is_empty());
}

#[test]
fn a_profile_that_nobody_knows_is_a_warning_and_no_error() {
    let examined = |profiles: &str| examine(&with(&format!("datastore_default_profiles = {profiles}\n")));
    let known = examined(r#"["us-core-6.1.0", "carin-bb-2.0.0"]"#);
    assert!(known.config.is_some() && known.problems.is_empty(), "{}", known.problems);
    for (profile, reported) in [
        ("us-core-6.1.1", "did you mean"),
        ("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient", "not by URL"),
        ("ca-core", "HealthLake decides"),
    ] {
        let Examined { config, problems, .. } = examined(&format!("[{profile:?}]"));
        assert!(config.is_some(), "{problems}");
        assert!(problems.to_string().contains(reported), "{problems}");
    }
}

#[test]
fn analytics_are_on_off_or_paused() {
    for written in ["\"Paused\"", "\"PAUSED\"", "\"off-ish\"", "1", "[]", "\"true\""] {
        let Examined { config, problems, .. } = examine(&with(&format!("datastore_analytics = {written}\n")));
        assert!(config.is_none() && problems.to_string().contains("datastore_analytics"), "{written}: {problems}");
    }
    for value in [Analytics::Disabled, Analytics::Paused, Analytics::Enabled] {
        let written = serde_json::to_value(value).unwrap();
        assert_eq!(serde_json::from_value::<Analytics>(written).unwrap(), value);
    }
    // Saved plans of earlier versions have a boolean.
    assert_eq!(serde_json::from_value::<Analytics>(serde_json::json!(true)).unwrap(), Analytics::Enabled);
}

#[test]
fn what_lambda_may_raise_has_no_maximum_here() {
    let smart = "smart_on_fhir = true\ncognito_domain = \"mine\"\n";
    let examined = |line: &str| examine(&with(&format!("{smart}{line}\n")));
    for line in
        ["lambda_timeout = 900", "lambda_provisioned_concurrency = 20000", "lambda_reserved_concurrency = 20000"]
    {
        let Examined { config, problems, .. } = examined(line);
        assert!(config.is_some() && problems.is_empty(), "{line}: {problems}");
    }
    let Examined { config, problems, .. } = examined("lambda_timeout = 1800");
    assert_eq!(config.map(|config| config.smart.timeout), Some(1800));
    assert!(problems.to_string().contains("more than the 900 seconds"), "{problems}");
    for line in [
        "lambda_timeout = 0",
        "lambda_timeout = -1",
        "lambda_provisioned_concurrency = 0",
        "lambda_timeout = 3000000000",
    ] {
        assert!(examined(line).config.is_none(), "{line}");
    }
}

#[test]
fn what_is_provisioned_fits_into_what_is_reserved_and_nothing_need_be_reserved() {
    let reserved = |lines: &str| {
        let smart = "smart_on_fhir = true\ncognito_domain = \"mine\"\nhardened = true\n";
        let Examined { config, problems, .. } = examine(&with(&format!("{smart}{lines}\n")));
        config.map(|config| config.smart.reserved_concurrency).ok_or_else(|| problems.to_string())
    };
    assert_eq!(reserved(""), Ok(Some(50)));
    assert_eq!(reserved("lambda_reserved_concurrency = 0"), Ok(None));
    assert_eq!(reserved("lambda_reserved_concurrency = 0\nlambda_provisioned_concurrency = 60"), Ok(None));
    assert_eq!(reserved("lambda_provisioned_concurrency = 50"), Ok(Some(50)));
    let refused = reserved("lambda_provisioned_concurrency = 51").unwrap_err();
    assert!(refused.contains("reserve at least 51"), "{refused}");
}

#[test]
fn what_has_no_effect_or_stands_in_plain_text_is_a_warning() {
    let warned = |more: &str| {
        let Examined { config, problems, .. } = examine(&with(more));
        assert!(config.is_some(), "{problems}");
        problems.to_string()
    };
    let user = "username = \"a\", preferred_username = \"a\", email = \"a@example.org\", email_verified = true";
    let smart = "smart_on_fhir = true\n";
    let own = "cognito_domain = \"mine\"\n";
    assert!(warned(smart).contains("is already taken"));
    assert_eq!(warned(&format!("{smart}{own}")), "");
    assert_eq!(warned(&format!("{smart}cognito_domain = \"smart-fhir\"\n")), "");
    assert!(warned(own).contains("`cognito_domain` has no effect"));
    assert!(warned(&format!("{own}lambda_timeout = 3\n")).contains("and another key for SMART have no effect"));
    assert_eq!(warned("hardened = true\n"), "");
    let inline = format!("{smart}{own}cognito_test_users = [{{ {user}, password = \"Corr3ct-Horse\" }}]\n");
    let reported = warned(&inline);
    assert!(reported.contains("in plain text") && !reported.contains("Corr3ct"), "{reported}");
    let named = format!("{smart}{own}cognito_test_users = [{{ {user}, password_env = \"ALICE\" }}]\n");
    assert_eq!(warned(&named), "");
}

#[test]
fn force_destroy_is_a_flag_or_the_logs_alone() {
    for (value, expected) in
        [("true", ForceDestroy::All), ("false", ForceDestroy::No), ("\"logs\"", ForceDestroy::Logs)]
    {
        assert_eq!(loaded(&format!("force_destroy = {value}\n")).force_destroy, expected);
        let mut sources = with("");
        sources.sets = vec![Setting::assignment(&format!("force_destroy={value}")).unwrap()];
        assert_eq!(load(&sources).unwrap().force_destroy, expected);
    }
    let mut bare = with("");
    bare.sets = vec![Setting::assignment("force_destroy=logs").unwrap()];
    assert_eq!(load(&bare).unwrap().force_destroy, ForceDestroy::Logs);
    for value in ["\"data\"", "\"true\"", "\"log\"", "1", "[\"logs\"]", "\"\""] {
        let problems = load(&with(&format!("force_destroy = {value}\n"))).unwrap_err();
        assert!(problems.to_string().contains("force_destroy"), "{problems}");
    }
}

#[test]
fn names_in_an_accounts_own_namespace_are_read_by_their_parts() {
    for (name, parts) in [
        ("fhir-data-111122223333-us-east-1-an", ("fhir-data", "111122223333", "us-east-1")),
        ("a-111122223333-us-gov-west-1-an", ("a", "111122223333", "us-gov-west-1")),
        ("a-999988887777-111122223333-eu-west-2-an", ("a-999988887777", "111122223333", "eu-west-2")),
    ] {
        let found = AccountRegionalName::of(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((found.prefix.as_str(), found.account.as_str(), found.region.as_str()), parts);
        assert_eq!(found.to_string(), name);
    }
    for name in [
        "clinic-an",
        "111122223333-us-east-1-an",
        "-111122223333-us-east-1-an",
        "data-11112222333-us-east-1-an",
        "data-111122223333-us-east-1",
        "data-111122223333-east-1-an",
        "data-111122223333-us-east-an",
        "data-111122223333-us--1-an",
        "data-us-east-1-111122223333-an",
    ] {
        assert_eq!(AccountRegionalName::of(name), None, "{name}");
    }
}

#[test]
fn names_in_the_stacks_own_namespace_are_allowed() {
    let names = "data_bucket_name = \"fhir-data-111122223333-eu-west-2-an\"\n\
                 logs_bucket_name = \"fhir-logs-111122223333-eu-west-2-an\"\n";
    for rest in ["", "region = \"eu-west-2\"\n", "allowed_account_ids = [\"111122223333\", \"999988887777\"]\n"] {
        let text = format!("datastore_name = \"fhir\"\n{names}{rest}");
        let Examined { config, problems, .. } = examine(&sources(&text));
        assert!(config.is_some() && problems.is_empty(), "{rest}: {problems}");
    }
}

#[test]
fn a_name_that_only_ends_like_one_of_a_namespace_is_warned_of() {
    let text = "datastore_name = \"fhir\"\ndata_bucket_name = \"clinic-an\"\nlogs_bucket_name = \"fhir-logs\"\n";
    let Examined { config, problems, .. } = examine(&sources(text));
    assert!(config.is_some() && !problems.has_errors(), "{problems}");
    assert!(problems.to_string().contains("PREFIX-ACCOUNT-REGION-an"), "{problems}");
}

#[test]
fn a_profile_of_transformation_has_one_source_and_the_tables_say_where_it_fails() {
    let own = "[[transform_profiles]]\nname = \"visits\"\nformat = \"CSV\"\n";
    let config = loaded(&format!("{own}mapping = \"m/mapping.yaml\"\ntags = {{ team = \"interop\" }}\n"));
    let profile = &config.transform_profiles[0];
    assert_eq!((profile.name.as_str(), profile.format), ("visits", TransformFormat::Csv));
    assert!(matches!(&profile.origin, MappingOrigin::Path(path) if path.ends_with("m/mapping.yaml")));
    assert_eq!(profile.tags["team"], "interop");
    let id = "0123456789abcdef0123456789abcdef";
    let clone = loaded(&format!("{own}clone = {{ profile = \"{id}\", version = 3 }}\n"));
    let origin = MappingOrigin::Clone { profile: id.to_owned(), version: 3 };
    assert_eq!(clone.transform_profiles[0].origin, origin);
    let kept = loaded("protect = [\"healthlake_data_transformation_profile.visits\"]\n");
    assert!(matches!(kept.protect, Protect::Addresses(addresses) if addresses.len() == 1));
    for (lines, says) in [
        (own.to_owned(), "`transform_profiles[0]` has no `mapping`"),
        (format!("{own}mapping = \"m\"\nstarter = \"s\"\n"), "takes one of them"),
        (format!("{own}starter = \"ccda-starter-kit-v1\"\n"), "is for C-CDA"),
        (format!("{own}mapping = \"m\"\n{own}mapping = \"m\"\n"), "`transform_profiles[1]` has the name of another"),
        (format!("{own}clone = \"visits\"\n"), "must be a table"),
        (format!("{own}clone = {{ profile = \"visits\", version = 1 }}\n"), "is no id of a profile"),
        (format!("{own}clone = {{ profile = \"{id}\" }}\n"), "`transform_profiles[0].clone` has no `version`"),
        (format!("{own}clone = {{ profile = \"{id}\", version = 0 }}\n"), "`transform_profiles[0].clone.version`"),
        (format!("{own}mapping = \"m\"\nclone = {{ profile = \"{id}\", version = 1 }}\n"), "takes one of them"),
        (own.replace("visits", "my visits") + "mapping = \"m\"\n", "cannot be part of an address"),
        (own.replace("CSV", "XML") + "mapping = \"m\"\n", "`transform_profiles[0].format` cannot be `XML`"),
        (format!("{own}mapping = \"m\"\ntags = {{ \"aws:x\" = \"1\" }}\n"), "begins with `aws:`"),
    ] {
        let text = examine(&with(&lines)).problems.to_string();
        assert!(text.contains(says), "{says}: {text}");
    }
}
