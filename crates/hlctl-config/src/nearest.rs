//! "Did you mean": the one place that decides what a mistyped word was meant for.

/// Below this likeness (Jaro-Winkler, 0 to 1) a guess misleads more often than it helps.
const LIKE: f64 = 0.85;

/// A user's text can be as long as a file; no name that hlctl knows is.
const LONGEST: usize = 100;

/// The candidate that was probably meant, if one is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// Whether the word is this one with a letter too many, missing, wrong, or swapped with the next.
pub fn is_mistyped(word: &str, meant: &str) -> bool {
    word.len() <= LONGEST && strsim::damerau_levenshtein(&word.to_lowercase(), meant) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_guessed() {
        let names = ["s3_bucket.data", "iam_role.healthlake", "datastore_arn"];
        for (word, meant) in [
            ("s3_bucket.dat", Some("s3_bucket.data")),
            ("datastore_arm", Some("datastore_arn")),
            ("Datastore_Arn", Some("datastore_arn")),
            ("nope", None),
            ("nope.x y", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), meant, "{word:?}");
        }
        assert_eq!(nearest(&"s3_bucket.data".repeat(100), names), None);
    }

    #[test]
    fn one_slip_is_a_mistyped_word_and_another_word_is_not() {
        assert!(["destory", "destro", "destroyy", "destroy"].iter().all(|word| is_mistyped(word, "destroy")));
        assert!(!is_mistyped("deploy", "destroy") && !is_mistyped("unlock", "unprotect"));
    }
}
