//! Required bindings whose codes nobody lists, and the form that the codes have.

/// A form of codes. The order is that of the generator's `FORMS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// ISO 4217: three capitals.
    Currency,
    /// BCP 13: a type and a subtype, and parameters.
    MimeType,
    /// UCUM: whatever it has, as `system|code`.
    Ucum,
}

impl Form {
    pub(crate) const ALL: [Self; 3] = [Self::Currency, Self::MimeType, Self::Ucum];

    /// Whether a code has this form.
    pub(crate) fn has(self, code: &str) -> bool {
        match self {
            Self::Currency => code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()),
            Self::MimeType => is_mime_type(code),
            Self::Ucum => code.strip_prefix("http://unitsofmeasure.org|").is_some_and(|unit| !unit.is_empty()),
        }
    }
}

/// R4 has short names of its own encodings too: `CapabilityStatement.format` says so, and HL7's examples have them elsewhere.
fn is_mime_type(code: &str) -> bool {
    if matches!(code, "xml" | "json" | "ttl") {
        return true;
    }
    let name = code.split_once(';').map_or(code, |(name, _)| name.trim_ascii_end());
    name.split_once('/').is_some_and(|(of, subtype)| is_restricted_name(of) && is_restricted_name(subtype))
}

/// RFC 6838, section 4.2.
fn is_restricted_name(name: &str) -> bool {
    name.len() <= 127
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_form_of_their_system() {
        #[rustfmt::skip]
        let table: [(Form, &[&str], &[&str]); 3] = [
            (Form::Currency, &["USD", "EUR", "XXX"], &["usd", "US", "USDX", "$", "US1", "", "ÄB"]),
            (
                Form::MimeType,
                &["image/png", "text/plain; charset=utf-8", "text/plain ;charset=utf-8", "application/fhir+json", "application/vnd.a-b_c.d+e",
                  "application/dicom; variant=DICOM STOW-RS", "application/hl7-sda+xml; variant=XDA/XDS", "xml", "json", "ttl"],
                &["png", "image/", "/png", "image/png/x", "image /png", "image/ png", "image/*", "image/pn(g", ".a/b", "", ";", "XML"],
            ),
            (Form::Ucum, &["http://unitsofmeasure.org|mm[Hg]"], &["http://unitsofmeasure.org|", "http://example.org|mm", "mm"]),
        ];
        for (form, good, bad) in table {
            assert!(good.iter().all(|code| form.has(code)), "{form:?}");
            let taken: Vec<_> = bad.iter().filter(|code| form.has(code)).collect();
            assert!(taken.is_empty(), "{form:?}: {taken:?}");
        }
        assert!(!Form::MimeType.has(&format!("a/{}", "b".repeat(128))));
    }
}
