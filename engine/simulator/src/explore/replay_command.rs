//! The command that lets a person meet a finding: the call as it was explored, and what happens in it.

use crate::decide::{CallOf, Decisions};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;

/// `gudok call --local TARGET --keys …`: the call, and what is done in it.
pub(super) fn replay_command(
    target: &str,
    config: &BTreeMap<String, String>,
    call: &CallOf,
    keys: &Decisions,
) -> String {
    let keys = keys.to_string();
    // Keys are changed and tried again: double quotation marks are easier to find one's way in.
    let keys = if keys.contains(['"', '\\', '$', '`', '!']) { quoted(&keys) } else { format!("\"{keys}\"") };
    format!("{} --keys {keys}", call_command(target, config, call))
}

/// `gudok call --local TARGET`, with all of the call that is not as usual. The engine's own routes are in no command: a
/// local call has everything that the manifest names.
pub(super) fn call_command(target: &str, config: &BTreeMap<String, String>, call: &CallOf) -> String {
    let mut command = format!("gudok call --local {}", quoted(target));
    let mut option = |name: &str, value: &str| {
        command.push_str(&format!(" --{name} {}", quoted(value)));
    };
    if let Some(entry) = &call.entry {
        option("entry", entry);
    }
    if let Some(lang) = &call.lang {
        option("lang", lang);
    }
    if let Some(at) = call.at.and_then(moment) {
        option("at", &at);
    }
    if call.anonymous {
        option("from", "withheld");
    } else if let Some(caller) = &call.caller {
        option("from", caller);
    }
    for (key, value) in config {
        option("config", &format!("{key}={value}"));
    }
    if !call.contact.is_empty() {
        let columns: serde_json::Map<_, _> =
            call.contact.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        option("contact", &serde_json::Value::Object(columns).to_string());
    }
    if call.seed != CallOf::default().seed {
        option("seed", &call.seed.to_string());
    }
    if call.is_on_machine() {
        command.push_str(" --on-machine");
    }
    command
}

/// None that is beyond all calendars: no command line says it.
fn moment(at: Timestamp) -> Option<String> {
    let ms = i64::try_from(at.as_millis()).ok()?;
    jiff::Timestamp::from_millisecond(ms).ok().map(|at| at.to_string())
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@+".contains(c)) && !text.is_empty();
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callee::Callee;
    use crate::caller::Caller;
    use std::time::Duration;

    fn check(target: &str, call: &CallOf, keys: &str, expect: &str) {
        assert_eq!(replay_command(target, &BTreeMap::new(), call, &keys.parse().unwrap()), expect);
    }

    #[test]
    fn the_usual_call_is_told_by_its_keys() {
        check(".", &CallOf::default(), "1 silence", "gudok call --local . --keys \"1 silence\"");
        check("x-1.0.0.ivr", &CallOf::default(), "", "gudok call --local x-1.0.0.ivr --keys \"\"");
        let person = CallOf { callee: Some(Callee::person(Caller::called())), ..CallOf::default() };
        check(".", &person, "1", "gudok call --local . --keys \"1\"");
    }

    #[test]
    fn what_is_not_as_usual_is_in_the_command() {
        let call = CallOf {
            entry: Some("night".into()),
            lang: Some("en-US".into()),
            at: Some(Timestamp::from_millis(1_777_982_400_000)),
            caller: Some("+79990000001".into()),
            seed: 5,
            ..CallOf::default()
        };
        let expect = "gudok call --local . --entry night --lang en-US --at 2026-05-05T12:00:00Z --from +79990000001 \
                      --seed 5 --keys \"1\"";
        check(".", &call, "1", expect);
        let call = CallOf { anonymous: true, ..CallOf::default() };
        check(".", &call, "1", "gudok call --local . --from withheld --keys \"1\"");
        let config = BTreeMap::from([("fault".to_owned(), "trap".to_owned()), ("say".to_owned(), "it's".to_owned())]);
        let command = replay_command(".", &config, &CallOf::default(), &Decisions::default());
        assert_eq!(command, "gudok call --local . --config 'fault=trap' --config 'say=it'\\''s' --keys \"\"");
    }

    #[test]
    fn a_contact_and_its_machine_are_in_the_command() {
        let contact = vec![("debt".to_owned(), "1 234,56".to_owned()), ("name".to_owned(), "O'Hara \"B\"".to_owned())];
        let callee = Some(Callee::machine(Duration::from_secs(5)));
        let call = CallOf { contact, callee, ..CallOf::default() };
        let expect = "gudok call --local . --contact '{\"debt\":\"1 234,56\",\"name\":\"O'\\''Hara \\\"B\\\"\"}' \
                      --on-machine --keys \"go-on\"";
        check(".", &call, "go-on", expect);
    }

    #[test]
    fn a_shell_takes_every_part_for_one_word() {
        check("my script", &CallOf::default(), "1", "gudok call --local 'my script' --keys \"1\"");
        check("", &CallOf::default(), "1", "gudok call --local '' --keys \"1\"");
        let keys = "back-end:200:{\"place\":3}";
        check(".", &CallOf::default(), keys, "gudok call --local . --keys 'back-end:200:{\"place\":3}'");
        let call = CallOf { entry: Some("$(id)".into()), ..CallOf::default() };
        check(".", &call, "1", "gudok call --local . --entry '$(id)' --keys \"1\"");
    }
}
