//! What is known of each place, for the page around a picture and for programs. A place's `id` is its anchor.

use super::card::short;
use super::sheet::{Change, Flaw, Label, Place, Sheet};
use super::words::Lang;
use serde::Serialize;

/// A place of a sheet, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlaceDetails {
    /// `p3`.
    pub id: String,
    /// `question`, `operator`, …
    pub kind: &'static str,
    /// The kind, for people.
    pub kind_name: &'static str,
    /// The script's name for the step.
    pub step: Option<String>,
    /// Few words.
    pub title: String,
    /// All that is said there.
    pub said: String,
    /// In which language.
    pub lang: String,
    /// What to do in a call to get there.
    pub keys: String,
    /// The command that gets there.
    pub replay: String,
    /// What is wrong there.
    pub findings: Vec<Flaw>,
    /// Where one goes from there.
    pub ways: Vec<WayDetails>,
    /// `same`, `added`, `removed`, `changed`.
    pub change: Change,
    /// What was said there before, where that is something else.
    pub was: Option<String>,
}

/// Where one goes from a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayDetails {
    /// The keys that take it; none where it is no matter of keys.
    pub keys: Vec<String>,
    /// What takes it, or what the keys stand for.
    pub text: String,
    /// The place where it leads.
    pub to: String,
    /// That place in few words.
    pub to_title: String,
    /// No caller wants to go it.
    pub trouble: bool,
    /// `same`, `added`, `removed`.
    pub change: Change,
}

/// The details of every place, in order.
#[must_use]
pub fn details(sheet: &Sheet, lang: Lang) -> Vec<PlaceDetails> {
    sheet.places.iter().enumerate().map(|(at, place)| of(sheet, at, place, lang)).collect()
}

fn of(sheet: &Sheet, at: usize, place: &Place, lang: Lang) -> PlaceDetails {
    let drawn =
        sheet.ways.iter().filter(|way| way.from == at).map(|way| (&way.labels, way.to, way.trouble, way.change));
    let told = place.links.iter().map(|link| (&link.labels, link.to, link.trouble, link.change));
    PlaceDetails {
        id: format!("p{at}"),
        kind: place.shape.class(),
        kind_name: place.shape.name(lang),
        step: place.step.clone(),
        title: if place.title.is_empty() { place.shape.name(lang).to_owned() } else { place.title.clone() },
        said: place.said.clone(),
        lang: place.lang.clone(),
        keys: place.keys.clone(),
        replay: place.replay.clone(),
        findings: place.flaws.clone(),
        ways: drawn
            .chain(told)
            .map(|(labels, to, trouble, change)| way(sheet, labels, to, trouble, change, lang))
            .collect(),
        change: place.change,
        was: place.was.clone(),
    }
}

fn way(sheet: &Sheet, labels: &[Label], to: usize, trouble: bool, change: Change, lang: Lang) -> WayDetails {
    let mut texts: Vec<&str> = labels.iter().map(Label::told).filter(|text| !text.is_empty()).collect();
    texts.dedup();
    WayDetails {
        keys: labels.iter().filter_map(|label| label.key.clone()).collect(),
        text: texts.join(", "),
        to: format!("p{to}"),
        to_title: sheet.places.get(to).map_or_else(String::new, |place| short(place, lang)),
        trouble,
        change,
    }
}
