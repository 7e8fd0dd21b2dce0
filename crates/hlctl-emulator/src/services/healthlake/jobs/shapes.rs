//! What the operations on jobs take (HealthLake service model 2017-07-01).

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::protocol::shape::{Field, Shape, Text, letters_digits_spaces_or, one_of, optional, required};
use crate::services::healthlake::shapes::{CLIENT_TOKEN, ID, KEY, KEY_PATTERN, NEXT_TOKEN, PAGE_SIZE, is_match, whole};

const URI_PATTERN: &str = r"s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?";
const ROLE_PATTERN: &str = r"arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+";

static URI: LazyLock<Option<Regex>> = LazyLock::new(|| whole(URI_PATTERN));
static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| whole(ROLE_PATTERN));

const fn name(max: usize) -> Shape {
    Shape::Text(
        Text::len(1, max)
            .pattern(r"([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)", |text| letters_digits_spaces_or(text, "_.:/=+-%@")),
    )
}

const S3_URI: Shape = Shape::Text(Text::len(0, 1024).pattern(URI_PATTERN, |text| is_match(&URI, text)));
const JOB_NAME: Field = optional("JobName", name(64));
const ROLE_ARN: Field =
    required("DataAccessRoleArn", Shape::Text(Text::len(20, 2048).pattern(ROLE_PATTERN, |text| is_match(&ROLE, text))));
const OUTPUT: Shape = Shape::Struct(&[optional(
    "S3Configuration",
    Shape::Struct(&[
        required("S3Uri", S3_URI),
        required("KmsKeyId", Shape::Text(Text::len(1, 400).pattern(KEY_PATTERN, |text| is_match(&KEY, text)))),
    ]),
)]);
const BOUNDED: Shape = Shape::Text(Text::len(1, 5000));

pub(super) const START_IMPORT: &[Field] = &[
    JOB_NAME,
    required("InputDataConfig", Shape::Struct(&[optional("S3Uri", S3_URI)])),
    required("JobOutputDataConfig", OUTPUT),
    ID,
    ROLE_ARN,
    CLIENT_TOKEN,
    optional("ValidationLevel", one_of(&["strict", "structure-only", "minimal"])),
    optional("ProfileId", BOUNDED),
    optional("InputFormat", BOUNDED),
    optional("DriftDetectionEnabled", Shape::Flag),
    optional("ProvenanceEnabled", Shape::Flag),
];
/// Also what the body of a `$export` holds, but for the datastore, which its address names.
pub(in crate::services::healthlake) const START_EXPORT: &[Field] =
    &[JOB_NAME, required("OutputDataConfig", OUTPUT), ID, ROLE_ARN, CLIENT_TOKEN];
pub(super) const DESCRIBE: &[Field] = &[ID, required("JobId", name(32))];
pub(super) const LIST: &[Field] = &[
    ID,
    JOB_NAME,
    optional(
        "JobStatus",
        one_of(&[
            "SUBMITTED",
            "QUEUED",
            "IN_PROGRESS",
            "COMPLETED_WITH_ERRORS",
            "COMPLETED",
            "FAILED",
            "CANCEL_SUBMITTED",
            "CANCEL_IN_PROGRESS",
            "CANCEL_COMPLETED",
            "CANCEL_FAILED",
        ]),
    ),
    optional("SubmittedBefore", Shape::Time),
    optional("SubmittedAfter", Shape::Time),
    NEXT_TOKEN,
    PAGE_SIZE,
];
