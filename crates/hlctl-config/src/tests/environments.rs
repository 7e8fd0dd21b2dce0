//! `[env.NAME]`: what is laid over what, and what is found wrong where.

use super::*;

const FILE: &str = "region = \"us-east-1\"\n\
                    allowed_account_ids = [\"111122223333\", \"444455556666\"]\n\
                    backend = { bucket = \"example-states\", key = \"fhir.json\", lease_in_seconds = 90 }\n\
                    tags = { team = \"interop\", stage = \"dev\" }\n\
                    [env.dev]\n\
                    [env.prod]\n\
                    data_bucket_name = \"example-prod-data\"\n\
                    allowed_account_ids = [\"777788889999\"]\n\
                    [env.prod.tags]\n\
                    stage = \"prod\"\n\
                    cost = \"12\"\n";

fn chosen(name: &str, sources: Sources) -> Sources {
    Sources { environment: Some(name.to_owned()), ..sources }
}

fn lines(problems: &Problems) -> Vec<(Option<usize>, String)> {
    let place = |problem: &Problem| problem.place.as_ref().and_then(|place| place.line);
    problems.iter().map(|problem| (place(problem), problem.message.clone())).collect()
}

#[test]
fn tables_are_merged_by_key_and_lists_are_replaced() {
    let config = load(&chosen("prod", with(FILE))).unwrap();
    assert_eq!(config.environment.as_deref(), Some("prod"));
    assert_eq!(config.datastore_name, "fhir-sandbox");
    assert_eq!(config.data_bucket_name, "example-prod-data");
    assert!(config.allowed_account_ids.iter().eq(["777788889999"]));
    let tags: Vec<_> = config.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(tags, [("cost", "12"), ("stage", "prod"), ("team", "interop")]);
}

#[test]
fn without_a_choice_the_rest_of_the_file_counts() {
    let config = load(&with(FILE)).unwrap();
    assert_eq!(config.environment, None);
    assert_eq!(config.data_bucket_name, "example-fhir-data");
    assert_eq!(config.tags["stage"], "dev");
    assert_eq!(config.backend.unwrap().key, "fhir.json");
}

#[test]
fn a_variable_and_a_flag_stand_over_an_environment() {
    let mut sources = chosen("prod", with(FILE));
    sources.env.insert("HLCTL_DATA_BUCKET_NAME".to_owned(), "example-from-variable".to_owned());
    assert_eq!(load(&sources).unwrap().data_bucket_name, "example-from-variable");
}

#[test]
fn each_environment_has_a_state_of_its_own() {
    let key =
        |name, sources| load(&chosen(name, sources)).unwrap().backend.map(|backend| (backend.bucket, backend.key));
    let place = |bucket: &str, key: &str| Some((bucket.to_owned(), key.to_owned()));
    assert_eq!(key("dev", with(FILE)), place("example-states", "env/dev/fhir.json"));
    // Another field of the same backend moves nothing.
    let lease = format!("{FILE}[env.prod.backend]\nlease_in_seconds = 30\n");
    assert_eq!(key("prod", with(&lease)), place("example-states", "env/prod/fhir.json"));
    let own = format!("{FILE}[env.prod.backend]\nbucket = \"example-prod-states\"\n");
    assert_eq!(key("prod", with(&own)), place("example-prod-states", "fhir.json"));
    // What a flag names is the same for all of them.
    let mut sources = with(&own);
    sources.sets.push(Setting::assignment("backend={ bucket = \"example-flag\", key = \"a.json\" }").unwrap());
    assert_eq!(key("prod", sources), place("example-flag", "env/prod/a.json"));
}

#[test]
fn two_environments_cannot_name_one_place_for_their_states() {
    let text = format!(
        "{FILE}[env.prod.backend]\nbucket = \"example-states\"\nkey = \"fhir.json\"\n[env.test.backend]\nkey = \"t.json\"\n\
         [env.twin.backend]\nkey = \"t.json\"\n"
    );
    let problems = load(&with(&text)).unwrap_err();
    let found = lines(&problems);
    assert_eq!(
        found,
        [
            (Some(15), "the environment `prod` would keep its state in the place of the rest of the file".to_owned()),
            (Some(20), "the environment `twin` would keep its state in the place of `test`".to_owned()),
        ]
    );
}

#[test]
fn an_environment_that_is_not_there_is_named_with_the_nearest() {
    let problems = load(&chosen("prdo", with(FILE))).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "error: there is no environment `prdo` in the file\n--> command line:1:4\n |\n | -e prdo\n |    ^^^^\n |\n = help: did \
         you mean `prod`?"
    );
    let mut sources = chosen("stage", with(FILE));
    sources.env.insert("HLCTL_ENV".to_owned(), "stage".to_owned());
    let problems = load(&sources).unwrap_err().to_string();
    assert!(
        problems.contains("HLCTL_ENV=stage") && problems.contains("its environments are `dev` and `prod`"),
        "{problems}"
    );
    let problems = load(&chosen("prod", with(""))).unwrap_err().to_string();
    assert!(problems.contains("add a table for it: `[env.prod]`"), "{problems}");
    // It may have been meant to set what is missing: that is no second problem.
    assert_eq!(load(&chosen("prod", sources_of_environments())).unwrap_err().len(), 1);
}

fn sources_of_environments() -> Sources {
    super::sources(
        "[env.dev]\ndatastore_name = \"a\"\ndata_bucket_name = \"example-a\"\nlogs_bucket_name = \"example-b\"\n",
    )
}

#[test]
fn unknown_keys_are_found_in_every_environment_at_their_own_line() {
    let text = format!("{FILE}[env.dev.tagz]\na = \"b\"\n[env.Prod]\n[env.x.env.y]\n");
    for sources in [with(&text), chosen("prod", with(&text))] {
        assert_eq!(
            lines(&load(&sources).unwrap_err()),
            [
                (Some(15), "unknown key `tagz` in `env.dev`".to_owned()),
                (Some(17), "an environment cannot be called `Prod`".to_owned()),
                (Some(18), "unknown key `env` in `env.x`".to_owned()),
            ]
        );
    }
    let problems = load(&with("[env]\nregion = \"us-east-1\"\nunsaved = {}\n")).unwrap_err();
    assert_eq!(
        lines(&problems),
        [
            (Some(5), "`region` in `env` is no environment".to_owned()),
            (Some(6), "an environment cannot be called `unsaved`".to_owned()),
        ]
    );
    assert_eq!(
        lines(&load(&with("env = 1\n")).unwrap_err()),
        [(Some(4), "`env` must be a table of environments".to_owned())]
    );
}

#[test]
fn a_wrong_value_is_placed_where_it_stands() {
    let text = format!("{FILE}[env.prod.backend]\nlease_in_seconds = 0\n");
    assert_eq!(lines(&load(&chosen("prod", with(&text))).unwrap_err())[0].0, Some(16));
    // It is the environment that has it: without, all is well.
    load(&with(&text)).unwrap();
    // A value of the rest of the file keeps its place within a merged table.
    let text = "tags = { \"aws:a\" = \"b\" }\n[env.prod.tags]\nc = \"d\"\n";
    assert_eq!(lines(&load(&chosen("prod", with(text))).unwrap_err())[0].0, Some(4));
}

#[test]
fn a_check_of_the_file_looks_at_every_environment() {
    let text = format!("{FILE}[env.bad]\nregion = \"us-esat-1\"\n");
    let found = lines(&examine_every(&with(&text)).problems);
    assert_eq!(found, [(Some(16), "`region` is `us-esat-1`, which is not an AWS region (with `-e bad`)".to_owned())]);
    // With one of them chosen it is about that one.
    assert!(examine_every(&chosen("prod", with(&text))).problems.is_empty());
    // What is wrong without any is reported once.
    let text = format!("poll_interval = 0\n{FILE}");
    assert_eq!(lines(&examine_every(&with(&text)).problems).len(), 1);
}

#[test]
fn the_rest_of_the_file_may_lack_what_each_environment_sets() {
    let whole = sources_of_environments();
    assert!(load(&whole).unwrap_err().to_string().contains("or choose an environment of the file: `-e dev`"));
    assert!(examine_every(&whole).problems.is_empty());
    let lacking = super::sources(&format!("{}[env.prod]\nregion = \"us-east-1\"\n", whole.text));
    let problems = examine_every(&lacking).problems;
    assert!(problems.has_errors());
    assert!(problems.iter().all(|problem| problem.message.ends_with("is missing (with `-e prod`)")), "{problems}");
    is_valid_for_editors(&whole.text);
}

fn is_valid_for_editors(text: &str) {
    let value: serde_json::Value = toml::from_str(text).unwrap();
    jsonschema::validator_for(&json_schema()).unwrap().validate(&value).map_err(|error| error.to_string()).unwrap();
}

#[test]
fn the_schema_takes_environments_and_refuses_what_is_no_key_of_theirs() {
    is_valid_for_editors(&format!("{MINIMAL}{FILE}[env.prod.backend]\nlease_in_seconds = 30\n"));
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    for wrong in
        ["[env.prod]\nregoin = \"us-east-1\"\n", "[env.Prod]\n", "[env.prod]\nkms_deletion_window_in_days = 5\n"]
    {
        let value: serde_json::Value = toml::from_str(&format!("{MINIMAL}{wrong}")).unwrap();
        assert!(!validator.is_valid(&value), "{wrong}");
    }
}

#[test]
fn the_passwords_of_an_environment_are_as_hidden_as_others() {
    let text = "smart_on_fhir = true\n[env.prod]\n\
                cognito_test_user = [{ username = \"a\", pw = \"Hunter2!\", email = 1 }]\n\
                [env.prod.cognito_test_users]\npw = \"Hunter2!\"\n[env.dev]\nregion = 1\n";
    for sources in [with(text), chosen("prod", with(text)), chosen("dev", with(text))] {
        let problems = examine_every(&sources).problems.to_string();
        assert!(!problems.contains("Hunter2"), "{problems}");
    }
    // What follows them is shown again.
    let problems = load(&chosen("dev", with(text))).unwrap_err().to_string();
    assert!(problems.contains("region = 1"), "{problems}");
}

#[test]
fn names_are_listed_without_a_check_of_the_file() {
    assert_eq!(environments(FILE), ["dev", "prod"]);
    assert_eq!(environments("a = [\n[env.x]\n[env.Y]\nenv.z = 1"), Vec::<String>::new());
    assert_eq!(environments("\u{feff}[env.x]\n[env.Y]\n"), ["x"]);
}
