//! The resources of a CloudFormation stack, as `describe-stack-resources` and `list-stack-resources` print them.
//!
//! Such a list holds ids and no properties. Which bucket holds the data, and what the module would have been given, follow from
//! what AWS says of the resources. That is written down by Terraform's names, so that the rest of an adoption is one and the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::encoding;
use super::instance::{Instance, Tool};
use super::record::{Claim, Claims, Found};
use super::tfstate::TfResource;
use hlctl_config::keys;
use hlctl_model::address::Address;
use hlctl_resources::{Identity, Kind, ResourceError};

/// As many resources as `describe-stack-resources` prints at most (CloudFormation API, DescribeStackResources).
const MOST_DESCRIBED: usize = 100;
/// The service that assumes the role of imports and exports.
const HEALTHLAKE: &str = "healthlake.amazonaws.com";
/// The type of a stack inside a stack.
const NESTED: &str = "AWS::CloudFormation::Stack";

/// Roles and policies that hlctl has, by the inputs that name them, and whether only a SMART stack has them.
const NAMED: [(&str, Kind, &str, bool); 5] = [
    ("healthlake_role_name", Kind::IamRole, "iam_role.healthlake", false),
    ("healthlake_policy_name", Kind::IamPolicy, "iam_policy.healthlake", false),
    ("healthlake_service_role_name", Kind::IamRole, "iam_role.healthlake_service_role", true),
    ("healthlake_service_policy_name", Kind::IamPolicy, "iam_policy.healthlake_service_policy", true),
    ("lambda_role_name", Kind::IamRole, "iam_role.lambda_role", true),
];

/// A stack of CloudFormation.
#[derive(Debug)]
pub struct CfnStack {
    /// Its name.
    pub name: String,
    /// The region and the account that its ARN names; `list-stack-resources` prints no ARN.
    pub place: Option<(String, String)>,
    resources: Vec<CfnResource>,
}

/// A resource of it that AWS has.
#[derive(Debug)]
struct CfnResource {
    logical_id: String,
    kind: String,
    id: String,
}

impl CfnResource {
    fn shown(&self) -> String {
        format!("{} ({})", self.logical_id, self.kind)
    }
}

/// Why a stack of CloudFormation is not adopted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CloudFormationError {
    /// There is nothing in it.
    #[error("the list of resources is empty")]
    Empty,
    /// Not JSON.
    #[error("the list of resources is not valid JSON: line {line}, column {column}")]
    Broken {
        /// Where.
        line: usize,
        /// Where in it.
        column: usize,
    },
    /// JSON of another kind.
    #[error("this is not a list of a stack's resources: it is {0}")]
    Foreign(&'static str),
    /// As long as a list that was cut off.
    #[error("`describe-stack-resources` prints {MOST_DESCRIBED} resources at most, and these are as many")]
    CutOff,
    /// No store, or several.
    #[error("the stack {stack} has {} FHIR data stores{}", .stores.len(), listed(.stores))]
    NotOneStore {
        /// The stack.
        stack: String,
        /// Their logical ids.
        stores: Vec<String>,
        /// Logical ids of stacks inside it.
        nested: Vec<String>,
    },
    /// Which one holds the data?
    #[error("the stack {stack} has {} buckets, and their logging does not say which one is for the data: {}", .buckets.len(), .buckets.join(", "))]
    SeveralBuckets {
        /// The stack.
        stack: String,
        /// Their names.
        buckets: Vec<String>,
    },
    /// The store asks tokens of something that is not in the stack, or that hlctl has one of.
    #[error("the store is a SMART on FHIR store, and the stack {stack} has {what}")]
    NotOneOf {
        /// The stack.
        stack: String,
        /// What there is too little or too much of.
        what: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}

impl CloudFormationError {
    /// The next step.
    pub fn hint(&self) -> String {
        let list = "`aws cloudformation list-stack-resources --stack-name NAME > resources.json`";
        let one_by_one = concat!(
            "write a configuration with the names that the resources have (`",
            hlctl!("init"),
            "`), then adopt them one by one: `",
            hlctl!("adopt ADDRESS ID"),
            "`"
        );
        match self {
            Self::Empty | Self::Broken { .. } | Self::Foreign(_) => format!("{list} writes the list"),
            Self::CutOff => format!("list all of them: {list}"),
            Self::NotOneStore { nested, .. } if !nested.is_empty() => {
                format!("adopt the nested stack that has the store, by its own list: {}", nested.join(", "))
            }
            Self::NotOneStore { stores, .. } if stores.is_empty() => "name the stack that has the store".to_owned(),
            Self::NotOneStore { .. } | Self::SeveralBuckets { .. } | Self::NotOneOf { .. } => one_by_one.to_owned(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    #[serde(alias = "StackResourceSummaries")]
    stack_resources: Vec<RawResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawResource {
    stack_name: Option<String>,
    stack_id: Option<String>,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
    resource_type: String,
    resource_status: String,
}

/// Reads a list.
///
/// # Errors
/// It is no list of a stack's resources, or may not be all of it.
pub fn parse(bytes: &[u8]) -> Result<CfnStack, CloudFormationError> {
    let text = encoding::utf8(bytes);
    let bytes = encoding::without_preamble(&text);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(CloudFormationError::Empty);
    }
    let broken = |error: serde_json::Error| CloudFormationError::Broken { line: error.line(), column: error.column() };
    let whole: Value = serde_json::from_slice(bytes).map_err(broken)?;
    let is_described = whole.get("StackResources").is_some();
    let raw = Raw::deserialize(&whole).map_err(|_| CloudFormationError::Foreign(what_else(&whole)))?;
    if is_described && raw.stack_resources.len() >= MOST_DESCRIBED {
        return Err(CloudFormationError::CutOff);
    }
    let arn = raw.stack_resources.iter().find_map(|resource| resource.stack_id.clone());
    let of_arn = |place: usize| Some(arn.as_ref()?.split(':').nth(place)?.to_owned());
    let name_in_arn = of_arn(5).and_then(|rest| Some(rest.split('/').nth(1)?.to_owned()));
    let name = raw.stack_resources.iter().find_map(|resource| resource.stack_name.clone()).or(name_in_arn);
    let resources = raw.stack_resources.into_iter().filter_map(|resource| {
        let is_gone = ["DELETE_COMPLETE", "DELETE_SKIPPED", "CREATE_FAILED"].contains(&&*resource.resource_status);
        let id = resource.physical_resource_id.filter(|id| !id.is_empty() && !is_gone)?;
        Some(CfnResource { logical_id: resource.logical_resource_id, kind: resource.resource_type, id })
    });
    Ok(CfnStack {
        name: name.unwrap_or_else(|| "STACK_NAME".to_owned()),
        place: of_arn(3).zip(of_arn(4)),
        resources: resources.collect(),
    })
}

fn what_else(whole: &Value) -> &'static str {
    let has = |name: &str| whole.get(name).is_some();
    if has("AWSTemplateFormatVersion") || has("Resources") {
        "a template, which does not have the resources' ids"
    } else if has("Stacks") {
        "the output of `describe-stacks`"
    } else if has("lineage") || has("terraform_version") {
        concat!("a Terraform state: `", hlctl!("adopt --from-tfstate FILE"), "`")
    } else if has("StackResources") || has("StackResourceSummaries") {
        "a list whose resources do not have CloudFormation's format"
    } else {
        "other JSON"
    }
}

impl CfnStack {
    /// What can be looked at: claims at addresses that are only for [`CfnStack::instance`].
    ///
    /// # Errors
    /// None that a list can cause.
    pub fn claims(&self, identity: &Identity) -> Result<Claims, (Address, ResourceError)> {
        let mut claims = Claims::new();
        let pool = self.one_of("AWS::Cognito::UserPool").map(|pool| pool.id.clone()).unwrap_or_default();
        for resource in &self.resources {
            let id = resource.id.as_str();
            let last = |between: char| id.rsplit(between).next().unwrap_or(id);
            let ids: Vec<(Kind, String)> = match resource.kind.as_str() {
                "AWS::HealthLake::FHIRDatastore" => vec![(Kind::FhirDatastore, id.to_owned())],
                "AWS::S3::Bucket" => std::iter::once(Kind::S3Bucket)
                    .chain(Kind::BUCKET_PARTS)
                    .map(|kind| (kind, id.to_owned()))
                    .collect(),
                "AWS::KMS::Key" => vec![(Kind::KmsKey, id.to_owned())],
                "AWS::IAM::Role" => vec![(Kind::IamRole, id.to_owned())],
                "AWS::IAM::ManagedPolicy" => vec![(Kind::IamPolicy, id.to_owned())],
                "AWS::Cognito::UserPool" => vec![(Kind::CognitoUserPool, id.to_owned())],
                "AWS::Cognito::UserPoolClient" if !pool.is_empty() => {
                    vec![(Kind::CognitoUserPoolClient, format!("{pool}/{}", last('|')))]
                }
                "AWS::Cognito::UserPoolResourceServer" if !pool.is_empty() => {
                    vec![(Kind::CognitoResourceServer, format!("{pool}|{}", last('|')))]
                }
                "AWS::Cognito::UserPoolDomain" if !pool.is_empty() => {
                    vec![(Kind::CognitoUserPoolDomain, last('|').to_owned())]
                }
                "AWS::Lambda::Function" => vec![(Kind::LambdaFunction, id.to_owned())],
                "AWS::Logs::LogGroup" => vec![(Kind::CloudwatchLogGroup, id.to_owned())],
                _ => Vec::new(),
            };
            for (kind, id) in ids {
                let address = provisional(kind, &resource.logical_id);
                let recorded = kind.of_import_id(identity, &id).map_err(|error| (address.clone(), error))?;
                let Some(mut recorded) = recorded else { continue };
                if kind == Kind::CognitoUserPoolDomain
                    && let Some(of_pool) = recorded.get_mut("user_pool_id")
                {
                    *of_pool = pool.as_str().into();
                }
                claims.insert(address, Claim { kind, recorded });
            }
        }
        Ok(claims)
    }

    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a CfnResource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// The only one of a type.
    fn one_of<'a>(&'a self, kind: &'a str) -> Option<&'a CfnResource> {
        let mut all = self.of_type(kind);
        all.next().filter(|_| all.next().is_none())
    }

    /// Whether an adoption needs what could not be read. A stack has roles and functions that are not the store's, and the
    /// deployer may be refused a look at them: those are not adopted.
    pub fn is_needed(&self, address: &Address, found: &BTreeMap<Address, Found>) -> bool {
        match Kind::parse(address.kind()) {
            Some(Kind::IamRole | Kind::IamPolicy | Kind::CloudwatchLogGroup) => false,
            Some(Kind::LambdaFunction) => {
                let functions = self.of_type("AWS::Lambda::Function");
                let mut same =
                    functions.filter(|function| provisional(Kind::LambdaFunction, &function.logical_id) == *address);
                same.any(|function| found.values().any(|store| validator(store) == Some(function.id.as_str())))
            }
            _ => true,
        }
    }

    /// The module that the stack is, from what AWS says of its resources.
    ///
    /// # Errors
    /// [`CloudFormationError`]
    pub fn instance(&self, found: &BTreeMap<Address, Found>) -> Result<Instance, CloudFormationError> {
        let stores: Vec<&CfnResource> = self.of_type("AWS::HealthLake::FHIRDatastore").collect();
        let [store] = stores.as_slice() else {
            let ids = |all: &[&CfnResource]| all.iter().map(|one| one.logical_id.clone()).collect();
            let nested: Vec<&CfnResource> = self.of_type(NESTED).collect();
            return Err(CloudFormationError::NotOneStore {
                stack: self.name.clone(),
                stores: ids(&stores),
                nested: ids(&nested),
            });
        };
        let mut assigned = Assigned { stack: self, found, at: BTreeMap::new() };
        assigned.put("healthlake_fhir_datastore.this", Kind::FhirDatastore, store);
        let data = assigned.buckets()?;
        assigned.keys(store, data);
        let is_smart = assigned.is_smart(store);
        if is_smart {
            assigned.smart(store)?;
        }
        assigned.roles_and_policies();
        Ok(assigned.instance())
    }
}

/// The name of the function that a store asks about tokens.
fn validator(store: &Found) -> Option<&str> {
    store.observed.attributes.get("idp_lambda_arn")?.as_str()?.split(':').nth(6)
}

fn provisional(kind: Kind, logical_id: &str) -> Address {
    Address::new(kind.as_str(), logical_id)
}

/// Which resource stands for which of hlctl's addresses.
struct Assigned<'a> {
    stack: &'a CfnStack,
    found: &'a BTreeMap<Address, Found>,
    at: BTreeMap<Address, (&'a CfnResource, &'a Found)>,
}

impl<'a> Assigned<'a> {
    fn seen(&self, kind: Kind, resource: &CfnResource) -> Option<&'a Found> {
        self.found.get(&provisional(kind, &resource.logical_id))
    }

    fn attribute(&self, kind: Kind, resource: &CfnResource, name: &str) -> Option<&'a Value> {
        self.seen(kind, resource)?.observed.attributes.get(name)
    }

    /// What AWS does not have stays out.
    fn put(&mut self, address: &str, kind: Kind, resource: &'a CfnResource) {
        if let Some(found) = self.seen(kind, resource) {
            self.at.insert(Address::parse(address), (resource, found));
        }
    }

    /// The bucket that writes its access logs to another holds the data. Tells which one it is.
    fn buckets(&mut self) -> Result<Option<&'a CfnResource>, CloudFormationError> {
        let buckets: Vec<&CfnResource> = self
            .stack
            .of_type("AWS::S3::Bucket")
            .filter(|bucket| self.seen(Kind::S3Bucket, bucket).is_some())
            .collect();
        let target = |bucket: &CfnResource| {
            self.attribute(Kind::S3BucketLogging, bucket, "target_bucket").and_then(Value::as_str)
        };
        let logging: Vec<(&CfnResource, &CfnResource)> = buckets
            .iter()
            .filter_map(|bucket| {
                let target = target(bucket).filter(|target| *target != bucket.id)?;
                Some((*bucket, *buckets.iter().find(|other| other.id == target)?))
            })
            .collect();
        let (data, logs) = match (buckets.as_slice(), logging.as_slice()) {
            ([], _) => return Ok(None),
            ([only], _) => (*only, None),
            (_, [(data, logs)]) => (*data, Some(*logs)),
            _ => {
                let buckets = buckets.iter().map(|bucket| bucket.id.clone()).collect();
                return Err(CloudFormationError::SeveralBuckets { stack: self.stack.name.clone(), buckets });
            }
        };
        for (name, bucket) in [("data", Some(data)), ("access_logs", logs)] {
            let Some(bucket) = bucket else { continue };
            for kind in std::iter::once(Kind::S3Bucket).chain(Kind::BUCKET_PARTS) {
                self.put(&format!("{}.{name}", kind.as_str()), kind, bucket);
            }
        }
        Ok(Some(data))
    }

    /// The store's key, and the data bucket's where that is another.
    fn keys(&mut self, store: &CfnResource, data: Option<&CfnResource>) {
        let encryption = Kind::S3BucketServerSideEncryptionConfiguration;
        let of_store = self.attribute(Kind::FhirDatastore, store, "kms_key_arn");
        let of_data = data.and_then(|data| self.attribute(encryption, data, "kms_master_key_id"));
        for (address, key) in [("kms_key.s3", of_data), ("kms_key.datastore", of_store)] {
            let Some(key) = key.and_then(Value::as_str) else { continue };
            let is_it = |resource: &&CfnResource| {
                let id = key.rsplit('/').next().unwrap_or(key);
                resource.id == key || resource.id == id
            };
            if let Some(resource) = self.stack.of_type("AWS::KMS::Key").find(is_it) {
                // One key cannot stand at two addresses: the store's cannot be changed, the bucket's can.
                self.at.retain(|_, (other, _)| !std::ptr::eq(*other, resource));
                self.put(address, Kind::KmsKey, resource);
            }
        }
    }

    fn is_smart(&self, store: &CfnResource) -> bool {
        let strategy = self.attribute(Kind::FhirDatastore, store, "authorization_strategy");
        strategy.and_then(Value::as_str).is_some_and(|strategy| strategy != "AWS_AUTH")
    }

    /// What hlctl would find in its way, because it has the same name; and the role of imports and exports, if there is just one
    /// more that HealthLake may assume. Other roles and policies hold nothing: hlctl makes its own, and these go with their stack.
    fn roles_and_policies(&mut self) {
        let stack = self.stack;
        let is_smart = self.has("cognito_user_pool.main");
        for (key, kind, address, _) in NAMED.into_iter().filter(|(.., is_for_smart)| is_smart || !is_for_smart) {
            let of = if kind == Kind::IamRole { "AWS::IAM::Role" } else { "AWS::IAM::ManagedPolicy" };
            let has_name = |resource: &&CfnResource| {
                let name = resource.id.rsplit('/').next().unwrap_or_default();
                keys::all().any(|known| known.name == key && known.is_default(&name.into()))
            };
            if let Some(resource) = stack.of_type(of).find(has_name) {
                self.put(address, kind, resource);
            }
        }
        let is_taken = |role: &CfnResource| self.at.values().any(|(taken, _)| std::ptr::eq(*taken, role));
        let trusts = |role: &&CfnResource| {
            let statements =
                self.attribute(Kind::IamRole, role, "assume_role_policy").map(|policy| &policy["Statement"]);
            statements.and_then(Value::as_array).into_iter().flatten().any(|statement| {
                let service = &statement["Principal"]["Service"];
                service == HEALTHLAKE || service.as_array().is_some_and(|all| all.iter().any(|one| one == HEALTHLAKE))
            })
        };
        let roles: Vec<&CfnResource> =
            stack.of_type("AWS::IAM::Role").filter(|role| !is_taken(role)).filter(trusts).collect();
        if let ([role], false) = (roles.as_slice(), self.has("iam_role.healthlake")) {
            self.put("iam_role.healthlake", Kind::IamRole, role);
        }
    }

    fn has(&self, address: &str) -> bool {
        self.at.contains_key(&Address::parse(address))
    }

    /// What gives out and checks the tokens. Each is needed, or has no default.
    fn smart(&mut self, store: &CfnResource) -> Result<(), CloudFormationError> {
        for (kind, what, address, of) in [
            (Kind::CognitoUserPool, "user pool", "cognito_user_pool.main", "AWS::Cognito::UserPool"),
            (
                Kind::CognitoUserPoolDomain,
                "domain of it",
                "cognito_user_pool_domain.this",
                "AWS::Cognito::UserPoolDomain",
            ),
        ] {
            match self.stack.one_of(of).filter(|one| self.seen(kind, one).is_some()) {
                Some(one) => self.put(address, kind, one),
                None => {
                    let number = self.stack.of_type(of).count();
                    let what = if number == 0 { format!("no {what}") } else { format!("{number} of {what}") };
                    return Err(CloudFormationError::NotOneOf { stack: self.stack.name.clone(), what });
                }
            }
        }
        let stack = self.stack;
        for client in stack.of_type("AWS::Cognito::UserPoolClient") {
            let flows = self.attribute(Kind::CognitoUserPoolClient, client, "oauth_flows");
            let has = |flow: &str| {
                flows.and_then(Value::as_array).is_some_and(|flows| flows.iter().any(|known| known == flow))
            };
            let address = match (has("code"), has("client_credentials")) {
                (true, _) => "cognito_user_pool_client.client",
                (false, true) => "cognito_user_pool_client.machine",
                (false, false) => continue,
            };
            if self.has(address) {
                let what = "several app clients of one OAuth flow".to_owned();
                return Err(CloudFormationError::NotOneOf { stack: stack.name.clone(), what });
            }
            self.put(address, Kind::CognitoUserPoolClient, client);
        }
        for server in stack.of_type("AWS::Cognito::UserPoolResourceServer") {
            let identifier = server.id.rsplit('|').next().unwrap_or_default();
            if ["launch", "patient", "system", "user"].contains(&identifier) {
                self.put(&format!("cognito_resource_server.{identifier}"), Kind::CognitoResourceServer, server);
            }
        }
        let function = self.seen(Kind::FhirDatastore, store).and_then(validator).unwrap_or_default();
        for resource in stack.of_type("AWS::Lambda::Function").filter(|resource| resource.id == function) {
            self.put("lambda_function.token_validator", Kind::LambdaFunction, resource);
            let role = self.attribute(Kind::LambdaFunction, resource, "role").and_then(Value::as_str);
            let role = role.and_then(|arn| arn.rsplit('/').next());
            if let Some(role) = stack.of_type("AWS::IAM::Role").find(|known| Some(known.id.as_str()) == role) {
                self.put("iam_role.lambda_role", Kind::IamRole, role);
            }
        }
        let group = format!("/aws/lambda/{function}");
        for logs in stack.of_type("AWS::Logs::LogGroup").filter(|logs| logs.id == group) {
            self.put("cloudwatch_log_group.token_validator", Kind::CloudwatchLogGroup, logs);
        }
        Ok(())
    }

    fn instance(self) -> Instance {
        let taken: BTreeSet<&str> = self.at.values().map(|(resource, _)| resource.logical_id.as_str()).collect();
        let left = self.stack.resources.iter().filter(|resource| {
            // The policy of a bucket is looked for where the bucket is.
            let is_policy = || resource.kind == "AWS::S3::BucketPolicy";
            !taken.contains(resource.logical_id.as_str()) && !is_policy()
        });
        let left = left.map(CfnResource::shown).collect();
        let of_terraform = |(address, (resource, found)): (Address, (&CfnResource, &Found))| {
            let resource = TfResource {
                module: String::new(),
                kind: resource.kind.clone(),
                name: resource.logical_id.clone(),
                key: None,
                attributes: terraforms_attributes(found),
                provider: String::new(),
                deposed: None,
                tainted: false,
            };
            (address, resource)
        };
        Instance {
            tool: Tool::CloudFormation,
            module: self.stack.name.clone(),
            resources: self.at.into_iter().map(of_terraform).collect(),
            left,
        }
    }
}

/// What AWS says, by the names that Terraform's provider has for it.
fn terraforms_attributes(found: &Found) -> Map<String, Value> {
    let observed = &found.observed;
    let recorded = |name: &str| observed.recorded.get(name).cloned().unwrap_or_default();
    let seen = |name: &str| observed.attributes.get(name).cloned().unwrap_or_default();
    let text = |value: Value| if value.is_null() { value } else { value.to_string().into() };
    let attributes = match found.kind {
        Kind::FhirDatastore => {
            let preload = seen("preload_data_type");
            let strategy = seen("authorization_strategy");
            json!({
                "datastore_name": recorded("name"), "datastore_id": recorded("id"), "datastore_arn": recorded("arn"),
                "datastore_type_version": seen("fhir_version"),
                "preload_data_config": if preload.is_null() { Value::Null } else { json!({"preload_data_type": preload}) },
                "identity_provider_configuration": {
                    "authorization_strategy": strategy,
                    "fine_grained_authorization_enabled": seen("fine_grained_authorization"),
                },
            })
        }
        Kind::S3Bucket => json!({"bucket": recorded("name")}),
        Kind::S3BucketPolicy => json!({"bucket": recorded("bucket"), "policy": text(seen("policy"))}),
        kind if Kind::BUCKET_PARTS.contains(&kind) => json!({"bucket": recorded("bucket")}),
        Kind::KmsKey => json!({"key_id": recorded("id"), "arn": recorded("arn"), "policy": text(seen("policy"))}),
        Kind::CognitoUserPool => json!({
            "id": recorded("id"), "name": recorded("name"),
            "deletion_protection": seen("deletion_protection"), "mfa_configuration": seen("mfa_configuration"),
            "user_pool_tier": seen("tier"), "lambda_config": [seen("triggers")],
            "password_policy": [seen("password_policy")],
        }),
        Kind::CognitoUserPoolClient => client(&recorded, &seen),
        Kind::CognitoResourceServer => {
            let scopes = seen("scopes");
            let scopes = scopes.as_array().into_iter().flatten().map(|scope| json!({"scope_name": scope}));
            json!({"identifier": recorded("identifier"), "user_pool_id": recorded("user_pool_id"),
                "scope": scopes.collect::<Vec<_>>()})
        }
        Kind::CognitoUserPoolDomain => json!({"domain": recorded("domain"), "user_pool_id": recorded("user_pool_id"),
            "managed_login_version": seen("managed_login_version")}),
        Kind::LambdaFunction => json!({
            "function_name": recorded("name"), "memory_size": seen("memory_size"), "timeout": seen("timeout"),
            "architectures": [seen("architecture")], "tracing_config": [{"mode": seen("tracing")}],
            "reserved_concurrent_executions": seen("reserved_concurrency"),
        }),
        Kind::CloudwatchLogGroup => {
            json!({"name": recorded("name"), "retention_in_days": seen("retention_in_days")})
        }
        _ => json!({"name": recorded("name"), "arn": recorded("arn")}),
    };
    let Value::Object(mut attributes) = attributes else { return Map::new() };
    if let Some(tags) = &observed.tags {
        // CloudFormation's own tags stay as long as its stack, and nobody else may set them.
        let tags = tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
        attributes.insert("tags_all".to_owned(), tags.map(|(key, value)| (key.clone(), json!(value))).collect());
    }
    attributes
}

/// Terraform has how long tokens are good for as numbers and units.
fn client(recorded: &impl Fn(&str) -> Value, seen: &impl Fn(&str) -> Value) -> Value {
    let mut attributes = json!({
        "id": recorded("id"), "user_pool_id": recorded("user_pool_id"), "name": recorded("name"),
        "callback_urls": seen("callback_urls"), "logout_urls": seen("logout_urls"),
        "allowed_oauth_flows": seen("oauth_flows"),
    });
    let mut units = Map::new();
    for token in ["access_token", "id_token", "refresh_token"] {
        let name = format!("{token}_validity");
        let validity = seen(&name);
        let parts = validity.as_str().and_then(|text| text.split_once(' '));
        if let Some((number, unit)) = parts.and_then(|(number, unit)| Some((number.parse::<i64>().ok()?, unit))) {
            attributes[name] = number.into();
            units.insert(token.to_owned(), unit.into());
        }
    }
    attributes["token_validity_units"] = json!([units]);
    attributes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    fn list(resources: &[(&str, &str, &str, &str)]) -> String {
        let one = |(logical, kind, id, status): &(&str, &str, &str, &str)| {
            json!({"StackName": "s", "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/0", "LogicalResourceId": logical,
                "PhysicalResourceId": id, "ResourceType": kind, "ResourceStatus": status})
        };
        json!({"StackResources": resources.iter().map(one).collect::<Vec<_>>()}).to_string()
    }

    #[test]
    fn a_list_says_where_the_stack_is_and_what_is_left_of_it() {
        let store = "AWS::HealthLake::FHIRDatastore";
        let text = list(&[
            ("Store", store, "0a", "CREATE_COMPLETE"),
            ("Gone", store, "0b", "DELETE_COMPLETE"),
            ("Failed", store, "", "CREATE_FAILED"),
        ]);
        let stack = parse(text.as_bytes()).unwrap();
        assert_eq!((stack.name.as_str(), stack.resources.len()), ("s", 1));
        assert_eq!(stack.place, Some(("eu-west-1".to_owned(), "111122223333".to_owned())));
        let summaries = json!({"StackResourceSummaries": [{"LogicalResourceId": "Store", "PhysicalResourceId": "0a",
            "ResourceType": store, "ResourceStatus": "UPDATE_COMPLETE"}]});
        let stack = parse(summaries.to_string().as_bytes()).unwrap();
        assert_eq!((stack.resources.len(), stack.place), (1, None));
    }

    #[test]
    fn what_is_no_list_is_refused_by_what_it_is() {
        let error = |text: &str| parse(text.as_bytes()).err().unwrap();
        assert_eq!(error(" "), CloudFormationError::Empty);
        assert_eq!(error("{"), CloudFormationError::Broken { line: 1, column: 1 });
        for text in [
            r#"{"Resources": {}}"#,
            r#"{"Stacks": []}"#,
            r#"{"version": 4, "lineage": "x"}"#,
            "[]",
            r#"{"StackResources": [{}]}"#,
        ] {
            assert!(matches!(error(text), CloudFormationError::Foreign(_)), "{text}");
        }
        let many = vec![("A", "AWS::S3::Bucket", "a", "CREATE_COMPLETE"); MOST_DESCRIBED];
        assert_eq!(error(&list(&many)), CloudFormationError::CutOff);
    }

    #[test]
    fn a_stack_without_one_store_names_the_stacks_inside_it() {
        let text = list(&[("Data", NESTED, "arn", "CREATE_COMPLETE")]);
        let refused = parse(text.as_bytes()).unwrap().instance(&BTreeMap::new()).err().unwrap();
        assert!(refused.hint().ends_with("by its own list: Data"), "{}", refused.hint());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
