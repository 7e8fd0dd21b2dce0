//! What the operations take (HealthLake service model 2017-07-01, botocore 1.44.5).

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::protocol::shape::{Field, Shape, Text, letters_digits_spaces_or, one_of, optional, required, text};
use crate::services::healthlake::shapes::{CLIENT_TOKEN, whole};

const PROFILE_ID: Field = required(
    "ProfileId",
    Shape::Text(Text::len(32, 32).pattern("[a-f0-9]{32}", |text| {
        text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })),
);
const FORMAT: Shape = one_of(&["CCDA", "CSV"]);
const VERSION: Shape = Shape::Whole { min: 0, max: 99 };
const CHANGE: Field = optional("ChangeDescription", text(0, 1000));
const MAPPING: Shape = Shape::Map { key: Text::len(1, 500), value: &MAPPING_TEXT, min: 1, max: 500 };
const MAPPING_TEXT: Shape = Shape::Text(Text::len(0, 102_400).sensitive());
const MAX_RESULTS: Field = optional("MaxResults", Shape::Whole { min: 1, max: 100 });
const NEXT_TOKEN: Field = optional("NextToken", text(1, 2048));
const TAGS: Shape = Shape::Map { key: Text::len(1, 128), value: &text(0, 256), min: 0, max: 50 };

const SAMPLE_PATTERN: &str = r"s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/.*)?";
const S3_PATTERN: &str = r"s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/.+)?";
const ROLE_PATTERN: &str = "arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+";

fn is_whole(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|regex| regex.is_match(text))
}

static SAMPLE: LazyLock<Option<Regex>> = LazyLock::new(|| whole(SAMPLE_PATTERN));
static S3: LazyLock<Option<Regex>> = LazyLock::new(|| whole(S3_PATTERN));
static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| whole(ROLE_PATTERN));

const SOURCE: Shape = Shape::Struct(&[
    optional("StarterProfile", Shape::Struct(&[required("StarterProfileName", text(0, usize::MAX))])),
    optional(
        "ExistingVersionedProfileId",
        Shape::Struct(&[
            required("ProfileId", text(0, usize::MAX)),
            required("Version", Shape::Whole { min: 0, max: i64::MAX }),
        ]),
    ),
    optional("ProfileMapping", Shape::Struct(&[required("ProfileMapping", MAPPING)])),
    optional(
        "SampleData",
        Shape::Struct(&[required(
            "S3Uri",
            Shape::Text(Text::len(1, 1024).pattern(SAMPLE_PATTERN, |text| is_whole(&SAMPLE, text))),
        )]),
    ),
]);

pub(super) const CREATE: &[Field] = &[
    required("SourceFormat", FORMAT),
    required("Source", SOURCE),
    optional("KmsKeyId", text(1, 2048)),
    optional("ProfileDescription", text(0, 1000)),
    required("ProfileName", text(1, 256)),
    optional("Tags", TAGS),
    CLIENT_TOKEN,
];
pub(super) const PROFILE: &[Field] = &[PROFILE_ID];
pub(super) const GET: &[Field] = &[PROFILE_ID, optional("ProfileVersion", VERSION)];
pub(super) const UPDATE: &[Field] = &[PROFILE_ID, required("ProfileMapping", MAPPING), CHANGE];
pub(super) const PUBLISH: &[Field] =
    &[PROFILE_ID, required("SourceFormat", FORMAT), optional("FromExistingVersion", VERSION), CHANGE];
pub(super) const LIST: &[Field] = &[required("SourceFormat", FORMAT), MAX_RESULTS, NEXT_TOKEN];
pub(super) const LIST_VERSIONS: &[Field] = &[PROFILE_ID, MAX_RESULTS, NEXT_TOKEN];

const S3_URI: Field =
    required("S3Uri", Shape::Text(Text::len(8, 2048).pattern(S3_PATTERN, |text| is_whole(&S3, text))));
const JOB_NAME: Field = optional(
    "JobName",
    Shape::Text(
        Text::len(1, 64).pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-%@]*", |text| letters_digits_spaces_or(text, "_.:/=+-%@")),
    ),
);
const JOB_ID: Shape = Shape::Text(
    Text::len(1, 32)
        .pattern("[a-zA-Z0-9-]+", |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')),
);

pub(super) const START_JOB: &[Field] = &[
    required("InputDataConfig", Shape::Struct(&[S3_URI, optional("SourceFormat", FORMAT)])),
    required(
        "OutputDataConfig",
        Shape::Struct(&[required("S3Configuration", Shape::Struct(&[S3_URI, required("KmsKeyId", text(1, 2048))]))]),
    ),
    required("DataAccessRoleArn", Shape::Text(Text::len(20, 2048).pattern(ROLE_PATTERN, |text| is_whole(&ROLE, text)))),
    required("ClientToken", CLIENT_TOKEN.shape),
    JOB_NAME,
    PROFILE_ID,
    optional("DriftDetectionEnabled", Shape::Flag),
    optional("ProvenanceEnabled", Shape::Flag),
];
pub(super) const DESCRIBE_JOB: &[Field] = &[required("JobId", JOB_ID)];
pub(super) const LIST_JOBS: &[Field] = &[
    MAX_RESULTS,
    NEXT_TOKEN,
    optional(
        "JobStatus",
        one_of(&["SUBMITTED", "QUEUED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"]),
    ),
    JOB_NAME,
    optional("SubmittedAfter", Shape::Time),
    optional("SubmittedBefore", Shape::Time),
];
