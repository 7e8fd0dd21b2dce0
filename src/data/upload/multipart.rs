//! Files in several parts, each of which is sent once.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use crc_fast::CrcAlgorithm;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::memory::in_frames;
use super::{PART, UploadError, Uploader, changed, content_type, patient};
use crate::data::crc64_text;
use crate::data::journal::{Begun, TransferEntry, TransferJournal};
use crate::data::source::SourceFile;
use hlctl_aws::{AwsError, Met, ops};
use hlctl_resources::{ResourceError, once};

/// A file's upload in parts.
pub(super) struct Multipart {
    pub(super) id: String,
    /// Whether an earlier run began it, so that some parts may be there.
    pub(super) is_resumed: bool,
}

impl Uploader {
    /// Multipart uploads of an earlier run that can be gone on with; the others are given up.
    pub(super) async fn begun(&self, entry: &TransferEntry) -> Result<BTreeMap<String, Begun>, AwsError> {
        let mut begun = BTreeMap::new();
        let (mut key, mut upload) = (None, None);
        loop {
            let page = self
                .cx
                .call(ops::s3::LIST_MULTIPART_UPLOADS, || {
                    let list = self.cx.clients.s3.list_multipart_uploads().bucket(&self.to.bucket);
                    let list = list.prefix(&self.to.prefix).set_key_marker(key.clone());
                    list.set_upload_id_marker(upload.clone()).send()
                })
                .await?;
            for found in page.uploads() {
                let missing = |what| AwsError::incomplete(ops::s3::LIST_MULTIPART_UPLOADS, what);
                let name = found.key().and_then(|key| key.strip_prefix(&self.to.prefix));
                let name = name.ok_or_else(|| missing("key under the prefix"))?;
                let id = found.upload_id().ok_or_else(|| missing("upload id"))?;
                match entry.uploads.get(name).filter(|known| known.id == id) {
                    Some(known) => drop(begun.insert(name.to_owned(), known.clone())),
                    None => self.abort(name, id).await?,
                }
            }
            if page.is_truncated() != Some(true) {
                return Ok(begun);
            }
            key = page.next_key_marker().map(str::to_owned);
            upload = page.next_upload_id_marker().map(str::to_owned);
        }
    }

    /// The upload of a file that goes in parts: an earlier run's, or one that is begun here and written down.
    pub(super) async fn in_parts(
        &self,
        file: &SourceFile,
        may_be_there: bool,
        earlier: Option<Begun>,
        journal: &TransferJournal,
        entry: &mut TransferEntry,
    ) -> Result<Option<Multipart>, UploadError> {
        let SourceFile { name, checked, .. } = file;
        if let Some(earlier) = earlier {
            if earlier.size == checked.size && earlier.crc64 == checked.crc64 {
                return Ok(Some(Multipart { id: earlier.id, is_resumed: true }));
            }
            self.abort(name, &earlier.id).await?;
        }
        if checked.size <= PART || (may_be_there && self.is_there(file).await?) {
            return Ok(None);
        }
        let id = self.create(name).await?;
        let begun = Begun { id: id.clone(), size: checked.size, crc64: checked.crc64 };
        entry.uploads.insert(name.clone(), begun);
        journal.write(entry)?;
        Ok(Some(Multipart { id, is_resumed: false }))
    }

    pub(super) async fn send_parts(self: &Arc<Self>, file: &SourceFile, upload: Multipart) -> Result<(), UploadError> {
        let Multipart { id, is_resumed } = upload;
        let mut parts = if is_resumed { self.parts(&file.name, &id).await? } else { BTreeMap::new() };
        let count = file.checked.size.div_ceil(PART);
        let mut tasks = JoinSet::new();
        for number in 1..=count {
            let offset = (number - 1) * PART;
            let length = PART.min(file.checked.size - offset);
            let part = i32::try_from(number).unwrap_or(i32::MAX);
            if parts.get(&part).is_some_and(|(size, _)| *size == length) {
                (self.progress)(length);
                continue;
            }
            // Waited for here and not in the task, so that no task holds a part in memory that it cannot send yet.
            let permit = self.room(length).await;
            if self.cx.stop.signal().is_some() {
                break;
            }
            let (uploader, file, id) = (Arc::clone(self), file.clone(), id.clone());
            let sent = async move {
                let tag = uploader.send_part(&file, &id, part, offset, length).await;
                drop(permit);
                tag.map(|tag| (part, (length, tag)))
            };
            tasks.spawn(sent.in_current_span());
        }
        while let Some(ended) = tasks.join_next().await {
            let (part, sent) = ended.map_err(|error| ResourceError::Internal(error.to_string()))??;
            parts.insert(part, sent);
        }
        if self.cx.stop.signal().is_some() {
            return Err(UploadError::Stopped);
        }
        self.complete(file, &id, parts).await
    }

    async fn send_part(
        &self,
        file: &SourceFile,
        id: &str,
        part: i32,
        offset: u64,
        length: u64,
    ) -> Result<String, UploadError> {
        let body = self.read(file, offset, length).await?;
        let sum = crc64_text(crc_fast::checksum(CrcAlgorithm::Crc64Nvme, &body));
        let key = self.key(&file.name);
        let answer = self
            .cx
            .call(ops::s3::UPLOAD_PART, || {
                let send = self.cx.clients.s3.upload_part().bucket(&self.to.bucket).key(&key).upload_id(id);
                let send = send.part_number(part).checksum_crc64_nvme(&sum).body(in_frames(&body));
                send.customize().config_override(patient()).send()
            })
            .await?;
        (self.progress)(length);
        let tag = answer.e_tag().ok_or_else(|| AwsError::incomplete(ops::s3::UPLOAD_PART, "ETag"))?;
        Ok(tag.to_owned())
    }

    async fn complete(
        &self,
        file: &SourceFile,
        id: &str,
        parts: BTreeMap<i32, (u64, String)>,
    ) -> Result<(), UploadError> {
        let part =
            |(number, (_, tag)): (i32, (u64, String))| CompletedPart::builder().part_number(number).e_tag(tag).build();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.into_iter().map(part).collect())).build();
        let key = self.key(&file.name);
        let sum = crc64_text(file.checked.crc64);
        let completed = self
            .cx
            .call(ops::s3::COMPLETE_MULTIPART_UPLOAD, || {
                let complete = self.cx.clients.s3.complete_multipart_upload().bucket(&self.to.bucket).key(&key);
                let complete = complete.upload_id(id).multipart_upload(parts.clone()).checksum_crc64_nvme(&sum);
                complete.checksum_type(ChecksumType::FullObject).customize().config_override(patient()).send()
            })
            .await;
        match completed {
            Ok(_) => Ok(()),
            Err(error) if error.code == "BadDigest" => {
                self.abort(&file.name, id).await?;
                Err(changed(&file.name))
            }
            // The answer to an earlier attempt may have been lost.
            Err(error) if error.meets() == Some(Met::Gone) && self.is_there(file).await? => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn create(&self, name: &str) -> Result<String, AwsError> {
        // An upload of this file that nobody has written down is one whose answer was lost: all others were aborted before.
        once(|| self.begin(name), || self.under_way(name), || {}).await
    }

    async fn begin(&self, name: &str) -> Result<String, AwsError> {
        let key = self.key(name);
        let answer = self
            .cx
            .call(ops::s3::CREATE_MULTIPART_UPLOAD, || {
                let create = self.cx.clients.s3.create_multipart_upload().bucket(&self.to.bucket).key(&key);
                let create = create.content_type(content_type(name)).checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
                create.checksum_type(ChecksumType::FullObject).send()
            })
            .await?;
        let id =
            answer.upload_id().ok_or_else(|| AwsError::incomplete(ops::s3::CREATE_MULTIPART_UPLOAD, "upload id"))?;
        Ok(id.to_owned())
    }

    /// An upload of this file that is under way.
    async fn under_way(&self, name: &str) -> Result<Option<String>, AwsError> {
        let key = self.key(name);
        let list = || self.cx.clients.s3.list_multipart_uploads().bucket(&self.to.bucket).prefix(&key).send();
        let page = self.cx.call(ops::s3::LIST_MULTIPART_UPLOADS, list).await?;
        let found = page.uploads().iter().find(|upload| upload.key() == Some(key.as_str()));
        Ok(found.and_then(|upload| upload.upload_id()).map(str::to_owned))
    }

    /// The parts that are there, with their sizes and tags.
    async fn parts(&self, name: &str, id: &str) -> Result<BTreeMap<i32, (u64, String)>, AwsError> {
        let key = self.key(name);
        let mut parts = BTreeMap::new();
        let mut marker: Option<String> = None;
        loop {
            let page = self
                .cx
                .call(ops::s3::LIST_PARTS, || {
                    let list = self.cx.clients.s3.list_parts().bucket(&self.to.bucket).key(&key).upload_id(id);
                    list.set_part_number_marker(marker.clone()).send()
                })
                .await?;
            for part in page.parts() {
                let missing = |what| AwsError::incomplete(ops::s3::LIST_PARTS, what);
                let size = part.size().and_then(|size| u64::try_from(size).ok()).ok_or_else(|| missing("size"))?;
                let tag = part.e_tag().ok_or_else(|| missing("ETag"))?.to_owned();
                parts.insert(part.part_number().ok_or_else(|| missing("part number"))?, (size, tag));
            }
            if page.is_truncated() != Some(true) {
                return Ok(parts);
            }
            marker = page.next_part_number_marker().map(str::to_owned);
        }
    }

    pub(super) async fn abort(&self, name: &str, id: &str) -> Result<(), AwsError> {
        let key = self.key(name);
        let abort =
            || self.cx.clients.s3.abort_multipart_upload().bucket(&self.to.bucket).key(&key).upload_id(id).send();
        match self.cx.call(ops::s3::ABORT_MULTIPART_UPLOAD, abort).await {
            Err(error) if error.meets() != Some(Met::Gone) => Err(error),
            _ => Ok(()),
        }
    }
}
