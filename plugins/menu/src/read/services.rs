//! Nodes that ask something of the centre: queues, callbacks, the directory, tickets, surveys, the pace of speech.

use super::Defaults;
use super::fields::Fields;
use super::nodes::{Names, optional_words, question, target, texts};
use super::words::one_of;
use crate::model::{
    Act, Complaint, Lookup, LookupOf, Municipality, NodeId, Offer, PaceChange, Survey, Target, Wait, Words,
};
use gudok_sdk::directory::EntryKind;

const PRIORITY_MAX: i64 = 9;
const LEVEL_MAX: i64 = 10;
const SECONDS_MAX: i64 = 300;
const SECONDS_DEFAULT: u16 = 60;
/// A mark is one key.
const MARKS_MAX: i64 = 9;
const MARKS_DEFAULT: u8 = 5;

type Start = Option<NodeId>;

pub(super) fn queue(fields: &mut Fields<'_, '_>, names: &Names, start: Start) -> Option<Act> {
    let queue = text(fields, "queue");
    let say = said(fields, "say", names);
    let priority = fields.optional("priority").and_then(|at| at.integer(0..=PRIORITY_MAX));
    let skills = fields.optional("skills").and_then(|at| at.fields());
    let skill =
        |(name, at): (&str, super::fields::At<'_, '_>)| Some((name.to_owned(), small(at.integer(1..=LEVEL_MAX)?)));
    let skills = skills.iter().flat_map(Fields::each).filter_map(skill).collect();
    let music = fields.optional("music").and_then(|at| at.text()).map(str::to_owned);
    let show = texts(fields, "show");
    let then = where_to(fields, "then", names, start);
    let failed = required(fields, "failed", names, start);
    let closed = where_to(fields, "closed", names, start);
    let full = where_to(fields, "full", names, start);
    let failed = failed?;
    Some(Act::Queue(Wait {
        say,
        queue: queue?,
        priority: priority.map(small).unwrap_or_default(),
        skills,
        music,
        show,
        then,
        closed: closed.unwrap_or(failed),
        full: full.unwrap_or(failed),
        failed,
    }))
}

pub(super) fn callback(fields: &mut Fields<'_, '_>, names: &Names, start: Start) -> Option<Act> {
    let queue = text(fields, "queue");
    let topic = fields.optional("topic").and_then(|at| at.text()).unwrap_or_default().to_owned();
    let intro = said(fields, "intro", names);
    let booked = required(fields, "booked", names, start);
    let declined = required(fields, "declined", names, start);
    let failed = where_to(fields, "failed", names, start);
    let declined = declined?;
    Some(Act::Callback(Offer {
        queue: queue?,
        topic,
        intro,
        booked: booked?,
        declined,
        failed: failed.unwrap_or(declined),
    }))
}

pub(super) fn directory(fields: &mut Fields<'_, '_>, names: &Names, start: Start) -> Option<Act> {
    let kinds = [
        ("service", EntryKind::Service),
        ("document", EntryKind::Document),
        ("term", EntryKind::Term),
        ("official", EntryKind::Official),
        ("appeal", EntryKind::Appeal),
        ("faq", EntryKind::Faq),
    ];
    let mut asked = Vec::new();
    if fields.has("office") {
        asked.push(LookupOf::Office(texts(fields, "office")));
    }
    if let Some(kind) = one_of(fields, "entry", &kinds) {
        let topic = fields.optional("topic").and_then(|at| at.text()).map(str::to_owned);
        asked.push(LookupOf::Entry(kind, topic));
    }
    if let Some(words) = fields.optional("faq").and_then(|at| at.text()) {
        asked.push(LookupOf::Faq(words.to_owned()));
    }
    let municipality = municipality(fields);
    let then = required(fields, "then", names, start);
    let failed = required(fields, "failed", names, start);
    let nothing = where_to(fields, "nothing", names, start);
    if asked.len() != 1 {
        fields.fault("ask exactly one of office, entry, faq");
        return None;
    }
    let failed = failed?;
    Some(Act::Directory(Lookup {
        what: asked.pop()?,
        municipality,
        then: then?,
        nothing: nothing.unwrap_or(failed),
        failed,
    }))
}

fn municipality(fields: &mut Fields<'_, '_>) -> Option<Municipality> {
    let code = fields.optional("municipality").and_then(|at| at.text()).map(str::to_owned);
    let cell = fields.optional("municipality_of").and_then(|at| at.text()).map(str::to_owned);
    if code.is_some() && cell.is_some() {
        fields.fault("give municipality or municipality_of, not both");
    }
    code.map(Municipality::Code).or(cell.map(Municipality::Cell))
}

pub(super) fn wrong(fields: &mut Fields<'_, '_>, names: &Names, start: Start) -> Option<Act> {
    let to = text(fields, "to");
    let then = required(fields, "then", names, start);
    let failed = required(fields, "failed", names, start);
    Some(Act::Wrong { to: to?, then: then?, failed: failed? })
}

pub(super) fn complaint(fields: &mut Fields<'_, '_>, names: &Names, start: Start) -> Option<Act> {
    let to = text(fields, "to");
    let say = said(fields, "say", names);
    let consent = said(fields, "consent", names);
    let seconds = fields.optional("seconds_max").and_then(|at| at.integer(1..=SECONDS_MAX));
    let told = texts(fields, "fields");
    let then = required(fields, "then", names, start);
    let failed = required(fields, "failed", names, start);
    let refused = where_to(fields, "refused", names, start);
    let failed = failed?;
    Some(Act::Complaint(Complaint {
        to: to?,
        say,
        consent,
        seconds_max: seconds.and_then(|value| u16::try_from(value).ok()).unwrap_or(SECONDS_DEFAULT),
        fields: told,
        then: then?,
        refused: refused.unwrap_or(failed),
        failed,
    }))
}

pub(super) fn survey(fields: &mut Fields<'_, '_>, names: &Names, defaults: &Defaults, start: Start) -> Option<Act> {
    let question = question(fields, names, defaults, start);
    let survey = text(fields, "survey");
    let name = text(fields, "question");
    let marks = fields.optional("marks").and_then(|at| at.integer(2..=MARKS_MAX));
    let then = required(fields, "then", names, start);
    Some(Act::Survey(Survey {
        question: question?,
        survey: survey?,
        name: name?,
        marks: marks.map_or(MARKS_DEFAULT, small),
        then: then?,
    }))
}

pub(super) fn pace(fields: &mut Fields<'_, '_>, names: &Names, start: Start) -> Option<Act> {
    let known = [("slow", PaceChange::Slow), ("normal", PaceChange::Normal), ("@other", PaceChange::Other)];
    if !fields.has("pace") {
        fields.fault("has no pace; one of slow, normal, @other");
    }
    let pace = one_of(fields, "pace", &known);
    let then = required(fields, "then", names, start);
    Some(Act::Pace { pace: pace?, then: then? })
}

fn text(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    fields.required(key).and_then(|at| at.text()).map(str::to_owned)
}

fn said(fields: &mut Fields<'_, '_>, key: &'static str, names: &Names) -> Words {
    optional_words(fields, key, names).unwrap_or_default()
}

fn required(fields: &mut Fields<'_, '_>, key: &'static str, names: &Names, start: Start) -> Option<Target> {
    fields.required(key).and_then(|at| target(&at, names, start))
}

fn where_to(fields: &mut Fields<'_, '_>, key: &'static str, names: &Names, start: Start) -> Option<Target> {
    fields.optional(key).and_then(|at| target(&at, names, start))
}

/// Of a range that was checked.
fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or_default()
}
