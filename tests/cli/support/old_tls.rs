//! Buckets as hlctl made them before it refused old TLS by default.

use serde_json::Value;

use super::{Place, call};

/// Takes the refusal of old TLS out of the policies of both buckets.
pub(crate) fn accept_old_tls(place: &Place) {
    let state = place.state();
    let of = |name: &str| state["identity"][name].as_str().unwrap();
    let s3 = place.cloud().s3_of(of("account"), of("region"));
    for address in ["s3_bucket.data", "s3_bucket.access_logs"] {
        let bucket = state["resources"][address]["recorded"]["name"].as_str().unwrap();
        let policy = call(s3.get_bucket_policy().bucket(bucket).send()).unwrap().policy.unwrap();
        let mut policy: Value = serde_json::from_str(&policy).unwrap();
        let statements = policy["Statement"].as_array_mut().unwrap();
        let before = statements.len();
        statements.retain(|statement| statement["Sid"] != "RefuseOldTls");
        assert_eq!(statements.len(), before - 1, "{address} does not refuse old TLS");
        call(s3.put_bucket_policy().bucket(bucket).policy(policy.to_string()).send()).unwrap();
    }
}
