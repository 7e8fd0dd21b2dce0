//! The ways in which a request can name a function.

use crate::route::Caller;

/// A function, and what of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(super) function: String,
    /// A version or an alias.
    pub(super) qualifier: Option<String>,
    /// Region and account, where the name gives them.
    region: Option<String>,
    account: Option<String>,
}

impl Name {
    /// Reads `name`, `name:qualifier`, `account:function:name` or an ARN, the latter two with or without
    /// a qualifier (Lambda API reference, FunctionName).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match parts[..] {
            ["arn", _, "lambda", region, account, "function", ..] => (Some(region), Some(account), &parts[6..]),
            [account, "function", ..] => (None, Some(account), &parts[2..]),
            ["function", ..] => (None, None, &parts[1..]),
            _ => (None, None, &parts[..]),
        };
        let (function, qualifier) = match *rest {
            [function] => (function, None),
            [function, qualifier] => (function, Some(qualifier)),
            _ => return None,
        };
        let is_name =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !is_name(function) || !qualifier.is_none_or(|qualifier| qualifier == "$LATEST" || is_name(qualifier)) {
            return None;
        }
        Some(Self {
            function: function.to_owned(),
            qualifier: qualifier.map(ToOwned::to_owned),
            region: region.map(ToOwned::to_owned),
            account: account.map(ToOwned::to_owned),
        })
    }

    /// Whether this is a name of the function whose ARN is `arn`.
    pub(super) fn names(&self, arn: &str) -> bool {
        let mut parts = arn.split(':').skip(3);
        let (region, account) = (parts.next(), parts.next());
        self.region.is_none() || self.region.as_deref() == region && self.account.as_deref() == account
    }

    /// Whether the function is one of the caller's account and region.
    pub(super) fn is_within(&self, caller: &Caller) -> bool {
        self.region.as_ref().is_none_or(|region| *region == caller.region)
            && self.account.as_ref().is_none_or(|account| *account == caller.account)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_function_can_be_named_in_many_ways() {
        for (text, qualifier) in [
            ("my-fn", None),
            ("my-fn:live", Some("live")),
            ("123456789012:function:my-fn", None),
            ("arn:aws:lambda:us-east-1:123456789012:function:my-fn", None),
            ("arn:aws:lambda:us-east-1:123456789012:function:my-fn:$LATEST", Some("$LATEST")),
        ] {
            let name = Name::parse(text).unwrap();
            assert_eq!((name.function.as_str(), name.qualifier.as_deref()), ("my-fn", qualifier), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "a b", "a:b:c", "arn:aws:lambda:us-east-1:123456789012:layer:x", "a/b", "fn:"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
