//! Which resources of a Terraform state are the module's.

use std::collections::BTreeMap;

use thiserror::Error;

use super::tfstate::{TfResource, TfState};
use crate::module::test_user;
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
    ("aws_cognito_user_pool_client", "client"),
    ("aws_cognito_user_pool_client", "machine"),
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
const TEST_USERS: (&str, &str) = ("aws_cognito_user", "test_users");
const STORE: (&str, &str) = ("awscc_healthlake_fhir_datastore", "this");
/// Without these there is no configuration: their names have no default.
const NEEDED: [(&str, &str); 3] = [STORE, ("aws_s3_bucket", "data"), ("aws_s3_bucket", "access_logs")];

/// One use of the module.
pub struct Instance {
    /// The path of the module; empty for the root.
    pub module: String,
    /// Its resources by hlctl's addresses.
    pub resources: BTreeMap<Address, TfResource>,
    /// What else is managed there, or was set aside: it stays Terraform's.
    pub left: Vec<String>,
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
    /// Two for one place.
    #[error("{0} and {1} both map to {2}")]
    Twice(String, String, Address),
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
    let mut instance = Instance { module, resources: BTreeMap::new(), left: Vec::new() };
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

fn is(resource: &TfResource, (kind, name): (&str, &str)) -> bool {
    resource.kind == kind && resource.name == name
}

/// hlctl's address of what the module makes.
fn address_of(resource: &TfResource) -> Option<Address> {
    let (kind, name) = RESOURCES.iter().copied().find(|known| is(resource, *known) && !resource.deposed)?;
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
        TfResource { module: module.to_owned(), kind, name, key, attributes, deposed: false }
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
        let mut replaced = resource("module.healthlake", ("aws_kms_key", "s3"), None);
        replaced.deposed = true;
        resources.push(replaced);
        let instance = find(TfState { resources }, None).unwrap();
        assert_eq!(instance.left, ["module.healthlake.random_password.db", "module.healthlake.aws_kms_key.s3"]);
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
