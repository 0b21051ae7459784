//! What was found and drawn, kept as files: reports by version, drawings by what was asked. A file that cannot be read is
//! as good as none; what this engine's version did not write is not looked at.

use super::Answer;
use gudok_admin::ports::{FlowDrawing, FlowOrder};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Files that are kept; the oldest go.
const FILES_MAX: usize = 400;
/// Of one file.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// In that folder, apart from what other versions of the engine have written.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.join(env!("CARGO_PKG_VERSION")) }
    }

    /// A drawing that was made before.
    pub(super) async fn drawing(&self, order: &FlowOrder) -> Option<FlowDrawing> {
        let file = self.folder.join(drawing_name(order)?);
        let read = tokio::task::spawn_blocking(move || {
            let size = fs::metadata(&file).ok()?.len();
            if size > FILE_BYTES_MAX { None } else { fs::read(&file).ok() }
        });
        serde_json::from_slice(&read.await.ok()??).ok()
    }

    /// Where the report of a version is, if it is there.
    pub(super) fn report(&self, version: &str) -> Option<PathBuf> {
        Some(self.folder.join(report_name(version)?)).filter(|file| file.exists())
    }

    /// Keeps an answer. Where that fails, the next look takes longer.
    pub(super) async fn keep(&self, order: &FlowOrder, answer: &Answer) {
        let mut files: Vec<(Option<String>, Vec<u8>)> = Vec::new();
        if let Some(report) = &answer.new {
            files.push((report_name(&order.version), report.clone().into_bytes()));
        }
        if let (Some(report), Some(against)) = (&answer.old, &order.against) {
            files.push((report_name(against), report.clone().into_bytes()));
        }
        if let Ok(drawing) = serde_json::to_vec(&answer.drawing) {
            files.push((drawing_name(order), drawing));
        }
        let shelf = self.clone();
        let kept = tokio::task::spawn_blocking(move || shelf.write(files)).await;
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a dialog that was found could not be kept"),
            Err(error) => tracing::warn!(%error, "a dialog that was found could not be kept"),
        }
    }

    fn write(&self, files: Vec<(Option<String>, Vec<u8>)>) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        for (name, content) in files {
            let Some(name) = name else { continue };
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&content)?;
            file.persist(self.folder.join(name)).map_err(|error| error.error)?;
        }
        clear(&self.folder)
    }
}

/// Lets the oldest files go.
fn clear(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    for (_, file) in files.iter().rev().skip(FILES_MAX) {
        fs::remove_file(file)?;
    }
    Ok(())
}

fn report_name(version: &str) -> Option<String> {
    is_hash(version).then(|| format!("{version}.report.json"))
}

fn drawing_name(order: &FlowOrder) -> Option<String> {
    let against = order.against.as_deref().unwrap_or("alone");
    if !is_hash(&order.version) || !(against == "alone" || is_hash(against)) {
        return None;
    }
    let all = if order.all { "all" } else { "folded" };
    Some(format!("{}.{against}.{}.{all}.json", order.version, order.lang))
}

/// A name that leads nowhere else.
fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(version: &str) -> FlowOrder {
        FlowOrder { version: version.to_owned(), against: None, lang: "ru", all: false }
    }

    fn answer(paths: u64) -> Answer {
        Answer { drawing: FlowDrawing { paths, ..FlowDrawing::default() }, new: Some("{}".to_owned()), old: None }
    }

    #[tokio::test]
    async fn what_was_drawn_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path());
        let id = "a".repeat(64);
        assert!(shelf.drawing(&order(&id)).await.is_none() && shelf.report(&id).is_none());
        shelf.keep(&order(&id), &answer(7)).await;
        assert_eq!(shelf.drawing(&order(&id)).await.unwrap().paths, 7);
        assert!(shelf.report(&id).is_some());
        assert!(shelf.drawing(&FlowOrder { all: true, ..order(&id) }).await.is_none(), "another picture");
        fs::write(shelf.folder.join(drawing_name(&order(&id)).unwrap()), "{").unwrap();
        assert!(shelf.drawing(&order(&id)).await.is_none(), "half a file is none");
    }

    #[tokio::test]
    async fn names_lead_nowhere_else_and_the_oldest_go() {
        assert_eq!(report_name("../../etc/passwd"), None);
        assert_eq!(drawing_name(&FlowOrder { against: Some("..".to_owned()), ..order(&"a".repeat(64)) }), None);
        let folder = tempfile::tempdir().unwrap();
        for number in 0..FILES_MAX + 3 {
            fs::write(folder.path().join(format!("{number}")), "").unwrap();
        }
        clear(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), FILES_MAX);
    }
}
