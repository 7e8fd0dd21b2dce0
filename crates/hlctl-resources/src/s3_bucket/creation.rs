//! The request that makes a bucket.

use aws_sdk_s3::types::{BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, ObjectOwnership, Tag};

use super::{S3Bucket, tagging};
use crate::{Context, ResourceError};
use hlctl_aws::{AwsError, ErrorKind, Met, ops};
use hlctl_config::AccountRegionalName;

/// How much the request says of the bucket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Tags and ownership controls too, so that there is no moment without them.
    All,
    /// What a bucket cannot be made without.
    Least,
}

impl S3Bucket {
    /// Makes it with its tags, and with ACLs off. A caller that may set neither in this request, or a server that knows neither,
    /// gets it without: it is tagged afterwards, and its ACLs are off by default (S3 user guide, "Controlling ownership of objects").
    ///
    /// # Errors
    /// That of the whole request.
    pub(super) async fn send_creation(&self, cx: &Context) -> Result<(), ResourceError> {
        let tags = tagging::tag_set(&self.tags)?;
        match self.send(cx, &tags, Says::All).await {
            Err(error) if may_take_less(&error) => match self.send(cx, &tags, Says::Least).await {
                Ok(()) => Ok(()),
                // The first attempt may have made it after all.
                Err(again) if again.meets() == Some(Met::Exists) => Err(again.into()),
                Err(_) => Err(error.into()),
            },
            result => Ok(result?),
        }
    }

    async fn send(&self, cx: &Context, tags: &[Tag], says: Says) -> Result<(), AwsError> {
        let is_whole = says == Says::All;
        let location =
            (cx.identity.region != "us-east-1").then(|| BucketLocationConstraint::from(cx.identity.region.as_str()));
        let tags = is_whole.then(|| tags.to_vec()).filter(|tags| !tags.is_empty());
        let configuration = (location.is_some() || tags.is_some())
            .then(|| CreateBucketConfiguration::builder().set_location_constraint(location).set_tags(tags).build());
        // A name of the account's own namespace is refused without it ("Namespaces for general purpose buckets", S3 user guide).
        let namespace = AccountRegionalName::of(&self.name).map(|_| BucketNamespace::AccountRegional);
        let send = || {
            let create = cx.clients.s3.create_bucket().bucket(&self.name).set_bucket_namespace(namespace.clone());
            let create = create.set_object_ownership(is_whole.then_some(ObjectOwnership::BucketOwnerEnforced));
            create.set_create_bucket_configuration(configuration.clone()).send()
        };
        cx.call(ops::s3::CREATE_BUCKET, send).await.map(drop)
    }
}

/// Whether the refusal may be about what the request says in addition to the name: the caller lacks an action that this asks for, or the
/// server does not know it ("Error responses", S3 API reference).
fn may_take_less(error: &AwsError) -> bool {
    error.kind == ErrorKind::Denied
        || matches!(error.code.as_str(), "MalformedXML" | "NotImplemented" | "InvalidArgument" | "InvalidRequest")
}
