//! The user pool and what is in it.

use hcl::{Block, Body};
use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::writer::{Links, ignoring, ignoring_all, in_block, reference, value};
use hlctl_engine::state::Entry;

pub(super) fn pool(of: &Arguments<'_>) -> Body {
    let admin = Block::builder("admin_create_user_config")
        .add_attribute(("allow_admin_create_user_only", of.plain("admin_create_user_only")));
    let recovery = of.seen("account_recovery");
    let recovery = recovery.as_array().into_iter().flatten().zip(1..).map(|(name, priority)| {
        Block::builder("recovery_mechanism")
            .add_attribute(("name", value(name)))
            .add_attribute(("priority", priority))
            .build()
    });
    let sender = Block::builder("email_configuration")
        .add_attribute(("email_sending_account", of.plain("email_sending_account")));
    let update = of.plain("attributes_verified_before_update");
    let update = Block::builder("user_attribute_update_settings")
        .add_attribute(("attributes_require_verification_before_update", update));
    let username =
        Block::builder("username_configuration").add_attribute(("case_sensitive", of.plain("username_case_sensitive")));
    let verification = Block::builder("verification_message_template")
        .add_attribute(("default_email_option", of.plain("verification_by")));
    // A pool that was adopted may have these, which hlctl leaves as they are.
    let history = in_block("password_policy", "password_history_size");
    let lifecycle = ignoring_all(vec![reference(&["user_pool_add_ons"], None), history]);
    let mut body = Body::builder()
        .add_attribute(("name", value(&of.recorded("name"))))
        .add_attribute(("deletion_protection", of.plain("deletion_protection")))
        .add_attribute(("mfa_configuration", of.plain("mfa_configuration")))
        .add_attribute(("alias_attributes", of.plain("alias_attributes")))
        .add_attribute(("auto_verified_attributes", of.plain("auto_verified_attributes")))
        .add_attribute(("tags", of.plain("tags")))
        .add_attribute(("user_pool_tier", of.plain("tier")))
        .add_block(admin.build())
        .add_block(Block::builder("account_recovery_setting").add_blocks(recovery).build())
        .add_block(sender.build())
        .add_block(password_policy(&of.seen("password_policy")))
        .add_block(email_schema(&of.seen("email_attribute")))
        .add_block(update.build())
        .add_block(username.build())
        .add_block(verification.build())
        .add_block(lifecycle);
    if let Some(triggers) = of.seen("triggers").as_object().filter(|triggers| !triggers.is_empty()) {
        body = body.add_block(lambda_config(triggers));
    }
    if of.seen("mfa_configuration") != "OFF" {
        body =
            body.add_block(Block::builder("software_token_mfa_configuration").add_attribute(("enabled", true)).build());
    }
    body.build()
}

/// Terraform has the triggers with a version in blocks of their own, and does not know `inbound_federation`.
fn lambda_config(triggers: &Map<String, Value>) -> Block {
    let of = |name: &str| triggers.get(name).map(value);
    let mut block = Block::builder("lambda_config");
    for (name, arn) in triggers {
        block = match name.as_str() {
            "pre_token_generation_version" | "inbound_federation" => block,
            "pre_token_generation" => {
                let version = of("pre_token_generation_version").unwrap_or_else(|| "V1_0".into());
                let config = Block::builder("pre_token_generation_config").add_attribute(("lambda_arn", value(arn)));
                block.add_block(config.add_attribute(("lambda_version", version)).build())
            }
            "custom_sms_sender" | "custom_email_sender" => {
                let sender = Block::builder(name.as_str()).add_attribute(("lambda_arn", value(arn)));
                block.add_block(sender.add_attribute(("lambda_version", "V1_0")).build())
            }
            _ => block.add_attribute((name.as_str(), value(arn))),
        };
    }
    block.build()
}

fn password_policy(policy: &Value) -> Block {
    let members = policy.as_object().into_iter().flatten().filter(|(_, member)| !member.is_null());
    let attributes = members.map(|(name, member)| (name.as_str(), value(member)));
    Block::builder("password_policy").add_attributes(attributes).build()
}

fn email_schema(schema: &Value) -> Block {
    let member = |name: &str| value(schema.get(name).unwrap_or(&Value::Null));
    let bounds = Block::builder("string_attribute_constraints")
        .add_attribute(("min_length", member("min")))
        .add_attribute(("max_length", member("max")))
        .build();
    Block::builder("schema")
        .add_attribute(("name", "email"))
        .add_attribute(("attribute_data_type", member("type")))
        .add_attribute(("developer_only_attribute", false))
        .add_attribute(("mutable", member("mutable")))
        .add_attribute(("required", member("required")))
        .add_block(bounds)
        .build()
}

pub(super) fn domain(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("domain", value(&of.recorded("domain"))))
        .add_attribute(("user_pool_id", of.pool()))
        .add_attribute(("managed_login_version", of.plain("managed_login_version")))
        .build()
}

pub(super) fn import_id_of_branding(recorded: &Value) -> String {
    let of = |name: &str| recorded.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{},{}", of("user_pool_id"), of("id"))
}

pub(super) fn branding(of: &Arguments<'_>) -> Body {
    let client = of.links.to(("cognito_user_pool_client", "id"), "id", &of.recorded("client_id"));
    Body::builder()
        .add_attribute(("user_pool_id", of.pool()))
        .add_attribute(("client_id", client))
        .add_attribute(("use_cognito_provided_values", true))
        // A style that a designer has made since is not reset.
        .add_block(ignoring(&["use_cognito_provided_values", "settings", "asset"]))
        .build()
}

/// Terraform asks for a description of each scope, and the state keeps none.
pub(super) fn resource_server(of: &Arguments<'_>) -> Body {
    let scopes = of.seen("scopes");
    let scopes = scopes.as_array().into_iter().flatten().map(|scope| {
        let block = Block::builder("scope").add_attribute(("scope_name", value(scope)));
        block.add_attribute(("scope_description", value(scope))).build()
    });
    Body::builder()
        .add_attribute(("identifier", value(&of.recorded("identifier"))))
        .add_attribute(("name", of.plain("name")))
        .add_attribute(("user_pool_id", of.pool()))
        .add_blocks(scopes)
        .add_block(ignoring(&["scope"]))
        .build()
}

/// Whether a secret was made cannot be read back, and asking for one would make another client.
pub(super) fn client(of: &Arguments<'_>) -> Body {
    let mut body = Body::builder()
        .add_attribute(("name", value(&of.recorded("name"))))
        .add_attribute(("user_pool_id", of.pool()))
        .add_attribute(("allowed_oauth_flows_user_pool_client", of.plain("oauth_for_pool")))
        .add_attribute(("allowed_oauth_flows", of.plain("oauth_flows")))
        .add_attribute(("allowed_oauth_scopes", of.plain("oauth_scopes")))
        .add_attribute(("supported_identity_providers", of.plain("identity_providers")))
        .add_attribute(("callback_urls", of.plain("callback_urls")))
        .add_attribute(("logout_urls", of.plain("logout_urls")))
        .add_attribute(("prevent_user_existence_errors", of.plain("prevent_user_existence_errors")));
    for (name, theirs) in [("readable_attributes", "read_attributes"), ("writable_attributes", "write_attributes")] {
        if !of.seen(name).is_null() {
            body = body.add_attribute((theirs, of.plain(name)));
        }
    }
    let mut units = Block::builder("token_validity_units");
    for token in ["access_token", "id_token", "refresh_token"] {
        let validity = of.seen(&format!("{token}_validity"));
        let Some((number, unit)) = validity.as_str().and_then(|text| text.split_once(' ')) else { continue };
        body = body.add_attribute((format!("{token}_validity"), number.parse::<i64>().unwrap_or_default()));
        units = units.add_attribute((token, unit));
    }
    body.add_block(units.build()).add_block(ignoring(&["generate_secret"])).build()
}

/// All of them in one resource, as in the module. Their passwords stay as they are.
pub(super) fn users(entries: &[&Entry], links: &Links<'_>) -> Block {
    let mut each = Map::new();
    let mut pool = Value::Null;
    for entry in entries {
        let recorded = entry.recorded.clone().unwrap_or_default();
        pool = recorded.get("user_pool_id").cloned().unwrap_or_default();
        let username = recorded.get("username").and_then(Value::as_str).unwrap_or_default().to_owned();
        let attributes = entry.attributes.get("user_attributes").cloned().unwrap_or_default();
        each.insert(username, json!({"attributes": attributes, "enabled": entry.attributes.get("enabled")}));
    }
    Block::builder("resource")
        .add_labels(["aws_cognito_user", "test_users"])
        .add_attribute(("for_each", value(&Value::Object(each))))
        .add_attribute(("user_pool_id", links.to(("cognito_user_pool", "id"), "id", &pool)))
        .add_attribute(("username", reference(&["each", "key"], None)))
        .add_attribute(("enabled", reference(&["each", "value", "enabled"], None)))
        .add_attribute(("attributes", reference(&["each", "value", "attributes"], None)))
        .build()
}
