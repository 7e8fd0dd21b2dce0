//! Where a Terraform state is read from.

use std::io::Read;

use super::error::AdoptError;
use crate::error::CommandError;
use crate::session::{ConnectOptions, Session};
use hlctl_aws::ops;

/// A larger file is no state of one module.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Reads a file, an object in S3, or stdin.
pub(super) async fn read(session: &Session, source: &str) -> Result<Vec<u8>, CommandError> {
    if let Some(place) = source.strip_prefix("s3://") {
        return read_object(session, source, place).await;
    }
    let mut bytes = Vec::new();
    let reported = if source == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(source).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    reported.map_err(|error| AdoptError::Unreadable { from: source.to_owned(), error })?;
    check_size(bytes, source)
}

async fn read_object(session: &Session, source: &str, place: &str) -> Result<Vec<u8>, CommandError> {
    let (bucket, key) = place
        .split_once('/')
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        .ok_or_else(|| AdoptError::NoObject(source.to_owned()))?;
    let options = ConnectOptions::from_flags(&session.global);
    session
        .interruptible(async {
            let connection = session.connect(options).await?;
            let get = || connection.clients.s3.get_object().bucket(bucket).key(key).send();
            let object = connection.clients.caller.call(ops::s3::GET_OBJECT, get).await.map_err(CommandError::Aws)?;
            if u64::try_from(object.content_length().unwrap_or_default()).is_ok_and(|length| length > LARGEST) {
                return Err(too_large(source));
            }
            let body = object.body.collect().await.map_err(|error| CommandError::Other(error.into()))?;
            check_size(body.into_bytes().to_vec(), source)
        })
        .await
}

fn check_size(bytes: Vec<u8>, source: &str) -> Result<Vec<u8>, CommandError> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) { Err(too_large(source)) } else { Ok(bytes) }
}

fn too_large(source: &str) -> CommandError {
    AdoptError::TooLarge(source.to_owned()).into()
}
