//! The commented file that `hlctl init` writes.

use super::keys::{self, Default, Group, Key};

const HEAD: &str = "\
# hlctl: one AWS HealthLake FHIR store and what it needs.
#
# Check this file with `hlctl validate`, preview the changes with `hlctl plan`, make them with `hlctl apply`.
# Try it without AWS: `hlctl --sandbox apply`. A key can also be set by a variable, HLCTL_<KEY> in capitals, or by
# `--set KEY=VALUE`; a flag overrides a variable, a variable this file.
#
# Lines that begin with `#` and a key show the default, or an example where there is none.
";

/// The text of `healthlake.toml.example`: valid as it is, required keys set to placeholders, the others commented out.
pub fn example_file() -> String {
    let mut text = HEAD.to_owned();
    for group in Group::ALL {
        text.push_str(&format!("\n# {}\n", group.title()));
        for key in keys::all().filter(|key| key.group == group && key.name != keys::TAGS.name) {
            text.push_str(&entry(key));
        }
    }
    // A table swallows every key after it.
    text.push_str("\n# Tags\n");
    text.push_str(&tags(&keys::TAGS));
    text
}

fn entry(key: &Key) -> String {
    let comment = wrapped(key.doc);
    let line = match key.default {
        Default::Required => format!("{} = {}", key.name, key.example),
        Default::Unset => format!("# {} = {}", key.name, key.example),
        Default::Toml(default) => format!("# {} = {default}", key.name),
    };
    format!("\n{comment}{line}\n")
}

fn tags(key: &Key) -> String {
    let comment = wrapped(key.doc);
    format!("\n{comment}# [tags]\n# team = \"interop\"\n# environment = \"sandbox\"\n")
}

/// A comment of lines that fit a terminal.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| line.len() + 1 + word.len() > WIDTH);
        if full {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}
