//! Reads the key `transform_profiles`.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeValue;

use super::describe::listed;
use super::keys;
use super::model::{MappingOrigin, TransformFormat, TransformProfileConfig};
use super::problem::Problem;
use super::reader::{Item, MOST_ENTRIES, Reader, table_of};
use super::rules::{cognito, quoted, tags, transform};

/// Fields of a profile.
pub(super) const FIELDS: [&str; 8] =
    ["name", "format", "mapping", "starter", "clone", "kms_key", "description", "tags"];
/// Those without which there is none.
pub(super) const REQUIRED: [&str; 2] = ["name", "format"];
/// Those of which a profile has exactly one.
pub(super) const SOURCES: [&str; 3] = ["mapping", "starter", "clone"];
/// Fields of a clone.
pub(super) const CLONE: [&str; 2] = ["profile", "version"];

impl<'s> Reader<'s> {
    pub(super) fn transform_profiles(&mut self, base_dir: &Path) -> Vec<TransformProfileConfig> {
        self.with_item(keys::TRANSFORM_PROFILES, |reader, item, example| {
            let DeValue::Array(array) = item.value.get_ref() else {
                reader.wrong_type(item, "a list of tables", example);
                return Vec::new();
            };
            if array.len() > transform::MOST {
                let message =
                    format!("`{}` has {} profiles, the maximum is {}", item.path, array.len(), transform::MOST);
                let help = "AWS takes so many in an account and region, and does not raise it";
                reader.problems.push(item.problem(message).help(help));
            }
            let mut profiles: Vec<TransformProfileConfig> = Vec::new();
            for (index, value) in array.iter().take(MOST_ENTRIES).enumerate() {
                let entry = Item { source: item.source, path: format!("{}[{index}]", item.path), value };
                let Some(profile) = reader.transform_profile(&entry, base_dir, example) else { continue };
                if profiles.iter().any(|other| other.name == profile.name) {
                    let message = format!("`{}` has the name of another profile", entry.path);
                    reader.problems.push(entry.problem(message).help("the name is a part of the resource's address"));
                }
                profiles.push(profile);
            }
            profiles
        })
        .unwrap_or_default()
    }

    fn transform_profile(
        &mut self,
        item: &Item<'_, 's>,
        base_dir: &Path,
        example: &'static str,
    ) -> Option<TransformProfileConfig> {
        let fields = self.fields(item, &FIELDS, example)?;
        for name in REQUIRED.into_iter().filter(|name| !fields.contains_key(name)) {
            self.problems.push(item.problem(format!("`{}` has no `{name}`", item.path)));
        }
        let given: Vec<&str> = SOURCES.into_iter().filter(|name| fields.contains_key(name)).collect();
        if given.len() != 1 {
            let message = match given.as_slice() {
                [] => format!("`{}` has no `mapping`", item.path),
                _ => format!("`{}` has {}, but takes one of them", item.path, listed(&given)),
            };
            let help = "`mapping` is a YAML file or a folder of templates; `starter` is AWS's starter for C-CDA; `clone` is a version of \
                        another profile";
            self.problems.push(item.problem(message).help(help));
        }
        let format = fields.get("format").and_then(|field| self.choice(field, &TransformFormat::ALL));
        let format = format.and_then(|format| TransformFormat::parse(&format));
        if let Some(field) = fields.get("mapping") {
            self.files.insert(field.path.clone(), field.source.place(field.value.span()));
        }
        let cloned = fields.get("clone").and_then(|field| self.clone_of(field));
        let mut text = |name: &str, rule| {
            let field = fields.get(name)?;
            self.ruled(field, rule, r#""text""#)
        };
        let name = text("name", &transform::NAME);
        let mapping = text("mapping", &cognito::PATH).map(|path| MappingOrigin::Path(base_dir.join(path)));
        let starter = text("starter", &transform::STARTER).map(MappingOrigin::Starter);
        let kms_key = text("kms_key", &transform::KEY);
        let description = text("description", &transform::DESCRIPTION);
        if let Some(field) = fields.get("starter").filter(|_| format == Some(TransformFormat::Csv)) {
            let message = format!("`{}` is for C-CDA, and the profile converts CSV", field.path);
            self.problems.push(field.problem(message).help("give a `mapping`, or set `format = \"CCDA\"`"));
        }
        let tags = fields.get("tags").map(|field| self.profile_tags(field)).unwrap_or_default();
        Some(TransformProfileConfig {
            name: name?,
            format: format?,
            origin: mapping.or(starter).or(cloned)?,
            kms_key,
            description: description.filter(|description| !description.is_empty()),
            tags,
        })
    }

    fn clone_of(&mut self, item: &Item<'_, 's>) -> Option<MappingOrigin> {
        let fields = self.fields(item, &CLONE, r#"{ profile = "0123456789abcdef0123456789abcdef", version = 1 }"#)?;
        for name in CLONE.into_iter().filter(|name| !fields.contains_key(name)) {
            self.problems.push(item.problem(format!("`{}` has no `{name}`", item.path)));
        }
        let profile = fields.get("profile").and_then(|field| self.ruled(field, &transform::ID, r#""id""#));
        let version = fields.get("version").and_then(|field| {
            let number = self.integer(field, "1")?;
            let (min, max) = transform::VERSIONS;
            self.bounded(field, number, min, max, "for a published version")
        });
        Some(MappingOrigin::Clone { profile: profile?, version: version? })
    }

    fn profile_tags(&mut self, item: &Item<'_, 's>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let Some(table) = table_of(item) else {
            self.wrong_type(item, "a table of strings", r#"{ team = "interop" }"#);
            return found;
        };
        for (name, value) in table.iter().take(MOST_ENTRIES) {
            let path = format!("{}.{}", item.path, name.get_ref());
            for finding in tags::KEY.findings(name.get_ref()) {
                let mut problem = Problem::error(format!("the tag {} {}", quoted(name.get_ref()), finding.message));
                problem.help = finding.help;
                self.problems.push(problem.key(&path).at(item.source.place(name.span())));
            }
            let field = Item { source: item.source, path, value };
            if let Some(text) = self.ruled(&field, &tags::VALUE, r#""text""#) {
                found.insert(name.get_ref().clone().into_owned(), text);
            }
        }
        found
    }
}
