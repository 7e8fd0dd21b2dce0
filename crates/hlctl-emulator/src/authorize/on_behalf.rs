//! What an operation asks for in addition to its own action: tags at creation, roles that are passed on, and what another
//! service does on the caller's behalf.

use serde_json::Value;

use super::Ask;
use super::tags::brought;
use crate::route::{Caller, Service};
use crate::services::{kms, text};
use crate::store::World;

pub(super) fn dependent(world: &World, service: Service, operation: &str, caller: &Caller, input: &Value) -> Vec<Ask> {
    let mut asks = tagging(service, operation, caller, input);
    match (service, operation) {
        (Service::Lambda, "CreateFunction" | "UpdateFunctionConfiguration") => {
            asks.extend(passing(&input["Role"], "lambda.amazonaws.com"));
        }
        (Service::HealthLake, "StartFHIRExportJob" | "StartFHIRImportJob" | "StartDataTransformationJob") => {
            asks.extend(passing(&input["DataAccessRoleArn"], "healthlake.amazonaws.com"));
        }
        // "For tagged functions, this permission is also necessary for GetFunction" (Lambda developer guide, Tags).
        (Service::Lambda, "GetFunction") => {
            let arn = caller.regional_arn("lambda", &format!("function:{}", text(input, "FunctionName")));
            asks.push(Ask::new("lambda:ListTags", arn));
        }
        (Service::HealthLake, "CreateFHIRDatastore" | "RestoreFHIRDatastore") => {
            asks.extend(store_key(world, caller, input));
            asks.extend(
                ["glue:CreateDatabase", "ram:GetResourceShareInvitations", "ram:AcceptResourceShareInvitation"]
                    .map(|action| Ask::new(action, "*")),
            );
        }
        (Service::HealthLake, "CreateDataTransformationProfile") => asks.extend(profile_key(world, caller, input)),
        (Service::HealthLake, "DeleteFHIRDatastore") => asks.push(Ask::new("glue:DeleteDatabase", "*")),
        _ => {}
    }
    asks
}

/// Tags at creation need the permission to tag, on what does not exist yet.
fn tagging(service: Service, operation: &str, caller: &Caller, input: &Value) -> Vec<Ask> {
    let tags = brought(input);
    if tags.is_empty() {
        return Vec::new();
    }
    let (action, resource) = match (service, operation) {
        (Service::Kms, "CreateKey") => ("kms:TagResource", caller.regional_arn("kms", "key/new")),
        (Service::Iam, "CreateRole") => ("iam:TagRole", iam(caller, "role", text(input, "RoleName"), input)),
        (Service::Iam, "CreatePolicy") => ("iam:TagPolicy", iam(caller, "policy", text(input, "PolicyName"), input)),
        (Service::Lambda, "CreateFunction") => {
            let function = format!("function:{}", text(input, "FunctionName"));
            ("lambda:TagResource", caller.regional_arn("lambda", &function))
        }
        (Service::Logs, "CreateLogGroup") => {
            let group = format!("log-group:{}", text(input, "logGroupName"));
            ("logs:TagResource", caller.regional_arn("logs", &group))
        }
        (Service::Cognito, "CreateUserPool") => {
            ("cognito-idp:TagResource", caller.regional_arn("cognito-idp", "userpool/new"))
        }
        (Service::HealthLake, "CreateFHIRDatastore" | "RestoreFHIRDatastore") => {
            ("healthlake:TagResource", caller.regional_arn("healthlake", "datastore/fhir/new"))
        }
        // As with stores; whether AWS asks for it here is not documented.
        (Service::HealthLake, "CreateDataTransformationProfile") => {
            ("healthlake:TagResource", caller.regional_arn("healthlake", "dataTransformationProfile/new"))
        }
        _ => return Vec::new(),
    };
    vec![Ask::new(action, resource).bringing(&tags)]
}

fn iam(caller: &Caller, kind: &str, name: &str, input: &Value) -> String {
    caller.iam_arn(&format!("{kind}{}{name}", input["Path"].as_str().unwrap_or("/")))
}

fn passing(role: &Value, service: &str) -> Option<Ask> {
    Some(Ask::new("iam:PassRole", role.as_str()?).with("iam:PassedToService", service))
}

/// What the creator of a profile may do with its key (permissions of the handler of AWS::HealthLake::DataTransformationProfile).
fn profile_key(world: &World, caller: &Caller, input: &Value) -> Vec<Ask> {
    let Some(key) = input["KmsKeyId"].as_str() else { return Vec::new() };
    let (arn, tags) = kms::named(world, caller, key);
    let via = format!("healthlake.{}.amazonaws.com", caller.region);
    ["kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKey", "kms:Decrypt"]
        .map(|action| Ask::new(action, arn.as_str()).on_tagged(tags).with("kms:ViaService", via.as_str()))
        .into()
}

/// What the creator of a store may do with its key (HealthLake developer guide, Encryption at rest).
fn store_key(world: &World, caller: &Caller, input: &Value) -> Vec<Ask> {
    let Some(key) = input["SseConfiguration"]["KmsEncryptionConfig"]["KmsKeyId"].as_str() else { return Vec::new() };
    let (arn, tags) = kms::named(world, caller, key);
    let via = format!("healthlake.{}.amazonaws.com", caller.region);
    ["kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKey"]
        .map(|action| Ask::new(action, arn.as_str()).on_tagged(tags).with("kms:ViaService", via.as_str()))
        .into()
}
