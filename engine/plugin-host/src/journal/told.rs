//! A host call in one line, as a person reads it. Made of what is redacted already.

use serde_json::Value;

/// Of one line.
const LINE_CHARS_MAX: usize = 300;

/// What was asked and what was answered.
pub(crate) fn line(function: &str, args: &Value, result: Option<&Value>) -> String {
    let asked = asked(function, args);
    let answered = result.map_or_else(|| "… the script was stopped here".to_owned(), answered);
    let line = match answered.as_str() {
        "" => asked,
        answered => format!("{asked} → {answered}"),
    };
    if line.chars().count() <= LINE_CHARS_MAX {
        return line;
    }
    line.chars().take(LINE_CHARS_MAX - 1).chain(['…']).collect()
}

/// What was asked.
pub(crate) fn asked(function: &str, args: &Value) -> String {
    let arg = |nth: usize| args.get(nth).unwrap_or(&Value::Null);
    match function {
        "telephony.call.say" | "telephony.call.play-background" => {
            format!("{} {}", last(function), prompt(arg(1)))
        }
        "telephony.call.hangup" if !arg(1).is_null() => format!("hangup {}", prompt(arg(1))),
        "telephony.call.collect" => collect(arg(1)),
        "host.log" => format!("log {}: {}", plain(arg(0)).to_lowercase(), plain(arg(1))),
        "host.step" => format!("step {}", plain(arg(0))),
        "fetch.send" | "fetch.start" => {
            let request = arg(0);
            format!("{} {} {}", last(function), plain(&request["method"]).to_uppercase(), plain(&request["url"]))
        }
        "transfer.transfer" => format!("transfer to {}, {}", plain(arg(1)), plain(&arg(2)["mode"]).to_lowercase()),
        "queues.enqueue" => format!("enqueue in {}", plain(&arg(1)["queue"])),
        "promises.submit-ticket" => {
            format!("submit-ticket {} to {}", plain(&arg(0)["kind"]).to_lowercase(), plain(&arg(0)["to_agency"]))
        }
        _ => {
            let shown: Vec<String> = match args {
                Value::Array(args) => args.iter().skip(usize::from(is_method(function))).map(plain).collect(),
                other => vec![plain(other)],
            };
            let shown: Vec<String> = shown.into_iter().filter(|text| !text.is_empty()).collect();
            format!("{} {}", last(function), shown.join(", ")).trim_end().to_owned()
        }
    }
}

/// Its first argument is the resource that it belongs to.
fn is_method(function: &str) -> bool {
    function.matches('.').count() > 1 && !function.ends_with(".open")
}

fn last(function: &str) -> &str {
    function.split_once('.').map_or(function, |(interface, name)| match interface {
        "telephony" => name.strip_prefix("call.").unwrap_or(name),
        _ if is_method(function) => name,
        // One word would not say whose it is.
        _ if name.len() <= 6 => function,
        _ => name,
    })
}

fn collect(options: &Value) -> String {
    let grammar = match &options["grammar"] {
        Value::Object(kinds) => kinds.iter().next().map_or_else(String::new, |(kind, rule)| match rule {
            Value::Array(choices) => {
                let keys: Vec<String> = choices.iter().map(|choice| plain(&choice["key"])).collect();
                format!("choices {}", keys.join(" "))
            }
            Value::Object(_) => format!("{} {} to {}", kind.to_lowercase(), plain(&rule["min"]), plain(&rule["max"])),
            _ => kind.to_lowercase(),
        }),
        other => plain(other).to_lowercase(),
    };
    let global: Vec<String> =
        options["global_keys"].as_array().into_iter().flatten().map(|choice| plain(&choice["key"])).collect();
    let global = if global.is_empty() { String::new() } else { format!(", global {}", global.join(" ")) };
    let sensitive = if options["sensitive"] == Value::Bool(true) { ", sensitive" } else { "" };
    format!("collect {grammar}{global}{sensitive} {}", prompt(&options["prompt"])).trim_end().to_owned()
}

/// What a prompt says, piece by piece.
pub(crate) fn prompt(prompt: &Value) -> String {
    match &prompt["segments"] {
        Value::Array(pieces) => {
            let pieces: Vec<String> = pieces.iter().map(piece).collect();
            format!("“{}”", pieces.join(" "))
        }
        Value::String(hidden) => hidden.clone(),
        _ => String::new(),
    }
}

fn piece(piece: &Value) -> String {
    let Value::Object(kinds) = piece else { return plain(piece) };
    let Some((kind, value)) = kinds.iter().next() else { return String::new() };
    match (kind.as_str(), value) {
        ("Text" | "Ssml" | "Spell", Value::String(text)) => text.clone(),
        ("Media", Value::String(name)) => format!("[{name}]"),
        ("Digits", spec) => plain(&spec["digits"]),
        ("Number" | "Ordinal", spec) => plain(&spec["value"]),
        ("Counted", spec) => format!("{} {}", plain(&spec["value"]), plain(&spec["noun"]["many"])),
        ("Money", spec) => format!("{} {}/100", plain(&spec["currency"]), plain(&spec["minor_units"])),
        ("Date", spec) => {
            let day = &spec["value"];
            format!("{}-{:0>2}-{:0>2}", plain(&day["year"]), plain(&day["month"]), plain(&day["day"]))
        }
        ("Time", spec) => format!("{:0>2}:{:0>2}", plain(&spec["hour"]), plain(&spec["minute"])),
        (kind, value) => format!("<{} {}>", kind.to_lowercase(), plain(value)),
    }
}

fn answered(result: &Value) -> String {
    match result {
        Value::Object(sides) => match (sides.get("ok"), sides.get("error")) {
            (Some(Value::Null), _) => String::new(),
            (Some(value), _) => outcome(value),
            (None, Some(error)) => format!("error {}", plain(error)),
            (None, None) => plain(result),
        },
        other => plain(other),
    }
}

fn outcome(value: &Value) -> String {
    if let Some(entered) = value.get("Ok") {
        return format!("entered {} ({})", plain(&entered["value"]), plain(&entered["raw"]));
    }
    if value.get("finished").is_some() {
        return match (&value["finished"], &value["interrupted_by"]) {
            (Value::Bool(true), _) => "heard".to_owned(),
            (_, Value::Null) => "stopped".to_owned(),
            (_, key) => format!("interrupted by {}", plain(key)),
        };
    }
    match value.get("status") {
        Some(status) => format!("status {}, {}", plain(status), plain(&value["body"])),
        None => plain(value),
    }
}

/// A value without the signs that JSON puts around it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| format!("{name}: {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_host_call_reads_like_a_sentence() {
        let check = |function: &str, args: Value, result: Value, expect: &str| {
            assert_eq!(line(function, &args, Some(&result)), expect);
        };
        let heard = json!({"ok": {"finished": true, "interrupted_by": null, "at": 900}});
        let prompt = json!({"segments": [{"Text": "Здравствуйте"}, {"Media": "tune"}, {"Number": {"value": 21}}]});
        check("telephony.call.say", json!([0, prompt]), heard, "say “Здравствуйте [tune] 21” → heard");
        let choices = json!({"Choices": [{"key": "1", "value": "one"}, {"key": "2", "value": "two"}]});
        let asked = json!({"grammar": choices, "sensitive": false, "prompt": null, "global_keys": [{"key": "0"}]});
        let entered = json!({"ok": {"Ok": {"value": {"Text": "one"}, "raw": "<1 keys>"}}});
        check(
            "telephony.call.collect",
            json!([0, asked]),
            entered,
            "collect choices 1 2, global 0 → entered Text: one (<1 keys>)",
        );
        check("host.step", json!(["main"]), Value::Null, "step main");
        check("host.config", json!(["office"]), json!("centre"), "host.config office → centre");
        check(
            "telephony.call.wait",
            json!([0, 100]),
            json!({"error": {"Ended": "CallerHangup"}}),
            "wait 100 → error Ended: CallerHangup",
        );
        assert_eq!(line("host.now-millis", &json!(null), None), "now-millis → … the script was stopped here");
    }
}
