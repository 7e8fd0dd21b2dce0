//! AWS on loopback: STS, KMS, S3, IAM, Cognito user pools, Lambda, CloudWatch Logs, CloudTrail's LookupEvents and
//! HealthLake with its FHIR interface, for any AWS client.
//!
//! An [`Emulator`] is opened with [`Options`] and then reached in one of three ways:
//! [`Emulator::connector`] plugs it into the Rust SDK without a socket, [`Emulator::serve`] makes it
//! an HTTP server, and [`Emulator::handle`] takes a single request.
//!
//! ```
//! # fn main() -> Result<(), hlctl_emulator::Error> {
//! use hlctl_emulator::{Clock, Delays, Emulator, Options};
//! use std::time::Duration;
//!
//! let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap_or_default());
//! let emulator = Emulator::open(Options {
//!     clock: clock.clone(),
//!     delays: Delays { create: Duration::from_secs(1200), ..Delays::default() },
//!     ..Options::default()
//! })?;
//! let http_client = emulator.connector();
//! # let _ = http_client;
//! clock.advance(Duration::from_secs(1200)); // a store that was CREATING is ACTIVE now
//! # Ok(())
//! # }
//! ```
//!
//! # Callers
//!
//! The signature's credential scope names the service and the region. The access key id names the
//! account if it is twelve digits; otherwise [`Options::account_id`] does. Signatures must be there but
//! are not verified: any secret key will do. An access key id that begins with `EXPIRED` or `INVALID` is
//! answered with the service's error for expired or unknown credentials. The caller is
//! `arn:aws:iam::ACCOUNT:user/sandbox`, or the session of a role it has assumed, and may do everything
//! that [`Faults::deny`] does not forbid, or what the policy of [`Options::policy`] allows ([`Ask`]); no other policy is evaluated but for
//! AssumeRole, the lock-out check of key policies, the block on public bucket policies, log delivery, and the roles in which HealthLake runs jobs and
//! carries out requests with a bearer token.
//!
//! # What is modelled
//!
//! - **Lake Formation**: GetDataLakeSettings, which names the administrators of [`HealthLakeFaults`]; a caller who is none
//!   can neither create nor delete a datastore.
//! - **STS**: GetCallerIdentity, AssumeRole of a role that trusts the caller or its account.
//! - **KMS**: CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, GetKeyPolicy, PutKeyPolicy,
//!   ListKeyPolicies, GetKeyLastUsage (of what other services encrypt here), EnableKey, DisableKey, Enable- and DisableKeyRotation, GetKeyRotationStatus,
//!   ScheduleKeyDeletion, CancelKeyDeletion, tags and aliases. A key vanishes on its deletion date.
//! - **IAM**: roles with trust policies, boundaries and tags; customer-managed policies with versions and
//!   tags; attachments, inline policies, ListEntitiesForPolicy, ListInstanceProfilesForRole (always
//!   empty), GetUser of the caller, SimulatePrincipalPolicy against the policy and the denials in force. Of the policies that AWS keeps some twenty can be attached; they have no documents, but
//!   those that speak of HealthLake count for what a bearer token opens.
//! - **S3**: buckets with tags, versioning, encryption, public access block, lifecycle, logging, policy and
//!   ownership; objects with versions, delete markers, conditional writes, checksums, copies, multipart
//!   uploads with copied parts; lists in pages. New buckets are as S3 makes them today: encrypted, public access blocked,
//!   ACLs off. Path style, virtual hosts (`BUCKET.s3.REGION.amazonaws.com`, `BUCKET.localhost`) and
//!   addresses presigned with version 4.
//! - **HealthLake**: Create-, Describe-, List-, Update- and DeleteFHIRDatastore, TagResource, UntagResource,
//!   ListTagsForResource, RestoreFHIRDatastore. What a store's status is follows from the clock and [`Options::delays`].
//!   Start-, Describe- and ListFHIRImportJob(s), the same for exports: jobs that read and write the buckets, see below.
//!   Profiles of the Data Transformation Agent with their versions, and jobs that convert CSV; see [`hlctl_transform`].
//! - **HealthLake's FHIR interface**, R4, at `/datastore/{id}/r4/` on any host: `metadata`,
//!   `.well-known/smart-configuration`, create, read, vread, update, patch (JSON Patch and FHIRPath Patch), delete, history, search by
//!   GET and POST, batches and transactions, `Patient/{id}/$everything`, `$export`, conditional requests and
//!   idempotency keys; see below.
//! - **Lambda**: functions made of zip files, with their settings, versions, aliases, resource policies (by statement, or
//!   put whole), tags,
//!   reserved and provisioned concurrency; `Pending` and `InProgress` as the clock has it; GetAccountSettings.
//!   `Code.Location` of GetFunction serves the package. Invoke runs the function, see below.
//! - **CloudWatch Logs**: groups with retention, keys and tags; streams; PutLogEvents, GetLogEvents,
//!   FilterLogEvents with patterns of terms. Functions write there, before their answer is given.
//! - **CloudTrail**: LookupEvents, out of the log of this process's own requests; see the choices there.
//! - **Cognito user pools**: pools with schema, policies, second-factor settings and tags; domains, resource
//!   servers, app clients and users, as an administrator keeps them (create, describe or get, update, delete,
//!   list; AdminSetUserPassword, AdminEnableUser, AdminDisableUser). InitiateAuth and AdminInitiateAuth with a
//!   password or a refresh token, the NEW_PASSWORD_REQUIRED challenge, GetUser and RevokeToken. What a pool
//!   serves itself: `/oauth2/authorize`, `/login`, `/oauth2/token`, `/oauth2/userInfo`, `/oauth2/revoke`,
//!   `/logout` and `/POOL/.well-known/`, see below. Passwords are kept as salted hashes.
//!
//! Requests are held to the service models: required and unknown members, types, lengths, patterns and
//! enumerations, and beyond them to the documented quotas on lengths and counts.
//!
//! # The FHIR interface
//!
//! `http://127.0.0.1:PORT/datastore/{id}/r4/Patient` and the host `healthlake.REGION.amazonaws.com` lead to the same
//! datastore. A caller signs for the service `healthlake`, or sends a bearer token where the datastore has a SMART identity
//! provider: its Lambda function is asked, with one second to answer, and the token's scopes, the role that the
//! function names, its trust and its policies decide. Requests are recorded and fail by their IAM actions
//! (`SearchWithGet`, `ReadResource`, `ProcessBundle`...).
//!
//! Searches know `_id`, `_lastUpdated`, `_tag`, `_profile`, `_security`, `_source`, `_count`, `_sort`, `_total`,
//! `_include` and `_revinclude` for every type and R4's own parameters for some forty types, with
//! the modifiers `:exact`, `:contains`, `:not`, `:text`, `:missing`, `:identifier`, `:below` and `:Type`; `metadata`
//! lists them. A datastore with `PreloadDataConfig SYNTHEA` holds 36 invented patients and their records.
//! Resources are indexed in memory, some 200 bytes each, and read from the data directory as they are needed.
//!
//! # Import and export jobs
//!
//! Jobs ask for a role that trusts HealthLake for the datastore and has the documented permissions on buckets and keys,
//! and for buckets that block public access. They are carried on by every request, and by [`Emulator::serve`] while
//! there are none; with `Delays::job` their counts move as the clock does. [`JobFaults`] makes them fail midway or
//! hang. [`Emulator::load`] and `POST /_emulator/load?store=ID` put NDJSON straight into a datastore.
//!
//! # Running functions
//!
//! A function runs in processes of its own, one for each invocation that is under way at the same time, at most
//! ten, each with a Runtime API on a port of 127.0.0.1. Runtimes are `provided.*` (`bootstrap` in the package),
//! `python3.*` and `nodejs*` (with an interpreter found on the path, of the very version where there is one; a
//! missing one is an InvalidRuntimeException that says so). A process is kept for five minutes after its last
//! invocation, and none outlives the emulator, however that ends, unless it leaves its process group. Time-outs
//! are enforced everywhere, the initialisation's ten seconds too; memory is on Linux.
//!
//! A function is given the environment that Lambda gives it, and `AWS_ENDPOINT_URL`, which is the port of its
//! Runtime API: whatever is asked there outside the Runtime API's own paths is answered as by
//! [`Emulator::handle`]. In the function's own variables the origins of Cognito's user pools and of their
//! domains (`https://cognito-idp.REGION.amazonaws.com`, `https://NAME.auth.REGION.amazoncognito.com`) are replaced
//! by that address, so that a key set is fetched from here; a variable that is an issuer and nothing else stays as it is.
//!
//! # What is left out
//!
//! An operation that is not listed above, or a service that is not, is answered with an error that names
//! it (`hlctl-emulator does not model kms:ReEncrypt`). In particular: cryptography with keys and grants;
//! IAM users, groups and instance profiles; object tags after the fact, ACLs, object lock, replication,
//! notifications and websites of buckets; HealthLake's conversion of C-CDA, its agent's
//! conversation and its synchronous transformation; of Cognito SignUp and what else users do for themselves, SRP, custom and choice-based sign-in,
//! second factors at sign-in (a pool that requires one lets nobody in), password histories, devices, groups,
//! federated providers, branding styles, Lambda triggers, threat protection and the sending of messages. Of the FHIR
//! interface: validation beyond what an import knows of R4, all operations but `$everything`, `$export` and
//! `$validate`, composite and special search parameters, natural language processing.
//! Lifecycle rules are kept and checked but not carried out. Lambda functions in an identity provider block are not
//! looked for until a token comes. Of Lambda: container images, code from S3, layers,
//! VPCs, file systems, event sources, function addresses, destinations and second tries of asynchronous
//! invocations; an alias with weights invokes its main version, provisioned concurrency starts no process ahead
//! of use, and the JSON format of logs is kept but not applied. HealthLake exists in every region, and the
//! quota on the number of stores is not enforced. Where AWS does not document what it does, the
//! choices made are listed with the service.
//!
//! # The pages and endpoints of a user pool
//!
//! An unsigned request goes to a user pool if its `Host` is one of Cognito's (`PREFIX.auth.REGION.amazoncognito.com`,
//! `cognito-idp.REGION.amazonaws.com`), or, on any host but those of S3, if its path is exactly one of the
//! above. On other hosts the client id, the pool id in the path or the token finds the pool, and the pool must
//! have a domain all the same. Tokens are signed with RS256; the keys are at `/POOL/.well-known/jwks.json`. Under Cognito's host names
//! their issuer is `https://cognito-idp.REGION.amazonaws.com/POOL`, as Cognito's is. On any other host it is `/POOL` on that host, and
//! so are all addresses that are handed out: nobody is led to the AWS that is played here. A function is given a token as Cognito
//! would have issued it. Ages and expiries follow the emulator's clock. `POST /_emulator/cognito/rotate?pool=ID` makes new keys and drops the old.
//!
//! # Faults
//!
//! [`Faults`] can be given at the start, set on a running emulator, or put as JSON to
//! `/_emulator/faults`:
//!
//! ```json
//! {
//!   "seed": 1,
//!   "rules": [
//!     {"service": "kms", "operation": "CreateKey", "nth": 1, "action": "drop_after"},
//!     {"service": "s3", "probability": 0.1, "action": "throttle"},
//!     {"operation": "DescribeFHIRDatastore", "every": 3, "action": {"delay": 500}},
//!     {"operation": "PutBucketPolicy", "times": 1, "action":
//!       {"error": {"code": "OperationAborted", "message": "Please try again.", "status": 409}}}
//!   ],
//!   "deny": ["kms:CreateKey"],
//!   "propagation": {"iam_ms": 2000, "kms_ms": 500, "s3_ms": 500, "cognito_ms": 500, "fhir_ms": 1000},
//!   "healthlake": {"create_ends_as": "CREATE_FAILED", "error_message": "as you wished"},
//!   "jobs": {"after_resources": 10, "ends_as": "FAILED", "message": "as you wished"},
//!   "s3": {"ignore_if_none_match": true, "ignore_if_match": true, "conditional_deletes": "not_implemented"}
//! }
//! ```
//!
//! The actions are `throttle`, `server_error`, `drop_before`, `drop_after`, `delay`, `html`, `deny`, `hang`,
//! `hang_after`, `error` and `spoil`; see [`Action`]. The endpoints of user pools have the service `cognito-idp` and the operations
//! `Authorize`, `Login`, `Logout`, `Token`, `UserInfo`, `Revoke`, `Jwks` and `OpenIdConfiguration`. Over a socket a dropped connection is closed, in process it is an I/O error.
//!
//! In addition, `GET /_emulator/health` answers as soon as the server does, and `GET /_emulator/requests`
//! lists the requests served in the order they ended ([`RequestRecord`]); `DELETE` forgets them.
//!
//! # Next to another server
//!
//! With [`Options::external`] keys, roles and functions that do not exist here are assumed to exist on another server
//! ([`External`]), so that this emulator can play HealthLake alone next to it.
//!
//! # Data directory
//!
//! With [`Options::data_dir`] every change is on disk before it is answered, and any number of processes
//! can use the directory together: each request holds its lock while it reads and changes the state (not
//! while it waits). A process may be killed at any time. Faults and the log of requests are each
//! process's own, and so are the processes of functions: each emulator starts those it needs.

mod authorize;
mod clock;
mod connector;
mod control;
mod cors;
mod emulator;
mod error;
mod external;
mod fault;
mod half;
mod ids;
mod journal;
mod load;
mod options;
mod origin;
mod protocol;
mod route;
mod server;
mod services;
mod spoil;
#[cfg(unix)]
mod startable;
mod store;
mod unmodelled;

pub use authorize::Ask;
pub use clock::Clock;
pub use cors::{AllowedOrigin, InvalidOrigin};
pub use emulator::Emulator;
pub use error::{ConnectionLost, Error};
pub use external::{External, UnknownExternal};
pub use fault::{
    Action, ConditionalDeletes, Faults, HealthLakeFaults, JobFaults, LambdaFaults, Propagation, Rule, S3Faults,
};
pub use ids::Ids;
pub use journal::RequestRecord;
pub use load::{LoadError, Loaded, RefusedLine};
pub use options::{Delays, ImportLimits, Options};
pub use spoil::{Damage, Spoil};
