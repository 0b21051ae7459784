//! What is said: a text, a list of texts and typed pieces, or one of these for each language.

use super::fields::{At, Fields};
use super::nodes::Names;
use crate::model::{Piece, Words};
use core::time::Duration;
use gudok_sdk::{
    Case, Date, Gender, Grouping, IntoPrompt, Money, Number, Prompt, Segment, TimeOfDay, date, media, money, number,
    ordinal, silence, spell, time, tone,
};
use std::rc::Rc;

/// What words may hold where they stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allow {
    /// A cell of a table: no values, so that values end somewhere.
    Segments,
    /// Everything.
    Values,
}

const PIECE_KINDS: [&str; 12] =
    ["number", "ordinal", "time", "date", "money", "digits", "phone", "spell", "media", "pause_ms", "tone", "value"];

pub(super) fn words(at: &At<'_, '_>, names: &Names, allow: Allow) -> Words {
    if at.is_text() || at.is_list() {
        return in_any_language(names, pieces(at, allow));
    }
    let Some(fields) = at.fields() else { return Words::default() };
    let each = fields.each();
    let is_piece = each.iter().any(|(key, _)| PIECE_KINDS.contains(key) || *key == "if_known");
    if is_piece {
        return in_any_language(names, piece(at, allow).into_iter().collect());
    }
    for (key, value) in &each {
        if !names.languages.iter().any(|language| **language == **key) {
            value.fault(format!("{key:?} is not one of the languages {}", names.languages.join(", ")));
        }
    }
    let missing = |language: &&Rc<str>| !each.iter().any(|(key, _)| **key == ***language);
    if let Some(language) = names.languages.iter().find(missing) {
        at.fault(format!("has no words in {language}"));
    }
    // In the order of `languages`, so that the default comes first.
    let by_language = names.languages.iter().filter_map(|language| {
        let (_, at) = each.iter().find(|(key, _)| **key == **language)?;
        Some((Rc::clone(language), pieces(at, allow)))
    });
    Words { by_language: by_language.collect() }
}

fn in_any_language(names: &Names, pieces: Vec<Piece>) -> Words {
    Words { by_language: vec![(Rc::clone(&names.no_language), pieces)] }
}

fn pieces(at: &At<'_, '_>, allow: Allow) -> Vec<Piece> {
    if at.is_text() {
        return text(at).into_iter().collect();
    }
    let list = at.list().unwrap_or_default();
    list.iter().filter_map(|at| if at.is_text() { text(at) } else { piece(at, allow) }).collect()
}

fn text(at: &At<'_, '_>) -> Option<Piece> {
    let text = at.text()?;
    if has_digit(text) {
        at.fault("has digits in a text; write them as a piece, such as { number = 45 }, so that they are said right");
    }
    Some(Piece::Segment(Segment::Text(text.to_owned())))
}

/// Eight bytes at once: all that a menu says passes here at the beginning of every call.
pub(super) fn has_digit(text: &str) -> bool {
    const EACH: u64 = u64::MAX / 0xff;
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    let has = |eight: &[u8; 8]| {
        // A digit is now below ten, and what is not ASCII has its highest bit still.
        let from_zero = u64::from_le_bytes(*eight) ^ (EACH * u64::from(b'0'));
        from_zero.wrapping_sub(EACH * 10) & !from_zero & (EACH * 0x80) != 0
    };
    eights.iter().any(has) || rest.iter().any(u8::is_ascii_digit)
}

fn piece(at: &At<'_, '_>, allow: Allow) -> Option<Piece> {
    let mut fields = at.fields()?;
    if fields.has("value") || fields.has("if_known") {
        if allow == Allow::Segments {
            at.fault("a cell of a table cannot use values itself");
        }
        return value(fields, allow);
    }
    let kind = PIECE_KINDS.into_iter().find(|kind| fields.has(kind));
    let Some(kind) = kind else {
        at.fault(format!("is no piece; known are {}, if_known", PIECE_KINDS.join(", ")));
        return None;
    };
    let value = fields.required(kind)?;
    let segment = segment(kind, &value, &mut fields);
    fields.finish();
    segment.map(Piece::Segment)
}

fn value(mut fields: Fields<'_, '_>, allow: Allow) -> Option<Piece> {
    let piece = if let Some(name) = fields.optional("value") {
        Piece::Value(name.text()?.to_owned())
    } else {
        let name = fields.required("if_known")?.text()?.to_owned();
        let say = fields.required("say")?;
        Piece::IfKnown(name, pieces(&say, allow))
    };
    fields.finish();
    Some(piece)
}

fn segment(kind: &str, value: &At<'_, '_>, fields: &mut Fields<'_, '_>) -> Option<Segment> {
    let wrong = |remedy: &str| {
        value.fault(format!("is not right; {remedy}"));
        None
    };
    match kind {
        "number" => first(inflected(number(value.integer(i64::MIN..=i64::MAX)?), fields)),
        "ordinal" => first(inflected(ordinal(value.integer(0..=1_000_000)?), fields)),
        "time" => TimeOfDay::parse(value.text()?).map(time).or_else(|| wrong("write it like \"08:30\"")),
        "date" => match Date::parse(value.text()?) {
            Some(date) => day(date, fields),
            None => wrong("write it like \"2026-05-05\""),
        },
        "money" => kopecks(value.text()?).map(Money::kopecks).map(money).or_else(|| wrong("write it like \"1500.00\"")),
        "digits" => row(value, grouping(fields)),
        "phone" => row(value, Grouping::Phone),
        "spell" => Some(spell(value.text()?)),
        "media" => Some(media(value.text()?)),
        "pause_ms" => Some(silence(Duration::from_millis(value.integer(1..=10_000)?.unsigned_abs()))),
        "tone" => Some(tone(value.text()?)),
        _ => None,
    }
}

fn row(value: &At<'_, '_>, grouping: Grouping) -> Option<Segment> {
    let digits = value.text()?;
    let plain = digits.strip_prefix('+').unwrap_or(digits);
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        value.fault("is not right; write digits only, in quotes");
        return None;
    }
    first(Segment::Digits(gudok_sdk::bindings::gudok::ivr::prompts::DigitsSpec { digits: digits.to_owned(), grouping }))
}

fn first(piece: impl IntoPrompt) -> Option<Segment> {
    Prompt::new().with(piece).segments.into_iter().next()
}

fn inflected(number: Number, fields: &mut Fields<'_, '_>) -> Number {
    let genders = [("masculine", Gender::Masculine), ("feminine", Gender::Feminine), ("neuter", Gender::Neuter)];
    let number = match one_of(fields, "gender", &genders) {
        Some(gender) => number.gender(gender),
        None => number,
    };
    match case(fields) {
        Some(case) => number.case(case),
        None => number,
    }
}

fn day(value: Date, fields: &mut Fields<'_, '_>) -> Option<Segment> {
    let mut words = date(value);
    if let Some(case) = case(fields) {
        words = words.case(case);
    }
    if fields.optional("year").and_then(|year| year.truth()) == Some(false) {
        words = words.without_year();
    }
    if fields.optional("weekday").and_then(|weekday| weekday.truth()) == Some(true) {
        words = words.with_weekday();
    }
    first(words)
}

fn case(fields: &mut Fields<'_, '_>) -> Option<Case> {
    let cases = [
        ("nominative", Case::Nominative),
        ("genitive", Case::Genitive),
        ("dative", Case::Dative),
        ("accusative", Case::Accusative),
        ("instrumental", Case::Instrumental),
        ("prepositional", Case::Prepositional),
    ];
    one_of(fields, "case", &cases)
}

fn grouping(fields: &mut Fields<'_, '_>) -> Grouping {
    let groupings = [
        ("one-by-one", Grouping::OneByOne),
        ("pairs", Grouping::Pairs),
        ("triples", Grouping::Triples),
        ("snils", Grouping::Snils),
        ("auto", Grouping::Auto),
    ];
    one_of(fields, "grouping", &groupings).unwrap_or(Grouping::Auto)
}

pub(super) fn one_of<T: Copy>(fields: &mut Fields<'_, '_>, key: &'static str, known: &[(&str, T)]) -> Option<T> {
    let at = fields.optional(key)?;
    let name = at.text()?;
    let found = known.iter().find(|(of, _)| *of == name).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        at.fault(format!("is {name:?}; one of {}", names.join(", ")));
    }
    found
}

/// "1500.00" or "1500".
fn kopecks(text: &str) -> Option<i64> {
    let (rubles, kopecks) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(rubles) && digits(kopecks) && kopecks.len() == 2).then_some(())?;
    rubles.parse::<i64>().ok()?.checked_mul(100)?.checked_add(kopecks.parse().ok()?)
}
