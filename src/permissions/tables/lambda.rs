//! AWS Lambda.

use super::{Grant, On, When};

const fn on_function(action: &'static str, calls: &'static [&'static str]) -> Grant {
    Grant::new(action, calls, On::Function, When::Always)
}

pub(super) const FUNCTION: &[Grant] = &[
    on_function("lambda:CreateFunction", &["CreateFunction"]),
    on_function("lambda:DeleteFunction", &["DeleteFunction"]),
    on_function("lambda:DeleteFunctionConcurrency", &["DeleteFunctionConcurrency"]),
    on_function("lambda:GetFunction", &["GetFunction"]),
    on_function("lambda:InvokeFunction", &["Invoke"]),
    // "For tagged functions, this permission is also necessary for GetFunction" (Lambda developer guide, Tags).
    on_function("lambda:ListTags", &["GetFunction", "ListTags"]),
    on_function("lambda:PutFunctionConcurrency", &["PutFunctionConcurrency"]),
    on_function("lambda:TagResource", &["CreateFunction", "TagResource"]),
    on_function("lambda:UntagResource", &["UntagResource"]),
    on_function("lambda:UpdateFunctionCode", &["UpdateFunctionCode"]),
    on_function("lambda:UpdateFunctionConfiguration", &["UpdateFunctionConfiguration"]),
    Grant::new("iam:PassRole", &[], On::FunctionRoles, When::PassedToLambda),
];

pub(super) const ALIAS: &[Grant] = &[
    on_function("lambda:CreateAlias", &["CreateAlias"]),
    on_function("lambda:DeleteAlias", &["DeleteAlias"]),
    on_function("lambda:DeleteProvisionedConcurrencyConfig", &["DeleteProvisionedConcurrencyConfig"]),
    on_function("lambda:GetAlias", &["GetAlias"]),
    on_function("lambda:GetFunctionConfiguration", &["GetFunctionConfiguration"]),
    on_function("lambda:ListAliases", &["ListAliases"]),
    on_function("lambda:GetProvisionedConcurrencyConfig", &["GetProvisionedConcurrencyConfig"]),
    on_function("lambda:PublishVersion", &["PublishVersion"]),
    on_function("lambda:PutProvisionedConcurrencyConfig", &["PutProvisionedConcurrencyConfig"]),
    on_function("lambda:UpdateAlias", &["UpdateAlias"]),
];

pub(super) const PERMISSION: &[Grant] = &[
    on_function("lambda:AddPermission", &["AddPermission"]),
    on_function("lambda:GetPolicy", &["GetPolicy"]),
    on_function("lambda:RemovePermission", &["RemovePermission"]),
];
