//! Which question of one version is the same as which of another, and what its answer is there.

use crate::journal::{asked, plain};
use serde_json::{Value, json};

/// What kind of host call a function is: what its answer depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// On the script's own bundle, its grants and what the call began with.
    Own,
    /// On nothing: the host is told something.
    Told,
    /// On how far a person listens.
    Prompt,
    /// On the moment.
    Moment,
    /// On what is asked, wherever in the call.
    Lookup,
    /// On a person or on somebody else's work, each in its turn.
    Turn,
}

pub(super) fn kind(function: &str) -> Kind {
    match function {
        "telephony.call.info"
        | "telephony.call.digits"
        | "host.config"
        | "host.data"
        | "host.granted"
        | "storage.bucket.open"
        | "secrets.secret-named" => Kind::Own,
        "host.log"
        | "host.step"
        | "host.count"
        | "telephony.call.answer"
        | "telephony.call.early-media"
        | "telephony.call.tag"
        | "telephony.call.set-language"
        | "telephony.call.set-pace"
        | "telephony.call.send-dtmf"
        | "telephony.player.pause"
        | "telephony.player.resume"
        | "telephony.player.seek"
        | "telephony.collector.flush"
        | "recording.recorder.pause"
        | "recording.recorder.resume"
        | "queues.queue-ticket.leave" => Kind::Told,
        "telephony.call.say"
        | "telephony.call.play-background"
        | "telephony.call.wait"
        | "telephony.player.wait"
        | "telephony.player.stop" => Kind::Prompt,
        "host.now-millis" | "host.now-local" | "host.random-u64" | "host.draining" | "telephony.call.ended" => {
            Kind::Moment
        }
        _ if function.ends_with(".drop") => Kind::Told,
        _ if ["storage.", "fetch.", "directory.", "secrets-reveal."].iter().any(|room| function.starts_with(room)) => {
            Kind::Lookup
        }
        _ => Kind::Turn,
    }
}

/// The answer to a question that was asked by the journal's version, for the version that asks now.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Same {
    /// It is the same question.
    Answer {
        result: Value,
        /// What is different all the same, in words.
        differs: Option<String>,
    },
    /// It is another one; says why.
    Another(String),
}

/// Whether a person, or whoever was asked in turn, was asked the same.
pub(super) fn same_turn(function: &str, was: &Value, is: &Value, result: &Value) -> Same {
    let same = |differs: Option<&str>| Same::Answer { result: result.clone(), differs: differs.map(str::to_owned) };
    let (old, new) = (arg(was, 1), arg(is, 1));
    let equal = |places: &[&str]| places.iter().all(|place| old[*place] == new[*place]);
    match function {
        "telephony.call.collect" => same_collect(old, new, result),
        "transfer.transfer" if old != new || arg(was, 2)["mode"] != arg(is, 2)["mode"] => {
            Same::Another("the caller is handed to somebody else".to_owned())
        }
        "queues.enqueue" if !equal(&["queue"]) => Same::Another("the caller waits in another queue".to_owned()),
        "promises.offer-callback" if !equal(&["queue"]) => Same::Another("it is offered for another queue".to_owned()),
        "promises.request-callback" if !same_fields(was, is, &["queue", "number"]) => {
            Same::Another("it is booked for another queue or number".to_owned())
        }
        "promises.submit-ticket" if !same_fields(was, is, &["kind", "to_agency"]) => {
            Same::Another("the ticket goes to another agency, or is of another kind".to_owned())
        }
        "promises.submit-survey" if arg(was, 0) != arg(is, 0) => Same::Another("it is another survey".to_owned()),
        "telephony.call.reject" if old != new => Same::Another("the call is rejected for another reason".to_owned()),
        _ if was == is => same(None),
        _ => same(Some("asks in other words, or with other options")),
    }
}

fn same_fields(was: &Value, is: &Value, places: &[&str]) -> bool {
    places.iter().all(|place| arg(was, 0)[*place] == arg(is, 0)[*place])
}

fn arg(args: &Value, nth: usize) -> &Value {
    args.get(nth).unwrap_or(&Value::Null)
}

/// What was entered, as the grammar of another question takes it.
fn same_collect(old: &Value, new: &Value, result: &Value) -> Same {
    let (old_kind, new_kind) = (grammar(old).0, grammar(new).0);
    if old_kind != new_kind {
        return Same::Another(format!("asks for {new_kind} where {old_kind} were asked for"));
    }
    let differs = (old != new).then(|| differences(old, new));
    let answer = |result: Value| Same::Answer { result, differs: differs.clone() };
    if old["grammar"] == new["grammar"] && old["global_keys"] == new["global_keys"] {
        return answer(result.clone());
    }
    let Some(outcome) = result.get("ok") else { return answer(result.clone()) };
    let Some((keys, attempt)) = keys_of(outcome, old) else { return answer(result.clone()) };
    if let Some(value) = value_of(&new["global_keys"], &keys) {
        return answer(json!({"ok": {"Global": value}}));
    }
    match grammar(new) {
        (_, Some(choices @ Value::Array(_))) => match value_of(choices, &keys) {
            Some(value) => {
                let collected = json!({"value": {"Text": value}, "raw": keys, "mode": "ByKeys", "confidence": 100,
                    "attempt": attempt});
                answer(json!({"ok": {"Ok": collected}}))
            }
            None if outcome.get("NoMatch").is_some() => answer(result.clone()),
            None => Same::Another(format!("the caller pressed a key that means nothing here: {}", shown(&keys, new))),
        },
        (_, Some(rule @ Value::Object(_))) if outcome.get("Ok").is_some() => {
            let len = u64::try_from(keys.chars().count()).unwrap_or(u64::MAX);
            let fits =
                |place: &str, holds: fn(u64, u64) -> bool| rule[place].as_u64().is_none_or(|max| holds(len, max));
            match fits("min", |len, min| len >= min) && fits("max", |len, max| len <= max) {
                true => answer(result.clone()),
                false => Same::Another("what the caller entered is too long or too short here".to_owned()),
            }
        }
        _ if outcome.get("Global").is_some() => {
            Same::Another(format!("the caller pressed a key that leads nowhere here: {}", shown(&keys, new)))
        }
        _ => answer(result.clone()),
    }
}

/// The kind of a grammar, and its rule.
fn grammar(options: &Value) -> (String, Option<&Value>) {
    match &options["grammar"] {
        Value::Object(kinds) => {
            kinds.iter().next().map_or_else(Default::default, |(kind, rule)| (kind.to_lowercase(), Some(rule)))
        }
        other => (plain(other).to_lowercase(), None),
    }
}

/// Which keys led to an outcome, and at which attempt; none where there were none.
fn keys_of(outcome: &Value, options: &Value) -> Option<(String, Value)> {
    if let Some(collected) = outcome.get("Ok") {
        return Some((collected["raw"].as_str()?.to_owned(), collected["attempt"].clone()));
    }
    if let Some(value) = outcome.get("Global") {
        let choices = options["global_keys"].as_array()?;
        let choice = choices.iter().find(|choice| choice["value"] == *value)?;
        return Some((choice["key"].as_str()?.to_owned(), json!(1)));
    }
    Some((outcome.get("NoMatch")?.as_str()?.to_owned(), json!(1)))
}

fn value_of(choices: &Value, keys: &str) -> Option<Value> {
    let choice = choices.as_array()?.iter().find(|choice| choice["key"].as_str() == Some(keys))?;
    Some(choice["value"].clone())
}

fn shown(keys: &str, options: &Value) -> String {
    if options["sensitive"] == Value::Bool(true) { "<sensitive>".to_owned() } else { keys.to_owned() }
}

fn differences(old: &Value, new: &Value) -> String {
    const NAMED: [(&str, &str); 6] = [
        ("prompt", "in other words"),
        ("grammar", "with other keys"),
        ("global_keys", "with other global keys"),
        ("sensitive", "as sensitive, or no longer so"),
        ("first_timeout", "with another patience"),
        ("retry", "with other retries"),
    ];
    let named = NAMED.iter().filter(|(place, _)| old[*place] != new[*place]).map(|(_, words)| *words);
    match named.collect::<Vec<_>>().join(", ") {
        words if words.is_empty() => "asks with other options".to_owned(),
        words => format!("asks {words}"),
    }
}

/// A host call for people who ask where two versions part.
pub(super) fn in_words(function: &str, masked_args: &Value) -> String {
    asked(function, masked_args)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(keys: &[(&str, &str)], global: &[(&str, &str)]) -> Value {
        let list = |keys: &[(&str, &str)]| -> Vec<Value> {
            keys.iter().map(|(key, value)| json!({"key": key, "value": value, "phrases": []})).collect()
        };
        json!([0, {"grammar": {"Choices": list(keys)}, "global_keys": list(global), "sensitive": false}])
    }

    fn entered(value: &str, raw: &str) -> Value {
        json!({"ok": {"Ok": {"value": {"Text": value}, "raw": raw, "mode": "ByKeys", "confidence": 100, "attempt": 1}}})
    }

    #[test]
    fn a_key_keeps_its_meaning_or_the_versions_part() {
        let check = |is: Value, result: Value, expect: Option<Value>| {
            let was = choices(&[("1", "one"), ("2", "two")], &[("0", "operator")]);
            match (same_turn("telephony.call.collect", &was, &is, &result), expect) {
                (Same::Answer { result, .. }, Some(expect)) => assert_eq!(result, expect),
                (Same::Another(_), None) => {}
                (other, expect) => panic!("{is}: {other:?} and not {expect:?}"),
            }
        };
        let more = choices(&[("1", "one"), ("2", "two"), ("3", "three")], &[("0", "operator")]);
        check(more, entered("one", "1"), Some(entered("one", "1")));
        let other_value = choices(&[("1", "first")], &[]);
        check(other_value, entered("one", "1"), Some(entered("first", "1")));
        check(choices(&[("2", "two")], &[]), entered("one", "1"), None);
        let global = choices(&[("2", "two")], &[("1", "back")]);
        check(global, entered("one", "1"), Some(json!({"ok": {"Global": "back"}})));
        let operator = json!({"ok": {"Global": "operator"}});
        check(
            choices(&[("1", "one")], &[("0", "person")]),
            operator.clone(),
            Some(json!({"ok": {"Global": "person"}})),
        );
        check(choices(&[("1", "one")], &[]), operator, None);
        check(choices(&[("1", "one")], &[]), json!({"ok": "NoInput"}), Some(json!({"ok": "NoInput"})));
        let gone = json!({"error": {"Ended": "CallerHangup"}});
        check(choices(&[("9", "nine")], &[]), gone.clone(), Some(gone));
        let wrong = json!({"ok": {"NoMatch": "7"}});
        check(choices(&[("7", "seven")], &[]), wrong.clone(), Some(entered("seven", "7")));
        check(choices(&[("1", "one")], &[]), wrong.clone(), Some(wrong));
        check(json!([0, {"grammar": {"Digits": {"min": 1, "max": 4}}}]), entered("one", "1"), None);
    }

    #[test]
    fn digits_must_fit() {
        let rule = |max: u32| json!([0, {"grammar": {"Digits": {"min": 1, "max": max}}, "global_keys": []}]);
        let answer = |max| same_turn("telephony.call.collect", &rule(4), &rule(max), &entered("1234", "1234"));
        assert!(matches!(answer(6), Same::Answer { .. }));
        assert!(matches!(answer(3), Same::Another(_)));
    }

    #[test]
    fn whom_a_caller_is_handed_to_matters() {
        let to = |group: &str, music: &str| json!([0, {"Group": group}, {"mode": "Bridge", "music": music}]);
        let busy = json!({"ok": "Busy"});
        let check = |is: &Value| same_turn("transfer.transfer", &to("desk", "tune"), is, &busy);
        assert_eq!(check(&to("desk", "tune")), Same::Answer { result: busy.clone(), differs: None });
        assert!(matches!(check(&to("desk", "song")), Same::Answer { differs: Some(_), .. }));
        assert!(matches!(check(&to("night", "tune")), Same::Another(_)));
    }
}
