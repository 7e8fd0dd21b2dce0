//! How something that others have hung on a resource is removed: by the command of the AWS CLI for it. Pure.

use serde_json::Value;

use super::{Attachment, CLIENT_SECRET, KMS_GRANT, Kind};
use hlctl_aws::cli;

/// The command that removes it, where it is of a kind that has one and all is known that the command needs.
pub(super) fn removal(attachment: &Attachment, region: &str) -> Option<String> {
    let of = |name: &str| attachment.recorded.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    let command =
        |service, operation: &str, options: &[(&str, &str)]| Some(cli::command(region, service, operation, options));
    if attachment.kind == KMS_GRANT {
        return command("kms", "revoke-grant", &[("--key-id", of("key_id")?), ("--grant-id", of("grant_id")?)]);
    }
    // Which of two secrets apps use only their users know; `smart rotate-secret` names both.
    if attachment.kind == CLIENT_SECRET {
        return None;
    }
    match Kind::parse(attachment.kind)? {
        Kind::IamRolePolicyAttachment => {
            let (holder, name) =
                ["role", "user", "group"].into_iter().find_map(|holder| Some((holder, of(holder)?)))?;
            let options = [(&*format!("--{holder}-name"), name), ("--policy-arn", of("policy_arn")?)];
            command("iam", &format!("detach-{holder}-policy"), &options)
        }
        Kind::IamRolePolicy => {
            command("iam", "delete-role-policy", &[("--role-name", of("role")?), ("--policy-name", of("name")?)])
        }
        Kind::LambdaAlias => {
            command("lambda", "delete-alias", &[("--function-name", of("function")?), ("--name", of("name")?)])
        }
        Kind::LambdaPermission => {
            let mut options = vec![("--function-name", of("function")?), ("--statement-id", of("statement_id")?)];
            options.extend(of("qualifier").map(|qualifier| ("--qualifier", qualifier)));
            command("lambda", "remove-permission", &options)
        }
        Kind::CognitoUserPoolClient => {
            let options = [("--user-pool-id", of("user_pool_id")?), ("--client-id", of("id")?)];
            command("cognito-idp", "delete-user-pool-client", &options)
        }
        Kind::CognitoManagedLoginBranding => {
            let options = [("--user-pool-id", of("user_pool_id")?), ("--managed-login-branding-id", of("id")?)];
            command("cognito-idp", "delete-managed-login-branding", &options)
        }
        Kind::CognitoResourceServer => {
            let options = [("--user-pool-id", of("user_pool_id")?), ("--identifier", of("identifier")?)];
            command("cognito-idp", "delete-resource-server", &options)
        }
        Kind::CognitoUserPoolDomain => {
            let options = [("--user-pool-id", of("user_pool_id")?), ("--domain", of("domain")?)];
            command("cognito-idp", "delete-user-pool-domain", &options)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn removal_of(kind: &'static str, recorded: Value) -> Option<String> {
        removal(&Attachment { kind, what: String::new(), recorded }, "eu-west-1")
    }

    #[test]
    fn each_kind_has_the_command_that_removes_it_in_its_region() {
        for (kind, recorded, expected) in [
            (
                "iam_role_policy_attachment",
                json!({"role": "R", "policy_arn": "arn:aws:iam::aws:policy/Admin"}),
                "aws iam detach-role-policy --region eu-west-1 --role-name R --policy-arn arn:aws:iam::aws:policy/Admin",
            ),
            (
                "iam_role_policy_attachment",
                json!({"user": "U", "policy_arn": "arn:aws:iam::1:policy/P"}),
                "aws iam detach-user-policy --region eu-west-1 --user-name U --policy-arn arn:aws:iam::1:policy/P",
            ),
            (
                "iam_role_policy_attachment",
                json!({"group": "G", "policy_arn": "arn:aws:iam::1:policy/P"}),
                "aws iam detach-group-policy --region eu-west-1 --group-name G --policy-arn arn:aws:iam::1:policy/P",
            ),
            (
                "iam_role_policy",
                json!({"role": "R", "name": "P"}),
                "aws iam delete-role-policy --region eu-west-1 --role-name R --policy-name P",
            ),
            (
                "lambda_alias",
                json!({"function": "f", "name": "old", "arn": "arn"}),
                "aws lambda delete-alias --region eu-west-1 --function-name f --name old",
            ),
            (
                "lambda_permission",
                json!({"function": "f", "qualifier": "live", "statement_id": "odd one"}),
                "aws lambda remove-permission --region eu-west-1 --function-name f --statement-id 'odd one' --qualifier live",
            ),
            (
                "lambda_permission",
                json!({"function": "f", "qualifier": null, "statement_id": "s"}),
                "aws lambda remove-permission --region eu-west-1 --function-name f --statement-id s",
            ),
            (
                "cognito_user_pool_client",
                json!({"user_pool_id": "eu-west-1_a", "id": "c", "name": "n"}),
                "aws cognito-idp delete-user-pool-client --region eu-west-1 --user-pool-id eu-west-1_a --client-id c",
            ),
            (
                "cognito_resource_server",
                json!({"user_pool_id": "eu-west-1_a", "identifier": "system"}),
                "aws cognito-idp delete-resource-server --region eu-west-1 --user-pool-id eu-west-1_a --identifier system",
            ),
            (
                KMS_GRANT,
                json!({"key_id": "k", "grant_id": "g"}),
                "aws kms revoke-grant --region eu-west-1 --key-id k --grant-id g",
            ),
            (
                "cognito_user_pool_domain",
                json!({"user_pool_id": "eu-west-1_a", "domain": "d"}),
                "aws cognito-idp delete-user-pool-domain --region eu-west-1 --user-pool-id eu-west-1_a --domain d",
            ),
        ] {
            assert_eq!(removal_of(kind, recorded).as_deref(), Some(expected));
        }
    }

    #[test]
    fn without_all_that_it_needs_there_is_no_command() {
        for (kind, recorded) in [
            ("iam_role_policy_attachment", json!({"policy_arn": "arn:aws:iam::1:policy/P"})),
            ("iam_role_policy", json!({"role": "R", "name": ""})),
            ("lambda_alias", json!({"name": "old"})),
            ("cognito_user_pool_client", json!({"user_pool_id": "p"})),
            ("s3_bucket", json!({"bucket": "b"})),
            ("nothing of hlctl's", json!({})),
        ] {
            assert_eq!(removal_of(kind, recorded), None, "{kind}");
        }
    }
}
