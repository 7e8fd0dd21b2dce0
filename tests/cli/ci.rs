//! What workflows use: plans as comments, and runs that another program follows.

use crate::support::{ALICE_PASSWORD, Place};

#[test]
fn a_plan_as_markdown_has_a_line_for_each_resource_that_opens() {
    let place = Place::quick("minimal");
    let shown = place.run(["plan", "--format", "markdown", "--detailed-exitcode"]).exits(2);
    assert!(
        shown.stdout.starts_with("### Plan for account 000000000000, region us-east-1\n\n**Plan: 19 to add"),
        "{shown}"
    );
    assert_eq!(shown.stdout.matches("<details><summary>create <code>").count(), 19, "{shown}");
    assert_eq!(shown.stdout.matches("\n```diff\n").count(), shown.stdout.matches("\n```\n").count(), "{shown}");
    place.run(["plan", "--format", "markdown", "--json"]).exits(64);
    place.apply();
    let shown = place.run(["plan", "--format", "markdown"]).succeeds();
    assert!(
        shown.stdout.contains("**No changes: 19 resources unchanged.**") && !shown.stdout.contains("<details>"),
        "{shown}"
    );
}

#[test]
fn a_plan_as_markdown_says_what_would_be_refused_and_shows_no_secret() {
    let place = Place::quick("smart");
    place.add_own_package();
    let shown = place.run(["plan", "--format", "markdown"]).succeeds();
    assert!(shown.stdout.contains("(sensitive)") && !shown.stdout.contains(ALICE_PASSWORD), "{shown}");
    let place = Place::quick("minimal");
    place.apply();
    place.configure("example-fhir-minimal-data", "example-other-data");
    let shown = place.run(["plan", "--format", "markdown"]).exits(5);
    assert!(shown.stdout.contains("Apply would refuse this plan:\n\n- <code>s3&#95;bucket.data</code>: "), "{shown}");
}
