//! The format: read, written, read again; and what is said of a line that is not understood.

use super::fields::PATTERNS;
use super::*;
use serde_json::json;

fn one(text: &str) -> Conversation {
    let mut all = parse("one.talk", text).unwrap_or_else(|errors| panic!("{:?}", errors.errors));
    assert_eq!(all.len(), 1);
    all.remove(0).conversation
}

#[test]
fn a_conversation_reads_the_same_in_both_tongues() {
    let english = "\
# A remark.
== A place is found
at: 2026-05-05 12:00
zone: Asia/Omsk
from: withheld
config office: 1
stored visits/a b: 5

script says \"Good day…\"
script asks “Press one”
caller presses 1
back end POST /slots gets {\"day\": 5} and answers 200 {
  \"free\": [\"09:00\"]
  }
caller speaks for 5 seconds
operator answers and talks 30 seconds
then the result is served
then result has topic = passport
then visits/\"a b\" was stored as 6
then memory under 2 MiB
then at most 1 second
";
    let russian = "\
== A place is found
время: 2026-05-05 12:00
пояс: Asia/Omsk
звонит: номер скрыт
настройка office: 1
хранится visits/a b: 5

скрипт говорит «Good day…»
скрипт спрашивает «Press one»
абонент нажимает 1
система POST /slots получает {\"day\":5} и отвечает 200 {\"free\":[\"09:00\"]}
абонент говорит 5 секунд
оператор отвечает и говорит 30 секунд

тогда итог served
тогда в итоге topic = passport
тогда сохранено visits/\"a b\" = 6
тогда память меньше 2048 КиБ
тогда не дольше 1 секунды
";
    // A key with a blank is in quotation marks.
    let quoted = |text: &str| text.replace("visits/a b:", "visits/\"a b\":");
    let read = one(&quoted(english));
    assert_eq!(read, one(&quoted(russian)));
    assert_eq!(read.to_text(Tongue::Russian), quoted(russian));
    assert_eq!(one(&read.to_text(Tongue::English)), read);
    assert_eq!(
        read.steps[3],
        Step::BackEndAnswers {
            method: "POST".into(),
            path: "/slots".into(),
            sent: Some(json!({"day": 5})),
            status: 200,
            body: Some(json!({"free": ["09:00"]})),
        }
    );
}

/// Every field of every row with values that are hard to write.
#[test]
fn whatever_is_written_is_read_as_it_was() {
    let texts = [
        "plain",
        "two words",
        " leading",
        "",
        "«inner» quotation",
        "a \"b\" c\\d",
        "line\nbreak",
        "[1]",
        "{\"a\":1}",
        "5",
        "1:2=3",
        "ends:",
        "= x",
        "# no remark",
        "…",
        "then",
        "'single",
        "ё\u{301}\u{200b}x",
        "\"",
        "a\r\nb",
    ];
    let mut tried = 0;
    for pattern in PATTERNS.iter() {
        for (at, text) in texts.iter().enumerate() {
            let mut object = serde_json::Map::new();
            let tag = if pattern.setting { "setting" } else { "step" };
            for piece in &pattern.pieces {
                let fields::Piece::Field { names, kind } = piece else { continue };
                for (nth, name) in names.iter().enumerate() {
                    let text = texts[(at + nth * 7) % texts.len()];
                    let value = match kind {
                        fields::Kind::Keys => json!("12*#"),
                        fields::Kind::Number | fields::Kind::Mebi => json!(at),
                        fields::Kind::Json => json!({"t": text, "n": [1, null]}),
                        fields::Kind::Data if at % 3 == 0 => json!({"t": text}),
                        fields::Kind::Data if at % 3 == 1 => json!(at),
                        _ => json!(text),
                    };
                    object.insert((*name).to_owned(), value);
                }
            }
            let line = pattern.write(&object);
            let Some(line) = line else { continue };
            object.insert(tag.to_owned(), pattern.row.id.into());
            let read = PATTERNS.iter().find_map(|pattern| match pattern.read(&line) {
                fields::Went::Through(fields) => Some((pattern, fields)),
                fields::Went::Until { .. } => None,
            });
            let (by, mut fields) = read.unwrap_or_else(|| panic!("{line}"));
            fields.insert(tag.to_owned(), by.row.id.into());
            // Words of a name may be a row of their own: "from: withheld".
            assert_eq!(serde_json::Value::Object(fields), serde_json::Value::Object(object), "{line} ({text:?})");
            tried += 1;
        }
    }
    assert!(tried > 1_500, "{tried}");
}

#[test]
fn every_setting_and_step_has_its_row() {
    // serde's own list of the variants is in the message for one that there is not.
    for (rows, refusal) in [
        (keywords::SETTINGS, serde_json::from_value::<Setting>(json!({"setting": "-"})).unwrap_err()),
        (keywords::STEPS, serde_json::from_value::<Step>(json!({"step": "-"})).unwrap_err()),
    ] {
        let refusal = refusal.to_string();
        let known: Vec<&str> = refusal.split('`').skip(1).step_by(2).filter(|name| *name != "-").collect();
        let written: Vec<&str> = rows.iter().map(|row| row.id).collect();
        let missing: Vec<_> = known.iter().filter(|name| !written.contains(name)).collect();
        assert_eq!((missing, known.len()), (Vec::new(), rows.len()));
    }
}

#[test]
fn a_line_that_is_not_understood_is_told_with_place_reason_and_remedy() {
    for (text, place, reason, remedy) in [
        (
            "== A\nscript sayz \"x\"\n",
            "sayz",
            "after \"script\" comes `says` or `asks`, not \"sayz\"",
            "Did you mean `says`?",
        ),
        ("== A\nскрипт говрит «x»\n", "говрит", "after \"скрипт\" comes", "Did you mean `говорит`?"),
        ("== A\nscirpt says \"x\"\n", "scirpt", "no line begins with \"scirpt\"", "Did you mean `script`?"),
        (
            "== A\nscript says hello\n",
            "hello",
            "after \"says\" comes what is said, in quotation marks: \"…\"",
            "It is written so:\nscript says \"…\"",
        ),
        ("== A\nscript says\n", "", "after \"says\" something is missing: what is said", "script says \"…\""),
        ("== A\nscript says \"x\n", "\"x", "this quotation is not closed: \" is missing", ""),
        ("== A\ncaller presses one\n", "one", "after \"presses\" comes keys: 1, not \"one\"", "caller presses 1"),
        ("== A\ncaller presses 1x\n", "x", "a telephone has no key 'x'", ""),
        ("== A\ncaller presses 1 2\n", "2", "after \"1\" comes the end of the line, not \"2\"", ""),
        ("== A\nback end GET /x answers 200 {\"a\": }\n", "}", "this is no JSON: expected value", ""),
        ("== A\nback end FETCH /x fails\n", "back end FETCH /x fails", "\"FETCH\" is no method", "Write one of GET"),
        ("== A\nback end GET x fails\n", "back end GET x fails", "\"x\" is no path", "with its slash"),
        ("== A\nat: yesterday\nscript says \"x\"\n", "at: yesterday", "\"yesterday\" is no time", "2026-05-05 12:00"),
        ("== A\nscript says \"x\"\nlanguage: ru-RU\n", "language: ru-RU", "the call has begun", "Move this line up"),
        ("== A\nthen result is x\ncaller is silent\n", "caller is silent", "nothing happens any more", "Move it up"),
        ("script says \"x\"\n", "script says \"x\"", "this belongs to no conversation", "Write a title above it"),
        ("== A\n", "== A", "nothing happens in this conversation", "Say what happens"),
        (
            "== A\ncaller is silent\n== A\ncaller is silent\n",
            "== A",
            "two conversations are called \"A\"; the first is in line 1",
            "",
        ),
        ("==\ncaller is silent\n", "==", "a conversation without a title", ""),
        ("", "", "", ""),
        ("language: ru-RU\n", "", "there is no conversation in it", "Write a title"),
        ("== A\nthen memory under 99999999999 MiB\n", "then", "expected u32", "then memory under 5 MiB"),
    ] {
        let read = parse("x.talk", text);
        if reason.is_empty() {
            assert_eq!(read.unwrap(), []);
            continue;
        }
        let errors = read.unwrap_err().errors;
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        let error = &errors[0];
        let span = error.span.offset()..error.span.offset() + error.span.len();
        assert!(text[span.clone()].starts_with(place), "{text}: at {:?}", &text[span]);
        assert!(error.reason.contains(reason), "{text}: {}", error.reason);
        assert!(error.remedy.as_deref().unwrap_or_default().contains(remedy), "{text}: {:?}", error.remedy);
    }
}

#[test]
fn errors_of_a_file_come_together_and_are_bounded() {
    let text = format!("== A\n{}", "nonsense\n".repeat(50));
    assert_eq!(parse("x.talk", &text).unwrap_err().errors.len(), 20);
    let shown = format!("{:?}", miette::Report::new(parse("x.talk", "== A\nscript sayz \"x\"\n").unwrap_err()));
    assert!(shown.contains("x.talk:2") || shown.contains("[x.talk"), "{shown}");
    assert!(parse("x.talk", &" ".repeat(FILE_BYTES_MAX + 1)).is_err());
}

#[test]
fn what_a_program_prints_is_checked_as_a_file_is() {
    let of = |value: Value| -> Result<(), String> {
        let all: Conversations = serde_json::from_value(value).map_err(|error| error.to_string())?;
        check_printed(&all).map_err(|problem| problem.to_string())
    };
    let whole = |step: Value| json!({"format": 1, "conversations": [{"title": "A", "steps": [step]}]});
    assert_eq!(of(whole(json!({"step": "presses", "keys": "1"}))), Ok(()));
    assert!(of(whole(json!({"step": "presses", "keys": "one"}))).unwrap_err().contains("no key 'o'"));
    assert!(of(whole(json!({"step": "press", "keys": "1"}))).unwrap_err().contains("unknown variant `press`"));
    assert!(of(whole(json!({"step": "presses", "kys": "1"}))).unwrap_err().contains("unknown field `kys`"));
    assert!(of(json!({"format": 2, "conversations": []})).unwrap_err().contains("format 2"));
}

/// `GUDOK_WRITE=1` writes it.
#[test]
fn every_line_stands_in_the_guide() {
    const BEGIN: &str = "every_line_stands_in_the_guide -->\n";
    const END: &str = "<!-- end -->";
    let mut table = String::new();
    for (title, rows, setting) in [("Settings", keywords::SETTINGS, true), ("Steps", keywords::STEPS, false)] {
        table.push_str(&format!("\n| {title} in JSON | English | Russian |\n| --- | --- | --- |\n"));
        for row in rows {
            let shown = |tongue: Tongue| {
                let of_row =
                    |one: &&fields::Pattern| one.row.id == row.id && one.setting == setting && one.tongue == tongue;
                let all: Vec<String> = PATTERNS.iter().filter(of_row).map(|one| format!("`{}`", one.shown())).collect();
                all.join("<br>")
            };
            let mut names: Vec<&str> = Vec::new();
            for pattern in PATTERNS.iter().filter(|one| one.row.id == row.id && one.setting == setting) {
                for piece in &pattern.pieces {
                    if let fields::Piece::Field { names: found, .. } = piece {
                        names.extend(found.iter().filter(|name| !names.contains(name)).copied().collect::<Vec<_>>());
                    }
                }
            }
            let fields = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            table.push_str(&format!(
                "| `{}`{fields} | {} | {} |\n",
                row.id,
                shown(Tongue::English),
                shown(Tongue::Russian)
            ));
        }
    }
    table.push('\n');
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONVERSATIONS.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let begin = guide.find(BEGIN).unwrap() + BEGIN.len();
    let end = begin + guide[begin..].find(END).unwrap();
    if std::env::var_os("GUDOK_WRITE").is_some() {
        std::fs::write(path, format!("{}{table}{}", &guide[..begin], &guide[end..])).unwrap();
        return;
    }
    assert_eq!(&guide[begin..end], table, "run it with GUDOK_WRITE=1");
}

/// The example of the guide is one.
#[test]
fn the_guide_s_examples_are_understood() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONVERSATIONS.md")).unwrap();
    let fences: Vec<&str> = guide.split("```").skip(1).step_by(2).collect();
    assert_eq!(one(fences[0].trim_start_matches('\n')).steps.len(), 8);
    let printed: Conversations = serde_json::from_str(fences.last().unwrap().trim_start_matches("json")).unwrap();
    assert_eq!(check_printed(&printed), Ok(()));
}
