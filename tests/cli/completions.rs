//! What shells offer while somebody types.

use std::process::Command;

use crate::support::Place;

/// What can follow this line, whose last word is being typed.
fn following(place: &Place, line: &[&str]) -> Vec<String> {
    let index = line.len().to_string();
    let words = ["--", "hlctl"].into_iter().chain(line.iter().copied());
    let run = place.run(words).env("HLCTL_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", &index).env("_CLAP_IFS", "\n");
    let ended = run.succeeds();
    assert_eq!(ended.stderr, "", "{ended}");
    ended.stdout.lines().map(str::to_owned).collect()
}

fn with_environment(place: &Place) {
    let text = place.read("healthlake.toml");
    let own = "[env.prod]\ndatastore_name = \"fhir-prod\"\ndata_bucket_name = \"example-prod-data\"\n\
               logs_bucket_name = \"example-prod-logs\"\nhealthlake_role_name = \"ProdRole\"\n\
               healthlake_policy_name = \"ProdPolicy\"\ncreate_kms_key = true\n";
    place.write("healthlake.toml", &format!("{text}\n{own}"));
}

#[test]
fn addresses_outputs_and_stores_of_the_local_state_are_completed_without_a_network() {
    let place = Place::quick("minimal");
    with_environment(&place);
    // Before there is a state, a plan takes what the configuration can have.
    assert!(
        following(&place, &["plan", "--target", "lambda_f"]).contains(&"lambda_function.token_validator".to_owned())
    );
    assert_eq!(following(&place, &["stores", "use", ""]).iter().filter(|word| !word.starts_with('-')).count(), 0);
    place.apply();
    place.run(["apply", "-y", "-e", "prod"]).succeeds();
    place.cloud().emulator.clear_requests();
    let (files, id) = (place.files(), place.store_id());
    assert_eq!(following(&place, &["plan", "--target", "lambda_f"]), Vec::<String>::new());
    for line in [
        &["plan", "--target", "kms_key."][..],
        &["apply", "--replace", "kms_key."],
        &["destroy", "--allow-destroy", "kms_key."],
        &["state", "show", "kms_key."],
        &["state", "mv", "kms_key."],
        &["state", "rm", "kms_key."],
        &["protect", "kms_key."],
        &["forget", "s3_bucket.data", "kms_key."],
    ] {
        assert_eq!(following(&place, line), ["kms_key.s3"], "{line:?}");
        let of_prod = [&["-e", "prod"], line].concat();
        assert_eq!(following(&place, &of_prod), ["kms_key.datastore", "kms_key.s3"], "{line:?}");
    }
    let by_name = following(&place, &["plan", "--state", "healthlake.prod.state.json", "--target", "kms_key.d"]);
    assert_eq!(by_name, ["kms_key.datastore"]);
    assert_eq!(following(&place, &["outputs", "datastore_e"]), ["datastore_endpoint"]);
    for line in [&["stores", "use", &id[..4]][..], &["stores", "delete", &id[..4]], &["restore", "--from", &id[..4]]] {
        assert_eq!(following(&place, line), [id.as_str()], "{line:?}");
    }
    assert_eq!(following(&place, &["fhir", "get", "Patient/1", "--store", &id[..4]]), [id.as_str()]);
    assert!(
        following(&place, &["destroy", "--allow-destroy", "example-"])
            .contains(&"example-fhir-minimal-data".to_owned())
    );
    assert_eq!(following(&place, &["plan", "-e", "p"]), ["prod"]);
    assert_eq!(following(&place, &["docs", "several"]), ["several-stacks"]);
    assert!(place.cloud().requests().is_empty());
    assert_eq!(place.files(), files);
}

#[test]
fn what_cannot_be_read_completes_to_nothing() {
    let place = Place::quick("minimal");
    place.write("healthlake.state.json", "{");
    assert!(following(&place, &["plan", "--target", "kms_key."]).contains(&"kms_key.s3".to_owned()));
    place.write("healthlake.toml", "= [");
    assert_eq!(following(&place, &["plan", "-c", "nowhere", "-e", "p"]), Vec::<String>::new());
    assert_eq!(following(&place, &["pla"]), ["plan"]);
}

#[test]
fn bash_completes_by_the_script() {
    let place = Place::quick("minimal");
    place.apply();
    let script = "source <(hlctl completions bash)\n\
                  COMP_WORDS=(hlctl state show s3_bucket.d) COMP_CWORD=3\n_clap_complete_hlctl hlctl s3_bucket.d show\n\
                  echo \"${COMPREPLY[*]}\"\n";
    let mut shell = Command::new("bash");
    // The script calls hlctl by its name.
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_hlctl")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    shell.args(["-c", script]).current_dir(place.directory()).env("PATH", path);
    let ended = shell.output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&ended.stdout).trim(),
        "s3_bucket.data",
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
}
