//! Profiles and jobs of the Data Transformation Agent, through the SDK and by a clock that stands still.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_healthlake::Client;
use aws_sdk_healthlake::error::ProvideErrorMetadata as _;
use aws_sdk_healthlake::operation::start_data_transformation_job::builders::StartDataTransformationJobFluentBuilder;
use aws_sdk_healthlake::types::{
    CreateDataTransformationProfileSource, DataTransformationProfileVersionSummary, DataTransformationS3Configuration,
    ExistingVersionedProfileSource, ProfileMappingSource, SourceFormat, StarterProfileSource, Tag,
    TransformationInputDataConfig, TransformationJobProperties, TransformationOutputDataConfig,
};
use aws_sdk_s3::primitives::ByteStream;
use hlctl_emulator::{Clock, Emulator, Options};
use serde_json::{Value, json};

use crate::{config, still_options};

const BUCKET: &str = "csv-data";
const MAPPING: &str = "sourceSystemId: s\ntables:\n- tableName: PATIENTS\n  primaryKeyColumn: ID\n  resourceMappings:\n  \
                       - targetResourceType: Patient\n    fieldMappings:\n    \
                       - {fhirPath: 'name[0].family', sourceColumn: NAME, transform: {type: direct}}\n    \
                       - {fhirPath: birthDate, sourceColumn: BORN, transform: {type: dateFormat, params: {inputFormat: \
                       MM/dd/yyyy, outputFormat: yyyy-MM-dd}}}\n";

fn mapping(text: &str) -> CreateDataTransformationProfileSource {
    let source = ProfileMappingSource::builder().profile_mapping("mapping.yaml", text).build().unwrap();
    CreateDataTransformationProfileSource::ProfileMapping(source)
}

struct Place {
    emulator: Emulator,
    clock: Clock,
    healthlake: Client,
}

impl Place {
    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let (mut options, clock) = still_options();
        change(&mut options);
        let emulator = Emulator::open(options).unwrap();
        let healthlake = Client::new(&config(&emulator));
        Self { emulator, clock, healthlake }
    }

    async fn create(&self, name: &str) -> String {
        let made = self.healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv);
        let made = made.profile_name(name).source(mapping(MAPPING)).send().await.unwrap();
        assert_eq!(made.version(), 0);
        made.profile_id().to_owned()
    }

    async fn publish(&self, id: &str) -> i32 {
        let published = self.healthlake.publish_data_transformation_profile().profile_id(id);
        published.source_format(SourceFormat::Csv).send().await.unwrap().version()
    }

    async fn get(&self, id: &str, version: Option<i32>) -> Result<String, String> {
        let got = self.healthlake.get_data_transformation_profile().profile_id(id).set_profile_version(version);
        let got = got.send().await.map_err(|error| error.code().unwrap_or_default().to_owned())?;
        Ok(got.profile_mapping().get("mapping.yaml").cloned().unwrap_or_default())
    }

    async fn update(&self, id: &str, text: &str) {
        let update = self.healthlake.update_data_transformation_profile().profile_id(id);
        update.profile_mapping("mapping.yaml", text).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_draft_is_edited_and_published_versions_stay() {
    let place = Place::with(|_| {});
    let id = place.create("visits").await;
    assert_eq!(place.get(&id, None).await, Err("ResourceNotFoundException".to_owned()));
    assert_eq!(place.get(&id, Some(0)).await.as_deref(), Ok(MAPPING));
    assert_eq!(place.publish(&id).await, 1);
    place.update(&id, "second").await;
    assert_eq!(place.get(&id, None).await.as_deref(), Ok(MAPPING));
    assert_eq!(place.get(&id, Some(0)).await.as_deref(), Ok("second"));
    // No token keeps a second call from publishing again.
    assert_eq!((place.publish(&id).await, place.publish(&id).await), (2, 3));
    let back = place.healthlake.publish_data_transformation_profile().profile_id(&id).source_format(SourceFormat::Csv);
    assert_eq!(back.from_existing_version(1).send().await.unwrap().version(), 4);
    assert_eq!(place.get(&id, None).await.as_deref(), Ok(MAPPING));
    let versions = place.healthlake.list_data_transformation_profile_versions().profile_id(&id).max_results(3);
    let versions = versions.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    assert_eq!(versions.iter().map(DataTransformationProfileVersionSummary::version).collect::<Vec<_>>(), [4, 3, 2, 1]);

    let source = ExistingVersionedProfileSource::builder().profile_id(&id).version(2).build().unwrap();
    let clone =
        place.healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv).profile_name("b");
    let clone = clone.source(CreateDataTransformationProfileSource::ExistingVersionedProfileId(source));
    let clone = clone.send().await.unwrap().profile_id().to_owned();
    assert_eq!(place.get(&clone, Some(0)).await.as_deref(), Ok("second"));

    let listed =
        place.healthlake.list_data_transformation_profiles().source_format(SourceFormat::Csv).send().await.unwrap();
    let listed: Vec<_> = listed.items().iter().map(|item| (item.profile_id(), item.version())).collect();
    assert_eq!(listed, [(id.as_str(), 4), (clone.as_str(), 0)]);
    let ccda =
        place.healthlake.list_data_transformation_profiles().source_format(SourceFormat::Ccda).send().await.unwrap();
    assert!(ccda.items().is_empty());
    place.healthlake.delete_data_transformation_profile().profile_id(&id).send().await.unwrap();
    let again = place.healthlake.delete_data_transformation_profile().profile_id(&id).send().await.unwrap_err();
    assert_eq!(again.code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn profiles_have_tags_by_an_arn_that_the_client_builds() {
    let place = Place::with(|_| {});
    let made = place.healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv).profile_name("a");
    let made = made.source(mapping(MAPPING)).tags("team", "data").send().await.unwrap();
    let arn = format!("arn:aws:healthlake:us-east-1:000000000000:dataTransformationProfile/{}", made.profile_id());
    let tag = Tag::builder().key("more").value("yes").build().unwrap();
    place.healthlake.tag_resource().resource_arn(&arn).tags(tag).send().await.unwrap();
    place.healthlake.untag_resource().resource_arn(&arn).tag_keys("team").send().await.unwrap();
    let tags = place.healthlake.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags().iter().map(|tag| (tag.key(), tag.value())).collect::<Vec<_>>(), [("more", "yes")]);
    let made = place.healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv).profile_name("b");
    let refused = made.source(mapping(MAPPING)).tags("aws:x", "1").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    assert!(refused.message().unwrap().contains("aws:x"), "{refused:?}");
}

#[tokio::test]
async fn a_profile_has_a_mapping_of_at_least_one_text() {
    let place = Place::with(|_| {});
    let none = ProfileMappingSource::builder().set_profile_mapping(Some(HashMap::new())).build().unwrap();
    let create = place.healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv);
    let create = create.profile_name("a").source(CreateDataTransformationProfileSource::ProfileMapping(none));
    assert_eq!(create.send().await.unwrap_err().code(), Some("ValidationException"));
    let id = place.create("a").await;
    let update = place.healthlake.update_data_transformation_profile().profile_id(&id);
    let refused = update.set_profile_mapping(Some(HashMap::new())).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    assert_eq!(place.get(&id, Some(0)).await.as_deref(), Ok(MAPPING));
}

#[tokio::test]
async fn quotas_tokens_and_sources_are_held_to() {
    let place = Place::with(|_| {});
    let create = |name: &str| {
        let create = place.healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv);
        create.profile_name(name).source(mapping(MAPPING)).client_token("once")
    };
    let first = create("a").send().await.unwrap();
    assert_eq!(create("a").send().await.unwrap().profile_id(), first.profile_id());
    assert_eq!(create("b").send().await.unwrap_err().code(), Some("ValidationException"));
    for number in 1..20 {
        place.create(&format!("p{number}")).await;
    }
    let more = create("c").client_token("other").send().await.unwrap_err();
    assert_eq!(more.code(), Some("ServiceQuotaExceededException"));
    let id = first.profile_id();
    for version in 1..=99 {
        assert_eq!(place.publish(id).await, version);
    }
    let more = place.healthlake.publish_data_transformation_profile().profile_id(id).source_format(SourceFormat::Csv);
    assert_eq!(more.send().await.unwrap_err().code(), Some("ServiceQuotaExceededException"));
}

#[tokio::test]
async fn a_starter_is_for_c_cda_and_has_a_name() {
    let place = Place::with(|_| {});
    let create = |format: SourceFormat, name: &str| {
        let starter = StarterProfileSource::builder().starter_profile_name(name).build().unwrap();
        let create = place.healthlake.create_data_transformation_profile().source_format(format).profile_name("n");
        create.source(CreateDataTransformationProfileSource::StarterProfile(starter)).send()
    };
    let made = create(SourceFormat::Ccda, "ccda-starter-kit-v1").await.unwrap();
    let publish = place.healthlake.publish_data_transformation_profile().profile_id(made.profile_id());
    assert_eq!(publish.source_format(SourceFormat::Ccda).send().await.unwrap().version(), 1);
    let unknown = create(SourceFormat::Ccda, "another").await.unwrap_err();
    assert_eq!(unknown.code(), Some("ResourceNotFoundException"));
    let csv = create(SourceFormat::Csv, "ccda-starter-kit-v1").await.unwrap_err();
    assert_eq!(csv.code(), Some("ValidationException"));
}

#[tokio::test]
async fn a_second_has_one_call_of_each_operation_where_the_limits_are_on() {
    let place = Place::with(|options| options.rate_limits = true);
    let id = place.create("a").await;
    place.publish(&id).await;
    let again = || {
        let publish = place.healthlake.publish_data_transformation_profile().profile_id(&id);
        let once = aws_sdk_healthlake::config::Builder::new().retry_config(aws_config::retry::RetryConfig::disabled());
        publish.source_format(SourceFormat::Csv).customize().config_override(once).send()
    };
    assert_eq!(again().await.unwrap_err().code(), Some("ThrottlingException"));
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(again().await.unwrap().version(), 2);
}

/// With what jobs need: a bucket, a key, and a role that trusts HealthLake for the account.
struct JobPlace {
    place: Place,
    s3: aws_sdk_s3::Client,
    role: String,
    key: String,
}

impl JobPlace {
    async fn open(change: impl FnOnce(&mut Options), condition: Value) -> Self {
        let place = Place::with(change);
        let config = config(&place.emulator);
        let s3 = aws_sdk_s3::Client::new(&config);
        s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let kms = aws_sdk_kms::Client::new(&config);
        let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
        let iam = aws_sdk_iam::Client::new(&config);
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "healthlake.amazonaws.com"}, "Action": "sts:AssumeRole",
            "Condition": condition,
        }]});
        let role = iam.create_role().role_name("jobs").assume_role_policy_document(trust.to_string());
        let role = role.send().await.unwrap().role.unwrap().arn;
        // Exactly what the guide gives the role.
        let bucket = format!("arn:aws:s3:::{BUCKET}");
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": format!("{bucket}/*")},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], "Resource": key},
        ]});
        let put = iam.put_role_policy().role_name("jobs").policy_name("p").policy_document(policy.to_string());
        put.send().await.unwrap();
        Self { place, s3, role, key }
    }

    async fn put(&self, key: &str, text: &str) {
        let body = ByteStream::from(text.as_bytes().to_vec());
        self.s3.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
    }

    async fn read(&self, key: &str) -> String {
        let object = self.s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
    }

    fn start(&self, profile: &str, token: &str) -> StartDataTransformationJobFluentBuilder {
        let input = TransformationInputDataConfig::builder().s3_uri(format!("s3://{BUCKET}/in/")).build().unwrap();
        let output = DataTransformationS3Configuration::builder().s3_uri(format!("s3://{BUCKET}/out"));
        let output = output.kms_key_id(&self.key).build().unwrap();
        let start = self.place.healthlake.start_data_transformation_job().client_token(token).profile_id(profile);
        let start = start.input_data_config(input).data_access_role_arn(&self.role);
        start.output_data_config(TransformationOutputDataConfig::builder().s3_configuration(output).build())
    }

    async fn describe(&self, job: &str) -> TransformationJobProperties {
        let described = self.place.healthlake.describe_data_transformation_job().job_id(job).send().await.unwrap();
        described.transformation_job_properties.unwrap()
    }
}

fn of_account() -> Value {
    json!({"StringEquals": {"aws:SourceAccount": "000000000000"}})
}

#[tokio::test]
async fn a_job_converts_csv_and_leaves_what_the_guide_says() {
    let place = JobPlace::open(|_| {}, of_account()).await;
    let profile = place.place.create("visits").await;
    let unpublished = place.start(&profile, "u").send().await.unwrap_err();
    assert_eq!(unpublished.code(), Some("ValidationException"));
    place.place.publish(&profile).await;
    place.place.update(&profile, "broken: [").await;
    place.put("in/PATIENTS.csv", "ID,NAME,BORN,NOTE\n1,Silva,03/15/1980,x\n2,Ngo,1980,x\n").await;
    place.put("in/other.csv", "A,B\n1,2\n").await;
    place.put("in/notes.txt", "no table").await;
    let started = place.start(&profile, "t").job_name("first").send().await.unwrap();
    assert_eq!(started.job_status().as_str(), "SUBMITTED");
    let job = place.describe(started.job_id()).await;
    assert_eq!(job.job_status().as_str(), "COMPLETED_WITH_ERRORS", "{job:?}");
    assert_eq!((job.profile_version(), job.job_name()), (Some(1), Some("first")));
    let report = job.job_progress_report().unwrap();
    let counts = (report.total_files_scanned(), report.total_files_converted(), report.total_files_failed());
    assert_eq!((counts, report.total_resources_generated()), ((3, 2, 1), 1));
    let folder = format!("out/{}/", started.job_id());
    let patient: Value =
        serde_json::from_str(&place.read(&format!("{folder}converted/PATIENTS.ndjson")).await).unwrap();
    assert_eq!(patient["name"][0]["family"], "Silva");
    let error: Value = serde_json::from_str(&place.read(&format!("{folder}ERROR/PATIENTS.json")).await).unwrap();
    let text = error["errorMessage"].as_str().unwrap();
    assert!(text.contains("Patient.birthDate") && text.contains("line 3") && !text.contains("1980"), "{text}");
    assert_eq!(error["inputFile"], format!("s3://{BUCKET}/in/PATIENTS.csv"));
    let drift: Value = serde_json::from_str(&place.read(&format!("{folder}jobLevelDriftResult.json")).await).unwrap();
    assert_eq!(drift["summary"]["rowsFailedCustomerError"], 1);
    assert_eq!(drift["unmappedTables"][0]["tableName"], "other");
    assert_eq!((&drift["profileVersion"], &drift["jobId"]), (&json!(1), &json!(started.job_id())));
    place.read(&format!("{folder}Manifest.json")).await;
    // The same token is the same job.
    assert_eq!(place.start(&profile, "t").job_name("first").send().await.unwrap().job_id(), started.job_id());
    let listed = place.place.healthlake.list_data_transformation_jobs().job_name("first").send().await.unwrap();
    assert_eq!(listed.items().len(), 1);
}

#[tokio::test]
async fn one_job_runs_at_a_time_and_takes_its_time() {
    let minute = Duration::from_secs(60);
    let place = JobPlace::open(|options| options.delays.job = minute, of_account()).await;
    let profile = place.place.create("visits").await;
    place.place.publish(&profile).await;
    place.put("in/PATIENTS.csv", "ID,NAME,BORN\n1,Silva,03/15/1980\n").await;
    let one = place.start(&profile, "1").send().await.unwrap();
    assert_eq!(place.describe(one.job_id()).await.job_status().as_str(), "IN_PROGRESS");
    let other = place.start(&profile, "2").send().await.unwrap();
    assert_eq!(other.job_status().as_str(), "QUEUED");
    place.place.clock.advance(minute);
    assert_eq!(place.describe(one.job_id()).await.job_status().as_str(), "COMPLETED");
    assert_eq!(place.describe(other.job_id()).await.job_status().as_str(), "IN_PROGRESS");
    place.place.clock.advance(minute);
    assert_eq!(place.describe(other.job_id()).await.job_status().as_str(), "COMPLETED");
}

#[tokio::test]
async fn a_job_that_cannot_work_is_refused_or_fails_with_a_message() {
    let store = json!({"ArnEquals": {"aws:SourceArn": "arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/a"}});
    let place = JobPlace::open(|_| {}, store).await;
    let profile = place.place.create("visits").await;
    place.place.publish(&profile).await;
    place.put("in/PATIENTS.csv", "ID,NAME,BORN\n").await;
    let refused = place.start(&profile, "1").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    assert!(refused.message().unwrap_or_default().contains("without a data store"), "{refused:?}");

    let place = JobPlace::open(|_| {}, of_account()).await;
    let profile = place.place.create("visits").await;
    place.place.publish(&profile).await;
    let nothing = place.start(&profile, "1").send().await.unwrap();
    let job = place.describe(nothing.job_id()).await;
    assert_eq!(job.job_status().as_str(), "FAILED");
    assert!(job.message().unwrap_or_default().contains("no CSV file"), "{job:?}");
    place.place.update(&profile, "tables: 1").await;
    place.place.publish(&profile).await;
    place.put("in/PATIENTS.csv", "ID,NAME,BORN\n").await;
    let wrong = place.start(&profile, "2").send().await.unwrap();
    let job = place.describe(wrong.job_id()).await;
    assert!(job.message().unwrap_or_default().contains("1:1: sourceSystemId is missing"), "{job:?}");
    let ccda = place.place.healthlake.create_data_transformation_profile().source_format(SourceFormat::Ccda);
    let ccda = ccda.profile_name("c").source(mapping("#set")).send().await.unwrap().profile_id().to_owned();
    let publish = place.place.healthlake.publish_data_transformation_profile().profile_id(&ccda);
    publish.source_format(SourceFormat::Ccda).send().await.unwrap();
    let refused = place.start(&ccda, "3").send().await.unwrap_err();
    assert!(refused.message().unwrap_or_default().contains("converts no C-CDA"), "{refused:?}");
}
