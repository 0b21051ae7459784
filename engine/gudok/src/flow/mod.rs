//! The dialog of a version, for the console and the API: a child process of the lowest priority explores the bundle and
//! draws it, so that trying a stranger's script out a million times delays no call and can be killed. What was found is
//! kept in the cache folder under the version's hash; a second look costs a file.

mod child;
mod shelf;

pub(crate) use child::main as child_main;

use crate::check::{Caps, ask_child, settings_of};
use crate::director::{Director, internal};
use gudok_admin::ports::{EngineRefusal, FlowDrawing, FlowOrder};
use serde::{Deserialize, Serialize};
use shelf::Shelf;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The hidden subcommand that makes this program the flow child.
pub(crate) const FLOW_SUBCOMMAND: &str = "flow-child";
/// Explorations at a time: each keeps a core busy that calls do not want.
const FLOWS_MAX: usize = 1;
/// From an exploration's start to its picture; two versions may have to be explored.
const FLOW_MAX: Duration = Duration::from_secs(300);
/// Of what a child says: reports of two versions, and a picture.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// What the child is told, on its standard input.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    new: Candidate,
    /// In colours: what differs from that one.
    old: Option<Candidate>,
    lang: Lang,
    all: bool,
    /// Settings that the agency's entries have.
    config: BTreeMap<String, String>,
    cache_dir: PathBuf,
    caps: Caps,
}

/// A version to be explored.
#[derive(Debug, Serialize, Deserialize)]
struct Candidate {
    bundle: PathBuf,
    /// What was found the last time.
    report: Option<PathBuf>,
    /// As the commands that replay call it.
    target: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Lang {
    Ru,
    En,
}

/// What the child answers, on its standard output. Reports are texts: this process need not understand them.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    drawing: FlowDrawing,
    /// What was found anew, to be kept.
    new: Option<String>,
    old: Option<String>,
}

/// Finds and draws dialogs.
pub(crate) struct Flows {
    compiled: PathBuf,
    shelf: Shelf,
    permits: Semaphore,
}

impl Flows {
    pub(crate) fn new(cache_dir: &Path) -> Self {
        let shelf = Shelf::new(&cache_dir.join("flows"));
        Self { compiled: cache_dir.join("compiled"), shelf, permits: Semaphore::new(FLOWS_MAX) }
    }

    /// The dialog of a version.
    pub(crate) async fn flow(&self, director: &Director, order: FlowOrder) -> Result<FlowDrawing, EngineRefusal> {
        if let Some(drawing) = self.shelf.drawing(&order).await {
            return Ok(drawing);
        }
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(internal("exploring a version", "the engine is stopping"));
        };
        // Somebody else may have asked for the same meanwhile.
        if let Some(drawing) = self.shelf.drawing(&order).await {
            return Ok(drawing);
        }
        let (new, _open, agency) = self.candidate(director, &order.version).await?;
        let (old, _open_too) = match &order.against {
            Some(against) => {
                let (candidate, open, _) = self.candidate(director, against).await?;
                (Some(candidate), Some(open))
            }
            None => (None, None),
        };
        let config = director.config();
        let told = Order {
            new,
            old,
            lang: if order.lang == "en" { Lang::En } else { Lang::Ru },
            all: order.all,
            config: settings_of(director, &agency).await?,
            cache_dir: self.compiled.clone(),
            caps: Caps::of(&config.scripts),
        };
        let said = tokio::time::timeout(FLOW_MAX, ask_child(FLOW_SUBCOMMAND, &told, ANSWER_BYTES_MAX)).await;
        let answer: Answer = match said {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(unfinished(&format!("{error:#}"))),
            Err(_) => return Err(unfinished(&format!("it took longer than {} s", FLOW_MAX.as_secs()))),
        };
        self.shelf.keep(&order, &answer).await;
        Ok(answer.drawing)
    }

    /// A version for the child, and the file that keeps its bundle open for it.
    async fn candidate(&self, director: &Director, id: &str) -> Result<(Candidate, File, String), EngineRefusal> {
        let version = director.version(id).await?;
        let file = director.bundle_file(&version).await?;
        // Another process of the same user may open what this one has open.
        let bundle = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        let target = format!("{}-{}.ivr", version.facts.script, version.facts.version);
        Ok((Candidate { bundle, report: self.shelf.report(id), target }, file, version.facts.agency.clone()))
    }
}

fn unfinished(why: &str) -> EngineRefusal {
    tracing::warn!(why, "the exploration of a version was not finished");
    EngineRefusal {
        code: "flow-unfinished",
        status: 503,
        field: None,
        problem: format!("The dialog could not be found: {why}."),
        remedy: "Explore the bundle with `gudok explore` on your own machine; it says where it stops.".to_owned(),
        report: None,
    }
}
