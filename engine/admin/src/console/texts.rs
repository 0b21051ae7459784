//! The console's words, in Russian and English: data, two files per language, checked when the program starts.
//!
//! A line is `key = text`. A key with counts has one line per form of its language (`calls.count.one`, `.few`, `.many`,
//! `.other`). Places for values are named: `{name}`. Both languages must have the same keys and the same places.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A language of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lang {
    /// русский
    Ru,
    /// English
    En,
}

/// Forms that a count has in some language.
const FORMS: [&str; 4] = ["one", "few", "many", "other"];

/// What admins read, and what the people of the centre read.
const RU: [&str; 3] = [
    include_str!("../../texts/ru.txt"),
    include_str!("../../texts/centre.ru.txt"),
    include_str!("../../texts/campaigns.ru.txt"),
];
const EN: [&str; 3] = [
    include_str!("../../texts/en.txt"),
    include_str!("../../texts/centre.en.txt"),
    include_str!("../../texts/campaigns.en.txt"),
];

static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts { ru: parse(RU), en: parse(EN) });

struct Texts {
    ru: BTreeMap<&'static str, &'static str>,
    en: BTreeMap<&'static str, &'static str>,
}

impl Lang {
    /// Both, the first is the one for those who asked for neither.
    pub(crate) const ALL: [Self; 2] = [Self::Ru, Self::En];

    /// BCP 47, as in the page's `lang` and in the user's record.
    #[must_use]
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// Its own name for itself.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ru => "Русский",
            Self::En => "English",
        }
    }

    /// By its tag; `ru-RU` is `ru`.
    #[must_use]
    pub(crate) fn of(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.tag()))
    }

    /// The first language of an `Accept-Language` header that the console speaks, by weight.
    #[must_use]
    pub(crate) fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        for item in header.split(',').take(ACCEPTED_MAX) {
            let mut parts = item.split(';');
            let Some(lang) = parts.next().and_then(Self::of) else { continue };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .and_then(|weight| weight.trim().parse::<f32>().ok())
                .unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(_, than)| weight > than) {
                best = Some((lang, weight));
            }
        }
        best.map(|(lang, _)| lang)
    }

    /// The text of a key. A key without text is itself shown, and logged: a page must not fail for a word.
    #[must_use]
    pub(crate) fn text(self, key: &str) -> &'static str {
        self.find(key).unwrap_or_else(|| {
            tracing::error!(key, lang = self.tag(), "the console has no text for a key");
            MISSING
        })
    }

    /// The text of a key, where there is one.
    #[must_use]
    pub(crate) fn find(self, key: &str) -> Option<&'static str> {
        let texts = match self {
            Self::Ru => &TEXTS.ru,
            Self::En => &TEXTS.en,
        };
        texts.get(key).copied()
    }

    /// The text of a key with its places filled.
    #[must_use]
    pub(crate) fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.text(key), values)
    }

    /// The text of a key for a count: "1 звонок, 2 звонка, 5 звонков".
    #[must_use]
    pub(crate) fn count(self, key: &str, count: u64) -> String {
        let text = self.text(&format!("{key}.{}", self.form(count)));
        fill(text, &[("n", &super::format::number(self, count))])
    }

    /// Which form a count takes.
    fn form(self, count: u64) -> &'static str {
        match (self, count % 10, count % 100) {
            (Self::En, _, _) if count == 1 => "one",
            (Self::En, _, _) => "other",
            (Self::Ru, _, 11..=14) => "many",
            (Self::Ru, 1, _) => "one",
            (Self::Ru, 2..=4, _) => "few",
            (Self::Ru, _, _) => "many",
        }
    }

    fn forms(self) -> &'static [&'static str] {
        match self {
            Self::Ru => &["one", "few", "many"],
            Self::En => &["one", "other"],
        }
    }
}

/// Languages of an `Accept-Language` header that are looked at.
const ACCEPTED_MAX: usize = 16;

/// Shown where a text is missing; the tests look for it.
pub(crate) const MISSING: &str = "⟦?⟧";

/// What is wrong with the texts; nothing where all is well. Asked once at the start.
#[must_use]
pub(crate) fn faults() -> Vec<String> {
    let mut faults = Vec::new();
    let ru = shapes(Lang::Ru, &TEXTS.ru, &mut faults);
    let en = shapes(Lang::En, &TEXTS.en, &mut faults);
    for (key, places) in &ru {
        match en.get(key) {
            None => faults.push(format!("en has no {key}")),
            Some(others) if others != places => faults.push(format!("{key} has other places in en than in ru")),
            Some(_) => {}
        }
    }
    faults.extend(en.keys().filter(|key| !ru.contains_key(*key)).map(|key| format!("ru has no {key}")));
    faults
}

/// Every key without its forms, with the places in its text.
fn shapes<'a>(
    lang: Lang,
    texts: &BTreeMap<&'a str, &'a str>,
    faults: &mut Vec<String>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut shapes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, text) in texts {
        let stem = match key.rsplit_once('.') {
            Some((stem, form)) if FORMS.contains(&form) && texts.contains_key(format!("{stem}.one").as_str()) => {
                for form in lang.forms() {
                    if !texts.contains_key(format!("{stem}.{form}").as_str()) {
                        faults.push(format!("{} has no {stem}.{form}", lang.tag()));
                    }
                }
                stem
            }
            _ => key,
        };
        shapes.entry(stem).or_default().extend(places(text));
    }
    shapes
}

fn places(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn parse(files: [&'static str; 3]) -> BTreeMap<&'static str, &'static str> {
    files
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, text)| (key.trim(), text.trim()))
        .collect()
}

fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            rest = after;
            break;
        };
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or(MISSING, |(_, value)| value));
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys_and_places() {
        assert_eq!(faults(), Vec::<String>::new());
    }

    #[test]
    fn no_key_is_said_twice() {
        for (lang, files) in [(Lang::Ru, RU), (Lang::En, EN)] {
            let lines = files.into_iter().flat_map(str::lines);
            let keys: Vec<&str> = lines
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| Some(line.split_once('=')?.0.trim()))
                .collect();
            let twice: Vec<_> = keys.iter().filter(|key| keys.iter().filter(|one| one == key).count() > 1).collect();
            assert!(twice.is_empty(), "{} says {twice:?} twice", lang.tag());
        }
    }

    #[test]
    fn russian_counts_by_the_last_digits() {
        let counted = |n| Lang::Ru.count("calls.count", n);
        for (n, says) in [
            (0, "0 звонков"),
            (1, "1 звонок"),
            (2, "2 звонка"),
            (4, "4 звонка"),
            (5, "5 звонков"),
            (11, "11 звонков"),
            (12, "12 звонков"),
            (21, "21 звонок"),
            (22, "22 звонка"),
            (111, "111 звонков"),
            (1_001, "1\u{a0}001 звонок"),
        ] {
            assert_eq!(counted(n), says);
        }
        assert_eq!(Lang::En.count("calls.count", 1), "1 call");
        assert_eq!(Lang::En.count("calls.count", 21), "21 calls");
    }

    #[test]
    fn the_reader_is_spoken_to_in_the_language_that_the_browser_asks_for() {
        assert_eq!(Lang::accepted("de-DE,de;q=0.9,en;q=0.8,ru;q=0.7"), Some(Lang::En));
        assert_eq!(Lang::accepted("ru-RU,ru;q=0.9,en-US;q=0.8"), Some(Lang::Ru));
        assert_eq!(Lang::accepted("en;q=0, ru;q=0.1"), Some(Lang::Ru));
        assert_eq!(Lang::accepted("fr, de"), None);
        assert_eq!(Lang::accepted(";;q=,,=,"), None);
    }

    #[test]
    fn places_are_filled_by_name() {
        assert_eq!(fill("a {x} b {y}", &[("y", "2"), ("x", "1")]), "a 1 b 2");
        assert_eq!(fill("{x", &[]), "x");
        assert_eq!(fill("{z}", &[("x", "1")]), MISSING);
    }
}
