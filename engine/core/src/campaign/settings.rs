//! What people decide about campaigns.

use super::contact::Disposition;
use crate::calendar::Hours;
use crate::ids::{Agency, Campaign, Entry, Queue, Trunk};
use crate::privacy::PhoneNumber;
use crate::prompt::LanguageTag;
use crate::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What campaigns share.
#[derive(Clone, Debug, Default)]
pub struct CampaignsSettings {
    /// What campaigns may use of each trunk. A trunk that is not here takes no campaign's calls.
    pub trunks: BTreeMap<Trunk, TrunkShare>,
    /// Campaigns' calls at once, of all together: the share of the engine that inbound calls never lose is what is left.
    pub calls_max: u32,
    /// Calls of campaigns begun in any second, of all together.
    pub calls_per_s_max: u32,
    /// While more inbound calls than this are on, campaigns begin nothing new.
    pub inbound_calls_max: u32,
    /// Zones that contacts may be in, by [`ZoneNo`].
    pub zones: Vec<ZoneRule>,
    /// Days on which nobody is called, whatever a campaign's window says; not for [`Urgency::Emergency`].
    pub holidays: Vec<Date>,
    /// Attempts to one number in one of its days, of all campaigns together; zero for no limit. Not for
    /// [`Urgency::Emergency`].
    pub attempts_per_number_per_day_max: u8,
}

/// What campaigns may use of a trunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrunkShare {
    /// Calls at once.
    pub calls_max: u32,
    /// Calls begun in any second.
    pub calls_per_s_max: u32,
    /// After a failure of the trunk itself (503, no route) it is left alone for so long; twice as long after the next, up
    /// to [`TrunkShare::REST_MAX`].
    pub rest_after_failure: Duration,
}

impl TrunkShare {
    /// A trunk that fails for an hour is tried about so often.
    pub const REST_MAX: Duration = Duration::from_mins(5);
}

/// Which of [`CampaignsSettings::zones`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ZoneNo(pub u16);

/// A zone that contacts are in. A number whose region is not known may be in several: then a window is open where it is
/// open in all of them.
#[derive(Clone, Debug)]
pub struct ZoneRule {
    /// "Asia/Omsk", or a name for several.
    pub name: Arc<str>,
    /// At least one.
    pub zones: Vec<TimeZone>,
}

/// One campaign.
#[derive(Clone, Debug)]
pub struct CampaignSettings {
    /// Its name: unique in the engine.
    pub name: Campaign,
    /// Whose.
    pub agency: Agency,
    /// Under which entry its script is active.
    pub entry: Entry,
    /// In which language the host's prompts begin, where a contact has none of its own.
    pub lang: LanguageTag,
    /// Ordinary, or an emergency.
    pub urgency: Urgency,
    /// With or without operators.
    pub mode: CampaignMode,
    /// Between campaigns: 0 is served first; an emergency before every other.
    pub priority: u8,
    /// When people may be called, in their own zones.
    pub window: CallWindow,
    /// Windows that contacts may have of their own, by their place here.
    pub windows: Vec<CallWindow>,
    /// How fast.
    pub pace: Pace,
    /// By which trunk.
    pub trunk: Trunk,
    /// The number that is shown; the trunk's own where there is none.
    pub shown: Option<PhoneNumber>,
    /// How long a telephone rings.
    pub ring_max: Duration,
    /// How often, and after what.
    pub retries: Retries,
    /// What becomes of an attempt that a crash cut off.
    pub unknown: UnknownRule,
    /// What becomes of an answering machine.
    pub on_machine: OnMachine,
    /// Only what is confirmed counts as done; what was merely delivered is tried again, as [`Disposition::Delivered`]'s
    /// rule says.
    pub confirm: bool,
    /// Not before.
    pub starts: Option<Timestamp>,
    /// From then on nobody is dialled any more, and the campaign is finished.
    pub deadline: Option<Timestamp>,
    /// So many contacts in a row whom its script failed pause it; zero for never. One contact that fails again and again
    /// counts once.
    pub script_failures_max: u16,
}

/// Ordinary, or an emergency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Urgency {
    /// By the windows, after the opt-outs.
    #[default]
    Ordinary,
    /// The emergency officer's word: windows, holidays and the limit by day do not count, and it comes before every other.
    Emergency {
        /// Opt-outs that are not protected by law ([`super::OptOut::protected`]) do not count either.
        over_opt_outs: bool,
    },
}

/// Who talks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum CampaignMode {
    /// The script alone.
    #[default]
    Agentless,
    /// The script, and then an operator of a queue: no more is dialled than operators will be free for.
    Operators {
        /// Whose.
        queue: Queue,
        /// People who answered and got no operator in [`CampaignMode::CONNECT_MAX`], in thousandths of those who answered,
        /// over the last [`CampaignMode::ABANDON_WINDOW`]; the pace falls to one call a free operator before it is passed.
        abandoned_permille_max: u16,
        /// Telephones rung for one free operator, at most, in tenths: 10 is one, 15 three for two.
        lines_per_operator_tenths_max: u16,
    },
}

impl CampaignMode {
    /// An operator must be there so soon after the answer, or it counts as abandoned.
    pub const CONNECT_MAX: Duration = Duration::from_secs(2);
    /// Over so long the abandonment rate is measured.
    pub const ABANDON_WINDOW: Duration = Duration::from_hours(1);
}

/// When people may be called, in their own time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallWindow {
    /// Monday first.
    pub week: [Vec<Hours>; 7],
    /// Dates with other hours; none of them: nobody is called.
    pub exceptions: BTreeMap<Date, Vec<Hours>>,
}

/// How fast a campaign dials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Calls begun in any second. At least 1.
    pub calls_per_s_max: u32,
    /// Calls at once. At least 1.
    pub calls_max: u32,
}

/// How often somebody is tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retries {
    /// In all.
    pub attempts_max: u8,
    /// In one of the contact's own days.
    pub attempts_per_day_max: u8,
    /// By disposition ([`Disposition::as_str`]); what is not here is not tried again.
    pub rules: BTreeMap<&'static str, RetryRule>,
}

/// When somebody is tried again after a disposition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryRule {
    /// After so long.
    pub after: Duration,
    /// And up to so much more, drawn by chance.
    pub jitter: Duration,
    /// After this disposition at most so often.
    pub attempts_max: u8,
}

impl Retries {
    /// The rule after a disposition.
    #[must_use]
    pub fn rule(&self, disposition: &Disposition) -> Option<RetryRule> {
        self.rules.get(disposition.as_str()).copied()
    }
}

/// What becomes of an attempt that a crash cut off. It is never dialled again silently.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnknownRule {
    /// It is shown to people, who decide.
    #[default]
    Ask,
    /// It is taken for made: the contact is done, with the disposition "unknown".
    TakeForMade,
    /// It counts as an attempt that was not answered, and the rule of [`Disposition::NoAnswer`] goes on from there.
    TakeForUnanswered,
}

/// What becomes of an answering machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnMachine {
    /// We hang up.
    #[default]
    HangUp,
    /// The script runs after the beep, or when the greeting is over, and leaves its message.
    Message,
    /// Nobody listens for machines: the script runs as soon as somebody answers.
    Ignore,
}

/// Whether a campaign works.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum RunState {
    /// Being made: nobody is dialled.
    #[default]
    Draft,
    /// Works, within its windows.
    Running,
    /// A person holds it, or its script failed too often: calls that are on go on, nothing new is dialled.
    Paused,
    /// A person ended it. The end.
    Stopped,
    /// Every contact is done, or its deadline has passed. More contacts, or a later deadline, set it running again.
    Finished,
}

impl RunState {
    /// The word for it in pages, metrics and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
        }
    }
}
