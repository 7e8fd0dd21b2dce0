use std::time::Duration;

use aws_sdk_healthlake::Client;
use aws_sdk_healthlake::error::ProvideErrorMetadata as _;
use aws_sdk_healthlake::types::{
    CmkType, DatastoreStatus, FhirVersion, KmsEncryptionConfig, NlpConfiguration, NlpStatus, SseConfiguration, Tag,
};
use hlctl_emulator::{Delays, Emulator};

use crate::{config, config_as, still_options};

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

async fn status(client: &Client, id: &str) -> String {
    let output = client.describe_fhir_datastore().datastore_id(id).send().await;
    match output {
        Ok(output) => {
            let properties = output.datastore_properties().unwrap();
            properties.datastore_status().as_str().to_owned()
        }
        Err(error) => error.code().unwrap_or_default().to_owned(),
    }
}

async fn create(client: &Client, token: &str) -> String {
    let output = client
        .create_fhir_datastore()
        .datastore_type_version(FhirVersion::R4)
        .datastore_name("main")
        .client_token(token)
        .tags(Tag::builder().key("team").value("health").build().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(*output.datastore_status(), DatastoreStatus::Creating);
    output.datastore_id().to_owned()
}

#[tokio::test]
async fn a_store_passes_through_its_states_as_time_goes_by() {
    let (mut options, clock) = still_options();
    options.delays = Delays { create: minutes(20), update: minutes(5), delete: minutes(15), ..Delays::default() };
    let emulator = Emulator::open(options).unwrap();
    let client = Client::new(&config(&emulator));
    let id = create(&client, "t").await;
    clock.advance(minutes(19));
    assert_eq!(status(&client, &id).await, "CREATING");
    clock.advance(minutes(1));
    assert_eq!(status(&client, &id).await, "ACTIVE");

    let nlp = NlpConfiguration::builder().status(NlpStatus::Enabled).build();
    let update = client.update_fhir_datastore().datastore_id(&id);
    update.clone().nlp_configuration(nlp).send().await.unwrap();
    assert_eq!(status(&client, &id).await, "UPDATING");
    let second = update.datastore_name("other").send().await.unwrap_err();
    assert_eq!(second.code(), Some("ConflictException"));
    clock.advance(minutes(5));
    assert_eq!(status(&client, &id).await, "ACTIVE");

    let delete = client.delete_fhir_datastore().datastore_id(&id);
    delete.clone().send().await.unwrap();
    assert_eq!(status(&client, &id).await, "DELETING");
    clock.advance(minutes(15));
    assert_eq!(status(&client, &id).await, "DELETED");
    clock.advance(minutes(7 * 24 * 60 - 1));
    assert_eq!(status(&client, &id).await, "DELETED");
    clock.advance(minutes(1));
    assert_eq!(status(&client, &id).await, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_repeated_client_token_gives_the_same_store() {
    let (options, _) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let client = Client::new(&config(&emulator));
    let id = create(&client, "once").await;
    let again = client
        .create_fhir_datastore()
        .datastore_type_version(FhirVersion::R4)
        .datastore_name("main")
        .client_token("once")
        .tags(Tag::builder().key("team").value("health").build().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(again.datastore_id(), id);
    let other = client
        .create_fhir_datastore()
        .datastore_type_version(FhirVersion::R4)
        .client_token("once")
        .send()
        .await
        .unwrap_err();
    assert_eq!(other.code(), Some("ValidationException"));
    assert_ne!(create(&client, "twice").await, id);
}

#[tokio::test]
async fn a_failed_update_keeps_the_old_setting_and_says_why() {
    let (mut options, clock) = still_options();
    options.delays.update = minutes(1);
    options.faults = r#"{"healthlake":{"update_ends_as":"UPDATE_FAILED","error_message":"why"}}"#.parse().unwrap();
    let emulator = Emulator::open(options).unwrap();
    let client = Client::new(&config(&emulator));
    let id = create(&client, "t").await;
    let nlp = NlpConfiguration::builder().status(NlpStatus::Enabled).build();
    client.update_fhir_datastore().datastore_id(&id).nlp_configuration(nlp).send().await.unwrap();
    clock.advance(minutes(1));
    let output = client.describe_fhir_datastore().datastore_id(&id).send().await.unwrap();
    let properties = output.datastore_properties().unwrap();
    assert_eq!(properties.datastore_status().as_str(), "UPDATE_FAILED");
    let cause = properties.error_cause().unwrap();
    assert_eq!(cause.error_message(), Some("why"));
    let nlp = properties.nlp_configuration().unwrap();
    assert_eq!(nlp.status(), Some(&NlpStatus::Disabled));
}

#[tokio::test]
async fn accounts_and_regions_do_not_see_each_other() {
    let (options, _) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let id = create(&Client::new(&config(&emulator)), "t").await;
    for (key, region) in [("AKIATEST", "eu-west-2"), ("222222222222", "us-east-1")] {
        let client = Client::new(&config_as(&emulator, key, region));
        assert_eq!(status(&client, &id).await, "ResourceNotFoundException");
    }
}

#[tokio::test]
async fn a_customers_key_must_exist_unless_its_account_is_played_elsewhere() {
    let (options, _) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let client = Client::new(&config_as(&emulator, "111122223333", "us-east-1"));
    let create = |account: &str| {
        let arn = format!("arn:aws:kms:us-east-1:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab");
        let key = KmsEncryptionConfig::builder().cmk_type(CmkType::CmCmk).kms_key_id(arn).build().unwrap();
        let create = client.create_fhir_datastore().datastore_type_version(FhirVersion::R4);
        create.sse_configuration(SseConfiguration::builder().kms_encryption_config(key).build()).send()
    };
    let own = create("111122223333").await.unwrap_err();
    assert_eq!(own.code(), Some("ValidationException"));
    create("444455556666").await.unwrap();
}
