//! What CreateUserPool and UpdateUserPool take.

use super::shapes::{
    ANY, ARN, FLOWS, POOL_FIELD, SCOPES, VERIFIED, is_arn, is_scope_character, is_visible, is_word, name,
};
use super::{schema, tagging};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required, text as string};

const fn template(max: usize, pattern: &'static str, matches: fn(&str) -> bool) -> Shape {
    Shape::Text(Text::len(6, max).pattern(pattern, matches))
}

const CODE: &str = r".*\{####\}.*";
const SMS: Shape = template(140, CODE, |text| text.contains("{####}"));
const EMAIL: Shape = template(20_000, CODE, |text| text.contains("{####}"));
const EMAIL_LINK: Shape =
    template(20_000, r".*\{##.*##\}.*", |text| text.split_once("{##").is_some_and(|(_, rest)| rest.contains("##}")));
const SUBJECT: Shape = Shape::Text(
    Text::len(1, 140)
        .pattern(r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s]+", |text| text.chars().all(|c| is_visible(c) || c.is_whitespace())),
);

const PASSWORD_POLICY: Shape = Shape::Struct(&[
    optional("MinimumLength", Shape::Whole { min: 6, max: 99 }),
    optional("RequireUppercase", Shape::Flag),
    optional("RequireLowercase", Shape::Flag),
    optional("RequireNumbers", Shape::Flag),
    optional("RequireSymbols", Shape::Flag),
    optional("PasswordHistorySize", Shape::Whole { min: 0, max: 24 }),
    optional("TemporaryPasswordValidityDays", Shape::Whole { min: 0, max: 365 }),
]);
const FACTOR: Shape = one_of(&["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"]);
const SIGN_IN_POLICY: Shape =
    Shape::Struct(&[optional("AllowedFirstAuthFactors", Shape::List { of: &FACTOR, min: 1, max: 5 })]);
const POLICIES: Shape =
    Shape::Struct(&[optional("PasswordPolicy", PASSWORD_POLICY), optional("SignInPolicy", SIGN_IN_POLICY)]);

const fn versioned(versions: &'static [&'static str]) -> [Field; 2] {
    [required("LambdaVersion", one_of(versions)), required("LambdaArn", ARN)]
}
const V1: &[Field] = &versioned(&["V1_0"]);
const LAMBDAS: Shape = Shape::Struct(&[
    optional("PreSignUp", ARN),
    optional("CustomMessage", ARN),
    optional("PostConfirmation", ARN),
    optional("PreAuthentication", ARN),
    optional("PostAuthentication", ARN),
    optional("DefineAuthChallenge", ARN),
    optional("CreateAuthChallenge", ARN),
    optional("VerifyAuthChallengeResponse", ARN),
    optional("PreTokenGeneration", ARN),
    optional("UserMigration", ARN),
    optional("PreTokenGenerationConfig", Shape::Struct(&versioned(&["V1_0", "V2_0", "V3_0"]))),
    optional("CustomSMSSender", Shape::Struct(V1)),
    optional("CustomEmailSender", Shape::Struct(V1)),
    optional("KMSKeyID", ARN),
    optional("InboundFederation", Shape::Struct(V1)),
]);

const MESSAGES: Shape = Shape::Struct(&[
    optional("SmsMessage", SMS),
    optional("EmailMessage", EMAIL),
    optional("EmailSubject", SUBJECT),
    optional("EmailMessageByLink", EMAIL_LINK),
    optional("EmailSubjectByLink", SUBJECT),
    optional("DefaultEmailOption", one_of(&["CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"])),
]);
const INVITATION: Shape = Shape::Struct(&[
    optional("SMSMessage", string(6, 140)),
    optional("EmailMessage", string(6, 20_000)),
    optional("EmailSubject", SUBJECT),
]);
const ADMIN_CREATE: Shape = Shape::Struct(&[
    optional("AllowAdminCreateUserOnly", Shape::Flag),
    optional("UnusedAccountValidityDays", Shape::Whole { min: 0, max: 365 }),
    optional("InviteMessageTemplate", INVITATION),
]);

const ADDRESS: Shape = Shape::Text(Text::len(0, usize::MAX).pattern(
    r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+@[\p{L}\p{M}\p{S}\p{N}\p{P}]+",
    |text| {
        text.chars().all(is_visible)
            && text.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
    },
));
const CONFIGURATION_SET: Shape =
    Shape::Text(Text::len(1, 64).pattern("^[a-zA-Z0-9_-]+$", |text| text.chars().all(|c| is_word(c) || c == '-')));
const EMAIL_SENDING: Shape = Shape::Struct(&[
    optional("SourceArn", ARN),
    optional("ReplyToEmailAddress", ADDRESS),
    optional("EmailSendingAccount", one_of(&["COGNITO_DEFAULT", "DEVELOPER"])),
    optional("From", ANY),
    optional("ConfigurationSet", CONFIGURATION_SET),
]);
const OPTIONAL_ARN: Shape =
    Shape::Text(Text::len(0, 2048).pattern("(arn:...)?", |text| text.is_empty() || is_arn(text)));
const EUMS: Shape = Shape::Struct(&[
    required("CallerArn", ARN),
    optional("ExternalId", ANY),
    optional("OriginationIdentity", ANY),
    optional("ConfigurationSetName", ANY),
    optional("InEntityId", ANY),
    optional("InTemplateId", ANY),
    optional("Region", string(5, 32)),
]);
pub(super) const SMS_SENDING: Shape = Shape::Struct(&[
    optional("SnsCallerArn", OPTIONAL_ARN),
    optional("ExternalId", ANY),
    optional("SnsRegion", string(5, 32)),
    optional("EumsSms", EUMS),
]);
pub(super) const SMS_MESSAGE: Shape = SMS;
pub(super) const MFA: Shape = one_of(&["OFF", "ON", "OPTIONAL"]);

const ADD_ONS: Shape = Shape::Struct(&[
    required("AdvancedSecurityMode", one_of(&["OFF", "AUDIT", "ENFORCED"])),
    optional(
        "AdvancedSecurityAdditionalFlows",
        Shape::Struct(&[optional("CustomAuthMode", one_of(&["AUDIT", "ENFORCED"]))]),
    ),
]);
const DCR: Shape = Shape::Struct(&[
    optional("EnableStatus", one_of(&["Enabled", "Disabled"])),
    optional("OpenDcrEnabled", Shape::Flag),
    optional("AuthenticatedGrantTypes", FLOWS),
    optional("OpenDcrGrantTypes", FLOWS),
    optional("AllowedScopes", SCOPES),
]);
const RECOVERY_OPTION: Shape = Shape::Struct(&[
    required("Priority", Shape::Whole { min: 1, max: 2 }),
    required("Name", one_of(&["verified_email", "verified_phone_number", "admin_only"])),
]);
const RECOVERY: Shape =
    Shape::Struct(&[optional("RecoveryMechanisms", Shape::List { of: &RECOVERY_OPTION, min: 1, max: 2 })]);
const ACR_KEY: Text =
    Text::len(0, usize::MAX).pattern("Level[1-4]", |text| matches!(text, "Level1" | "Level2" | "Level3" | "Level4"));
const ACR_LEVEL: Shape = Shape::Struct(&[required("AcrValue", ACR_VALUE)]);
const ACR_VALUE: Shape =
    Shape::Text(Text::len(1, 64).pattern(r"[\x21\x23-\x5B\x5D-\x7E]+", |text| text.chars().all(is_scope_character)));
const ACR: Shape = Shape::Map { key: ACR_KEY, value: &ACR_LEVEL, min: 0, max: 4 };
const DEVICES: Shape = Shape::Struct(&[
    optional("ChallengeRequiredOnNewDevice", Shape::Flag),
    optional("DeviceOnlyRememberedOnUserPrompt", Shape::Flag),
]);
const UPDATES: Shape = Shape::Struct(&[optional("AttributesRequireVerificationBeforeUpdate", VERIFIED)]);
const KEY: Shape = Shape::Struct(&[
    optional("KeyType", one_of(&["AWS_OWNED_KEY", "CUSTOMER_MANAGED_KEY"])),
    optional("KmsKeyArn", ARN),
]);
const ISSUER: Shape = Shape::Struct(&[optional("Type", one_of(&["ORIGINAL", "UPDATED"]))]);
const ALIASES: Shape =
    Shape::List { of: &one_of(&["phone_number", "email", "preferred_username"]), min: 0, max: usize::MAX };

/// The members of both operations, and those of one alone.
macro_rules! settings {
    ($($own:expr),*) => {
        &[
            optional("Policies", POLICIES),
            optional("DeletionProtection", one_of(&["ACTIVE", "INACTIVE"])),
            optional("LambdaConfig", LAMBDAS),
            optional("AutoVerifiedAttributes", VERIFIED),
            optional("SmsVerificationMessage", SMS),
            optional("EmailVerificationMessage", EMAIL),
            optional("EmailVerificationSubject", SUBJECT),
            optional("VerificationMessageTemplate", MESSAGES),
            optional("SmsAuthenticationMessage", SMS),
            optional("MfaConfiguration", MFA),
            optional("UserAttributeUpdateSettings", UPDATES),
            optional("DeviceConfiguration", DEVICES),
            optional("EmailConfiguration", EMAIL_SENDING),
            optional("SmsConfiguration", SMS_SENDING),
            optional("UserPoolTags", tagging::TAGS),
            optional("AdminCreateUserConfig", ADMIN_CREATE),
            optional("UserPoolAddOns", ADD_ONS),
            optional("DcrConfiguration", DCR),
            optional("AccountRecoverySetting", RECOVERY),
            optional("UserPoolTier", one_of(&["LITE", "ESSENTIALS", "PLUS"])),
            optional("KeyConfiguration", KEY),
            optional("IssuerConfiguration", ISSUER),
            optional("AcrConfiguration", ACR),
            $($own),*
        ]
    };
}

pub(super) const CREATE: &[Field] = settings![
    required("PoolName", name(128)),
    optional("AliasAttributes", ALIASES),
    optional("UsernameAttributes", VERIFIED),
    optional("UsernameConfiguration", Shape::Struct(&[required("CaseSensitive", Shape::Flag)])),
    optional("Schema", schema::ATTRIBUTES)
];

pub(super) const UPDATE: &[Field] = settings![POOL_FIELD, optional("PoolName", name(128))];
