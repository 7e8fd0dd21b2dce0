//! Reads `backend`: where the state is kept, if not in a file.

use super::keys;
use super::model::Backend;
use super::reader::{Item, Reader};
use super::rules::{Rule, backend, bucket, names};

/// Least and most seconds of a lease.
pub(super) const LEASE: (i64, i64) = (1, 3600);
/// Long enough for a slow network, short enough to wait for.
pub(super) const DEFAULT_LEASE: u32 = 60;

/// The fields, each with its rule.
pub(super) const FIELDS: [(&str, &Rule); 6] = [
    ("bucket", &bucket::BUCKET),
    ("key", &backend::KEY),
    ("region", &backend::REGION),
    ("kms_key_id", &backend::KMS_KEY),
    ("endpoint", &backend::ENDPOINT),
    ("profile", &names::PROFILE_NAME),
];
const LEASE_FIELD: &str = "lease_in_seconds";

impl<'s> Reader<'s> {
    pub(super) fn backend(&mut self) -> Option<Backend> {
        self.with_item(keys::BACKEND, Self::read_backend).flatten()
    }

    fn read_backend(&mut self, item: &Item<'_, 's>, example: &'static str) -> Option<Backend> {
        let mut known = FIELDS.map(|(name, _)| name).to_vec();
        known.push(LEASE_FIELD);
        let fields = self.fields(item, &known, example)?;
        let mut read = |name: &str| {
            let rule = FIELDS.iter().find(|(field, _)| *field == name)?.1;
            fields.get(name).and_then(|field| self.ruled(field, rule, example))
        };
        let (bucket, key) = (read("bucket"), read("key"));
        let (region, kms_key_id, endpoint, profile) =
            (read("region"), read("kms_key_id"), read("endpoint"), read("profile"));
        let lease = fields.get(LEASE_FIELD).and_then(|field| {
            let number = self.integer(field, "60")?;
            self.bounded(field, number, LEASE.0, LEASE.1, "seconds")
        });
        for name in ["bucket", "key"] {
            if !fields.contains_key(name) {
                let problem = item.problem(format!("`backend` has no `{name}`"));
                self.problems.push(problem.help(format!("for example `backend = {example}`")));
            }
        }
        Some(Backend {
            bucket: bucket?,
            key: key?,
            region,
            kms_key_id,
            endpoint,
            profile,
            lease_in_seconds: lease.unwrap_or(DEFAULT_LEASE),
        })
    }
}
