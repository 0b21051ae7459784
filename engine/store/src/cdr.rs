//! The call record: one per leg, written once, never changed.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::{CDR_LIST_ITEMS_MAX, CDR_STEPS_MAX, CDR_TAG_BYTES_MAX, CDR_TEXT_BYTES_MAX};
use crate::{AgencyId, AnsweredBy, BlobId, CallId, HangupCause, Party};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMs(pub u64);

impl UtcMs {
    /// Milliseconds from `earlier` to here; 0 when the clock went back.
    #[must_use]
    pub fn since(self, earlier: UtcMs) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As RFC 3339 with milliseconds, in UTC; empty beyond the year 9999.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let stamp = i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        stamp.map(|stamp| format!("{stamp:.3}")).unwrap_or_default()
    }
}

/// One leg of one call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegId {
    /// The call.
    pub call_id: CallId,
    /// Its leg, from 0.
    pub leg: u16,
}

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.call_id, self.leg)
    }
}

/// Who called whom, seen from the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A call that came to us.
    Inbound,
    /// A call that we placed.
    Outbound,
}

/// How the centre worked when the leg began (decree 1021-r, p5: between 00:00 and 06:00 it may run by itself).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No operators: machines only.
    Automatic,
    /// Operators on duty.
    Attended,
}

/// Who ended the leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The person who called.
    Caller,
    /// The person or machine called.
    Callee,
    /// The agency's script.
    Script,
    /// The engine itself.
    Engine,
    /// The network between.
    Network,
}

/// Why the engine took a caller from a script and landed them in the agency's fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Landing {
    /// The script trapped.
    Trap,
    /// The script used up its CPU without waiting.
    Loop,
    /// The script asked for more memory than granted.
    Memory,
    /// The script or a host call took too long.
    Timeout,
    /// The script could not be started or was refused something it cannot go on without.
    Refusal,
    /// The script made more host calls, or wrote more, than it may.
    Quota,
    /// The script gave up, or returned without serving.
    Error,
    /// The script's version was replaced, and its calls' time was over.
    Drained,
    /// An admin took the caller out of the script's hands.
    Admin,
}

/// How a leg was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// REFER; we are out of the call.
    Blind,
    /// The target answered first.
    Attended,
    /// We stay between the two legs.
    Bridge,
}

/// What became of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferResult {
    /// The target has the caller.
    Connected,
    /// The target was busy.
    Busy,
    /// The target did not answer.
    NoAnswer,
    /// It failed otherwise, and the caller went back to the script.
    Failed,
    /// Nobody works now; nobody was rung.
    Closed,
}

/// A transfer and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// How.
    pub kind: TransferKind,
    /// Outcome.
    pub result: TransferResult,
    /// Target: a queue's or entry's name, or a masked number.
    pub to: String,
    /// The target's final SIP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
}

/// A recording kept as a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Its name inside the call.
    pub id: String,
    /// The audio.
    pub sha256: BlobId,
    /// Its length.
    #[serde(default)]
    pub duration_ms: u64,
    /// When its audio was deleted, by retention or because a person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_ms: Option<UtcMs>,
}

/// What the media said of the leg.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaStats {
    /// Codec by its SDP name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets received.
    pub packets_received: u64,
    /// RTP packets that never came.
    pub packets_lost: u64,
    /// Packets that we sent late.
    #[serde(default)]
    pub packets_late: u64,
    /// Largest interarrival jitter (RFC 3550, 6.4.1).
    #[serde(default)]
    pub jitter_ms_max: u32,
}

/// How a wait for an operator ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueResult {
    /// An operator answered.
    Answered,
    /// A peer centre answered.
    Peer,
    /// A callback was promised.
    Callback,
    /// The caller hung up.
    Abandoned,
    /// The script took the caller out.
    Left,
    /// The engine did.
    Host,
    /// Not let in: closed or full.
    Refused,
}

/// The last wait for an operator in a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueWait {
    /// Which queue.
    pub queue: String,
    /// Since when.
    pub entered_ms: UtcMs,
    /// For how long: to the answer, to the promise of a callback, to the peer's answer, or to the end.
    pub waited_ms: u64,
    /// When the engine first offered a callback or tried a peer centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_ms: Option<UtcMs>,
    /// How it ended; none where a crash cut it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<QueueResult>,
    /// The operator or the peer centre that answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// Which attempt of a campaign a leg is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignLeg {
    /// The campaign.
    pub campaign: String,
    /// The contact's place in its list.
    pub contact: u32,
    /// Which of its claims, from 1.
    pub attempt: u16,
}

/// What is known of a leg when it begins: its durable begin-marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegBegan {
    /// The call.
    pub call_id: CallId,
    /// The leg, from 0.
    pub leg: u16,
    /// The leg that caused this one: a transfer's or a callback's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<LegId>,
    /// Shared by all calls of one conversation, over peers and callbacks too. The first call's id, unless a peer sent one.
    pub chain_id: CallId,
    /// Whose call. A call that no agency owns (unknown number) goes under the centre's own agency.
    pub agency: AgencyId,
    /// The entry that the number led to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub entry: String,
    /// The script.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub script: String,
    /// Its version, pinned for the call.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub script_version: String,
    /// Who called whom.
    pub direction: Direction,
    /// The calling party.
    pub caller: Party,
    /// The called party.
    pub called: Party,
    /// The SIP peer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trunk: String,
    /// INVITE received or sent.
    pub started_ms: UtcMs,
    /// Operators on duty or not.
    pub mode: Mode,
    /// BCP 47 tag of the language spoken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The region or municipality that the dialled number stands for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub area: String,
    /// The attempt that the leg is, where a campaign placed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignLeg>,
}

/// What is known of a leg when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegEnded {
    /// 180 or 183 sent or received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ringing_ms: Option<UtcMs>,
    /// 200 sent or received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_ms: Option<UtcMs>,
    /// The end.
    pub ended_ms: UtcMs,
    /// Why.
    pub cause: HangupCause,
    /// Final SIP status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// By whom.
    pub ended_by: EndedBy,
    /// Why the script was landed, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing: Option<Landing>,
    /// Small facts that scripts and the engine add: never digits or names of callers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Recordings made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<Recording>,
    /// What the media said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaStats>,
    /// The last transfer and its outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// The last wait for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueWait>,
    /// The callback that the call fulfils, or that was promised in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    /// The steps that scripts named, each once, in the order in which they were first reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// What became of the attempt that the leg is: "delivered".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// Who or what answered, where somebody listened for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
}

impl LegEnded {
    /// An end without further facts.
    #[must_use]
    pub fn new(ended_ms: UtcMs, cause: HangupCause, ended_by: EndedBy) -> Self {
        Self {
            ringing_ms: None,
            answered_ms: None,
            ended_ms,
            cause,
            sip_status: None,
            ended_by,
            landing: None,
            tags: BTreeMap::new(),
            recordings: Vec::new(),
            media: None,
            transfer: None,
            queue: None,
            callback: None,
            steps: Vec::new(),
            disposition: None,
            answered_by: None,
        }
    }
}

/// A call record: what was known at the begin, and at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cdr {
    /// The begin. A script or language chosen during the call is set here before the end is recorded.
    pub began: LegBegan,
    /// The end.
    pub ended: LegEnded,
    /// Something was cut to the limits of [`crate::limits`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trimmed: bool,
}

impl LegBegan {
    /// The leg.
    #[must_use]
    pub fn leg_id(&self) -> LegId {
        LegId { call_id: self.call_id.clone(), leg: self.leg }
    }

    /// The record of this leg's end.
    #[must_use]
    pub fn ended(self, ended: LegEnded) -> Cdr {
        Cdr { began: self, ended, trimmed: false }
    }

    pub(crate) fn clamp(&mut self) -> bool {
        let mut cut = false;
        for text in [
            &mut self.entry,
            &mut self.script,
            &mut self.script_version,
            &mut self.trunk,
            &mut self.language,
            &mut self.area,
        ] {
            cut |= clamp_text(text, CDR_TEXT_BYTES_MAX);
        }
        if let Some(of) = &mut self.campaign {
            cut |= clamp_text(&mut of.campaign, CDR_TEXT_BYTES_MAX);
        }
        cut |= self.caller.clamp(CDR_TEXT_BYTES_MAX);
        cut |= self.called.clamp(CDR_TEXT_BYTES_MAX);
        cut
    }
}

impl Cdr {
    /// The record's id: the leg's.
    #[must_use]
    pub fn id(&self) -> LegId {
        self.began.leg_id()
    }

    /// From begin to end.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.ended.ended_ms.since(self.began.started_ms)
    }

    /// From begin to answer, or to the end when nobody answered.
    #[must_use]
    pub fn setup_ms(&self) -> u64 {
        self.ended.answered_ms.unwrap_or(self.ended.ended_ms).since(self.began.started_ms)
    }

    /// From answer to end; 0 without an answer.
    #[must_use]
    pub fn talk_ms(&self) -> u64 {
        self.ended.answered_ms.map_or(0, |answered| self.ended.ended_ms.since(answered))
    }

    /// Cuts texts and lists to their limits, so that no caller and no script can make a record too large to be kept.
    pub(crate) fn clamp(&mut self) {
        let mut cut = self.began.clamp();
        let ended = &mut self.ended;
        if let HangupCause::Other(word) = &mut ended.cause {
            cut |= clamp_text(word, CDR_TEXT_BYTES_MAX);
        }
        if ended.tags.len() > CDR_LIST_ITEMS_MAX {
            cut = true;
            while ended.tags.len() > CDR_LIST_ITEMS_MAX {
                ended.tags.pop_last();
            }
        }
        let tags = std::mem::take(&mut ended.tags).into_iter();
        ended.tags = tags.map(|tag| clamp_tag(tag, &mut cut)).collect();
        if ended.recordings.len() > CDR_LIST_ITEMS_MAX {
            cut = true;
            ended.recordings.truncate(CDR_LIST_ITEMS_MAX);
        }
        for recording in &mut ended.recordings {
            cut |= clamp_text(&mut recording.id, CDR_TEXT_BYTES_MAX);
        }
        if let Some(media) = &mut ended.media {
            cut |= clamp_text(&mut media.codec, CDR_TEXT_BYTES_MAX);
        }
        if let Some(transfer) = &mut ended.transfer {
            cut |= clamp_text(&mut transfer.to, CDR_TEXT_BYTES_MAX);
        }
        if let Some(wait) = &mut ended.queue {
            cut |= clamp_text(&mut wait.queue, CDR_TEXT_BYTES_MAX);
            cut |= clamp_text(&mut wait.by, CDR_TEXT_BYTES_MAX);
        }
        if let Some(callback) = &mut ended.callback {
            cut |= clamp_text(callback, CDR_TEXT_BYTES_MAX);
        }
        if let Some(disposition) = &mut ended.disposition {
            cut |= clamp_text(disposition, CDR_TEXT_BYTES_MAX);
        }
        if ended.steps.len() > CDR_STEPS_MAX {
            cut = true;
            ended.steps.truncate(CDR_STEPS_MAX);
        }
        for step in &mut ended.steps {
            cut |= clamp_text(step, CDR_TAG_BYTES_MAX);
        }
        self.trimmed |= cut;
    }
}

fn clamp_tag((mut key, mut value): (String, String), cut: &mut bool) -> (String, String) {
    *cut |= clamp_text(&mut key, CDR_TAG_BYTES_MAX);
    *cut |= clamp_text(&mut value, CDR_TEXT_BYTES_MAX);
    (key, value)
}

/// Cuts at a character boundary and blanks control characters, which would break a line of text and take six bytes each
/// in JSON; says whether it changed anything.
pub(crate) fn clamp_text(text: &mut String, bytes_max: usize) -> bool {
    let cut = text.len() > bytes_max;
    if cut {
        text.truncate(text.floor_char_boundary(bytes_max));
    }
    let control = text.chars().any(char::is_control);
    if control {
        *text = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    }
    cut || control
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cdr() -> Cdr {
        let call_id = CallId::new("c1").unwrap();
        let began = LegBegan {
            call_id: call_id.clone(),
            leg: 0,
            parent: None,
            chain_id: call_id,
            agency: AgencyId::new("mfc").unwrap(),
            entry: String::new(),
            script: String::new(),
            script_version: String::new(),
            direction: Direction::Inbound,
            caller: Party::withheld(),
            called: Party::own_number("100"),
            trunk: String::new(),
            started_ms: UtcMs(1_000),
            mode: Mode::Attended,
            language: String::new(),
            area: String::new(),
            campaign: None,
        };
        began.ended(LegEnded::new(UtcMs(5_000), HangupCause::Normal, EndedBy::Caller))
    }

    #[test]
    fn durations_survive_a_clock_that_went_back() {
        let mut cdr = cdr();
        assert_eq!((cdr.duration_ms(), cdr.setup_ms(), cdr.talk_ms()), (4_000, 4_000, 0));
        cdr.ended.answered_ms = Some(UtcMs(1_500));
        assert_eq!((cdr.setup_ms(), cdr.talk_ms()), (500, 3_500));
        cdr.ended.ended_ms = UtcMs(10);
        assert_eq!((cdr.duration_ms(), cdr.talk_ms()), (0, 0));
    }

    #[test]
    fn a_hostile_record_is_trimmed_and_says_so() {
        let mut cdr = cdr();
        cdr.clamp();
        assert!(!cdr.trimmed);
        let nasty = "\"\u{0}я".repeat(10_000);
        cdr.began.entry = nasty.clone();
        cdr.began.trunk = nasty.clone();
        cdr.ended.cause = HangupCause::Other(nasty.clone());
        for n in 0..1_000 {
            cdr.ended.tags.insert(format!("{n}{nasty}"), nasty.clone());
            cdr.ended.recordings.push(Recording {
                id: nasty.clone(),
                sha256: BlobId::of(b""),
                duration_ms: u64::MAX,
                deleted_ms: Some(UtcMs(u64::MAX)),
            });
            cdr.ended.steps.push(nasty.clone());
        }
        cdr.began.area = nasty.clone();
        cdr.ended.callback = Some(nasty.clone());
        cdr.ended.queue = Some(QueueWait {
            queue: nasty.clone(),
            entered_ms: UtcMs(u64::MAX),
            waited_ms: u64::MAX,
            acted_ms: Some(UtcMs(u64::MAX)),
            result: Some(QueueResult::Abandoned),
            by: nasty,
        });
        cdr.clamp();
        assert!(cdr.trimmed && cdr.began.entry.len() <= CDR_TEXT_BYTES_MAX);
        assert!(serde_json::to_vec(&cdr).unwrap().len() < crate::limits::CDR_BYTES_MAX);
    }

    /// As the engine wrote it before there were queues.
    const OLD: &str = r#"{"began":{"call_id":"c1","leg":0,"chain_id":"c1","agency":"mfc","entry":"main","direction":"inbound",
        "caller":{"shown":"+7********21"},"called":{"shown":"100"},"started_ms":1000,"mode":"attended","language":"ru"},
        "ended":{"ended_ms":5000,"cause":"normal","ended_by":"caller","tags":{"result":"served"},
        "transfer":{"kind":"bridge","result":"connected","to":"@operators"}}}"#;

    #[test]
    fn a_record_of_an_older_engine_is_read_and_says_nothing_of_queues() {
        let cdr: Cdr = serde_json::from_str(OLD).unwrap();
        assert_eq!((&cdr.ended.queue, &cdr.ended.callback, cdr.began.area.as_str()), (&None, &None, ""));
        assert!(cdr.ended.steps.is_empty() && cdr.ended.tags["result"] == "served");
        // What it does not say is not written either: an old record exported is the old record.
        let (old, again): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(OLD).unwrap(), serde_json::to_value(&cdr).unwrap());
        assert_eq!(old, again);
    }
}
