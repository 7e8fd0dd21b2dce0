//! What a server says that it has calculated.

/// The canonical request in the message of a refused signature. AWS's services that tell it write `The Canonical String for this
/// request should have been '...'` (IAM user guide, "Troubleshoot Signature Version 4").
pub fn canonical(message: &str) -> Option<&str> {
    quoted(message, "The Canonical String for this request should have been")
}

/// The string to sign in such a message.
pub fn string_to_sign(message: &str) -> Option<&str> {
    quoted(message, "The String-to-Sign should have been")
}

fn quoted<'m>(message: &'m str, before: &str) -> Option<&'m str> {
    let rest = message.split_once(before)?.1.trim_start().strip_prefix('\'')?;
    // A quotation mark may stand in the text itself; the one that closes it ends a line.
    let end = rest.match_indices('\'').map(|(place, _)| place).find(|place| {
        let after = &rest[place + 1..];
        after.is_empty() || after.starts_with(['\n', '\r'])
    })?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_are_found_in_the_message() {
        let message = "The request signature we calculated does not match the signature you provided. Consult the service \
                       documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n/a'b\n'\n\n\
                       The String-to-Sign should have been\n'AWS4-HMAC-SHA256\nx'\n";
        assert_eq!(canonical(message), Some("GET\n/a'b\n"));
        assert_eq!(string_to_sign(message), Some("AWS4-HMAC-SHA256\nx"));
        assert_eq!(canonical("The request signature we calculated does not match."), None);
        assert_eq!(canonical("The Canonical String for this request should have been 'GET"), None);
    }
}
