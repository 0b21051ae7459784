//! What the pages load besides themselves: styles, scripts, letters. Embedded, and cached for ever under their hash.

use crate::auth::hex;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// So much of the hash tells two engines' assets apart.
const HASH_BYTES: usize = 8;

/// The hash of all assets together: they name each other by relative paths, so they change together.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update(name.as_bytes());
        if let Some(file) = Files::get(&name) {
            hasher.update(file.metadata.sha256_hash());
        }
    }
    hex(&hasher.finalize()[..HASH_BYTES])
});

/// Where an asset is.
#[must_use]
pub(crate) fn href(name: &str) -> String {
    format!("/console/assets/{}/{name}", *HASH)
}

/// Serves one.
pub(crate) async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let Some((file, kind)) = Files::get(&name).zip(kind_of(&name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A page of the engine before an upgrade asks under the old hash: it gets the present file, but does not keep it.
    let keep = if hash == *HASH { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = file.data.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn kind_of(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn assets_are_kept_under_their_hash_only() {
        let caching = |response: &Response| response.headers()[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        let present = serve(Path((HASH.clone(), "console.css".into()))).await;
        assert_eq!(present.status(), StatusCode::OK);
        assert!(caching(&present).contains("immutable"));
        let past = serve(Path(("0123456789abcdef".into(), "vendor/htmx.min.js".into()))).await;
        assert_eq!(caching(&past), "no-cache");
        for name in ["../Cargo.toml", "vendor/README.md", "nothing.css", ""] {
            assert_eq!(serve(Path((HASH.clone(), name.into()))).await.status(), StatusCode::NOT_FOUND, "{name}");
        }
    }

    #[test]
    fn every_vendored_asset_has_its_licence_beside_it() {
        for name in Files::iter().filter(|name| name.starts_with("vendor/") && !name.ends_with(".md")) {
            let stem = name["vendor/".len()..].split(['.']).next().unwrap();
            let licence = |stem: &str| Files::get(&format!("vendor/{stem}.LICENSE.txt")).is_some();
            let family = stem.split('-').next().unwrap();
            assert!(licence(stem) || licence(family), "{name} has no licence beside it");
        }
    }
}
