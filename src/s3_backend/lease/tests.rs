//! Leases on the emulator, with what happens between two calls done by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use aws_credential_types::Credentials;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use hlctl_emulator::{ConditionalDeletes, Emulator, Faults, Options, S3Faults};
use serde_json::Value;

use super::super::S3Store;
use hlctl_aws::Caller;
use hlctl_aws::clients::{NamedBy, S3Alone, S3Endpoint};
use hlctl_config::Backend;
use hlctl_engine::state::{LockInfo, Place, StateError};

const LOCK: &str = "fhir.json.lock";

/// A server, and a state's store on it.
struct Scene {
    emulator: Emulator,
    s3: aws_sdk_s3::Client,
}

impl Scene {
    async fn with(conditional_deletes: ConditionalDeletes) -> Self {
        let emulator = Emulator::open(Options::default()).unwrap();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(emulator.connector())
            .endpoint_url("http://127.0.0.1")
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .force_path_style(true)
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(config);
        s3.create_bucket().bucket("states").send().await.unwrap();
        let s3_faults = S3Faults { conditional_deletes, ..S3Faults::default() };
        emulator.set_faults(Faults { s3: s3_faults, ..Faults::default() });
        Self { emulator, s3 }
    }

    fn store(&self, endpoint: Option<&str>) -> S3Store {
        let endpoint = endpoint.map(|url| S3Endpoint { url: url.to_owned(), named_by: NamedBy::Backend });
        let way = S3Alone { s3: self.s3.clone(), caller: Caller::default(), endpoint };
        S3Store::new(way, &Backend::at("states", "fhir.json"))
    }

    fn writes(&self) -> usize {
        self.emulator.requests().iter().filter(|request| request.operation == "PutObject").count()
    }

    async fn lock(&self) -> Option<Value> {
        let answer = self.s3.get_object().bucket("states").key(LOCK).send().await.ok()?;
        serde_json::from_slice(&answer.body.collect().await.unwrap().to_vec()).ok()
    }

    async fn put_lock(&self, lock: &Value) {
        let body = lock.to_string().into_bytes();
        self.s3.put_object().bucket("states").key(LOCK).body(body.into()).send().await.unwrap();
    }
}

const ELSEWHERE: Option<&str> = Some("http://127.0.0.1:9000");

#[tokio::test]
async fn a_lock_is_proven_on_a_server_that_is_not_amazon_s3_and_nowhere_else() {
    for (endpoint, writes) in
        [(None, 1), (Some("https://bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com"), 1), (ELSEWHERE, 3)]
    {
        let scene = Scene::with(ConditionalDeletes::Heeded).await;
        let lease = scene.store(endpoint).lock("test").await.unwrap();
        assert_eq!(scene.writes(), writes, "{endpoint:?}");
        lease.release().await.unwrap();
        assert_eq!(scene.lock().await, None);
    }
}

#[tokio::test]
async fn a_lock_whose_last_renewal_was_broken_off_is_released() {
    for deletes in [ConditionalDeletes::Heeded, ConditionalDeletes::Ignored, ConditionalDeletes::NotImplemented] {
        for endpoint in [None, ELSEWHERE] {
            let scene = Scene::with(deletes).await;
            let store = scene.store(endpoint);
            let lease = store.lock("test").await.unwrap();
            let mut renewed = scene.lock().await.unwrap();
            renewed["renewed"] = "2099-01-01 00:00:00 UTC".into();
            scene.put_lock(&renewed).await;
            lease.release().await.unwrap();
            assert!(store.holder().await.unwrap().is_none(), "{deletes:?} {endpoint:?}");
        }
    }
}

#[tokio::test]
async fn a_holder_that_lost_its_lock_leaves_the_lock_of_the_next_one_alone() {
    for deletes in [ConditionalDeletes::Heeded, ConditionalDeletes::Ignored, ConditionalDeletes::NotImplemented] {
        let scene = Scene::with(deletes).await;
        let store = scene.store(ELSEWHERE);
        let first = store.lock("first").await.unwrap();
        let holding = store.holder().await.unwrap().unwrap();
        store.break_lock(&holding).await.unwrap();
        let next = store.lock("next").await.unwrap();
        let lock = scene.lock().await.unwrap();
        first.release().await.unwrap();
        assert_eq!(scene.lock().await.unwrap(), lock, "{deletes:?}");
        assert!(matches!(first.renew().await, Err(StateError::LockLost { .. })));
        next.release().await.unwrap();
        assert!(store.holder().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_lock_that_was_marked_as_released_is_lost_to_its_holder() {
    let scene = Scene::with(ConditionalDeletes::NotImplemented).await;
    let store = scene.store(ELSEWHERE);
    let first = store.lock("first").await.unwrap();
    let holding = store.holder().await.unwrap().unwrap();
    store.break_lock(&holding).await.unwrap();
    assert!(matches!(first.renew().await, Err(StateError::LockLost { .. })));
    // An earlier build goes by the id, and by the lease.
    let note: LockInfo = serde_json::from_value(scene.lock().await.unwrap()).unwrap();
    assert_ne!(note.id, holding.holder.id);
    assert_eq!(note.lease_in_seconds, Some(0));
    // The second attempt to take away what is released already finds nothing.
    assert!(store.holder().await.unwrap().is_none());
}

#[tokio::test]
async fn two_take_over_a_released_lock_and_one_of_them_gets_it() {
    let scene = Scene::with(ConditionalDeletes::NotImplemented).await;
    let store = scene.store(ELSEWHERE);
    store.lock("first").await.unwrap().release().await.unwrap();
    let (one, two) = tokio::join!(store.lock("one"), store.lock("two"));
    let (held, lock) = match (one, two) {
        (Ok(held), Err(StateError::Locked { lock, .. })) | (Err(StateError::Locked { lock, .. }), Ok(held)) => {
            (held, lock)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(lock, Place::Object { bucket: "states".to_owned(), key: LOCK.to_owned() });
    held.release().await.unwrap();
    store.lock("again").await.unwrap().release().await.unwrap();
}
