//! Buckets and their settings.

use hcl::{Block, Body};
use serde_json::Value;

use super::arguments::Arguments;
use super::writer::value;
use hlctl_config::AccountRegionalName;

pub(super) fn bucket(of: &Arguments<'_>) -> Body {
    let name = value(&of.recorded("name"));
    let mut body = Body::builder().add_attribute(("bucket", name));
    // Without it Terraform creates a bucket in the global namespace, which S3 refuses by this name.
    if of.recorded("name").as_str().is_some_and(|name| AccountRegionalName::of(name).is_some()) {
        body = body.add_attribute(("bucket_namespace", "account-regional"));
    }
    if of.may_be_emptied {
        body = body.add_attribute(("force_destroy", true));
    }
    body.add_attribute(("tags", of.plain("tags"))).build()
}

pub(super) fn versioning(of: &Arguments<'_>) -> Body {
    let block = Block::builder("versioning_configuration").add_attribute(("status", of.plain("status"))).build();
    Body::builder().add_attribute(("bucket", of.bucket())).add_block(block).build()
}

pub(super) fn public_access_block(of: &Arguments<'_>) -> Body {
    let mut body = Body::builder().add_attribute(("bucket", of.bucket()));
    for flag in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] {
        body = body.add_attribute((flag, of.plain(flag)));
    }
    body.build()
}

pub(super) fn encryption(of: &Arguments<'_>) -> Body {
    let mut default = Block::builder("apply_server_side_encryption_by_default")
        .add_attribute(("sse_algorithm", of.plain("sse_algorithm")));
    let key = of.seen("kms_master_key_id");
    if !key.is_null() {
        default = default.add_attribute(("kms_master_key_id", of.links.to(("kms_key", "arn"), "arn", &key)));
    }
    let mut rule = Block::builder("rule").add_attribute(("bucket_key_enabled", of.plain("bucket_key_enabled")));
    // Terraform takes away what is not written there.
    if let Some(blocked) = of.seen("blocked_encryption_types").as_str() {
        let blocked: Vec<Value> = blocked.split(", ").map(Value::from).collect();
        rule = rule.add_attribute(("blocked_encryption_types", value(&Value::Array(blocked))));
    }
    let rule = rule.add_block(default.build()).build();
    Body::builder().add_attribute(("bucket", of.bucket())).add_block(rule).build()
}

pub(super) fn lifecycle(of: &Arguments<'_>) -> Body {
    let rules = of.seen("rules");
    let rules = rules.as_object().into_iter().flatten().map(|(id, rule)| lifecycle_rule(id, rule));
    Body::builder().add_attribute(("bucket", of.bucket())).add_blocks(rules).build()
}

fn lifecycle_rule(id: &str, rule: &Value) -> Block {
    let seen = |name: &str| rule.get(name).filter(|value| !value.is_null());
    let mut filter = Block::builder("filter");
    if let Some(prefix) = seen("prefix").filter(|prefix| *prefix != "") {
        filter = filter.add_attribute(("prefix", value(prefix)));
    }
    let mut block = Block::builder("rule")
        .add_attribute(("id", id))
        .add_attribute(("status", seen("status").map_or("Enabled".into(), value)))
        .add_block(filter.build());
    if let Some(days) = seen("abort_incomplete_multipart_upload_days") {
        let abort = Block::builder("abort_incomplete_multipart_upload");
        block = block.add_block(abort.add_attribute(("days_after_initiation", value(days))).build());
    }
    for (class, days) in seen("transition_days").and_then(Value::as_object).into_iter().flatten() {
        let transition = Block::builder("transition").add_attribute(("days", value(days)));
        block = block.add_block(transition.add_attribute(("storage_class", class.as_str())).build());
    }
    if let Some(days) = seen("expiration_days") {
        block = block.add_block(Block::builder("expiration").add_attribute(("days", value(days))).build());
    }
    if let Some(days) = seen("noncurrent_version_expiration").and_then(|of| of.get("days")) {
        let expiration = Block::builder("noncurrent_version_expiration");
        block = block.add_block(expiration.add_attribute(("noncurrent_days", value(days))).build());
    }
    block.build()
}

pub(super) fn logging(of: &Arguments<'_>) -> Body {
    let target = of.links.to(("s3_bucket", "name"), "bucket", &of.seen("target_bucket"));
    Body::builder()
        .add_attribute(("bucket", of.bucket()))
        .add_attribute(("target_bucket", target))
        .add_attribute(("target_prefix", of.plain("target_prefix")))
        .build()
}

pub(super) fn policy(of: &Arguments<'_>) -> Body {
    Body::builder().add_attribute(("bucket", of.bucket())).add_attribute(("policy", of.document("policy"))).build()
}
