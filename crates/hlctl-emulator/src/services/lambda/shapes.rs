//! Members that several operations share.

use super::names::Name;
use crate::protocol::shape::{
    Field, Shape, Text, letters_digits_spaces_or, one_of, optional, required, text as string,
};

/// The model's pattern of names, without the parts for other partitions.
const NAME_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

const fn name(max: usize) -> Shape {
    Shape::Text(Text::len(1, max).pattern(NAME_PATTERN, |text| Name::parse(text).is_some()))
}

pub(super) const FUNCTION: Field = required("FunctionName", name(140));
/// Some operations take longer names.
pub(super) const LONG_FUNCTION: Field = required("FunctionName", name(256));

const QUALIFIER_TEXT: Shape =
    Shape::Text(Text::len(1, 128).pattern(r"\$LATEST|[a-zA-Z0-9-_$]+", |text| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "-_$".contains(c))
    }));
pub(super) const QUALIFIER: Field = optional("Qualifier", QUALIFIER_TEXT);
pub(super) const NEEDED_QUALIFIER: Field = required("Qualifier", QUALIFIER_TEXT);
pub(super) const REVISION: Field = optional("RevisionId", string(0, usize::MAX));
pub(super) const DESCRIPTION: Field = optional("Description", string(0, 256));
pub(super) const MARKER: Field = optional("Marker", string(0, usize::MAX));
pub(super) const MAX_ITEMS: Field = optional("MaxItems", Shape::Whole { min: 1, max: 10_000 });

const VERSION: Shape = Shape::Text(Text::len(1, 1024).pattern(r"(\$LATEST|[0-9]+)", |text| {
    text == "$LATEST" || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
}));
pub(super) const FUNCTION_VERSION: Field = optional("FunctionVersion", VERSION);
pub(super) const NEEDED_VERSION: Field = required("FunctionVersion", VERSION);

const ALIAS_NAME: Shape = Shape::Text(Text::len(1, 128).pattern(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", |text| {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) && !text.bytes().all(|b| b.is_ascii_digit())
}));
pub(super) const ALIAS: Field = required("Name", ALIAS_NAME);

const WEIGHTS: &[Field] = &[optional(
    "AdditionalVersionWeights",
    Shape::Map {
        key: Text::len(1, 1024).pattern("[0-9]+", |text| text.bytes().all(|b| b.is_ascii_digit())),
        value: &Shape::Fraction,
        min: 0,
        max: usize::MAX,
    },
)];
pub(super) const ROUTING: Field = optional("RoutingConfig", Shape::Struct(WEIGHTS));

/// Runtimes of the model (botocore 1.44.5).
pub(super) const RUNTIMES: &[&str] = &[
    "nodejs",
    "nodejs4.3",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "java8",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "python2.7",
    "python3.6",
    "python3.7",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "dotnet6",
    "dotnet8",
    "dotnet10",
    "nodejs4.3-edge",
    "go1.x",
    "ruby2.5",
    "ruby2.7",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
    "provided",
    "provided.al2",
    "provided.al2023",
    "nodejs26.x",
    "python3.15",
    "java8.al2023",
    "java11.al2023",
    "java17.al2023",
    "custom",
];

pub(super) const ROLE: Shape = Shape::Text(Text::len(0, 10_000).pattern(
    r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
    |text| {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = parts[..] else {
            return false;
        };
        partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && resource.strip_prefix("role").is_some_and(|name| {
                name.len() > 1 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c))
            })
    },
));
pub(super) const HANDLER: Field = optional(
    "Handler",
    Shape::Text(Text::len(0, 128).pattern(r"[^\s]+", |text| !text.is_empty() && !text.contains(char::is_whitespace))),
);
/// The API reference has 900 seconds; the model's own limit is wider.
pub(super) const TIMEOUT: Field = optional("Timeout", Shape::Whole { min: 1, max: 5400 });
/// The API reference has 10,240 MB for functions that are not on instances of their own, for which the
/// model's limit is wider.
pub(super) const MEMORY: Field = optional("MemorySize", Shape::Whole { min: 128, max: 10_240 });

const VARIABLES: &[Field] = &[optional(
    "Variables",
    Shape::Map {
        key: Text::len(0, usize::MAX).pattern(r"[a-zA-Z]([a-zA-Z0-9_])+", |text| {
            text.len() > 1
                && text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        }),
        value: &string(0, usize::MAX),
        min: 0,
        max: usize::MAX,
    },
)];
pub(super) const ENVIRONMENT: Field = optional("Environment", Shape::Struct(VARIABLES));

const ARN_OR_NOTHING: Shape = Shape::Text(
    Text::len(0, 10_000)
        .pattern(r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()", |text| text.is_empty() || text.starts_with("arn:aws")),
);
pub(super) const KMS_KEY: Field = optional("KMSKeyArn", ARN_OR_NOTHING);
pub(super) const DEAD_LETTER: Field =
    optional("DeadLetterConfig", Shape::Struct(&[optional("TargetArn", ARN_OR_NOTHING)]));
pub(super) const TRACING: Field =
    optional("TracingConfig", Shape::Struct(&[optional("Mode", one_of(&["Active", "PassThrough"]))]));
/// The API reference has 10,240 MB for functions that are not on instances of their own.
pub(super) const EPHEMERAL: Field =
    optional("EphemeralStorage", Shape::Struct(&[required("Size", Shape::Whole { min: 512, max: 10_240 })]));
pub(super) const SNAP_START: Field =
    optional("SnapStart", Shape::Struct(&[optional("ApplyOn", one_of(&["PublishedVersions", "None"]))]));
pub(super) const LOGGING: Field = optional(
    "LoggingConfig",
    Shape::Struct(&[
        optional("LogFormat", one_of(&["JSON", "Text"])),
        optional("ApplicationLogLevel", one_of(&["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])),
        optional("SystemLogLevel", one_of(&["DEBUG", "INFO", "WARN"])),
        optional("LogGroup", crate::services::logs::GROUP_NAME),
    ]),
);
pub(super) const ARCHITECTURES: Field =
    optional("Architectures", Shape::List { of: &one_of(&["x86_64", "arm64"]), min: 1, max: 1 });

const VPC: &[Field] = &[
    optional("SubnetIds", Shape::List { of: &string(0, 1024), min: 0, max: 16 }),
    optional("SecurityGroupIds", Shape::List { of: &string(0, 1024), min: 0, max: 5 }),
    optional("Ipv6AllowedForDualStack", Shape::Flag),
];
pub(super) const VPC_CONFIG: Field = optional("VpcConfig", Shape::Struct(VPC));
pub(super) const LAYERS: Field = optional("Layers", Shape::List { of: &string(1, 2048), min: 0, max: usize::MAX });
const FILE_SYSTEM: &[Field] = &[required("Arn", string(0, 256)), required("LocalMountPath", string(0, 160))];
pub(super) const FILE_SYSTEMS: Field =
    optional("FileSystemConfigs", Shape::List { of: &Shape::Struct(FILE_SYSTEM), min: 0, max: 1 });

const TAG_PATTERN: &str = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)";
const TAG_KEY: Text = Text::len(1, 128).pattern(TAG_PATTERN, |text| letters_digits_spaces_or(text, "_.:/=+-@"));
const TAG_VALUE: Shape =
    Shape::Text(Text::len(0, 256).pattern(TAG_PATTERN, |text| letters_digits_spaces_or(text, "_.:/=+-@")));
pub(super) const TAGS: Shape = Shape::Map { key: TAG_KEY, value: &TAG_VALUE, min: 0, max: usize::MAX };
pub(super) const TAG_KEYS: Shape = Shape::List { of: &Shape::Text(TAG_KEY), min: 0, max: usize::MAX };
