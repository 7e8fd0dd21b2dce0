//! No password is ever shown.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::*;

const USER: &str = "[[cognito_test_users]]\n\
                    username = \"alice\"\n\
                    preferred_username = \"alice\"\n\
                    email = \"alice@example.org\"\n\
                    email_verified = true\n";

#[test]
fn a_configuration_shows_its_passwords_nowhere() {
    let config = loaded(&format!("{USER}password = \"Hunter2!hunter2\"\n"));
    let PasswordSource::Inline(secret) = &config.smart.test_users[0].password else {
        panic!("not inline");
    };
    assert_eq!(secret.expose(), "Hunter2!hunter2");
    for text in [format!("{config:?}"), format!("{secret:?}"), serde_json::to_string(&config).unwrap()] {
        assert!(!text.contains("unter2"), "{text}");
    }
}

#[test]
fn a_password_may_come_from_elsewhere() {
    let config = loaded(&format!(
        "{USER}password_env = \"ALICE_PASSWORD\"\n{}password_file = \"secrets/bob\"\n",
        USER.replace("alice", "bob")
    ));
    let sources: Vec<_> = config.smart.test_users.iter().map(|user| &user.password).collect();
    assert_eq!(sources[0], &PasswordSource::Env("ALICE_PASSWORD".to_owned()));
    assert_eq!(sources[1], &PasswordSource::File("/etc/stack/secrets/bob".into()));
}

#[test]
fn no_problem_shows_a_password() {
    let directory = repository("tests/config/broken/secrets");
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let sources = Sources::read(&path, BTreeMap::new(), Vec::new()).unwrap();
        assert!(sources.text.contains("hunter2"), "{}", path.display());
        let problems = load(&sources).unwrap_err();
        shows_nothing(&problems);
    }
}

#[test]
fn no_problem_of_a_variable_or_flag_shows_a_password() {
    for value in [
        r#"[{ username = "alice", password = "hunter2" }]"#,
        r#"[{ username = "alice", password = "hunter2 }]"#,
        "hunter2",
        "[\nhunter2\n]",
    ] {
        let mut sources = with("");
        sources.env = BTreeMap::from([
            ("HLCTL_COGNITO_TEST_USERS".to_owned(), value.to_owned()),
            ("HLCTL_COGNITO_TEST_USER".to_owned(), value.to_owned()),
        ]);
        shows_nothing(&load(&sources).unwrap_err());
        sources.env.clear();
        for key in ["cognito_test_users", "cognito_tset_users"] {
            sources.sets = vec![Setting::assignment(&format!("{key}={value}")).unwrap_or_else(|p| panic!("{p}"))];
            shows_nothing(&load(&sources).unwrap_err());
        }
    }
}

fn shows_nothing(problems: &Problems) {
    for text in [problems.to_string(), problems.render(true), json(problems).to_string(), format!("{problems:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// A file with a password and room for damage around it.
fn damaged() -> impl Strategy<Value = String> {
    let forms = [
        format!("{MINIMAL}{USER}password = \"hunter2\"\n\n[tags]\nteam = \"a\"\n"),
        format!("{MINIMAL}{USER}password = '''\nhunter2\n'''\n{USER}password_file = \"hunter2\"\n"),
        format!(
            "{MINIMAL}cognito_test_users = [\n  {{ username = \"a\", email = \"a@b\", password = \"hunter2\" }},\n]\nregion = 1\n"
        ),
    ];
    let damage = (any::<prop::sample::Index>(), 0_usize..3, "[\"'\\[\\]{}=,.#:\\\\\r\n a-z]");
    (prop::sample::select(forms.to_vec()), prop::collection::vec(damage, 1..3)).prop_map(|(mut text, damages)| {
        for (at, length, insert) in damages {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            let hits_secret =
                text.match_indices("hunter2").any(|(start, word)| at < start + word.len() && start < end.max(at + 1));
            if !hits_secret {
                text.replace_range(at..end, &insert);
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn damage_around_a_password_does_not_show_it(text in damaged()) {
        let Examined { problems, .. } = examine(&sources(&text));
        shows_nothing(&problems);
    }
}
