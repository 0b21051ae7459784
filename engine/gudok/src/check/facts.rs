//! What a bundle says of itself, in the admins' words.

use gudok_admin::ports::BundleFacts;
use gudok_plugin_host::bundle::Bundle;
use serde_json::Value;

/// Of a bundle whose file has so many bytes.
pub(crate) fn facts(bundle: &Bundle, signed_by: Option<String>, size_bytes: u64) -> BundleFacts {
    let manifest = &bundle.manifest;
    BundleFacts {
        id: crate::hex::hex(&bundle.content_sha256),
        agency: manifest.agency.clone(),
        script: manifest.name.clone(),
        version: manifest.version.to_string(),
        kind: manifest.kind.as_str().to_owned(),
        interface: manifest.interface.clone(),
        entries: manifest.entries.clone(),
        languages: manifest.languages.clone(),
        signed_by,
        capabilities: said(serde_json::to_value(&manifest.capabilities)),
        limits: said(serde_json::to_value(manifest.limits)),
        size_bytes,
    }
}

/// What is there; not what might be.
fn said(value: serde_json::Result<Value>) -> Value {
    match value.unwrap_or_default() {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}
