//! Snapshots, without what differs from run to run.

use insta::Settings;

/// What differs from run to run, and what stands in its place.
const FILTERS: &[(&str, &str)] = &[
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{32}\b", "STORE"),
    (r"-[0-9a-f]{12}\b", "-LINEAGE"),
    (r"\b\d+m \d\ds\b|\b\d+(\.\d)? m?s\b", "TIME"),
    (r"\b20\d\d-\d\d-\d\d( \d\d:\d\d:\d\d UTC)?", "DATE"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"(/[^/\s]+)*/\.tmp\w+", "DIRECTORY"),
    (r"\(EOF while parsing .* column \d+\)", "(EOF)"),
    (r"serial \d+ then, \d+ now", "serial N then, M now"),
    (r"process \d+ of .* on .*, since", "process PID of USER on HOST, since"),
];

/// Compares with the snapshot of this name.
pub(crate) fn snapshot(name: &str, text: &(impl ToString + ?Sized)) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, replacement) in FILTERS {
        settings.add_filter(pattern, *replacement);
    }
    settings.bind(|| insta::assert_snapshot!(name, text.to_string()));
}
