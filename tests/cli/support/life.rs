//! The life of a SMART stack from its first plan to its end, in phases that together make every call that hlctl can make,
//! under a policy.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use hlctl_emulator::{Action as Fault, Ask, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Cloud, Ended, Place, call, eventually, rule};

/// An action of one statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub sid: String,
    pub name: String,
}

/// The policy of the identity that runs hlctl, its parts taken together.
#[derive(Clone, Debug)]
pub(crate) struct Deployer(Vec<Value>);

impl Deployer {
    /// As `hlctl policy deployer` prints it.
    pub fn of(place: &Place) -> Self {
        Self::of_command(place, "deployer")
    }

    /// As `hlctl policy NAME` prints it.
    pub fn of_command(place: &Place, name: &str) -> Self {
        let whole = place.run(["policy", name]).succeeds().json();
        let parts = if whole.is_array() { whole.as_array().unwrap().clone() } else { vec![whole] };
        Self(parts.iter().flat_map(|part| part["Statement"].as_array().unwrap().clone()).collect())
    }

    /// As one document.
    pub fn document(&self) -> String {
        json!({"Version": "2012-10-17", "Statement": self.0}).to_string()
    }

    /// All actions, one by one.
    pub fn actions(&self) -> Vec<Action> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = |statement: &Value| -> Vec<Action> {
            let names = statement["Action"].as_array().unwrap().iter();
            names.map(|name| Action { sid: text(&statement["Sid"]), name: text(name) }).collect()
        };
        self.0.iter().flat_map(of).collect()
    }

    /// The same without one action.
    pub fn without(&self, action: &Action) -> Self {
        let mut statements = self.0.clone();
        for statement in statements.iter_mut().filter(|statement| statement["Sid"] == *action.sid) {
            statement["Action"].as_array_mut().unwrap().retain(|name| name != action.name.as_str());
        }
        statements.retain(|statement| !statement["Action"].as_array().unwrap().is_empty());
        Self(statements)
    }

    /// With what the doctor asks in addition.
    pub fn with_doctor(&self) -> Self {
        let actions = ["iam:SimulatePrincipalPolicy", "iam:GetUser", "lakeformation:GetDataLakeSettings"];
        let doctor = json!({"Sid": "Doctor", "Effect": "Allow", "Action": actions, "Resource": "*"});
        Self(self.0.iter().cloned().chain([doctor]).collect())
    }
}

/// A part of the life: what happens in the world before, and what is run, with its exit code.
pub(crate) struct Phase {
    prepare: fn(&Place),
    commands: &'static [(&'static [&'static str], i32)],
}

/// What `drift` lists beyond what an apply needs, and what is read only to watch; hlctl says what it may not look at, and goes on.
pub(crate) const ONLY_NOTED: &[&str] = &[
    "healthlake:ListFHIRExportJobs",
    "healthlake:ListFHIRImportJobs",
    "cognito-idp:ListResourceServers",
    "iam:ListEntitiesForPolicy",
    "iam:ListRolePolicies",
    "lambda:ListAliases",
    "cognito-idp:ListUserPoolClientSecrets",
    "kms:ListGrants",
];

/// Actions of reads that are made only to watch: a caller that lacks one is warned.
pub(crate) const ONLY_WATCHED: &[&str] = &[
    "cognito-idp:DescribeRiskConfiguration",
    "cognito-idp:GetLogDeliveryConfiguration",
    "cognito-idp:GetUICustomization",
    "cognito-idp:GetUserPoolMfaConfig",
    "cognito-idp:ListIdentityProviders",
    "cognito-idp:ListUserPoolReplicas",
    "kms:GetKeyLastUsage",
    "lambda:GetAccountSettings",
    "lambda:GetFunctionCodeSigningConfig",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctionUrlConfigs",
    "logs:DescribeSubscriptionFilters",
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketWebsite",
    "s3:GetInventoryConfiguration",
    "s3:GetReplicationConfiguration",
];

/// Whether everything works without the action, and less is seen.
pub(crate) fn is_only_noted(action: &Action) -> bool {
    let name = action.name.as_str();
    ONLY_NOTED.contains(&name) || ONLY_WATCHED.contains(&name)
}

/// All of them, in order.
pub(crate) const PHASES: &[Phase] = &[
    Phase { prepare: answers_get_lost, commands: &[(&["plan"], 0), (&["apply", "-y"], 6)] },
    Phase { prepare: a_run_is_killed, commands: &[(&["apply", "-y"], 0), (&["plan", "--detailed-exitcode"], 0)] },
    Phase {
        prepare: |_| {},
        commands: &[(&["smart", "test"], 0), (&["logs"], 0), (ROTATE, 0), (&["drift", "--no-trail"], 0)],
    },
    Phase { prepare: everything_drifts, commands: &[(&["apply", "-y"], 0), (&["plan", "--detailed-exitcode"], 0)] },
    Phase { prepare: less_is_wanted, commands: &[(&["apply", "-y"], 0)] },
    Phase { prepare: |_| {}, commands: &[(REPLACE, 0)] },
    Phase {
        prepare: |_| {},
        commands: &[
            // A deployer may not count what a store holds, so that `restore --use` would leave the old one in use.
            (&["restore", "--at", "latest", "-y"], 0),
            (&["stores", "use", "healthlake_fhir_datastore.successor", "-y"], 0),
            (&["stores", "delete", "healthlake_fhir_datastore.predecessor", "-y"], 0),
        ],
    },
    Phase {
        prepare: a_destroy_gets_harder,
        commands: &[(&["destroy", "-y", "--force-destroy", "--allow-destroy", "fhir-smarter"], 0)],
    },
];

/// A secret that is replaced by another at once.
const ROTATE: &[&str] = &["smart", "rotate-secret", "--client", "machine", "--show-secrets", "--wait", "0s"];

/// What ends with something else otherwise.
pub(crate) const REPLACE: &[&str] = &[
    "apply",
    "-y",
    "--replace",
    "cognito_resource_server.launch",
    "--replace",
    "lambda_permission.healthlake",
    "--replace",
    "cognito_user.test_users[\"alice\"]",
];

/// A stack in a place of its own, whose AWS is kept on disk.
pub(crate) struct Life {
    place: Place,
    aws: TempDir,
    deployer: Deployer,
}

impl Life {
    /// Nothing has been made yet.
    pub fn begin() -> Self {
        let aws = tempfile::tempdir().unwrap();
        let place = place_on(&aws);
        place.configure(
            "smart_on_fhir          = true",
            "smart_on_fhir          = true\nforce_destroy = true\ndatastore_backup = true\nlambda_reserved_concurrency = 5\n\
             lambda_provisioned_concurrency = 1\ncognito_managed_login = true\ncognito_user_scopes = [\"*.read\"]",
        );
        let text = place.read("healthlake.toml");
        place.write("healthlake.toml", &format!("{text}\n[tags]\nteam = \"a\"\nold = \"x\"\n"));
        let deployer = Deployer::of(&place);
        place.cloud().emulator.clear_requests();
        Self { place, aws, deployer }
    }

    /// Where it takes place.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The policy as of the beginning.
    pub fn deployer(&self) -> Deployer {
        self.deployer.clone()
    }

    /// Goes through a phase under the policy that hlctl prints for it.
    pub fn live(&mut self, phase: &Phase) {
        (phase.prepare)(&self.place);
        let has_state = self.place.path(self.place.state_file()).exists();
        let deployer = if has_state { Deployer::of(&self.place) } else { self.deployer() };
        self.under(&deployer);
        for (arguments, code) in phase.commands {
            self.place.run(arguments.iter().copied()).exits(*code);
        }
        self.free();
    }

    /// Goes through a phase under a lesser policy, up to the run that tells of the action.
    pub fn try_to_live(&mut self, phase: &Phase, lesser: &Deployer, action: &Action) -> Option<Ended> {
        self.free();
        (phase.prepare)(&self.place);
        self.under(lesser);
        let mut runs = phase.commands.iter().map(|(arguments, _)| self.place.run(arguments.iter().copied()).ends());
        // Without it `smart test` leaves out what the function itself would say; `drift` notes what it could not list.
        let may_pass = action.name == "lambda:InvokeFunction" || is_only_noted(action);
        let tells = |ended: &Ended| ended.stderr.contains(&action.name) || ended.stdout.contains(&action.name);
        runs.find(|ended| (ended.code != 0 || may_pass) && tells(ended))
    }

    /// From now on callers may do no more than this.
    pub fn under(&self, deployer: &Deployer) {
        self.place.cloud().emulator.set_policy(Some(&deployer.document())).unwrap();
    }

    fn free(&self) {
        self.place.cloud().emulator.set_policy(None).unwrap();
        self.place.cloud().heal();
    }

    fn copy(&self) -> Self {
        let aws = tempfile::tempdir().unwrap();
        copy(self.aws.path(), aws.path());
        let place = place_on(&aws);
        copy(self.place.directory(), place.directory());
        Self { place, aws, deployer: self.deployer() }
    }
}

/// A whole life with what was asked in each of its phases, and how things stood before each.
pub(crate) struct Recording {
    before: Vec<Life>,
    asked: Vec<Vec<Ask>>,
}

impl Recording {
    /// Lives it.
    pub fn make() -> Self {
        let mut life = Life::begin();
        let (mut before, mut asked) = (Vec::new(), Vec::new());
        for phase in PHASES {
            before.push(life.copy());
            life.place.cloud().emulator.clear_requests();
            life.live(phase);
            asked.push(life.place.cloud().requests().into_iter().flat_map(|record| record.asked).collect());
        }
        Self { before, asked }
    }

    /// The policy as of the beginning.
    pub fn deployer(&self) -> Deployer {
        self.before[0].deployer()
    }

    /// The phases in which `lesser` does not suffice, each with a life that stands just before it.
    pub fn before_missing(&self, lesser: &Deployer) -> impl Iterator<Item = (Life, &'static Phase)> {
        let document = lesser.document();
        let misses = move |asks: &Vec<Ask>| asks.iter().any(|ask| !ask.is_allowed_by(&document).unwrap());
        let lived = self.before.iter().zip(PHASES).zip(&self.asked);
        lived.filter(move |(_, asks)| misses(asks)).map(|((life, phase), _)| (life.copy(), phase))
    }
}

fn place_on(aws: &TempDir) -> Place {
    Place::on(Cloud::with(Options { data_dir: Some(aws.path().to_owned()), ..Options::default() }), "smart")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// What has no natural name is looked for again, and the store has to wait for the next run.
fn answers_get_lost(place: &Place) {
    let refused = Fault::Error { code: "ValidationException".into(), message: "not today".into(), status: 400 };
    let lost = ["CreateKey", "CreateUserPool", "CreateUserPoolClient"];
    let lost = lost.map(|operation| rule(operation, Some(1), Fault::DropAfter));
    place.cloud().rules(lost.into_iter().chain([rule("CreateFHIRDatastore", None, refused)]));
}

/// A run dies while it asks for the store, so that the next one has to look for it before it asks again.
fn a_run_is_killed(place: &Place) {
    let cloud = place.cloud();
    cloud.rules([rule("CreateFHIRDatastore", None, Fault::Hang)]);
    let run = place.run(["apply", "-y"]).start();
    eventually("a store is asked for", || cloud.emulator.hanging() > 0);
    run.kill();
    cloud.heal();
}

/// Other hands change what they can reach, and the configuration changes the rest.
pub(crate) fn everything_drifts(place: &Place) {
    place.configure("\"fhir-smart\"", "\"fhir-smarter\"");
    place.configure("team = \"a\"\nold = \"x\"", "team = \"b\"");
    place.configure("localhost:8484", "localhost:9000");
    place.configure("alice@example.org", "alice@example.net");
    place.configure(
        "force_destroy = true",
        "force_destroy = true\nlambda_memory_size = 512\nlambda_log_retention_in_days = 30\n\
         cognito_patient_scopes = [\"Patient.read\"]\ncognito_mfa_configuration = \"OPTIONAL\"\n\
         cognito_deletion_protection = \"ACTIVE\"",
    );
    let state = place.state();
    let recorded = |address: &str, name: &str| {
        state["resources"][address]["recorded"][name].as_str().unwrap_or_else(|| panic!("{address} {name}")).to_owned()
    };
    let cloud = place.cloud();
    tags_control_access(place);
    let (kms, iam, cognito) = (cloud.kms(), cloud.iam(), cloud.cognito());
    let (bucket_key, store_key) = (recorded("kms_key.s3", "id"), recorded("kms_key.datastore", "id"));
    call(kms.disable_key().key_id(&bucket_key).send()).unwrap();
    call(kms.update_key_description().key_id(&store_key).description("mine").send()).unwrap();
    let root = r#"{"Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
        "Action": "kms:*", "Resource": "*"}]}"#;
    call(kms.put_key_policy().key_id(&store_key).policy(root).send()).unwrap();
    let trust = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
    let role = recorded("iam_role.healthlake", "name");
    call(iam.update_assume_role_policy().role_name(role).policy_document(trust).send()).unwrap();
    let other = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
    let policy = recorded("iam_policy.healthlake", "arn");
    call(iam.create_policy_version().policy_arn(policy).policy_document(other).set_as_default(true).send()).unwrap();
    let pool = recorded("cognito_user_pool.main", "id");
    call(cognito.admin_disable_user().user_pool_id(&pool).username("alice").send()).unwrap();
    let domain = recorded("cognito_user_pool_domain.this", "domain");
    let pages = cognito.update_user_pool_domain().domain(domain).user_pool_id(&pool).managed_login_version(2);
    call(pages.send()).unwrap();
    let function = recorded("lambda_function.token_validator", "name");
    let code = cloud.lambda().update_function_code().function_name(function).zip_file(archive().into());
    call(code.send()).unwrap();
}

/// From now on the data bucket takes tags by S3 Control alone, and ACLs.
fn tags_control_access(place: &Place) {
    use aws_sdk_s3::types as s3;
    let bucket = place.state()["resources"]["s3_bucket.data"]["recorded"]["name"].as_str().unwrap().to_owned();
    let client = place.cloud().s3();
    let abac = s3::AbacStatus::builder().status(s3::BucketAbacStatus::Enabled).build();
    call(client.put_bucket_abac().bucket(&bucket).abac_status(abac).send()).unwrap();
    let rule = s3::OwnershipControlsRule::builder().object_ownership(s3::ObjectOwnership::ObjectWriter);
    let controls = s3::OwnershipControls::builder().rules(rule.build().unwrap()).build().unwrap();
    call(client.put_bucket_ownership_controls().bucket(&bucket).ownership_controls(controls).send()).unwrap();
}

/// A package that is not hlctl's.
fn archive() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(b"#!/bin/sh\n").unwrap();
    archive.finish().unwrap().into_inner()
}

/// What costs money goes, and the client for machines.
pub(crate) fn less_is_wanted(place: &Place) {
    place.configure("cognito_managed_login = true\ncognito_user_scopes = [\"*.read\"]", "");
    place.configure("lambda_reserved_concurrency = 5\nlambda_provisioned_concurrency = 1\n", "");
    place.configure("cognito_machine_client = true", "");
}

pub(crate) fn objects_come(place: &Place) {
    let name = place.state()["resources"]["s3_bucket.data"]["recorded"]["name"].as_str().unwrap().to_owned();
    call(place.cloud().s3().put_object().bucket(name).key("a").body(b"x".to_vec().into()).send()).unwrap();
}

/// Buckets are full, and the logs may not be deleted.
fn a_destroy_gets_harder(place: &Place) {
    objects_come(place);
    let group = place.state()["resources"]["cloudwatch_log_group.token_validator"]["recorded"]["name"].clone();
    let protect =
        place.cloud().logs().put_log_group_deletion_protection().log_group_identifier(group.as_str().unwrap());
    call(protect.deletion_protection_enabled(true).send()).unwrap();
}
