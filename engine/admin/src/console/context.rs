//! What every page knows: who reads it, in which language and time zone, and what that reader may do.

use super::format::{self, Moment};
use super::texts::Lang;
use super::{assets, nav};
use crate::access::{Grant, Operation};
use crate::auth::Principal;
use jiff::tz::TimeZone;

/// Counts of any size, as templates hand them over.
pub(crate) trait Count {
    /// As the widest of them.
    fn count(&self) -> u64;
}

macro_rules! counts {
    ($($type:ty),+) => {$(
        impl Count for $type {
            fn count(&self) -> u64 {
                u64::try_from(*self).unwrap_or(u64::MAX)
            }
        }
    )+};
}
counts!(u8, u16, u32, u64, usize);

impl<T: Count> Count for &T {
    fn count(&self) -> u64 {
        (*self).count()
    }
}

/// What a page knows besides its own data.
#[derive(Clone, Debug)]
pub(crate) struct Ctx {
    /// The reader's language.
    pub(crate) lang: Lang,
    /// What the reader's forms carry.
    pub(crate) csrf: String,
    /// The reader's name.
    pub(crate) who: String,
    /// The reader's roles, in words.
    pub(crate) roles: String,
    /// The menu: only what the reader may open.
    pub(crate) nav: Vec<nav::Group>,
    /// Which of the menu's pages this belongs to.
    pub(crate) here: &'static str,
    /// This page, for coming back to it.
    pub(crate) path: String,
    /// What was just done, as a key.
    pub(crate) notice: Option<String>,
    /// The node's.
    pub(crate) zone: TimeZone,
    /// The node's time zone, by name.
    pub(crate) zone_name: String,
    /// The reader; nobody on the way in.
    pub(crate) me: Option<Principal>,
    /// The engine's clock.
    pub(crate) now_ms: u64,
}

impl Ctx {
    /// For somebody who is known.
    pub(crate) fn of(me: Principal, lang: Lang, zone: TimeZone, path: &str, now_ms: u64) -> Self {
        let roles: Vec<String> = me.roles.iter().map(|grant| role_in_words(lang, grant)).collect();
        let name = if me.full_name.is_empty() { &me.user } else { &me.full_name };
        Self {
            csrf: me.csrf().to_owned(),
            who: name.clone(),
            roles: roles.join(", "),
            nav: nav::for_reader(&me),
            here: nav::place_of(path),
            me: Some(me),
            ..Self::of_nobody(lang, zone, path, now_ms)
        }
    }

    /// For the page where one comes in.
    pub(crate) fn of_nobody(lang: Lang, zone: TimeZone, path: &str, now_ms: u64) -> Self {
        let zone_name = zone.iana_name().unwrap_or("UTC").to_owned();
        Self {
            lang,
            csrf: String::new(),
            who: String::new(),
            roles: String::new(),
            nav: Vec::new(),
            here: "",
            path: path.to_owned(),
            notice: None,
            zone,
            zone_name,
            me: None,
            now_ms,
        }
    }

    // What the reader may.

    /// Whether the reader may do it anywhere.
    pub(crate) fn may(&self, operation: Operation) -> bool {
        self.me.as_ref().is_some_and(|me| me.may(operation).is_ok())
    }

    /// Whether the reader may do it in that agency.
    pub(crate) fn may_in(&self, operation: Operation, agency: &str) -> bool {
        self.me.as_ref().is_some_and(|me| me.may_in(operation, agency).is_ok())
    }

    // What templates ask.

    pub(crate) fn t(&self, key: &str) -> &'static str {
        self.lang.text(key)
    }

    /// A text with a count in it.
    pub(crate) fn n(&self, key: &str, count: impl Count) -> String {
        self.lang.count(key, count.count())
    }

    /// A text with values in it.
    pub(crate) fn w<'v>(&self, key: &str, values: impl AsRef<[(&'v str, &'v str)]>) -> String {
        self.lang.fill(key, values.as_ref())
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        assets::href(name)
    }

    pub(crate) fn number(&self, number: impl Count) -> String {
        format::number(self.lang, number.count())
    }

    pub(crate) fn percent_of(&self, percent: impl Count) -> String {
        format::percent(self.lang, percent.count(), 100)
    }

    /// What a field of a form is called, as a key.
    pub(crate) fn label(&self, field: &str) -> Option<&'static str> {
        super::form::Form::label(field)
    }

    pub(crate) fn source(&self, source: &str) -> &'static str {
        self.t(if source == "file" { "source.file" } else { "source.api" })
    }

    pub(crate) fn langs(&self) -> [Lang; 2] {
        Lang::ALL
    }

    pub(crate) fn other_lang(&self) -> Lang {
        if self.lang == Lang::Ru { Lang::En } else { Lang::Ru }
    }

    // What views ask.

    /// A text by a key that comes from data; the data's own word where there is none.
    pub(crate) fn word(&self, group: &str, word: &str) -> String {
        self.lang.find(&format!("{group}.{word}")).map_or_else(|| word.to_owned(), str::to_owned)
    }

    pub(crate) fn moment(&self, ms: u64) -> Moment {
        format::moment(self.lang, &self.zone, ms)
    }

    pub(crate) fn moment_of(&self, rfc3339: &str) -> Moment {
        format::moment_of(self.lang, &self.zone, rfc3339)
    }
}

/// "Author · mfc".
pub(crate) fn role_in_words(lang: Lang, grant: &Grant) -> String {
    let role = lang.text(&format!("role.{}", grant.role.as_str()));
    match &grant.agency {
        None => role.to_owned(),
        Some(agency) => lang.fill("role.in", &[("role", role), ("agency", agency.as_str())]),
    }
}
