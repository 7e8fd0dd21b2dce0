//! The app client's secret among a function's variables, which a function of the user's own gets.

use std::collections::HashMap;

use aws_sdk_lambda::types::Environment;

use super::look::get;
use super::{NOT_YET, SECRET_VARIABLE};
use crate::{Context, ResourceError};
use hlctl_aws::ops;
use hlctl_config::Secret;

async fn variables(cx: &Context, name: &str) -> Result<HashMap<String, String>, ResourceError> {
    let answer = get(cx, name).await?;
    Ok(answer.and_then(|answer| answer.configuration?.environment?.variables).unwrap_or_default())
}

/// The secret that the function has, if it has one.
///
/// # Errors
/// AWS's, as [`ResourceError`].
pub async fn kept_secret(cx: &Context, name: &str) -> Result<Option<Secret>, ResourceError> {
    Ok(variables(cx, name).await?.remove(SECRET_VARIABLE).map(Secret::new))
}

/// Gives the function another secret, and leaves everything else of it as it is.
///
/// # Errors
/// AWS's, as [`ResourceError`].
pub async fn give_secret(cx: &Context, name: &str, secret: &Secret) -> Result<(), ResourceError> {
    let mut variables = variables(cx, name).await?;
    variables.insert(SECRET_VARIABLE.to_owned(), secret.expose().to_owned());
    let environment = Environment::builder().set_variables(Some(variables)).build();
    let put = || {
        let put = cx.clients.lambda.update_function_configuration().function_name(name);
        put.environment(environment.clone()).send()
    };
    cx.call(ops::lambda::UPDATE_FUNCTION_CONFIGURATION.eventually(NOT_YET), put).await?;
    Ok(())
}
