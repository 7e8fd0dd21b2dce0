//! What is known of Lambda's runtimes: their language, and until when functions can be made for them.

use aws_sdk_lambda::types::Runtime;
use jiff::SignedDuration;
use jiff::civil::Date;

/// The language of a runtime, as far as it says where a handler is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// A program called `bootstrap`.
    Program,
    /// Python.
    Python,
    /// Node.js.
    Node,
    /// Ruby.
    Ruby,
    /// Java.
    Java,
    /// .NET.
    Dotnet,
    /// Something else, of which nothing is known.
    Other,
}

impl Family {
    /// The family of a runtime by its identifier.
    pub(super) fn of(runtime: &str) -> Self {
        let families = [
            ("provided", Self::Program),
            ("python", Self::Python),
            ("nodejs", Self::Node),
            ("ruby", Self::Ruby),
            ("java", Self::Java),
            ("dotnet", Self::Dotnet),
        ];
        families.into_iter().find(|(start, _)| runtime.starts_with(start)).map_or(Self::Other, |(_, family)| family)
    }
}

/// The days on which Lambda ends a runtime, step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// From then on AWS gives it no security updates.
    pub deprecated: Date,
    /// From then on no function can be created with it.
    pub no_creation: Date,
    /// From then on no function that has it can be changed.
    pub no_update: Date,
}

/// How far the end of a runtime has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Lambda supports it, and for more than a year yet.
    Supported,
    /// It is none that this hlctl knows: a newer one, or none at all.
    Unknown,
    /// Lambda supports it, and deprecates it within a year.
    Ending(End),
    /// It gets no updates any more, and its end is dated.
    Deprecated(End),
    /// No function can be made for it; those that there are can still be changed.
    NoCreation(End),
    /// No function of it can be changed either.
    NoUpdate(End),
}

/// How long before its end a runtime is spoken of: code takes time to be moved to another one, and to be tried there. AWS itself
/// writes to the account 180 days before ("Runtime deprecation policy").
const AHEAD: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How far the end of this runtime has come on that day.
pub(super) fn stage(runtime: &str, today: Date) -> Stage {
    let Some(end) = end_of(runtime) else {
        return if Runtime::values().contains(&runtime) { Stage::Supported } else { Stage::Unknown };
    };
    if today >= end.no_update {
        Stage::NoUpdate(end)
    } else if today >= end.no_creation {
        Stage::NoCreation(end)
    } else if today >= end.deprecated {
        Stage::Deprecated(end)
    } else if today.saturating_add(AHEAD) >= end.deprecated {
        Stage::Ending(end)
    } else {
        Stage::Supported
    }
}

fn end_of(runtime: &str) -> Option<End> {
    let (_, deprecated, no_creation, no_update) = ENDS.iter().find(|(name, ..)| *name == runtime)?;
    let date = |(year, month, day): &Day| Date::new(*year, *month, *day).ok();
    Some(End { deprecated: date(deprecated)?, no_creation: date(no_creation)?, no_update: date(no_update)? })
}

type Day = (i16, i8, i8);

/// When the table was last held against its source: the Lambda developer guide, "Lambda runtimes", as cfn-lint 1.58.0 has it.
pub(super) const AS_OF: &str = "2026-10-20";

/// Deprecated, no creation, no update. Runtimes of the SDK's model of Lambda that are not here have no end yet. AWS has put such
/// dates off before, never forward.
const ENDS: &[(&str, Day, Day, Day)] = &[
    ("dotnet6", (2024, 12, 20), (2027, 2, 1), (2027, 3, 3)),
    ("dotnet8", (2026, 11, 10), (2027, 2, 1), (2027, 3, 3)),
    ("dotnet10", (2028, 11, 14), (2028, 12, 14), (2029, 1, 15)),
    ("dotnetcore1.0", (2019, 6, 27), (2019, 6, 30), (2019, 7, 30)),
    ("dotnetcore2.0", (2019, 4, 30), (2019, 4, 30), (2019, 5, 30)),
    ("dotnetcore2.1", (2022, 1, 5), (2022, 1, 5), (2022, 4, 13)),
    ("dotnetcore3.1", (2023, 4, 3), (2023, 4, 3), (2023, 5, 3)),
    ("go1.x", (2024, 1, 8), (2024, 2, 8), (2027, 3, 3)),
    ("java8", (2024, 1, 8), (2024, 2, 8), (2027, 3, 3)),
    ("java8.al2", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
    ("java11", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
    ("java17", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
    ("java21", (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ("java25", (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ("nodejs", (2016, 8, 30), (2016, 9, 30), (2016, 10, 31)),
    ("nodejs4.3", (2020, 2, 3), (2020, 2, 3), (2020, 3, 5)),
    ("nodejs4.3-edge", (2019, 3, 31), (2019, 3, 31), (2019, 4, 30)),
    ("nodejs6.10", (2019, 7, 12), (2019, 7, 12), (2019, 8, 12)),
    ("nodejs8.10", (2020, 2, 4), (2020, 2, 4), (2020, 3, 6)),
    ("nodejs10.x", (2021, 7, 30), (2021, 7, 30), (2022, 2, 14)),
    ("nodejs12.x", (2023, 3, 31), (2023, 3, 31), (2023, 4, 30)),
    ("nodejs14.x", (2023, 12, 4), (2024, 1, 9), (2027, 3, 3)),
    ("nodejs16.x", (2024, 6, 12), (2027, 2, 1), (2027, 3, 3)),
    ("nodejs18.x", (2025, 9, 1), (2027, 2, 1), (2027, 3, 3)),
    ("nodejs20.x", (2026, 4, 30), (2027, 2, 1), (2027, 3, 3)),
    ("nodejs22.x", (2027, 4, 30), (2027, 6, 1), (2027, 7, 1)),
    ("nodejs24.x", (2028, 4, 30), (2028, 6, 1), (2028, 7, 1)),
    ("provided", (2024, 1, 8), (2024, 2, 8), (2027, 3, 3)),
    ("provided.al2", (2026, 7, 31), (2027, 2, 1), (2027, 3, 3)),
    ("provided.al2023", (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ("python2.7", (2021, 7, 15), (2021, 7, 15), (2022, 5, 30)),
    ("python3.6", (2022, 7, 18), (2022, 7, 18), (2022, 8, 29)),
    ("python3.7", (2023, 12, 4), (2024, 1, 9), (2027, 3, 3)),
    ("python3.8", (2024, 10, 14), (2027, 2, 1), (2027, 3, 3)),
    ("python3.9", (2025, 12, 15), (2027, 2, 1), (2027, 3, 3)),
    ("python3.10", (2026, 10, 31), (2027, 2, 1), (2027, 3, 3)),
    ("python3.11", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
    ("python3.12", (2028, 10, 31), (2028, 11, 30), (2029, 1, 10)),
    ("python3.13", (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ("python3.14", (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ("ruby2.5", (2021, 7, 30), (2021, 7, 30), (2022, 3, 31)),
    ("ruby2.7", (2023, 12, 7), (2024, 1, 9), (2027, 3, 3)),
    ("ruby3.2", (2026, 3, 31), (2027, 2, 1), (2027, 3, 3)),
    ("ruby3.3", (2027, 3, 31), (2027, 4, 30), (2027, 5, 31)),
    ("ruby3.4", (2028, 3, 31), (2028, 4, 30), (2028, 5, 31)),
    ("ruby4.0", (2029, 3, 31), (2029, 4, 30), (2029, 5, 31)),
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A stage without its dates.
    fn word(stage: Stage) -> &'static str {
        match stage {
            Stage::Supported => "supported",
            Stage::Unknown => "unknown",
            Stage::Ending(_) => "ending",
            Stage::Deprecated(_) => "deprecated",
            Stage::NoCreation(_) => "no creation",
            Stage::NoUpdate(_) => "no update",
        }
    }

    #[test]
    fn a_runtime_ends_in_stages() {
        for (runtime, day, then) in [
            ("python3.11", date(2026, 6, 29), "supported"),
            ("python3.11", date(2026, 6, 30), "ending"),
            ("python3.11", date(2027, 6, 29), "ending"),
            ("python3.11", date(2027, 6, 30), "deprecated"),
            ("python3.11", date(2027, 7, 31), "no creation"),
            ("python3.11", date(2027, 8, 31), "no update"),
            ("nodejs14.x", date(2026, 1, 1), "no creation"),
            ("python2.7", date(2026, 1, 1), "no update"),
            ("python3.13", date(2028, 1, 1), "supported"),
            ("python3.99", date(2026, 1, 1), "unknown"),
        ] {
            assert_eq!(word(stage(runtime, day)), then, "{runtime} on {day}");
        }
    }

    #[test]
    fn each_date_is_one_and_they_follow_one_another() {
        for (runtime, ..) in ENDS {
            let end = end_of(runtime);
            assert!(
                end.is_some_and(|end| end.deprecated <= end.no_creation && end.no_creation <= end.no_update),
                "{runtime}"
            );
            assert_ne!(Family::of(runtime), if *runtime == "go1.x" { Family::Program } else { Family::Other });
        }
    }

    #[test]
    fn the_table_names_no_runtime_twice_and_none_that_lambda_never_had() {
        for (place, (runtime, ..)) in ENDS.iter().enumerate() {
            assert!(Runtime::values().contains(runtime), "{runtime}");
            assert!(!ENDS[..place].iter().any(|(other, ..)| other == runtime), "{runtime}");
        }
    }
}
