//! Reads the keys whose values have parts: tags, protection, token validity, test users.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::DeValue;

use super::analytics::Analytics;
use super::describe::listed;
use super::force_destroy::ForceDestroy;
use super::keys::{
    self, ANALYTICS_VALUES, Default, FORCE_DESTROY_VALUES, TOKEN_UNITS, TOKENS, TRIGGER_VERSIONS, TRIGGERS,
};
use super::model::{PasswordSource, Protect, TestUser, TokenValidity, Validity};
use super::origin::Origin;
use super::problem::Problem;
use super::reader::{Item, MOST_ENTRIES, Reader, table_of};
use super::rules::{addresses, arn, cognito, quoted, tags};
use super::secret::Secret;
use super::syntax::nearest_flag;

impl<'s> Reader<'s> {
    /// The value of a key that parsed, with an example of it.
    pub(super) fn with_item<T>(
        &mut self,
        key: keys::Table,
        read: impl FnOnce(&mut Self, &Item<'_, 's>, &'static str) -> T,
    ) -> Option<T> {
        let entry = self.entry(&key)?;
        Some(read(self, &Item::of(&key, &entry), key.example))
    }

    pub(super) fn tags(&mut self) -> BTreeMap<String, String> {
        self.with_item(keys::TAGS, Self::read_tags).unwrap_or_default()
    }

    fn read_tags(&mut self, item: &Item<'_, 's>, example: &'static str) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let Some(table) = table_of(item) else {
            self.wrong_type(item, "a table of strings", example);
            return found;
        };
        if table.len() > tags::MOST {
            let message = format!("`tags` holds {} tags, the maximum is {}", table.len(), tags::MOST);
            self.problems
                .push(item.problem(message).help("AWS takes 50 on a resource, and hlctl marks its own with two"));
        }
        // Far too many are not worth checking one by one.
        for (name, value) in table.iter().take(MOST_ENTRIES) {
            // Only a file that does not parse has such names.
            if name.get_ref().contains('\n') {
                continue;
            }
            let path = format!("tags.{}", name.get_ref());
            for finding in tags::KEY.findings(name.get_ref()) {
                let mut problem = Problem::error(format!("the tag {} {}", quoted(name.get_ref()), finding.message));
                problem.help = finding.help;
                self.problems.push(problem.key(&path).at(item.source.place(name.span())));
            }
            if let Some(twin) = found.keys().find(|other| other.to_lowercase() == name.get_ref().to_lowercase()) {
                let message = format!("the tags {} and {} differ only in case", quoted(twin), quoted(name.get_ref()));
                let problem = Problem::error(message).key(&path).at(item.source.place(name.span()));
                self.problems.push(problem.help("IAM treats them as the same tag; keep one"));
            }
            self.strayed_tag(item, name);
            let field = Item { source: item.source, path, value };
            if field.value.get_ref().is_table() {
                let message = format!("the tag {} has parts, but a tag is a string", quoted(name.get_ref()));
                self.problems.push(field.problem(message).help("a name with a dot needs quotes: `\"a.b\" = \"text\"`"));
                continue;
            }
            let text = self.ruled(&field, &tags::VALUE, r#""text""#).unwrap_or_default();
            found.insert(name.get_ref().clone().into_owned(), text);
        }
        found
    }

    /// A tag that has the name of a key: everything after `[tags]` is a tag.
    fn strayed_tag(&mut self, item: &Item<'_, 's>, name: &toml::Spanned<std::borrow::Cow<'_, str>>) {
        // A required key that is nowhere else is reported as missing, with this place.
        let is_key = keys::find(name.get_ref())
            .is_some_and(|key| key.default != Default::Required || self.layers.entries.contains_key(key.name));
        let set_elsewhere =
            self.layers.entries.get(name.get_ref().as_ref()).is_some_and(|entry| entry.source.origin.file().is_some());
        if is_key && !set_elsewhere {
            let message = format!("`{}` is only a tag here, because it is under `[tags]`", name.get_ref());
            self.problems.push(
                Problem::warning(message)
                    .key(format!("tags.{}", name.get_ref()))
                    .at(item.source.place(name.span()))
                    .help("to set the key of that name, move the line above `[tags]`"),
            );
        }
    }

    pub(super) fn protect(&mut self) -> Protect {
        self.with_item(keys::PROTECT, Self::read_protect).unwrap_or(Protect::Default)
    }

    fn read_protect(&mut self, item: &Item<'_, 's>, example: &'static str) -> Protect {
        match item.value.get_ref() {
            DeValue::Boolean(true) => Protect::Default,
            DeValue::Boolean(false) => Protect::Addresses(BTreeSet::new()),
            DeValue::Array(array) => {
                self.too_long(item, array);
                let found = self.strings(item, array, &addresses::ADDRESS, example);
                Protect::Addresses(found.into_iter().collect())
            }
            _ => {
                self.wrong_type(item, "true, false or a list of addresses", example);
                Protect::Default
            }
        }
    }

    pub(super) fn force_destroy(&mut self) -> ForceDestroy {
        self.with_item(keys::FORCE_DESTROY, Self::read_force_destroy).unwrap_or_default()
    }

    fn read_force_destroy(&mut self, item: &Item<'_, 's>, example: &'static str) -> ForceDestroy {
        match item.value.get_ref() {
            DeValue::Boolean(false) => return ForceDestroy::No,
            DeValue::Boolean(true) => return ForceDestroy::All,
            DeValue::String(word) if word == ForceDestroy::LOGS => return ForceDestroy::Logs,
            DeValue::String(word) if nearest_flag(word).is_none() => {
                let message = format!("`{}` cannot be {}", item.path, quoted(word));
                let help = "`\"logs\"` empties only the logs bucket, `true` both buckets, patient data included, \
                            `false` neither";
                self.problems.push(item.problem(message).help(help));
            }
            _ => self.wrong_type(item, FORCE_DESTROY_VALUES, example),
        }
        ForceDestroy::No
    }

    pub(super) fn analytics(&mut self) -> Option<Analytics> {
        self.with_item(keys::DATASTORE_ANALYTICS, Self::read_analytics).flatten()
    }

    fn read_analytics(&mut self, item: &Item<'_, 's>, example: &'static str) -> Option<Analytics> {
        match item.value.get_ref() {
            DeValue::Boolean(false) => return Some(Analytics::Disabled),
            DeValue::Boolean(true) => return Some(Analytics::Enabled),
            DeValue::String(word) if word == Analytics::PAUSED => return Some(Analytics::Paused),
            DeValue::String(word) if nearest_flag(word).is_none() => {
                let message = format!("`{}` cannot be {}", item.path, quoted(word));
                self.problems.push(item.problem(message).help("it takes `true`, `false` or `\"paused\"`"));
            }
            _ => self.wrong_type(item, ANALYTICS_VALUES, example),
        }
        None
    }

    pub(super) fn triggers(&mut self) -> BTreeMap<String, String> {
        self.with_item(keys::COGNITO_TRIGGERS, Self::read_triggers).unwrap_or_default()
    }

    fn read_triggers(&mut self, item: &Item<'_, 's>, example: &'static str) -> BTreeMap<String, String> {
        let mut triggers = BTreeMap::new();
        for (name, field) in self.fields(item, &TRIGGERS, example).unwrap_or_default() {
            let value = match name {
                "pre_token_generation_version" => self.choice(&field, &TRIGGER_VERSIONS),
                "kms_key_id" => self.ruled(&field, &arn::KEY, example),
                _ => self.ruled(&field, &arn::FUNCTION, example),
            };
            triggers.extend(value.map(|value| (name.to_owned(), value)));
        }
        triggers
    }

    pub(super) fn token_validity(&mut self) -> TokenValidity {
        let units = self.with_item(keys::COGNITO_TOKEN_VALIDITY_UNITS, Self::read_units).unwrap_or_default();
        let mut values = self
            .with_item(keys::COGNITO_TOKEN_VALIDITY, |reader, item, example| {
                reader.read_validity(item, &units, example)
            })
            .unwrap_or_default();
        let mut take = |token: &str| values.remove(token).unwrap_or_else(|| default_validity(token, &units));
        TokenValidity { access: take("access_token"), id: take("id_token"), refresh: take("refresh_token") }
    }

    fn read_units(&mut self, item: &Item<'_, 's>, example: &'static str) -> BTreeMap<String, String> {
        let mut units = BTreeMap::new();
        for (token, field) in self.fields(item, &TOKENS, example).unwrap_or_default() {
            if let Some(unit) = self.choice(&field, &TOKEN_UNITS) {
                units.insert(token.to_owned(), unit);
            }
        }
        units
    }

    fn read_validity(
        &mut self,
        item: &Item<'_, 's>,
        units: &BTreeMap<String, String>,
        example: &'static str,
    ) -> BTreeMap<String, Validity> {
        let mut found = BTreeMap::new();
        let fields = self.fields(item, &TOKENS, example).unwrap_or_default();
        for token in TOKENS {
            let default = default_validity(token, units);
            let field = fields.get(token);
            let number = match field {
                Some(field) => self.integer(field, "60"),
                None => Some(i64::from(default.value)),
            };
            let Some(number) = number else { continue };
            let (min, max) = bounds(token, &default.unit);
            let at = Item {
                source: item.source,
                path: format!("{}.{token}", item.path),
                value: field.map_or(item.value, |field| field.value),
            };
            // The number is the default's: the unit that the user gave is to blame.
            if item.source.origin == Origin::BuiltIn && !(min..=max).contains(&number) {
                let message = format!("{number} {} is out of range for `{token}`", default.unit);
                let help = format!("set `cognito_token_validity` too: {min} to {max} {}", default.unit);
                self.complain(&keys::COGNITO_TOKEN_VALIDITY_UNITS, Problem::error(message).help(help));
                continue;
            }
            if let Some(value) = self.bounded(&at, number, min, max, &default.unit) {
                found.insert(token.to_owned(), Validity { value, unit: default.unit });
            }
        }
        found
    }

    pub(super) fn test_users(&mut self, base_dir: &Path) -> Vec<TestUser> {
        self.with_item(keys::COGNITO_TEST_USERS, |reader, item, example| {
            let DeValue::Array(array) = item.value.get_ref() else {
                reader.wrong_type(item, "a list of tables", example);
                return Vec::new();
            };
            let mut users: Vec<TestUser> = Vec::new();
            reader.too_long(item, array);
            for (index, value) in array.iter().take(MOST_ENTRIES).enumerate() {
                let entry = Item { source: item.source, path: format!("{}[{index}]", item.path), value };
                let Some(user) = reader.test_user(&entry, base_dir, example) else {
                    continue;
                };
                let same = |other: &TestUser| other.username.to_lowercase() == user.username.to_lowercase();
                if users.iter().any(same) {
                    let message = format!("`{}` has the username of another test user", entry.path);
                    reader.problems.push(entry.problem(message).help("usernames differ by more than case"));
                }
                users.push(user);
            }
            users
        })
        .unwrap_or_default()
    }

    fn test_user(&mut self, item: &Item<'_, 's>, base_dir: &Path, example: &'static str) -> Option<TestUser> {
        const REQUIRED: [&str; 4] = ["username", "preferred_username", "email", "email_verified"];
        const PASSWORDS: [&str; 3] = ["password", "password_env", "password_file"];
        let known = [REQUIRED.as_slice(), PASSWORDS.as_slice()].concat();
        let fields = self.fields(item, &known, example)?;
        for name in REQUIRED.into_iter().filter(|name| !fields.contains_key(name)) {
            self.problems.push(item.problem(format!("`{}` has no `{name}`", item.path)));
        }
        let given: Vec<&str> = PASSWORDS.into_iter().filter(|name| fields.contains_key(name)).collect();
        if given.len() != 1 {
            let message = match given.as_slice() {
                [] => format!("`{}` has no password", item.path),
                _ => format!("`{}` has {}, but takes one of them", item.path, listed(&given)),
            };
            self.problems
                .push(item.problem(message).help("give exactly one of `password_env`, `password_file` and `password`"));
        }
        let mut text = |name: &str, rule| {
            let field = fields.get(name)?;
            self.ruled(field, rule, r#""text""#)
        };
        let username = text("username", &cognito::USERNAME);
        let preferred_username = text("preferred_username", &cognito::PREFERRED_USERNAME);
        let email = text("email", &cognito::EMAIL);
        let variable = text("password_env", &cognito::VARIABLE).map(PasswordSource::Env);
        let file = text("password_file", &cognito::PATH).map(|path| PasswordSource::File(base_dir.join(path)));
        let inline = fields.get("password").and_then(|field| self.inline_password(field));
        let email_verified = fields.get("email_verified").and_then(|field| match field.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => {
                self.wrong_type(field, "true or false", "true");
                None
            }
        });
        Some(TestUser {
            username: username?,
            preferred_username: preferred_username?,
            email: email?,
            email_verified: email_verified?,
            password: variable.or(file).or(inline)?,
        })
    }

    fn inline_password(&mut self, field: &Item<'_, 's>) -> Option<PasswordSource> {
        let DeValue::String(text) = field.value.get_ref() else {
            self.problems.push(field.problem(format!("`{}` must be a string", field.path)));
            return None;
        };
        let is_good = cognito::is_good_password(text);
        if !is_good {
            let message = format!("`{}` would be refused by the user pool", field.path);
            let wants = format!("it takes {}, and no spaces", cognito::PASSWORD.wants);
            self.problems.push(field.problem(message).help(wants));
        }
        // A variable is where one belongs.
        if is_good && !matches!(field.source.origin, Origin::Variable(_)) {
            let message =
                format!("`{}` is a password in plain text, which anyone who can read it here can use", field.path);
            let help = "use `password_env`, which names a variable that holds it, or `password_file`";
            self.problems
                .push(Problem::warning(message).key(&field.path).at(field.source.place(field.value.span())).help(help));
        }
        Some(PasswordSource::Inline(Secret::new(text.as_ref())))
    }
}

/// What a token has that the user left out, in the unit that the user gave.
fn default_validity(token: &str, units: &BTreeMap<String, String>) -> Validity {
    let (value, unit) = match token {
        "refresh_token" => (30, "days"),
        _ => (60, "minutes"),
    };
    Validity { value, unit: units.get(token).cloned().unwrap_or_else(|| unit.to_owned()) }
}

/// Cognito's bounds in a unit: 5 minutes to 1 day, for refresh tokens 60 minutes to 10 years.
fn bounds(token: &str, unit: &str) -> (i64, i64) {
    let (min, max) = match token {
        "refresh_token" => (3_600, 315_360_000),
        _ => (300, 86_400),
    };
    let seconds = match unit {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3_600,
        _ => 86_400,
    };
    // Both bounds in whole units: a day is more than the five minutes asked for.
    (std::cmp::max(1, (min + seconds - 1) / seconds), max / seconds)
}
