//! What a FHIR request asks for, by its method and path.

use http::Method;

use super::refusal::{Outcome, Refusal};
use super::{resource, types};
use crate::services::not_modelled;

/// A request's meaning. Types are names that [`types::named`] knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Interaction {
    Capabilities,
    Discovery,
    Search {
        kind: &'static str,
        post: bool,
    },
    Create {
        kind: &'static str,
    },
    Read {
        kind: &'static str,
        id: String,
    },
    VersionRead {
        kind: &'static str,
        id: String,
        version: String,
    },
    /// Of a resource, or of all of a type.
    History {
        kind: &'static str,
        id: Option<String>,
    },
    /// Of a resource, or of what the query finds.
    Update {
        kind: &'static str,
        id: Option<String>,
    },
    Patch {
        kind: &'static str,
        id: String,
    },
    /// Of a resource, or of what the query finds.
    Delete {
        kind: &'static str,
        id: Option<String>,
    },
    Bundle,
    /// How a transaction is that was asked for with `Prefer: respond-async`.
    TransactionStatus {
        id: String,
    },
    Validate {
        kind: &'static str,
        id: Option<String>,
    },
    Everything {
        id: String,
    },
    /// Into a bucket.
    Export(Exported),
    /// Into files that are downloaded.
    DownloadExport(Exported),
    /// A file of such an export.
    ExportedFile {
        id: String,
        name: String,
    },
    ExportStatus {
        id: String,
    },
    ExportCancel {
        id: String,
    },
    /// What HealthLake does and this does not, by its IAM action.
    NotModelled(&'static str),
}

/// What an export is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exported {
    System,
    Patients,
    /// The patients of a group.
    Group(String),
}

impl Interaction {
    /// What `method` on the path after `r4` asks for.
    pub(super) fn parse(method: &Method, segments: &[String]) -> Outcome<Self> {
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let Some(named) = operation(method, &parts) {
            return named;
        }
        let Some((name, rest)) = parts.split_first() else {
            return if method == Method::POST { Ok(Self::Bundle) } else { Err(wrong_method(method, "/")) };
        };
        let kind = types::named(name).ok_or_else(|| Refusal::not_supported(404, types::refusal(name)))?;
        if [Method::GET, Method::POST].contains(method) && !types::is_requestable(kind) {
            return Err(Refusal::not_supported(400, format!("{method} requests cannot be made with {kind}.")));
        }
        if let Some(id) = rest.first().filter(|part| !part.starts_with(['_', '$'])) {
            resource::check_id(id)?;
        }
        let id = || rest.first().map(|id| (*id).to_owned()).unwrap_or_default();
        match (method.as_str(), rest) {
            ("GET", []) => Ok(Self::Search { kind, post: false }),
            ("POST", []) => Ok(Self::Create { kind }),
            ("PUT", []) => Ok(Self::Update { kind, id: None }),
            ("DELETE", []) => Ok(Self::Delete { kind, id: None }),
            ("POST", ["_search"]) => Ok(Self::Search { kind, post: true }),
            ("GET", ["_history"]) => Ok(Self::History { kind, id: None }),
            (_, ["_search" | "_history"]) => Err(wrong_method(method, &parts.join("/"))),
            (_, [name, ..]) if name.starts_with('_') => {
                Err(Refusal::not_found(format!("There is no interaction at {}.", parts.join("/"))))
            }
            ("GET", [_]) => Ok(Self::Read { kind, id: id() }),
            ("PUT", [_]) => Ok(Self::Update { kind, id: Some(id()) }),
            ("PATCH", [_]) => Ok(Self::Patch { kind, id: id() }),
            ("DELETE", [_]) => Ok(Self::Delete { kind, id: Some(id()) }),
            ("GET", [_, "_history"]) => Ok(Self::History { kind, id: Some(id()) }),
            ("GET", [_, "_history", version]) => {
                Ok(Self::VersionRead { kind, id: id(), version: (*version).to_owned() })
            }
            (_, [] | [_] | [_, "_history"] | [_, "_history", _]) => Err(wrong_method(method, &parts.join("/"))),
            _ => Err(Refusal::not_found(format!("There is no interaction at {}.", parts.join("/")))),
        }
    }

    /// The action in IAM policies (Service Authorization Reference, AWS HealthLake). A type's history and the
    /// discovery document have none there: the one takes that of a resource's history.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Capabilities => "GetCapabilities",
            Self::Discovery => "GetDiscoveryDocument",
            Self::Search { post: false, .. } => "SearchWithGet",
            Self::Search { post: true, .. } => "SearchWithPost",
            Self::Create { .. } => "CreateResource",
            Self::Read { .. } => "ReadResource",
            Self::VersionRead { .. } => "VersionReadResource",
            Self::History { .. } => "GetHistoryByResourceId",
            Self::Update { .. } => "UpdateResource",
            Self::Patch { .. } => "PatchResource",
            Self::Delete { .. } => "DeleteResource",
            Self::Bundle => "ProcessBundle",
            // The guide wants a SMART scope that reads the type Transaction, and names no action.
            Self::TransactionStatus { .. } => "ReadResource",
            Self::Validate { .. } => "ValidateResource",
            Self::Everything { .. } => "SearchEverything",
            Self::Export(_) => "StartFHIRExportJobWithPost",
            Self::DownloadExport(_) => "StartFHIRExportJobWithGet",
            Self::ExportedFile { .. } => "GetExportedFile",
            Self::ExportStatus { .. } => "DescribeFHIRExportJobWithGet",
            Self::ExportCancel { .. } => "CancelFHIRExportJobWithDelete",
            Self::NotModelled(action) => action,
        }
    }

    /// The documents that say what the interface is like, which need no bearer token.
    pub(super) fn is_public(&self) -> bool {
        matches!(self, Self::Capabilities | Self::Discovery)
    }
}

fn wrong_method(method: &Method, path: &str) -> Refusal {
    Refusal::not_supported(405, format!("{method} is not offered at {path}."))
}

/// What the paths mean that are not made of types and ids; `None` for the others.
fn operation(method: &Method, parts: &[&str]) -> Option<Outcome<Interaction>> {
    let (interaction, wanted) = match parts {
        ["metadata"] => (Interaction::Capabilities, "GET"),
        [".well-known", "smart-configuration"] => (Interaction::Discovery, "GET"),
        ["Patient", id, "$everything"] => (Interaction::Everything { id: (*id).to_owned() }, "GET"),
        // The guide's table has GET for patients and groups alone.
        ["$export"] if method == Method::GET => {
            let text = "GET is not offered at $export: a whole store is exported by POST; by GET there are \
                        Patient/$export and Group/ID/$export.";
            return Some(Err(Refusal::not_supported(405, text)));
        }
        ["$export"] => (Interaction::Export(Exported::System), "POST"),
        ["Patient", "$export"] => exported(method, Exported::Patients),
        ["Group", id, "$export"] => exported(method, Exported::Group((*id).to_owned())),
        ["export", id, name] => (Interaction::ExportedFile { id: (*id).to_owned(), name: (*name).to_owned() }, "GET"),
        ["export", id] if method == Method::DELETE => (Interaction::ExportCancel { id: (*id).to_owned() }, "DELETE"),
        ["export", id] => (Interaction::ExportStatus { id: (*id).to_owned() }, "GET"),
        [kind, rest @ .., "$validate"] if rest.len() < 2 => match types::named(kind) {
            Some(kind) => (Interaction::Validate { kind, id: rest.first().map(|id| (*id).to_owned()) }, "POST"),
            None => return Some(Err(Refusal::not_supported(404, types::refusal(kind)))),
        },
        ["Transaction", id] => (Interaction::TransactionStatus { id: (*id).to_owned() }, "GET"),
        ["$bulk-delete"] => (Interaction::NotModelled("StartFHIRBulkDeleteJob"), "POST"),
        [.., name] if name.starts_with('$') => {
            let text = not_modelled("healthlake", name);
            return Some(Err(Refusal::not_supported(501, text)));
        }
        _ => return None,
    };
    Some(if method.as_str() == wanted { Ok(interaction) } else { Err(wrong_method(method, &parts.join("/"))) })
}

/// An export with the method that starts it.
fn exported(method: &Method, scope: Exported) -> (Interaction, &'static str) {
    if method == Method::GET {
        return (Interaction::DownloadExport(scope), "GET");
    }
    (Interaction::Export(scope), "POST")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn parse(method: &str, path: &str) -> Outcome<Interaction> {
        let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
        Interaction::parse(&method.parse().unwrap(), &segments)
    }

    #[test]
    fn each_request_has_the_action_that_policies_name() {
        for (method, path, action) in [
            ("GET", "metadata", "GetCapabilities"),
            ("GET", "Patient", "SearchWithGet"),
            ("POST", "Patient/_search", "SearchWithPost"),
            ("POST", "Patient", "CreateResource"),
            ("GET", "Patient/1", "ReadResource"),
            ("GET", "Patient/1/_history", "GetHistoryByResourceId"),
            ("GET", "Patient/_history", "GetHistoryByResourceId"),
            ("GET", "Patient/1/_history/2", "VersionReadResource"),
            ("PUT", "Patient/1", "UpdateResource"),
            ("PATCH", "Patient/1", "PatchResource"),
            ("DELETE", "Patient/1", "DeleteResource"),
            ("POST", "", "ProcessBundle"),
            ("GET", "Patient/1/$everything", "SearchEverything"),
            ("POST", "$export", "StartFHIRExportJobWithPost"),
            ("GET", "Group/g/$export", "StartFHIRExportJobWithGet"),
            ("GET", "Patient/$export", "StartFHIRExportJobWithGet"),
            ("GET", "export/j/Patient-0.ndjson", "GetExportedFile"),
            ("POST", "Group/g/$export", "StartFHIRExportJobWithPost"),
            ("GET", "export/j", "DescribeFHIRExportJobWithGet"),
            ("DELETE", "export/j", "CancelFHIRExportJobWithDelete"),
            ("POST", "Patient/$validate", "ValidateResource"),
            ("POST", "Patient/1/$validate", "ValidateResource"),
            ("GET", "Transaction/1", "ReadResource"),
        ] {
            assert_eq!(parse(method, path).unwrap().action(), action, "{method} {path}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused_with_the_status_that_says_why() {
        for (method, path, status) in [
            ("GET", "Patients", 404),
            ("GET", "Basic", 404),
            ("POST", "Basic", 404),
            ("GET", "Parameters", 400),
            ("POST", "OperationOutcome", 400),
            ("GET", "Parameters/1/_history/1", 400),
            ("POST", "Parameters/_search", 400),
            ("GET", "Patient/a_b", 400),
            ("GET", "Patient/_search", 405),
            ("GET", "Patient/_id", 404),
            ("GET", "Patient/1/2", 404),
            ("GET", "", 405),
            ("POST", "Patient/1", 405),
            ("DELETE", "metadata", 405),
            ("POST", "Patient/$merge", 501),
            ("GET", "$export", 405),
            ("DELETE", "Patient/$export", 405),
            ("DELETE", "export/j/Patient-0.ndjson", 405),
            ("GET", "Group/g/h/$export", 501),
            ("POST", "Basic/$validate", 404),
            ("GET", "Patient/$validate", 405),
            ("DELETE", "Transaction/1", 405),
        ] {
            assert_eq!(parse(method, path).unwrap_err().status, status, "{method} {path}");
        }
    }
}
