//! The parts of transforms that have a language of their own: dates, expressions and patterns.

mod date;
mod expression;
mod pattern;

pub(crate) use date::DateFormats;
pub use date::{DateFault, DatePart};
pub use expression::ExpressionFault;
pub(crate) use expression::{Expression, Part};
pub(crate) use pattern::Pattern;
pub use pattern::PatternFault;
