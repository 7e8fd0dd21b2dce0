//! Characters that AWS allows in names.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

use super::Finding;

/// `\p{L}\p{Z}\p{N}`: letters, separators and numbers of any script, as AWS's models write it.
pub(super) fn is_letter_space_or_number(c: char) -> bool {
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Separator | GeneralCategoryGroup::Number
    )
}

/// `\p{L}\p{M}\p{S}\p{N}\p{P}`: whatever leaves ink.
pub(super) fn is_visible(c: char) -> bool {
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Mark
            | GeneralCategoryGroup::Symbol
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Punctuation
    )
}

/// `[\w+=,.@-]` of IAM, whose `\w` is ASCII.
pub(super) fn is_iam(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

/// The first character that `allowed` refuses.
pub(super) fn foreign(value: &str, allowed: impl Fn(char) -> bool, wants: &str) -> Option<Finding> {
    let (at, c) = value.char_indices().find(|(_, c)| !allowed(*c))?;
    Some(
        Finding::error(format!("may not contain {}", name(c)))
            .help(format!("it takes {wants}"))
            .at(at..at + c.len_utf8()),
    )
}

/// A character in words.
pub(super) fn name(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        c if c.is_control() || !is_visible(c) => format!("the character U+{:04X}", u32::from(c)),
        c => format!("`{c}`"),
    }
}
