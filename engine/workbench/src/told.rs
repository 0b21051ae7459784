//! For tests: what people are told, compared with a file that a person has read. `GUDOK_WRITE=1` writes the file anew.

use std::path::Path;

/// Compares what is told with `src/PLACE`.
pub(crate) fn expect_told(place: &str, told: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(place);
    if std::env::var_os("GUDOK_WRITE").is_some() {
        std::fs::write(&path, format!("{}\n", told.trim_end())).unwrap();
    }
    let expect = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(told.trim_end(), expect.trim_end(), "{place} says something else now:\n{told}\n");
}
