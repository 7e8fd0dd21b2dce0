//! The SMART half of the stack: who may log in, what judges their tokens, and what HealthLake may then do for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::Builder;
use hlctl_config::TestUser;
use hlctl_model::address::Address;
use hlctl_resources::package::Package;
use hlctl_resources::policy::{Document, Principal, Statement};
use hlctl_resources::{
    CloudwatchLogGroup, CognitoManagedLoginBranding, CognitoResourceServer, CognitoUser, CognitoUserPool,
    CognitoUserPoolClient, CognitoUserPoolDomain, FhirDatastore, Flow, IamPolicy, IamRole, IamRolePolicy,
    IamRolePolicyAttachment, IdentityProvider, Issuer, KEYS, KmsKey, LambdaAlias, LambdaFunction, LambdaPermission,
    Ref, Resource, Target, Text,
};

/// The scopes that OpenID Connect brings along.
const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "phone"];
const HEALTHLAKE: &str = "healthlake.amazonaws.com";

/// The address of the test user with this name.
pub fn test_user(username: &str) -> Address {
    Address::new(CognitoUser::KIND, &format!("test_users[{}]", json!(username)))
}

/// The clients of the pool, and the scopes they may ask for.
struct Clients {
    pool: Ref<CognitoUserPool>,
    app: Ref<CognitoUserPoolClient>,
    machine: Option<Ref<CognitoUserPoolClient>>,
    scopes: BTreeSet<String>,
}

impl Builder<'_> {
    /// Everything up to the identity provider block, for which the store waits.
    pub(super) fn identity_provider(&mut self) -> Option<IdentityProvider> {
        let package = self.materials.package.clone()?;
        let clients = self.user_pool();
        let validator = self.validator(&clients, package);
        let permission = self.permission(&validator);
        let smart = &self.config.smart;
        Some(IdentityProvider {
            strategy: smart.authorization_strategy.clone(),
            fine_grained: smart.fine_grained_authorization,
            validator,
            permission,
            metadata: self.metadata(&clients),
            issuer: self.issuer_of(&clients.pool),
            jwks_uri: self.issuer_of(&clients.pool) + KEYS,
        })
    }

    fn user_pool(&mut self) -> Clients {
        let smart = &self.config.smart;
        let pool = CognitoUserPool {
            name: smart.user_pool_name.clone(),
            deletion_protection: smart.deletion_protection,
            password_minimum_length: smart.password_minimum_length,
            tier: smart.user_pool_tier.clone(),
            issuer: self.issuer(),
            triggers: (!smart.ignore_triggers).then(|| smart.triggers.clone()),
            mfa: smart.mfa_configuration.clone(),
            tags: self.tags::<CognitoUserPool>("main"),
        };
        let pool = self.add("main", pool);
        let launch = BTreeSet::from(["patient".to_owned()]);
        let levels = [
            ("launch", &launch),
            ("system", &smart.system_scopes),
            ("patient", &smart.patient_scopes),
            ("user", &smart.user_scopes),
        ];
        let servers: Vec<_> = levels
            .into_iter()
            .filter(|(_, scopes)| !scopes.is_empty())
            .map(|(identifier, scopes)| self.resource_server(&pool, identifier, scopes))
            .collect();
        let system = qualified("system", &smart.system_scopes);
        let mut scopes: BTreeSet<String> = OPENID_SCOPES.map(str::to_owned).into();
        scopes.extend(levels.into_iter().flat_map(|(identifier, scopes)| qualified(identifier, scopes)));
        let user = Flow::User { callback_urls: smart.callback_urls.clone(), logout_urls: smart.logout_urls.clone() };
        let client = |name: &String, flow, scopes: &BTreeSet<String>| CognitoUserPoolClient {
            pool: pool.clone(),
            servers: servers.clone(),
            name: name.clone(),
            flow,
            scopes: scopes.clone(),
            validity: smart.token_validity.clone(),
        };
        let app = self.add("client", client(&smart.client_name, user, &scopes));
        let branding =
            smart.managed_login.then(|| self.add("client", CognitoManagedLoginBranding { client: app.clone() }));
        let domain = CognitoUserPoolDomain { domain: smart.domain.clone(), pool: pool.clone(), branding };
        self.add("this", domain);
        let machine = smart.machine_client.as_ref();
        let machine = machine.map(|name| self.add("machine", client(name, Flow::Machine, &system)));
        for user in &smart.test_users {
            self.test_user(&pool, user);
        }
        Clients { pool, app, machine, scopes }
    }

    fn resource_server(
        &mut self,
        pool: &Ref<CognitoUserPool>,
        identifier: &str,
        scopes: &BTreeSet<String>,
    ) -> Ref<CognitoResourceServer> {
        let server =
            CognitoResourceServer { pool: pool.clone(), identifier: identifier.to_owned(), scopes: scopes.clone() };
        self.add(identifier, server)
    }

    fn test_user(&mut self, pool: &Ref<CognitoUserPool>, user: &TestUser) {
        let address = test_user(&user.username);
        let user = CognitoUser {
            address: address.clone(),
            pool: pool.clone(),
            username: user.username.clone(),
            user_attributes: BTreeMap::from([
                ("preferred_username".to_owned(), user.preferred_username.clone()),
                ("email".to_owned(), user.email.clone()),
                ("email_verified".to_owned(), user.email_verified.to_string()),
            ]),
            password: self.materials.passwords.get(&user.username).cloned().unwrap_or_default(),
        };
        // The place of a user in the list is none of its own, so its name is its address.
        self.nodes.insert(address, user.into());
    }

    fn validator(&mut self, clients: &Clients, package: Arc<Package>) -> Target {
        let smart = &self.config.smart;
        let environment_key =
            smart.environment_key.then(|| self.kms_key("lambda", "Encrypts the variables of the token validator"));
        let role = self.lambda_role(environment_key.as_ref());
        let log_group = CloudwatchLogGroup {
            name: format!("/aws/lambda/{}", smart.function_name),
            retention_in_days: smart.log_retention_in_days,
            tags: self.tags::<CloudwatchLogGroup>("token_validator"),
        };
        let log_group = self.add("token_validator", log_group);
        let function = LambdaFunction {
            address: Address::new(LambdaFunction::KIND, "token_validator"),
            name: smart.function_name.clone(),
            role,
            log_group,
            environment: self.environment(clients, &package),
            environment_key,
            secret_of: (!package.is_ours).then(|| clients.app.clone()),
            package,
            memory_size: smart.memory_size,
            timeout: smart.timeout,
            reserved_concurrency: smart.reserved_concurrency,
            tracing: smart.tracing,
            tags: self.tags::<LambdaFunction>("token_validator"),
        };
        let serves = Arc::new(function.clone());
        let function = self.add("token_validator", function);
        let alias = smart.provisioned_concurrency.map(|provisioned_concurrency| {
            let name = "live".to_owned();
            self.add(
                "token_validator",
                LambdaAlias { function: function.clone(), serves, name, provisioned_concurrency },
            )
        });
        Target { function, alias }
    }

    /// The module's variables. Its client secret goes only to a package of the user's own, which may read it.
    fn environment(&self, clients: &Clients, package: &Package) -> BTreeMap<String, Text> {
        let smart = &self.config.smart;
        let mut environment = BTreeMap::from([
            ("CLIENT_ID".to_owned(), clients.app.id()),
            ("JWKS_URI".to_owned(), self.issuer_of(&clients.pool) + KEYS),
            ("USER_POOL_ID".to_owned(), clients.pool.id()),
            ("USER_ROLE_ARN".to_owned(), self.service_role_arn().into()),
        ]);
        if package.is_ours {
            environment.insert("IS_AUTHORIZED_FORMAT".to_owned(), smart.is_authorized_format.as_str().into());
        }
        // The function makes the original issuer from the pool's id.
        if self.issuer() != Issuer::Original {
            environment.insert("ISSUER".to_owned(), self.issuer_of(&clients.pool));
        }
        environment.extend(clients.machine.iter().map(|machine| ("MACHINE_CLIENT_ID".to_owned(), machine.id())));
        environment
    }

    fn issuer(&self) -> Issuer {
        Issuer::parse(&self.config.smart.issuer).unwrap_or_default()
    }

    fn issuer_of(&self, pool: &Ref<CognitoUserPool>) -> Text {
        pool.issuer(self.issuer(), &self.identity.region)
    }

    /// Lambda names the account for which it takes on a role, and AWS's own trust policies for functions ask for it
    /// (aws/agent-toolkit-for-aws, `lambda-trust-policy.json`).
    fn lambda_role(&mut self, environment_key: Option<&Ref<KmsKey>>) -> Ref<IamRole> {
        let smart = &self.config.smart;
        let trust = Statement::allow("Lambda", &["sts:AssumeRole"])
            .principal(Principal::Service("lambda.amazonaws.com"))
            .when("StringEquals", "aws:SourceAccount", vec![self.identity.account.as_str().into()]);
        let role = IamRole {
            name: smart.lambda_role_name.clone(),
            trust: Document::of([trust]),
            tags: self.tags::<IamRole>("lambda_role"),
        };
        let role = self.add("lambda_role", role);
        let basic = format!("arn:{}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", self.identity.partition);
        self.add("lambda_basic", IamRolePolicyAttachment { role: role.clone(), policy: basic.into() });
        let policy = IamRolePolicy {
            role: role.clone(),
            name: smart.cognito_access_role.clone(),
            policy: self.function_policy(environment_key),
        };
        self.add("cognito_access", policy);
        role
    }

    /// GetUser takes no resource (Service Authorization Reference, Amazon Cognito user pools): a statement that names the pool
    /// allows nothing. Which user it shows is decided by the access token in the request (Cognito API reference, `GetUser`).
    ///
    /// The stack makes the log group; AWSLambdaBasicExecutionRole lets the function make one as well, so that its last lines,
    /// which come late, would bring back the group that a destroy has just deleted, untagged and for ever.
    ///
    /// Tracing takes two actions more ("Visualize Lambda function invocations using AWS X-Ray"), a key of one's own the right
    /// to decrypt with it (Lambda API reference, `KMSAccessDeniedException`).
    fn function_policy(&self, environment_key: Option<&Ref<KmsKey>>) -> Document {
        let mut statements = vec![
            Statement::allow("CognitoUser", &["cognito-idp:GetUser"]).on("*"),
            Statement::deny("NoLogGroups", &["logs:CreateLogGroup"]).on("*"),
        ];
        if self.config.smart.tracing {
            let actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
            statements.push(Statement::allow("Tracing", &actions).on("*"));
        }
        if let Some(key) = environment_key {
            statements.push(Statement::allow("EnvironmentKey", &["kms:Decrypt"]).on(key.arn()));
        }
        Document::of(statements)
    }

    fn permission(&mut self, validator: &Target) -> Ref<LambdaPermission> {
        let account = self.config.smart.permission_source_account.then(|| self.identity.account.clone());
        let permission = LambdaPermission {
            target: validator.clone(),
            statement_id: "healthlake".to_owned(),
            principal: HEALTHLAKE.to_owned(),
            source_account: account,
        };
        self.add("healthlake", permission)
    }

    /// What Cognito really offers: no registration, no introspection, no password or implicit grant (SMART App Launch 2.2,
    /// "Conformance").
    fn metadata(&self, clients: &Clients) -> Value {
        let smart = &self.config.smart;
        let region = &self.identity.region;
        let base = format!("https://{}.auth.{region}.amazoncognito.com", smart.domain);
        let is_second = smart.authorization_strategy == "SMART_ON_FHIR";
        let mut grants = vec!["authorization_code"];
        grants.extend(clients.machine.iter().map(|_| "client_credentials"));
        let mut capabilities =
            vec!["launch-standalone", "client-confidential-symmetric", "permission-patient", "permission-v1"];
        capabilities.extend(is_second.then_some("permission-v2"));
        // Without it HealthLake ignores filters (HealthLake developer guide, "SMART on FHIR OAuth 2.0 scopes").
        let has_filter = clients.scopes.iter().any(|scope| scope.contains('?'));
        capabilities.extend((is_second && has_filter).then_some("permission-v2.2"));
        capabilities.extend((!smart.user_scopes.is_empty()).then_some("permission-user"));
        json!({
            "authorization_endpoint": format!("{base}/oauth2/authorize"),
            "token_endpoint": format!("{base}/oauth2/token"),
            "revocation_endpoint": format!("{base}/oauth2/revoke"),
            "userinfo_endpoint": format!("{base}/oauth2/userInfo"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": grants,
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": clients.scopes,
            "capabilities": capabilities,
        })
    }

    fn service_role_arn(&self) -> String {
        let name = &self.config.smart.service_role_name;
        format!("arn:{}:iam::{}:role/{name}", self.identity.partition, self.identity.account)
    }

    /// The role that HealthLake takes on for a SMART request. The function names it before it exists, so that it can name
    /// the store from the start.
    pub(super) fn service_role(&mut self, store: &Ref<FhirDatastore>, key: Option<&Ref<KmsKey>>) {
        let smart = &self.config.smart;
        let role = IamRole {
            name: smart.service_role_name.clone(),
            trust: self.trust_of_stores("HealthLakeSmart", std::slice::from_ref(store)),
            tags: self.tags::<IamRole>("healthlake_service_role"),
        };
        let role = self.add("healthlake_service_role", role);
        let mut statements = vec![Statement::allow("FhirData", FHIR_ACTIONS).on(store.arn())];
        if let Some(key) = key {
            let actions = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"];
            statements.push(Statement::allow("StoreKey", &actions).on(key.arn()));
        }
        let policy = IamPolicy {
            name: smart.service_policy_name.clone(),
            description: "Lets HealthLake serve SMART requests on one data store".to_owned(),
            policy: Document::of(statements),
            tags: self.tags::<IamPolicy>("healthlake_service_policy"),
        };
        let policy = self.add("healthlake_service_policy", policy);
        self.add("healthlake_policy", IamRolePolicyAttachment { role, policy: policy.arn() });
    }
}

/// The FHIR interface of a store, without what would change or delete the store itself ("Actions, resources, and condition
/// keys for AWS HealthLake").
const FHIR_ACTIONS: &[&str] = &[
    "healthlake:CancelFHIRExportJobWithDelete",
    "healthlake:CreateResource",
    "healthlake:DeleteResource",
    "healthlake:DescribeFHIRExportJobWithGet",
    "healthlake:GetCapabilities",
    "healthlake:GetExportedFile",
    "healthlake:GetHistoryByResourceId",
    "healthlake:PatchResource",
    "healthlake:ProcessBundle",
    "healthlake:ReadResource",
    "healthlake:SearchEverything",
    "healthlake:SearchWithGet",
    "healthlake:SearchWithPost",
    "healthlake:StartFHIRExportJobWithGet",
    "healthlake:StartFHIRExportJobWithPost",
    "healthlake:UpdateResource",
    "healthlake:ValidateResource",
    "healthlake:VersionReadResource",
];

fn qualified(identifier: &str, scopes: &BTreeSet<String>) -> BTreeSet<String> {
    scopes.iter().map(|scope| format!("{identifier}/{scope}")).collect()
}
