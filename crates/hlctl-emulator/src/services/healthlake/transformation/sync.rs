//! `POST /transform-data`, which no SDK has (HealthLake Developer Guide, "Synchronous transformation"). CSV is converted as by [`super::jobs`],
//! without provenance; what it answers of rows that cannot be converted is not documented, and here they are left out.

use serde_json::{Value, json};

use hlctl_transform::{Mapping, SourceFile, convert};

use super::{profile_not_found, transformation, within_second};
use crate::error::{AwsError, AwsResult};
use crate::protocol::read;
use crate::protocol::rest_json::{Endpoint, at};
use crate::protocol::shape::{Field, Shape, Text, optional, required, text as string};
use crate::services::healthlake::validation;
use crate::services::{Cx, text};

/// CSV files of a request with their bytes together, and a C-CDA document (HealthLake quotas).
const MOST_FILES: usize = 20;
const MOST_CSV: usize = 500 * 1024;
const MOST_CCDA: usize = 1024 * 1024;

const TABLE: Shape = string(0, usize::MAX);
const INPUT: &[Field] = &[
    optional("CcdaInput", string(0, usize::MAX)),
    optional("CsvInput", Shape::Map { key: Text::len(1, 500), value: &TABLE, min: 0, max: MOST_FILES }),
];
const TRANSFORM: &[Field] = &[
    required("ProfileId", string(32, 32)),
    required("InputData", Shape::Struct(INPUT)),
    optional("DriftDetectionEnabled", Shape::Flag),
    optional("ProvenanceEnabled", Shape::Flag),
];

/// The path of the operation, for who tells a request of this protocol from the others of the service.
pub(crate) const PATH: &str = "/transform-data";
pub(crate) const ENDPOINTS: &[Endpoint] = &[at("POST", PATH, 200, read("TransformData", TRANSFORM, transform))];

fn transform(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "TransformData")?;
    let id = text(input, "ProfileId");
    let profile = transformation(cx).profiles.get(id).ok_or_else(|| profile_not_found(id))?;
    let Some(version) = profile.in_use() else {
        return Err(validation(format!("The profile {id} has no published version.")));
    };
    let data = &input["InputData"];
    let length = |value: &Value| value.as_str().unwrap_or_default().len();
    let csv = data["CsvInput"].as_object();
    if csv.is_some_and(|tables| tables.values().map(length).sum::<usize>() > MOST_CSV)
        || length(&data["CcdaInput"]) > MOST_CCDA
    {
        return Err(AwsError::new(413, "ContentTooLargeException", "The input is too large."));
    }
    if profile.format != "CSV" {
        return Err(validation(
            "hlctl-emulator converts no C-CDA: AWS's templates and their language are not modelled.",
        ));
    }
    let Some(tables) = csv else {
        return Err(validation(format!("The profile {id} converts CSV: InputData must have CsvInput.")));
    };
    let [mapping] = version.mapping.values().collect::<Vec<_>>()[..] else {
        return Err(validation("A profile for CSV has one mapping."));
    };
    let mapping =
        Mapping::parse(mapping).map_err(|problems| validation(format!("The mapping cannot be used: {problems}")))?;
    let files: Vec<(String, &[u8])> = tables
        .iter()
        .map(|(table, csv)| (format!("{table}.csv"), csv.as_str().unwrap_or_default().as_bytes()))
        .collect();
    let sources: Vec<_> = files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let conversion = convert(&mapping, &sources).map_err(|error| validation(error.to_string()))?;
    let entry = |line: &str| {
        let resource: Value = serde_json::from_str(line).unwrap_or_default();
        let url = format!("{}/{}", text(&resource, "resourceType"), text(&resource, "id"));
        json!({"resource": resource, "request": {"method": "PUT", "url": url}})
    };
    let lines = conversion.converted.iter().flat_map(|converted| converted.ndjson.lines());
    let bundle =
        json!({"resourceType": "Bundle", "type": "transaction", "entry": lines.map(entry).collect::<Vec<_>>()});
    let mut answer = json!({"TransformedData": bundle.to_string()});
    if input["DriftDetectionEnabled"].as_bool().unwrap_or(true) {
        answer["DriftReport"] = json!(serde_json::to_string(&conversion.drift).unwrap_or_default());
    }
    Ok(answer)
}
