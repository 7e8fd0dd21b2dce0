//! hlctl's own keys, beyond the module.

use super::typed::{Flag, List, Seconds, Table, Text, Whole};
use super::{Default, Group, Kind, keys};
use crate::rules;

keys! {
    DATASTORE_ANALYTICS: Table = {
        name: "datastore_analytics",
        group: Group::Store,
        kind: Kind::Analytics,
        default: Default::Unset,
        doc: "SQL analytics on the store: `true` turns them on, `\"paused\"` pauses them, `false` turns them off; where HealthLake only \
              pauses them, that is enough for `false`. If not set, AWS's default applies.",
        example: "false",
    }
    DATASTORE_NLP: Flag = {
        name: "datastore_nlp",
        group: Group::Store,
        kind: Kind::Flag,
        default: Default::Unset,
        doc: "Turns medical text processing in the store on or off. If not set, AWS's default applies.",
        example: "false",
    }
    DATASTORE_DEFAULT_PROFILES: List = {
        name: "datastore_default_profiles",
        group: Group::Store,
        kind: Kind::List { of: &rules::names::PROFILE, min: 0, max: 100 },
        default: Default::Unset,
        doc: "FHIR profiles that the store checks new resources against, by HealthLake's names such as `us-core-6.1.0`. A name that \
              hlctl does not know is a warning: HealthLake decides which a region has. If not set, AWS's default applies.",
        example: r#"["us-core-6.1.0"]"#,
    }
    DATASTORE_BACKUP: Flag = {
        name: "datastore_backup",
        group: Group::Store,
        kind: Kind::Flag,
        default: Default::Unset,
        doc: "Turns continuous backup of the store on or off. If not set, AWS's default applies.",
        example: "true",
    }
    DATASTORE_BACKUP_RETENTION_IN_DAYS: Whole = {
        name: "datastore_backup_retention_in_days",
        group: Group::Store,
        kind: Kind::Whole { min: 1, max: 30, unit: "days" },
        default: Default::Unset,
        doc: "How many days the backup reaches back. Only with `datastore_backup = true`.",
        example: "14",
    }
    DATASTORE_BACKUP_TAGS: Flag = {
        name: "datastore_backup_tags",
        group: Group::Store,
        kind: Kind::Flag,
        default: Default::Unset,
        doc: "Whether the backup holds the store's tags, so that a restored store has them. Only with `datastore_backup = true`.",
        example: "true",
    }
    TRANSFORM_PROFILES: Table = {
        name: "transform_profiles",
        group: Group::Store,
        kind: Kind::TransformProfiles,
        default: Default::Toml("[]"),
        doc: "Profiles of HealthLake's Data Transformation Agent: `name`, `format` (`CSV` or `CCDA`) and one of `mapping` (a YAML \
              file for CSV, a folder of templates for C-CDA, relative to this file's directory), `starter` or `clone`; optionally `kms_key`, \
              `description` and `tags`. Written as `[[transform_profiles]]`, they come at the end of the file.",
        example: r#"[{ name = "visits", format = "CSV", mapping = "transform/mapping.yaml" }]"#,
    }
    TRANSFORM_ROLE_ARN: Text = {
        name: "transform_role_arn",
        group: Group::Store,
        kind: Kind::Text(&rules::arn::ROLE),
        default: Default::Unset,
        doc: "ARN of the role of `transform run`. Its trust in healthlake.amazonaws.com has the condition `aws:SourceAccount` alone, since such a \
              job has no store. If not set, the role of imports and exports is tried, whose trust names the store.",
        example: r#""arn:aws:iam::123456789012:role/fhir-conversion""#,
    }
    LOGS_BUCKET_SELF_LOGGING: Flag = {
        name: "logs_bucket_self_logging",
        group: Group::Buckets,
        kind: Kind::Flag,
        default: Default::Toml("true"),
        doc: "Logs access to the logs bucket into that same bucket. Each delivery of a log is then logged as well, so \
              the logs never stop growing.",
        example: "false",
    }
    BUCKETS_MINIMUM_TLS: Text = {
        name: "buckets_minimum_tls",
        group: Group::Buckets,
        kind: Kind::Choice(&["1.2", "1.3"]),
        default: Default::Toml(r#""1.2""#),
        doc: "Oldest version of TLS that the buckets' policies accept. They always refuse plain HTTP.",
        example: r#""1.3""#,
    }
    TRANSFER_RETENTION_IN_DAYS: Whole = {
        name: "transfer_retention_in_days",
        group: Group::Buckets,
        kind: Kind::Whole { min: 1, max: 3650, unit: "days" },
        default: Default::Unset,
        doc: "Days after which S3 deletes what is under `import/` and `export/` in the data bucket, where \
              `hlctl data import` and `hlctl data export` keep files; every version is gone a day later. If not set, \
              patient data stays there until you delete it.",
        example: "7",
    }
    FORCE_DESTROY: Table = {
        name: "force_destroy",
        group: Group::Buckets,
        kind: Kind::ForceDestroy,
        default: Default::Toml("false"),
        doc: "Lets `hlctl destroy` empty buckets: delete every version of every object. `\"logs\"` is for only the \
              logs bucket, which is rarely empty, since S3 keeps delivering access logs into it; `true` is for both \
              buckets, patient data included. A bucket that is not empty and may not be emptied stops the destroy \
              before it starts.",
        example: r#""logs""#,
    }
    KMS_DELETION_WINDOW_IN_DAYS: Whole = {
        name: "kms_deletion_window_in_days",
        group: Group::Access,
        kind: Kind::Whole { min: 7, max: 30, unit: "days" },
        default: Default::Toml("30"),
        doc: "Days that AWS keeps a key after a destroy, during which its deletion can be cancelled.",
        example: "30",
    }
    REGION: Text = {
        name: "region",
        group: Group::Safety,
        kind: Kind::Text(&rules::region::REGION),
        default: Default::Unset,
        doc: "AWS region of everything in the stack. Without it `AWS_REGION`, `AWS_DEFAULT_REGION` or the AWS profile decides.",
        example: r#""us-east-1""#,
    }
    PROFILE: Text = {
        name: "profile",
        group: Group::Safety,
        kind: Kind::Text(&rules::names::PROFILE_NAME),
        default: Default::Unset,
        doc: "Profile of the shared AWS configuration to take credentials from, as with `--profile` of the AWS CLI (`docs/credentials.md`). Without it `AWS_PROFILE` decides, after credentials in the environment.",
        example: r#""sandbox-admin""#,
    }
    ALLOWED_ACCOUNT_IDS: List = {
        name: "allowed_account_ids",
        group: Group::Safety,
        kind: Kind::List { of: &rules::names::ACCOUNT, min: 0, max: 1000 },
        default: Default::Toml("[]"),
        doc: "AWS accounts that hlctl may change; with credentials of another account it stops before the first \
              change. Empty: every account.",
        example: r#"["123456789012"]"#,
    }
    HARDENED: Flag = {
        name: "hardened",
        group: Group::Safety,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Uses strong values instead of the module's weak defaults for keys that are not set. The description of \
              each such key says which value; `docs/audit.md` lists them too.",
        example: "true",
    }
    AUDIT: Table = {
        name: "audit",
        group: Group::Safety,
        kind: Kind::Audit,
        default: Default::Toml("{}"),
        doc: "For `hlctl audit`. `production = false` says that the stack holds no real patients. `[[audit.waivers]]` \
              waive checks: `check`, `reason`, `expires` and, for a single resource, `resource`. Written as tables, \
              they come at the end of the file.",
        example: r#"{ waivers = [{ check = "HLCTL-24", reason = "the log-in is another pool's", expires = "2027-01-31" }] }"#,
    }
    PROTECT: Table = {
        name: "protect",
        group: Group::Safety,
        kind: Kind::Protect,
        default: Default::Toml("true"),
        doc: "Resources that are destroyed only if you name them on the command line. `true` protects what holds or \
              unlocks patient data: the store, the data bucket, the keys, the user pool. `false` protects nothing; a \
              list protects the given addresses.",
        example: r#"["healthlake_fhir_datastore.this", "s3_bucket.data"]"#,
    }
    BACKEND: Table = {
        name: "backend",
        group: Group::Safety,
        kind: Kind::Backend,
        default: Default::Unset,
        doc: "Keeps the state and its lock in S3, so that several machines can share them: `bucket` and `key`, and \
              optionally `region`, `kms_key_id`, `endpoint`, `profile` and `lease_in_seconds`. The bucket must exist. \
              Written as `[backend]`, it must come after all keys outside a table.",
        example: r#"{ bucket = "example-hlctl-states", key = "fhir.state.json" }"#,
    }
    TAGS: Table = {
        name: "tags",
        group: Group::Safety,
        kind: Kind::Tags,
        default: Default::Toml("{}"),
        doc: "Tags for everything that can carry tags. Written as `[tags]`, it must come at the end of the file, \
              since every key after it is a tag.",
        example: r#"{ team = "interop", environment = "sandbox" }"#,
    }
    POLL_INTERVAL: Seconds = {
        name: "poll_interval",
        group: Group::Waiting,
        kind: Kind::Seconds { min: 0.001, max: 3600.0 },
        default: Default::Toml("60"),
        doc: "Longest time, in seconds, between two status checks of a store or a job that AWS is working on. hlctl \
              checks every few seconds while a store is young or nearly due, and less often in between. Fractions are \
              allowed.",
        example: "60",
    }
    WAIT_TIMEOUT: Seconds = {
        name: "wait_timeout",
        group: Group::Waiting,
        kind: Kind::Seconds { min: 0.001, max: 604_800.0 },
        default: Default::Toml("5400"),
        doc: "Seconds that hlctl waits for a store before it stops waiting; AWS continues. The next run continues \
              where this one stopped.",
        example: "5400",
    }
}
