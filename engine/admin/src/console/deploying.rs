//! The form that puts a version live.

use super::context::Ctx;
use super::form::{Choice, Form};
use crate::ports::{DeployOrder, Guard};
use askama::Template;

/// Figures of the guard, as the form has them.
pub(crate) const GUARD_FIELDS: [&str; 6] =
    ["sample_min", "trap_percent_over", "landing_percent_over", "abandon_percent_over", "cpu_times_max", "watch_min"];
/// Where a slider stands first: few enough to be safe, enough to see something.
const SHARE_PERCENT_FIRST: &str = "10";
const DRAIN_MIN_MAX: u32 = 1_440;
const SAMPLE_MAX: u32 = 100_000;
const WATCH_MIN_MAX: u32 = 10_080;

/// The form at a new place.
#[derive(Template)]
#[template(path = "deploy_new.html")]
pub(crate) struct DeployPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) versions: Vec<Choice>,
}

/// The form with what is in force where nothing was written.
pub(crate) fn filled(form: Form, guard: &Guard) -> Form {
    form.or("version", "")
        .or("share_percent", SHARE_PERCENT_FIRST)
        .or("drain_min", "")
        .or("sample_min", guard.sample_min.to_string())
        .or("trap_percent_over", guard.trap_percent_over.to_string())
        .or("landing_percent_over", guard.landing_percent_over.to_string())
        .or("abandon_percent_over", guard.abandon_percent_over.to_string())
        .or("cpu_times_max", guard.cpu_times_max.to_string())
        .or("watch_min", (guard.watch_s / 60).to_string())
}

/// What the form orders; nothing where something is wrong with it, which the form then says.
pub(crate) fn order(c: &Ctx, form: &mut Form) -> Option<DeployOrder> {
    let lang = c.lang;
    let version = form.filled(lang, "version");
    let share = form.whole(lang, "share_percent", (1, 100));
    if share.is_none() && form.text("share_percent").is_empty() {
        form.blame(lang, "share_percent", "required", &[]);
    }
    let drain_min = form.whole(lang, "drain_min", (1, DRAIN_MIN_MAX));
    let usual = Guard::default();
    let sample = form.whole(lang, "sample_min", (1, SAMPLE_MAX));
    let watch_min = form.whole(lang, "watch_min", (1, WATCH_MIN_MAX));
    let guard = Guard {
        sample_min: sample.unwrap_or(usual.sample_min),
        trap_percent_over: form.fraction(lang, "trap_percent_over", (0, 100)).unwrap_or(usual.trap_percent_over),
        landing_percent_over: form
            .fraction(lang, "landing_percent_over", (0, 100))
            .unwrap_or(usual.landing_percent_over),
        abandon_percent_over: form
            .fraction(lang, "abandon_percent_over", (0, 100))
            .unwrap_or(usual.abandon_percent_over),
        cpu_times_max: form.fraction(lang, "cpu_times_max", (1, 100)).unwrap_or(usual.cpu_times_max),
        watch_s: watch_min.map_or(usual.watch_s, |min| min * 60),
    };
    if form.has_wrong() {
        return None;
    }
    Some(DeployOrder {
        version,
        share_percent: u8::try_from(share?).ok()?,
        guard: Some(guard),
        drain_s: drain_min.map(|min| min * 60),
        expected_revision: form.text("revision").parse().ok(),
    })
}
