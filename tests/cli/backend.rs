//! The state in S3: locked by conditional writes, fenced, and never lost.

use std::fs;

use aws_sdk_s3::error::ProvideErrorMetadata;
use hlctl_emulator::Action;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Census, Cloud, Place, Running, call, eventually, rule, snapshot};

pub(crate) const BUCKET: &str = "states";
pub(crate) const KEY: &str = "team/fhir.state.json";

/// A stack whose state is kept by another AWS.
pub(crate) struct Remote {
    pub place: Place,
    pub states: Cloud,
}

impl Remote {
    pub(crate) fn of(place: Place) -> Self {
        Self::leased(place, 60)
    }

    pub(crate) fn leased(place: Place, seconds: u32) -> Self {
        let remote = Self { place, states: Cloud::quick() };
        call(remote.states.s3().create_bucket().bucket(BUCKET).send()).unwrap();
        remote.configure(seconds);
        remote.states.emulator.clear_requests();
        remote
    }

    fn configure(&self, lease: u32) {
        let text = self.place.read("healthlake.toml");
        let backend = format!(
            "\n[backend]\nbucket = \"{BUCKET}\"\nkey = \"{KEY}\"\nendpoint = \"{}\"\nlease_in_seconds = {lease}\n",
            self.states.url()
        );
        self.place.write("healthlake.toml", &format!("{text}{backend}"));
    }

    fn without_backend(&self) {
        let text = self.place.read("healthlake.toml");
        self.place.write("healthlake.toml", text.split("\n[backend]").next().unwrap());
    }

    pub(crate) fn object(&self, suffix: &str) -> Option<Value> {
        let key = format!("{KEY}{suffix}");
        let answer = match call(self.states.s3().get_object().bucket(BUCKET).key(key).send()) {
            Ok(answer) => answer,
            Err(error) => {
                assert_eq!(error.code(), Some("NoSuchKey"));
                return None;
            }
        };
        let bytes = call(answer.body.collect()).unwrap().to_vec();
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    fn state(&self) -> Value {
        self.object("").unwrap()["state"].clone()
    }

    pub(crate) fn lock_id(&self) -> String {
        self.object(".lock").unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// An apply that waits for its store.
    pub(crate) fn busy(&self) -> Running {
        self.wait_until_busy(self.place.run(["apply", "-y"]).start())
    }

    /// The same with this variable.
    pub(crate) fn busy_with(&self, name: &str, value: &str) -> Running {
        self.wait_until_busy(self.place.run(["apply", "-y"]).env(name, value).start())
    }

    fn wait_until_busy(&self, running: Running) -> Running {
        eventually("the apply waits for its store", || {
            self.place.cloud().count("DescribeFHIRDatastore") > 1 && self.has_recorded_the_store()
        });
        running
    }

    fn has_recorded_all_but_the_store(&self) -> bool {
        let state = self.state();
        state["resources"].as_object().unwrap().values().filter(|entry| entry["status"] == "ready").count() == 18
    }

    fn has_recorded_the_store(&self) -> bool {
        self.object("")
            .is_some_and(|state| !state["state"]["resources"]["healthlake_fhir_datastore.this"]["recorded"].is_null())
    }
}

#[test]
fn a_state_in_s3_serves_every_command_and_leaves_nothing_on_the_machine() {
    let remote = Remote::of(Place::quick("minimal"));
    let place = &remote.place;
    place.run(["plan", "--detailed-exitcode"]).exits(2);
    assert_eq!(remote.object(""), None);
    place.apply();
    assert_eq!(remote.object(".lock"), None);
    assert_eq!(remote.state()["resources"].as_object().unwrap().len(), 19);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let arn = place.run(["outputs", "datastore_arn"]).succeeds().stdout;
    assert!(
        arn.contains(remote.state()["resources"]["healthlake_fhir_datastore.this"]["recorded"]["id"].as_str().unwrap())
    );
    place.run(["state", "list"]).succeeds();
    place.run(["wait"]).succeeds();
    let pulled = place.run(["state", "pull"]).succeeds().json();
    assert_eq!(pulled, remote.object("").unwrap());
    // Another machine has the configuration, or only the address.
    let files: Vec<_> = place.files().into_iter().map(|(path, _)| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(files, ["healthlake.state.run.json", "healthlake.toml"]);
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    assert_eq!(remote.state()["resources"], serde_json::json!({}));
    assert_eq!(Census { keys_ending: 0, ..place.cloud().census() }, Census::default());
}

#[test]
fn the_address_alone_leads_to_the_state_when_the_configuration_is_gone() {
    let place = Place::quick("minimal");
    call(place.cloud().s3().create_bucket().bucket(BUCKET).send()).unwrap();
    let address = format!("s3://{BUCKET}/{KEY}");
    place.run(["apply", "-y", "--state", &address]).succeeds();
    fs::remove_file(place.path("healthlake.toml")).unwrap();
    place.run(["outputs", "--state", &address]).succeeds();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).env("HLCTL_STATE", &address).succeeds();
    place.run(["outputs", "--state", "s3://states"]).exits(64).says("s3://states does not name a state");
}

#[test]
fn the_objects_are_encrypted_and_the_state_before_the_run_is_kept() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.place.apply();
    let first = remote.object("").unwrap();
    assert_eq!(remote.object(".backup"), None);
    remote.place.configure("datastore_name   = \"fhir-minimal\"", "datastore_name = \"renamed\"");
    remote.place.apply();
    assert_eq!(remote.object(".backup").unwrap(), first);
    let s3 = remote.states.s3();
    for suffix in ["", ".backup"] {
        let head = call(s3.head_object().bucket(BUCKET).key(format!("{KEY}{suffix}")).send()).unwrap();
        assert_eq!(head.server_side_encryption().map(aws_sdk_s3::types::ServerSideEncryption::as_str), Some("AES256"));
    }
    let key = call(remote.states.kms().create_key().send()).unwrap();
    let key = key.key_metadata().unwrap().arn().unwrap().to_owned();
    let text = remote.place.read("healthlake.toml");
    remote.place.write("healthlake.toml", &format!("{text}kms_key_id = \"{key}\"\n"));
    remote.place.configure("datastore_name = \"renamed\"", "datastore_name = \"again\"");
    remote.place.apply();
    let head = call(s3.head_object().bucket(BUCKET).key(KEY).send()).unwrap();
    assert_eq!(head.ssekms_key_id(), Some(key.as_str()));
}

#[test]
fn a_second_apply_learns_who_is_at_work_and_how_to_release_the_lock() {
    let remote = Remote::of(Place::still("minimal"));
    let first = remote.busy();
    let second = remote.place.run(["apply", "-y"]).exits(3);
    snapshot("locked_in_s3", &second);
    second.says(&remote.lock_id());
    remote.place.run(["plan"]).succeeds();
    remote.place.cloud().let_a_minute_pass();
    assert_eq!(first.ends().code, 0);
    assert_eq!(remote.object(".lock"), None);
}

#[test]
fn twenty_applies_at_once_make_one_stack() {
    for remote in [true, false] {
        let place = Place::quick("minimal");
        let remote = remote.then(|| call(place.cloud().s3().create_bucket().bucket(BUCKET).send()).unwrap());
        let state = if remote.is_some() { format!("s3://{BUCKET}/{KEY}") } else { "s.json".to_owned() };
        let arguments = ["apply", "-y", "--state", &state, "--lock-timeout", "10m"];
        let runs: Vec<Running> = (0..20).map(|_| place.run(arguments).start()).collect();
        for run in runs {
            let ended = run.ends();
            assert_eq!(ended.code, 0, "{ended}");
        }
        assert_eq!(place.cloud().count("CreateKey"), 1);
        let buckets = usize::from(remote.is_some());
        let one = Census::one_stack();
        assert_eq!(place.cloud().census(), Census { buckets: one.buckets + buckets, ..one });
    }
}

#[test]
fn a_holder_that_lost_its_lock_while_it_was_stopped_writes_no_more() {
    for another_run in [true, false] {
        let remote = Remote::of(Place::still("minimal"));
        let place = &remote.place;
        let stopped = remote.busy();
        stopped.signal(Signal::SIGSTOP);
        let id = remote.lock_id();
        place.run(["force-unlock", &id]).exits(1).says("That run may still be alive");
        place.run(["force-unlock", "another", "-y"]).exits(64).says(&id);
        place.run(["force-unlock", &id, "-y"]).succeeds().says("The lock is released.");
        place.cloud().let_a_minute_pass();
        if another_run {
            place.apply();
        }
        let before = remote.object("").unwrap();
        assert!(another_run || before["fence"].is_string());
        stopped.signal(Signal::SIGCONT);
        let ended = stopped.ends();
        assert_eq!(ended.code, 6, "{ended}");
        let ended = ended.says("is lost: another process took it over");
        assert_eq!(remote.object("").unwrap(), before, "{ended}");
        place.apply();
        place.run(["plan", "--detailed-exitcode"]).succeeds();
        assert_eq!(place.cloud().census(), Census::one_stack());
    }
}

#[test]
fn a_holder_that_loses_its_lock_in_the_middle_of_a_write_learns_so() {
    let remote = Remote::of(Place::still("minimal"));
    let running = remote.busy();
    eventually("nothing is left to be written", || remote.has_recorded_all_but_the_store());
    remote.states.emulator.clear_requests();
    // The first is the renewal of the lock, and every other an attempt at the state.
    remote.states.rules((2..100).map(|nth| rule("PutObject", Some(nth), Action::Throttle)));
    remote.place.cloud().let_a_minute_pass();
    eventually("the state is being written", || remote.states.count("PutObject") > 1);
    let delete = |key: String| call(remote.states.s3().delete_object().bucket(BUCKET).key(key).send()).unwrap();
    delete(KEY.to_owned());
    delete(format!("{KEY}.lock"));
    remote.states.heal();
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("is lost: another process took it over");
    assert_eq!(remote.object(""), None);
}

#[test]
fn a_holder_that_loses_its_lock_before_its_first_write_leaves_the_backup_of_others_alone() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.place.apply();
    remote.place.configure("datastore_name   = \"fhir-minimal\"", "datastore_name = \"renamed\"");
    let s3 = remote.states.s3();
    call(s3.put_object().bucket(BUCKET).key("theirs").body(b"{}".to_vec().into()).send()).unwrap();
    remote.states.emulator.clear_requests();
    // Three take the lock and prove it; the renewal and the backup come at once.
    remote.states.rules((4..100).map(|nth| rule("PutObject", Some(nth), Action::Throttle)));
    let running = remote.place.run(["apply", "-y"]).start();
    eventually("the state is being written", || remote.states.count("PutObject") > 4);
    call(s3.delete_object().bucket(BUCKET).key(format!("{KEY}.lock")).send()).unwrap();
    let theirs = format!("{BUCKET}/theirs");
    call(s3.copy_object().bucket(BUCKET).key(format!("{KEY}.backup")).copy_source(theirs).send()).unwrap();
    remote.states.heal();
    let ended = running.ends();
    assert_ne!(ended.code, 0, "{ended}");
    ended.says("is lost: another process took it over");
    assert_eq!(remote.object(".backup"), Some(serde_json::json!({})));
}

#[test]
fn a_reader_of_a_state_need_not_see_its_backup() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.place.apply();
    remote.states.rules([rule("HeadObject", None, Action::Deny)]);
    remote.place.run(["outputs"]).succeeds();
    remote.place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_holder_of_a_file_that_lost_its_lock_writes_no_more_either() {
    let place = Place::still("minimal");
    let stopped = place.run(["apply", "-y"]).start();
    eventually("the apply waits for its store", || place.cloud().count("DescribeFHIRDatastore") > 1);
    stopped.signal(Signal::SIGSTOP);
    let lock: Value = serde_json::from_str(&place.read("healthlake.state.json.lock")).unwrap();
    place.run(["force-unlock", lock["id"].as_str().unwrap(), "-y"]).succeeds();
    place.cloud().let_a_minute_pass();
    place.apply();
    let kept = |suffix: &str| place.read(&format!("healthlake.state.json{suffix}"));
    let (state, backup) = (kept(""), kept(".backup"));
    stopped.signal(Signal::SIGCONT);
    let ended = stopped.ends();
    assert_eq!(ended.code, 6, "{ended}");
    assert!(kept("") == state, "{ended}");
    assert!(kept(".backup") == backup, "{ended}");
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

/// Where time stands still, and the key of the store can only be deleted after the store.
fn with_a_key_for_the_store() -> Place {
    let place = Place::still("minimal");
    place.write("healthlake.toml", &format!("{}create_kms_key = true\n", place.read("healthlake.toml")));
    place
}

/// A destroy that waits for the end of its store, with nothing on its way and a key still to be deleted.
fn half_destroyed(place: &Place) -> Running {
    place.cloud().emulator.clear_requests();
    let running = place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).start();
    // A request that was allowed before the lock was lost may arrive after it.
    eventually("nothing but the key of the store is left", || {
        place.cloud().census() == Census { keys: 1, keys_ending: 1, ..Census::default() }
    });
    let asked = || place.cloud().count("DescribeFHIRDatastore");
    let before = asked();
    eventually("the destroy waits for the end of its store", || asked() > before + 1);
    running
}

/// Lets a destroy go on that was stopped and lost its lock: it must send nothing that changes anything.
fn goes_on_without_its_lock(place: &Place, running: Running) {
    place.cloud().let_a_minute_pass();
    place.cloud().emulator.clear_requests();
    running.signal(Signal::SIGCONT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("is lost: another process took it over");
    assert!(place.cloud().mutations().is_empty(), "{:?}", place.cloud().mutations());
}

#[test]
fn a_destroy_that_lost_its_lock_deletes_no_more() {
    let place = with_a_key_for_the_store();
    let applied = place.run(["apply", "-y"]).start();
    eventually("the apply waits for its store", || place.cloud().count("DescribeFHIRDatastore") > 1);
    place.cloud().let_a_minute_pass();
    assert_eq!(applied.ends().code, 0);
    let stopped = half_destroyed(&place);
    stopped.signal(Signal::SIGSTOP);
    let lock: Value = serde_json::from_str(&place.read("healthlake.state.json.lock")).unwrap();
    place.run(["force-unlock", lock["id"].as_str().unwrap(), "-y"]).succeeds();
    goes_on_without_its_lock(&place, stopped);
}

#[test]
fn a_destroy_whose_lease_in_s3_was_taken_over_deletes_no_more() {
    let remote = Remote::leased(with_a_key_for_the_store(), 1);
    let applied = remote.busy();
    remote.place.cloud().let_a_minute_pass();
    assert_eq!(applied.ends().code, 0);
    let stopped = half_destroyed(&remote.place);
    stopped.signal(Signal::SIGSTOP);
    let id = remote.lock_id();
    eventually("its lease has expired", || {
        remote.place.run(["apply", "-y"]).exits(3).stderr.contains("its lease has expired")
    });
    remote.place.run(["force-unlock", &id]).succeeds();
    goes_on_without_its_lock(&remote.place, stopped);
}

#[test]
fn a_killed_run_leaves_a_lock_that_only_an_explicit_release_ends() {
    let remote = Remote::leased(Place::still("minimal"), 1);
    remote.busy().kill();
    let id = remote.lock_id();
    let reported = || remote.place.run(["apply", "-y"]).exits(3);
    reported().says(&format!("hlctl force-unlock {id}"));
    eventually("its lease has expired", || reported().stderr.contains("its lease has expired"));
    // Nobody needs to be asked about a run that is gone.
    remote.place.run(["force-unlock", &id]).succeeds();
    remote.place.cloud().let_a_minute_pass();
    remote.place.apply();
    assert_eq!(remote.place.cloud().census(), Census::one_stack());
    remote.place.run(["force-unlock", &id]).exits(64).says("the state is not locked");
}

#[test]
fn a_lease_is_renewed_for_as_long_as_the_run_lasts() {
    let remote = Remote::leased(Place::still("minimal"), 1);
    let running = remote.busy();
    let renewed = || remote.object(".lock").unwrap()["renewed"].as_str().unwrap().to_owned();
    let first = renewed();
    eventually("the lock is renewed", || renewed() != first);
    remote.place.cloud().let_a_minute_pass();
    assert_eq!(running.ends().code, 0);
}

#[test]
fn a_state_that_cannot_be_written_is_kept_until_it_is_pushed_home() {
    let remote = Remote::of(Place::still("minimal"));
    let place = &remote.place;
    let running = remote.busy();
    remote.states.emulator.set_faults(r#"{"deny": ["s3:PutObject"]}"#.parse().unwrap());
    place.cloud().let_a_minute_pass();
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("hlctl state push healthlake.unsaved.state.json");
    remote.states.heal();
    for command in ["plan", "apply"] {
        place.run([command]).exits(1).says("hlctl state push healthlake.unsaved.state.json");
    }
    place.run(["state", "push", "healthlake.unsaved.state.json", "--dry-run"]).succeeds();
    place.run(["state", "push", "healthlake.unsaved.state.json"]).succeeds();
    assert!(!place.path("healthlake.unsaved.state.json").exists());
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn lost_answers_and_errors_of_s3_are_borne() {
    let remote = Remote::of(Place::quick("minimal"));
    let chance = |action| hlctl_emulator::Rule { probability: Some(0.15), ..rule("PutObject", None, action) };
    let lost = chance(Action::DropAfter);
    remote.states.rules([chance(Action::ServerError), lost, chance(Action::Throttle)]);
    remote.place.apply();
    remote.states.heal();
    assert_eq!(remote.object(".lock"), None);
    remote.place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(remote.place.cloud().census(), Census::one_stack());
}

#[test]
fn a_state_moves_into_s3_and_back() {
    let place = Place::quick("minimal");
    place.apply();
    let local = place.state();
    let remote = Remote::of(place);
    let place = &remote.place;
    for command in ["plan", "apply"] {
        place.run([command]).exits(1).says("hlctl state migrate");
    }
    place.run(["state", "migrate", "--dry-run"]).succeeds();
    assert_eq!(remote.object(""), None);
    place.run(["state", "migrate"]).succeeds();
    assert_eq!(remote.state()["resources"], local["resources"]);
    assert_eq!(remote.object(".lock"), None);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    // A user who forgets the backend learns where the state went.
    remote.without_backend();
    let reported = place.run(["plan"]).exits(1);
    snapshot("state_moved", &reported);
    place.run(["apply", "-y"]).exits(1).says("was moved to s3://states/team/fhir.state.json");
    remote.configure(60);
    let address = format!("s3://{BUCKET}/{KEY}");
    place.run(["state", "migrate", "--from", &address, "--to", "healthlake.state.json"]).succeeds();
    remote.without_backend();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    remote.configure(60);
    place.run(["plan"]).exits(1).says("was moved to healthlake.state.json");
}

#[test]
fn a_bucket_that_is_not_there_or_not_ours_is_explained() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.place.configure("bucket = \"states\"", "bucket = \"stats\"");
    snapshot("backend_without_bucket", &remote.place.run(["apply", "-y"]).exits(1));
    assert_eq!(remote.place.cloud().mutations(), Vec::<String>::new());
    remote.place.configure("bucket = \"stats\"", "bucket = \"states\"");
    remote.states.emulator.set_faults(r#"{"deny": ["s3:PutObject"]}"#.parse().unwrap());
    remote.place.run(["apply", "-y"]).exits(1).says("s3:PutObject");
    assert_eq!(remote.place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_damaged_state_in_s3_is_left_alone_and_recovered_from_its_backup() {
    let remote = Remote::of(Place::quick("minimal"));
    let place = &remote.place;
    place.apply();
    place.configure("datastore_name   = \"fhir-minimal\"", "datastore_name = \"renamed\"");
    place.apply();
    let damaged = aws_sdk_s3::primitives::ByteStream::from_static(b"{\"format\": \"hlctl-state\"");
    call(remote.states.s3().put_object().bucket(BUCKET).key(KEY).body(damaged).send()).unwrap();
    for command in [&["plan"][..], &["apply", "-y"], &["destroy", "-y"], &["outputs"]] {
        place.run(command.iter().copied()).exits(1).says("hlctl state recover");
    }
    place.run(["state", "recover"]).succeeds();
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn a_remote_state_is_written_a_few_times_only() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.states.emulator.set_faults(r#"{"rules": []}"#.parse().unwrap());
    remote.place.apply();
    let writes = remote.states.count("PutObject");
    // The lock and its proof, then for each write of the state a renewal; the number of writes follows from time, not from
    // resources.
    assert!(writes <= 3 + 2 * 19, "{writes} writes");
    remote.states.emulator.clear_requests();
    remote.place.run(["apply", "-y"]).succeeds();
    assert_eq!(remote.states.count("PutObject"), 3, "an idle apply writes the lock and proves it");
}
