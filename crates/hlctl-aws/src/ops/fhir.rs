//! The FHIR interface of a store. The names are those of the IAM actions (Service Authorization Reference, AWS HealthLake).

use super::Repeat::{Another, Same, Token};
use super::operations;

operations!(
    "healthlake",
    CREATE_RESOURCE =
        changes("CreateResource", Token, "Developer guide, \"Idempotency and concurrency\": the idempotency key"),
    DELETE_RESOURCE =
        changes("DeleteResource", Same, "FHIR R4, delete: 404 or 410, which `hlctl fhir delete` looks at itself"),
    GET_CAPABILITIES = reads("GetCapabilities"),
    GET_DISCOVERY_DOCUMENT = reads("GetDiscoveryDocument"),
    GET_HISTORY_BY_RESOURCE_ID = reads("GetHistoryByResourceId"),
    PATCH_RESOURCE =
        changes("PatchResource", Another, "RFC 6902, add to a list: twice adds two, so it is never sent again"),
    PROCESS_BUNDLE =
        changes("ProcessBundle", Same, "FHIR R4, batch and transaction: sent again only where all entries may be"),
    READ_RESOURCE = reads("ReadResource"),
    SEARCH_EVERYTHING = reads("SearchEverything"),
    SEARCH_WITH_GET = reads("SearchWithGet"),
    SEARCH_WITH_POST = reads("SearchWithPost"),
    // Whatever request `fhir explain` is given.
    EXPLAIN = reads("Explain"),
    // No request of its own: what fails before one is sent.
    SIGN = reads("Sign"),
    UPDATE_RESOURCE = changes("UpdateResource", Same, "FHIR R4, update: the same content again"),
    VALIDATE_RESOURCE = reads("ValidateResource"),
    VERSION_READ_RESOURCE = reads("VersionReadResource"),
);
