//! From the machine's records and the scripts' storage to the store's own terms.

use crate::clock::EngineClock;
use crate::clock::millis;
use crate::keys::Subjects;
use gudok_core::ids::LegId;
use gudok_core::leg::{Chain, HangupCause};
use gudok_core::privacy::PhoneNumber;
use gudok_core::records::{Direction, EndedBy, LegRecord, Mode, QueueOutcome, QueueRecord};
use gudok_core::routing::NumberPlan;
use gudok_core::script::{LandingCause, TransferMode, TransferOutcome};
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{
    BoxFuture, BucketId, CasAnswer, Clock, KeyRange, StorageEntry, StorageError, StoragePort, StorageQuota,
};
use gudok_store as store;
use gudok_store::{AgencyId, BlobId, Bucket, BucketName, CallId, Party, ScriptName, Store, StoreError, UtcMs};
use std::sync::Arc;
use std::time::Duration;

const fn utc(at: Timestamp) -> UtcMs {
    UtcMs(at.as_millis())
}

/// Makes people of numbers.
#[derive(Clone, Copy)]
pub(crate) struct People<'a> {
    pub(crate) subjects: &'a Subjects,
    pub(crate) plan: &'a NumberPlan,
}

impl People<'_> {
    fn party(&self, number: &PhoneNumber) -> Party {
        self.subjects.party(number, self.plan.normalise(number.reveal()).as_ref())
    }
}

/// What the call's task knows and the machine does not.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallFacts {
    /// What the dialled number stands for.
    pub(crate) area: Option<Arc<str>>,
    /// The steps that scripts named, each once.
    pub(crate) steps: Vec<String>,
    /// The announcement that the caller was to hear.
    pub(crate) overlay: Option<Arc<str>>,
}

/// As the header field of other centres has it, and nothing else: it goes into names and pages.
fn is_chain_id(id: &str) -> bool {
    id.len() <= Chain::ID_CHARS_MAX && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-')
}

/// What is known of a leg at its beginning.
///
/// # Errors
/// Where a name does not fit the store.
pub(crate) fn leg_began(
    record: &LegRecord,
    facts: &CallFacts,
    people: &People<'_>,
) -> Result<store::LegBegan, StoreError> {
    let call_id = CallId::new(&record.call.to_string())?;
    let script = record.scripts.last();
    Ok(store::LegBegan {
        parent: (record.leg.0 > 0).then(|| store::LegId { call_id: call_id.clone(), leg: 0 }),
        // What another centre sends is a name like any other: one that is none is not kept.
        chain_id: record
            .chain
            .as_deref()
            .filter(|chain| is_chain_id(chain))
            .and_then(|chain| CallId::new(chain).ok())
            .unwrap_or_else(|| call_id.clone()),
        leg: record.leg.0,
        agency: AgencyId::new(record.agency.as_str())?,
        entry: record.entry.as_str().to_owned(),
        script: script.map(|script| script.script.as_str().to_owned()).unwrap_or_default(),
        script_version: script.map(|script| script.version.to_string()).unwrap_or_default(),
        direction: match record.direction {
            Direction::Inbound => store::Direction::Inbound,
            Direction::Outbound => store::Direction::Outbound,
        },
        caller: record.caller.as_ref().map_or_else(Party::withheld, |caller| people.party(caller)),
        called: match record.direction {
            Direction::Inbound => Party::own_number(record.called.reveal()),
            Direction::Outbound => people.party(&record.called),
        },
        trunk: record.trunk.as_ref().map(|trunk| trunk.as_str().to_owned()).unwrap_or_default(),
        started_ms: utc(record.started),
        mode: match record.mode {
            Mode::Automatic => store::Mode::Automatic,
            Mode::Attended => store::Mode::Attended,
        },
        language: record.lang.to_string(),
        area: facts.area.as_ref().map(ToString::to_string).unwrap_or_default(),
        campaign: record.campaign.as_ref().map(|campaign| store::CampaignLeg {
            campaign: campaign.attempt.campaign.as_str().to_owned(),
            contact: campaign.attempt.contact.0,
            attempt: campaign.attempt.nth,
        }),
        call_id,
    })
}

/// The record of an ended leg.
///
/// # Errors
/// Where a name does not fit the store.
pub(crate) fn cdr(
    record: &LegRecord,
    media: Option<store::MediaStats>,
    facts: &CallFacts,
    people: &People<'_>,
) -> Result<store::Cdr, StoreError> {
    let mut ended = store::LegEnded::new(utc(record.ended), cause(record.cause), ended_by(record));
    ended.ringing_ms = record.rang.map(utc);
    ended.answered_ms = record.answered.map(utc);
    ended.sip_status = record.status;
    ended.landing = record.landing.map(landing);
    ended.tags = record.tags.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    if let Some(result) = &record.result {
        ended.tags.insert("result".into(), result.to_string());
    }
    if record.overlay_heard {
        ended.tags.insert("overlay".into(), "heard".into());
        if let Some(name) = &facts.overlay {
            ended.tags.insert("overlay-name".into(), name.to_string());
        }
    }
    ended.recordings = record
        .recordings
        .iter()
        .map(|recording| store::Recording {
            id: recording.id.to_string(),
            sha256: BlobId::from_sha256(recording.sha256),
            duration_ms: millis(recording.duration),
            deleted_ms: None,
        })
        .collect();
    ended.media = media;
    ended.transfer = record.transfer.as_ref().map(|transfer| {
        let (result, sip_status) = transfer_result(&transfer.outcome);
        let kind = match transfer.mode {
            TransferMode::Blind => store::TransferKind::Blind,
            TransferMode::Attended => store::TransferKind::Attended,
            TransferMode::Bridge => store::TransferKind::Bridge,
        };
        store::Transfer { kind, result, to: transfer.to.to_string(), sip_status }
    });
    ended.queue = record.queue.as_ref().map(queue_wait);
    ended.callback = record.callback.as_ref().map(ToString::to_string);
    if let Some(campaign) = &record.campaign {
        // The script's own words are kept with the results, not here.
        ended.disposition = campaign.disposition.as_ref().map(|disposition| disposition.as_str().to_owned());
        ended.answered_by = campaign.answered_by.map(answered_by);
    }
    if record.leg == LegId::FIRST {
        ended.steps.clone_from(&facts.steps);
    }
    Ok(leg_began(record, facts, people)?.ended(ended))
}

const fn answered_by(who: gudok_core::campaign::AnsweredBy) -> store::AnsweredBy {
    use gudok_core::campaign::AnsweredBy;
    match who {
        AnsweredBy::Unknown => store::AnsweredBy::Unknown,
        AnsweredBy::Human => store::AnsweredBy::Human,
        AnsweredBy::Machine => store::AnsweredBy::Machine,
        AnsweredBy::Fax => store::AnsweredBy::Fax,
    }
}

fn queue_wait(wait: &QueueRecord) -> store::QueueWait {
    let (result, by) = match &wait.outcome {
        None => (None, None),
        Some(QueueOutcome::Answered(operator)) => (Some(store::QueueResult::Answered), Some(operator.as_str())),
        Some(QueueOutcome::Peer(peer)) => (Some(store::QueueResult::Peer), Some(peer.as_str())),
        Some(QueueOutcome::Callback) => (Some(store::QueueResult::Callback), None),
        Some(QueueOutcome::Abandoned) => (Some(store::QueueResult::Abandoned), None),
        Some(QueueOutcome::Left) => (Some(store::QueueResult::Left), None),
        Some(QueueOutcome::Host) => (Some(store::QueueResult::Host), None),
        Some(QueueOutcome::Refused) => (Some(store::QueueResult::Refused), None),
    };
    store::QueueWait {
        queue: wait.queue.as_str().to_owned(),
        entered_ms: utc(wait.entered),
        waited_ms: millis(wait.waited),
        acted_ms: wait.acted.map(utc),
        result,
        by: by.unwrap_or_default().to_owned(),
    }
}

fn cause(cause: HangupCause) -> store::HangupCause {
    match cause {
        HangupCause::PartyHangup | HangupCause::EngineHangup => store::HangupCause::Normal,
        HangupCause::Cancelled => store::HangupCause::Cancelled,
        HangupCause::Transferred => store::HangupCause::Transferred,
        HangupCause::Busy => store::HangupCause::Busy,
        HangupCause::NoAnswer => store::HangupCause::NoAnswer,
        HangupCause::Rejected | HangupCause::NoCommonMedia => store::HangupCause::Rejected,
        HangupCause::NotFound => store::HangupCause::NotFound,
        HangupCause::AdmissionLimit => store::HangupCause::Overload,
        HangupCause::MediaLost | HangupCause::SessionExpired => store::HangupCause::MediaTimeout,
        HangupCause::Unavailable | HangupCause::ProtocolError => store::HangupCause::NetworkFailure,
        HangupCause::DrainTimeout => store::HangupCause::Drained,
        HangupCause::Crash => store::HangupCause::Crash,
        HangupCause::AdminKill => store::HangupCause::Other(cause.as_str().to_owned()),
    }
}

const fn ended_by(record: &LegRecord) -> store::EndedBy {
    match (record.ended_by, record.direction, record.cause) {
        (EndedBy::Party, Direction::Inbound, _) => store::EndedBy::Caller,
        (EndedBy::Party, Direction::Outbound, _) => store::EndedBy::Callee,
        (EndedBy::Engine, Direction::Inbound, HangupCause::EngineHangup) if record.landing.is_none() => {
            store::EndedBy::Script
        }
        (EndedBy::Engine, ..) => store::EndedBy::Engine,
    }
}

const fn landing(cause: LandingCause) -> store::Landing {
    match cause {
        LandingCause::Trap | LandingCause::Stack => store::Landing::Trap,
        LandingCause::Cpu => store::Landing::Loop,
        LandingCause::Memory => store::Landing::Memory,
        LandingCause::Timeout => store::Landing::Timeout,
        LandingCause::Quota => store::Landing::Quota,
        LandingCause::Refused => store::Landing::Refusal,
        LandingCause::Error | LandingCause::Abandoned => store::Landing::Error,
        LandingCause::Drained => store::Landing::Drained,
        LandingCause::Admin => store::Landing::Admin,
    }
}

const fn transfer_result(outcome: &TransferOutcome) -> (store::TransferResult, Option<u16>) {
    match outcome {
        TransferOutcome::Moved | TransferOutcome::BridgedThenReturned(_) => (store::TransferResult::Connected, None),
        TransferOutcome::Busy => (store::TransferResult::Busy, None),
        TransferOutcome::NoAnswer => (store::TransferResult::NoAnswer, None),
        TransferOutcome::Rejected(status) => (store::TransferResult::Failed, Some(*status)),
        TransferOutcome::Unavailable => (store::TransferResult::Failed, None),
        TransferOutcome::Closed(_) => (store::TransferResult::Closed, None),
    }
}

/// Scripts' storage on the store.
#[derive(Clone)]
pub(crate) struct AgencyStorage {
    store: Arc<dyn Store>,
    clock: Arc<EngineClock>,
}

impl AgencyStorage {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<EngineClock>) -> Self {
        Self { store, clock }
    }

    fn now(&self) -> UtcMs {
        utc(self.clock.now())
    }
}

fn bucket(id: &BucketId) -> Result<Bucket, StorageError> {
    let names = || {
        Ok(Bucket {
            agency: AgencyId::new(id.agency.as_str())?,
            script: ScriptName::new(id.script.as_str())?,
            bucket: BucketName::new(&id.bucket)?,
        })
    };
    names().map_err(storage_error)
}

const fn quota(quota: StorageQuota) -> store::Quota {
    /// Keys are small; so many fit in what a script may keep anyway.
    const KEYS_MAX: u64 = 1_000_000;
    store::Quota {
        bytes_max: quota.bytes_max,
        keys_max: KEYS_MAX,
        value_bytes_max: store::limits::VALUE_BYTES_MAX as u64,
        key_bytes_max: store::limits::KEY_BYTES_MAX as u64,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the end of a map_err")]
fn storage_error(error: StoreError) -> StorageError {
    let text = error.to_string();
    match &error {
        StoreError::Quota { quota, limit, .. } => StorageError::Quota(format!("storage: {quota} of {limit}")),
        StoreError::DiskLow { .. } | StoreError::DiskFull { .. } => {
            StorageError::Unavailable("storage: the centre's disk is almost full; nothing new can be promised".into())
        }
        StoreError::Busy { .. } => StorageError::Unavailable("storage: busy; try again".into()),
        StoreError::NotANumber | StoreError::Overflow | StoreError::Conflict { .. } => StorageError::Invalid(text),
        _ => {
            tracing::error!(error = %text, "agency storage failed");
            StorageError::Unavailable("storage: out of order".into())
        }
    }
}

impl StoragePort for AgencyStorage {
    fn get<'a>(&'a self, id: &'a BucketId, key: &'a str) -> BoxFuture<'a, Result<Option<StorageEntry>, StorageError>> {
        Box::pin(async move {
            let entry = self.store.bucket_get(&bucket(id)?, key, self.now()).await.map_err(storage_error)?;
            Ok(entry.map(|entry| StorageEntry { value: entry.value, version: entry.version }))
        })
    }

    fn set<'a>(
        &'a self,
        id: &'a BucketId,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
        limit: StorageQuota,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        Box::pin(async move {
            let bucket = bucket(id)?;
            self.store.bucket_set(&bucket, key, &value, ttl, quota(limit), self.now()).await.map_err(storage_error)
        })
    }

    fn compare_and_set<'a>(
        &'a self,
        id: &'a BucketId,
        key: &'a str,
        expected: u64,
        value: Vec<u8>,
        ttl: Option<Duration>,
        limit: StorageQuota,
    ) -> BoxFuture<'a, Result<CasAnswer, StorageError>> {
        Box::pin(async move {
            let (bucket, now) = (bucket(id)?, self.now());
            let written =
                self.store.bucket_compare_and_set(&bucket, key, expected, &value, ttl, quota(limit), now).await;
            match written {
                Ok(version) => Ok(CasAnswer::Written(version)),
                Err(StoreError::Conflict { actual }) => Ok(CasAnswer::Conflict(actual)),
                Err(error) => Err(storage_error(error)),
            }
        })
    }

    fn increment<'a>(
        &'a self,
        id: &'a BucketId,
        key: &'a str,
        delta: i64,
        limit: StorageQuota,
    ) -> BoxFuture<'a, Result<i64, StorageError>> {
        Box::pin(async move {
            let bucket = bucket(id)?;
            self.store.bucket_increment(&bucket, key, delta, quota(limit), self.now()).await.map_err(storage_error)
        })
    }

    fn delete<'a>(&'a self, id: &'a BucketId, key: &'a str) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            let bucket = bucket(id)?;
            self.store.bucket_delete(&bucket, key, self.now()).await.map(|_| ()).map_err(storage_error)
        })
    }

    fn list_keys<'a>(&'a self, id: &'a BucketId, range: KeyRange) -> BoxFuture<'a, Result<Vec<String>, StorageError>> {
        Box::pin(async move {
            let query =
                store::KeyQuery { prefix: range.prefix, after: range.after, keys_max: usize::from(range.keys_max) };
            let page = self.store.bucket_list(&bucket(id)?, query, self.now()).await.map_err(storage_error)?;
            Ok(page.keys)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::NodeKey;
    use gudok_core::ids::{Agency, CallbackId, Entry, Operator, Peer, Queue};
    use gudok_core::records::TransferRecord;
    use gudok_core::report::CallRow;

    fn record() -> LegRecord {
        let at = Timestamp::from_micros;
        LegRecord {
            call: gudok_core::ids::CallId::from_random(7),
            leg: LegId::FIRST,
            direction: Direction::Inbound,
            agency: Agency::new("mfc"),
            entry: Entry::new("desk"),
            scripts: Vec::new(),
            trunk: None,
            caller: Some(PhoneNumber::new("+79131234567")),
            called: PhoneNumber::new("122"),
            started: at(1_777_914_000_000_999),
            rang: None,
            answered: Some(at(1_777_914_001_234_567)),
            ended: at(1_777_914_099_999_001),
            cause: HangupCause::PartyHangup,
            status: Some(200),
            ended_by: EndedBy::Party,
            mode: Mode::Attended,
            lang: "ru-RU".into(),
            result: None,
            landing: None,
            transfer: None,
            tags: vec![("service".into(), "passport".into())],
            recordings: Vec::new(),
            overlay_heard: true,
            queue: None,
            callback: Some(CallbackId::new("cb-1")),
            chain: Some("first-centres-call".into()),
            campaign: None,
        }
    }

    fn outcomes() -> Vec<Option<QueueOutcome>> {
        let named = [
            QueueOutcome::Answered(Operator::new("anna")),
            QueueOutcome::Peer(Peer::new("north")),
            QueueOutcome::Callback,
            QueueOutcome::Abandoned,
            QueueOutcome::Left,
            QueueOutcome::Host,
            QueueOutcome::Refused,
        ];
        named.into_iter().map(Some).chain([None]).collect()
    }

    fn checked(record: &LegRecord) -> store::Cdr {
        let folder = tempfile::tempdir().unwrap();
        let subjects = Subjects::new(&NodeKey::open(folder.path()).unwrap());
        let plan = NumberPlan {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: Vec::new(),
            national_len: 10,
        };
        let people = People { subjects: &subjects, plan: &plan };
        let facts =
            CallFacts { area: Some("north".into()), steps: vec!["menu".into(), "desk".into()], ..CallFacts::default() };
        let kept = cdr(record, None, &facts, &people).unwrap();
        let steps = facts.steps.iter().map(|step| step.as_str().into()).collect();
        let simulated = CallRow::of_leg(record, facts.area, steps);
        assert_eq!(gudok_admin::books::row_of_cdr(&kept), simulated, "{record:?}");
        kept
    }

    #[test]
    fn a_campaigns_leg_is_kept_with_its_attempt_and_without_the_scripts_words() {
        use gudok_core::campaign::{AnsweredBy, AttemptId, ContactNo, Disposition};
        use gudok_core::records::CampaignRecord;
        let attempt = AttemptId { campaign: gudok_core::ids::Campaign::new("flood"), contact: ContactNo(41), nth: 2 };
        let campaign = CampaignRecord {
            attempt,
            answered_by: Some(AnsweredBy::Machine),
            disposition: Some(Disposition::Failed("said something of their own".into())),
        };
        let kept = checked(&LegRecord { campaign: Some(Box::new(campaign)), ..record() });
        let of = kept.began.campaign.as_ref().unwrap();
        assert_eq!((of.campaign.as_str(), of.contact, of.attempt), ("flood", 41, 2));
        assert_eq!(kept.ended.disposition.as_deref(), Some("failed"));
        assert_eq!(kept.ended.answered_by, Some(store::AnsweredBy::Machine));
        assert!(!format!("{kept:?}").contains("of their own"));
    }

    #[test]
    fn a_report_of_kept_records_is_the_report_of_the_machines() {
        let mut record = record();
        for outcome in outcomes() {
            for result in [None, Some("served"), Some("abandoned")] {
                for landing in [None, Some(LandingCause::Trap)] {
                    for (ended_by, cause) in [
                        (EndedBy::Party, HangupCause::PartyHangup),
                        (EndedBy::Engine, HangupCause::EngineHangup),
                        (EndedBy::Party, HangupCause::Cancelled),
                    ] {
                        record.queue = Some(QueueRecord {
                            queue: Queue::new("desk"),
                            entered: record.started,
                            waited: Duration::from_micros(31_250_777),
                            acted: Some(record.started + Duration::from_micros(35_000_333)),
                            outcome: outcome.clone(),
                        });
                        record.result = result.map(Into::into);
                        (record.landing, record.ended_by, record.cause) = (landing, ended_by, cause);
                        checked(&record);
                    }
                }
            }
        }
        record.queue = None;
        for outcome in [TransferOutcome::Moved, TransferOutcome::Busy, TransferOutcome::Closed(None)] {
            record.transfer = Some(TransferRecord { mode: TransferMode::Bridge, to: "desk".into(), outcome });
            checked(&record);
        }
        record.leg = LegId(1);
        let second = checked(&record);
        assert!(second.ended.steps.is_empty(), "steps belong to the call's first leg");
    }

    #[test]
    fn a_record_has_its_wait_its_callback_and_its_chain() {
        let mut record = record();
        record.queue = Some(QueueRecord {
            queue: Queue::new("desk"),
            entered: record.started,
            waited: Duration::from_millis(1_500),
            acted: None,
            outcome: Some(QueueOutcome::Peer(Peer::new("north"))),
        });
        let kept = checked(&record);
        let wait = kept.ended.queue.unwrap();
        assert_eq!((wait.queue.as_str(), wait.waited_ms, wait.by.as_str()), ("desk", 1_500, "north"));
        assert_eq!((wait.result, wait.acted_ms), (Some(store::QueueResult::Peer), None));
        assert_eq!((kept.ended.callback.as_deref(), kept.began.area.as_str()), (Some("cb-1"), "north"));
        assert_eq!(kept.began.chain_id.to_string(), "first-centres-call");
        record.chain = Some("no name\n".into());
        let kept = checked(&record);
        assert_eq!(kept.began.chain_id, kept.began.call_id, "what another centre sends is checked");
    }
}
