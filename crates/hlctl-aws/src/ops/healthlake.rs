//! AWS HealthLake: data stores, jobs of bulk data, and profiles of transformation.

use super::Met::{Gone, InTransition};
use super::Repeat::{Another, Meets, Same, Token};
use super::operations;

operations!(
    "healthlake",
    CREATE_DATA_TRANSFORMATION_PROFILE =
        changes("CreateDataTransformationProfile", Token, "CreateDataTransformationProfile, ClientToken"),
    CREATE_FHIR_DATASTORE = changes("CreateFHIRDatastore", Token, "CreateFHIRDatastore, ClientToken"),
    DELETE_DATA_TRANSFORMATION_PROFILE = changes(
        "DeleteDataTransformationProfile",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteDataTransformationProfile, ResourceNotFoundException"
    ),
    DELETE_FHIR_DATASTORE = changes(
        "DeleteFHIRDatastore",
        Meets(&[(InTransition, "ConflictException"), (Gone, "ResourceNotFoundException")]),
        "DeleteFHIRDatastore, ConflictException: the data store is in a transition state"
    ),
    DESCRIBE_DATA_TRANSFORMATION_JOB = reads("DescribeDataTransformationJob"),
    DESCRIBE_FHIR_DATASTORE = reads("DescribeFHIRDatastore"),
    DESCRIBE_FHIR_EXPORT_JOB = reads("DescribeFHIRExportJob"),
    DESCRIBE_FHIR_IMPORT_JOB = reads("DescribeFHIRImportJob"),
    GET_DATA_TRANSFORMATION_PROFILE = reads("GetDataTransformationProfile"),
    LIST_DATA_TRANSFORMATION_JOBS = reads("ListDataTransformationJobs"),
    LIST_DATA_TRANSFORMATION_PROFILES = reads("ListDataTransformationProfiles"),
    LIST_DATA_TRANSFORMATION_PROFILE_VERSIONS = reads("ListDataTransformationProfileVersions"),
    LIST_FHIR_DATASTORES = reads("ListFHIRDatastores"),
    LIST_FHIR_EXPORT_JOBS = reads("ListFHIRExportJobs"),
    LIST_FHIR_IMPORT_JOBS = reads("ListFHIRImportJobs"),
    LIST_TAGS_FOR_RESOURCE = reads("ListTagsForResource"),
    PUBLISH_DATA_TRANSFORMATION_PROFILE = changes(
        "PublishDataTransformationProfile",
        Another,
        "PublishDataTransformationProfile: it takes no ClientToken, and each request makes a version"
    ),
    RESTORE_FHIR_DATASTORE = changes(
        "RestoreFHIRDatastore",
        Meets(&[(InTransition, "ConflictException")]),
        "RestoreFHIRDatastore, ClientToken; ConflictException, since a store is restored once at a time"
    ),
    START_DATA_TRANSFORMATION_JOB = changes(
        "StartDataTransformationJob",
        Token,
        "StartDataTransformationJob, ClientToken, which is required and which no SDK fills in"
    ),
    START_FHIR_EXPORT_JOB = changes("StartFHIRExportJob", Token, "StartFHIRExportJob, ClientToken"),
    START_FHIR_IMPORT_JOB = changes("StartFHIRImportJob", Token, "StartFHIRImportJob, ClientToken"),
    TAG_RESOURCE = changes("TagResource", Same, "TagResource: a second request sets the same"),
    TRANSFORM_DATA = reads("TransformData"),
    UNTAG_RESOURCE = changes("UntagResource", Same, "UntagResource: a second request sets the same"),
    UPDATE_DATA_TRANSFORMATION_PROFILE = changes(
        "UpdateDataTransformationProfile",
        Same,
        "UpdateDataTransformationProfile: it replaces the whole mapping of the draft"
    ),
    UPDATE_FHIR_DATASTORE = changes(
        "UpdateFHIRDatastore",
        Meets(&[(InTransition, "ConflictException")]),
        "UpdateFHIRDatastore, ConflictException: the data store is in a transition state"
    ),
);

/// Prefix of the service as IAM actions have it.
pub const SERVICE: &str = CREATE_FHIR_DATASTORE.service();
