//! The directory as scripts ask it.

use super::LiveDirectory;
use gudok_core::directory::{self, Found, Query};
use gudok_core::ids::Agency;
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::Date;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{
    BoxFuture, DayHours, DirectoryEntry, DirectoryError, DirectoryPort, EntryKind, FaqAnswer, Office, Scope,
};
use std::sync::Arc;

/// The field of an entry by which it is found under a topic.
const TOPIC_FIELD: &str = "topic";
/// What a query may name besides an entry's own fields.
const AGENCY_FIELD: &str = "agency";
const ID_FIELD: &str = "id";

type Fields = Vec<(Arc<str>, Arc<str>)>;

impl LiveDirectory {
    fn answer(&self, query: &Query<'_>, scope: &Scope) -> Vec<Found> {
        let query = Query {
            municipality: scope.municipality.as_deref(),
            lang: Some(&scope.lang),
            limit: usize::from(scope.answers_max),
            ..query.clone()
        };
        self.now().answer(&query, &self.lang)
    }

    fn offices(&self, query: &Fields, scope: &Scope) -> Vec<Office> {
        let special = |name: &str| query.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value);
        let own = |(name, _): &&(Arc<str>, Arc<str>)| !matches!(&**name, AGENCY_FIELD | ID_FIELD);
        let fields: Fields = query.iter().filter(own).cloned().collect();
        let agency = special(AGENCY_FIELD).map(Agency::new);
        let kinds = [directory::EntryKind::Office];
        let query = Query { kinds: &kinds, agency: agency.as_ref(), fields: &fields, ..Query::default() };
        let mut found = self.answer(&query, scope);
        if let Some(id) = special(ID_FIELD) {
            found.retain(|found| &*found.entry.id == id);
        }
        found.iter().map(|found| self.office(&found.entry, scope.now)).collect()
    }

    fn office(&self, entry: &directory::DirectoryEntry, now: Timestamp) -> Office {
        let calendar = entry.hours.as_ref().map(|hours| hours.calendar(self.zone.clone()));
        let open_now = calendar.as_ref().is_some_and(|calendar| calendar.is_open(now));
        let opens_next = calendar.filter(|_| !open_now).and_then(|calendar| calendar.opens_at(now));
        Office {
            id: Arc::clone(&entry.id),
            version: entry.version,
            updated: date(entry.updated),
            name: Arc::clone(&entry.title),
            spoken: Arc::clone(&entry.spoken),
            address: entry.address.clone().unwrap_or_default(),
            phone: entry.phone.as_deref().map(dialable),
            hours: entry.hours.as_ref().map(week).unwrap_or_default(),
            open_now,
            opens_next,
            fields: entry.fields.clone(),
        }
    }
}

impl DirectoryPort for LiveDirectory {
    fn find_offices(&self, query: Fields, scope: Scope) -> BoxFuture<'_, Result<Vec<Office>, DirectoryError>> {
        Box::pin(async move { Ok(self.offices(&query, &scope)) })
    }

    fn find_entries(
        &self,
        kind: EntryKind,
        topic: Option<Arc<str>>,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<DirectoryEntry>, DirectoryError>> {
        Box::pin(async move {
            let fields: Fields = topic.into_iter().map(|topic| (Arc::from(TOPIC_FIELD), topic)).collect();
            let kinds = [of_port(kind)];
            let found = self.answer(&Query { kinds: &kinds, fields: &fields, ..Query::default() }, &scope);
            Ok(found.iter().map(|found| shown(&found.entry)).collect())
        })
    }

    fn search_faq(&self, query: Arc<str>, scope: Scope) -> BoxFuture<'_, Result<Vec<FaqAnswer>, DirectoryError>> {
        Box::pin(async move {
            if query.trim().is_empty() {
                return Err(DirectoryError::Invalid("query is empty".into()));
            }
            let kinds = [directory::EntryKind::Faq];
            let found = self.answer(&Query { kinds: &kinds, text: Some(&query), ..Query::default() }, &scope);
            let answer = |found: &Found| FaqAnswer {
                id: Arc::clone(&found.entry.id),
                version: found.entry.version,
                updated: date(found.entry.updated),
                title: Arc::clone(&found.entry.title),
                spoken: found.entry.spoken_text().into(),
                score: found.score,
            };
            Ok(found.iter().map(answer).collect())
        })
    }

    fn is_open<'a>(
        &'a self,
        _: &'a Agency,
        calendar: &'a str,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        Box::pin(async move {
            let missing = || {
                DirectoryError::NotFound(format!(
                    "calendar {calendar:?}: no queue, group or office of the directory has hours under that name"
                ))
            };
            Ok(self.calendar(calendar).ok_or_else(missing)?.is_open(at))
        })
    }
}

fn shown(entry: &directory::DirectoryEntry) -> DirectoryEntry {
    DirectoryEntry {
        id: Arc::clone(&entry.id),
        version: entry.version,
        updated: date(entry.updated),
        kind: to_port(entry.kind),
        title: Arc::clone(&entry.title),
        spoken: entry.spoken_text().into(),
        fields: entry.fields.clone(),
    }
}

fn date(date: jiff::civil::Date) -> Date {
    Date {
        year: u16::try_from(date.year()).unwrap_or(0),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }
}

/// As it is dialled: without what makes it readable.
fn dialable(phone: &str) -> PhoneNumber {
    let first = phone.split([',', ';']).next().unwrap_or(phone);
    PhoneNumber::new(&first.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>())
}

fn week(hours: &directory::OpeningHours) -> Vec<DayHours> {
    let clock = |time: jiff::civil::Time| (time.hour().unsigned_abs(), time.minute().unsigned_abs());
    let days = (1_u8..).zip(hours.week());
    let stretches = days.flat_map(|(weekday, stretches)| stretches.iter().map(move |stretch| (weekday, *stretch)));
    stretches
        .map(|(weekday, stretch)| DayHours { weekday, from: clock(stretch.from()), to: clock(stretch.to()) })
        .collect()
}

const fn of_port(kind: EntryKind) -> directory::EntryKind {
    match kind {
        EntryKind::Office => directory::EntryKind::Office,
        EntryKind::Service => directory::EntryKind::Service,
        EntryKind::Document => directory::EntryKind::Document,
        EntryKind::Term => directory::EntryKind::Term,
        EntryKind::Official => directory::EntryKind::Official,
        EntryKind::Appeal => directory::EntryKind::Appeal,
        EntryKind::Faq => directory::EntryKind::Faq,
    }
}

const fn to_port(kind: directory::EntryKind) -> EntryKind {
    match kind {
        directory::EntryKind::Office => EntryKind::Office,
        directory::EntryKind::Service => EntryKind::Service,
        directory::EntryKind::Document => EntryKind::Document,
        directory::EntryKind::Term => EntryKind::Term,
        directory::EntryKind::Official => EntryKind::Official,
        directory::EntryKind::Appeal => EntryKind::Appeal,
        directory::EntryKind::Faq => EntryKind::Faq,
    }
}
