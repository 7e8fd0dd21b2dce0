//! `destroy --final-export`: the data is brought to safety before anything is deleted, and a receipt says what was.

use std::io;
use std::path::{Path, PathBuf};

use aws_sdk_s3::primitives::{AggregatedBytes, ByteStream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use thiserror::Error;

use super::data::{Resumable, export, journals, place_of};
use crate::apply::Outcome;
use crate::data::bulk_context::BulkContext;
use crate::data::check::is_resource_type;
use crate::data::download::{self, MANIFEST};
use crate::data::export::{ExportRequest, Exported};
use crate::data::objects;
use crate::data::place::{DataLocation, Prefix};
use crate::data::unfinished::Unfinished;
use crate::error::{CommandError, Ending, Failure};
use crate::module::standby::{STORE, is_standby};
use crate::plan::{Action, Change};
use crate::session::{Prepared, Session};
use crate::ui::json::FORMAT_VERSION;
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_engine::whole_file;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::{Context, Kind, ResourceError};

const RECEIPT: &str = "receipt.json";
/// `CopyObject` takes no more (S3 API reference).
const LARGEST_COPY: u64 = 5 << 30;
/// What the header that names a copy's source cannot hold as it is.
const IN_A_KEY: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why a final export, and with it the destroy, does not go on.
#[derive(Debug, Error)]
enum FinalExportError {
    /// The place is a bucket of the stack.
    #[error("{0} is deleted with the stack")]
    OwnBucket(String),
    /// The data bucket is deleted, and may not be emptied.
    #[error("the export is written to the stack's data bucket, which is then not empty")]
    BucketNotEmptied,
    /// There is no store to export, and no export of an earlier run.
    #[error("the store {0} is deleted or being deleted and cannot be exported; nothing more was deleted")]
    StoreGone(String),
    /// The bucket is in another region, if AWS says in which.
    #[error("{bucket} is in {}, and S3 cannot copy there from here", match region {
        Some(region) => format!("the region {region}"),
        None => "another region".to_owned(),
    })]
    OtherRegion { bucket: String, region: Option<String> },
    #[error("the bucket {0} does not exist")]
    NoBucket(String),
    #[error("{0} is not empty")]
    NotEmpty(Prefix),
    #[error("{} cannot be written: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    /// The export is not finished, so the destroy has not begun.
    #[error("nothing was deleted: {0}")]
    NothingDeleted(Box<dyn Failure>),
    /// The export may not be begun, so the destroy has not begun.
    #[error("{0}\nnothing was deleted")]
    Refused(Box<dyn Failure>),
}

impl Failure for FinalExportError {
    fn ending(&self) -> Ending {
        match self {
            Self::OwnBucket(_) | Self::OtherRegion { .. } | Self::NoBucket(_) | Self::NotEmpty(_) => Ending::Usage,
            Self::BucketNotEmptied | Self::StoreGone(_) => Ending::Protected,
            Self::File { .. } => Ending::Failed,
            Self::NothingDeleted(error) | Self::Refused(error) => error.ending(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::OwnBucket(_) | Self::OtherRegion { .. } | Self::NoBucket(_) => {
                "name another bucket, or a folder".to_owned()
            }
            Self::BucketNotEmptied => "add --force-destroy to have it emptied after the export".to_owned(),
            Self::StoreGone(_) => "leave out --final-export to destroy the rest of the stack".to_owned(),
            Self::NotEmpty(_) => "name an empty prefix: an export is not mixed with other objects".to_owned(),
            Self::File { .. } => return None,
            Self::NothingDeleted(error) | Self::Refused(error) => return error.hint(),
        })
    }
}

fn of_file(path: &Path) -> impl Fn(io::Error) -> FinalExportError {
    let path = path.to_owned();
    move |error| FinalExportError::File { path: path.clone(), error }
}

/// Where the data of a destroyed stack goes.
#[derive(Debug)]
pub(super) struct FinalExport<'a> {
    text: &'a str,
    again: &'a CommandLine,
    place: DataLocation,
    began: jiff::Timestamp,
}

impl<'a> FinalExport<'a> {
    /// Checks that the place outlives the stack.
    pub(super) fn new(prepared: &Prepared, text: &'a str, again: &'a CommandLine) -> Result<Self, CommandError> {
        let place = place_of(text)?;
        let buckets = ["s3_bucket.data", "s3_bucket.access_logs"];
        let is_own = |bucket: &str| {
            let name = |address: &&str| prepared.state.recorded(address).and_then(|recorded| recorded["name"].as_str());
            buckets.iter().filter_map(name).any(|name| name == bucket)
        };
        let goes = |change: &Change| change.action == Action::Delete && change.address.as_str() == buckets[0];
        match &place {
            DataLocation::S3(prefix) if is_own(&prefix.bucket) => {
                Err(FinalExportError::OwnBucket(prefix.bucket.clone()).into())
            }
            _ if !prepared.cx.settings.force_destroy.empties(buckets[0]) && prepared.plan.changes.iter().any(goes) => {
                Err(FinalExportError::BucketNotEmptied.into())
            }
            _ => Ok(Self { text, again, place, began: jiff::Timestamp::now() }),
        }
    }

    /// Exports, and answers with the manifest of what is safe. Until this has succeeded, nothing may be deleted.
    pub(super) async fn rescue(&self, session: &Session, prepared: &Prepared) -> Result<Value, CommandError> {
        let Some((id, lives)) = session.interruptible(self.store(prepared)).await? else {
            session.printer.say("There is no store to export.");
            return Ok(Value::Null);
        };
        if !lives {
            let manifest = session.interruptible(self.read(&prepared.cx, MANIFEST)).await?;
            if manifest["store"]["id"] == *id && manifest["format"] == "hlctl-export" {
                session.printer.say("The store is deleted or being deleted; an earlier run exported it.");
                return Ok(manifest);
            }
            return Err(FinalExportError::StoreGone(id).into());
        }
        if let DataLocation::S3(target) = &self.place {
            session.interruptible(Box::pin(self.check_target(prepared, target, &id))).await?;
        }
        if let Some(manifest) = session.interruptible(self.begun(prepared, &id)).await? {
            session.printer.warning(
                "an earlier run exported the store and started to delete the stack; what was written since then is \
                 not in the export",
            );
            return Ok(manifest);
        }
        let bulk = BulkContext::of(prepared.cx.clone(), &prepared.state)?;
        let is_local = matches!(self.place, DataLocation::Local(_));
        let journals = journals(session);
        let request = ExportRequest {
            to: is_local.then_some(&self.place),
            types: &[],
            wait: true,
            replaces: true,
            journals: &journals,
        };
        for change in prepared.plan.changes.iter().filter(|change| change.kind == Kind::FhirDatastore) {
            if is_standby(&change.address) {
                let address = &change.address;
                session.printer.warning(&format!(
                    "{address} is deleted too, without an export: only the store in use is exported"
                ));
            }
        }
        session.printer.say("Exporting before anything is deleted.");
        let mut exported = {
            let to = is_local.then_some(self.text);
            Box::pin(export(session, &bulk, request, to, self.again)).await.map_err(nothing_deleted)?
        };
        let DataLocation::S3(target) = &self.place else { return Ok(exported.manifest(&bulk)) };
        // A copy that is cut off is known for ours by the receipt.
        let announced = session.interruptible(Box::pin(self.announce(prepared, &Value::Null))).await;
        announced.map_err(|error| self.cut_off(error))?;
        let copy = async {
            let copied = self.copy(prepared, &exported, target).await;
            copied.map_err(|error| nothing_deleted(self.resumable(Unfinished::Copy(error))))
        };
        session.interruptible(Box::pin(copy)).await.map_err(|error| self.cut_off(error))?;
        exported.files.iter_mut().for_each(|file| file.file = format!("{target}{}/", file.kind));
        let manifest = exported.manifest(&bulk);
        self.write(&prepared.cx, MANIFEST, &manifest).await.map_err(nothing_deleted)?;
        session.printer.say(&format!("Copied to {target}."));
        Ok(manifest)
    }

    fn resumable(&self, unfinished: Unfinished) -> CommandError {
        Resumable { unfinished, again: self.again.clone() }.into()
    }

    /// An interruption after the export was made.
    fn cut_off(&self, error: CommandError) -> CommandError {
        match error {
            CommandError::Interrupted(_) => nothing_deleted(self.resumable(Unfinished::Interrupted)),
            other => other,
        }
    }

    /// The manifest of an earlier export of this store after which deleting has begun: what exports need may be gone already.
    async fn begun(&self, prepared: &Prepared, store: &str) -> Result<Option<Value>, CommandError> {
        let receipt = self.read(&prepared.cx, RECEIPT).await?;
        let is_gone = |left: &Value| {
            left["address"].as_str().is_some_and(|name| !prepared.state.resources.contains_key(&Address::parse(name)))
        };
        let has_begun = !array(&receipt["destroyed"]).is_empty() || array(&receipt["left"]).iter().any(is_gone);
        if receipt["lineage"] != prepared.state.lineage || receipt["export"]["store"]["id"] != store || !has_begun {
            return Ok(None);
        }
        Ok(Some(receipt["export"].clone()))
    }

    /// Looks at a place in S3 before the export is made: it is there, in reach, and holds nothing but an earlier export of this store.
    async fn check_target(&self, prepared: &Prepared, target: &Prefix, store: &str) -> Result<(), CommandError> {
        let cx = &prepared.cx;
        let bucket = &target.bucket;
        let elsewhere = |region: Option<&str>| FinalExportError::OtherRegion {
            bucket: bucket.clone(),
            region: region.map(str::to_owned),
        };
        let head = || cx.clients.s3.head_bucket().bucket(bucket).send();
        match cx.call(ops::s3::HEAD_BUCKET, head).await {
            Ok(head) => {
                if let Some(region) = head.bucket_region().filter(|region| *region != cx.identity.region) {
                    return Err(elsewhere(Some(region)).into());
                }
            }
            Err(error) if error.is_not_found() => {
                return Err(FinalExportError::NoBucket(bucket.clone()).into());
            }
            Err(error) if error.kind == ErrorKind::WrongRegion => {
                return Err(elsewhere(error.other_region.as_deref()).into());
            }
            Err(error) => return Err(CommandError::Aws(error)),
        }
        let held = objects::list(cx, target).await.map_err(CommandError::Aws)?;
        let lineage = &prepared.state.lineage;
        let is_ours = || async {
            let of_store = self.read(cx, MANIFEST).await?["store"]["id"] == store;
            Ok::<_, CommandError>(of_store || self.read(cx, RECEIPT).await?["lineage"] == *lineage)
        };
        if held.is_empty() || is_ours().await? {
            return Ok(());
        }
        Err(FinalExportError::NotEmpty(target.clone()).into())
    }

    /// The store's id, and whether it can still be exported.
    async fn store(&self, prepared: &Prepared) -> Result<Option<(String, bool)>, CommandError> {
        let entry = prepared.state.resources.get(STORE);
        let Some((kind, recorded)) = entry.and_then(|entry| Some((entry.kind::<Kind>()?, entry.recorded.as_ref()?)))
        else {
            return Ok(None);
        };
        let address = Address::parse(STORE);
        let seen = kind.read(&prepared.cx, recorded).await;
        let seen = seen.map_err(|error| CommandError::Resource { address, error })?;
        let id = prepared.state.recorded_text(STORE, "id")?;
        Ok(Some((id.to_owned(), seen.is_some())))
    }

    /// Copies the export out of the bucket, and from under the key, that are about to go.
    async fn copy(&self, prepared: &Prepared, exported: &Exported, target: &Prefix) -> Result<(), ResourceError> {
        let cx = &prepared.cx;
        let types = download::exported(cx, &exported.folder).await?;
        let keys: Vec<&str> = ["kms_key.s3", "kms_key.datastore"]
            .iter()
            .filter_map(|address| prepared.state.recorded(address)?["arn"].as_str())
            .collect();
        for object in types.values().flatten() {
            if object.size > LARGEST_COPY {
                let (name, most) = (&object.name, "5 GiB");
                return Err(ResourceError::Request(format!(
                    "{name} has more than {most}; export into a folder instead"
                )));
            }
            let from = format!("{}/{}{}", exported.folder.bucket, exported.folder.prefix, object.name);
            let from = utf8_percent_encode(&from, &IN_A_KEY).to_string();
            let key = format!("{}{}", target.prefix, object.name);
            let s3 = &cx.clients.s3;
            let copy = || s3.copy_object().bucket(&target.bucket).key(&key).copy_source(&from).send();
            cx.call(ops::s3::COPY_OBJECT, copy).await?;
            let head = || s3.head_object().bucket(&target.bucket).key(&key).send();
            let head = cx.call(ops::s3::HEAD_OBJECT, head).await?;
            let size = head.content_length().and_then(|size| u64::try_from(size).ok());
            let (was, is) = (
                objects::crc64(cx, &exported.folder, &object.name).await?,
                objects::crc64(cx, target, &object.name).await?,
            );
            if size != Some(object.size) || (was.is_some() && is.is_some() && was != is) {
                return Err(ResourceError::Answer(format!("the copy {key} differs from the original")));
            }
            if head.ssekms_key_id().is_some_and(|key| keys.iter().any(|own| own.ends_with(key) || *own == key)) {
                return Err(ResourceError::Request(format!(
                    "{} encrypts with a key of this stack, which is about to be deleted; name another bucket",
                    target.bucket
                )));
            }
        }
        // What an earlier export had and this one has not.
        let is_exported = |name: &str| name.split_once('/').is_some_and(|(kind, _)| is_resource_type(kind));
        for old in objects::list(cx, target).await?.iter().filter(|old| is_exported(&old.name)) {
            if !types.values().flatten().any(|object| object.name == old.name) {
                let key = format!("{}{}", target.prefix, old.name);
                let delete = || cx.clients.s3.delete_object().bucket(&target.bucket).key(&key).send();
                cx.call(ops::s3::DELETE_OBJECT, delete).await?;
            }
        }
        Ok(())
    }

    /// Writes down what is about to be deleted, so that what a killed run has deleted is known to the next one.
    pub(super) async fn announce(&self, prepared: &Prepared, manifest: &Value) -> Result<(), CommandError> {
        let earlier = Earlier::of(&prepared.cx, prepared, &self.read(&prepared.cx, RECEIPT).await?).await;
        let goes = prepared.plan.changes.iter().filter(|change| change.action == Action::Delete);
        let left: Vec<Value> = goes.map(|change| entry(&change.address, prepared)).collect();
        let receipt = self.document(prepared, earlier, &left, manifest, None);
        self.write(&prepared.cx, RECEIPT, &receipt).await.map_err(nothing_deleted)
    }

    /// Writes down what was deleted; what an earlier run deleted of the same stack stays in it.
    pub(super) async fn receipt(
        &self,
        session: &Session,
        prepared: &Prepared,
        outcomes: &[(Address, Action, Outcome)],
        manifest: &Value,
    ) -> Result<(), CommandError> {
        let cx = &prepared.cx;
        let mut gone = Earlier::of(cx, prepared, &self.read(cx, RECEIPT).await?).await;
        let mut left = Vec::new();
        for (address, action, outcome) in outcomes {
            match outcome {
                Outcome::Done if *action == Action::Delete => gone.add(cx, entry(address, prepared)).await,
                Outcome::Done => {}
                _ => left.push(entry(address, prepared)),
            }
        }
        let receipt = self.document(prepared, gone, &left, manifest, Some(jiff::Timestamp::now()));
        self.write(cx, RECEIPT, &receipt).await?;
        session.printer.say(&format!("The receipt is {}/{RECEIPT}.", self.text.trim_end_matches('/')));
        Ok(())
    }

    /// Ends the receipt of a run that was killed after it had deleted the last of it.
    pub(super) async fn conclude(&self, session: &Session, prepared: &Prepared) -> Result<(), CommandError> {
        let receipt = self.read(&prepared.cx, RECEIPT).await?;
        if receipt["lineage"] == prepared.state.lineage && receipt["ended"].is_null() {
            self.receipt(session, prepared, &[], &receipt["export"]).await?;
        }
        Ok(())
    }

    fn document(
        &self,
        prepared: &Prepared,
        gone: Earlier,
        left: &[Value],
        manifest: &Value,
        ended: Option<jiff::Timestamp>,
    ) -> Value {
        let state = &prepared.state;
        json!({
            "format": "hlctl-receipt",
            "version": FORMAT_VERSION,
            "stack": state.stack,
            "lineage": state.lineage,
            "account": state.identity.account,
            "region": state.identity.region,
            "began": gone.began.unwrap_or_else(|| self.began.to_string()),
            "ended": ended.map(|ended| ended.to_string()),
            "export": manifest,
            "destroyed": gone.destroyed,
            "keys": gone.keys,
            "left": left,
        })
    }

    /// A document that is there; null where none is.
    async fn read(&self, cx: &Context, name: &str) -> Result<Value, CommandError> {
        let text = match &self.place {
            DataLocation::Local(path) => match std::fs::read(path.join(name)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                read => read.map_err(of_file(&path.join(name)))?,
            },
            DataLocation::S3(prefix) => match get(cx, prefix, name).await {
                Err(error) if error.is_not_found() => Vec::new(),
                got => got.map_err(CommandError::Aws)?,
            },
        };
        Ok(serde_json::from_slice(&text).unwrap_or_default())
    }

    async fn write(&self, cx: &Context, name: &str, document: &Value) -> Result<(), CommandError> {
        let text = format!("{document:#}\n");
        match &self.place {
            DataLocation::Local(path) => {
                let file = path.join(name);
                let written =
                    whole_file::create_directories(path).and_then(|()| whole_file::write(&file, text.as_bytes()));
                Ok(written.map_err(of_file(&file))?)
            }
            DataLocation::S3(prefix) => {
                let key = format!("{}{name}", prefix.prefix);
                let put = || {
                    let put = cx.clients.s3.put_object().bucket(&prefix.bucket).key(&key);
                    put.content_type("application/json").body(ByteStream::from(text.clone().into_bytes())).send()
                };
                cx.call(ops::s3::PUT_OBJECT, put).await.map(drop).map_err(CommandError::Aws)
            }
        }
    }
}

async fn get(cx: &Context, prefix: &Prefix, name: &str) -> Result<Vec<u8>, AwsError> {
    let key = format!("{}{name}", prefix.prefix);
    let get = || cx.clients.s3.get_object().bucket(&prefix.bucket).key(&key).send();
    let answer = cx.call(ops::s3::GET_OBJECT, get).await?;
    // A document that is cut short is no JSON, and counts as none.
    Ok(answer.body.collect().await.map(AggregatedBytes::to_vec).unwrap_or_default())
}

fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// A resource as the receipt names it.
fn entry(address: &Address, prepared: &Prepared) -> Value {
    let recorded = prepared.state.resources.get(address).and_then(|entry| entry.recorded.as_ref());
    json!({"address": address, "was": recorded})
}

/// What has been deleted, by earlier runs to begin with.
#[derive(Debug, Default)]
struct Earlier {
    began: Option<String>,
    destroyed: Vec<Value>,
    keys: Vec<Value>,
}

impl Earlier {
    /// What a receipt of the same stack says. What it says was left and the state has no more, a killed run has deleted.
    async fn of(cx: &Context, prepared: &Prepared, receipt: &Value) -> Self {
        if receipt["lineage"] != prepared.state.lineage {
            return Self::default();
        }
        let began = receipt["began"].as_str().map(str::to_owned);
        let mut gone = Self { began, destroyed: array(&receipt["destroyed"]), keys: array(&receipt["keys"]) };
        for left in array(&receipt["left"]) {
            let address = left["address"].as_str().map(Address::parse);
            if address.is_some_and(|address| !prepared.state.resources.contains_key(&address)) {
                gone.add(cx, left).await;
            }
        }
        gone
    }

    async fn add(&mut self, cx: &Context, entry: Value) {
        let key = entry["address"].as_str().map(Address::parse).filter(|address| address.kind() == "kms_key");
        // A key of which nothing is known any more cannot be kept by name.
        if let Some((address, id)) = key.zip(entry["was"]["id"].as_str()) {
            self.keys.push(ending_key(cx, address.as_str(), id, &entry["was"]).await);
        }
        self.destroyed.push(entry);
    }
}

/// When a key ends, and how to keep it.
async fn ending_key(cx: &Context, address: &str, id: &str, recorded: &Value) -> Value {
    let describe = || cx.clients.kms.describe_key().key_id(id).send();
    let seen = cx.call(ops::kms::DESCRIBE_KEY, describe).await.ok();
    let date =
        seen.and_then(|seen| seen.key_metadata?.deletion_date).map(|date| hlctl_model::text::date_of(date.secs()));
    let region = &cx.identity.region;
    json!({
        "address": address,
        "arn": recorded["arn"],
        "deleted_on": date.unwrap_or_else(|| hlctl_model::text::date_in(cx.settings.kms_deletion_window_in_days)),
        "cancel": [
            format!("aws kms cancel-key-deletion --region {region} --key-id {id}"),
            format!("aws kms enable-key --region {region} --key-id {id}"),
        ],
    })
}

/// Said of whatever ends the export.
fn nothing_deleted(error: CommandError) -> CommandError {
    match error {
        CommandError::Failed(error) if error.ending() == Ending::Incomplete => {
            FinalExportError::NothingDeleted(error).into()
        }
        CommandError::Failed(error) if error.ending() == Ending::Refused => FinalExportError::Refused(error).into(),
        other => other,
    }
}
