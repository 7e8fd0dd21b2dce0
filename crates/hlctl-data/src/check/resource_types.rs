//! The resource types of FHIR R4 (R4 specification, "Resource Index"), and those of them that HealthLake has
//! (HealthLake Developer Guide, "FHIR R4 supported resource types for HealthLake", as of August 2026).

use std::borrow::Cow;
use std::sync::LazyLock;

use hlctl_r4::Type;

/// Whether R4 has a resource type of this name.
pub fn is_resource_type(name: &str) -> bool {
    Type::resource(name).is_some()
}

/// Whether HealthLake has a resource type of this name.
pub fn is_supported(name: &str) -> bool {
    supported(name).is_some()
}

/// The name of a type that HealthLake has.
pub(crate) fn supported(name: &str) -> Option<&'static str> {
    static SUPPORTED: LazyLock<Vec<Option<&'static str>>> = LazyLock::new(|| {
        let names = Type::resources().iter().map(|of| of.name());
        names.map(|name| Some(name).filter(|name| UNSUPPORTED.binary_search(name).is_err())).collect()
    });
    Type::resource_number(name).and_then(|number| SUPPORTED[number])
}

/// The types that a store can be searched for: those of HealthLake, without `NOT_REQUESTABLE`.
pub fn searchable() -> impl Iterator<Item = &'static str> {
    let all = Type::resources().iter().map(|of| of.name());
    all.filter(|name| is_supported(name) && !NOT_REQUESTABLE.contains(name))
}

/// The name without memory of its own, if it is one.
pub(super) fn type_name(name: &str) -> Cow<'static, str> {
    match Type::resource(name) {
        Some(of) => Cow::Borrowed(of.name()),
        None => Cow::Owned(name.to_owned()),
    }
}

/// The types of R4 that the guide's table does not list.
const UNSUPPORTED: [&str; 40] = [
    "Basic",
    "BiologicallyDerivedProduct",
    "CatalogEntry",
    "ClinicalImpression",
    "CodeSystem",
    "CompartmentDefinition",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "GraphDefinition",
    "ImplementationGuide",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "NamingSystem",
    "ObservationDefinition",
    "OperationDefinition",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "SearchParameter",
    "SpecimenDefinition",
    "Subscription",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
];

/// Types that AWS's pages disagree on: not in the table, but "Managing FHIR Subscriptions in AWS HealthLake" (Developer Guide, as of
/// August 2026) has them created. `SubscriptionTopic` is R4B's.
const DISPUTED: [&str; 2] = ["Subscription", "SubscriptionTopic"];

/// The name of a type that AWS's pages disagree on.
pub(crate) fn disputed(name: &str) -> Option<&'static str> {
    DISPUTED.into_iter().find(|disputed| *disputed == name)
}

/// The name of a type that HealthLake takes, but by which servers answer and which no request reads.
pub(super) fn answer(name: &str) -> Option<&'static str> {
    NOT_REQUESTABLE.into_iter().find(|answer| *answer == name)
}

/// Types of the guide's table that "you cannot make GET or POST requests with" (the note below the table).
const NOT_REQUESTABLE: [&str; 2] = ["OperationOutcome", "Parameters"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_of_the_guide_are_106_of_which_104_can_be_searched_for() {
        assert!(UNSUPPORTED.is_sorted());
        assert!(UNSUPPORTED.iter().all(|name| is_resource_type(name)));
        assert_eq!(Type::resources().iter().filter(|of| is_supported(of.name())).count(), 106);
        assert_eq!(searchable().count(), 104);
        for (name, supported) in [("Patient", true), ("Parameters", true), ("Basic", false), ("Patients", false)] {
            assert_eq!(is_supported(name), supported, "{name}");
        }
        assert!(searchable().all(|name| name != "Parameters" && name != "OperationOutcome"));
    }
}
