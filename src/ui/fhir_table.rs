//! FHIR resources as lines for people: id, when it changed, and the few fields that tell what it is.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use hlctl_fhir::oauth::tell_up_to;

/// The heading of resources that were found.
pub const FOUND: [&str; 4] = ["RESOURCE", "VERSION", "UPDATED", "WHAT"];
/// The heading of a history.
pub const VERSIONS: [&str; 4] = ["RESOURCE", "VERSION", "UPDATED", "HOW AND WHAT"];

/// The least width of the columns, so that pages of a long answer stand below each other.
const WIDTHS: [usize; 3] = [44, 7, 20];
/// As much of a summary as is shown.
const MOST: usize = 100;

/// One resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    reference: String,
    version: String,
    updated: String,
    /// What it is.
    pub summary: String,
}

impl Row {
    /// Of a resource's JSON.
    pub fn of_resource(json: &str) -> Self {
        let value: Value = serde_json::from_str(json).unwrap_or_default();
        let kind = clean(value["resourceType"].as_str().unwrap_or("?"));
        let reference = match value["id"].as_str() {
            Some(id) => format!("{kind}/{}", clean(id)),
            None => kind,
        };
        Self {
            reference,
            version: clean(value["meta"]["versionId"].as_str().unwrap_or("-")),
            updated: to_the_second(value["meta"]["lastUpdated"].as_str().unwrap_or("-")),
            summary: summary(&value, number(json)),
        }
    }

    /// Of a version that is a deletion.
    pub fn of_deletion(reference: &str, at: &str) -> Self {
        Self {
            reference: clean(reference),
            version: "-".to_owned(),
            updated: to_the_second(at),
            summary: "(deleted)".to_owned(),
        }
    }

    /// The version that an ETag names, where the resource itself does not.
    pub fn of_version(&mut self, etag: &str) {
        let version = etag.trim_start_matches("W/").trim_matches('"');
        if self.version == "-" && !version.is_empty() {
            self.version = clean(version);
        }
    }
}

/// The rows with a heading, each on a line of its own.
pub fn lines(heading: Option<[&str; 4]>, rows: &[Row]) -> String {
    let cells = |row: &Row| [row.reference.clone(), row.version.clone(), row.updated.clone(), row.summary.clone()];
    let heading = heading.map(|heading| heading.map(str::to_owned));
    let all: Vec<[String; 4]> = heading.into_iter().chain(rows.iter().map(cells)).collect();
    let width = |column: usize| {
        let widest = all.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
        widest.max(WIDTHS[column])
    };
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [reference, version, updated, summary] in &all {
        let line = format!("{reference:0$}  {version:1$}  {updated:2$}  {summary}", widths[0], widths[1], widths[2]);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn clean(text: &str) -> String {
    tell_up_to(MOST, text)
}

/// `2026-01-02T03:04:05.678Z` without its fraction.
fn to_the_second(time: &str) -> String {
    let time = clean(time);
    match time.split_once('.') {
        Some((whole, rest)) => format!("{whole}{}", rest.trim_start_matches(|char: char| char.is_ascii_digit())),
        None => time,
    }
}

fn summary(resource: &Value, number: Option<&str>) -> String {
    let parts = [
        title(resource),
        amount(resource, number),
        field(resource, &["birthDate"]),
        field(resource, &["gender"]),
        date(resource),
        status(resource),
        subject(resource),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    clean(&parts.join(", "))
}

/// What it is called, or what it is about.
fn title(resource: &Value) -> Option<String> {
    let name = &resource["name"];
    if let Some(name) = name.as_str().or_else(|| name["text"].as_str()) {
        return Some(name.to_owned());
    }
    if let Some(name) = name.get(0) {
        if let Some(text) = name["text"].as_str() {
            return Some(text.to_owned());
        }
        let given = name["given"].as_array().into_iter().flatten().filter_map(Value::as_str);
        return Some(given.chain(name["family"].as_str()).collect::<Vec<_>>().join(" "));
    }
    let concepts = ["code", "medicationCodeableConcept", "vaccineCode", "type", "category"];
    concepts
        .into_iter()
        .find_map(|member| concept(&resource[member]))
        .or_else(|| field(resource, &["title", "description"]))
}

/// A CodeableConcept in words, or the first of several.
fn concept(value: &Value) -> Option<String> {
    let value = value.get(0).unwrap_or(value);
    let coding = &value["coding"][0];
    let texts = [&value["text"], &coding["display"], &coding["code"]];
    texts.into_iter().find_map(Value::as_str).map(str::to_owned)
}

/// What a resource measures. The number is shown as it is written: `1.50` says more than `1.5`, and a number that was read and
/// written again may have other digits.
#[derive(Deserialize)]
struct Measurement<'a> {
    #[serde(borrow, rename = "valueQuantity")]
    quantity: Option<Quantity<'a>>,
}

#[derive(Deserialize)]
struct Quantity<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

fn number(json: &str) -> Option<&str> {
    let Measurement { quantity } = serde_json::from_str(json).ok()?;
    Some(quantity?.value?.get())
}

fn amount(resource: &Value, number: Option<&str>) -> Option<String> {
    let quantity = &resource["valueQuantity"];
    if quantity.is_object() {
        let unit = quantity["unit"].as_str().or_else(|| quantity["code"].as_str()).unwrap_or_default();
        return Some(format!("{} {unit}", number.unwrap_or("?")).trim_end().to_owned());
    }
    field(resource, &["valueString"]).or_else(|| concept(&resource["valueCodeableConcept"]))
}

fn date(resource: &Value) -> Option<String> {
    let period = ["period", "performedPeriod", "effectivePeriod"].into_iter();
    let date = field(
        resource,
        &["effectiveDateTime", "onsetDateTime", "authoredOn", "performedDateTime", "occurrenceDateTime", "date"],
    );
    let date =
        date.or_else(|| period.filter_map(|member| resource[member]["start"].as_str()).next().map(str::to_owned));
    date.map(|date| date.chars().take(10).collect())
}

fn status(resource: &Value) -> Option<String> {
    field(resource, &["status"]).or_else(|| concept(&resource["clinicalStatus"]))
}

fn subject(resource: &Value) -> Option<String> {
    ["subject", "patient"].into_iter().find_map(|member| resource[member]["reference"].as_str()).map(str::to_owned)
}

fn field(resource: &Value, members: &[&str]) -> Option<String> {
    members.iter().find_map(|member| resource[*member].as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_is_shown_by_what_identifies_it() {
        let patient = json!({"resourceType": "Patient", "id": "1", "meta": {"versionId": "2", "lastUpdated": "2026-01-02T03:04:05.678Z"},
            "name": [{"given": ["Ana", "B."], "family": "Silva\u{1b}[31m\n"}], "birthDate": "1980-01-01", "gender": "female"});
        let row = Row::of_resource(&patient.to_string());
        assert_eq!(row.summary, "Ana B. Silva [31m , 1980-01-01, female");
        assert_eq!(
            (row.reference.as_str(), row.version.as_str(), row.updated.as_str()),
            ("Patient/1", "2", "2026-01-02T03:04:05Z")
        );
        let weight = json!({"resourceType": "Observation", "id": "2", "code": {"coding": [{"display": "Body weight"}]}, "status": "final",
            "valueQuantity": {"value": 70.5, "unit": "kg"}, "effectiveDateTime": "2026-01-02T03:04:05Z", "subject": {"reference": "Patient/1"}});
        assert_eq!(Row::of_resource(&weight.to_string()).summary, "Body weight, 70.5 kg, 2026-01-02, final, Patient/1");
        for written in ["105.00", "1E2", "66.899999999999991", "-0.0", "1e-7"] {
            let json = format!(r#"{{"resourceType":"Observation","valueQuantity":{{"value":{written},"unit":"mg"}}}}"#);
            assert_eq!(Row::of_resource(&json).summary, format!("{written} mg"));
        }
    }

    #[test]
    fn what_is_unknown_still_has_a_line() {
        for json in ["", "[]", "{}", r#"{"resourceType":7}"#, r#"{"resourceType":"Basic","name":[]}"#] {
            assert_eq!(lines(None, &[Row::of_resource(json)]).lines().count(), 1, "{json}");
        }
    }
}
