//! What can be asked of the room. Every function takes the [`Principal`](crate::Principal) who asks, looks into the table
//! of [`crate::access`], and writes the audit; the JSON handlers and the console's pages both call these and nothing
//! below them.
//!
//! A change of a document takes the revision that the person saw: `None` is refused (`precondition-required`) where the
//! document exists, another revision than the present one is refused (`stale-revision`).

pub mod agencies;
pub mod audit;
pub mod bundles;
pub mod callbacks;
pub mod calls;
pub mod campaigns;
pub mod cdrs;
mod commit;
pub mod configuration;
pub mod deliveries;
pub mod deployments;
pub mod desk;
pub mod directory;
pub mod entries;
pub mod events;
pub mod flows;
pub mod guides;
pub mod journals;
pub mod keys;
mod lists;
pub mod logins;
pub mod logs;
pub mod marks;
pub mod numbers;
pub mod operators;
pub mod opt_outs;
pub mod overlays;
pub mod page;
pub mod queues;
pub mod recordings;
pub mod reports;
pub mod retention;
pub mod subjects;
pub mod supervision;
pub mod surveys;
pub mod tickets;
pub mod tokens;
pub mod users;
pub mod versions;
pub mod webhooks;

pub use page::{Page, PageQuery};

use crate::problem::{Problem, codes};
use serde::Serialize;
use utoipa::ToSchema;

/// A document with the revision that a change of it must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revised<T> {
    /// What it says.
    pub value: T,
    /// Goes out as the ETag; 0 where it is the default that nobody has changed.
    pub revision: u64,
}

/// Who says that something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The configuration's file; the API shows it and does not change it.
    File,
    /// The API.
    Api,
}

/// Compares what somebody saw with what there is. 0 is "nothing there yet".
pub(crate) fn check_revision(seen: Option<u64>, present: u64) -> Result<(), Problem> {
    match seen {
        Some(seen) if seen == present => Ok(()),
        Some(seen) => {
            let detail = format!("You saw revision {seen}; it is at {present} now.");
            Err(Problem::new(&codes::STALE, detail).field("If-Match"))
        }
        None if present == 0 => Ok(()),
        None => Err(Problem::new(&codes::PRECONDITION_REQUIRED, "The document exists.").field("If-Match")),
    }
}

/// As [`check_revision`], where a client that did not look first is served too.
pub(crate) fn check_revision_if_seen(seen: Option<u64>, present: u64) -> Result<(), Problem> {
    if seen.is_none() { Ok(()) } else { check_revision(seen, present) }
}

/// A text for people: without control characters, and not longer than allowed.
pub(crate) fn check_text(field: &str, text: &str, chars_max: usize) -> Result<(), Problem> {
    if text.chars().count() > chars_max {
        return Err(Problem::invalid(field, format!("It has more than {chars_max} characters.")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::invalid(field, "It has control characters."));
    }
    Ok(())
}

/// The code of a region or municipality, as queries and numbers name it.
pub(crate) fn check_area(field: &str, area: Option<&str>) -> Result<(), Problem> {
    let Some(area) = area else { return Ok(()) };
    if area.trim().is_empty() {
        return Err(Problem::invalid(field, "An area has a code; leave it out where there is none."));
    }
    check_text(field, area, crate::limits::AREA_CHARS_MAX)
}

/// A list that is not longer than allowed.
pub(crate) fn check_len(field: &str, len: usize) -> Result<(), Problem> {
    let max = crate::limits::LIST_LEN_MAX;
    if len > max {
        Err(Problem::invalid(field, format!("It has {len} items; at most {max} are kept.")))
    } else {
        Ok(())
    }
}

/// The file says it, so the API does not change it.
pub(crate) fn managed_by_file(what: &str, name: &str) -> Problem {
    Problem::new(&codes::MANAGED_BY_FILE, format!("{what} {name} stands in the configuration's file."))
}
