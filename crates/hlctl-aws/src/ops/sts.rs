//! AWS Security Token Service.

use super::Repeat::Another;
use super::operations;

operations!(
    "sts",
    ASSUME_ROLE = changes("AssumeRole", Another, "AssumeRole: each request issues other credentials"),
    ASSUME_ROLE_WITH_WEB_IDENTITY = changes(
        "AssumeRoleWithWebIdentity",
        Another,
        "AssumeRoleWithWebIdentity: each request issues other credentials"
    ),
    GET_CALLER_IDENTITY = reads("GetCallerIdentity"),
);
