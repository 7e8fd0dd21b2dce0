//! A stack as Terraform's HCL, with import blocks, so that Terraform takes it over without changing it.
//!
//! Everything comes from the state; no secret is in it, and so none is in the HCL. What Terraform asks for and the state
//! does not know, such as the archive that a function was made from, Terraform is set to ignore.

mod arguments;
mod cognito;
mod compute;
mod iam;
mod s3;
mod store;
mod writer;

use hcl::{Block, Body};
use serde_json::{Value, json};
use thiserror::Error;

use hlctl_config::is_logs_bucket;
use hlctl_engine::state::{Entry, State, Status};
use hlctl_model::address::Address;
use hlctl_resources::{Kind, ResourceError};

use arguments::Arguments;
use writer::Links;

/// One file of the export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// A resource that cannot be written as HCL.
#[derive(Debug, Error)]
#[error("{address}: {error}")]
pub struct ExportError {
    /// The resource.
    pub address: Address,
    /// What happened.
    pub error: ResourceError,
}

/// The whole stack.
///
/// # Errors
/// The state records something that is not of its kind.
pub fn terraform(state: &State) -> Result<Vec<File>, ExportError> {
    let links = Links { state };
    let mut resources = Body::default();
    let mut imports = Body::default();
    let mut users = Vec::new();
    for (address, entry) in state.resources.iter().filter(|(_, entry)| entry.status == Status::Ready) {
        if is_left_out(address) {
            continue;
        }
        let failed = |error| ExportError { address: address.clone(), error };
        let (Some(kind), Some(recorded)) = (entry.kind::<Kind>(), &entry.recorded) else { continue };
        let id = match kind {
            // hlctl finds a style by its client, Terraform by the style's own id.
            Kind::CognitoManagedLoginBranding => cognito::import_id_of_branding(recorded),
            _ => kind.import_id(recorded).map_err(failed)?,
        };
        if kind == Kind::CognitoUser {
            users.push((entry, id));
            continue;
        }
        let (terraform, name) = (type_of(kind), name_of(address));
        let may_be_emptied = state.settings.force_destroy.empties(address.as_str());
        let arguments = Arguments { entry, recorded, links: &links, may_be_emptied };
        let block = Block::builder("resource").add_labels([terraform.as_str(), name]);
        let mut content = body(kind, &arguments);
        if entry.protected || holds_data(kind, address) {
            writer::keep(&mut content);
        }
        resources.0.push(block.add_structures(content.0).build().into());
        imports.0.push(import(&terraform, name, None, &id).into());
        for (further, id) in further(kind, &arguments, name) {
            if let [terraform, name] = further.labels() {
                imports.0.push(import(terraform.as_str(), name.as_str(), None, &id).into());
            }
            resources.0.push(further.into());
        }
    }
    if !users.is_empty() {
        let entries: Vec<&Entry> = users.iter().map(|(entry, _)| *entry).collect();
        resources.0.push(cognito::users(&entries, &links).into());
        for (entry, id) in users {
            let username = entry.recorded.as_ref().and_then(|recorded| recorded.get("username"));
            let username = username.and_then(Value::as_str).unwrap_or_default();
            imports.0.push(import("aws_cognito_user", "test_users", Some(username), &id).into());
        }
    }
    Ok(vec![
        File { name: "versions.tf", text: format(&versions(state))? },
        File { name: "main.tf", text: format(&resources)? },
        File { name: "imports.tf", text: format(&imports)? },
    ])
}

/// What the export leaves out: profiles of transformation, whose mappings the state does not hold. Terraform's providers replace such
/// a profile, with all its versions, for a changed mapping.
pub fn left_out(state: &State) -> Vec<&Address> {
    state.resources.keys().filter(|address| is_left_out(address)).collect()
}

fn is_left_out(address: &Address) -> bool {
    Kind::parse(address.kind()) == Some(Kind::DataTransformationProfile)
}

/// Whether patient data is in it, or what it takes to read them.
fn holds_data(kind: Kind, address: &Address) -> bool {
    kind.is_precious() || (kind == Kind::S3Bucket && !is_logs_bucket(address.as_str()))
}

fn format(body: &Body) -> Result<String, ExportError> {
    hcl::format::to_string(body).map(|text| writer::aligned(&text)).map_err(|error| {
        let address = Address::parse("terraform");
        ExportError { address, error: ResourceError::Internal(format!("cannot write HCL: {error}")) }
    })
}

/// Terraform's type: HealthLake is known to the Cloud Control provider alone.
fn type_of(kind: Kind) -> String {
    let provider = if kind == Kind::FhirDatastore { "awscc" } else { "aws" };
    format!("{provider}_{}", kind.as_str())
}

fn name_of(address: &Address) -> &str {
    address.as_str().split_once('.').map_or(address.as_str(), |(_, name)| name)
}

fn import(terraform: &str, name: &str, key: Option<&str>, id: &str) -> Block {
    let to = writer::reference(&[terraform, name], key);
    Block::builder("import").add_attribute(("to", to)).add_attribute(("id", id)).build()
}

fn versions(state: &State) -> Body {
    let provider = |source: &str, version: &str| writer::value(&json!({"source": source, "version": version}));
    let providers = Block::builder("required_providers")
        .add_attribute(("aws", provider("hashicorp/aws", "~> 6.40")))
        .add_attribute(("awscc", provider("hashicorp/awscc", "~> 1.60")))
        .build();
    let terraform = Block::builder("terraform").add_attribute(("required_version", ">= 1.5")).add_block(providers);
    let region = |provider: &str| {
        Block::builder("provider").add_label(provider).add_attribute(("region", state.identity.region.as_str())).build()
    };
    Body::builder().add_block(terraform.build()).add_block(region("aws")).add_block(region("awscc")).build()
}

fn body(kind: Kind, arguments: &Arguments<'_>) -> Body {
    match kind {
        Kind::KmsKey => compute::kms_key(arguments),
        Kind::S3Bucket => s3::bucket(arguments),
        Kind::S3BucketVersioning => s3::versioning(arguments),
        Kind::S3BucketPublicAccessBlock => s3::public_access_block(arguments),
        Kind::S3BucketServerSideEncryptionConfiguration => s3::encryption(arguments),
        Kind::S3BucketLifecycleConfiguration => s3::lifecycle(arguments),
        Kind::S3BucketLogging => s3::logging(arguments),
        Kind::S3BucketPolicy => s3::policy(arguments),
        Kind::FhirDatastore => store::datastore(arguments),
        Kind::IamRole => iam::role(arguments),
        Kind::IamPolicy => iam::policy(arguments),
        Kind::IamRolePolicy => iam::inline_policy(arguments),
        Kind::IamRolePolicyAttachment => iam::attachment(arguments),
        Kind::CognitoUserPool => cognito::pool(arguments),
        Kind::CognitoUserPoolDomain => cognito::domain(arguments),
        Kind::CognitoResourceServer => cognito::resource_server(arguments),
        Kind::CognitoUserPoolClient => cognito::client(arguments),
        Kind::CognitoManagedLoginBranding => cognito::branding(arguments),
        Kind::CognitoUser | Kind::DataTransformationProfile => Body::default(),
        Kind::CloudwatchLogGroup => compute::log_group(arguments),
        Kind::LambdaFunction => compute::function(arguments),
        Kind::LambdaAlias => compute::alias(arguments),
        Kind::LambdaPermission => compute::permission(arguments),
    }
}

/// What Terraform has as a resource of its own, and the id to import it by.
fn further(kind: Kind, arguments: &Arguments<'_>, name: &str) -> Vec<(Block, String)> {
    match kind {
        Kind::LambdaAlias => compute::provisioned_concurrency(arguments, name).into_iter().collect(),
        _ => Vec::new(),
    }
}
