//! Which resources an export gives.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::services::healthlake::fhir::{resource, types};

/// Which resources an export gives: all that pass each of these.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::services::healthlake) struct Selection {
    /// Of these types; none stands for all.
    pub(in crate::services::healthlake) kinds: Vec<String>,
    /// Modified at this instant or later.
    pub(in crate::services::healthlake) since: Option<Timestamp>,
    /// Modified at this instant or earlier.
    pub(in crate::services::healthlake) until: Option<Timestamp>,
    pub(in crate::services::healthlake) patients: ExportScope,
    /// With each of these labels.
    pub(in crate::services::healthlake) codings: Vec<Coding>,
}

/// Whose resources an export gives.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::services::healthlake) enum ExportScope {
    /// All there are.
    #[default]
    #[serde(rename = "whoever")]
    System,
    /// Those of types that can belong to a patient.
    #[serde(rename = "all")]
    AllPatients,
    /// Those that belong to these patients.
    Members(BTreeSet<String>),
}

/// A label in a resource's `meta`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct Coding {
    /// `tag` or `security`.
    pub(in crate::services::healthlake) element: String,
    pub(in crate::services::healthlake) system: String,
    /// `None` for any code of the system.
    pub(in crate::services::healthlake) code: Option<String>,
}

impl Selection {
    /// Whether resources of a type may be among what is given.
    pub(super) fn has_kind(&self, kind: &str) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|name| name == kind))
            && (matches!(self.patients, ExportScope::System) || types::is_of_patients(kind))
    }

    /// Whether a version of that age may be.
    pub(super) fn has_age(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }

    /// Whether the resource itself must be looked at.
    pub(super) fn looks_inside(&self) -> bool {
        !self.codings.is_empty() || matches!(self.patients, ExportScope::Members(_))
    }

    pub(super) fn has(&self, kind: &str, id: &str, resource: &Value) -> bool {
        self.codings.iter().all(|coding| coding.is_on(resource)) && self.patients.own(kind, id, resource)
    }
}

impl ExportScope {
    fn own(&self, kind: &str, id: &str, resource: &Value) -> bool {
        let Self::Members(members) = self else {
            return true;
        };
        if kind == "Patient" {
            return members.contains(id);
        }
        let mut found = false;
        resource::references(resource, &mut |reference| {
            found |= resource::target(reference).is_some_and(|(kind, id)| kind == "Patient" && members.contains(id));
        });
        found
    }
}

impl Coding {
    fn is_on(&self, resource: &Value) -> bool {
        resource["meta"][&self.element].as_array().into_iter().flatten().any(|coding| {
            coding["system"].as_str().unwrap_or_default() == self.system
                && self.code.as_ref().is_none_or(|code| coding["code"].as_str() == Some(code))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use serde_json::json;

    use super::*;

    /// A job outlives the program in a data directory.
    #[test]
    fn the_scope_of_an_export_is_kept_under_the_names_that_it_has_always_had() {
        let members = ExportScope::Members(BTreeSet::from(["a".to_owned()]));
        for (scope, kept) in [
            (ExportScope::System, json!("whoever")),
            (ExportScope::AllPatients, json!("all")),
            (members, json!({"members": ["a"]})),
        ] {
            assert_eq!(serde_json::to_value(scope).unwrap(), kept);
            let read: ExportScope = serde_json::from_value(kept.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), kept);
        }
    }
}
