//! The secret of an app client is rotated: a second one, the end of the old one, and what is known of secrets after that.

use hlctl_emulator::Action;
use serde_json::Value;

use crate::support::{Ended, Place, Run, call, rule};

const CLIENT: &str = "cognito_user_pool_client.client";
const MACHINE: &str = "cognito_user_pool_client.machine";
const OWN: &str = "a_secret_of_my_own_with_enough_characters";

fn applied() -> Place {
    let place = Place::quick("smart");
    place.apply();
    place
}

fn rotate<'a>(place: &'a Place, arguments: &[&str]) -> Run<'a> {
    Run::new(place).args(["smart", "rotate-secret"]).args(arguments.iter().copied()).env("NEW_SECRET", OWN)
}

/// The ids of the client's secrets, the oldest first.
fn listed(place: &Place, address: &str) -> Vec<String> {
    let recorded = place.state()["resources"][address]["recorded"].clone();
    let text = |name: &str| recorded[name].as_str().unwrap().to_owned();
    let list = place.cloud().cognito().list_user_pool_client_secrets();
    let answer = call(list.user_pool_id(text("user_pool_id")).client_id(text("id")).send()).unwrap();
    answer.client_secrets().iter().map(|secret| secret.client_secret_id().unwrap().to_owned()).collect()
}

fn machine_token<'a>(place: &'a Place, secret: &str) -> Run<'a> {
    let arguments = ["smart", "token", "--grant", "client-credentials", "--client-secret-env", "SECRET"];
    Run::new(place).args(arguments).env("SECRET", secret)
}

fn clean(place: &Place) {
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["drift", "--no-trail"]).succeeds();
}

#[test]
fn both_secrets_are_valid_until_the_old_one_is_removed_by_its_id() {
    let place = applied();
    let old = place.run(["outputs", "cognito_machine_client_secret", "--raw", "--show-secrets"]).succeeds().stdout;
    let [first] = <[String; 1]>::try_from(listed(&place, MACHINE)).unwrap();
    let added = rotate(&place, &["--client", "machine", "--show-secrets"]).succeeds();
    let new = added.stdout.trim_end().to_owned();
    assert!(new.len() > 40 && new != old && !added.stderr.contains(&new), "{added}");
    let next = format!("smart rotate-secret --client machine --remove {first}");
    let added = added.says(&next);
    machine_token(&place, &old).succeeds();
    machine_token(&place, &new).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let drift = place.run(["drift", "--no-trail"]).exits(2);
    assert!(drift.stdout.contains("a second secret"), "{drift}");
    for secret in [&old, &new] {
        for (path, content) in place.files() {
            assert!(!String::from_utf8_lossy(&content).contains(secret.as_str()), "{}", path.display());
        }
    }

    let refused = rotate(&place, &["--client", "machine", "--show-secrets"]).exits(1).says("two secrets");
    assert_eq!(refused.stdout, "", "{added}");
    assert!(listed(&place, MACHINE).iter().all(|id| refused.stderr.contains(id.as_str())), "{refused}");

    rotate(&place, &["--client", "machine", "--remove", &first]).succeeds();
    machine_token(&place, &old).exits(1).says("invalid_client");
    machine_token(&place, &new).succeeds();
    clean(&place);
    // Its answer may have been lost.
    rotate(&place, &["--client", "machine", "--remove", &first]).succeeds().says("nothing was removed");
    let [second] = <[String; 1]>::try_from(listed(&place, MACHINE)).unwrap();
    assert_ne!(first, second);
    rotate(&place, &["--client", "machine", "--remove", &second]).exits(1).says("only secret");
    assert_eq!(listed(&place, MACHINE), [second]);
}

#[test]
fn one_run_does_it_all_if_nobody_is_waited_for() {
    let place = applied();
    let [first] = <[String; 1]>::try_from(listed(&place, CLIENT)).unwrap();
    let id = place.state()["resources"][CLIENT]["recorded"]["id"].clone();
    let done = rotate(&place, &["--show-secrets", "--wait", "0s"]).succeeds().says(&format!("Removed {first}."));
    let after = listed(&place, CLIENT);
    assert!(after.len() == 1 && after[0] != first, "{done}");
    clean(&place);
    assert_eq!(place.state()["resources"][CLIENT]["recorded"]["id"], id, "the client is the same");
    let shown = place.run(["outputs", "cognito_client_secret", "--raw", "--show-secrets"]).succeeds();
    assert_eq!(shown.stdout, done.stdout.trim_end());
}

fn document(ended: &Ended) -> Value {
    ended.json()
}

#[test]
fn with_json_each_run_does_one_step_and_names_the_next() {
    let place = applied();
    let ended = rotate(&place, &["--show-secrets", "--wait", "0s", "--json"]).succeeds();
    let added = document(&ended);
    assert_eq!(added["client"], CLIENT);
    assert!(added["secret"].as_str().unwrap().len() > 40 && !ended.stderr.contains(added["secret"].as_str().unwrap()));
    let old = added["secrets"][0]["id"].as_str().unwrap();
    assert_eq!(added["secrets"][1]["id"], added["added"]);
    assert!(added["next"].as_str().unwrap().contains(&format!("--remove {old}")), "{added:#}");
    assert_eq!(listed(&place, CLIENT).len(), 2);
    let removed = document(&rotate(&place, &["--remove", old, "--json"]).succeeds());
    assert_eq!((&removed["removed"], &removed["next"]), (&Value::from(old), &Value::Null));
    assert!(removed.get("secret").is_none() && removed["secrets"].as_array().unwrap().len() == 1);
    let again = document(&rotate(&place, &["--remove", old, "--json"]).succeeds());
    assert_eq!(again["removed"], Value::Null);
}

#[test]
fn a_secret_that_nobody_would_see_is_not_added() {
    let place = applied();
    place.cloud().emulator.clear_requests();
    rotate(&place, &[]).exits(64).says("--show-secrets");
    rotate(&place, &["--secret-env", "NEW_SECRET"]).env("NEW_SECRET", "too-short").exits(64).says("24 to 64");
    rotate(&place, &["--secret-env", "NOT_SET"]).exits(64).says("NOT_SET");
    rotate(&place, &["--remove", "x", "--show-secrets"]).exits(64);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    // A removal that names neither of two is a slip.
    rotate(&place, &["--show-secrets"]).succeeds();
    rotate(&place, &["--remove", "another--1"]).exits(64).says("no secret another--1");
    assert_eq!(listed(&place, CLIENT).len(), 2);
}

/// A secret of one's own is never returned by Cognito: not by DescribeUserPoolClient either.
#[test]
fn a_client_whose_secret_aws_does_not_show_stays_and_its_secret_is_given_by_a_variable() {
    let place = applied();
    let before = place.state()["resources"][MACHINE]["recorded"].clone();
    let done = rotate(&place, &["--client", "machine", "--secret-env", "NEW_SECRET", "--wait", "0s"]).succeeds();
    assert!(done.stdout.is_empty() && !done.stderr.contains(OWN), "{done}");
    clean(&place);
    place.apply();
    assert_eq!(place.state()["resources"][MACHINE]["recorded"], before);
    let outputs = ["outputs", "cognito_machine_client_secret", "--raw", "--show-secrets"];
    let hidden = place.run(outputs).exits(1).says("does not return the secret").says("--client-secret-env");
    assert_eq!(hidden.stdout, "");
    place.run(["smart", "token", "--grant", "client-credentials"]).exits(1).says("--client-secret-env");
    machine_token(&place, OWN).succeeds().keeps_silent_about(OWN);
    machine_token(&place, "another_secret_that_is_not_the_clients").exits(1).says("invalid_client");
}

/// A caller that may not list secrets, or asks a server that cannot, does not lose the client for it.
#[test]
fn a_client_is_not_replaced_because_its_secrets_cannot_be_listed() {
    let place = applied();
    rotate(&place, &["--client", "machine", "--secret-env", "NEW_SECRET", "--wait", "0s"]).succeeds();
    let denied =
        Action::Error { code: "AccessDeniedException".to_owned(), message: "not authorized".to_owned(), status: 400 };
    place.cloud().rules([rule("ListUserPoolClientSecrets", None, denied)]);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_generated_secret_whose_answer_is_lost_makes_way_for_one_that_is_seen() {
    let place = applied();
    place.cloud().rules([rule("AddUserPoolClientSecret", Some(1), Action::DropAfter)]);
    let added = rotate(&place, &["--client", "machine", "--show-secrets"]).succeeds();
    place.cloud().heal();
    assert_eq!(listed(&place, MACHINE).len(), 2);
    machine_token(&place, added.stdout.trim_end()).succeeds();
}

#[test]
fn the_old_secret_stays_where_the_new_one_is_not_taken() {
    let place = applied();
    let denied = Action::ServerError;
    place.cloud().rules([rule("Token", None, denied)]);
    rotate(&place, &["--show-secrets", "--wait", "0s"]).exits(6).says("--remove");
    assert_eq!(listed(&place, CLIENT).len(), 2);
    assert_eq!(place.cloud().count("DeleteUserPoolClientSecret"), 0);
}

#[cfg(unix)]
#[test]
fn a_secret_that_could_not_be_printed_is_removed_again_and_the_old_one_stays() {
    let place = applied();
    let before = listed(&place, CLIENT);
    for arguments in [&["--show-secrets", "--wait", "0s"][..], &["--show-secrets", "--json"], &["--show-secrets"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = rotate(&place, arguments).command();
        let ended = command.stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(6), "{arguments:?}: {said}");
        assert!(said.contains("could not be printed, so it was removed again"), "{arguments:?}: {said}");
        assert_eq!(listed(&place, CLIENT), before, "{arguments:?}: {said}");
    }
}

#[test]
fn an_id_of_the_other_client_is_no_success() {
    let place = applied();
    rotate(&place, &["--client", "machine", "--show-secrets"]).succeeds();
    let [old, new] = <[String; 2]>::try_from(listed(&place, MACHINE)).unwrap();
    for id in [&old, &new] {
        rotate(&place, &["--remove", id]).exits(64).says(&format!("rotate-secret --client machine --remove {id}"));
    }
    assert_eq!(listed(&place, MACHINE).len(), 2);
    // What is nowhere may have been removed before.
    rotate(&place, &["--remove", "nowhere--9"]).succeeds().says("nothing was removed");
}

#[test]
fn a_function_of_the_users_own_gets_the_new_secret_and_is_not_replaced_without_one() {
    let place = Place::quick("smart");
    place.add_own_package();
    place.apply();
    let has = || {
        let get = place.cloud().lambda().get_function_configuration().function_name("healthlake_token_validator");
        let variables = call(get.send()).unwrap().environment.unwrap().variables.unwrap();
        (variables.len(), variables["CLIENT_SECRET"].clone())
    };
    let (count, _) = has();
    rotate(&place, &["--secret-env", "NEW_SECRET", "--wait", "0s"])
        .succeeds()
        .says("The function")
        .keeps_silent_about(OWN);
    assert_eq!(has(), (count, OWN.to_owned()));
    clean(&place);
    // Cognito does not return it, so the only place that has it may not be deleted.
    place.cloud().emulator.clear_requests();
    let replace = ["apply", "-y", "--replace", "lambda_function.token_validator"];
    place.run(replace).exits(1).says("which Cognito does not return").says("--replace cognito_user_pool_client.client");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    // A change in place keeps what the function has.
    place.add("lambda_timeout = 7");
    place.apply();
    assert_eq!(has().1, OWN);
}
