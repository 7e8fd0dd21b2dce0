//! Everything that an AWS holds, by kind and name, so that what is left over or there twice has a name too.

use std::collections::BTreeMap;
use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::types::UserPoolDescriptionType;

use crate::support::{Place, call};

/// What there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    things: BTreeMap<String, usize>,
    /// Keys that wait for their end.
    pub keys_ending: usize,
    /// What no file may hold: the secrets of app clients.
    pub secrets: Vec<String>,
}

impl Inventory {
    /// Looks at everything in the place's AWS.
    pub fn of(place: &Place, region: &str) -> Self {
        let config = place.cloud().sdk_as(place.access_key(), region);
        let mut inventory = Self::default();
        call(async {
            inventory.keys(&config).await;
            inventory.stores(&config).await;
            inventory.buckets(&config).await;
            inventory.iam(&config).await;
            inventory.cognito(&config).await;
            inventory.functions(&config).await;
            inventory.log_groups(&config).await;
        });
        inventory
    }

    /// Whether nothing lives.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// What is here and not there, or more often.
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let more = |(thing, count): (&String, &usize)| {
            let there = other.things.get(thing).copied().unwrap_or_default();
            (*count > there).then(|| format!("{thing}: {count} instead of {there}"))
        };
        self.things.iter().filter_map(more).collect()
    }

    fn add(&mut self, kind: &str, name: &str) {
        *self.things.entry(format!("{kind} {name}")).or_default() += 1;
    }

    async fn keys(&mut self, config: &SdkConfig) {
        let kms = aws_sdk_kms::Client::new(config);
        for key in kms.list_keys().send().await.unwrap().keys() {
            let id = key.key_arn().unwrap();
            let described = kms.describe_key().key_id(id).send().await.unwrap();
            if !described.key_metadata().unwrap().enabled() {
                self.keys_ending += 1;
                continue;
            }
            let tags = kms.list_resource_tags().key_id(id).send().await.unwrap();
            let address = tags.tags().iter().find(|tag| tag.tag_key() == "hlctl:address");
            self.add("key", address.map_or("without an address", |tag| tag.tag_value()));
        }
    }

    async fn stores(&mut self, config: &SdkConfig) {
        let healthlake = aws_sdk_healthlake::Client::new(config);
        let listed = healthlake.list_fhir_datastores().send().await.unwrap();
        for store in listed.datastore_properties_list() {
            if !["DELETED", "DELETING"].contains(&store.datastore_status().as_str()) {
                self.add("store", store.datastore_name().unwrap_or_default());
            }
        }
    }

    async fn buckets(&mut self, config: &SdkConfig) {
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        let listed = aws_sdk_s3::Client::from_conf(s3).list_buckets().send().await.unwrap();
        for bucket in listed.buckets() {
            self.add("bucket", bucket.name().unwrap());
        }
    }

    async fn iam(&mut self, config: &SdkConfig) {
        let iam = aws_sdk_iam::Client::new(config);
        for role in iam.list_roles().send().await.unwrap().roles() {
            let name = role.role_name();
            self.add("role", name);
            for policy in iam.list_role_policies().role_name(name).send().await.unwrap().policy_names() {
                self.add("role policy", &format!("{name}/{policy}"));
            }
            let attached = iam.list_attached_role_policies().role_name(name).send().await.unwrap();
            for policy in attached.attached_policies() {
                self.add("attachment", &format!("{name}/{}", policy.policy_arn().unwrap()));
            }
        }
        let local = aws_sdk_iam::types::PolicyScopeType::Local;
        for policy in iam.list_policies().scope(local).send().await.unwrap().policies() {
            self.add("policy", policy.policy_name().unwrap());
        }
    }

    async fn cognito(&mut self, config: &SdkConfig) {
        let cognito = aws_sdk_cognitoidentityprovider::Client::new(config);
        for pool in cognito.list_user_pools().max_results(60).send().await.unwrap().user_pools() {
            self.add("pool", pool.name().unwrap());
            self.parts_of_pool(&cognito, pool).await;
        }
    }

    async fn parts_of_pool(
        &mut self,
        cognito: &aws_sdk_cognitoidentityprovider::Client,
        pool: &UserPoolDescriptionType,
    ) {
        let id = pool.id().unwrap();
        let described = cognito.describe_user_pool().user_pool_id(id).send().await.unwrap();
        if let Some(domain) = described.user_pool().unwrap().domain() {
            self.add("domain", domain);
        }
        let servers = cognito.list_resource_servers().user_pool_id(id).max_results(50).send().await.unwrap();
        for server in servers.resource_servers() {
            self.add("resource server", server.identifier().unwrap());
        }
        for user in cognito.list_users().user_pool_id(id).send().await.unwrap().users() {
            self.add("user", user.username().unwrap());
        }
        for client in cognito.list_user_pool_clients().user_pool_id(id).send().await.unwrap().user_pool_clients() {
            self.add("client", client.client_name().unwrap());
            let described = cognito.describe_user_pool_client().user_pool_id(id).client_id(client.client_id().unwrap());
            let described = described.send().await.unwrap();
            let secret = described.user_pool_client().and_then(|client| client.client_secret());
            self.secrets.extend(secret.map(str::to_owned));
        }
    }

    async fn functions(&mut self, config: &SdkConfig) {
        let lambda = aws_sdk_lambda::Client::new(config);
        for function in lambda.list_functions().send().await.unwrap().functions() {
            let name = function.function_name().unwrap();
            self.add("function", name);
            for alias in lambda.list_aliases().function_name(name).send().await.unwrap().aliases() {
                self.add("alias", &format!("{name}:{}", alias.name().unwrap()));
            }
        }
    }

    async fn log_groups(&mut self, config: &SdkConfig) {
        let logs = aws_sdk_cloudwatchlogs::Client::new(config);
        for group in logs.describe_log_groups().send().await.unwrap().log_groups() {
            self.add("log group", group.log_group_name().unwrap());
        }
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let things: Vec<String> = self.things.iter().map(|(thing, count)| format!("{thing}: {count}")).collect();
        f.write_str(&things.join(", "))
    }
}
