//! The dialog of a version as a picture that can be clicked. The page comes at once; the picture, which may have to be
//! found first, after it. Without a script, a link leads to the picture.

use super::context::Ctx;
use super::form::Form;
use super::texts::Lang;
use super::visit::{Outcome, Visit, query};
use crate::access::Operation;
use crate::names::VersionHash;
use crate::ports::{FlowFinding, FlowPlace};
use crate::service::flows::{self, FlowAsked, FlowLang, VersionFlow};
use crate::service::versions::{self, Version};
use askama::Template;
use axum::extract::Path;
use axum::http::Uri;

/// The page around the picture.
#[derive(Template)]
#[template(path = "flow.html")]
pub(crate) struct FlowPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) v: &'a Version,
    /// Where the picture is.
    pub(crate) picture: String,
    /// Where it stands alone.
    pub(crate) svg: String,
    pub(crate) here: String,
    pub(crate) compares: bool,
    pub(crate) all: bool,
    /// The version that it can be compared with.
    pub(crate) live: Option<String>,
    /// It was asked for by a link, and stands in the page.
    pub(crate) shown: Option<FlowPicture<'a>>,
}

/// The picture, and what its boxes are about.
#[derive(Template)]
#[template(path = "flow_picture.html")]
pub(crate) struct FlowPicture<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) svg: String,
    pub(crate) paths: String,
    pub(crate) left_out: Vec<String>,
    pub(crate) findings: Vec<FlowFinding>,
    pub(crate) differences: Vec<String>,
    pub(crate) compares: bool,
    pub(crate) places: Vec<FlowPlace>,
}

impl<'a> FlowPicture<'a> {
    fn of(c: &'a Ctx, flow: VersionFlow) -> Self {
        let drawing = flow.drawing;
        let places = drawing.covered.get("states").copied().unwrap_or(drawing.places.len() as u64);
        let counts = [("paths", drawing.paths.to_string()), ("places", places.to_string())];
        Self {
            c,
            paths: c.w("flow.covered", counts.each_ref().map(|(name, count)| (*name, count.as_str()))),
            svg: drawing.svg,
            left_out: drawing.left_out,
            findings: drawing.findings,
            differences: drawing.differences,
            compares: flow.against.is_some(),
            places: drawing.places,
        }
    }
}

/// What the page's address says.
struct Asked {
    compares: bool,
    all: bool,
    show: bool,
}

impl Asked {
    fn of(uri: &Uri) -> Self {
        let form: Form = query(uri);
        let is = |name: &str| form.value(name) == "1";
        Self { compares: is("compare"), all: is("all"), show: is("show") }
    }

    fn flow(&self, c: &Ctx) -> FlowAsked {
        let lang = match c.lang {
            Lang::Ru => FlowLang::Ru,
            Lang::En => FlowLang::En,
        };
        FlowAsked { lang, against: None, against_live: self.compares, all: self.all }
    }

    /// As a query, with more in it.
    fn query(&self, more: &str) -> String {
        let mut parts = Vec::new();
        if self.compares {
            parts.push("compare=1");
        }
        if self.all {
            parts.push("all=1");
        }
        if !more.is_empty() {
            parts.push(more);
        }
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

/// `GET /console/versions/{id}/flow`
pub(crate) async fn show(visit: Visit, Path(id): Path<String>, uri: Uri) -> Outcome {
    let id: VersionHash = id.parse()?;
    let asked = Asked::of(&uri);
    let version = versions::read(&visit.admin, &visit.me, &id).await?;
    let live = match flows::live_beside(&visit.admin, &visit.me, &id).await? {
        Some(live) => versions::read(&visit.admin, &visit.me, &live.parse()?).await.ok().map(|live| live.version),
        None => None,
    };
    let shown = match asked.show {
        true => Some(FlowPicture::of(&visit.c, drawn(&visit, &id, &asked).await?)),
        false => None,
    };
    let here = format!("/console/versions/{id}/flow");
    let svg = [("compare", asked.compares), ("all", asked.all)];
    let svg: String = svg.into_iter().filter(|(_, is)| *is).map(|(name, _)| format!("&{name}=true")).collect();
    Ok(visit.page(&FlowPage {
        c: &visit.c,
        v: &version,
        picture: format!("{here}/picture{}", asked.query("")),
        svg: format!("/api/v1/versions/{id}/flow.svg?lang={}{svg}", visit.c.lang.tag()),
        compares: asked.compares,
        all: asked.all,
        live,
        shown,
        here,
    }))
}

/// `GET /console/versions/{id}/flow/picture`: the part of the page that comes after it.
pub(crate) async fn picture(visit: Visit, Path(id): Path<String>, uri: Uri) -> Outcome {
    let id: VersionHash = id.parse()?;
    let flow = drawn(&visit, &id, &Asked::of(&uri)).await?;
    Ok(visit.page(&FlowPicture::of(&visit.c, flow)))
}

async fn drawn(visit: &Visit, id: &VersionHash, asked: &Asked) -> Result<VersionFlow, crate::Problem> {
    flows::read(&visit.admin, &visit.me, Operation::VersionFlow, id, asked.flow(&visit.c)).await
}
