//! How something that others have hung on a resource is removed: by the command of the AWS CLI for it. Pure.

use serde_json::Value;

use crate::resource::{Hanging, Kind};

/// The command that removes it, where it is of a kind that has one.
pub(super) fn removal(hanging: &Hanging) -> Option<String> {
    let of = |name: &str| hanging.recorded.get(name).and_then(Value::as_str).unwrap_or_default();
    let holder = ["role", "user", "group"].into_iter().find(|holder| !of(holder).is_empty());
    let (service, operation, mut options) = match Kind::parse(hanging.kind)? {
        Kind::IamRolePolicyAttachment => {
            let holder = holder?;
            let name = of(holder);
            return Some(command(
                "iam",
                &format!("detach-{holder}-policy"),
                &[(&format!("--{holder}-name"), name), ("--policy-arn", of("policy_arn"))],
            ));
        }
        Kind::IamRolePolicy => {
            ("iam", "delete-role-policy", vec![("--role-name", of("role")), ("--policy-name", of("name"))])
        }
        Kind::LambdaAlias => {
            ("lambda", "delete-alias", vec![("--function-name", of("function")), ("--name", of("name"))])
        }
        Kind::LambdaPermission => {
            let options = vec![("--function-name", of("function")), ("--statement-id", of("statement_id"))];
            ("lambda", "remove-permission", options)
        }
        Kind::CognitoUserPoolClient => (
            "cognito-idp",
            "delete-user-pool-client",
            vec![("--user-pool-id", of("user_pool_id")), ("--client-id", of("id"))],
        ),
        Kind::CognitoResourceServer => {
            let options = vec![("--user-pool-id", of("user_pool_id")), ("--identifier", of("identifier"))];
            ("cognito-idp", "delete-resource-server", options)
        }
        Kind::CognitoUserPoolDomain => (
            "cognito-idp",
            "delete-user-pool-domain",
            vec![("--user-pool-id", of("user_pool_id")), ("--domain", of("domain"))],
        ),
        _ => return None,
    };
    if !of("qualifier").is_empty() {
        options.push(("--qualifier", of("qualifier")));
    }
    Some(command(service, operation, &options))
}

fn command(service: &str, operation: &str, options: &[(&str, &str)]) -> String {
    let words = ["aws", service, operation].into_iter().chain(options.iter().flat_map(|(name, value)| [*name, *value]));
    let words: Vec<&str> = words.collect();
    shlex::try_join(words.iter().copied()).unwrap_or_else(|_| words.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::{IamRolePolicyAttachment, LambdaPermission, Resource};

    #[test]
    fn each_kind_has_the_command_that_removes_it() {
        let hanging = |kind, recorded| Hanging { kind, what: String::new(), recorded };
        for (kind, recorded, expected) in [
            (
                IamRolePolicyAttachment::KIND,
                json!({"role": "R", "policy_arn": "arn:aws:iam::aws:policy/Admin"}),
                "aws iam detach-role-policy --role-name R --policy-arn arn:aws:iam::aws:policy/Admin",
            ),
            (
                IamRolePolicyAttachment::KIND,
                json!({"group": "G", "policy_arn": "arn:aws:iam::1:policy/P"}),
                "aws iam detach-group-policy --group-name G --policy-arn arn:aws:iam::1:policy/P",
            ),
            (
                LambdaPermission::KIND,
                json!({"function": "f", "qualifier": "live", "statement_id": "odd one"}),
                "aws lambda remove-permission --function-name f --statement-id 'odd one' --qualifier live",
            ),
        ] {
            assert_eq!(removal(&hanging(kind, recorded)).as_deref(), Some(expected));
        }
    }
}
