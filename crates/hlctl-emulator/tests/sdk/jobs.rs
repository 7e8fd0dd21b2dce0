//! Import and export jobs, restores and loading, through the SDK and by a clock that stands still.

use std::time::Duration;

use aws_sdk_healthlake::Client;
use aws_sdk_healthlake::error::ProvideErrorMetadata as _;
use aws_sdk_healthlake::types::{
    BackupConfiguration, BackupStatus, ContinuousBackupRestoreConfiguration, FhirVersion, ImportJobProperties,
    InputDataConfig, JobStatus, OutputDataConfig, RestoreConfiguration, S3Configuration,
};
use aws_sdk_s3::primitives::ByteStream;
use hlctl_emulator::{Clock, Emulator, ImportLimits, LoadError, Options};
use serde_json::{Value, json};

use crate::{config, still_options};

const BUCKET: &str = "job-data";

/// A datastore with what jobs need.
struct Place {
    emulator: Emulator,
    clock: Clock,
    healthlake: Client,
    s3: aws_sdk_s3::Client,
    store: String,
    role: String,
    key: String,
}

fn patients(count: usize) -> String {
    (0..count).map(|number| json!({"resourceType": "Patient", "id": format!("p{number}")}).to_string() + "\n").collect()
}

impl Place {
    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let (mut options, clock) = still_options();
        change(&mut options);
        let emulator = Emulator::open(options).unwrap();
        let config = config(&emulator);
        let (healthlake, s3) = (Client::new(&config), aws_sdk_s3::Client::new(&config));
        let backup = BackupConfiguration::builder().status(BackupStatus::Enabled).build();
        let made = healthlake.create_fhir_datastore().datastore_type_version(FhirVersion::R4);
        let made = made.backup_configuration(backup).send().await.unwrap();
        s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let kms = aws_sdk_kms::Client::new(&config);
        let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
        let iam = aws_sdk_iam::Client::new(&config);
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "healthlake.amazonaws.com"}, "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:SourceArn": made.datastore_arn()}},
        }]});
        let role = iam.create_role().role_name("jobs").assume_role_policy_document(trust.to_string());
        let role = role.send().await.unwrap().role.unwrap().arn;
        let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
        iam.attach_role_policy().role_name("jobs").policy_arn(administrator).send().await.unwrap();
        Self { clock, healthlake, s3, store: made.datastore_id().to_owned(), role, key, emulator }
    }

    fn output(&self) -> OutputDataConfig {
        let config = S3Configuration::builder().s3_uri(format!("s3://{BUCKET}/out")).kms_key_id(&self.key);
        OutputDataConfig::S3Configuration(config.build().unwrap())
    }

    async fn put(&self, key: &str, text: String) {
        let body = ByteStream::from(text.into_bytes());
        self.s3.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
    }

    async fn start(&self) -> String {
        self.start_from("in/").await
    }

    async fn start_from(&self, folder: &str) -> String {
        let start = self.healthlake.start_fhir_import_job().datastore_id(&self.store);
        let start = start.input_data_config(InputDataConfig::S3Uri(format!("s3://{BUCKET}/{folder}")));
        let start = start.job_output_data_config(self.output()).data_access_role_arn(&self.role);
        start.send().await.unwrap().job_id().to_owned()
    }

    async fn describe(&self, job: &str) -> ImportJobProperties {
        let describe = self.healthlake.describe_fhir_import_job().datastore_id(&self.store).job_id(job);
        describe.send().await.unwrap().import_job_properties.unwrap()
    }

    async fn imported(&self, job: &str) -> i64 {
        let properties = self.describe(job).await;
        properties.job_progress_report().unwrap().total_number_of_resources_imported().unwrap()
    }
}

#[tokio::test]
async fn half_of_the_time_brings_half_of_the_resources() {
    let place = Place::with(|options| options.delays.job = Duration::from_secs(60)).await;
    place.put("in/a.ndjson", patients(100)).await;
    place.put("in/b.ndjson", patients(100)).await;
    let job = place.start().await;
    assert_eq!(place.imported(&job).await, 0);
    place.clock.advance(Duration::from_secs(30));
    let half = place.imported(&job).await;
    assert!((99..=101).contains(&half), "{half}");
    assert_eq!(place.imported(&job).await, half, "time stands still");
    place.clock.advance(Duration::from_secs(300));
    let done = place.describe(&job).await;
    assert_eq!(*done.job_status(), JobStatus::Completed);
    let took = done.end_time().unwrap().secs() - done.submit_time().secs();
    assert_eq!(took, 60, "whenever somebody looks");
}

#[tokio::test]
async fn a_job_does_not_read_what_it_writes_below_its_input() {
    let place = Place::with(|_| {}).await;
    // One before the output in the order of keys, and one after it.
    place.put("a.ndjson", patients(3)).await;
    place.put("z.ndjson", patients(3)).await;
    let job = place.start_from("").await;
    let done = place.describe(&job).await;
    assert_eq!(*done.job_status(), JobStatus::Completed);
    let progress = done.job_progress_report().unwrap();
    assert_eq!(progress.total_number_of_imported_files(), Some(2));
    assert_eq!(place.imported(&job).await, 6);
}

#[tokio::test]
async fn without_a_delay_the_next_look_sees_the_job_done() {
    let place = Place::with(|_| {}).await;
    place.put("in/a.ndjson", patients(3_000)).await;
    let job = place.start().await;
    assert_eq!(*place.describe(&job).await.job_status(), JobStatus::Completed);
    let listed = place.s3.list_objects_v2().bucket(BUCKET).prefix("out/").send().await.unwrap();
    let names: Vec<&str> = listed.contents().iter().map(|object| object.key().unwrap()).collect();
    let folder = format!("out/{}-FHIR_IMPORT-{job}/", place.store);
    let wanted = ["SUCCESS/a.ndjson", "manifest.json"].map(|name| format!("{folder}{name}"));
    assert!(wanted.iter().all(|name| names.contains(&name.as_str())), "{names:?}");
}

#[tokio::test]
async fn an_import_that_is_too_large_fails_and_says_so() {
    for (limits, wanted) in [
        (ImportLimits { files: 1, ..ImportLimits::default() }, "2 files"),
        (ImportLimits { file_bytes: 100, ..ImportLimits::default() }, "a job takes files of 100"),
        (ImportLimits { job_bytes: 300, ..ImportLimits::default() }, "a job takes 300"),
    ] {
        let place = Place::with(|options| options.import_limits = limits).await;
        place.put("in/a.ndjson", patients(5)).await;
        place.put("in/b.ndjson", patients(5)).await;
        let job = place.start().await;
        let job = place.describe(&job).await;
        assert_eq!(*job.job_status(), JobStatus::Failed);
        assert!(job.message().unwrap().contains(wanted), "{job:?}");
    }
}

#[tokio::test]
async fn a_job_ends_with_its_store() {
    let place = Place::with(|options| options.delays.job = Duration::from_secs(60)).await;
    place.put("in/a.ndjson", patients(100)).await;
    let job = place.start().await;
    place.clock.advance(Duration::from_secs(10));
    assert_eq!(*place.describe(&job).await.job_status(), JobStatus::InProgress);
    place.healthlake.delete_fhir_datastore().datastore_id(&place.store).send().await.unwrap();
    place.clock.advance(Duration::from_secs(10));
    let ended = place.describe(&job).await;
    assert_eq!(*ended.job_status(), JobStatus::Failed);
    assert!(ended.message().unwrap().contains("no longer exists"), "{ended:?}");
}

#[tokio::test]
async fn the_backup_of_a_deleted_store_lasts_for_its_retention() {
    let place = Place::with(|_| {}).await;
    place.emulator.load(Some(&place.store), patients(10).as_bytes()).unwrap();
    place.healthlake.delete_fhir_datastore().datastore_id(&place.store).send().await.unwrap();
    let restore = || async {
        let backup = ContinuousBackupRestoreConfiguration::builder().build();
        let configuration = RestoreConfiguration::ContinuousBackupRestoreConfiguration(backup);
        let restore = place.healthlake.restore_fhir_datastore().source_datastore_id(&place.store);
        restore.restore_configuration(configuration).send().await
    };
    place.clock.advance(Duration::from_secs(6 * 86_400));
    let restored = restore().await.unwrap();
    let describe = place.healthlake.describe_fhir_datastore().datastore_id(restored.datastore_id());
    let status = describe.send().await.unwrap().datastore_properties.unwrap();
    assert_eq!(status.datastore_status().as_str(), "ACTIVE");
    place.clock.advance(Duration::from_secs(86_400));
    let gone = restore().await.unwrap_err();
    assert_eq!(gone.code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_library_call_loads_the_only_store_or_the_named_one() {
    let (options, _) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let first = emulator.load(None, patients(2).as_bytes()).unwrap();
    assert_eq!((first.resources, first.refused), (2, 0));
    let again = emulator.load(None, b"{}\n\n{\"resourceType\":\"Patient\",\"id\":\"p0\"}").unwrap();
    assert_eq!((&again.store, again.resources, again.refused), (&first.store, 1, 1));
    assert_eq!(again.reasons[0].line, 1);
    let healthlake = Client::new(&config(&emulator));
    healthlake.create_fhir_datastore().datastore_type_version(FhirVersion::R4).send().await.unwrap();
    assert!(matches!(emulator.load(None, b""), Err(LoadError::SeveralStores(ids)) if ids.len() == 2));
    assert!(matches!(emulator.load(Some("x"), b""), Err(LoadError::NoSuchStore(_))));
    emulator.load(Some(&first.store), patients(1).as_bytes()).unwrap();
}

#[tokio::test]
async fn a_manifest_may_be_named_and_written_as_people_have_seen_it() {
    let place = Place::with(|options| {
        options.faults = r#"{"jobs":{"manifest":"Manifest.json","bare_keys":true}}"#.parse().unwrap();
    })
    .await;
    place.put("in/a.ndjson", "{}\n".to_owned() + &patients(1)).await;
    let job = place.start().await;
    assert_eq!(*place.describe(&job).await.job_status(), JobStatus::CompletedWithErrors);
    let read = |name: String| {
        let key = format!("out/{}-FHIR_IMPORT-{job}/{name}", place.store);
        async { place.s3.get_object().bucket(BUCKET).key(key).send().await.unwrap().body.collect().await.unwrap() }
    };
    let manifest: Value = serde_json::from_slice(&read("Manifest.json".to_owned()).await.into_bytes()).unwrap();
    assert_eq!(manifest["numberOfResourcesWithCustomerError"], 1);
    let failure = String::from_utf8(read("FAILURE/a.ndjson".to_owned()).await.to_vec()).unwrap();
    assert!(failure.starts_with(r#"{"lineId":1,UpdateResourceResponse:{"jsonBlob":{"#), "{failure}");
}
