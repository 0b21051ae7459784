//! What the admins' room asks of the centre: operators, queues, callbacks, peer centres, promises, the directory.
//!
//! Every function has a body that refuses, so that an engine without a part of it can be built; `engine/gudok` carries
//! them out.
//!
//! What the room does itself, before it asks: roles and agencies, names that exist, the audit of looks and orders. What
//! an order changes in the ledger (a callback's state, a ticket) is written by the engine, with the actor in the audit's
//! entry of the same commit where there is one.

use super::{Actor, BoxFuture, EngineRefusal, TraceLine};
use gudok_core::call::Supervision;
use gudok_core::centre::{CallbackDecision, OperatorOrder};
use gudok_core::ids::{CallId, CallbackId, Operator, Queue};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The centre, seen by the people who work there.
pub trait Centre: Send + Sync + 'static {
    /// Every operator of file and ledger, with what they are doing.
    fn operators(&self) -> BoxFuture<'_, Vec<OperatorRow>> {
        Box::pin(async { Vec::new() })
    }
    /// An order of an operator, or of a supervisor for one. Answers with what the operator does then.
    fn operator_order(
        &self,
        actor: Actor,
        operator: Operator,
        order: OperatorOrder,
    ) -> BoxFuture<'_, Result<OperatorRow, EngineRefusal>> {
        let _ = (actor, operator, order);
        refuse("operators")
    }
    /// The realm in which operators' telephones register; none: nobody registers here.
    fn registrar_realm(&self) -> Option<String> {
        None
    }

    /// Every queue, with its line.
    fn queues(&self) -> BoxFuture<'_, Vec<QueueRow>> {
        Box::pin(async { Vec::new() })
    }
    /// Every peer centre.
    fn peers(&self) -> BoxFuture<'_, Vec<PeerRow>> {
        Box::pin(async { Vec::new() })
    }

    /// Callbacks, those due first at the beginning. Open ones whole; of ended ones the latest, at most
    /// [`CALLBACKS_ENDED_MAX`].
    fn callbacks(&self, which: CallbackWhich) -> BoxFuture<'_, Result<Vec<CallbackRow>, EngineRefusal>> {
        let _ = which;
        Box::pin(async { Ok(Vec::new()) })
    }
    /// One callback, open or ended.
    fn callback(&self, id: CallbackId) -> BoxFuture<'_, Result<Option<CallbackRow>, EngineRefusal>> {
        let _ = id;
        Box::pin(async { Ok(None) })
    }
    /// Promises a callback; answered when it is durable.
    fn callback_book(&self, actor: Actor, wish: CallbackBooking) -> BoxFuture<'_, Result<CallbackRow, EngineRefusal>> {
        let _ = (actor, wish);
        refuse("callbacks")
    }
    /// A person decides about a callback; answered when it is durable.
    fn callback_decide(
        &self,
        actor: Actor,
        id: CallbackId,
        decision: CallbackDecision,
    ) -> BoxFuture<'_, Result<CallbackRow, EngineRefusal>> {
        let _ = (actor, id, decision);
        refuse("callbacks")
    }
    /// The number that a callback is owed to, in clear: for an operator who must dial it by hand. The room has written
    /// the look into the audit before it asks.
    fn callback_number(&self, id: CallbackId) -> BoxFuture<'_, Result<PhoneNumber, EngineRefusal>> {
        let _ = id;
        refuse("callbacks")
    }

    /// The call that an operator is rung for, talks in, or writes up; none otherwise.
    fn desk(&self, operator: &Operator) -> BoxFuture<'_, Option<DeskCall>> {
        let _ = operator;
        Box::pin(async { None })
    }
    /// The operator gives the caller to somebody else.
    fn desk_transfer(
        &self,
        actor: Actor,
        operator: Operator,
        target: DeskTarget,
    ) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let _ = (actor, operator, target);
        refuse("transfers from the desk")
    }
    /// What the operator says the call was about; kept with the call's record.
    fn desk_wrap_up(&self, operator: Operator, wrap_up: WrapUp) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let _ = (operator, wrap_up);
        refuse("wrap-up codes")
    }

    /// A supervisor takes part in a call, or in another way than before.
    fn supervise(
        &self,
        actor: Actor,
        call: CallId,
        how: Supervision,
        phone: DialTarget,
    ) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let _ = (actor, call, how, phone);
        refuse("supervision")
    }
    /// The supervisor leaves.
    fn supervise_end(&self, actor: Actor, call: CallId) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let _ = (actor, call);
        refuse("supervision")
    }
    /// A supervisor's telephone by a name that is said in a request: an operator's login (registered or fixed), or an
    /// extension.
    fn phone(&self, name: &str) -> Option<DialTarget> {
        let _ = name;
        None
    }

    /// Finds entries of the directory, the best first.
    fn search_directory(&self, search: DirectorySearch) -> BoxFuture<'_, Result<Vec<DirectoryHit>, EngineRefusal>> {
        let _ = search;
        refuse("the directory's search")
    }
    /// Entries of the directory in the ledger have changed: the index is brought up to date. Ids of what changed; all
    /// of it where the list is empty.
    fn directory_changed(&self, ids: Vec<String>) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let _ = ids;
        Box::pin(async { Ok(()) })
    }

    /// Registers a ticket, durable with its delivery when it is answered. The same key gives the same number.
    fn ticket_submit(&self, actor: Actor, ticket: TicketOrder) -> BoxFuture<'_, Result<TicketNumber, EngineRefusal>> {
        let _ = (actor, ticket);
        refuse("tickets")
    }
    /// A delivery that was given up is tried again, from now.
    fn delivery_retry(&self, actor: Actor, id: String) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let _ = (actor, id);
        refuse("deliveries")
    }

    /// How many callers have heard each overlay since it was set, by name.
    fn overlays_heard(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
    /// Whether audio can be played to callers; answers with the form in which it is kept (WAV, 8 kHz, mono).
    fn check_audio(&self, audio: bytes::Bytes) -> BoxFuture<'_, Result<CheckedAudio, EngineRefusal>> {
        let _ = audio;
        refuse("recordings of overlays")
    }
}

/// Ended callbacks that are listed at most.
pub const CALLBACKS_ENDED_MAX: usize = 1_000;

fn refuse<'a, T: Send + 'a>(what: &str) -> BoxFuture<'a, Result<T, EngineRefusal>> {
    let refusal = EngineRefusal::not_served(what);
    Box::pin(async move { Err(refusal) })
}

/// An operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperatorRow {
    /// The login; the user of that name sits at this desk.
    pub name: String,
    /// As colleagues see it.
    pub shown_name: String,
    /// `logged-out`, `ready`, `ringing`, `on-call`, `wrap-up`, `paused`.
    pub state: String,
    /// Since when, milliseconds since 1970; null where logged out.
    pub since_ms: Option<u64>,
    /// Of a wrap-up: when it ends by itself, milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// Of a pause: the operator's own word, or `missed`, `unreachable`, `supervisor`.
    pub reason: Option<String>,
    /// The call that it is about, where there is one.
    pub call: Option<String>,
    /// The telephone can be rung, as far as is known.
    pub reachable: bool,
    /// Queues that this operator serves.
    pub queues: Vec<String>,
    /// Agencies of these queues; empty where they are the centre's own.
    pub agencies: Vec<String>,
    /// Levels from 1, by skill.
    pub skills: BTreeMap<String, u8>,
    /// Callers talked to since login.
    pub answered: u32,
    /// Rings missed since login.
    pub missed: u32,
    /// The file says so; else the API.
    pub of_file: bool,
}

/// A queue, with its line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Whose; null: the centre's own, where callers of every agency wait.
    pub agency: Option<String>,
    /// Operators work by the calendar.
    pub open: bool,
    /// Closed: when it opens, milliseconds since 1970.
    pub opens_ms: Option<u64>,
    /// Who waits, the next first; callbacks too.
    pub waiting: Vec<WaitingRow>,
    /// What a new caller's wait will be, where there is enough to go by.
    pub expected_wait_ms: Option<u64>,
    /// Operators of this queue who are at work.
    pub logged_in: u32,
    /// Of these, ready.
    pub ready: u32,
    /// Callers who wait at once, at most.
    pub waiting_max: u32,
    /// By then every caller has an operator, a peer centre or the offer of a callback.
    pub wait_ms_max: u64,
    /// The service level counts who was answered within so long.
    pub service_level_ms: u64,
    /// Its callers may be called back.
    pub calls_back: bool,
    /// Peer centres that its callers overflow to, in order.
    pub peers: Vec<String>,
}

/// Who waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingRow {
    /// In which call; for a callback not yet begun, in which it was asked for.
    pub call: String,
    /// Whose caller.
    pub agency: String,
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// 0 is the lowest.
    pub priority: u8,
    /// BCP 47; empty where it is not known.
    pub lang: String,
    /// Masked; empty where it is withheld.
    pub caller: String,
    /// Nobody is on the line: a callback's place.
    pub callback: Option<String>,
    /// The host has acted: a peer was tried, or a callback offered. Milliseconds since 1970.
    pub acted_ms: Option<u64>,
}

/// A peer centre.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerRow {
    /// Its name.
    pub name: String,
    /// Region or municipality codes that it answers for; empty where it only takes overflow.
    pub areas: Vec<String>,
    /// Calls there now.
    pub calls: u32,
    /// Calls there at once, at most.
    pub calls_max: u32,
    /// It has failed and is left alone until then, milliseconds since 1970.
    pub rests_until_ms: Option<u64>,
}

/// Which callbacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CallbackWhich {
    /// Waiting, under way, or unknown.
    #[default]
    Open,
    /// Connected or given up.
    Ended,
    /// Open ones first.
    All,
}

/// A callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallbackRow {
    /// Its name.
    pub id: String,
    /// By which queue's operators.
    pub queue: String,
    /// Whose caller.
    pub agency: String,
    /// Masked.
    pub number: String,
    /// In a few words.
    pub topic: String,
    /// BCP 47.
    pub lang: String,
    /// What the caller entered so far.
    pub fields: BTreeMap<String, String>,
    /// `script`, `offer`, `number`, `operator`.
    pub origin: String,
    /// Milliseconds since 1970.
    pub requested_ms: u64,
    /// Not before, milliseconds since 1970.
    pub earliest_ms: u64,
    /// Connected by then, or escalated; milliseconds since 1970.
    pub due_ms: u64,
    /// `waiting`, `claimed`, `connected`, `unknown`, `given-up`.
    pub state: String,
    /// Of a waiting one: not before. Else: since when. Milliseconds since 1970.
    pub state_ms: Option<u64>,
    /// Of one given up: `not-reached`, `cancelled`, `unknown`.
    pub given_up: Option<String>,
    /// Of a cancelled one: by whom.
    pub cancelled_by: Option<String>,
    /// The due time passed before it was connected, milliseconds since 1970.
    pub escalated_ms: Option<u64>,
    /// What was tried, the last at the end.
    pub attempts: Vec<AttemptRow>,
}

/// One attempt of a callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptRow {
    /// In this call.
    pub call: String,
    /// Milliseconds since 1970.
    pub claimed_ms: u64,
    /// `connected`, `no-answer`, `busy`, `rejected`, `unavailable`, `left`, `operator-gone`; null while it is going on,
    /// or where a crash cut it off.
    pub outcome: Option<String>,
}

/// A callback that a person enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackBooking {
    /// By which queue's operators.
    pub queue: Queue,
    /// Whose caller.
    pub agency: String,
    /// Whom to call. E.164.
    pub number: PhoneNumber,
    /// In a few words.
    pub topic: String,
    /// In which language the caller is spoken to; the centre's where it is missing.
    pub lang: Option<String>,
    /// Not before, milliseconds since 1970.
    pub earliest_ms: Option<u64>,
}

/// The call on an operator's desk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeskCall {
    /// 32 hexadecimal digits.
    pub call: String,
    /// Whose caller.
    pub agency: String,
    /// `ringing`, `talking`, `wrap-up`.
    pub state: String,
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// In which queue the caller waited.
    pub queue: String,
    /// How long the caller waited.
    pub waited_ms: u64,
    /// Masked.
    pub caller: String,
    /// The number that was dialled: the centre's own.
    pub called: String,
    /// BCP 47.
    pub lang: String,
    /// The script's name, and the step that it named last.
    pub script: String,
    /// The step that the script named last.
    pub step: String,
    /// What it is about: the guide of that name is shown beside it.
    pub topic: String,
    /// What the caller chose and entered, as the script shows it (`screen-pop`), in its order.
    pub fields: Vec<DeskField>,
    /// What happened so far, of this agency's own part of the call.
    pub so_far: Vec<TraceLine>,
    /// The callback that this call fulfils.
    pub callback: Option<String>,
}

/// Something that the caller entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeskField {
    /// What.
    pub name: String,
    /// The script decides what is shown.
    pub value: String,
}

/// To whom an operator gives a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskTarget {
    /// To the end of a queue's line.
    Queue(Queue),
    /// To a colleague.
    Operator(Operator),
    /// To a telephone of the centre.
    Extension(String),
}

/// What an operator says of a call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapUp {
    /// Of the list that admins keep.
    pub code: String,
    /// In own words; never a caller's number.
    pub note: String,
}

/// What is looked for in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectorySearch {
    /// Words, in the caller's or the operator's own form.
    pub text: String,
    /// BCP 47; any where it is missing.
    pub lang: Option<String>,
    /// Of one kind.
    pub kind: Option<String>,
    /// Of that municipality, or of the whole region.
    pub municipality: Option<String>,
    /// Of these agencies and of the whole centre; of all where it is missing.
    pub agencies: Option<Vec<String>>,
    /// At most so many.
    pub limit: usize,
}

/// Something found: the entry itself is in the ledger under its id.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryHit {
    /// Which.
    pub id: String,
    /// How well it fits; only of use beside others of the same answer.
    pub score: f64,
}

/// A ticket that a person enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketOrder {
    /// Whose.
    pub agency: String,
    /// `complaint`, `outdated-information`, `request`.
    pub kind: String,
    /// In a few words.
    pub topic: String,
    /// What the caller says.
    pub text: String,
    /// Further facts.
    pub fields: BTreeMap<String, String>,
    /// The caller's own number, where it is given. E.164.
    pub number: Option<PhoneNumber>,
    /// The call that it belongs to.
    pub call: Option<CallId>,
    /// Of `outdated-information`: which entry of the directory, in which version.
    pub entry: Option<(String, u64)>,
    /// BCP 47.
    pub lang: Option<String>,
    /// The same key gives the same number.
    pub idempotency_key: String,
}

/// A ticket that was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketNumber {
    /// Whose.
    pub agency: String,
    /// As the caller is told it; the document's id is AGENCY/NUMBER.
    pub number: String,
}

/// Audio that can be played.
#[derive(Clone, Debug)]
pub struct CheckedAudio {
    /// WAV, 8 kHz, mono, 16 bit.
    pub wav: bytes::Bytes,
    /// Its length.
    pub duration_ms: u64,
}
