//! A form: what was written into it, and what is wrong with that.

use super::format;
use super::texts::Lang;
use crate::problem::{Problem, codes};
use jiff::tz::TimeZone;
use std::str::FromStr;

/// Fields of a form that are looked at.
const FIELDS_MAX: usize = 512;

/// What fields are called, as keys, for the summary of what is wrong with a form.
const LABELS: &[(&str, &str)] = &[
    ("abandon_percent_over", "guard.abandon"),
    ("abandoned_permille_max", "campaign.abandoned_max"),
    ("agencies", "overlay.agencies"),
    ("agency", "field.agency"),
    ("areas", "emergency.areas"),
    ("attempts_max", "campaign.attempts_max"),
    ("attempts_per_day_max", "campaign.attempts_per_day_max"),
    ("audio", "emergency.audio"),
    ("bundle", "upload.file"),
    ("call_id", "call.id"),
    ("calls_max", "campaign.calls_max"),
    ("calls_per_s_max", "campaign.calls_per_s_max"),
    ("cdr_days", "retention.cdr"),
    ("comment", "key.comment"),
    ("config", "entry.config"),
    ("contact", "ticket.contact"),
    ("cpu_times_max", "guard.cpu"),
    ("days", "token.days"),
    ("deadline", "campaign.deadline"),
    ("drain_min", "deploy.drain"),
    ("emergency", "campaign.emergency"),
    ("entry", "deployments.entry"),
    ("expires", "overlay.expires"),
    ("fallback", "agency.fallback"),
    ("fields", "directory.fields"),
    ("file", "directory.file"),
    ("from", "records.from"),
    ("full_name", "user.full_name"),
    ("hours", "search.hours"),
    ("id", "directory.id"),
    ("kind", "directory.kind"),
    ("label", "token.label"),
    ("landing_percent_over", "guard.landing"),
    ("lang", "language"),
    ("lines_per_operator_tenths_max", "campaign.lines"),
    ("name", "agency.name"),
    ("not_before", "key.from"),
    ("number", "number.number"),
    ("numbers", "emergency.numbers"),
    ("outbound", "agency.outbound"),
    ("over_opt_outs", "campaign.over_opt_outs"),
    ("password", "user.password"),
    ("phone", "supervise.phone"),
    ("priority", "campaign.priority"),
    ("public_key", "key.public"),
    ("queue", "field.queue"),
    ("reachable", "agency.reachable"),
    ("reason", "subjects.reason"),
    ("recording_days", "retention.recording"),
    ("retries", "campaign.retries"),
    ("ring_s", "campaign.ring_s"),
    ("sample_min", "guard.sample_min"),
    ("score", "mark.score"),
    ("script_failures_max", "campaign.script_failures_max"),
    ("secrets", "entry.secrets"),
    ("share_percent", "deploy.share"),
    ("shown", "campaign.shown"),
    ("starts", "campaign.starts"),
    ("story", "ticket.text"),
    ("target", "transfer.target"),
    ("text", "overlay.text"),
    ("title", "agency.title"),
    ("topic", "ticket.topic"),
    ("trace_days", "retention.trace"),
    ("trap_percent_over", "guard.trap"),
    ("trunk", "campaign.trunk"),
    ("until", "records.until"),
    ("version", "deployment.version"),
    ("watch_min", "guard.watch"),
    ("window", "campaign.window"),
    ("windows", "campaign.windows"),
    ("wrap_up_codes", "guide.codes"),
];

/// What is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The field, or nothing where it is the form as a whole.
    pub(crate) field: String,
    /// What.
    pub(crate) problem: String,
    /// What to do.
    pub(crate) remedy: String,
}

/// An option of a `<select>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What is sent.
    pub(crate) value: String,
    /// What is read.
    pub(crate) text: String,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self { value: value.into(), text: text.into() }
    }

    /// Words that stand for themselves.
    pub(crate) fn all<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Vec<Self> {
        words.into_iter().map(|word| Self::new(word.as_ref(), word.as_ref())).collect()
    }

    /// The same after an option for none of them.
    pub(crate) fn or<T: AsRef<str>>(none: &str, words: impl IntoIterator<Item = T>) -> Vec<Self> {
        let mut choices = vec![Self::new("", none)];
        choices.extend(Self::all(words));
        choices
    }
}

/// A form's values, as they came or as they are shown first, and what is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    prefix: &'static str,
    values: Vec<(String, String)>,
    wrongs: Vec<Wrong>,
}

impl Form {
    /// An empty one. Forms on the same page have ids of their own by the prefix.
    pub(crate) fn new(prefix: &'static str) -> Self {
        Self { prefix, ..Self::default() }
    }

    /// From `application/x-www-form-urlencoded`.
    pub(crate) fn of(pairs: Vec<(String, String)>) -> Self {
        Self { values: pairs.into_iter().take(FIELDS_MAX).collect(), ..Self::default() }
    }

    pub(crate) fn named(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.push((name.to_owned(), value.into()));
        self
    }

    /// The same without a value that no page may show again.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.values.retain(|(known, _)| known != name);
        self
    }

    /// Sets a value where none came.
    pub(crate) fn or(self, name: &str, value: impl Into<String>) -> Self {
        if self.values.iter().any(|(known, _)| known == name) { self } else { self.with(name, value) }
    }

    // What templates ask.

    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.values.iter().any(|(known, has)| known == name && has == value)
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.values
            .iter()
            .filter(|(known, value)| known == name && !value.is_empty())
            .map(|(_, v)| v.as_str())
            .collect()
    }

    pub(crate) fn wrong(&self, name: &str) -> Option<&Wrong> {
        self.wrongs.iter().find(|wrong| wrong.field == name)
    }

    pub(crate) fn wrongs(&self) -> &[Wrong] {
        &self.wrongs
    }

    pub(crate) fn has_wrong(&self) -> bool {
        !self.wrongs.is_empty()
    }

    /// Whether the summary can lead to the field.
    pub(crate) fn knows(&self, field: &str) -> bool {
        self.values.iter().any(|(known, _)| known == field)
    }

    /// What a field is called, where it is one of ours.
    pub(crate) fn label(field: &str) -> Option<&'static str> {
        LABELS.iter().find(|(known, _)| *known == field).map(|(_, key)| *key)
    }

    /// Whether the guard's figures are shown: where something is wrong with one.
    pub(crate) fn guard_open(&self) -> bool {
        self.wrongs.iter().any(|wrong| super::deploying::GUARD_FIELDS.contains(&wrong.field.as_str()))
    }

    // What handlers ask: each notes what is wrong.

    pub(crate) fn text(&self, name: &str) -> String {
        self.value(name).trim().to_owned()
    }

    pub(crate) fn checked(&self, name: &str) -> bool {
        self.value(name) == "true"
    }

    pub(crate) fn filled(&mut self, lang: Lang, name: &str) -> String {
        let text = self.text(name);
        if text.is_empty() {
            self.blame(lang, name, "required", &[]);
        }
        text
    }

    /// Notes what the console itself finds wrong with a field.
    pub(crate) fn blame(&mut self, lang: Lang, field: &str, code: &str, values: &[(&str, &str)]) {
        self.wrongs.push(Wrong {
            field: field.to_owned(),
            problem: lang.fill(&format!("problem.{code}"), values),
            remedy: lang.fill(&format!("problem.{code}.remedy"), values),
        });
    }

    /// A whole number, or nothing where nothing was written.
    pub(crate) fn whole(&mut self, lang: Lang, name: &str, range: (u32, u32)) -> Option<u32> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok().filter(|number| (range.0..=range.1).contains(number));
        if number.is_none() {
            self.out_of_range(lang, name, range);
        }
        number
    }

    /// A number with a fraction, written with a point or a comma.
    pub(crate) fn fraction(&mut self, lang: Lang, name: &str, range: (u32, u32)) -> Option<f64> {
        let text = self.text(name).replace(',', ".");
        if text.is_empty() {
            return None;
        }
        let (low, high) = (f64::from(range.0), f64::from(range.1));
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        if number.is_none() {
            self.out_of_range(lang, name, range);
        }
        number
    }

    fn out_of_range(&mut self, lang: Lang, name: &str, (min, max): (u32, u32)) {
        let (min, max) = (format::number(lang, u64::from(min)), format::number(lang, u64::from(max)));
        self.blame(lang, name, "number", &[("min", &min), ("max", &max)]);
    }

    /// A moment of the node's time zone, or nothing where nothing was written.
    pub(crate) fn moment(&mut self, lang: Lang, zone: &TimeZone, name: &str) -> Option<u64> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        let ms = format::of_local_input(zone, &text);
        if ms.is_none() {
            self.blame(lang, name, "moment", &[]);
        }
        ms
    }

    /// A name of its kind; what it may be is said by the kind.
    pub(crate) fn parsed<T: FromStr<Err = Problem>>(&mut self, lang: Lang, name: &str) -> Option<T> {
        let text = self.text(name);
        if text.is_empty() {
            self.blame(lang, name, "required", &[]);
            return None;
        }
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                self.wrongs.push(Wrong { field: name.to_owned(), ..wrong_of(lang, &problem) });
                None
            }
        }
    }

    /// The same, where the field may stay empty.
    pub(crate) fn parsed_some<T: FromStr<Err = Problem>>(&mut self, lang: Lang, name: &str) -> Option<T> {
        if self.text(name).is_empty() { None } else { self.parsed(lang, name) }
    }

    /// The revision that the reader saw.
    pub(crate) fn revision(&self) -> Option<u64> {
        self.text("revision").parse().ok()
    }

    /// Every name and value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The field of this form that a service's field is written in.
    fn own_field(&self, field: &str) -> String {
        let renamed = match field {
            "guard.watch_s" => "watch_min",
            "drain_s" => "drain_min",
            "operators.queue" => "queue",
            _ if field.starts_with("operators.") => field.trim_start_matches("operators."),
            "body" => "bundle",
            _ => field.strip_prefix("guard.").unwrap_or(field),
        };
        if let Some((at, of)) = renamed.strip_prefix("roles[").and_then(|rest| rest.split_once("].")) {
            return format!("{of}_{at}");
        }
        let first = renamed.split(['.', '[', '/']).next().unwrap_or_default();
        if self.knows(renamed) { renamed.to_owned() } else { first.to_owned() }
    }

    /// Notes what a service refused.
    pub(crate) fn refused(&mut self, lang: Lang, problem: &Problem) {
        self.wrongs.push(Wrong { field: self.own_field(problem.at().unwrap_or_default()), ..wrong_of(lang, problem) });
    }
}

/// A service's refusal, in the reader's language.
pub(crate) fn wrong_of(lang: Lang, problem: &Problem) -> Wrong {
    let key = format!("problem.{}", problem.code());
    let correlation = problem.correlation().unwrap_or_default();
    let known = lang.find(&key).is_some();
    // The detail names the very thing and is English: English readers get it, others the kind of refusal, and the
    // detail where the kind says too little.
    let vague =
        problem.is(&codes::INVALID) || problem.is(&codes::CONFLICTING) || problem.is(&codes::CONFIGURATION_REFUSED);
    let says = match (lang, known) {
        (Lang::En, _) | (_, false) => problem.detail().to_owned(),
        (_, true) if vague => format!("{} {}", lang.text(&key), problem.detail()),
        (_, true) => lang.text(&key).to_owned(),
    };
    let remedy = match (lang, known) {
        (Lang::En, _) | (_, false) => problem.what_to_do().to_owned(),
        (_, true) => lang.fill(&format!("{key}.remedy"), &[("correlation", correlation)]),
    };
    Wrong { field: String::new(), problem: says, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_wrongly_is_said_beside_its_field() {
        let pairs = [("share_percent", "101"), ("cpu_times_max", "2,5"), ("from", "soon"), ("entry", " ")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let mut form = Form::of(pairs).named("d-");
        assert_eq!(form.whole(Lang::Ru, "share_percent", (1, 100)), None);
        assert_eq!(form.fraction(Lang::Ru, "cpu_times_max", (1, 100)), Some(2.5));
        assert_eq!(form.moment(Lang::Ru, &TimeZone::UTC, "from"), None);
        assert_eq!(form.filled(Lang::Ru, "entry"), "");
        assert_eq!(form.whole(Lang::Ru, "drain_min", (1, 60)), None, "an empty field is none, not wrong");
        let fields: Vec<&str> = form.wrongs().iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["share_percent", "from", "entry"]);
        assert_eq!(form.wrong("share_percent").unwrap().problem, "Нужно число от 1 до 100.");
        assert_eq!(form.id("from"), "d-from");
    }

    #[test]
    fn every_field_is_called_something() {
        for (field, key) in LABELS {
            for lang in Lang::ALL {
                assert!(lang.find(key).is_some(), "{field} is called nothing in {}", lang.tag());
            }
        }
    }

    #[test]
    fn a_refusal_is_said_in_the_readers_language() {
        let problem = Problem::invalid("roles[0].agency", "No such agency.");
        let mut form = Form::new("");
        form.refused(Lang::Ru, &problem);
        form.refused(Lang::En, &problem);
        assert_eq!(form.wrongs()[0].field, "agency_0");
        assert_eq!(form.wrongs()[0].problem, "Значение не подходит. No such agency.");
        assert_eq!(form.wrongs()[1].problem, "No such agency.");
    }

    #[test]
    fn every_refusal_of_a_form_has_words_in_both_languages() {
        let elsewhere = [
            "bad-query",
            "bad-path",
            "bad-json",
            "bad-header",
            "bad-cursor",
            "unauthenticated",
            "method-not-allowed",
            "not-acceptable",
            "shown-once",
            "done-already",
            "under-way",
            "uri-too-long",
            "unsupported-type",
            "range",
            "misdirected",
            "idempotency-key-reused",
            "precondition-required",
            "headers-too-large",
            "not-ready",
        ];
        for code in codes::ALL.iter().filter(|code| !elsewhere.contains(&code.code)) {
            for lang in Lang::ALL {
                assert!(lang.find(&format!("problem.{}", code.code)).is_some(), "{} {}", lang.tag(), code.code);
                assert!(lang.find(&format!("problem.{}.remedy", code.code)).is_some(), "{} {}", lang.tag(), code.code);
            }
        }
    }
}
