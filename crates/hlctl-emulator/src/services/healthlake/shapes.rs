//! What the operations take (HealthLake service model 2017-07-01).

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::protocol::shape::{
    Field, Shape, Text, letters_digits_spaces_or, one_of, optional, required, text as string,
};

const NAME: Shape = Shape::Text(
    Text::len(1, 256).pattern(r"([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)", |text| letters_digits_spaces_or(text, "_.:/=+-%@")),
);
pub(super) const ID: Field = required(
    "DatastoreId",
    Shape::Text(
        Text::len(1, 32).pattern(r"([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)", |text| letters_digits_spaces_or(text, "_.:/=+-%@")),
    ),
);

pub(super) const KEY_PATTERN: &str = r"(arn:aws((-us-gov)|(-iso)|(-iso-b)|(-cn))?:kms:)?([a-z]{2}-[a-z]+(-[a-z]+)?-\d:)?(\d{12}:)?(((key/)?[a-zA-Z0-9-_]+)|(alias/[a-zA-Z0-9:/_-]+))";
const LAMBDA_PATTERN: &str =
    r"arn:aws:lambda:[a-z]{2}-[a-z]+-\d{1}:\d{12}:function:[a-zA-Z0-9\-_\.]+(:(\$LATEST|[a-zA-Z0-9\-_]+))?";
const ARN_PATTERN: &str = r"arn:aws((-us-gov)|(-iso)|(-iso-b)|(-cn))?:healthlake:[a-z0-9-]+:\d{12}:(datastore/fhir/.{32}|dataTransformationProfile/[a-f0-9]{32})";

pub(super) static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // The model writes `9-_`, which regex crates refuse as a range.
    whole(&KEY_PATTERN.replace("9-_]", "9_-]"))
});
static LAMBDA: LazyLock<Option<Regex>> = LazyLock::new(|| whole(LAMBDA_PATTERN));
static ARN: LazyLock<Option<Regex>> = LazyLock::new(|| whole(ARN_PATTERN));

pub(super) fn whole(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{pattern})$")).ok()
}

pub(super) fn is_match(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|regex| regex.is_match(text))
}

const TAG_KEY: Shape = Shape::Text(
    Text::len(1, 128).pattern(r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", |text| letters_digits_spaces_or(text, "_.:/=+-@")),
);
const TAG_VALUE: Shape = Shape::Text(
    Text::len(0, 256).pattern(r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", |text| letters_digits_spaces_or(text, "_.:/=+-@")),
);
const TAG_FIELDS: &[Field] = &[required("Key", TAG_KEY), required("Value", TAG_VALUE)];
const TAGS: Shape = Shape::List { of: &Shape::Struct(TAG_FIELDS), min: 0, max: 200 };
const RESOURCE: Field =
    required("ResourceARN", Shape::Text(Text::len(1, 1011).pattern(ARN_PATTERN, |text| is_match(&ARN, text))));

pub(super) const CLIENT_TOKEN: Field = optional(
    "ClientToken",
    Shape::Text(
        Text::len(1, 64).pattern("[a-zA-Z0-9-]+", |text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')),
    ),
);
pub(super) const NEXT_TOKEN: Field =
    optional("NextToken", Shape::Text(Text::len(0, 8192).pattern(r"\p{ASCII}{0,8192}", str::is_ascii)));
pub(super) const PAGE_SIZE: Field = optional("MaxResults", Shape::Whole { min: 1, max: 500 });

const ENCRYPTION: &[Field] = &[required(
    "KmsEncryptionConfig",
    Shape::Struct(&[
        required("CmkType", one_of(&["CUSTOMER_MANAGED_KMS_KEY", "AWS_OWNED_KMS_KEY"])),
        optional("KmsKeyId", Shape::Text(Text::len(1, 400).pattern(KEY_PATTERN, |text| is_match(&KEY, text)))),
    ]),
)];
const IDENTITY_PROVIDER: Shape = Shape::Struct(&[
    required("AuthorizationStrategy", one_of(&["SMART_ON_FHIR_V1", "SMART_ON_FHIR", "AWS_AUTH"])),
    optional("FineGrainedAuthorizationEnabled", Shape::Flag),
    optional("Metadata", string(0, usize::MAX)),
    optional("IdpLambdaArn", Shape::Text(Text::len(49, 256).pattern(LAMBDA_PATTERN, |text| is_match(&LAMBDA, text)))),
]);
const ANALYTICS: Shape = Shape::Struct(&[optional(
    "Status",
    one_of(&["ENABLED", "ENABLING", "DISABLED", "DISABLING", "PAUSING", "PAUSED"]),
)]);
const NLP: Shape = Shape::Struct(&[optional("Status", one_of(&["ENABLED", "ENABLING", "DISABLED", "DISABLING"]))]);
const PROFILE: Shape =
    Shape::Struct(&[optional("DefaultProfiles", Shape::List { of: &string(0, 10_000), min: 0, max: usize::MAX })]);
const BACKUP: Shape = Shape::Struct(&[
    optional("Status", one_of(&["ENABLED", "DISABLED"])),
    optional("BackupType", one_of(&["CONTINUOUS"])),
    optional("RetentionPeriodInDays", Shape::Whole { min: 1, max: 30 }),
    optional("BackupTagsEnabled", Shape::Flag),
]);
const STATUS: Shape =
    one_of(&["CREATING", "ACTIVE", "DELETING", "DELETED", "CREATE_FAILED", "UPDATING", "UPDATE_FAILED"]);

pub(super) const CREATE: &[Field] = &[
    optional("DatastoreName", NAME),
    required("DatastoreTypeVersion", one_of(&["R4"])),
    optional("SseConfiguration", Shape::Struct(ENCRYPTION)),
    optional("PreloadDataConfig", Shape::Struct(&[required("PreloadDataType", one_of(&["SYNTHEA"]))])),
    CLIENT_TOKEN,
    optional("Tags", TAGS),
    optional("IdentityProviderConfiguration", IDENTITY_PROVIDER),
    optional("AnalyticsConfiguration", ANALYTICS),
    optional("NlpConfiguration", NLP),
    optional("ProfileConfiguration", PROFILE),
    optional("BackupConfiguration", BACKUP),
];
pub(super) const UPDATE: &[Field] = &[
    ID,
    optional("DatastoreName", NAME),
    optional("AnalyticsConfiguration", ANALYTICS),
    optional("NlpConfiguration", NLP),
    optional("ProfileConfiguration", PROFILE),
    optional("IdentityProviderConfiguration", IDENTITY_PROVIDER),
    optional("BackupConfiguration", BACKUP),
];
/// Everything but what only a creation takes, and the source.
pub(super) const RESTORE: &[Field] = &[
    required("SourceDatastoreId", ID.shape),
    required(
        "RestoreConfiguration",
        Shape::Struct(&[optional(
            "ContinuousBackupRestoreConfiguration",
            Shape::Struct(&[optional("RestorePointTime", Shape::Time)]),
        )]),
    ),
    optional("DatastoreName", NAME),
    optional("SseConfiguration", Shape::Struct(ENCRYPTION)),
    CLIENT_TOKEN,
    optional("Tags", TAGS),
    optional("IdentityProviderConfiguration", IDENTITY_PROVIDER),
    optional("AnalyticsConfiguration", ANALYTICS),
    optional("NlpConfiguration", NLP),
    optional("ProfileConfiguration", PROFILE),
];
pub(super) const STORE: &[Field] = &[ID];
pub(super) const LIST: &[Field] = &[
    optional(
        "Filter",
        Shape::Struct(&[
            optional("DatastoreName", NAME),
            optional("DatastoreStatus", STATUS),
            optional("CreatedBefore", Shape::Time),
            optional("CreatedAfter", Shape::Time),
        ]),
    ),
    NEXT_TOKEN,
    PAGE_SIZE,
];
pub(super) const TAG: &[Field] = &[RESOURCE, required("Tags", TAGS)];
pub(super) const UNTAG: &[Field] = &[RESOURCE, required("TagKeys", Shape::List { of: &TAG_KEY, min: 0, max: 200 })];
pub(super) const LIST_TAGS: &[Field] = &[RESOURCE];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_compile_and_take_what_the_guide_shows() {
        assert!(is_match(&KEY, "arn:aws:kms:us-east-1:012345678910:key/1234abcd-12ab-34cd-56ef-1234567890ab"));
        assert!(is_match(&KEY, "alias/aws/s3"));
        assert!(!is_match(&KEY, "key with spaces"));
        assert!(is_match(&LAMBDA, "arn:aws:lambda:us-east-1:012345678910:function:validator:$LATEST"));
        assert!(!is_match(&LAMBDA, "arn:aws:lambda:us-east-1:1:function:v"));
        assert!(is_match(
            &ARN,
            "arn:aws:healthlake:us-east-1:012345678910:datastore/fhir/0123456789abcdef0123456789abcdef"
        ));
    }
}
