//! What a caller may do, and with which resources.

use std::collections::HashSet;

use super::claims::Claims;
use super::scope::{Level, Scope, Verb};
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::healthlake::fhir::search::{self, Filter, Go, Row, View, Wanted};
use crate::services::healthlake::fhir::{resource, types};
use crate::store::resources::Collection;

/// What a caller may do.
pub(in super::super) enum Permit {
    /// Everything: the caller has AWS credentials.
    Full,
    /// What one of these allows: the caller has a token.
    Limited(Vec<Limit>),
}

/// A scope with what limits it.
pub(in super::super) struct Limit {
    scope: Scope,
    filters: Vec<Filter>,
    /// The patients to whom resources must belong; `None` for all.
    patients: Option<HashSet<String>>,
}

/// Which resources a caller may reach.
pub(in super::super) enum Reach<'p> {
    All,
    Within(Vec<&'p Limit>),
}

impl Permit {
    /// What a token allows in a datastore.
    ///
    /// `home` is what stands before the type in the datastore's addresses.
    pub(super) fn of_token(claims: &Claims, fine_grained: bool, collection: &Collection, home: &str) -> Outcome<Self> {
        let user = claims.user.as_deref().and_then(resource::target);
        let launched = claims.patient.as_deref().map(|patient| resource::target(patient).map_or(patient, |(_, id)| id));
        let patient = launched.or_else(|| user.filter(|(kind, _)| *kind == "Patient").map(|(_, id)| id));
        let entrusted = match (fine_grained, user) {
            (false, _) => None,
            (true, None) => Some(HashSet::new()),
            (true, Some(user)) => Some(patients_of(user, collection, home)?),
        };
        let mut limits = Vec::new();
        for scope in &claims.scopes {
            let patients = match scope.level {
                Level::System => None,
                Level::User => entrusted.clone(),
                Level::Patient => patient.map(|id| HashSet::from([id.to_owned()])),
            };
            limits.push(Limit { filters: filters(scope, home)?, scope: scope.clone(), patients });
        }
        Ok(Self::Limited(limits))
    }

    /// The resources of a type with which the caller may do `verb`; a refusal if there can be none.
    pub(in super::super) fn reach(&self, verb: Verb, kind: &str) -> Outcome<Reach<'_>> {
        let Self::Limited(limits) = self else {
            return Ok(Reach::All);
        };
        let fitting: Vec<&Limit> = limits.iter().filter(|limit| limit.scope.covers(verb, kind)).collect();
        if fitting.is_empty() {
            return Err(Refusal::forbidden(format!("No scope of the token allows to {} {kind}.", verb.name())));
        }
        if fitting.iter().any(|limit| limit.is_open()) {
            return Ok(Reach::All);
        }
        if fitting.iter().all(|limit| limit.patients.as_ref().is_some_and(HashSet::is_empty)) {
            return Err(Refusal::forbidden(
                "Fine-grained authorization is on, and the token names no fhirUser to whom a patient is entrusted.",
            ));
        }
        Ok(Reach::Within(fitting))
    }
}

impl Limit {
    fn is_open(&self) -> bool {
        self.filters.is_empty() && self.patients.is_none()
    }

    fn admits(&self, kind: &str, row: &Row<'_>) -> bool {
        self.filters.iter().all(|filter| filter.passes(row))
            && self.patients.as_ref().is_none_or(|patients| belongs(kind, row, patients))
    }
}

impl Reach<'_> {
    pub(in super::super) fn admits(&self, kind: &str, row: &Row<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Within(limits) => limits.iter().any(|limit| limit.admits(kind, row)),
        }
    }
}

/// Whether a resource belongs to one of `patients`, or is of a type that belongs to none, such as Organization.
fn belongs(kind: &str, row: &Row<'_>, patients: &HashSet<String>) -> bool {
    if kind == "Patient" {
        return patients.contains(row.id());
    }
    if !types::is_of_patients(kind) {
        return true;
    }
    let mut found = false;
    resource::references(row.value(), &mut |reference| {
        found |= resource::target(reference).is_some_and(|(kind, id)| kind == "Patient" && patients.contains(id));
    });
    found
}

/// The patients that are entrusted to a person (HealthLake developer guide, fine-grained authorization): to a
/// practitioner those who name it as general practitioner, to a patient itself, and to it and to a related person
/// those who are linked to it.
fn patients_of((kind, id): (&str, &str), collection: &Collection, home: &str) -> Outcome<HashSet<String>> {
    let name = match kind {
        "Practitioner" | "PractitionerRole" => "general-practitioner",
        "Patient" | "RelatedPerson" => "link",
        _ => return Ok(HashSet::new()),
    };
    let parameter = [(name.to_owned(), format!("{kind}/{id}"))];
    let filters = search::conditions("Patient", &parameter, home)?;
    let view = View::immediate(jiff::Timestamp::MAX);
    let wanted = Wanted { kind: "Patient", filters: &filters, reach: &Reach::All, view };
    let mut patients: HashSet<String> = (kind == "Patient").then(|| id.to_owned()).into_iter().collect();
    wanted.each(collection, 0, &mut |hit| {
        patients.insert(hit.id);
        Go::On
    })?;
    Ok(patients)
}

/// The filters of a scope. One that cannot be understood spoils the token: the guide calls it `InvalidScope`.
fn filters(scope: &Scope, home: &str) -> Outcome<Vec<Filter>> {
    match scope.kind {
        Some(kind) if !scope.filter.is_empty() => search::conditions(kind, &scope.filter, home)
            .map_err(|refusal| Refusal::forbidden(format!("InvalidScope: {}", refusal.text()))),
        _ => Ok(Vec::new()),
    }
}
