//! What is known of Lambda's runtimes: their language, and until when functions can be made for them.

use aws_sdk_lambda::types::Runtime;
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

/// How far the end of a runtime has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Lambda supports it.
    Supported,
    /// It is none that this hlctl knows: a newer one, or none at all.
    Unknown,
    /// It gets no updates any more, and its end is dated.
    Deprecated,
    /// No function can be made for it; those that there are can still be changed.
    NoCreation,
    /// No function of it can be changed either.
    NoUpdate,
}

/// How far the end of this runtime has come on that day.
pub(super) fn stage(runtime: &str, today: Date) -> Stage {
    let Some((_, deprecated, no_creation, no_update)) = ENDS.iter().find(|(name, ..)| *name == runtime) else {
        return if Runtime::values().contains(&runtime) { Stage::Supported } else { Stage::Unknown };
    };
    let has_come = |(year, month, day): (i16, i8, i8)| Date::new(year, month, day).is_ok_and(|date| date <= today);
    if has_come(*no_update) {
        Stage::NoUpdate
    } else if has_come(*no_creation) {
        Stage::NoCreation
    } else if has_come(*deprecated) {
        Stage::Deprecated
    } else {
        Stage::Supported
    }
}

type Day = (i16, i8, i8);

/// Deprecated, no creation, no update (Lambda developer guide, "Lambda runtimes", as cfn-lint 1.58.0 has it; supported ones of
/// later dates are left out: all others that the SDK's model of Lambda names are supported). AWS has put such dates off before, never forward.
const ENDS: &[(&str, Day, Day, Day)] = &[
    ("dotnet6", (2024, 12, 20), (2027, 2, 1), (2027, 3, 3)),
    ("dotnet8", (2026, 11, 10), (2027, 2, 1), (2027, 3, 3)),
    ("dotnetcore1.0", (2019, 6, 27), (2019, 6, 30), (2019, 7, 30)),
    ("dotnetcore2.0", (2019, 5, 30), (2019, 5, 30), (2019, 5, 30)),
    ("dotnetcore2.1", (2022, 1, 5), (2022, 1, 5), (2022, 4, 13)),
    ("dotnetcore3.1", (2023, 4, 3), (2023, 4, 3), (2023, 5, 3)),
    ("go1.x", (2024, 1, 8), (2024, 2, 8), (2027, 3, 3)),
    ("java8", (2024, 1, 8), (2024, 2, 8), (2027, 3, 3)),
    ("java8.al2", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
    ("java11", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
    ("java17", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
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
    ("provided", (2024, 1, 8), (2024, 2, 8), (2027, 3, 3)),
    ("provided.al2", (2026, 7, 31), (2027, 2, 1), (2027, 3, 3)),
    ("python2.7", (2021, 7, 15), (2021, 7, 15), (2022, 5, 30)),
    ("python3.6", (2022, 7, 18), (2022, 7, 18), (2022, 8, 29)),
    ("python3.7", (2023, 12, 4), (2024, 1, 9), (2027, 3, 3)),
    ("python3.8", (2024, 10, 14), (2027, 2, 1), (2027, 3, 3)),
    ("python3.9", (2025, 12, 15), (2027, 2, 1), (2027, 3, 3)),
    ("python3.10", (2026, 10, 31), (2027, 2, 1), (2027, 3, 3)),
    ("python3.11", (2027, 6, 30), (2027, 7, 31), (2027, 8, 31)),
    ("ruby2.5", (2021, 7, 30), (2021, 7, 30), (2022, 3, 31)),
    ("ruby2.7", (2023, 12, 7), (2024, 1, 9), (2027, 3, 3)),
    ("ruby3.2", (2026, 3, 31), (2027, 2, 1), (2027, 3, 3)),
    ("ruby3.3", (2027, 3, 31), (2027, 4, 30), (2027, 5, 31)),
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_runtime_ends_in_stages() {
        for (runtime, year, stage_then) in [
            ("python3.9", 2025, Stage::Supported),
            ("python3.9", 2026, Stage::Deprecated),
            ("python3.9", 2028, Stage::NoUpdate),
            ("nodejs14.x", 2026, Stage::NoCreation),
            ("python2.7", 2026, Stage::NoUpdate),
            ("python3.13", 2028, Stage::Supported),
            ("python3.99", 2026, Stage::Unknown),
        ] {
            assert_eq!(stage(runtime, date(year, 1, 1)), stage_then, "{runtime} in {year}");
        }
    }

    #[test]
    fn each_date_is_one_and_they_follow_one_another() {
        for (runtime, deprecated, no_creation, no_update) in ENDS {
            for (year, month, day) in [deprecated, no_creation, no_update] {
                assert!(Date::new(*year, *month, *day).is_ok(), "{runtime}");
            }
            assert!(deprecated <= no_creation && no_creation <= no_update, "{runtime}");
            assert_ne!(Family::of(runtime), if *runtime == "go1.x" { Family::Program } else { Family::Other });
        }
    }
}
