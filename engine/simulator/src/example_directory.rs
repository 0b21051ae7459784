//! A directory for whoever tries a script alone: of whatever it is asked, it knows two.

use gudok_core::calendar::{Calendar, Hours};
use gudok_core::ids::Agency;
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::Date;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{
    BoxFuture, DayHours, DirectoryEntry, DirectoryError, DirectoryPort, EntryKind, FaqAnswer, Office, Scope,
};
use jiff::civil;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::future::ready;
use std::sync::Arc;

/// In a query: an office by its name in the directory.
const ID_FIELD: &str = "id";
/// In a query, and no field of an office.
const AGENCY_FIELD: &str = "agency";
/// Of an entry that was asked for by its topic.
const TOPIC_FIELD: &str = "topic";
const VERSION: u32 = 1;
const UPDATED: Date = Date { year: 2026, month: 5, day: 5 };
/// A number that nobody has.
const PHONE: &str = "+70000000002";
/// How well the answers to a frequent question fit, in percent.
const SCORES: [u8; 2] = [90, 60];
/// Monday to Friday.
const WORKDAYS: std::ops::RangeInclusive<u8> = 1..=5;
/// From and to, in hours, of each office: at noon the first is open, and the second opens later.
const HOURS: [(u8, u8); 2] = [(9, 18), (14, 20)];

type Fields = Vec<(Arc<str>, Arc<str>)>;
type Answer<'a, T> = BoxFuture<'a, Result<T, DirectoryError>>;

/// Two offices, two entries of each kind, two answers to every question, whatever a script looks for: its own names and
/// fields are known to nobody here, so that all of them fit.
///
/// The first office has all that an office may have and works from 9 to 18, Monday to Friday; the second has neither a
/// telephone nor words of its own, and works from 14 to 20. Calendars of any name have the hours of the first. Where clocks
/// are set otherwise than in UTC, the hours are those of UTC still.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExampleDirectory;

/// What is said in one language. No two languages share a text, and none has a word that announces a key.
struct Words {
    /// Name and address.
    offices: [(&'static str, &'static str); 2],
    /// Of the first office, for the ear.
    spoken: &'static str,
    /// Behind an entry's kind, in its title.
    title: [&'static str; 2],
    /// Behind its title, for the ear.
    example: &'static str,
    /// In the order of [`EntryKind`].
    kinds: [&'static str; 7],
}

const RUSSIAN: Words = Words {
    offices: [("Центральное отделение", "Центральная площадь"), ("Северное отделение", "Вокзальная улица")],
    spoken: "Центральное отделение находится на Центральной площади.",
    title: ["первая запись", "вторая запись"],
    example: "пример из справочника",
    kinds: ["Отделение", "Услуга", "Документ", "Срок", "Должностное лицо", "Обжалование", "Вопрос"],
};
const TATAR: Words = Words {
    offices: [("Үзәк бүлек", "Үзәк мәйдан"), ("Төньяк бүлек", "Вокзал урамы")],
    spoken: "Үзәк бүлек Үзәк мәйданда урнашкан.",
    title: ["беренче язма", "икенче язма"],
    example: "белешмәлектән үрнәк",
    kinds: ["Бүлек", "Хезмәт", "Кәгазь", "Вакыт", "Җаваплы зат", "Шикаять", "Сорау"],
};
const ENGLISH: Words = Words {
    offices: [("Central office", "Central Square"), ("North office", "Station Street")],
    spoken: "The central office is on Central Square.",
    title: ["first entry", "second entry"],
    example: "an example of the directory",
    kinds: ["Office", "Service", "Document", "Term", "Official", "Appeal", "Question"],
};

/// In a language that is not here, it says what it has in English.
fn words(lang: &str) -> &'static Words {
    match lang.split('-').next() {
        Some("ru") => &RUSSIAN,
        Some("tt") => &TATAR,
        _ => &ENGLISH,
    }
}

fn office(nth: usize, words: &Words, fields: &Fields, now: Timestamp) -> Office {
    let (name, address) = words.offices[nth];
    let first = nth == 0;
    let calendar = calendar(nth);
    let open_now = calendar.is_open(now);
    Office {
        id: format!("office-{}", nth + 1).into(),
        version: VERSION,
        updated: UPDATED,
        name: name.into(),
        spoken: if first { words.spoken.into() } else { "".into() },
        address: address.into(),
        phone: first.then(|| PhoneNumber::new(PHONE)),
        hours: week(nth).collect(),
        open_now,
        opens_next: if open_now { None } else { calendar.opens_at(now) },
        fields: fields.clone(),
    }
}

fn week(nth: usize) -> impl Iterator<Item = DayHours> {
    let (from, to) = HOURS[nth];
    WORKDAYS.map(move |weekday| DayHours { weekday, from: (from, 0), to: (to, 0) })
}

fn calendar(nth: usize) -> Calendar {
    let (from, to) = HOURS[nth];
    let time = |hour: u8| civil::Time::new(hour.cast_signed(), 0, 0, 0).unwrap_or_default();
    let of_workday: Vec<Hours> = Hours::new(time(from), time(to)).into_iter().collect();
    let week = std::array::from_fn(|day| {
        let works = u8::try_from(day + 1).is_ok_and(|weekday| WORKDAYS.contains(&weekday));
        if works { of_workday.clone() } else { Vec::new() }
    });
    Calendar::new(TimeZone::UTC, week, BTreeMap::new())
}

fn entry(nth: usize, words: &Words, kind: EntryKind, fields: &Fields) -> DirectoryEntry {
    let title = format!("{}, {}", words.kinds[kind as usize], words.title[nth]);
    DirectoryEntry {
        id: format!("{}-{}", name(kind), nth + 1).into(),
        version: VERSION,
        updated: UPDATED,
        kind,
        spoken: format!("{title}, {}.", words.example).into(),
        title: title.into(),
        fields: fields.clone(),
    }
}

/// As the WIT has it.
const fn name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Office => "office",
        EntryKind::Service => "service",
        EntryKind::Document => "document",
        EntryKind::Term => "term",
        EntryKind::Official => "official",
        EntryKind::Appeal => "appeal",
        EntryKind::Faq => "faq",
    }
}

fn two<T>(answers_max: u8, of: impl Fn(usize) -> T) -> Vec<T> {
    (0..2).take(usize::from(answers_max)).map(of).collect()
}

impl DirectoryPort for ExampleDirectory {
    fn find_offices(&self, query: Fields, scope: Scope) -> Answer<'_, Vec<Office>> {
        let (named, fields): (Fields, Fields) =
            query.into_iter().partition(|(name, _)| matches!(&**name, ID_FIELD | AGENCY_FIELD));
        let words = words(&scope.lang);
        let mut offices = two(scope.answers_max, |nth| office(nth, words, &fields, scope.now));
        // One name is one office's; where it is that of neither, the first one has it.
        if let Some((_, id)) = named.into_iter().find(|(name, _)| &**name == ID_FIELD) {
            let at = usize::from(id == office(1, words, &fields, scope.now).id);
            offices = vec![Office { id, ..office(at, words, &fields, scope.now) }];
        }
        Box::pin(ready(Ok(offices)))
    }

    fn find_entries(&self, kind: EntryKind, topic: Option<Arc<str>>, scope: Scope) -> Answer<'_, Vec<DirectoryEntry>> {
        let fields: Fields = topic.into_iter().map(|topic| (TOPIC_FIELD.into(), topic)).collect();
        let words = words(&scope.lang);
        Box::pin(ready(Ok(two(scope.answers_max, |nth| entry(nth, words, kind, &fields)))))
    }

    fn search_faq(&self, query: Arc<str>, scope: Scope) -> Answer<'_, Vec<FaqAnswer>> {
        if query.trim().is_empty() {
            // As an engine's directory has it.
            return Box::pin(ready(Err(DirectoryError::Invalid("query is empty".into()))));
        }
        let words = words(&scope.lang);
        let answer = |nth: usize| {
            let DirectoryEntry { id, version, updated, title, spoken, .. } =
                entry(nth, words, EntryKind::Faq, &Fields::new());
            FaqAnswer { id, version, updated, title, spoken, score: SCORES[nth] }
        };
        Box::pin(ready(Ok(two(scope.answers_max, answer))))
    }

    fn is_open<'a>(&'a self, _: &'a Agency, _: &'a str, at: Timestamp) -> Answer<'a, bool> {
        Box::pin(ready(Ok(calendar(0).is_open(at))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Tuesday, 5 May 2026, noon UTC.
    const NOON: Timestamp = Timestamp::from_millis(1_777_982_400_000);
    const HOUR_MS: u64 = 3_600_000;

    fn now<T>(answer: Answer<'_, T>) -> Result<T, DirectoryError> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
    }

    fn scope(lang: &str, answers_max: u8) -> Scope {
        Scope { agency: Agency::new("mfc"), municipality: None, lang: lang.into(), answers_max, now: NOON }
    }

    fn query(fields: &[(&str, &str)]) -> Fields {
        fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn whatever_is_asked_there_are_two() {
        let asked = query(&[("agency", "mfc"), ("town", "north")]);
        let offices = now(ExampleDirectory.find_offices(asked.clone(), scope("ru-RU", 20))).unwrap();
        assert_eq!(offices.len(), 2);
        assert!(offices.iter().all(|office| office.fields == query(&[("town", "north")]) && !office.hours.is_empty()));
        assert_ne!((&offices[0].id, &offices[0].name), (&offices[1].id, &offices[1].name));
        let mut ids = BTreeSet::new();
        for kind in [
            EntryKind::Office,
            EntryKind::Service,
            EntryKind::Document,
            EntryKind::Term,
            EntryKind::Official,
            EntryKind::Appeal,
            EntryKind::Faq,
        ] {
            let entries =
                now(ExampleDirectory.find_entries(kind, Some("passport".into()), scope("ru-RU", 20))).unwrap();
            assert!(entries.iter().all(|entry| entry.kind == kind && entry.fields == query(&[("topic", "passport")])));
            ids.extend(entries.into_iter().map(|entry| entry.id));
        }
        assert_eq!(ids.len(), 14);
        let answers = now(ExampleDirectory.search_faq("where".into(), scope("ru-RU", 20))).unwrap();
        assert!(answers.len() == 2 && answers[0].score > answers[1].score, "{answers:?}");
        assert!(now(ExampleDirectory.search_faq(" ".into(), scope("ru-RU", 20))).is_err());
        assert_eq!(now(ExampleDirectory.find_offices(asked, scope("ru-RU", 1))).unwrap().len(), 1);
    }

    #[test]
    fn an_office_is_found_by_its_name() {
        let named = |id: &str| {
            let offices = now(ExampleDirectory.find_offices(query(&[("id", id)]), scope("en-US", 1))).unwrap();
            let [office] = offices.as_slice() else { panic!("{offices:?}") };
            (office.id.to_string(), office.name.to_string())
        };
        assert_eq!(named("office-2"), ("office-2".to_owned(), "North office".to_owned()));
        assert_eq!(named("mfc-seven"), ("mfc-seven".to_owned(), "Central office".to_owned()));
    }

    #[test]
    fn one_office_is_open_and_the_other_opens() {
        let offices = now(ExampleDirectory.find_offices(Fields::new(), scope("ru-RU", 20))).unwrap();
        let [first, second] = offices.as_slice() else { panic!("{offices:?}") };
        assert_eq!((first.open_now, first.opens_next), (true, None));
        let two_hours_on = Timestamp::from_millis(NOON.as_millis() + 2 * HOUR_MS);
        assert_eq!((second.open_now, second.opens_next), (false, Some(two_hours_on)));
        assert!(first.phone.is_some() && second.phone.is_none() && second.spoken.is_empty());
        let open = |hours_on: u64| {
            let at = Timestamp::from_millis(NOON.as_millis() + hours_on * HOUR_MS);
            now(ExampleDirectory.is_open(&Agency::new("mfc"), "any", at)).unwrap()
        };
        assert_eq!((open(0), open(6), open(24), open(4 * 24)), (true, false, true, false), "Saturday is no workday");
    }

    #[test]
    fn each_language_has_its_own_words() {
        let said = |lang: &str| {
            let offices = now(ExampleDirectory.find_offices(Fields::new(), scope(lang, 20))).unwrap();
            let entries = now(ExampleDirectory.find_entries(EntryKind::Term, None, scope(lang, 20))).unwrap();
            let offices = offices.into_iter().flat_map(|office| [office.name, office.address]);
            offices.chain(entries.into_iter().flat_map(|entry| [entry.title, entry.spoken])).collect::<BTreeSet<_>>()
        };
        let (russian, tatar, english) = (said("ru-RU"), said("tt-RU"), said("en-US"));
        assert!(russian.is_disjoint(&tatar) && english.is_disjoint(&russian));
        assert_eq!(said("de-DE"), english);
        assert!(english.iter().all(|text| text.is_ascii()) && russian.iter().all(|text| !text.is_ascii()));
    }
}
