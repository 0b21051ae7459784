//! What is in the rows of campaigns: numbers big-endian, texts with their length before them, in the order of the fields
//! here. A million contacts are read when an engine starts, so this is not JSON.
use crate::{
    AnsweredBy, Attempt, AttemptEnd, CallId, ContactState, Disposition, Happened, NewContact, NumberKey, OptOut,
    OptOutScope, SealedContact, Spent, UtcMs,
};

/// Who a contact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) added: UtcMs,
    pub(super) contact: NewContact,
}

/// Where a contact stands, and what of it an engine keeps in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// Zero where the person was erased.
    pub(super) number: NumberKey,
    pub(super) zone: String,
    pub(super) window: Option<u8>,
    pub(super) spent: Spent,
    pub(super) state: ContactState,
    /// The person was erased.
    pub(super) erased: bool,
}

/// What was tried, and the number of its end; 0 while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) seq: u64,
    pub(super) what: Happened,
}

/// What is counted of a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Places given.
    pub(super) contacts: u32,
    /// Ends numbered.
    pub(super) ends: u64,
}

const WAITING: u8 = 0;
const CLAIMED: u8 = 1;
const UNKNOWN: u8 = 2;
const DONE: u8 = 3;
const STATES: u8 = 3;
const HAS_WINDOW: u8 = 4;
const HAS_NOT_BEFORE: u8 = 8;
const ERASED: u8 = 16;

const HAS_LANG: u8 = 1;
const HAS_AREA: u8 = 2;
const WHO_HAS_WINDOW: u8 = 4;

const WITHOUT_ATTEMPT: u8 = 0;
const ATTEMPT: u8 = 1;
/// Where no disposition came yet.
const NO_DISPOSITION: u8 = u8::MAX;

#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn sized(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    fn u8(&mut self, n: u8) {
        self.0.push(n);
    }

    fn u16(&mut self, n: u16) {
        self.0.extend_from_slice(&n.to_be_bytes());
    }

    fn u32(&mut self, n: u32) {
        self.0.extend_from_slice(&n.to_be_bytes());
    }

    fn ms(&mut self, n: UtcMs) {
        self.u64(n.0);
    }

    fn u64(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_be_bytes());
    }

    fn number(&mut self, n: NumberKey) {
        self.0.extend_from_slice(&n.0.to_be_bytes());
    }

    /// Texts are within their limits by then, far below 64 KiB.
    fn text(&mut self, text: &str) {
        self.u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
        self.0.extend_from_slice(text.as_bytes());
    }

    fn optional<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }
}

struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[n]| n)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn ms(&mut self) -> Option<UtcMs> {
        self.u64().map(UtcMs)
    }

    fn number(&mut self) -> Option<NumberKey> {
        self.array().map(u128::from_be_bytes).map(NumberKey)
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = usize::from(self.u16()?);
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn string(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.u8()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

impl Who {
    pub(super) fn encode(&self) -> Vec<u8> {
        let who = &self.contact;
        let mut out = Out::sized(96 + who.id.len() + who.masked.len() + who.zone.len() + who.sealed.0.len());
        out.u8(flag(who.lang.is_some(), HAS_LANG)
            | flag(who.area.is_some(), HAS_AREA)
            | flag(who.window.is_some(), WHO_HAS_WINDOW));
        out.ms(self.added);
        out.number(who.number);
        if let Some(window) = who.window {
            out.u8(window);
        }
        let texts = [Some(&who.id), Some(&who.masked), Some(&who.zone), who.lang.as_ref(), who.area.as_ref()];
        texts.into_iter().flatten().for_each(|text| out.text(text));
        out.0.extend_from_slice(&who.sealed.0);
        out.0
    }

    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let mut from = In(payload);
        let flags = from.u8()?;
        let (added, number) = (from.ms()?, from.number()?);
        let window = if flags & WHO_HAS_WINDOW == 0 { None } else { Some(from.u8()?) };
        let (id, masked, zone) = (from.string()?, from.string()?, from.string()?);
        let lang = if flags & HAS_LANG == 0 { None } else { Some(from.string()?) };
        let area = if flags & HAS_AREA == 0 { None } else { Some(from.string()?) };
        let sealed = SealedContact(from.0.to_vec());
        Some(Self { added, contact: NewContact { id, number, sealed, masked, zone, window, lang, area } })
    }
}

impl Stand {
    /// Of a contact that was just added.
    pub(super) fn of(contact: &NewContact) -> Self {
        Self {
            number: contact.number,
            zone: contact.zone.clone(),
            window: contact.window,
            spent: Spent::default(),
            state: ContactState::Waiting { not_before: None },
            erased: false,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Out::sized(48 + self.zone.len());
        let state = match &self.state {
            ContactState::Waiting { not_before } => WAITING | flag(not_before.is_some(), HAS_NOT_BEFORE),
            ContactState::Claimed { .. } => CLAIMED,
            ContactState::Unknown { .. } => UNKNOWN,
            ContactState::Done { .. } => DONE,
        };
        out.u8(state | flag(self.window.is_some(), HAS_WINDOW) | flag(self.erased, ERASED));
        out.number(self.number);
        let spent = self.spent;
        let last = spent.last.unwrap_or(NO_DISPOSITION);
        [spent.attempts, spent.today, last, spent.in_a_row].into_iter().for_each(|n| out.u8(n));
        out.u16(spent.day);
        out.u16(spent.claims);
        if let Some(window) = self.window {
            out.u8(window);
        }
        match &self.state {
            ContactState::Waiting { not_before } => not_before.iter().for_each(|at| out.ms(*at)),
            ContactState::Claimed { call } => out.text(call.as_str()),
            ContactState::Unknown { since } => out.ms(*since),
            ContactState::Done { disposition, at } => {
                out.u8(*disposition);
                out.ms(*at);
            }
        }
        out.0.extend_from_slice(self.zone.as_bytes());
        out.0
    }

    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let mut from = In(payload);
        let flags = from.u8()?;
        let number = from.number()?;
        let (attempts, today, last, in_a_row) = (from.u8()?, from.u8()?, from.u8()?, from.u8()?);
        let last = Some(last).filter(|last| *last != NO_DISPOSITION);
        let spent = Spent { attempts, today, last, in_a_row, day: from.u16()?, claims: from.u16()? };
        let window = if flags & HAS_WINDOW == 0 { None } else { Some(from.u8()?) };
        let state = match flags & STATES {
            WAITING if flags & HAS_NOT_BEFORE == 0 => ContactState::Waiting { not_before: None },
            WAITING => ContactState::Waiting { not_before: Some(from.ms()?) },
            CLAIMED => ContactState::Claimed { call: CallId::new(from.text()?).ok()? },
            UNKNOWN => ContactState::Unknown { since: from.ms()? },
            _ => ContactState::Done { disposition: from.u8()?, at: from.ms()? },
        };
        let zone = std::str::from_utf8(from.0).ok()?.to_owned();
        Some(Self { number, zone, window, spent, state, erased: flags & ERASED != 0 })
    }
}

impl Tried {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Out::sized(96);
        out.u64(self.seq);
        match &self.what {
            Happened::Ended { at, disposition } => {
                out.u8(WITHOUT_ATTEMPT);
                out.ms(*at);
                put_disposition(&mut out, disposition);
            }
            Happened::Attempt(attempt) => {
                out.u8(ATTEMPT);
                out.text(attempt.call.as_str());
                out.ms(attempt.claimed);
                out.optional(attempt.dialled, Out::ms);
                out.optional(attempt.ended, Out::ms);
                out.optional(attempt.end.as_ref(), |out, end| {
                    put_disposition(out, &end.disposition);
                    out.optional(end.answered_by, |out, by| out.u8(by as u8));
                    out.optional(end.answered, Out::ms);
                    out.optional(end.status, Out::u16);
                });
            }
        }
        out.0
    }

    /// `nth` is the attempt's number, which is in the key.
    pub(super) fn decode(payload: &[u8], nth: u16) -> Option<Self> {
        let mut from = In(payload);
        let seq = from.u64()?;
        let what = match from.u8()? {
            WITHOUT_ATTEMPT => Happened::Ended { at: from.ms()?, disposition: disposition(&mut from)? },
            ATTEMPT => Happened::Attempt(Attempt {
                nth,
                call: CallId::new(from.text()?).ok()?,
                claimed: from.ms()?,
                dialled: from.optional(In::ms)?,
                ended: from.optional(In::ms)?,
                end: from.optional(|from| {
                    Some(AttemptEnd {
                        disposition: disposition(from)?,
                        answered_by: from.optional(|from| answered_by(from.u8()?))?,
                        answered: from.optional(In::ms)?,
                        status: from.optional(In::u16)?,
                    })
                })?,
            }),
            _ => return None,
        };
        from.end()?;
        Some(Self { seq, what })
    }
}

fn put_disposition(out: &mut Out, disposition: &Disposition) {
    out.u8(disposition.kind);
    out.optional(disposition.words.as_deref(), Out::text);
    out.optional(disposition.at, Out::ms);
}

fn disposition(from: &mut In<'_>) -> Option<Disposition> {
    Some(Disposition { kind: from.u8()?, words: from.optional(In::string)?, at: from.optional(In::ms)? })
}

fn answered_by(n: u8) -> Option<AnsweredBy> {
    const ALL: [AnsweredBy; 4] = [AnsweredBy::Unknown, AnsweredBy::Human, AnsweredBy::Machine, AnsweredBy::Fax];
    ALL.into_iter().find(|by| *by as u8 == n)
}

impl Count {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut out = Out::sized(12);
        out.u32(self.contacts);
        out.u64(self.ends);
        out.0
    }

    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let mut from = In(payload);
        let count = Self { contacts: from.u32()?, ends: from.u64()? };
        from.end()?;
        Some(count)
    }
}

/// The payload of a number's row: its contact's place.
pub(super) fn place(no: u32) -> [u8; 4] {
    no.to_be_bytes()
}

pub(super) fn read_place(payload: &[u8]) -> Option<u32> {
    payload.try_into().ok().map(u32::from_be_bytes)
}

/// The payload of an end's row: its contact's place and attempt.
pub(super) fn ended(no: u32, nth: u16) -> Vec<u8> {
    let mut out = Out::sized(6);
    out.u32(no);
    out.u16(nth);
    out.0
}

pub(super) fn read_ended(payload: &[u8]) -> Option<(u32, u16)> {
    let mut from = In(payload);
    let ended = (from.u32()?, from.u16()?);
    from.end()?;
    Some(ended)
}

pub(super) fn opt_out(opt_out: &OptOut) -> Vec<u8> {
    let mut out = Out::sized(12 + opt_out.by.len());
    out.u8(u8::from(opt_out.protected));
    out.ms(opt_out.since);
    out.text(&opt_out.by);
    out.0
}

pub(super) fn read_opt_out(number: NumberKey, scope: OptOutScope, payload: &[u8]) -> Option<OptOut> {
    let mut from = In(payload);
    let read = OptOut { number, scope, protected: from.u8()? != 0, since: from.ms()?, by: from.string()? };
    from.end()?;
    Some(read)
}

const fn flag(is: bool, bit: u8) -> u8 {
    if is { bit } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> NewContact {
        NewContact {
            id: "счёт-7".to_owned(),
            number: NumberKey(u128::MAX - 1),
            sealed: SealedContact(vec![0, 255, 7]),
            masked: "+7********21".to_owned(),
            zone: "Asia/Omsk&Asia/Tomsk".to_owned(),
            window: Some(3),
            lang: Some("ru".to_owned()),
            area: Some("42/zarechny".to_owned()),
        }
    }

    #[test]
    fn whatever_is_written_is_read_back() {
        for (window, lang, area) in [(None, None, None), (Some(0), Some("en"), None), (Some(255), None, Some("7"))] {
            let contact =
                NewContact { window, lang: lang.map(str::to_owned), area: area.map(str::to_owned), ..contact() };
            let who = Who { added: UtcMs(5), contact };
            assert_eq!(Who::decode(&who.encode()), Some(who));
        }
        let call = CallId::new("01J").unwrap();
        for state in [
            ContactState::Waiting { not_before: None },
            ContactState::Waiting { not_before: Some(UtcMs(u64::MAX)) },
            ContactState::Claimed { call: call.clone() },
            ContactState::Unknown { since: UtcMs(7) },
            ContactState::Done { disposition: 23, at: UtcMs(9) },
        ] {
            for (window, erased) in [(None, false), (Some(9), true)] {
                let spent = Spent { attempts: 1, today: 2, day: 65_535, last: window, in_a_row: 3, claims: 513 };
                let stand = Stand { spent, state: state.clone(), window, erased, ..Stand::of(&contact()) };
                assert_eq!(Stand::decode(&stand.encode()), Some(stand));
            }
        }
        let disposition = Disposition { kind: 1, words: Some("понятно".to_owned()), at: Some(UtcMs(1)) };
        let end = AttemptEnd {
            disposition: disposition.clone(),
            answered_by: Some(AnsweredBy::Fax),
            answered: Some(UtcMs(3)),
            status: Some(486),
        };
        let attempt =
            Attempt { nth: 2, call, claimed: UtcMs(1), dialled: Some(UtcMs(2)), ended: Some(UtcMs(4)), end: Some(end) };
        let begun = Attempt { dialled: None, ended: None, end: None, ..attempt.clone() };
        for what in [
            Happened::Attempt(attempt),
            Happened::Attempt(begun),
            Happened::Ended { at: UtcMs(1), disposition: Disposition { words: None, at: None, ..disposition } },
        ] {
            let tried = Tried { seq: 7, what };
            let row = tried.encode();
            assert_eq!(Tried::decode(&row, 2).as_ref(), Some(&tried));
            for len in 0..row.len() {
                assert!(Tried::decode(&row[..len], 2).is_none(), "{len}");
            }
        }
        let count = Count { contacts: 7, ends: u64::MAX };
        assert_eq!(Count::decode(&count.encode()), Some(count));
        assert_eq!((read_ended(&ended(7, 9)), read_place(&place(5))), (Some((7, 9)), Some(5)));
        let out = OptOut {
            number: NumberKey(1),
            scope: OptOutScope::Global,
            protected: true,
            since: UtcMs(4),
            by: "script".to_owned(),
        };
        assert_eq!(read_opt_out(NumberKey(1), OptOutScope::Global, &opt_out(&out)), Some(out));
    }

    #[test]
    fn what_an_engine_keeps_of_a_contact_is_a_short_row() {
        let row = Stand::of(&NewContact { zone: "Asia/Yekaterinburg".to_owned(), window: None, ..contact() }).encode();
        assert!(row.len() <= 48, "{}", row.len());
    }
}
