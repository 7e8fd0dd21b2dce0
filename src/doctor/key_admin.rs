//! Whether the administrator of the keys exists.

use super::Finding;
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_resources::Context;

const CHECK: &str = "key_admin";
const WHY: &str = "KMS refuses a key whose policy names a principal that does not exist";

/// Looks for the user or role that `kms_admin_iam_arn` names.
pub async fn key_admin(cx: &Context, arn: &str) -> Finding {
    let title = format!("the keys' administrator {arn}");
    let Some((account, kind, name)) = parts(arn) else {
        return Finding::not_checkable(CHECK, title, "it is neither a user nor a role; check that it exists");
    };
    if account != cx.identity.account {
        return Finding::not_checkable(
            CHECK,
            title,
            "it belongs to another account; ask someone there to check that it exists",
        );
    }
    let found = match kind {
        "role" => role(cx, name).await,
        _ => user(cx, name).await,
    };
    match found {
        Ok(found) if found == arn => Finding::ok(CHECK, format!("{title} exists")),
        Ok(found) => absent(&title).with(format!("there is one with that name at another path: {found}")),
        Err(error) if error.is_not_found() => absent(&title),
        Err(error) if error.kind == ErrorKind::Denied => {
            let remediation = format!(
                "allow {} so that it can be checked",
                if kind == "role" { "iam:GetRole" } else { "iam:GetUser" }
            );
            Finding::not_checkable(CHECK, title, remediation).with(error.to_string())
        }
        Err(error) => {
            Finding::not_checkable(CHECK, title, "fix the cause, then run this command again").with(error.to_string())
        }
    }
}

fn absent(title: &str) -> Finding {
    let remediation = "correct kms_admin_iam_arn in the config, or create the user or role first";
    Finding::problem(CHECK, format!("{title} does not exist"), WHY, remediation)
}

/// Account, `user` or `role`, and name without its path.
fn parts(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(4);
    let (account, resource) = (parts.next()?, parts.next()?);
    let (kind, path) = resource.split_once('/')?;
    ["user", "role"].contains(&kind).then(|| (account, kind, path.rsplit('/').next().unwrap_or(path)))
}

async fn role(cx: &Context, name: &str) -> Result<String, AwsError> {
    let get = || cx.clients.iam.get_role().role_name(name).send();
    let answer = cx.call(ops::iam::GET_ROLE, get).await?;
    let role = answer.role.ok_or_else(|| AwsError::incomplete(ops::iam::GET_ROLE, "role"))?;
    Ok(role.arn)
}

async fn user(cx: &Context, name: &str) -> Result<String, AwsError> {
    let get = || cx.clients.iam.get_user().user_name(name).send();
    let answer = cx.call(ops::iam::GET_USER, get).await?;
    let user = answer.user.ok_or_else(|| AwsError::incomplete(ops::iam::GET_USER, "user"))?;
    Ok(user.arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_part_of_the_name() {
        let arn = "arn:aws:iam::123456789012:role/security/kms-admin";
        assert_eq!(parts(arn), Some(("123456789012", "role", "kms-admin")));
        assert_eq!(parts("arn:aws:iam::123456789012:user/u"), Some(("123456789012", "user", "u")));
        assert_eq!(parts("arn:aws:iam::123456789012:root"), None);
    }
}
