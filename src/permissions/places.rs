//! What of a stack the policies name: recorded in the state, or predicted by the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::tables::On;
use crate::module::{self, IMPORT_FOLDER, Stack, StackInputs};
use crate::plan::{PlanError, predict};
use hlctl_config::{Config, ForceDestroy};
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_resources::package::Package;
use hlctl_resources::{Identity, Kind, Known, Settings};

/// Stands for whatever cannot be known yet.
pub(super) const ANY: &str = "*";
/// Every profile of HealthLake's Data Transformation Agent (Service Authorization Reference).
pub(super) const PROFILES: &str = "dataTransformationProfile/*";

/// A stack's resources with all that is known of each.
#[derive(Clone, Debug)]
pub struct PolicyScope {
    /// Account, region and partition.
    pub identity: Identity,
    /// Value of the `hlctl:stack` tag, or a pattern of it.
    pub(super) tag: String,
    /// Which buckets may be emptied: as the configuration says, and as the state remembers.
    empties: [ForceDestroy; 2],
    /// Whether the store has a continuous backup, or is to have one.
    pub(super) backs_up: bool,
    /// The role of jobs that convert, if it is not the stack's.
    pub(super) transform_role: Option<String>,
    /// Whether a profile of the Data Transformation Agent has a key.
    pub(super) encrypts_profiles: bool,
    /// Whether the function takes concurrency from the account.
    pub(super) reserves: bool,
    resources: BTreeMap<Address, Vec<Value>>,
    function_roles: BTreeSet<String>,
}

impl PolicyScope {
    /// Of what the configuration asks for, and of what the state holds in addition.
    ///
    /// # Errors
    /// References go in a circle.
    pub fn of(config: &Config, identity: &Identity, state: Option<&State>) -> Result<Self, PlanError> {
        let tag = state.map_or_else(|| tag_to_be(config, identity), |state| state.stack.clone());
        let package = config.smart_on_fhir.then(|| Arc::new(Package::blank()));
        let stack = module::build(config, identity, &tag, &StackInputs { package, ..StackInputs::default() });
        let mut graph = Graph::default();
        for (address, spec) in &stack {
            graph.insert(address.clone(), spec.references().into_iter().map(|reference| reference.address));
        }
        let predicted = predict(identity, &stack, &graph, &Known::default())?;
        let mut resources: BTreeMap<Address, Vec<Value>> =
            stack.keys().map(|address| (address.clone(), Vec::new())).collect();
        for (address, entry) in state.into_iter().flat_map(|state| &state.resources) {
            resources.entry(address.clone()).or_default().extend(entry.recorded.clone());
        }
        for (address, value) in predicted {
            let known = resources.entry(address).or_default();
            if !known.contains(&value) {
                known.push(value);
            }
        }
        let function_roles = function_roles(&stack, &resources);
        let empties = [config.force_destroy, state.map(|state| state.settings.force_destroy).unwrap_or_default()];
        let backs_up = config.datastore_backup.as_ref().is_some_and(|backup| backup.enabled);
        let encrypts_profiles = config.transform_profiles.iter().any(|profile| profile.kms_key.is_some());
        let smart = &config.smart;
        let reserves = smart.reserved_concurrency.or(smart.provisioned_concurrency).is_some();
        let (identity, transform_role) = (identity.clone(), config.transform_role_arn.clone());
        Ok(Self {
            identity,
            tag,
            empties,
            transform_role,
            backs_up,
            encrypts_profiles,
            reserves,
            resources,
            function_roles,
        })
    }

    /// The resources and their kinds.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&Address, Kind)> {
        self.resources.keys().filter_map(|address| Some((address, Kind::parse(address.kind())?)))
    }

    /// Whether the bucket at this address may be emptied.
    pub(super) fn empties(&self, address: &Address) -> bool {
        self.empties.iter().any(|force| force.empties(address.as_str()))
    }

    /// Whether there is a resource of this kind.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds().any(|(_, other)| other == kind)
    }

    /// Whether there is a resource at this address.
    pub(super) fn has_address(&self, address: &str) -> bool {
        self.resources.contains_key(address)
    }

    /// What is known of an attribute, from the state before what is predicted.
    pub(super) fn attribute(&self, address: &str, name: &str) -> Vec<&str> {
        let known = self.resources.get(address).map(Vec::as_slice).unwrap_or_default();
        let mut values: Vec<&str> = Vec::new();
        for value in known.iter().filter_map(|value| value.get(name)?.as_str()).filter(|value| !value.is_empty()) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// The ARNs that an action of this resource is aimed at.
    pub(super) fn arns(&self, address: &Address, on: On) -> Vec<String> {
        let of = |name: &str| self.attribute(address.as_str(), name);
        let buckets = || of(if address.kind() == Kind::S3Bucket.as_str() { "name" } else { "bucket" });
        let twice = |arns: Vec<String>| arns.into_iter().flat_map(|arn| [arn.clone(), format!("{arn}:*")]).collect();
        match on {
            On::Anything => vec![ANY.to_owned()],
            On::Bucket => buckets().into_iter().map(|name| self.bucket(name)).collect(),
            On::Imports => {
                buckets().into_iter().map(|name| format!("{}/{IMPORT_FOLDER}/*", self.bucket(name))).collect()
            }
            On::Objects => buckets().into_iter().map(|name| format!("{}/*", self.bucket(name))).collect(),
            On::Keys => vec![self.regional("kms", "key/*")],
            On::Stores => vec![self.regional("healthlake", "datastore/fhir/*")],
            On::Profiles => vec![self.regional("healthlake", PROFILES)],
            On::Pools => vec![self.regional("cognito-idp", "userpool/*")],
            On::Role => {
                let names = if address.kind() == Kind::IamRole.as_str() { of("name") } else { of("role") };
                names.into_iter().map(|name| self.role(name)).collect()
            }
            On::FunctionRoles => self.function_roles.iter().map(|name| self.role(name)).collect(),
            On::Policy => of("arn").into_iter().map(str::to_owned).collect(),
            On::Function => {
                let is_function = address.kind() == Kind::LambdaFunction.as_str();
                let names = of(if is_function { "name" } else { "function" });
                twice(names.into_iter().map(|name| self.regional("lambda", &format!("function:{name}"))).collect())
            }
            On::LogGroup => twice(of("arn").into_iter().map(str::to_owned).collect()),
            On::LogGroups => vec![self.regional("logs", "log-group:*")],
        }
    }

    pub(super) fn bucket(&self, name: &str) -> String {
        format!("arn:{}:s3:::{name}", self.identity.partition)
    }

    fn role(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role/{name}", self.identity.partition, self.identity.account)
    }

    pub(super) fn regional(&self, service: &str, resource: &str) -> String {
        let Identity { partition, region, account, .. } = &self.identity;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// The names of the roles that functions run in.
fn function_roles(stack: &Stack, resources: &BTreeMap<Address, Vec<Value>>) -> BTreeSet<String> {
    let functions = stack.iter().filter(|(address, _)| address.kind() == Kind::LambdaFunction.as_str());
    let needs = functions.flat_map(|(_, spec)| spec.references()).map(|reference| reference.address);
    let roles = needs.filter(|address| address.kind() == Kind::IamRole.as_str());
    let known = roles.flat_map(|address| resources.get(&address).cloned().unwrap_or_default());
    known.filter_map(|role| Some(role.get("name")?.as_str()?.to_owned())).collect()
}

/// The first apply adds digits of its own to the stack's name.
fn tag_to_be(config: &Config, identity: &Identity) -> String {
    let settings = Settings::of(config);
    let born = State::new(&config.datastore_name, hlctl_engine::state::Home::Aws, identity.clone(), settings).stack;
    born.rsplit_once('-').map_or_else(|| ANY.to_owned(), |(name, _)| format!("{name}-*"))
}
