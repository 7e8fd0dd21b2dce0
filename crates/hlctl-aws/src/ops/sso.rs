//! AWS IAM Identity Center.

use super::operations;

operations!("sso", GET_ROLE_CREDENTIALS = reads("GetRoleCredentials"),);
