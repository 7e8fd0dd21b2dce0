//! Lambda function from a zip archive.
//!
//! Identity: the name, unique in account and region. Ownership: its tags. Lambda takes one change at a time: each call
//! waits until the one before it is done ("Lambda function states").

mod change;
mod client_secret;
mod concurrency;
mod look;
mod settle;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture, Concurrency, FunctionCode, Runtime, TracingConfig, TracingMode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use look::{condition_of, get, is_active};
use settle::{Impaired, settle};

pub use client_secret::{give_secret, kept_secret};
pub use concurrency::{AccountConcurrency, KEPT_UNRESERVED, account_concurrency};
pub(super) use look::settings_seen;
pub(super) use settle::{pace, until_active};

use super::cloudwatch_log_group::CloudwatchLogGroup;
use super::cognito_user_pool_client::CognitoUserPoolClient;
use super::iam_role::IamRole;
use super::kms_key::KmsKey;
use super::lambda_alias::LambdaAlias;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{as_attribute, take_over_when_seen, without_aws};
use super::{Attachment, Attributes, Context, Identity, Observed, Resource, Rule, SECRET, Task, attributes};
use super::{ResourceError, lambda_permission};
use crate::package::Package;
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_engine::wait::{self, Poll};
use hlctl_model::address::Address;
use hlctl_model::{Action, AttributeChange};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct LambdaFunction {
    /// Its own address: what is recorded of the package is found there.
    pub address: Address,
    /// Its name.
    pub name: String,
    /// The role it runs under.
    pub role: Ref<IamRole>,
    /// Where its logs go; without it Lambda makes a group of its own that nobody deletes.
    pub log_group: Ref<CloudwatchLogGroup>,
    /// Its code, and how that is started.
    pub package: Arc<Package>,
    /// Its variables.
    pub environment: BTreeMap<String, Text>,
    /// The key that encrypts its variables; without one AWS's own does.
    pub environment_key: Option<Ref<KmsKey>>,
    /// The client whose secret it gets as `CLIENT_SECRET`.
    pub secret_of: Option<Ref<CognitoUserPoolClient>>,
    /// Memory in MB.
    pub memory_size: u32,
    /// Longest run in seconds.
    pub timeout: u32,
    /// Runs at once, taken from the account's; `None` shares them.
    pub reserved_concurrency: Option<u32>,
    /// Whether X-Ray traces it.
    pub tracing: bool,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its name.
    pub name: String,
    /// Its ARN, without a version.
    pub arn: String,
    /// SHA-256 of what the package was made from, in hexadecimal; empty where hlctl has sent none.
    #[serde(default)]
    pub source_sha256: String,
    /// SHA-256 of the archive as Lambda gives it, in base64.
    #[serde(default)]
    pub code_sha256: String,
}

/// What is called: a function, or an alias of it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The function.
    pub function: Ref<LambdaFunction>,
    /// The alias.
    pub alias: Option<Ref<LambdaAlias>>,
}

impl Target {
    /// The ARN to call.
    pub fn arn(&self) -> Text {
        self.alias.as_ref().map_or_else(|| self.function.attribute("arn"), Ref::<LambdaAlias>::arn)
    }

    /// The alias's name, as an attribute.
    pub(super) fn qualifier_shown(&self, known: &Known) -> Value {
        self.alias.as_ref().map(|alias| known.shown(&alias.name())).unwrap_or_default()
    }

    pub(super) fn references(&self) -> Vec<Reference> {
        let texts: Vec<Text> =
            std::iter::once(self.function.name()).chain(self.alias.as_ref().map(Ref::<LambdaAlias>::name)).collect();
        texts.iter().flat_map(Text::references).cloned().collect()
    }
}

impl Ref<LambdaFunction> {
    /// The function's name.
    pub fn name(&self) -> Text {
        self.attribute("name")
    }
}

/// Variables whose values may be shown; whatever else somebody adds may be a secret.
const PLAIN: [&str; 7] =
    ["CLIENT_ID", "ISSUER", "IS_AUTHORIZED_FORMAT", "JWKS_URI", "MACHINE_CLIENT_ID", "USER_POOL_ID", "USER_ROLE_ARN"];
const SECRET_VARIABLE: &str = "CLIENT_SECRET";

/// A role made just before is not yet known to Lambda (provider experience; texts as Lambda words them), and a change
/// that is under way makes the next one wait.
const NOT_YET: &[(&str, &str)] = &[
    ("InvalidParameterValueException", "cannot be assumed by Lambda"),
    ("InvalidParameterValueException", "does not have permissions"),
    ("InvalidParameterValueException", "KMS key is invalid"),
    ("ResourceConflictException", "in progress"),
    ("ResourceConflictException", "currently in the following state"),
];

impl Resource for LambdaFunction {
    const KIND: &'static str = "lambda_function";
    const RULES: &'static [Rule] = &[Rule::replaces("name", "Lambda cannot rename a function")];
    const NAMED: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        let mut texts = vec![self.role.arn(), self.log_group.name()];
        texts.extend(self.environment.values().cloned());
        texts.extend(self.environment_key.as_ref().map(Ref::<KmsKey>::arn));
        texts.extend(self.secret_of.as_ref().map(Ref::<CognitoUserPoolClient>::id));
        texts.iter().flat_map(Text::references).cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        let mut wanted = self.settings(known);
        wanted.extend(attributes([
            ("name", json!(self.name)),
            ("architecture", json!(self.package.architecture)),
            ("reserved_concurrency", json!(self.reserved_concurrency)),
            ("tracing", json!(tracing(self.tracing).as_str())),
            ("tags", as_attribute(&self.tags)),
        ]));
        wanted
    }

    fn predicted(&self, identity: &Identity, _known: &Known) -> Option<Recorded> {
        Some(unsent(identity, &self.name))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let Some(answer) = get(cx, &recorded.name).await? else { return Ok(None) };
        let missing = || AwsError::incomplete(ops::lambda::GET_FUNCTION, "configuration");
        let configuration = answer.configuration().ok_or_else(missing)?;
        let tags = without_aws(answer.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        let concurrency = answer.concurrency().and_then(Concurrency::reserved_concurrent_executions);
        let architecture = configuration.architectures().first().map_or("x86_64", Architecture::as_str);
        let tracing = configuration.tracing_config().and_then(|tracing| tracing.mode());
        let mut seen = settings_seen(configuration);
        seen.extend(attributes([
            ("name", json!(recorded.name)),
            ("architecture", json!(architecture)),
            ("reserved_concurrency", json!(concurrency)),
            ("tracing", json!(tracing.map_or("PassThrough", TracingMode::as_str))),
            ("tags", as_attribute(&tags)),
        ]));
        let condition = condition_of(configuration);
        Ok(Some(Observed { recorded: recorded.clone(), attributes: seen, tags: Some(tags), condition }))
    }

    async fn attachments(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
        let mut all = lambda_permission::attachments(cx, &recorded.name, None).await?;
        let mut marker = None;
        loop {
            let list =
                || cx.clients.lambda.list_aliases().function_name(&recorded.name).set_marker(marker.clone()).send();
            let page = match cx.call(ops::lambda::LIST_ALIASES, list).await {
                Ok(page) => page,
                Err(error) if error.is_not_found() => return Ok(all),
                Err(error) => return Err(error.into()),
            };
            all.extend(page.aliases().iter().filter_map(|alias| alias.name()).map(|alias| Attachment {
                kind: LambdaAlias::KIND,
                what: format!("the function has the alias {alias}"),
                recorded: json!({"function": recorded.name, "name": alias}),
            }));
            marker = page.next_marker().map(str::to_owned);
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let archive = self.package.archive()?;
        let role = task.text(&self.role.arn())?;
        let key = self.environment_key.as_ref().map(|key| task.text(&key.arn())).transpose()?;
        let environment = self.environment_to_send(task).await?;
        let tags: HashMap<String, String> = self.tags.clone().into_iter().collect();
        let code = FunctionCode::builder().zip_file(Blob::new(archive.bytes.clone())).build();
        let create = || {
            let create = cx.clients.lambda.create_function().function_name(&self.name).role(&role);
            create
                .code(code.clone())
                .runtime(Runtime::from(self.package.runtime.as_str()))
                .handler(&self.package.handler)
                .architectures(Architecture::from(self.package.architecture.as_str()))
                .memory_size(whole(self.memory_size))
                .timeout(whole(self.timeout))
                .environment(environment.clone())
                .set_kms_key_arn(key.clone())
                .tracing_config(TracingConfig::builder().mode(tracing(self.tracing)).build())
                .set_tags(Some(tags.clone()))
                .send()
        };
        let mut recorded = unsent(&cx.identity, &self.name);
        let (mut is_settled, mut is_new) = (false, false);
        match cx.call(ops::lambda::CREATE_FUNCTION.eventually(NOT_YET), create).await {
            Ok(answer) => {
                (is_settled, is_new) = (is_active(&answer), true);
                recorded.code_sha256 = answer.code_sha256.unwrap_or_else(|| archive.sha256.clone());
            }
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                take_over_when_seen(task, &self.name, || Self::read(cx, &recorded)).await?;
                recorded.code_sha256.clone_from(&archive.sha256);
            }
            Err(error) => return Err(error.into()),
        }
        recorded.source_sha256.clone_from(&self.package.source_sha256);
        task.identified(&recorded)?;
        // A new function has no concurrency of its own.
        if !is_new || self.reserved_concurrency.is_some() {
            self.put_concurrency(cx).await?;
            is_settled = false;
        }
        // A function that is Pending cannot be invoked, updated or published ("Lambda function states", Lambda developer guide). Whether a
        // permission can be added to it the guide does not say, so that is tried, and repeated where Lambda refuses. HealthLake invokes
        // the function only for requests to the store.
        task.settling();
        if is_settled { Ok(recorded) } else { Self::settle(task, recorded).await }
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let changed = |names: &[&str]| changes.iter().any(|change| names.contains(&change.attribute()));
        let mut recorded = settle(task, recorded, Impaired::Works).await?;
        if changed(&["role", "runtime", "handler", "memory_size", "timeout", "environment", "kms_key_arn", "tracing"]) {
            self.put_configuration(task).await?;
            recorded = Self::settle(task, recorded).await?;
        }
        if changed(&["code_sha256", "architecture"]) {
            recorded = self.put_code(cx, recorded).await?;
            task.identified(&recorded)?;
            recorded = Self::settle(task, recorded).await?;
        }
        if changed(&["reserved_concurrency"]) {
            self.put_concurrency(cx).await?;
        }
        if changed(&["tags"]) {
            self.put_tags(cx, &recorded).await?;
        }
        Ok(recorded)
    }

    async fn settle(task: &Task<'_>, recorded: Recorded) -> Result<Recorded, ResourceError> {
        settle(task, recorded, Impaired::Fails).await
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let delete = || cx.clients.lambda.delete_function().function_name(&recorded.name).send();
        match cx.call(ops::lambda::DELETE_FUNCTION.eventually(NOT_YET), delete).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let look = async || match get(cx, &recorded.name).await? {
            None => Ok::<_, ResourceError>(Poll::Ready(())),
            Some(_) => Ok(Poll::Pending("Deleting".to_owned())),
        };
        Ok(wait::until(pace(cx), &cx.stop, |_| {}, look).await?)
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let name = id.rsplit(':').next()?;
        Some(unsent(identity, name))
    }

    fn impact(planned: &super::PlannedChange<'_>) -> Vec<String> {
        match planned.action {
            Action::Delete => vec!["Until the store no longer names it, every SMART request is refused.".to_owned()],
            _ => Vec::new(),
        }
    }

    /// Lambda takes one change of a function at a time.
    fn group(recorded: &Recorded) -> Option<String> {
        Some(group_of(&recorded.name))
    }
}

/// The group of a function and of everything that hangs on it.
pub(super) fn group_of(function: &str) -> String {
    format!("lambda:{function}")
}

impl LambdaFunction {
    /// What a published version keeps: the code and everything that shapes a run.
    pub(super) fn settings(&self, known: &Known) -> Attributes {
        attributes([
            ("role", known.shown(&self.role.arn())),
            ("runtime", json!(self.package.runtime)),
            ("handler", json!(self.package.handler)),
            ("memory_size", json!(self.memory_size)),
            ("timeout", json!(self.timeout)),
            ("environment", self.environment_shown(known)),
            ("kms_key_arn", self.environment_key.as_ref().map(|key| known.shown(&key.arn())).unwrap_or_default()),
            ("code_sha256", json!(self.code_sha256(known))),
        ])
    }

    /// The archive's hash. An archive is made only where its source is not the one that was sent last.
    fn code_sha256(&self, known: &Known) -> String {
        let recorded = known.recorded(&self.address).and_then(|recorded| Recorded::deserialize(recorded).ok());
        let sent = recorded.filter(|recorded| recorded.source_sha256 == self.package.source_sha256);
        match sent {
            Some(recorded) => recorded.code_sha256,
            None => self.package.archive().map(|archive| archive.sha256.clone()).unwrap_or_default(),
        }
    }

    fn environment_shown(&self, known: &Known) -> Value {
        let secret = self.secret_of.iter().map(|_| (SECRET_VARIABLE.to_owned(), json!(SECRET)));
        self.environment.iter().map(|(name, text)| (name.clone(), known.shown(text))).chain(secret).collect()
    }
}

/// A function to which hlctl has sent no code.
fn unsent(identity: &Identity, name: &str) -> Recorded {
    let Identity { account, region, partition, .. } = identity;
    let arn = format!("arn:{partition}:lambda:{region}:{account}:function:{name}");
    Recorded { name: name.to_owned(), arn, source_sha256: String::new(), code_sha256: String::new() }
}

fn tracing(on: bool) -> TracingMode {
    if on { TracingMode::Active } else { TracingMode::PassThrough }
}

/// A number that the configuration has bounded far below this.
pub(super) fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
