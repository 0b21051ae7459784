//! Campaigns as they are kept: contacts, attempts, opt-outs.
//!
//! A contact has a place in its campaign's list, given when it is added and never given twice. What is personal of it is
//! sealed by whoever adds it; a number stands here by its key. Dispositions stand here by their kind's place in the
//! engine's list: this room gives them no meaning, but for [`DISPOSITION_CANCELLED`].
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::names::{hex, unhex};
use crate::{AgencyId, CallId, SubjectHash, UtcMs};

/// The disposition that a contact gets whose person is erased before its end: "cancelled".
pub const DISPOSITION_CANCELLED: u8 = 23;

/// Stands for a telephone number: the first sixteen bytes of its [`SubjectHash`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberKey(pub u128);

impl From<&SubjectHash> for NumberKey {
    fn from(hash: &SubjectHash) -> Self {
        let mut head = [0; 16];
        head.copy_from_slice(&hash.as_bytes()[..16]);
        Self(u128::from_be_bytes(head))
    }
}

impl fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberKey(…)")
    }
}

impl Serialize for NumberKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0.to_be_bytes()))
    }
}

impl<'de> Deserialize<'de> for NumberKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = unhex(&text).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        let key = bytes.map(|bytes| Self(u128::from_be_bytes(bytes)));
        key.ok_or_else(|| serde::de::Error::custom("a number's key is 32 hexadecimal digits"))
    }
}

/// Number and fields of a contact, encrypted elsewhere. This room cannot open it, and it leaves only in backups.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SealedContact(pub Vec<u8>);

impl fmt::Debug for SealedContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedContact(…)")
    }
}

impl Serialize for SealedContact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for SealedContact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A contact to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewContact {
    /// As the list has it; at most [`crate::limits::CONTACT_TEXT_BYTES_MAX`].
    pub id: String,
    /// Its number.
    pub number: NumberKey,
    /// Number and fields; at most [`crate::limits::CONTACT_SEALED_BYTES_MAX`].
    pub sealed: SealedContact,
    /// The number as people may see it.
    pub masked: String,
    /// Its zone's name: "Asia/Omsk", or several joined by `&`.
    pub zone: String,
    /// A window of its own: its place in the campaign's list.
    pub window: Option<u8>,
    /// Its language, as a BCP 47 tag.
    pub lang: Option<String>,
    /// Its region or municipality: "42/zarechny".
    pub area: Option<String>,
}

/// What became of a batch of contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactsAdded {
    /// Their places, in the order in which they were given; none where the campaign has the number already, or the batch
    /// has it twice.
    pub places: Vec<Option<u32>>,
}

/// A contact as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its place.
    pub no: u32,
    /// Who it is.
    pub who: NewContact,
    /// When it was added.
    pub added: UtcMs,
    /// Where it stands.
    pub state: ContactState,
    /// What was tried.
    pub spent: Spent,
}

/// Where a contact stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// Waits for its turn.
    Waiting {
        /// Not before; none for at once.
        not_before: Option<UtcMs>,
    },
    /// An attempt is durable, and is under way or was cut off by a crash.
    Claimed {
        /// Its call.
        call: CallId,
    },
    /// A crash cut an attempt off: a person decides.
    Unknown {
        /// Found when.
        since: UtcMs,
    },
    /// The end.
    Done {
        /// The last disposition's kind.
        disposition: u8,
        /// When.
        at: UtcMs,
    },
}

/// [`ContactState`] without its facts, for queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactStateKind {
    /// [`ContactState::Waiting`].
    Waiting,
    /// [`ContactState::Claimed`].
    Claimed,
    /// [`ContactState::Unknown`].
    Unknown,
    /// [`ContactState::Done`].
    Done,
}

impl ContactState {
    /// Which of the four.
    #[must_use]
    pub const fn kind(&self) -> ContactStateKind {
        match self {
            Self::Waiting { .. } => ContactStateKind::Waiting,
            Self::Claimed { .. } => ContactStateKind::Claimed,
            Self::Unknown { .. } => ContactStateKind::Unknown,
            Self::Done { .. } => ContactStateKind::Done,
        }
    }
}

/// What was tried of a contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Attempts that counted.
    pub attempts: u8,
    /// Of the last of its own days on which there was one …
    pub today: u8,
    /// … which was this, in days since 1970-01-01 in its own zone.
    pub day: u16,
    /// The last disposition's kind …
    pub last: Option<u8>,
    /// … and how often in a row it came.
    pub in_a_row: u8,
    /// Claims, counted or not.
    pub claims: u16,
}

/// What a campaign's engine keeps in memory of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactSeed {
    /// Its place.
    pub no: u32,
    /// Its number; zero where its person was erased: then it is done.
    pub number: NumberKey,
    /// Its zone's place in [`SeedPage::zones`].
    pub zone: u16,
    /// A window of its own.
    pub window: Option<u8>,
    /// Where it stands.
    pub state: ContactState,
    /// What was tried.
    pub spent: Spent,
}

/// A page of seeds, by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeedPage {
    /// The seeds.
    pub seeds: Vec<ContactSeed>,
    /// The zones that they are in, each once.
    pub zones: Vec<String>,
    /// There may be more after this place; none at the end.
    pub more_after: Option<u32>,
    /// Damaged rows met, set aside and left out.
    pub corrupt: u64,
}

/// Which contacts.
#[derive(Clone, Debug, Default)]
pub struct ContactQuery {
    /// Of this campaign.
    pub campaign: String,
    /// Only places after this one: the last of the page before.
    pub after: Option<u32>,
    /// At most this many, and at most [`crate::limits::PAGE_ROWS_MAX`]; 0 means that limit.
    pub rows_max: usize,
    /// Which stand so.
    pub state: Option<ContactStateKind>,
    /// Which are done with this disposition.
    pub disposition: Option<u8>,
    /// Of this area, or within it: "42" covers "42/zarechny".
    pub area: Option<String>,
    /// With this number: one at most.
    pub number: Option<NumberKey>,
}

/// A page of contacts, by place.
#[derive(Clone, Debug, Default)]
pub struct ContactPage {
    /// The contacts. Fewer than asked does not mean the end; `more_after` does.
    pub contacts: Vec<Contact>,
    /// There may be more after this place; none at the end.
    pub more_after: Option<u32>,
    /// Damaged rows met, set aside and left out.
    pub corrupt: u64,
}

/// How many rows a campaign has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CampaignSize {
    /// Places given to contacts.
    pub contacts: u32,
    /// The last end's number: see [`AttemptQuery::Ends`].
    pub ends: u64,
}

/// A contact stands elsewhere: one claim, or one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactWrite {
    /// Of which campaign.
    pub campaign: String,
    /// Its place.
    pub no: u32,
    /// Where it stands.
    pub state: ContactState,
    /// What was tried.
    pub spent: Spent,
    /// The attempt that is claimed now, or over now.
    pub attempt: Option<Attempt>,
    /// How it came to its end without an attempt.
    pub ended: Option<Disposition>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which of its contact's claims, from 1.
    pub nth: u16,
    /// Its call.
    pub call: CallId,
    /// Durable since.
    pub claimed: UtcMs,
    /// Dialled when; none where it was not, or where a crash cut it off.
    pub dialled: Option<UtcMs>,
    /// Over when; none while it goes on.
    pub ended: Option<UtcMs>,
    /// How; none while it goes on.
    pub end: Option<AttemptEnd>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptEnd {
    /// What became of it.
    pub disposition: Disposition,
    /// Who or what answered; none where nobody did.
    pub answered_by: Option<AnsweredBy>,
    /// When it was answered.
    pub answered: Option<UtcMs>,
    /// The final SIP status, where there was one.
    pub status: Option<u16>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// Its kind, by its place in the engine's list.
    pub kind: u8,
    /// The script's own words with it; cut to [`crate::limits::CONTACT_TEXT_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The moment with it: when to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcMs>,
}

/// Who or what answered a call that we placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// Nobody looked, or nobody knows.
    Unknown,
    /// A person.
    Human,
    /// An answering machine.
    Machine,
    /// A fax or modem.
    Fax,
}

impl AnsweredBy {
    /// The word for it in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Human => "human",
            Self::Machine => "machine",
            Self::Fax => "fax",
        }
    }
}

/// Which attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptQuery {
    /// All of one contact, by their number; [`AttemptPage::more_after`] is always none.
    Contact(u32),
    /// Ends in the order in which they were written down: the campaign's results. Each has a number, from 1 and never
    /// given twice, so that whoever remembers the last one misses none. Ends of erased persons are gone.
    Ends {
        /// Only ends after this number.
        after: u64,
        /// At most this many, and at most [`crate::limits::PAGE_ROWS_MAX`]; 0 means that limit.
        rows_max: usize,
    },
}

/// An attempt, or an end without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its contact's place.
    pub contact: u32,
    /// Its end's number; none while it goes on.
    pub seq: Option<u64>,
    /// What happened.
    pub what: Happened,
}

/// What happened to a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was tried.
    Attempt(Attempt),
    /// It came to its end without an attempt: skipped, opted out, expired, cancelled. Of these a contact has the last.
    Ended {
        /// When.
        at: UtcMs,
        /// How.
        disposition: Disposition,
    },
}

/// A page of attempts.
#[derive(Clone, Debug, Default)]
pub struct AttemptPage {
    /// The attempts.
    pub attempts: Vec<AttemptRow>,
    /// Give it as `after` to the next query; none at the end.
    pub more_after: Option<u64>,
    /// Damaged rows met, set aside and left out.
    pub corrupt: u64,
}

/// Whom somebody does not want to be called by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutScope {
    /// By nobody.
    Global,
    /// By this agency.
    Agency(AgencyId),
}

/// Somebody does not want to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// Who.
    pub number: NumberKey,
    /// By whom.
    pub scope: OptOutScope,
    /// Not even in an emergency.
    pub protected: bool,
    /// Since when.
    pub since: UtcMs,
    /// How it came here: "script", "import", "anna"; cut to [`crate::limits::CONTACT_TEXT_BYTES_MAX`].
    pub by: String,
}

/// Which opt-outs.
#[derive(Clone, Debug, Default)]
pub struct OptOutQuery {
    /// Of this person.
    pub number: Option<NumberKey>,
    /// Of this scope.
    pub scope: Option<OptOutScope>,
    /// Where the page before ended.
    pub after: Option<(NumberKey, OptOutScope)>,
    /// At most this many, and at most [`crate::limits::PAGE_ROWS_MAX`]; 0 means that limit.
    pub rows_max: usize,
}

/// A page of opt-outs, by number's key and scope: an order without meaning that does not change.
#[derive(Clone, Debug, Default)]
pub struct OptOutPage {
    /// The opt-outs. Fewer than asked does not mean the end; `more_after` does.
    pub opt_outs: Vec<OptOut>,
    /// Give it to the next query; none at the end.
    pub more_after: Option<(NumberKey, OptOutScope)>,
    /// Damaged rows met, set aside and left out. Whoever takes "none" for an answer looks at this too.
    pub corrupt: u64,
}
