//! The action that an operation asks for itself, and what it is aimed at (Service Authorization Reference).

use serde_json::Value;

use super::Ask;
use super::tags::brought;
use crate::fault;
use crate::route::{Caller, Service};
use crate::services::{cognito, healthlake, kms, text};
use crate::store::World;

/// Nothing for what IAM is not asked about.
pub(super) fn direct(world: &World, service: Service, operation: &str, caller: &Caller, input: &Value) -> Option<Ask> {
    let action = format!("{}:{}", service.name(), fault::action_name(service, operation));
    let ask = match service {
        // STS: "No permissions are required" (API reference, GetCallerIdentity).
        Service::Sts if operation == "GetCallerIdentity" => return None,
        Service::Sts => Ask::new(action, text(input, "RoleArn")),
        Service::Cognito if cognito::is_public(operation) => return None,
        Service::Kms => on_key(world, action, caller, input),
        Service::Iam => on_identity(world, action, operation, caller, input),
        Service::Lambda => Ask::new(action, function(caller, input)),
        Service::Logs => Ask::new(action, log_group(operation, caller, input)),
        Service::Cognito => on_pool(world, action, caller, input),
        Service::HealthLake => on_store(world, action, caller, input),
        Service::CloudTrail | Service::LakeFormation | Service::S3 => Ask::new(action, "*"),
    };
    let brings = operation.starts_with("Create") || operation.starts_with("Tag") || operation == "UpdateUserPool";
    Some(if brings { ask.bringing(&brought(input)) } else { ask })
}

fn on_key(world: &World, action: String, caller: &Caller, input: &Value) -> Ask {
    match input["KeyId"].as_str() {
        Some(id) => {
            let (arn, tags) = kms::named(world, caller, id);
            Ask::new(action, arn).on_tagged(tags)
        }
        None => Ask::new(action, "*"),
    }
}

fn on_identity(world: &World, action: String, operation: &str, caller: &Caller, input: &Value) -> Ask {
    let at = |kind: &str, name: &str| {
        let path = input["Path"].as_str().unwrap_or("/");
        caller.iam_arn(&format!("{kind}{path}{name}"))
    };
    let role = input["RoleName"].as_str().map(|name| {
        let known = world.accounts.get(&caller.account).and_then(|account| account.iam.role(name));
        known.map_or_else(|| at("role", name), |role| role.arn.clone())
    });
    match (role, input["PolicyArn"].as_str()) {
        (Some(role), Some(policy)) => Ask::new(action, role).with("iam:PolicyARN", policy),
        (Some(role), None) => Ask::new(action, role),
        (None, Some(policy)) => Ask::new(action, policy),
        (None, None) => match (operation, input["PolicySourceArn"].as_str()) {
            (_, Some(principal)) => Ask::new(action, principal),
            ("CreatePolicy", None) => Ask::new(action, at("policy", text(input, "PolicyName"))),
            _ => Ask::new(action, "*"),
        },
    }
}

/// A function, or a version or alias of it.
fn function(caller: &Caller, input: &Value) -> String {
    let name = ["FunctionName", "Resource", "ResourceArn"].iter().find_map(|member| input[*member].as_str());
    let Some(name) = name else { return "*".to_owned() };
    let arn = if name.starts_with("arn:") {
        name.to_owned()
    } else {
        caller.regional_arn("lambda", &format!("function:{name}"))
    };
    match input["Qualifier"].as_str() {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn,
    }
}

/// CloudWatch Logs names a group in its refusals as `log-group:NAME:log-stream:`.
fn log_group(operation: &str, caller: &Caller, input: &Value) -> String {
    if let Some(arn) = input["resourceArn"].as_str() {
        return arn.to_owned();
    }
    // What a listing is limited to is no resource.
    let name = match operation {
        "DescribeLogGroups" => "",
        "PutLogGroupDeletionProtection" => text(input, "logGroupIdentifier"),
        _ => text(input, "logGroupName"),
    };
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    caller.regional_arn("logs", &format!("log-group:{name}:log-stream:"))
}

fn on_pool(world: &World, action: String, caller: &Caller, input: &Value) -> Ask {
    if let Some(arn) = input["ResourceArn"].as_str() {
        let id = arn.rsplit('/').next().unwrap_or_default();
        return Ask::new(action, arn).on_tagged(cognito::tags_of(world, caller, id));
    }
    match input["UserPoolId"].as_str() {
        Some(id) => {
            let arn = caller.regional_arn("cognito-idp", &format!("userpool/{id}"));
            Ask::new(action, arn).on_tagged(cognito::tags_of(world, caller, id))
        }
        None => Ask::new(action, "*"),
    }
}

fn on_store(world: &World, action: String, caller: &Caller, input: &Value) -> Ask {
    let arn = input["ResourceARN"].as_str().map(str::to_owned);
    let of_id = |id: &str| caller.regional_arn("healthlake", &format!("datastore/fhir/{id}"));
    let id = ["DatastoreId", "SourceDatastoreId"].into_iter().find_map(|member| input[member].as_str());
    let of_profile = |id: &str| caller.regional_arn("healthlake", &format!("dataTransformationProfile/{id}"));
    // The job that is asked for is no resource.
    let profile = input["ProfileId"].as_str().map(of_profile);
    match arn.or_else(|| id.map(of_id)).or(profile) {
        Some(arn) => {
            let id = arn.rsplit('/').next().unwrap_or_default();
            let tags = healthlake::tags_of(world, caller, id);
            Ask::new(action, arn.as_str()).on_tagged(tags)
        }
        None => Ask::new(action, "*"),
    }
}
