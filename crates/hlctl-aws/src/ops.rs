//! The operations that hlctl calls: one constant each, which carries all that is true of it wherever it is called.
//!
//! `ops::kms::CREATE_KEY` has the name, the IAM action, whether it only reads, and otherwise what happens when it is sent again
//! although AWS has carried it out and only the answer was lost. No other file names an operation, so that what is misspelt does
//! not compile, and what changes something cannot be without that line. Sources are pages of the service's API reference.
//! When a call is to wait for something is said where it is made ([`Call`]).

use std::fmt;

use super::call::Call;

pub mod cloudtrail;
pub mod cognito;
pub mod fhir;
pub mod healthlake;
pub mod iam;
pub mod kms;
pub mod lakeformation;
pub mod lambda;
pub mod logs;
pub mod s3;
pub mod signin;
pub mod sso;
pub mod sts;

/// The constants of each service with their paths.
const SERVICES: [&[(&str, Operation)]; 13] = [
    cloudtrail::ALL,
    cognito::ALL,
    fhir::ALL,
    healthlake::ALL,
    iam::ALL,
    kms::ALL,
    lakeformation::ALL,
    lambda::ALL,
    logs::ALL,
    s3::ALL,
    signin::ALL,
    sso::ALL,
    sts::ALL,
];

/// An operation of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    service: &'static str,
    name: &'static str,
    action: &'static str,
    effect: OperationEffect,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationEffect {
    /// It reads only (IAM's access levels "Read" and "List").
    Reads,
    /// It changes something.
    Changes {
        /// What its repetition gets.
        repeat: Repeat,
        /// Where AWS says so.
        source: &'static str,
    },
}

/// What the second of two equal calls gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The same success, and nothing more is changed.
    Same,
    /// The first answer once more: both carry the same idempotency token.
    Token,
    /// One of these errors, because of what the first has done. A success is possible too.
    Meets(&'static [(Met, &'static str)]),
    /// A success that makes another thing of the same sort. It must be looked for before it is sent again.
    Another,
}

/// A state that the first of two equal calls has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// What was to be made is there.
    Exists,
    /// What was to be deleted is gone.
    Gone,
    /// It is on its way to where it was sent.
    InTransition,
    /// The version that the call was to follow is no longer the last one.
    Overwritten,
}

impl Operation {
    const fn reads(service: &'static str, name: &'static str, action: &'static str) -> Self {
        Self { service, name, action, effect: OperationEffect::Reads }
    }

    const fn changes(
        service: &'static str,
        name: &'static str,
        action: &'static str,
        repeat: Repeat,
        source: &'static str,
    ) -> Self {
        Self { service, name, action, effect: OperationEffect::Changes { repeat, source } }
    }

    /// Prefix of the service as IAM actions have it, for example `kms`.
    pub const fn service(&self) -> &'static str {
        self.service
    }

    /// Name in the service's API reference, for example `CreateKey`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The IAM action that it needs (Service Authorization Reference), for example `kms:CreateKey`.
    pub const fn action(&self) -> &'static str {
        self.action
    }

    /// What it does.
    pub const fn effect(&self) -> OperationEffect {
        self.effect
    }

    /// Whether it only reads.
    pub const fn is_read(&self) -> bool {
        matches!(self.effect, OperationEffect::Reads)
    }

    /// Whether it may be sent again after a lost answer without a look at what the first attempt has done.
    pub(super) fn is_safe(&self) -> bool {
        !matches!(self.effect, OperationEffect::Changes { repeat: Repeat::Another, .. })
    }

    /// The state behind an error of this operation, if its own first attempt can have led to it.
    pub(super) fn met(&self, code: &str) -> Option<Met> {
        match self.effect {
            OperationEffect::Changes { repeat: Repeat::Meets(errors), .. } => {
                errors.iter().find(|(_, known)| *known == code).map(|(met, _)| *met)
            }
            _ => None,
        }
    }

    /// A call of it; see [`Call::once`].
    pub const fn once(&'static self) -> Call {
        Call::of(self).once()
    }

    /// A call of it; see [`Call::persistent`].
    pub const fn persistent(&'static self) -> Call {
        Call::of(self).persistent()
    }

    /// A call of it; see [`Call::eventually`].
    pub const fn eventually(&'static self, errors: &'static [(&'static str, &'static str)]) -> Call {
        Call::of(self).eventually(errors)
    }

    /// A call of it; see [`Call::patience`].
    pub const fn patience(&'static self, patience: std::time::Duration) -> Call {
        Call::of(self).patience(patience)
    }
}

/// As logs and errors name it: `kms:CreateKey`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

/// All operations.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    SERVICES.into_iter().flatten().map(|(_, operation)| operation)
}

/// All of them with the paths that calls name them by: `ops::kms::CREATE_KEY`.
pub fn constants() -> impl Iterator<Item = (&'static str, &'static Operation)> {
    let from_here = |path: &'static str| path.split_once("::").map_or(path, |(_, path)| path);
    SERVICES.into_iter().flatten().map(move |(path, operation)| (from_here(path), operation))
}

/// Makes constants. Each is named like its operation, as is the IAM action unless `allowed_by` names another. `ALL` is made of the
/// facts and not of the constants, so that one that nothing uses is still dead code to the compiler.
macro_rules! operations {
    ($service:literal, $(
        $constant:ident = $effect:ident($name:literal $(, $fact:expr)* $(,)?) $(.allowed_by($action:literal))?
    ),+ $(,)?) => {
        $(
            #[doc = concat!("`", $service, ":", $name, "`")]
            pub const $constant: &super::Operation = &operations!(@one
                $service, $effect, $name, [$($action)?], $($fact),*);
        )+
        pub(super) const ALL: &[(&str, super::Operation)] = &[$((
            concat!(module_path!(), "::", stringify!($constant)),
            operations!(@one $service, $effect, $name, [$($action)?], $($fact),*),
        )),+];
    };
    (@one $service:literal, $effect:ident, $name:literal, [], $($fact:expr),*) => {
        super::Operation::$effect($service, $name, concat!($service, ":", $name), $($fact),*)
    };
    (@one $service:literal, $effect:ident, $name:literal, [$action:literal], $($fact:expr),*) => {
        super::Operation::$effect($service, $name, $action, $($fact),*)
    };
}
use operations;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_operation_has_one_constant_of_its_own_name() {
        let names: BTreeSet<String> = all().map(ToString::to_string).collect();
        assert_eq!(names.len(), all().count());
        for (constant, operation) in constants() {
            let constant = constant.rsplit("::").next().unwrap_or_default();
            assert_eq!(constant.replace('_', "").to_lowercase(), operation.name.to_lowercase());
        }
    }

    /// IAM's access levels go by the verb as well. This finds a change that is entered as a read, which would be sent again after
    /// a lost answer without any care.
    #[test]
    fn what_only_reads_is_named_so_and_what_changes_something_has_a_source() {
        // `$validate` stores nothing (FHIR R4, Resource-validate), nor does TransformData (HealthLake developer guide, Synchronous
        // transformation).
        const READS: [&str; 13] = [
            "AdminGet",
            "Describe",
            "Filter",
            "Get",
            "Head",
            "List",
            "Lookup",
            "Read",
            "Search",
            "Simulate",
            "Transform",
            "Validate",
            "VersionRead",
        ];
        // No requests, and so without a verb of IAM's.
        let words = [fhir::EXPLAIN, fhir::SIGN];
        for operation in all() {
            let named_so = READS.iter().any(|verb| operation.name.starts_with(verb)) || words.contains(&operation);
            assert_eq!(operation.is_read(), named_so, "{operation}");
            if let OperationEffect::Changes { source, .. } = operation.effect {
                assert!(!source.is_empty(), "{operation}");
            }
        }
    }

    #[test]
    fn the_action_is_named_like_the_operation_unless_the_constant_says_otherwise() {
        assert_eq!(kms::CREATE_KEY.action(), "kms:CreateKey");
        assert_eq!(s3::HEAD_BUCKET.action(), "s3:ListBucket");
        assert_eq!(lambda::INVOKE.action(), "lambda:InvokeFunction");
        for operation in all() {
            assert!(operation.action.starts_with(&format!("{}:", operation.service)), "{operation}");
        }
    }

    #[test]
    fn what_makes_another_thing_each_time_is_not_sent_again() {
        assert!(kms::DESCRIBE_KEY.is_safe());
        assert!(healthlake::DELETE_FHIR_DATASTORE.is_safe());
        assert!(!kms::CREATE_KEY.is_safe());
        assert_eq!(healthlake::DELETE_FHIR_DATASTORE.met("ConflictException"), Some(Met::InTransition));
        assert_eq!(healthlake::DELETE_FHIR_DATASTORE.met("ValidationException"), None);
    }
}
