//! Lambda: functions made of zip files, their versions, aliases, permissions and concurrency, and
//! their execution.
//!
//! Choices made where AWS documents nothing: a change in progress stops further changes of code and
//! configuration and the publishing of versions, nothing else; an update is in force at once, while its
//! status is still `InProgress`; a function whose creation takes no time is `Pending` in the answer alone.

mod aliases;
mod code;
mod concurrency;
mod create;
mod doors;
pub(crate) mod function;
pub(crate) mod invoke;
mod job;
mod names;
mod permissions;
mod read;
pub(crate) mod request;
#[cfg(unix)]
mod run;
#[cfg(not(unix))]
#[path = "run_nowhere.rs"]
mod run;
mod settings;
mod shapes;
mod tagging;
mod update;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Cx, text};
use crate::emulator::Core;
use crate::error::{AwsError, AwsResult};
use crate::protocol::rest_json::{Endpoint, at, invocation};
use crate::protocol::{read as reading, write};
use crate::route::Caller;
use function::Function;
use names::Name;
pub(crate) use run::Engine;

/// The functions of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lambda {
    pub(crate) functions: BTreeMap<String, Function>,
}

const QUALIFIED: &[(&str, &str)] = &[("Qualifier", "Qualifier")];
const PAGED: &[(&str, &str)] = &[("Marker", "Marker"), ("MaxItems", "MaxItems")];
const PAGED_VERSIONS: &[(&str, &str)] = &[
    ("MasterRegion", "MasterRegion"),
    ("FunctionVersion", "FunctionVersion"),
    ("Marker", "Marker"),
    ("MaxItems", "MaxItems"),
];

const FUNCTIONS: &str = "/2015-03-31/functions";
const FUNCTION: &str = "/2015-03-31/functions/{FunctionName}";
const CONFIGURATION: &str = "/2015-03-31/functions/{FunctionName}/configuration";
const VERSIONS: &str = "/2015-03-31/functions/{FunctionName}/versions";
const ALIASES: &str = "/2015-03-31/functions/{FunctionName}/aliases";
const ALIAS: &str = "/2015-03-31/functions/{FunctionName}/aliases/{Name}";
const POLICY: &str = "/2015-03-31/functions/{FunctionName}/policy";
const PROVISIONED: &str = "/2019-09-30/functions/{FunctionName}/provisioned-concurrency";
const RESERVED: &str = "/2017-10-31/functions/{FunctionName}/concurrency";
const URL: &str = "/2021-10-31/functions/{FunctionName}/url";
const SOURCES: &str = "/2015-03-31/event-source-mappings";
const EVENTS: &str = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
const WHOLE_POLICY: &str = "/2026-07-09/resource-policy/{ResourceArn}";
const TAGS: &str = "/2017-03-31/tags/{Resource}";

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    at("POST", FUNCTIONS, 201, write("CreateFunction", create::CREATE, create::create)),
    at("GET", FUNCTIONS, 200, reading("ListFunctions", read::LIST, read::list)).query(PAGED_VERSIONS),
    at("GET", FUNCTION, 200, reading("GetFunction", read::ONE, read::get)).query(QUALIFIED),
    at("DELETE", FUNCTION, 204, write("DeleteFunction", read::ONE, read::delete)).query(QUALIFIED),
    at("GET", CONFIGURATION, 200, reading("GetFunctionConfiguration", read::ONE, read::get_configuration))
        .query(QUALIFIED),
    at("PUT", CONFIGURATION, 200, write("UpdateFunctionConfiguration", update::CONFIGURATION, update::configuration)),
    at(
        "PUT",
        "/2015-03-31/functions/{FunctionName}/code",
        200,
        write("UpdateFunctionCode", update::CODE, update::code),
    ),
    at("POST", VERSIONS, 201, write("PublishVersion", versions::PUBLISH, versions::publish_version)),
    at("GET", VERSIONS, 200, reading("ListVersionsByFunction", read::LIST_VERSIONS, read::list_versions)).query(PAGED),
    at("POST", ALIASES, 201, write("CreateAlias", aliases::CREATE, aliases::create)),
    at("GET", ALIASES, 200, reading("ListAliases", aliases::LIST, aliases::list)).query(PAGED_VERSIONS),
    at("GET", ALIAS, 200, reading("GetAlias", aliases::ONE, aliases::get)),
    at("PUT", ALIAS, 200, write("UpdateAlias", aliases::UPDATE, aliases::update)),
    at("DELETE", ALIAS, 204, write("DeleteAlias", aliases::ONE, aliases::delete)),
    at("POST", POLICY, 201, write("AddPermission", permissions::ADD, permissions::add)).query(QUALIFIED),
    at("GET", POLICY, 200, reading("GetPolicy", permissions::GET, permissions::get)).query(QUALIFIED),
    at(
        "DELETE",
        "/2015-03-31/functions/{FunctionName}/policy/{StatementId}",
        204,
        write("RemovePermission", permissions::REMOVE, permissions::remove),
    )
    .query(&[("Qualifier", "Qualifier"), ("RevisionId", "RevisionId")]),
    at("PUT", WHOLE_POLICY, 200, write("PutResourcePolicy", permissions::PUT_WHOLE, permissions::put_whole)),
    at("GET", WHOLE_POLICY, 200, reading("GetResourcePolicy", permissions::WHOLE, permissions::get_whole)),
    at(
        "DELETE",
        WHOLE_POLICY,
        204,
        write("DeleteResourcePolicy", permissions::DELETE_WHOLE, permissions::delete_whole),
    )
    .query(&[("RevisionId", "RevisionId")]),
    at("PUT", RESERVED, 200, write("PutFunctionConcurrency", concurrency::PUT_RESERVED, concurrency::put_reserved)),
    at("DELETE", RESERVED, 204, write("DeleteFunctionConcurrency", &[shapes::FUNCTION], concurrency::delete_reserved)),
    at(
        "GET",
        "/2019-09-30/functions/{FunctionName}/concurrency",
        200,
        reading("GetFunctionConcurrency", &[shapes::FUNCTION], concurrency::get_reserved),
    ),
    at(
        "GET",
        "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL",
        200,
        reading("ListProvisionedConcurrencyConfigs", concurrency::LIST_PROVISIONED, concurrency::list_provisioned),
    )
    .query(PAGED),
    at(
        "PUT",
        PROVISIONED,
        202,
        write("PutProvisionedConcurrencyConfig", concurrency::PUT_PROVISIONED, concurrency::put_provisioned),
    )
    .query(QUALIFIED),
    at(
        "GET",
        PROVISIONED,
        200,
        reading("GetProvisionedConcurrencyConfig", concurrency::PROVISIONED, concurrency::get_provisioned),
    )
    .query(QUALIFIED),
    at(
        "DELETE",
        PROVISIONED,
        204,
        write("DeleteProvisionedConcurrencyConfig", concurrency::PROVISIONED, concurrency::delete_provisioned),
    )
    .query(QUALIFIED),
    at("POST", URL, 201, write("CreateFunctionUrlConfig", doors::CREATE_URL, doors::create_url)).query(QUALIFIED),
    at("DELETE", URL, 204, write("DeleteFunctionUrlConfig", doors::ONE, doors::delete_url)).query(QUALIFIED),
    at(
        "GET",
        "/2021-10-31/functions/{FunctionName}/urls",
        200,
        reading("ListFunctionUrlConfigs", doors::LIST_URLS, doors::list_urls),
    )
    .query(PAGED),
    at("POST", SOURCES, 202, write("CreateEventSourceMapping", doors::CREATE_SOURCE, doors::create_source)),
    at("GET", SOURCES, 200, reading("ListEventSourceMappings", doors::LIST_SOURCES, doors::list_sources)).query(&[
        ("EventSourceArn", "EventSourceArn"),
        ("FunctionName", "FunctionName"),
        ("Marker", "Marker"),
        ("MaxItems", "MaxItems"),
    ]),
    at(
        "DELETE",
        "/2015-03-31/event-source-mappings/{UUID}",
        202,
        write("DeleteEventSourceMapping", doors::SOURCE, doors::delete_source),
    ),
    at("PUT", EVENTS, 200, write("PutFunctionEventInvokeConfig", doors::PUT_EVENTS, doors::put_events))
        .query(QUALIFIED),
    at("GET", EVENTS, 200, reading("GetFunctionEventInvokeConfig", doors::ONE, doors::get_events)).query(QUALIFIED),
    at("DELETE", EVENTS, 204, write("DeleteFunctionEventInvokeConfig", doors::ONE, doors::delete_events))
        .query(QUALIFIED),
    at("POST", TAGS, 204, write("TagResource", tagging::TAG, tagging::tag)),
    at("DELETE", TAGS, 204, write("UntagResource", tagging::UNTAG, tagging::untag)).query(&[("tagKeys", "TagKeys")]),
    at("GET", TAGS, 200, reading("ListTags", tagging::LIST, tagging::list)),
    at(
        "GET",
        "/2020-06-30/functions/{FunctionName}/code-signing-config",
        200,
        reading("GetFunctionCodeSigningConfig", &[shapes::FUNCTION], read::get_code_signing),
    ),
    at("GET", "/2016-08-19/account-settings", 200, reading("GetAccountSettings", &[], concurrency::account_settings)),
    invocation("/2015-03-31/functions/{FunctionName}/invocations", request::INVOKE)
        .query(QUALIFIED)
        .headers(request::HEADERS),
];

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidParameterValueException", message)
}

fn conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "ResourceConflictException", message)
}

fn not_found(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "ResourceNotFoundException", message)
}

fn no_such_function(arn: &str, qualifier: Option<&str>) -> AwsError {
    let qualifier = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
    not_found(format!("Function not found: {arn}{qualifier}"))
}

fn not_modelled(what: &str) -> AwsError {
    invalid(format!("hlctl-emulator does not model {what}"))
}

/// The functions of the caller's account and region.
fn lambda<'a>(cx: &'a mut Cx<'_>) -> &'a mut Lambda {
    let lambda = &mut cx.world.account(&cx.caller.account).lambda;
    lambda.entry(cx.caller.region.clone()).or_default()
}

/// The function that the request names.
fn find<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut Function> {
    let given = text(input, "FunctionName");
    let name =
        Name::parse(given).filter(|name| name.is_within(cx.caller)).ok_or_else(|| no_such_function(given, None))?;
    let arn = cx.caller.regional_arn("lambda", &format!("function:{}", name.function));
    lambda(cx).functions.get_mut(&name.function).ok_or_else(|| no_such_function(&arn, name.qualifier.as_deref()))
}

/// The qualifier that a request gives by itself or with the function's name.
fn qualifier(input: &Value) -> AwsResult<Option<String>> {
    let in_name = Name::parse(text(input, "FunctionName")).and_then(|name| name.qualifier);
    let given = super::owned(input, "Qualifier");
    match (in_name, given) {
        (Some(one), Some(other)) if one != other => {
            Err(invalid("The derived qualifier from the function name does not match the specified qualifier."))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// Refuses a request that was made for another revision than there is.
fn same_revision(input: &Value, current: &str) -> AwsResult<()> {
    match input["RevisionId"].as_str() {
        Some(revision) if revision != current => Err(AwsError::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}

/// Lambda's lists have 50 items at most, however many are asked for (Lambda API reference).
fn page_size(input: &Value) -> usize {
    usize::try_from(input["MaxItems"].as_u64().unwrap_or(50)).unwrap_or(50).min(50)
}

fn with_marker(mut output: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        output["NextMarker"] = next.into();
    }
    output
}

/// Removes packages that no function uses any more.
fn sweep(cx: &Cx<'_>, packages: impl IntoIterator<Item = String>) {
    let accounts = cx.world.accounts.values();
    let functions = accounts.flat_map(|account| account.lambda.values()).flat_map(|lambda| lambda.functions.values());
    let used: Vec<String> = functions.flat_map(Function::packages).collect();
    for package in packages {
        if !used.contains(&package) {
            cx.files.remove_package(&package);
        }
    }
}

/// Where a package can be fetched from, without the server.
fn package_path(package: &str) -> String {
    format!("{}packages/{package}.zip", crate::control::PREFIX)
}

/// What is left to do after an operation that has succeeded.
pub(crate) fn done(core: &Arc<Core>, caller: &Caller, operation: &str, input: &Value, output: &mut Value) {
    match operation {
        "GetFunction" => {
            let path = text(&output["Code"], "Location").to_owned();
            output["Code"]["Location"] = json!(format!("{}{path}", caller.origin.base()));
        }
        "UpdateFunctionCode" | "UpdateFunctionConfiguration" | "DeleteFunction" => {
            if let Some(name) = Name::parse(text(input, "FunctionName")) {
                core.lambda.retire(&caller.regional_arn("lambda", &format!("function:{}", name.function)));
            }
        }
        _ => {}
    }
}
