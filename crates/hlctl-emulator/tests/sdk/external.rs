//! HealthLake next to another server that has the keys, roles and functions.

use aws_sdk_healthlake::Client;
use aws_sdk_healthlake::error::ProvideErrorMetadata as _;
use aws_sdk_healthlake::types::{
    AuthorizationStrategy, CmkType, FhirVersion, IdentityProviderConfiguration, InputDataConfig, JobStatus,
    KmsEncryptionConfig, OutputDataConfig, S3Configuration, SseConfiguration,
};
use bytes::Bytes;
use hlctl_emulator::{Emulator, External};
use serde_json::json;

use crate::{config, still_options};

const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ROLE: &str = "arn:aws:iam::000000000000:role/elsewhere";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:validator";

fn emulator(external: &[External]) -> Emulator {
    let (mut options, _) = still_options();
    options.external = external.iter().copied().collect();
    Emulator::open(options).unwrap()
}

/// Makes a store under a key, and gives the key that it is shown with, or the error's code.
async fn encrypted_with(emulator: &Emulator, key: &str) -> Result<String, String> {
    let client = Client::new(&config(emulator));
    let encryption = KmsEncryptionConfig::builder().cmk_type(CmkType::CmCmk).kms_key_id(key).build().unwrap();
    let encryption = SseConfiguration::builder().kms_encryption_config(encryption).build();
    let create = client.create_fhir_datastore().datastore_type_version(FhirVersion::R4);
    let made = create.sse_configuration(encryption).send().await;
    let made = made.map_err(|error| error.code().unwrap_or_default().to_owned())?;
    let shown = client.describe_fhir_datastore().datastore_id(made.datastore_id()).send().await.unwrap();
    let encryption = shown.datastore_properties.unwrap().sse_configuration.unwrap().kms_encryption_config.unwrap();
    Ok(encryption.kms_key_id.unwrap())
}

#[tokio::test]
async fn a_key_that_does_not_exist_is_refused_unless_keys_are_external() {
    let refused = Err("ValidationException".to_owned());
    for external in [&[][..], &[External::Iam, External::Lambda]] {
        assert_eq!(encrypted_with(&emulator(external), KEY).await, refused);
    }
    let emulator = emulator(&[External::Kms]);
    for (key, shown) in [(KEY, KEY), (KEY_ID, KEY), ("alias/own", "arn:aws:kms:us-east-1:000000000000:alias/own")] {
        assert_eq!(encrypted_with(&emulator, key).await.as_deref(), Ok(shown));
    }
    assert_eq!(encrypted_with(&emulator, &KEY.replace("us-east-1", "eu-west-2")).await, refused, "another region's");
    let kms = aws_sdk_kms::Client::new(&config(&emulator));
    let unknown = kms.describe_key().key_id(KEY).send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("NotFoundException"));
}

#[tokio::test]
async fn a_key_that_exists_is_checked_as_usual() {
    let emulator = emulator(&[External::Kms]);
    let kms = aws_sdk_kms::Client::new(&config(&emulator));
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap();
    kms.create_alias().alias_name("alias/own").target_key_id(&key.key_id).send().await.unwrap();
    let arn = key.arn.unwrap();
    assert_eq!(encrypted_with(&emulator, "alias/own").await, Ok(arn.clone()));
    kms.disable_key().key_id(&key.key_id).send().await.unwrap();
    for name in [arn.as_str(), &key.key_id, "alias/own"] {
        assert_eq!(encrypted_with(&emulator, name).await, Err("ValidationException".to_owned()), "{name}");
    }
}

/// Imports a resource in the role and under the key of another server, and gives how the job ended, or the error's code.
async fn import(emulator: &Emulator) -> Result<JobStatus, String> {
    let config = config(emulator);
    let (client, s3) = (Client::new(&config), aws_sdk_s3::Client::new(&config));
    let store = client.create_fhir_datastore().datastore_type_version(FhirVersion::R4).send().await.unwrap();
    s3.create_bucket().bucket("job-data").send().await.unwrap();
    let patient = json!({"resourceType": "Patient", "id": "a"}).to_string();
    s3.put_object().bucket("job-data").key("in/a.ndjson").body(patient.into_bytes().into()).send().await.unwrap();
    let output = S3Configuration::builder().s3_uri("s3://job-data/out").kms_key_id(KEY).build().unwrap();
    let start = client.start_fhir_import_job().datastore_id(store.datastore_id()).data_access_role_arn(ROLE);
    let start = start.input_data_config(InputDataConfig::S3Uri("s3://job-data/in/".to_owned()));
    let job = start.job_output_data_config(OutputDataConfig::S3Configuration(output)).send().await;
    let job = job.map_err(|error| error.code().unwrap_or_default().to_owned())?;
    let described = client.describe_fhir_import_job().datastore_id(store.datastore_id()).job_id(job.job_id());
    Ok(described.send().await.unwrap().import_job_properties.unwrap().job_status)
}

#[tokio::test]
async fn a_job_runs_with_an_external_role_and_key_only_if_both_services_are_external() {
    assert_eq!(import(&emulator(&[])).await, Err("AccessDeniedException".to_owned()));
    assert_eq!(import(&emulator(&[External::Kms])).await, Err("AccessDeniedException".to_owned()));
    assert_eq!(import(&emulator(&[External::Iam])).await, Err("ValidationException".to_owned()));
    assert_eq!(import(&emulator(&[External::Kms, External::Iam])).await, Ok(JobStatus::Completed));
}

/// What a store that names a function of another server says to a bearer token.
async fn refusal(emulator: &Emulator) -> String {
    let client = Client::new(&config(emulator));
    let metadata = json!({
        "authorization_endpoint": "https://a/authorize", "token_endpoint": "https://a/token", "capabilities": [],
        "grant_types_supported": ["authorization_code"], "code_challenge_methods_supported": ["S256"],
    });
    let provider = IdentityProviderConfiguration::builder()
        .authorization_strategy(AuthorizationStrategy::SmartOnFhir)
        .idp_lambda_arn(FUNCTION)
        .metadata(metadata.to_string());
    let create = client.create_fhir_datastore().datastore_type_version(FhirVersion::R4);
    let made = create.identity_provider_configuration(provider.build().unwrap()).send().await.unwrap();
    let request = http::Request::get(format!("http://127.0.0.1/datastore/{}/r4/Patient", made.datastore_id()))
        .header("authorization", "Bearer the.to.ken")
        .body(Bytes::new());
    let answer = emulator.handle(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 401);
    String::from_utf8(answer.body().to_vec()).unwrap()
}

#[tokio::test]
async fn a_token_whose_validator_is_external_is_refused_with_the_reason() {
    let refused = refusal(&emulator(&[])).await;
    assert!(refused.contains(&format!("The token validator {FUNCTION} does not exist.")), "{refused}");
    let refused = refusal(&emulator(&[External::Lambda])).await;
    assert!(refused.contains("another server") && refused.contains("--external lambda"), "{refused}");
}
