//! Reads the key `audit`.

use toml::de::DeValue;

use super::describe::listed;
use super::keys;
use super::model::{Audit, Waiver};
use super::reader::{Item, MOST_ENTRIES, Reader};
use super::rules::{addresses, audit};

const FIELDS: [&str; 2] = ["production", "waivers"];
const WAIVER_FIELDS: [&str; 4] = ["check", "resource", "reason", "expires"];

impl<'s> Reader<'s> {
    pub(super) fn audit(&mut self) -> Audit {
        self.with_item(keys::AUDIT, Self::read_audit).unwrap_or_default()
    }

    fn read_audit(&mut self, item: &Item<'_, 's>, example: &'static str) -> Audit {
        let mut found = Audit::default();
        let Some(fields) = self.fields(item, &FIELDS, example) else { return found };
        if let Some(field) = fields.get("production") {
            match field.value.get_ref() {
                DeValue::Boolean(flag) => found.production = *flag,
                _ => self.wrong_type(field, "true or false", "false"),
            }
        }
        let Some(field) = fields.get("waivers") else { return found };
        let DeValue::Array(array) = field.value.get_ref() else {
            self.wrong_type(field, "a list of tables", example);
            return found;
        };
        self.too_long(field, array);
        for (index, value) in array.iter().take(MOST_ENTRIES).enumerate() {
            let entry = Item { source: field.source, path: format!("{}[{index}]", field.path), value };
            found.waivers.extend(self.waiver(&entry, example));
        }
        found
    }

    fn waiver(&mut self, item: &Item<'_, 's>, example: &'static str) -> Option<Waiver> {
        let fields = self.fields(item, &WAIVER_FIELDS, example)?;
        let missing: Vec<&str> =
            ["check", "reason", "expires"].into_iter().filter(|name| !fields.contains_key(name)).collect();
        if !missing.is_empty() {
            let message = format!("`{}` has no {}", item.path, listed(&missing));
            let help = "a waiver names its `check`, a `reason` and the day on which it `expires`";
            self.problems.push(item.problem(message).help(help));
        }
        let mut text = |name: &str, rule, example| {
            let field = fields.get(name)?;
            self.ruled(field, rule, example)
        };
        let check = text("check", &audit::CHECK, r#""HLCTL-24""#);
        let resource = text("resource", &addresses::ADDRESS, r#""s3_bucket.data""#);
        let reason = text("reason", &audit::REASON, r#""until the new app is out""#);
        let expires = match fields.get("expires").map(|field| field.value.get_ref()) {
            // A date of TOML's own says the same.
            Some(DeValue::Datetime(date)) => date.to_string().parse().ok(),
            _ => text("expires", &audit::EXPIRES, r#""2027-01-31""#).and_then(|day| day.parse().ok()),
        };
        if expires.is_none()
            && let Some(field) =
                fields.get("expires").filter(|field| matches!(field.value.get_ref(), DeValue::Datetime(_)))
        {
            self.problems.push(
                field.problem(format!("`{}` is a time of day, not a day", field.path)).help("write `\"2027-01-31\"`"),
            );
        }
        let place = fields.get("check").map(|field| field.source.place(field.value.span()));
        Some(Waiver { check: check?, resource, reason: reason?, expires: expires?, place })
    }
}
