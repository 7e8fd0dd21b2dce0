//! Which resources of a Terraform state are the module's.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use super::cloud_control;
use super::tfstate::{TfResource, TfState};
use crate::module::test_user;
use serde_json::Value;

use hlctl_model::address::Address;
use hlctl_model::text::shell_quoted;
use hlctl_resources::Kind;

/// How the root module is called on the command line.
pub const ROOT: &str = "root";
/// Terraform's names of the resources that the module makes, or that `hlctl export terraform` writes. Each has the address
/// that is left once the provider is taken away.
const RESOURCES: &[(&str, &str)] = &[
    ("aws_cloudwatch_log_group", "token_validator"),
    ("aws_cognito_resource_server", "launch"),
    ("aws_cognito_resource_server", "patient"),
    ("aws_cognito_resource_server", "system"),
    (TEST_USERS.0, TEST_USERS.1),
    ("aws_cognito_user_pool", "main"),
    CLIENT,
    MACHINE,
    ("aws_cognito_user_pool_domain", "this"),
    ("aws_iam_policy", "healthlake"),
    ("aws_iam_policy", "healthlake_service_policy"),
    ("aws_iam_role", "healthlake"),
    ("aws_iam_role", "healthlake_service_role"),
    ("aws_iam_role", "lambda_role"),
    ("aws_iam_role_policy", "cognito_access"),
    ("aws_iam_role_policy_attachment", "healthlake_policy"),
    ("aws_iam_role_policy_attachment", "lambda_basic"),
    ("aws_iam_role_policy_attachment", "this"),
    ("aws_kms_key", "datastore"),
    ("aws_kms_key", "s3"),
    ("aws_lambda_alias", "token_validator"),
    ("aws_lambda_function", "token_validator"),
    ("aws_lambda_permission", "healthlake"),
    ("aws_s3_bucket", "access_logs"),
    ("aws_s3_bucket", "data"),
    ("aws_s3_bucket_lifecycle_configuration", "access_logs"),
    ("aws_s3_bucket_lifecycle_configuration", "data"),
    ("aws_s3_bucket_logging", "access_logs"),
    ("aws_s3_bucket_logging", "data"),
    ("aws_s3_bucket_policy", "access_logs"),
    ("aws_s3_bucket_policy", "data"),
    ("aws_s3_bucket_public_access_block", "access_logs"),
    ("aws_s3_bucket_public_access_block", "data"),
    ("aws_s3_bucket_server_side_encryption_configuration", "access_logs"),
    ("aws_s3_bucket_server_side_encryption_configuration", "data"),
    ("aws_s3_bucket_versioning", "access_logs"),
    ("aws_s3_bucket_versioning", "data"),
    STORE,
];
const CLIENT: (&str, &str) = ("aws_cognito_user_pool_client", "client");
/// hlctl's name of the client that logs in for itself, which the module calls as the other.
const MACHINE: (&str, &str) = ("aws_cognito_user_pool_client", "machine");
const TEST_USERS: (&str, &str) = ("aws_cognito_user", "test_users");
const STORE: (&str, &str) = ("awscc_healthlake_fhir_datastore", "this");
/// CloudFormation's type of a store.
const STORE_TYPE: &str = "AWS::HealthLake::FHIRDatastore";
/// Without these there is no configuration: their names have no default.
const NEEDED: [(&str, &str); 3] = [STORE, ("aws_s3_bucket", "data"), ("aws_s3_bucket", "access_logs")];

/// What made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Terraform, or OpenTofu.
    Terraform,
    /// CloudFormation, or the CDK.
    CloudFormation,
}

/// One use of the module, or what is like it.
pub struct Instance {
    /// What made it.
    pub tool: Tool,
    /// The path of the module, which is empty for the root; or CloudFormation's stack.
    pub module: String,
    /// Its resources by hlctl's addresses.
    pub resources: BTreeMap<Address, TfResource>,
    /// What else is managed there: it stays the tool's.
    pub left: Vec<String>,
}

impl Instance {
    /// Terraform's addresses of what it holds to be damaged, and would replace.
    pub fn tainted(&self) -> Vec<String> {
        self.resources.values().filter(|resource| resource.tainted).map(TfResource::address).collect()
    }
}

/// An object that Terraform has replaced and not yet deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposed {
    /// Terraform's address, which the object shares with the one in its place.
    pub address: String,
    /// Terraform's key of it.
    pub key: String,
    /// What it is in AWS; none if the state does not say.
    pub id: Option<String>,
}

/// Why the module was not found.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InstanceError {
    /// Nothing of it.
    #[error("the Terraform state holds no resource of the HealthLake module")]
    None,
    /// The user named another.
    #[error("the Terraform state has no HealthLake module at {0}")]
    NotThere(String, Vec<String>),
    /// Which one?
    #[error("the Terraform state holds the HealthLake module {} times", .0.len())]
    Several(Vec<String>),
    /// Terraform has not come to making all of it.
    #[error("the module is incomplete: the Terraform state has no {}", .0.join(", no "))]
    Incomplete(Vec<String>),
    /// Terraform would forget them together with what is in their place, and nobody would know of them any more.
    #[error("Terraform has replaced these and not yet deleted the old ones: {}", .0.iter().map(Deposed::to_string)
        .collect::<Vec<_>>().join(", "))]
    Deposed(Vec<Deposed>),
    /// Two for one place.
    #[error("{0} and {1} both map to {2}")]
    Twice(String, String, Address),
}

impl fmt::Display for Deposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (deposed {}", self.address, self.key)?;
        self.id.iter().try_for_each(|id| write!(f, ", {id}"))?;
        f.write_str(")")
    }
}

impl InstanceError {
    /// The next step.
    pub fn hint(&self) -> String {
        let choose = |paths: &[String]| {
            let lines = paths.iter().map(|path| format!("  --module {}", shell_quoted(path)));
            format!("choose one:\n{}", lines.collect::<Vec<_>>().join("\n"))
        };
        match self {
            Self::None => concat!(
                "the module's resources are recognised by type and name, such as \
                                   aws_s3_bucket.data; adopt single ones with `",
                hlctl!("adopt ADDRESS ID"),
                "`"
            )
            .to_owned(),
            Self::NotThere(_, paths) | Self::Several(paths) => choose(paths),
            Self::Incomplete(_) => concat!(
                "run `terraform apply` to completion first, or write a config and adopt single resources: `",
                hlctl!("adopt ADDRESS ID"),
                "`"
            )
            .to_owned(),
            Self::Deposed(_) => {
                "let `terraform apply` delete them, then get the state again: `terraform state rm` would \
                                 forget them too, and nothing would know of them"
                    .to_owned()
            }
            Self::Twice(..) => {
                "hlctl has only one address for it: remove one of them from the Terraform state".to_owned()
            }
        }
    }
}

/// Finds the module in a state; the one at `path`, if that is given.
///
/// # Errors
/// [`InstanceError`]
pub fn find(state: TfState, path: Option<&str>) -> Result<Instance, InstanceError> {
    let mut modules: BTreeMap<String, Vec<TfResource>> = BTreeMap::new();
    for resource in state.resources {
        modules.entry(resource.module.clone()).or_default().push(resource);
    }
    modules.retain(|_, resources| is_module(resources));
    let shown = |path: &String| if path.is_empty() { ROOT.to_owned() } else { path.clone() };
    let paths: Vec<String> = modules.keys().map(shown).collect();
    let wanted = match (path, paths.as_slice()) {
        (_, []) => return Err(InstanceError::None),
        (None, [_]) => modules.pop_first(),
        (None, _) => return Err(InstanceError::Several(paths)),
        (Some(path), _) => {
            let path = path.trim_end_matches('.');
            modules.remove_entry(if path == ROOT { "" } else { path })
        }
    };
    let (module, resources) =
        wanted.ok_or_else(|| InstanceError::NotThere(path.unwrap_or_default().to_owned(), paths))?;
    sort_out(module, resources)
}

/// A bucket called `data` makes no HealthLake: the store does, or, if that is yet to be made, most of the rest.
fn is_module(resources: &[TfResource]) -> bool {
    let known = resources.iter().filter(|resource| address_of(resource).is_some()).count();
    let has_store = resources.iter().any(|resource| is(resource, STORE));
    has_store || known >= RESOURCES.len() / 4
}

fn sort_out(module: String, resources: Vec<TfResource>) -> Result<Instance, InstanceError> {
    let mut instance = Instance { tool: Tool::Terraform, module, resources: BTreeMap::new(), left: Vec::new() };
    let (deposed, resources): (Vec<_>, Vec<_>) =
        resources.into_iter().partition(|resource| resource.deposed.is_some() && address_of(resource).is_some());
    if !deposed.is_empty() {
        return Err(InstanceError::Deposed(deposed.iter().filter_map(deposed_object).collect()));
    }
    for resource in resources {
        match address_of(&resource) {
            Some(address) => {
                if let Some(other) = instance.resources.get(&address) {
                    return Err(InstanceError::Twice(other.address(), resource.address(), address));
                }
                instance.resources.insert(address, resource);
            }
            None => instance.left.push(resource.address()),
        }
    }
    let has = |needed: &(&str, &str)| instance.resources.values().any(|resource| is(resource, *needed));
    let missing: Vec<String> =
        NEEDED.iter().filter(|needed| !has(needed)).map(|(kind, name)| format!("{kind}.{name}")).collect();
    if missing.is_empty() { Ok(instance) } else { Err(InstanceError::Incomplete(missing)) }
}

fn deposed_object(resource: &TfResource) -> Option<Deposed> {
    let id = ["arn", "datastore_arn", "id"].into_iter().find_map(|name| resource.text(name));
    Some(Deposed { address: resource.address(), key: resource.deposed.clone()?, id: id.map(str::to_owned) })
}

/// Whether it is the resource of this type and name. A store may have come by way of Cloud Control, under any name.
fn is(resource: &TfResource, (kind, name): (&str, &str)) -> bool {
    let is_store = || resource.kind == cloud_control::KIND && resource.text("type_name") == Some(STORE_TYPE);
    (resource.kind == kind && resource.name == name) || ((kind, name) == STORE && is_store())
}

/// Whether a client logs in for itself: the module makes one client, by its input `grant_type` for one of the two flows.
fn is_machine(resource: &TfResource) -> bool {
    is(resource, CLIENT)
        && resource
            .attributes
            .get("allowed_oauth_flows")
            .and_then(Value::as_array)
            .is_some_and(|flows| flows.iter().any(|flow| flow == "client_credentials"))
}

/// hlctl's address of what the module makes.
fn address_of(resource: &TfResource) -> Option<Address> {
    let (kind, name) = RESOURCES.iter().copied().find(|known| is(resource, *known))?;
    let (kind, name) = if is_machine(resource) { MACHINE } else { (kind, name) };
    if (kind, name) == TEST_USERS {
        return resource.text("username").map(test_user);
    }
    let kind = kind_of(kind)?;
    Some(Address::new(kind.as_str(), name))
}

/// hlctl's kind of a Terraform type.
fn kind_of(terraform: &str) -> Option<Kind> {
    Kind::parse(terraform.strip_prefix("awscc_").or_else(|| terraform.strip_prefix("aws_"))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::{Map, json};

    use super::*;
    use crate::adopt::tfstate::Key;

    fn resource(module: &str, (kind, name): (&str, &str), key: Option<Key>) -> TfResource {
        let text = if kind == "aws_cognito_user" { "alice" } else { "" };
        let attributes = Map::from_iter([("username".to_owned(), json!(text))]);
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let (module, provider) = (module.to_owned(), String::new());
        TfResource { module, kind, name, provider, key, attributes, deposed: None, tainted: false }
    }

    fn whole(module: &str) -> Vec<TfResource> {
        RESOURCES.iter().map(|known| resource(module, *known, None)).collect()
    }

    #[test]
    fn every_resource_has_an_address_of_a_kind_that_hlctl_knows() {
        let instance = find(TfState { resources: whole("") }, None).unwrap();
        assert_eq!(instance.resources.len(), RESOURCES.len());
        assert!(instance.resources.contains_key("cognito_user.test_users[\"alice\"]"));
        assert!(instance.left.is_empty());
    }

    #[test]
    fn one_of_several_must_be_named_and_may_be_the_root() {
        let nested = r#"module.x["a\"b"].module.healthlake[0]"#;
        let state = || TfState { resources: whole("").into_iter().chain(whole(nested)).collect() };
        let paths = vec![ROOT.to_owned(), nested.to_owned()];
        assert_eq!(find(state(), None).err(), Some(InstanceError::Several(paths.clone())));
        assert_eq!(find(state(), Some(nested)).unwrap().module, nested);
        assert_eq!(find(state(), Some(ROOT)).unwrap().module, "");
        let wrong = find(state(), Some("module.y")).err();
        assert_eq!(wrong, Some(InstanceError::NotThere("module.y".to_owned(), paths)));
    }

    #[test]
    fn others_stay_where_they_are() {
        let mut resources = whole("module.healthlake");
        resources.push(resource("module.healthlake", ("random_password", "db"), None));
        resources.push(resource("", ("aws_s3_bucket", "data"), None));
        let mut replaced = resource("module.healthlake", ("aws_vpc", "old"), None);
        replaced.deposed = Some("0a1b2c3d".to_owned());
        resources.push(replaced);
        let instance = find(TfState { resources }, None).unwrap();
        assert_eq!(instance.left, ["module.healthlake.random_password.db", "module.healthlake.aws_vpc.old"]);
    }

    #[test]
    fn what_terraform_has_yet_to_delete_is_refused_by_its_key_and_id() {
        let mut resources = whole("module.healthlake");
        let mut replaced = resource("module.healthlake", ("aws_kms_key", "s3"), None);
        replaced.deposed = Some("0a1b2c3d".to_owned());
        replaced.attributes.insert("arn".to_owned(), json!("arn:aws:kms:us-east-1:111122223333:key/0"));
        resources.push(replaced);
        let expected = Deposed {
            address: "module.healthlake.aws_kms_key.s3".to_owned(),
            key: "0a1b2c3d".to_owned(),
            id: Some("arn:aws:kms:us-east-1:111122223333:key/0".to_owned()),
        };
        assert_eq!(find(TfState { resources }, None).err(), Some(InstanceError::Deposed(vec![expected])));
    }

    #[test]
    fn a_client_that_logs_in_for_itself_is_the_machine_client() {
        for (flow, address) in [("client_credentials", "machine"), ("code", "client")] {
            let mut client = resource("", CLIENT, None);
            client.attributes.insert("allowed_oauth_flows".to_owned(), json!([flow]));
            assert_eq!(address_of(&client).unwrap().as_str(), format!("cognito_user_pool_client.{address}"));
        }
    }

    #[test]
    fn a_store_that_came_by_way_of_cloud_control_is_the_store() {
        let mut resources = whole("");
        resources.retain(|resource| !is(resource, STORE));
        let mut store = resource("", (cloud_control::KIND, "store"), None);
        store.attributes.insert("type_name".to_owned(), json!(STORE_TYPE));
        resources.push(store);
        let instance = find(TfState { resources }, None).unwrap();
        assert_eq!(
            instance.resources["healthlake_fhir_datastore.this"].address(),
            "aws_cloudcontrolapi_resource.store"
        );
        let mut other = resource("", (cloud_control::KIND, "other"), None);
        other.attributes.insert("type_name".to_owned(), json!("AWS::Logs::LogGroup"));
        assert_eq!(address_of(&other), None);
    }

    #[test]
    fn a_foreign_a_partial_and_a_doubled_module_are_refused() {
        let foreign = vec![resource("", ("aws_s3_bucket", "data"), None), resource("", ("aws_vpc", "main"), None)];
        assert_eq!(find(TfState { resources: foreign }, None).err(), Some(InstanceError::None));
        let mut partial = whole("");
        partial.retain(|resource| !is(resource, STORE));
        let missing = vec!["awscc_healthlake_fhir_datastore.this".to_owned()];
        assert_eq!(find(TfState { resources: partial }, None).err(), Some(InstanceError::Incomplete(missing)));
        let mut doubled = whole("");
        doubled.push(resource("", ("aws_kms_key", "s3"), Some(Key::Index(1))));
        assert!(matches!(find(TfState { resources: doubled }, None).err(), Some(InstanceError::Twice(..))));
    }
}
