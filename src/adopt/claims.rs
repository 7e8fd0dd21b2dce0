//! What a Terraform state says of the AWS resources.

use super::instance::Instance;
use super::record::{Claim, Claims};
use super::tfstate::TfResource;
use hlctl_model::address::Address;
use hlctl_resources::{Identity, Kind, ResourceError};

/// The claims of a module on AWS resources.
///
/// # Errors
/// A resource whose identity the state does not tell.
pub fn of_instance(instance: &Instance, identity: &Identity) -> Result<Claims, (Address, ResourceError)> {
    let mut claims = Claims::new();
    for (address, resource) in &instance.resources {
        let failed = |error| (address.clone(), error);
        let kind = Kind::parse(address.kind());
        let unsaid =
            || ResourceError::Answer(format!("the Terraform state does not say which {} it is", address.kind()));
        let id = kind.and_then(|kind| import_id(kind, resource));
        let (kind, id) = kind.zip(id).ok_or_else(|| failed(unsaid()))?;
        let recorded = kind.of_import_id(identity, &id).map_err(failed)?.ok_or_else(|| failed(unsaid()))?;
        claims.insert(address.clone(), Claim { kind, recorded });
    }
    Ok(claims)
}

/// The id by which Terraform would import it; most types have that as their `id`, but not all.
fn import_id(kind: Kind, resource: &TfResource) -> Option<String> {
    let text = |name: &str| resource.text(name);
    let pair = |first: &str, between: char, second: &str| Some(format!("{}{between}{}", text(first)?, text(second)?));
    match kind {
        Kind::KmsKey => text("key_id").map(str::to_owned),
        // `awscc` notes the id alone when its wait for a creation is interrupted.
        Kind::FhirDatastore => text("datastore_id").or(text("id")).map(str::to_owned),
        Kind::S3Bucket
        | Kind::S3BucketVersioning
        | Kind::S3BucketPublicAccessBlock
        | Kind::S3BucketServerSideEncryptionConfiguration
        | Kind::S3BucketLifecycleConfiguration
        | Kind::S3BucketLogging
        | Kind::S3BucketPolicy => text("bucket").map(str::to_owned),
        Kind::IamRole | Kind::CloudwatchLogGroup => text("name").map(str::to_owned),
        Kind::IamPolicy => text("arn").map(str::to_owned),
        Kind::IamRolePolicy => pair("role", ':', "name"),
        Kind::IamRolePolicyAttachment => pair("role", '/', "policy_arn"),
        Kind::CognitoUserPool => text("id").map(str::to_owned),
        Kind::DataTransformationProfile => text("profile_id").or(text("id")).map(str::to_owned),
        Kind::CognitoUserPoolDomain => text("domain").map(str::to_owned),
        Kind::CognitoResourceServer => pair("user_pool_id", '|', "identifier"),
        Kind::CognitoUserPoolClient => pair("user_pool_id", '/', "id"),
        Kind::CognitoManagedLoginBranding => pair("user_pool_id", '/', "client_id"),
        Kind::CognitoUser => pair("user_pool_id", '/', "username"),
        Kind::LambdaFunction => text("function_name").map(str::to_owned),
        Kind::LambdaAlias => pair("function_name", '/', "name"),
        Kind::LambdaPermission => {
            let qualifier = text("qualifier").map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
            Some(format!("{}{qualifier}/{}", text("function_name")?, text("statement_id")?))
        }
    }
}
