//! What this program carries: `build.rs` collected it.

/// Every file by its place: `rust/…`, `js/…`, `py/…`, `wit/…`, `templates/…`.
pub(crate) const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Where the templates of new projects begin.
pub(crate) const TEMPLATES: &str = "templates/";

/// The core module that walks every menu; none where this program was built before the sample agencies were.
#[must_use]
pub(crate) fn menu_module() -> Option<&'static [u8]> {
    const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/menu.wasm"));
    (!MODULE.is_empty()).then_some(MODULE)
}
