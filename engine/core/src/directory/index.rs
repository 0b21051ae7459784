//! Finding entries.

use super::words::Words;
use super::{ANSWERS_MAX, DirectoryEntry, EntryKind, QUESTION_BYTES_MAX};
use crate::ids::Agency;
use bm25::{Document, SearchEngine, SearchEngineBuilder};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A title's words count so many times as much as the text's.
const TITLE_WEIGHT: usize = 3;

/// What is looked for; what is not said does not matter.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    /// Of these kinds; of all where it is empty.
    pub kinds: &'a [EntryKind],
    /// Whose.
    pub agency: Option<&'a Agency>,
    /// Entries for this municipality, and those for everywhere; the former first.
    pub municipality: Option<&'a str>,
    /// In this language: `ru` finds `ru-RU`.
    pub lang: Option<&'a str>,
    /// Fields that an entry has, with just that value; the case of letters does not matter.
    pub fields: &'a [(Arc<str>, Arc<str>)],
    /// Words, in any form and order. None or empty: every entry, by title.
    pub text: Option<&'a str>,
    /// At most this many, and at most [`ANSWERS_MAX`]; 0 means that limit.
    pub limit: usize,
}

/// An entry that was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Which.
    pub entry: Arc<DirectoryEntry>,
    /// How well it answers, from 1 to 100, against the best answer to this question; 100 where nothing was asked.
    pub score: u8,
}

/// All entries, and the index of their words.
pub struct Directory {
    entries: BTreeMap<Arc<str>, Arc<DirectoryEntry>>,
    /// By the number in the index.
    numbered: Vec<Arc<DirectoryEntry>>,
    engine: SearchEngine<u32, u32, Words>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Directory({} entries)", self.entries.len())
    }
}

impl Default for Directory {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Directory {
    /// Of these entries; of two with one id, the last counts.
    #[must_use]
    pub fn new(entries: Vec<DirectoryEntry>) -> Self {
        let entries: BTreeMap<Arc<str>, Arc<DirectoryEntry>> =
            entries.into_iter().map(|entry| (Arc::clone(&entry.id), Arc::new(entry))).collect();
        let numbered: Vec<Arc<DirectoryEntry>> = entries.values().cloned().collect();
        let documents = numbered.iter().zip(0_u32..).map(|(entry, number)| Document::new(number, words_of(entry)));
        let documents: Vec<Document<u32>> = documents.collect();
        let engine = SearchEngineBuilder::with_tokenizer_and_documents(Words::default(), documents).build();
        Self { entries, numbered, engine }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One entry.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Arc<DirectoryEntry>> {
        self.entries.get(id)
    }

    /// All of them, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<DirectoryEntry>> {
        self.entries.values()
    }

    /// What answers a query, the best first. The same query has the same answer, whatever else happens.
    #[must_use]
    pub fn find(&self, query: &Query<'_>) -> Vec<Found> {
        let limit = if query.limit == 0 { ANSWERS_MAX } else { query.limit.min(ANSWERS_MAX) };
        let mut found = self.find_all(query);
        found.truncate(limit);
        found
    }

    /// What a caller is answered: in the caller's language, or else in the centre's, or else in any. Who names no municipality
    /// is answered what holds everywhere, or else anything.
    #[must_use]
    pub fn answer(&self, query: &Query<'_>, centre_lang: &str) -> Vec<Found> {
        let in_lang = |lang| {
            let query = Query { lang, limit: usize::MAX, ..query.clone() };
            let mut found = self.find_all(&query);
            if query.municipality.is_none() && found.iter().any(|found| found.entry.municipality.is_none()) {
                found.retain(|found| found.entry.municipality.is_none());
            }
            found
        };
        let langs = [query.lang, Some(centre_lang), None];
        let mut found = langs.into_iter().map(in_lang).find(|found| !found.is_empty()).unwrap_or_default();
        found.truncate(if query.limit == 0 { ANSWERS_MAX } else { query.limit.min(ANSWERS_MAX) });
        found
    }

    fn find_all(&self, query: &Query<'_>) -> Vec<Found> {
        let text = query.text.map(str::trim).filter(|text| !text.is_empty());
        match text {
            None => self.all(query),
            Some(text) => self.ranked(query, &text[..text.floor_char_boundary(QUESTION_BYTES_MAX)]),
        }
    }

    fn all(&self, query: &Query<'_>) -> Vec<Found> {
        let mut found: Vec<Found> = self
            .entries
            .values()
            .filter(|entry| answers(entry, query))
            .map(|entry| Found { entry: Arc::clone(entry), score: 100 })
            .collect();
        found.sort_by(|a, b| nearer(&a.entry, &b.entry, query).then_with(|| by_title(&a.entry, &b.entry)));
        found
    }

    fn ranked(&self, query: &Query<'_>, text: &str) -> Vec<Found> {
        let results = self.engine.search(text, None);
        let mut scored: Vec<(f32, &Arc<DirectoryEntry>)> = results
            .iter()
            .filter_map(|result| Some((result.score, self.numbered.get(result.document.id as usize)?)))
            .filter(|(score, entry)| *score > 0.0 && answers(entry, query))
            .collect();
        scored.sort_by(|(a, first), (b, second)| {
            b.total_cmp(a).then_with(|| nearer(first, second, query)).then_with(|| first.id.cmp(&second.id))
        });
        let best = scored.first().map_or(1.0, |(score, _)| *score);
        let percent = |score: f32| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 100")]
            let percent = (score / best * 100.0).round().clamp(1.0, 100.0) as u8;
            percent
        };
        scored.into_iter().map(|(score, entry)| Found { entry: Arc::clone(entry), score: percent(score) }).collect()
    }
}

/// What of an entry is searched.
fn words_of(entry: &DirectoryEntry) -> String {
    let mut words = format!("{} ", entry.title).repeat(TITLE_WEIGHT);
    let more = [Some(&entry.text), Some(&entry.spoken), entry.address.as_ref()];
    for text in more.into_iter().flatten().chain(entry.fields.iter().map(|(_, value)| value)) {
        words.push_str(text);
        words.push(' ');
    }
    words
}

fn answers(entry: &DirectoryEntry, query: &Query<'_>) -> bool {
    let here = |asked: &str| entry.municipality.as_deref().is_none_or(|place| same(place, asked));
    (query.kinds.is_empty() || query.kinds.contains(&entry.kind))
        && query.agency.is_none_or(|agency| *agency == entry.agency)
        && query.municipality.is_none_or(here)
        && query.lang.is_none_or(|lang| primary(lang) == primary(&entry.lang))
        && query.fields.iter().all(|(name, value)| entry.field(name).is_some_and(|known| same(known, value)))
}

/// Letters' case is nothing that a caller could press.
fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// `ru` of `ru-RU`.
fn primary(tag: &str) -> String {
    tag.split('-').next().unwrap_or(tag).to_ascii_lowercase()
}

/// The municipality's own before everybody's.
fn nearer(a: &DirectoryEntry, b: &DirectoryEntry, query: &Query<'_>) -> Ordering {
    if query.municipality.is_none() {
        return Ordering::Equal;
    }
    b.municipality.is_some().cmp(&a.municipality.is_some())
}

fn by_title(a: &DirectoryEntry, b: &DirectoryEntry) -> Ordering {
    a.title.cmp(&b.title).then_with(|| a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn entry(id: &str, kind: EntryKind, place: Option<&str>, title: &str, text: &str) -> DirectoryEntry {
        DirectoryEntry {
            id: id.into(),
            version: 1,
            updated: date(2026, 5, 1),
            kind,
            agency: Agency::new(if id.starts_with("mvd") { "mvd" } else { "mfc" }),
            municipality: place.map(Into::into),
            owner: "справочная".into(),
            title: title.into(),
            spoken: "".into(),
            text: text.into(),
            phone: None,
            address: None,
            hours: None,
            fields: if id.starts_with("mvd") { vec![("service".into(), "Паспорт".into())] } else { Vec::new() },
            lang: if title.is_ascii() { "en-GB".into() } else { "ru-RU".into() },
        }
    }

    fn directory() -> Directory {
        Directory::new(vec![
            entry("mfc-1", EntryKind::Office, Some("north"), "МФЦ на Северной", "улица Северная, 1"),
            entry("mfc-2", EntryKind::Office, Some("south"), "МФЦ на Южной", "улица Южная, 2"),
            entry("mfc-3", EntryKind::Office, None, "Головной офис", "для всей области"),
            entry(
                "faq-1",
                EntryKind::Faq,
                None,
                "Какие документы нужны для замены паспорта?",
                "Заявление, старый паспорт, фотографии.",
            ),
            entry(
                "faq-2",
                EntryKind::Faq,
                None,
                "Как записать ребёнка в детский сад?",
                "Заявление подаётся в МФЦ. Нужен паспорт родителя.",
            ),
            entry("faq-3", EntryKind::Faq, Some("north"), "Когда меняют воду?", "С мая по сентябрь."),
            entry("faq-4", EntryKind::Faq, None, "How do I replace a passport?", "Bring the old passport."),
            entry("mvd-1", EntryKind::Official, None, "Начальник отдела", "кабинет 5"),
        ])
    }

    fn ids(query: &Query<'_>) -> String {
        directory().find(query).iter().map(|found| found.entry.id.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_question_finds_its_answer_in_any_form() {
        let faq = Query { kinds: &[EntryKind::Faq], ..Query::default() };
        let ask = |text| ids(&Query { text: Some(text), ..faq.clone() });
        assert_eq!(ask("замена паспортов"), "faq-1 faq-2");
        assert_eq!(ask("документы на паспорт"), "faq-1 faq-2");
        assert_eq!(ask("детские сады ребенку"), "faq-2");
        assert_eq!(ask("replacing passports"), "faq-4");
        assert_eq!(ask("рыбалка"), "");
        assert_eq!(ask("где и как"), "", "words that say nothing find nothing");
        assert_eq!(ids(&Query { text: Some("паспорт"), lang: Some("en"), ..faq.clone() }), "");
        let found = directory().find(&Query { text: Some("замена паспорта"), ..faq });
        assert!(found[0].score == 100 && found[1].score < 100 && found[1].score > 0, "{found:?}");
    }

    #[test]
    fn a_municipality_sees_its_own_and_what_is_for_all() {
        let offices = Query { kinds: &[EntryKind::Office], ..Query::default() };
        assert_eq!(ids(&Query { municipality: Some("north"), ..offices.clone() }), "mfc-1 mfc-3");
        assert_eq!(ids(&Query { municipality: Some("SOUTH"), ..offices.clone() }), "mfc-2 mfc-3");
        assert_eq!(ids(&Query { municipality: Some("west"), ..offices.clone() }), "mfc-3");
        assert_eq!(ids(&Query { limit: 1, ..offices.clone() }), "mfc-3", "by title where nobody asks for a place");
        let water = Query { text: Some("вода"), ..Query::default() };
        assert_eq!(ids(&Query { municipality: Some("south"), ..water.clone() }), "");
        assert_eq!(ids(&Query { municipality: Some("north"), ..water }), "faq-3");
    }

    #[test]
    fn fields_and_agencies_narrow() {
        let passport = [(Arc::from("service"), Arc::from("паспорт"))];
        let mvd = Agency::new("mvd");
        assert_eq!(ids(&Query { agency: Some(&mvd), fields: &passport, ..Query::default() }), "mvd-1");
        let other = [(Arc::from("service"), Arc::from("снилс"))];
        assert_eq!(ids(&Query { fields: &other, ..Query::default() }), "");
    }

    #[test]
    fn a_caller_is_answered_in_another_language_rather_than_not_at_all() {
        let ask = |query: &Query<'_>, centre: &str| {
            let found = directory().answer(query, centre);
            found.iter().map(|found| found.entry.id.to_string()).collect::<Vec<_>>().join(" ")
        };
        let offices = Query { kinds: &[EntryKind::Office], lang: Some("en-GB"), ..Query::default() };
        assert_eq!(ask(&offices, "ru-RU"), "mfc-3", "no place named: what holds everywhere");
        assert_eq!(ask(&Query { municipality: Some("north"), ..offices.clone() }, "ru-RU"), "mfc-1 mfc-3");
        let water = Query { text: Some("вода"), lang: Some("de"), ..Query::default() };
        assert_eq!(ask(&water, "de"), "faq-3", "nothing holds everywhere, and nothing is there in German");
        let passport = Query { text: Some("passport"), lang: Some("en"), ..Query::default() };
        assert_eq!(ask(&passport, "ru-RU"), "faq-4");
    }

    #[test]
    fn an_entry_is_said_as_it_is_written_or_as_it_should_be_said() {
        let mut office = entry("mfc-1", EntryKind::Office, None, "МФЦ", "");
        office.address = Some("улица Северная, 1".into());
        office.phone = Some("+73842000000".into());
        assert_eq!(office.spoken_text(), "МФЦ. улица Северная, 1. +73842000000.");
        assert_eq!(office.spoken().len(), 2);
        office.spoken = "Приходите на Северную!".into();
        assert_eq!(office.spoken_text(), "Приходите на Северную!");
    }

    #[test]
    fn an_empty_directory_finds_nothing() {
        assert!(Directory::default().find(&Query { text: Some("паспорт"), ..Query::default() }).is_empty());
        assert!(Directory::default().find(&Query::default()).is_empty());
    }
}
