//! The dialog of a version: found by exploring it, and drawn. Whoever may see the version may see it.

use super::versions::{before, seen};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::names::VersionHash;
use crate::ports::{FlowDrawing, FlowOrder, VersionId};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The language of a picture's own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlowLang {
    /// Русский.
    #[default]
    Ru,
    /// English.
    En,
}

/// How a dialog is to be told.
#[derive(Clone, Debug, Default)]
pub struct FlowAsked {
    /// In which language.
    pub lang: FlowLang,
    /// Compared with this version.
    pub against: Option<VersionHash>,
    /// Compared with the version that serves, else with the last approved.
    pub against_live: bool,
    /// With every place and every way.
    pub all: bool,
}

/// A version's dialog, and what it was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VersionFlow {
    /// The version.
    pub version: VersionId,
    /// The version compared with; null: with none.
    pub against: Option<VersionId>,
    /// What was found.
    #[serde(flatten)]
    pub drawing: FlowDrawing,
}

/// Finds and draws a version's dialog. The first time that takes up to a minute; after that it is there.
///
/// # Errors
/// `forbidden`, `not-found`; the engine's refusal.
pub async fn read(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    id: &VersionHash,
    asked: FlowAsked,
) -> Result<VersionFlow, Problem> {
    let kept = seen(admin, who, operation, id).await?;
    let against = match &asked.against {
        Some(against) => Some(seen(admin, who, operation, against).await?.id),
        None if asked.against_live => before(admin, &kept).await?,
        None => None,
    };
    let order = FlowOrder {
        version: kept.id.clone(),
        against: against.clone(),
        lang: match asked.lang {
            FlowLang::Ru => "ru",
            FlowLang::En => "en",
        },
        all: asked.all,
    };
    let drawing = admin.engine().flow(order).await?;
    Ok(VersionFlow { version: kept.id, against, drawing })
}

/// Whether there is a version that this one can be compared with.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn live_beside(admin: &Admin, who: &Principal, id: &VersionHash) -> Result<Option<VersionId>, Problem> {
    let kept = seen(admin, who, Operation::VersionFlow, id).await?;
    before(admin, &kept).await
}
