//! A call in a conversation's own words: what it must set so that it is this call.

use super::Setting;
use gudok_core::time::Timestamp;
use gudok_simulator::decide::CallOf;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What of a call is not as usual, and the script's configuration over its manifest's.
pub(crate) fn settings(call: &CallOf, config: &BTreeMap<String, String>) -> Vec<Setting> {
    let mut settings = Vec::new();
    settings.extend(call.at.map(|at| Setting::At { time: civil(at) }));
    if call.anonymous {
        settings.push(Setting::Withheld);
    }
    settings.extend(call.caller.iter().map(|number| Setting::From { number: number.clone() }));
    settings.extend(call.lang.iter().map(|language| Setting::Language { language: language.clone() }));
    settings.extend(call.entry.iter().map(|entry| Setting::Entry { entry: entry.clone() }));
    settings.extend(config.iter().map(|(key, value)| Setting::Config { key: key.clone(), value: value.clone() }));
    let columns = call.contact.iter();
    settings.extend(columns.map(|(name, value)| Setting::Contact { name: name.clone(), value: value.clone() }));
    if call.is_on_machine() {
        settings.push(Setting::AnsweredByMachine);
    }
    if call.seed != CallOf::default().seed {
        settings.push(Setting::Seed { seed: call.seed });
    }
    settings
}

/// A moment as conversations write it, in UTC.
pub(crate) fn civil(at: Timestamp) -> String {
    let moment = i64::try_from(at.as_millis()).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.unwrap_or_default().to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Conversation, Step, Tongue, parse};
    use gudok_simulator::Callee;

    #[test]
    fn the_usual_call_sets_nothing() {
        assert_eq!(settings(&CallOf::default(), &BTreeMap::new()), []);
    }

    #[test]
    fn what_is_not_as_usual_is_set_and_can_be_written_down() {
        let call = CallOf {
            entry: Some("night".into()),
            lang: Some("en-US".into()),
            at: Some(Timestamp::from_millis(1_777_982_400_000)),
            caller: Some("+79990000001".into()),
            seed: 5,
            contact: vec![("debt".into(), "1 234,56".into())],
            callee: Some(Callee::answering_machine()),
            ..CallOf::default()
        };
        let config = BTreeMap::from([("fault".to_owned(), "trap".to_owned())]);
        let set = settings(&call, &config);
        assert_eq!(set.first(), Some(&Setting::At { time: "2026-05-05 12:00".into() }));
        assert_eq!(set.len(), 8, "{set:?}");
        let withheld = settings(&CallOf { anonymous: true, ..CallOf::default() }, &BTreeMap::new());
        for settings in [set, withheld] {
            let written = Conversation { title: "who leaves".into(), settings, steps: vec![Step::HangsUp] };
            for tongue in [Tongue::English, Tongue::Russian] {
                let text = written.to_text(tongue);
                let read = parse("x.talk", &text).unwrap();
                assert_eq!(read[0].conversation, written, "{text}");
            }
        }
    }
}
