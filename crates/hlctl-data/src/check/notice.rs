//! What an import takes, although what comes of it is hardly what is wanted.

use std::borrow::Cow;

use super::problem::{Kind, Label};
use crate::structure::LooseReference;

/// One kind of notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// A Bundle whose entries are meant to be resources of their own.
    Bundle(BundleType),
    /// A resource by which servers answer, such as `OperationOutcome`.
    Answer(&'static str),
    /// AWS's pages disagree on whether HealthLake takes this type.
    DisputedType(&'static str),
    /// A reference that leads to no resource.
    Reference(LooseReference),
    /// A reference to a resource that is not among those that are checked.
    DanglingReference {
        /// The path of its element.
        path: String,
        /// The type that it refers to.
        target: &'static str,
    },
    /// A resource that comes again word by word.
    RepeatedLine,
}

/// The types of Bundles that HealthLake would store as they are, with their entries out of reach (R4 specification, "Bundle":
/// value set BundleType). Documents and messages are meant to be stored whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the type of its name")]
pub enum BundleType {
    Transaction,
    TransactionResponse,
    Batch,
    BatchResponse,
    History,
    Searchset,
    Collection,
}

/// What to do about servers' answers.
pub(super) const LEAVE_OUT_ANSWERS: &str =
    "leave it out: exports have such lines in files of their own, about what was not exported";

impl BundleType {
    /// The type of this code.
    pub(super) fn of(code: &str) -> Option<Self> {
        Some(match code {
            "transaction" => Self::Transaction,
            "transaction-response" => Self::TransactionResponse,
            "batch" => Self::Batch,
            "batch-response" => Self::BatchResponse,
            "history" => Self::History,
            "searchset" => Self::Searchset,
            "collection" => Self::Collection,
            _ => return None,
        })
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::TransactionResponse => "transaction-response",
            Self::Batch => "batch",
            Self::BatchResponse => "batch-response",
            Self::History => "history",
            Self::Searchset => "searchset",
            Self::Collection => "collection",
        }
    }

    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Transaction | Self::Batch => {
                "post it to the store's FHIR interface, which processes it; or write each of its resources on a line \
                 of its own, \
                 with references as Type/id: `jq -c '.entry[].resource' FILE` (Synthea does with exporter.fhir.bulk_data = true)"
            }
            Self::TransactionResponse | Self::BatchResponse => "leave it out: it is a server's answer",
            Self::Searchset | Self::Collection => {
                "write each of its resources on a line of its own: `jq -c '.entry[].resource' FILE`"
            }
            Self::History => "write the newest version of each resource on a line of its own",
        }
    }
}

impl Kind for Notice {
    fn label(&self) -> Label {
        Label::Notice(match self {
            Self::Bundle(_) => "bundle",
            Self::Answer(_) => "server_answer",
            Self::DisputedType(_) => "disputed_resource_type",
            Self::Reference(LooseReference::Urn) => "reference_urn",
            Self::Reference(LooseReference::Search) => "reference_search",
            Self::Reference(LooseReference::UnknownType) => "reference_unknown_type",
            Self::Reference(LooseReference::UnsupportedType) => "reference_unsupported_type",
            Self::Reference(LooseReference::Form) => "reference_form",
            Self::DanglingReference { .. } => "reference_dangling",
            Self::RepeatedLine => "repeated_line",
        })
    }

    fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Bundle(of) => {
                return format!(
                    "a Bundle of type {} is stored as it is, and its entries do not become separate resources",
                    of.code()
                )
                .into();
            }
            Self::Answer(kind) => {
                return format!("{kind} is a server's response, and HealthLake has no request that would read it")
                    .into();
            }
            Self::DisputedType(kind) => {
                return format!("AWS's pages disagree on whether HealthLake takes resources of type {kind}").into();
            }
            Self::Reference(LooseReference::Urn) => {
                "a reference begins with urn:, which refers to another entry of a Bundle, not to a resource of a store"
            }
            Self::Reference(LooseReference::Search) => {
                "a reference is a search, such as Practitioner?identifier=..., which no import is documented to resolve"
            }
            Self::Reference(LooseReference::UnknownType) => "a reference names a type that FHIR R4 does not define",
            Self::Reference(LooseReference::UnsupportedType) => {
                "a reference names a type that HealthLake does not take"
            }
            Self::Reference(LooseReference::Form) => "a reference is neither Type/id nor an absolute URL nor contained",
            Self::DanglingReference { path, target } => {
                return format!("{path} refers to {target} resources that are not in these files").into();
            }
            Self::RepeatedLine => "the same resource occurs again, with the same content",
        })
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Bundle(of) => of.remedy(),
            Self::Answer(_) => LEAVE_OUT_ANSWERS,
            Self::DisputedType(_) => {
                "try one of them first: the developer guide, \"FHIR R4 supported resource types\", does not list the type, and \
                 \"Managing FHIR Subscriptions\" has such resources created"
            }
            Self::Reference(LooseReference::Urn) => {
                "write the type and id of the resource: Patient/123 (Synthea does with exporter.fhir.bulk_data = true)"
            }
            Self::Reference(LooseReference::Search) => {
                "write the type and id of the resource: Practitioner/123 (Synthea does with exporter.fhir.bulk_data = true and \
                 exporter.fhir.transaction_bundle = false)"
            }
            Self::Reference(LooseReference::UnknownType) => "write the type as FHIR R4 does: Patient/123",
            Self::Reference(LooseReference::UnsupportedType) => {
                "leave out the reference, or keep its target elsewhere and write its full URL"
            }
            Self::Reference(LooseReference::Form) => {
                "write the type and id of the resource: Patient/123; or the full URL; or # and the id of a contained \
                 resource"
            }
            Self::DanglingReference { .. } => {
                "check these files together with those that have the resources; where the store has them already, there is nothing to do"
            }
            Self::RepeatedLine => "no data is lost; leave one of them out, so that the counts agree",
        }
    }
}
