//! The pages that users log in on.

use super::check::Check;
use super::{APP, Smart};
use crate::error::CommandError;
use hlctl_aws::ops;

/// The version of managed login, whose pages need a branding style of the client (Cognito API reference, `CreateUserPoolDomain`).
const MANAGED: i32 = 2;

impl Smart {
    /// There are pages: the classic ones, or those of managed login with a style.
    pub(super) async fn pages(&self) -> Result<Vec<Check>, CommandError> {
        const ID: &str = "login_pages";
        let cognito = &self.stack.cx.clients.cognito;
        let domain = self.stack.recorded("cognito_user_pool_domain.this", "domain")?;
        let describe = || cognito.describe_user_pool_domain().domain(domain).send();
        let seen = self.stack.cx.call(ops::cognito::DESCRIBE_USER_POOL_DOMAIN, describe).await;
        let seen = seen.map_err(CommandError::Aws)?.domain_description;
        let version = seen.and_then(|domain| domain.managed_login_version()).unwrap_or(1);
        if version < MANAGED {
            return Ok(vec![Check::passed(ID, format!("users log in on the classic pages of {domain}"))]);
        }
        let title = format!("users log in by managed login at {domain}");
        let (pool, client) = (self.stack.recorded(APP, "user_pool_id")?, self.stack.recorded(APP, "id")?);
        let style = || cognito.describe_managed_login_branding_by_client().user_pool_id(pool).client_id(client).send();
        let style = self.stack.cx.call(ops::cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT, style).await;
        let hint = concat!(
            "`",
            hlctl!("apply"),
            "` sets what the configuration asks for: the classic pages, or with cognito_managed_login = true a branding style"
        );
        match style {
            Ok(_) => Ok(vec![Check::passed(ID, title)]),
            Err(error) if error.is_not_found() => Ok(vec![
                Check::failed(ID, title, hint).with("the app client has no branding style, so its pages are not shown"),
            ]),
            Err(error) => Err(CommandError::Aws(error)),
        }
    }
}
