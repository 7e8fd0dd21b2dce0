//! The JSON Schema of `healthlake.toml`, for editors.

use serde_json::{Map, Value, json};
use toml::de::DeValue;

use super::analytics::Analytics;
use super::backend::{DEFAULT_LEASE, FIELDS, LEASE};
use super::environments::{NAME_PATTERN, TABLE};
use super::force_destroy::ForceDestroy;
use super::keys::{self, Default, Key, Kind, NO_MAX, TOKEN_UNITS, TOKENS, TRIGGER_VERSIONS, TRIGGERS};
use super::model::TransformFormat;
use super::rules::{Rule, addresses, arn, audit as rules, cognito, tags, transform};
use super::transform::{CLONE, REQUIRED, SOURCES};

/// A JSON Schema (draft 2020-12) of the file. It allows no more keys than [`load`](super::load) and every value that
/// `load` takes; what concerns several keys at once is left to `load`.
pub fn json_schema() -> Value {
    let mut properties: Map<String, Value> = keys::all().map(|key| (key.name.to_owned(), property(key))).collect();
    properties.insert(TABLE.to_owned(), environments());
    let required: Vec<&str> = keys::all().filter(|key| key.default == Default::Required).map(|key| key.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/hlctl/hlctl/healthlake.schema.json",
        "title": "healthlake.toml",
        "description": "Configuration of hlctl: one AWS HealthLake FHIR store and what it needs.",
        "type": "object",
        "additionalProperties": false,
        // What the rest of the file lacks, each environment may set.
        "anyOf": [{ "required": required }, { "required": [TABLE] }],
        "properties": properties,
    })
}

/// The table of environments: each sets keys of the file. Of `backend`, which is merged, it needs not set what the file does.
fn environments() -> Value {
    let of = |key: &Key| match key.kind {
        Kind::Backend => {
            let mut merged = backend();
            if let Value::Object(members) = &mut merged {
                members.remove("required");
            }
            merged
        }
        _ => json!({ "$ref": format!("#/properties/{}", key.name) }),
    };
    let properties: Map<String, Value> = keys::all().map(|key| (key.name.to_owned(), of(key))).collect();
    json!({
        "type": "object",
        "description": "Environments by name: `-e NAME` lays the table of that name over the rest of the file. Tables are merged by key; everything else, lists too, is replaced as a whole.",
        "propertyNames": { "pattern": NAME_PATTERN },
        "additionalProperties": {
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
        },
    })
}

fn property(key: &Key) -> Value {
    let mut schema = shape(&key.kind);
    if let Value::Object(members) = &mut schema {
        members.insert("description".to_owned(), json!(key.doc));
        members.insert("examples".to_owned(), json!([to_json(key.example)]));
        if let Default::Toml(default) = key.default {
            members.insert("default".to_owned(), to_json(default));
        }
    }
    schema
}

fn shape(kind: &Kind) -> Value {
    match kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text(rule) => text(rule),
        Kind::Choice(choices) => json!({ "type": "string", "enum": choices }),
        Kind::Whole { min, max: NO_MAX, .. } => json!({ "type": "integer", "minimum": min }),
        Kind::Whole { min, max, .. } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        Kind::WholeOf { values, .. } => json!({ "type": "integer", "enum": values }),
        Kind::Seconds { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Kind::List { of, min, max } => json!({
            "type": "array",
            "items": text(of),
            "minItems": min,
            "maxItems": max,
            "uniqueItems": true,
        }),
        Kind::Tags => json!({
            "type": "object",
            "maxProperties": tags::MOST,
            "propertyNames": text(&tags::KEY),
            "additionalProperties": text(&tags::VALUE),
        }),
        Kind::Protect => protect(),
        Kind::Analytics => {
            json!({ "anyOf": [{ "type": "boolean" }, { "type": "string", "enum": [Analytics::PAUSED] }] })
        }
        Kind::ForceDestroy => {
            json!({ "anyOf": [{ "type": "boolean" }, { "type": "string", "enum": [ForceDestroy::LOGS] }] })
        }
        Kind::Backend => backend(),
        Kind::Audit => audit(),
        Kind::TestUsers => json!({ "type": "array", "items": test_user() }),
        Kind::TokenValidity => tokens(&json!({ "type": "integer", "minimum": 1, "maximum": 315_360_000 })),
        Kind::Triggers => triggers(),
        Kind::TransformProfiles => {
            json!({ "type": "array", "items": transform_profile(), "maxItems": transform::MOST })
        }
        Kind::TokenUnits => tokens(&json!({ "type": "string", "enum": TOKEN_UNITS })),
    }
}

fn triggers() -> Value {
    let of = |name: &&str| match *name {
        "pre_token_generation_version" => json!({ "type": "string", "enum": TRIGGER_VERSIONS }),
        "kms_key_id" => text(&arn::KEY),
        _ => text(&arn::FUNCTION),
    };
    let properties: Map<String, Value> = TRIGGERS.iter().map(|name| ((*name).to_owned(), of(name))).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn text(rule: &Rule) -> Value {
    let mut schema = json!({ "type": "string", "minLength": rule.min, "maxLength": rule.max });
    if let Some(pattern) = rule.pattern {
        schema["pattern"] = json!(pattern);
    }
    if !rule.one_of.is_empty() {
        schema = json!({ "type": "string", "enum": rule.one_of });
    }
    schema
}

fn protect() -> Value {
    let address = json!({
        "anyOf": [
            { "type": "string", "enum": addresses::KNOWN.as_slice() },
            { "type": "string", "pattern": r#"^cognito_user\.test_users\[".+"\]$"# },
            { "type": "string", "pattern": r"^healthlake_data_transformation_profile\.[A-Za-z0-9_-]+$" },
        ]
    });
    json!({
        "anyOf": [
            { "type": "boolean" },
            { "type": "array", "items": address, "uniqueItems": true },
        ]
    })
}

fn backend() -> Value {
    let mut properties: Map<String, Value> =
        FIELDS.iter().map(|(name, rule)| ((*name).to_owned(), text(rule))).collect();
    let lease = json!({ "type": "integer", "minimum": LEASE.0, "maximum": LEASE.1, "default": DEFAULT_LEASE });
    properties.insert("lease_in_seconds".to_owned(), lease);
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["bucket", "key"],
        "properties": properties,
    })
}

fn audit() -> Value {
    let waiver = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["check", "reason", "expires"],
        "properties": {
            "check": described(&rules::CHECK, "Id of the check."),
            "resource": { "type": "string", "description": "Address of the one resource that it is for." },
            "reason": described(&rules::REASON, "The reason, for the people who read it next year."),
            "expires": described(&rules::EXPIRES, "The last day on which it counts."),
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "production": { "type": "boolean", "description": "Whether the stack holds real patients.", "default": true },
            "waivers": { "type": "array", "items": waiver },
        },
    })
}

fn transform_profile() -> Value {
    let exactly_one: Vec<Value> = SOURCES.iter().map(|name| json!({ "required": [name] })).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": REQUIRED,
        "oneOf": exactly_one,
        "properties": {
            "name": described(&transform::NAME, "Its name, in AWS and in its address."),
            "format": { "type": "string", "enum": TransformFormat::ALL, "description": "What it converts." },
            "mapping": described(&cognito::PATH, "A YAML file for CSV, a folder of templates for C-CDA."),
            "starter": described(&transform::STARTER, "AWS's starter to begin with, for C-CDA."),
            "clone": {
                "type": "object",
                "additionalProperties": false,
                "required": CLONE,
                "description": "A published version of another profile to begin with.",
                "properties": {
                    "profile": described(&transform::ID, "Id of the other profile."),
                    "version": {
                        "type": "integer",
                        "minimum": transform::VERSIONS.0,
                        "maximum": transform::VERSIONS.1,
                        "description": "The version.",
                    },
                },
            },
            "kms_key": described(&transform::KEY, "KMS key that encrypts it. It cannot be changed later."),
            "description": described(&transform::DESCRIPTION, "What it is for. It cannot be changed later."),
            "tags": shape(&Kind::Tags),
        },
    })
}

fn test_user() -> Value {
    let passwords = ["password", "password_env", "password_file"];
    let exactly_one: Vec<Value> = passwords.iter().map(|name| json!({ "required": [name] })).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["username", "preferred_username", "email", "email_verified"],
        "oneOf": exactly_one,
        "properties": {
            "username": described(&cognito::USERNAME, "Name to log in with."),
            "preferred_username": described(&cognito::PREFERRED_USERNAME, "The attribute of that name."),
            "email": described(&cognito::EMAIL, "Email address."),
            "email_verified": { "type": "boolean", "description": "Whether the address counts as verified." },
            "password": described(&cognito::PASSWORD, "The password itself. Prefer one of the other two."),
            "password_env": described(&cognito::VARIABLE, "Variable that holds the password."),
            "password_file": described(&cognito::PATH, "File that holds the password."),
        },
    })
}

fn described(rule: &Rule, description: &str) -> Value {
    let mut schema = text(rule);
    schema["description"] = json!(description);
    schema
}

fn tokens(of_each: &Value) -> Value {
    let properties: Map<String, Value> = TOKENS.iter().map(|token| ((*token).to_owned(), of_each.clone())).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// A default or an example of the table, whose TOML the tests parse.
fn to_json(text: &str) -> Value {
    DeValue::parse(text).map_or(Value::Null, |value| value_to_json(value.get_ref()))
}

fn value_to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            json!(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().ok()),
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Datetime(date) => json!(date.to_string()),
        DeValue::Array(array) => array.iter().map(|value| value_to_json(value.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(name, value)| (name.get_ref().to_string(), value_to_json(value.get_ref())))
            .collect::<Map<String, Value>>()
            .into(),
    }
}
