//! Commands of the AWS CLI, for people to paste.

/// A command with the region that it concerns: another one may be set where it is pasted. IAM commands need it too: the region
/// says which partition's endpoint is asked (AWS General Reference, "AWS Identity and Access Management endpoints and quotas").
pub fn command(region: &str, service: &str, operation: &str, options: &[(&str, &str)]) -> String {
    let words = ["aws", service, operation, "--region", region].into_iter();
    let words: Vec<&str> = words.chain(options.iter().flat_map(|(name, value)| [*name, *value])).collect();
    shlex::try_join(words.iter().copied()).unwrap_or_else(|_| words.join(" "))
}
