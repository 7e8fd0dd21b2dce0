//! The documents and the table of keys say the same.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::*;

/// Compares a file of the repository with what it should hold, or writes it if `HLCTL_BLESS` is set.
fn is_generated(path: &str, expected: &str) {
    let path = repository(path);
    if std::env::var_os("HLCTL_BLESS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is out of date: run the tests once with HLCTL_BLESS=1", path.display());
}

fn is_valid(schema: &Value, text: &str) -> Result<(), String> {
    let value: Value = toml::from_str(text).map_err(|error| error.to_string())?;
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.validate(&value).map_err(|error| error.to_string())
}

/// Every key live, with its default or its example.
fn everything() -> String {
    let assignments =
        keys::all().filter(|key| key.name != "tags").map(|key| format!("{} = {}\n", key.name, key.example));
    assignments.collect::<String>() + "[tags]\nteam = \"interop\"\n"
}

#[test]
fn the_example_file_is_up_to_date_and_valid() {
    let text = example_file();
    is_generated("healthlake.toml.example", &text);
    let Examined { config, problems, .. } = examine(&sources(&text));
    assert!(config.is_some() && problems.is_empty(), "{problems}");
}

#[test]
fn the_schema_that_editors_are_led_to_is_up_to_date() {
    is_generated("docs/healthlake.schema.json", &(serde_json::to_string_pretty(&json_schema()).unwrap() + "\n"));
}

#[test]
fn a_starting_file_is_valid_for_any_name_of_a_store() {
    for name in ["fhir-prod", "Ä", "-", "xn--clinic", "sthree", "A.B_c/d", "\u{201c}q\u{201d}", &"long-".repeat(50)] {
        for namespace in [
            Namespace::Global { suffix: "a1b2c3".to_owned() },
            Namespace::AccountRegional { account: "111122223333".to_owned(), region: "eu-west-2".to_owned() },
        ] {
            let names = StartingNames::proposed(name, &namespace);
            for (required, value) in
                [(RequiredName::DataBucket, &names.data_bucket), (RequiredName::LogsBucket, &names.logs_bucket)]
            {
                assert_eq!(required.problem(value), None, "{value}");
            }
            let Examined { config, problems, .. } = examine(&sources(&starting_file(&names)));
            let is_named = RequiredName::Datastore.problem(name).is_none();
            assert_eq!(config.is_some() && problems.is_empty(), is_named, "{name}: {problems}");
        }
    }
}

#[test]
fn a_starting_file_says_where_it_belongs_once_that_is_known() {
    let mut names = StartingNames::proposed("fhir", &Namespace::Global { suffix: "a1b2c3".to_owned() });
    names.region = Some("eu-west-2".to_owned());
    names.account = Some("111122223333".to_owned());
    let config = examine(&sources(&starting_file(&names))).config.unwrap();
    assert_eq!(config.region.as_deref(), Some("eu-west-2"));
    assert!(config.allowed_account_ids.iter().eq(["111122223333"]));
}

#[test]
fn placeholders_are_no_names() {
    for name in ["your-bucket", "your-unique-bucket-name", "YOUR_DATASTORE", "changeme", "todo"] {
        assert!(RequiredName::Datastore.problem(name).is_some_and(|problem| problem.contains("placeholder")), "{name}");
    }
    for name in [" ", "\u{a0}\u{2003}"] {
        assert!(RequiredName::Datastore.problem(name).is_some_and(|problem| problem.contains("nothing but space")));
    }
    for name in ["example-fhir-data", "your-health-fhir-data", "yours", "todo-app-data"] {
        assert_eq!(RequiredName::DataBucket.problem(name), None);
    }
}

#[test]
fn the_example_file_holds_every_key_and_its_defaults_change_nothing() {
    let text = example_file();
    for key in keys::all().filter(|key| key.name != "tags") {
        let line = format!("{} = ", key.name);
        let found = text.lines().filter(|found| found.trim_start_matches("# ").starts_with(&line));
        assert_eq!(found.count(), 1, "{}", key.name);
    }
    let defaults: String = keys::all()
        .filter_map(|key| match key.default {
            keys::Default::Toml(default) => Some(format!("{} = {default}\n", key.name)),
            _ => None,
        })
        .collect();
    assert_eq!(loaded(&defaults), loaded(""));
}

#[test]
fn every_example_of_a_key_is_valid() {
    let Examined { config, problems, .. } = examine(&sources(&everything()));
    assert!(config.is_some() && problems.is_empty(), "{problems}");
}

#[test]
fn the_schema_is_a_schema_and_takes_what_load_takes() {
    let schema = json_schema();
    assert!(jsonschema::meta::is_valid(&schema));
    for text in [MINIMAL.to_owned(), example_file(), everything()] {
        is_valid(&schema, &text).unwrap();
    }
}

/// JSON Schema recommends a subset of regular expressions that has no `\p` (JSON Schema Core, section 6.4), and Python's has none.
#[test]
fn the_patterns_are_of_the_subset_that_validators_share() {
    fn patterns(schema: &serde_json::Value, found: &mut Vec<String>) {
        match schema {
            serde_json::Value::Object(members) => {
                found.extend(members.get("pattern").and_then(|text| text.as_str()).map(str::to_owned));
                members.values().for_each(|member| patterns(member, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| patterns(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    patterns(&json_schema(), &mut found);
    assert!(found.len() > 10, "{found:?}");
    for pattern in found {
        assert!(!pattern.contains(r"\p") && !pattern.contains(r"\P"), "{pattern}");
    }
}

#[test]
fn the_schema_says_how_long_logs_can_be_kept() {
    let schema = json_schema();
    for (days, is_accepted) in [(1, true), (30, true), (31, false), (3653, true), (3654, false)] {
        let text = format!("{MINIMAL}\nlambda_log_retention_in_days = {days}\n");
        assert_eq!(is_valid(&schema, &text).is_ok(), is_accepted, "{days}");
    }
}

#[test]
fn the_schema_refuses_what_a_single_value_does_wrong() {
    let schema = json_schema();
    // What the schema cannot say: comparisons between keys, and rules that no pattern tells.
    let beyond = [
        "access/admin-wildcard",
        "access/default-role",
        "access/role-arn",
        "access/same-policies",
        "access/same-roles",
        "buckets/alias",
        "buckets/demo",
        "buckets/dots",
        "buckets/express",
        "buckets/ip",
        "buckets/lambda",
        "buckets/mrap",
        "buckets/namespace-account",
        "buckets/namespace-healthlake",
        "buckets/namespace-region",
        "buckets/namespace-two",
        "buckets/same",
        "buckets/sthree",
        "buckets/table",
        "buckets/xn",
        "safety/tag-case",
        "smart/domains",
        "smart/managed-login-lite",
        "smart/scopes-filter-newer",
        "smart/scopes-many",
        "smart/scopes-newer",
        "smart/user-twice",
        "smart/validity",
        "smart/validity-units",
        "store/backup-off",
        "store/backup-unset",
    ];
    for subject in ["access", "buckets", "keys", "safety", "smart", "store", "types", "waiting"] {
        for entry in fs::read_dir(repository("tests/config/broken").join(subject)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let name = format!("{subject}/{}", path.file_stem().unwrap().to_string_lossy());
            let refused = is_valid(&schema, &fs::read_to_string(&path).unwrap()).is_err();
            assert!(refused || beyond.contains(&name.as_str()), "{name} passes the schema");
        }
    }
}

#[test]
fn the_schema_states_every_default() {
    let schema = json_schema();
    for key in keys::all() {
        let property = &schema["properties"][key.name];
        assert!(property["description"].is_string(), "{}", key.name);
        let has_default = matches!(key.default, keys::Default::Toml(_));
        assert_eq!(property.get("default").is_some(), has_default, "{}", key.name);
        assert!(!property["examples"][0].is_null(), "{}", key.name);
    }
}

#[test]
fn the_reference_is_up_to_date() {
    const BEGIN: &str = "<!-- keys: begin, written by the tests from crates/hlctl-config/src/keys -->\n";
    const END: &str = "<!-- keys: end -->\n";
    let page = fs::read_to_string(repository("docs/configuration.md")).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", reference_tables());
    is_generated("docs/configuration.md", &expected);
}

#[test]
fn every_file_of_examples_is_valid() {
    let mut count = 0;
    for entry in fs::read_dir(repository("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let sources = Sources::read(&path, BTreeMap::new(), Vec::new()).unwrap();
        let Examined { config, problems, .. } = examine(&sources);
        assert!(config.is_some() && problems.is_empty(), "{problems}");
        is_valid(&json_schema(), &sources.text).unwrap();
        count += 1;
    }
    assert!(count >= 4, "examples are missing");
}

#[test]
fn the_inputs_of_the_module_have_its_names_and_defaults() {
    let inputs = [
        ("cognito_callback_urls", r#"["https://localhost"]"#),
        ("cognito_client_name", r#""smart-on-fhir-app""#),
        ("cognito_deletion_protection", r#""INACTIVE""#),
        ("cognito_domain", r#""smart-fhir""#),
        ("cognito_logout_urls", "[]"),
        ("cognito_mfa_configuration", r#""OFF""#),
        ("cognito_test_users", "[]"),
        ("cognito_token_validity", "{ access_token = 60, id_token = 60, refresh_token = 30 }"),
        (
            "cognito_token_validity_units",
            r#"{ access_token = "minutes", id_token = "minutes", refresh_token = "days" }"#,
        ),
        ("cognito_user_pool_name", r#""smart-on-fhir-healthlake-cognito""#),
        ("create_kms_key", "false"),
        ("data_bucket_name", ""),
        ("datastore_name", ""),
        ("fhir_version", r#""R4""#),
        ("healthlake_policy_name", r#""HealthLakeImportExportPolicy""#),
        ("healthlake_role_name", r#""HealthLakeImportExportRole""#),
        ("kms_admin_iam_arn", r#""""#),
        ("lambda_cognito_access_role", r#""fhir_cognito_access""#),
        ("lambda_function_name", r#""healthlake_token_validator""#),
        ("lambda_memory_size", "256"),
        ("lambda_role_name", r#""healthlake_token_validator_role""#),
        ("lambda_timeout", "30"),
        ("logs_bucket_name", ""),
        ("preload_data", "false"),
        ("smart_on_fhir", "false"),
    ];
    for (name, default) in inputs {
        let expected = if default.is_empty() { keys::Default::Required } else { keys::Default::Toml(default) };
        assert_eq!(keys::find(name).map(|key| key.default), Some(expected), "{name}");
    }
}
