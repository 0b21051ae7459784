//! Files of the store as answers, whole or in part (RFC 9110, 14).

use crate::Admin;
use crate::problem::{Problem, codes};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use gudok_store::BlobId;
use std::io::SeekFrom;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a file is sent as.
pub(super) struct Sent<'a> {
    pub(super) blob: BlobId,
    pub(super) content_type: &'static str,
    /// The name that it is saved under: checked characters only.
    pub(super) file_name: &'a str,
    /// A part may be asked for.
    pub(super) in_parts: bool,
}

pub(super) async fn file(admin: &Admin, headers: &HeaderMap, sent: Sent<'_>) -> Result<Response, Problem> {
    let file = admin.store().blob_open(sent.blob).await?;
    let mut file = tokio::fs::File::from_std(file);
    let failed = |error: std::io::Error| Problem::internal("reading a file of the store", error);
    let size = file.metadata().await.map_err(failed)?.len();
    let part = if sent.in_parts { part_of(headers, size)? } else { None };
    let (status, first, len) = match part {
        Some((first, last)) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        None => (StatusCode::OK, 0, size),
    };
    file.seek(SeekFrom::Start(first)).await.map_err(failed)?;
    let chunks = stream::try_unfold((file, len), |(mut file, left)| async move {
        let want = usize::try_from(left.min(CHUNK_BYTES as u64)).unwrap_or(CHUNK_BYTES);
        if want == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut chunk = vec![0; want];
        file.read_exact(&mut chunk).await?;
        Ok(Some((Bytes::from(chunk), (file, left - want as u64))))
    });
    let mut response = (status, Body::from_stream(chunks)).into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(sent.content_type));
    answer.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    let mut text = |name, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            answer.insert(name, value);
        }
    };
    text(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", sent.file_name));
    text(header::ETAG, format!("\"{}\"", sent.blob));
    if sent.in_parts {
        text(header::ACCEPT_RANGES, "bytes".to_owned());
    }
    if let Some((first, last)) = part {
        text(header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
    }
    Ok(response)
}

/// First and last byte of the part that was asked for. What is not one range of bytes is ignored, as the RFC allows.
fn part_of(headers: &HeaderMap, size: u64) -> Result<Option<(u64, u64)>, Problem> {
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return Ok(None);
    };
    let outside = || {
        let problem = Problem::new(&codes::RANGE, format!("There are {size} bytes.")).field("Range");
        Err(problem.remedy(format!("Ask for bytes below {size}.")))
    };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && first < size => Ok(Some((first, last.min(size - 1)))),
        (Ok(first), Err(_)) if last.trim().is_empty() && first < size => Ok(Some((first, size - 1))),
        (Err(_), Ok(count)) if first.trim().is_empty() && count > 0 && size > 0 => {
            Ok(Some((size.saturating_sub(count), size - 1)))
        }
        (Ok(first), _) if first >= size => outside(),
        (Err(_), Ok(0)) if first.trim().is_empty() => outside(),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_understood_and_the_rest_ignored() {
        let check = |range: &str, expect: Option<(u64, u64)>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
            assert_eq!(part_of(&headers, 100).unwrap(), expect, "{range}");
        };
        check("bytes=0-0", Some((0, 0)));
        check("bytes=10-19", Some((10, 19)));
        check("bytes=90-", Some((90, 99)));
        check("bytes=90-900", Some((90, 99)));
        check("bytes=-10", Some((90, 99)));
        check("bytes=-900", Some((0, 99)));
        check("bytes=5-4", None);
        check("bytes=0-1,3-4", None);
        check("lines=1-2", None);
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=100-"));
        assert!(part_of(&headers, 100).is_err() && part_of(&headers, 0).is_err());
    }
}
