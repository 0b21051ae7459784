//! What campaigns may use of the engine and of its trunks, and where numbers are.

use super::super::Faults;
use super::super::schema::{self, File};
use crate::campaigns::parse_zone;
use gudok_core::campaign::{CampaignsSettings, TrunkShare};
use gudok_core::ids::Trunk;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// Calls begun in a second that a machine like this may be asked for.
const CALLS_PER_S_MAX: u32 = 10_000;
const CALLS_MAX: u32 = 100_000;
/// A trunk that fails is asked again at the latest after this ([`TrunkShare::REST_MAX`]).
const REST_S: std::ops::RangeInclusive<u64> = 1..=300;
/// Ten years.
const KEPT_DAYS_MAX: u32 = 3_653;
const DAY_S: u64 = 24 * 3_600;

/// For the campaigns' task.
#[derive(Clone, Debug)]
pub(crate) struct CampaignsConfig {
    /// Without the zones, which come with the contacts.
    pub(crate) settings: Arc<CampaignsSettings>,
    /// Where numbers are, by prefix.
    pub(crate) zones_file: Option<PathBuf>,
    /// Where numbers are that no prefix fits: a name of the time-zone database.
    pub(crate) zone: Arc<str>,
    /// So long after its end a campaign is kept; none for ever.
    pub(crate) kept: Option<Duration>,
}

pub(super) fn campaigns(file: &File, folder: &Path, faults: &mut Faults<'_>) -> CampaignsConfig {
    let shared = &file.campaigns;
    let zone = shared.time_zone.as_ref().unwrap_or(&file.node.time_zone);
    if shared.time_zone.is_some() && parse_zone(zone.get_ref()).is_none() {
        let message = format!("no time zone is called {:?}", zone.get_ref());
        faults.add(zone.span(), message, "use a name of the time-zone database, such as \"Asia/Novosibirsk\"");
    }
    let zones_file = shared.zones_file.as_ref().map(|path| {
        let found = folder.join(path.get_ref());
        if !found.is_file() {
            let message = format!("no table of zones is at {}", found.display());
            faults.add(
                path.span(),
                message,
                "give a file with lines of `prefix;zone`; the path is relative to this file",
            );
        }
        found
    });
    let kept_days = *shared.kept_days.get_ref();
    if kept_days > KEPT_DAYS_MAX {
        let message = format!("kept_days = {kept_days} is not to be had");
        faults.add(shared.kept_days.span(), message, format!("choose 0 (for ever) to {KEPT_DAYS_MAX}"));
    }
    CampaignsConfig {
        settings: Arc::new(settings(file, faults)),
        zones_file,
        zone: Arc::from(zone.get_ref().as_str()),
        kept: (kept_days > 0).then(|| Duration::from_secs(u64::from(kept_days.min(KEPT_DAYS_MAX)) * DAY_S)),
    }
}

fn settings(file: &File, faults: &mut Faults<'_>) -> CampaignsSettings {
    let shared = &file.campaigns;
    let engine = u32::try_from(file.sip.limits.calls_max).unwrap_or(u32::MAX);
    let mut of = |given: Option<&Spanned<u32>>, name: &str, default: u32, max: u32| {
        let Some(given) = given else { return default };
        if !(1..=max).contains(given.get_ref()) {
            let message = format!("[campaigns] {name} = {} is not to be had", given.get_ref());
            faults.add(given.span(), message, format!("choose 1 to {max}"));
        }
        *given.get_ref()
    };
    let scripts = file.scripts.instances_max;
    let calls_max = of(shared.calls_max.as_ref(), "calls_max", (engine / 2).min(scripts).max(1), CALLS_MAX);
    let calls_per_s_max = of(Some(&shared.calls_per_s_max), "calls_per_s_max", 0, CALLS_PER_S_MAX);
    let seven_tenths = u32::try_from(u64::from(engine) * 7 / 10).unwrap_or(u32::MAX);
    let inbound_calls_max = of(shared.inbound_calls_max.as_ref(), "inbound_calls_max", seven_tenths, u32::MAX);
    if let Some(given) = shared.calls_max.as_ref().filter(|given| *given.get_ref() > scripts) {
        // Whoever is reached without a script to talk to is hung up on, and has lost an attempt.
        let message = format!("[campaigns] calls_max = {calls_max} is more than scripts may run at once");
        faults.add(given.span(), message, format!("choose at most [scripts] instances_max = {scripts}, or raise that"));
    }
    CampaignsSettings {
        trunks: trunks(&file.trunk, faults),
        calls_max,
        calls_per_s_max,
        inbound_calls_max,
        zones: Vec::new(),
        holidays: shared.holidays.iter().filter_map(|date| holiday(date, faults)).collect(),
        attempts_per_number_per_day_max: shared.attempts_per_number_per_day_max,
    }
}

fn trunks(all: &[schema::Trunk], faults: &mut Faults<'_>) -> BTreeMap<Trunk, TrunkShare> {
    let mut trunks = BTreeMap::new();
    for trunk in all {
        let (Some(share), name) = (&trunk.campaigns, trunk.name.get_ref()) else { continue };
        let (at, share) = (share.span(), share.get_ref());
        if trunk.proxy.is_none() && trunk.register.is_none() {
            let message = format!("campaigns cannot call by the trunk {name:?}: it has no proxy");
            faults.add(at.clone(), message, "say where its calls go: `proxy`");
        }
        let limits =
            [("calls_max", share.calls_max, CALLS_MAX), ("calls_per_s_max", share.calls_per_s_max, CALLS_PER_S_MAX)];
        for (field, value, max) in limits {
            if !(1..=max).contains(&value) {
                let message = format!("{field} = {value} is not to be had for campaigns of the trunk {name:?}");
                faults.add(at.clone(), message, format!("choose 1 to {max}"));
            }
        }
        if !REST_S.contains(&share.rest_after_failure_s) {
            let message = format!("rest_after_failure_s = {} is not to be had", share.rest_after_failure_s);
            faults.add(at.clone(), message, format!("choose {} to {}", REST_S.start(), REST_S.end()));
        }
        let rest_after_failure = Duration::from_secs(share.rest_after_failure_s);
        let share =
            TrunkShare { calls_max: share.calls_max, calls_per_s_max: share.calls_per_s_max, rest_after_failure };
        trunks.insert(Trunk::new(name), share);
    }
    trunks
}

fn holiday(date: &Spanned<String>, faults: &mut Faults<'_>) -> Option<Date> {
    let parsed = date.get_ref().parse().ok();
    if parsed.is_none() {
        faults.add(date.span(), format!("{:?} is no date", date.get_ref()), "write it as \"2026-01-01\"");
    }
    parsed
}
