//! Concepts of which R4 says which codes they may have.

use std::borrow::Cow;

use hlctl_r4::Element;
use serde::Deserialize;

#[derive(Deserialize)]
struct Concept<'a> {
    #[serde(borrow, default)]
    coding: Vec<Coding<'a>>,
}

#[derive(Deserialize)]
struct Coding<'a> {
    #[serde(borrow)]
    system: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
}

/// Whether one of the codings is allowed. A concept without a code in it says nothing that could be compared, and one of another
/// form has faults of its own.
pub(super) fn has_allowed_code(concept: &str, element: &Element) -> bool {
    let Ok(concept) = serde_json::from_str::<Concept<'_>>(concept) else { return true };
    let mut codes = concept.coding.iter().filter(|coding| coding.code.is_some()).peekable();
    if codes.peek().is_none() {
        return true;
    }
    codes.any(|coding| {
        let (Some(system), Some(code)) = (&coding.system, &coding.code) else { return false };
        element.allows(&format!("{system}|{code}"))
    })
}
