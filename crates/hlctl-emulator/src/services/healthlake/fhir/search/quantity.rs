//! Quantities in searches: as exact as they are written (R4, search, quantity).

use serde_json::Value;

use super::filter::Prefix;
use super::value::{split, unescaped};
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};

/// `number`, `number|system|code` or `number||code`, with a prefix before it.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    prefix: Prefix,
    value: f64,
    /// Half a unit of the last digit: how inexactly the value was written.
    half: f64,
    system: String,
    code: String,
}

impl Quantity {
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let (prefix, rest) = Prefix::split(text)?;
        let parts: Vec<String> = split(rest, '|').iter().map(|part| unescaped(part)).collect();
        let part = |place: usize| parts.get(place).cloned().unwrap_or_default();
        let digits = part(0);
        let value: f64 = digits
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .ok_or_else(|| Refusal::invalid(format!("\"{text}\" is not a quantity.")))?;
        Ok(Self { prefix, value, half: half_a_digit(&digits), system: part(1), code: part(2) })
    }

    pub(super) fn matches(&self, element: &Value) -> bool {
        let Some(value) = element.get("value").and_then(Value::as_f64) else {
            return false;
        };
        let text = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
        let unit =
            self.code.is_empty() || text("code") == self.code || (self.system.is_empty() && text("unit") == self.code);
        let system = self.system.is_empty() || text("system") == self.system;
        unit && system && self.compares(value)
    }

    fn compares(&self, value: f64) -> bool {
        let equal = self.value - self.half <= value && value < self.value + self.half;
        match self.prefix {
            Prefix::Equal => equal,
            Prefix::NotEqual => !equal,
            Prefix::Greater | Prefix::After => value > self.value,
            Prefix::Less | Prefix::Before => value < self.value,
            Prefix::GreaterOrEqual => value >= self.value,
            Prefix::LessOrEqual => value <= self.value,
        }
    }
}

/// `5.40` was rounded to a hundredth, so it stands for what is less than half a hundredth away.
fn half_a_digit(digits: &str) -> f64 {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, after)| after.len());
    let exponent: i32 = exponent.parse().unwrap_or(0);
    0.5 * 10f64.powi(exponent.saturating_sub(i32::try_from(decimals).unwrap_or(i32::MAX)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_quantity_is_as_exact_as_it_is_written() {
        let element = json!({"value": 5.42, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"});
        for (text, expected) in [
            ("5.4", true),
            ("5.42", true),
            ("5.5", false),
            ("gt5.41", true),
            ("le5.42||mg", true),
            ("5.4|http://unitsofmeasure.org|mg", true),
            ("5.4|http://unitsofmeasure.org|g", false),
            ("ne5.4", false),
            ("5e0", true),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().matches(&element), expected, "{text}");
        }
        assert!(Quantity::parse("ap5").unwrap_err().text().contains("prefix ap"));
        assert!(Quantity::parse("gtx").is_err() && Quantity::parse("inf").is_err());
    }
}
