//! What a job has written besides converted files (HealthLake developer guide, "Data Transformation features", bulk jobs).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::data::failures::with_places;
use crate::data::objects;
use crate::data::place::Prefix;
use hlctl_aws::ops;
use hlctl_resources::{Context, ResourceError};

/// Files that were not converted, or not as a whole, for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConversionTrouble {
    /// What HealthLake says, without what may be a patient's.
    pub cause: String,
    /// How many files.
    pub count: u64,
    /// The first.
    pub file: String,
}

/// A report of errors is read up to this size; more is no report.
const LARGEST: i64 = 16 << 20;

/// The errors under the job's folder, by cause.
pub(in crate::data) async fn errors(cx: &Context, folder: &Prefix) -> Result<Vec<ConversionTrouble>, ResourceError> {
    let logs = folder.under("ERROR");
    let mut found = Vec::new();
    for object in objects::list(cx, &logs).await?.iter().filter(|object| object.name.ends_with(".json")) {
        let text = text(cx, &format!("{}{}", logs.prefix, object.name), &logs.bucket).await?;
        found.push(trouble(&object.name, text.as_deref().unwrap_or_default()));
    }
    Ok(together(found))
}

fn trouble(name: &str, text: &str) -> ConversionTrouble {
    let entry: Value = serde_json::from_str(text).unwrap_or_default();
    let file = entry["inputFile"].as_str().map(|file| file.rsplit('/').next().unwrap_or(file)).unwrap_or(name);
    let cause = entry["errorMessage"].as_str().map_or_else(|| "no cause is given".to_owned(), with_places);
    ConversionTrouble { cause, count: 1, file: file.to_owned() }
}

/// Each cause once, the most frequent first.
pub(in crate::data) fn together(found: Vec<ConversionTrouble>) -> Vec<ConversionTrouble> {
    let mut causes: BTreeMap<String, ConversionTrouble> = BTreeMap::new();
    for trouble in found {
        match causes.get_mut(&trouble.cause) {
            Some(known) => known.count += trouble.count,
            None => drop(causes.insert(trouble.cause.clone(), trouble)),
        }
    }
    let mut causes: Vec<_> = causes.into_values().collect();
    causes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.cause.cmp(&b.cause)));
    causes
}

/// The drift report, if there is one.
pub(in crate::data) async fn drift(cx: &Context, folder: &Prefix) -> Result<Option<Value>, ResourceError> {
    let key = format!("{}jobLevelDriftResult.json", folder.prefix);
    let text = text(cx, &key, &folder.bucket).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// An object as text; `None` if there is none, or it is too large.
async fn text(cx: &Context, key: &str, bucket: &str) -> Result<Option<String>, ResourceError> {
    let get = || cx.clients.s3.get_object().bucket(bucket).key(key).send();
    let answer = match cx.call(ops::s3::GET_OBJECT, get).await {
        Ok(answer) => answer,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if answer.content_length().is_some_and(|length| length > LARGEST) {
        return Ok(None);
    }
    let body = answer.body.collect().await.map_err(|error| ResourceError::Answer(format!("{key}: {error}")))?;
    Ok(Some(String::from_utf8_lossy(&body.into_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_grouped_without_what_may_be_a_patients() {
        let entry = |file: &str, message: &str| {
            trouble("x.json", &serde_json::json!({"inputFile": file, "errorMessage": message}).to_string())
        };
        let found = together(vec![
            entry("s3://b/in/0001/A.csv", "the name 'Smith' is wrong"),
            entry("s3://b/in/0002/B.csv", "the name 'Miller' is wrong"),
            trouble("C.json", "no JSON"),
        ]);
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].cause, found[0].count, &*found[0].file), ("the name '…' is wrong", 2, "A.csv"));
        assert_eq!((&*found[1].cause, &*found[1].file), ("no cause is given", "C.json"));
    }
}
