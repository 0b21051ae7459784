//! What an author types: keys, decisions and commands. Names of commands are data, English and Russian beside each other.

use gudok_simulator::decide::{BackEndChoice, Decision, Moment};

/// So many steps back at once are enough for any call.
const BACK_MAX: usize = 10_000;

/// A line, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Typed {
    /// An empty line: the time-out at a question, and the usual everywhere else.
    Usual,
    /// Something that happens in the call, word by word.
    Happens(Vec<String>),
    Command(Command),
}

/// What the tool is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Command {
    Help,
    Back(usize),
    Save {
        path: Option<String>,
        title: Option<String>,
    },
    Keys,
    Log,
    Why,
    Restart,
    /// None: what it is now.
    Audio(Option<bool>),
    Lang(Option<String>),
    Quit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Name {
    Help,
    Back,
    Save,
    Keys,
    Log,
    Why,
    Restart,
    Audio,
    Lang,
    Quit,
}

const NAMES: &[(Name, &[&str])] = &[
    (Name::Help, &["?", "help", "помощь", "подсказка"]),
    (Name::Back, &["back", "назад"]),
    (Name::Save, &["save", "сохранить"]),
    (Name::Keys, &["keys", "кнопки"]),
    (Name::Log, &["log", "журнал"]),
    (Name::Why, &["why", "почему"]),
    (Name::Restart, &["restart", "заново"]),
    (Name::Audio, &["audio", "звук"]),
    (Name::Lang, &["lang", "язык"]),
    (Name::Quit, &["quit", "q", "exit", "выход"]),
];

/// Other words for decisions.
const DECISIONS: &[(&str, &[&str])] =
    &[("silence", &["молчу", "тишина"]), ("hang-up", &["hangup", "hang", "повесить", "отбой"])];

/// What `?` shows: a command as it is typed, and the key of its text.
pub(super) const HELP: &[(&str, &str)] = &[
    ("keys", "help-keys"),
    ("back [N]", "help-back"),
    ("save FILE", "help-save"),
    ("log", "help-log"),
    ("why", "help-why"),
    ("hang-up", "help-hang-up"),
    ("restart", "help-restart"),
    ("audio on", "help-audio"),
    ("lang TAG", "help-lang"),
    ("quit", "help-quit"),
];

impl Typed {
    /// Reads a line. Whatever is no command happens in the call, or is refused there.
    pub(super) fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { return Self::Usual };
        let lower = first.to_lowercase();
        let Some((name, _)) = NAMES.iter().find(|(_, names)| names.contains(&lower.as_str())) else {
            return Self::Happens(line.split_whitespace().map(canonical).collect());
        };
        let argument = words.next().map(str::to_owned);
        Self::Command(match name {
            Name::Help => Command::Help,
            Name::Back => {
                let steps = argument.and_then(|steps| steps.parse().ok()).unwrap_or(1);
                Command::Back(steps.clamp(1, BACK_MAX))
            }
            Name::Save => {
                let title: Vec<&str> = words.collect();
                let title = (!title.is_empty()).then(|| title.join(" "));
                Command::Save { path: argument, title }
            }
            Name::Keys => Command::Keys,
            Name::Log => Command::Log,
            Name::Why => Command::Why,
            Name::Restart => Command::Restart,
            Name::Audio => Command::Audio(match argument.as_deref() {
                Some("on" | "вкл") => Some(true),
                Some("off" | "выкл") => Some(false),
                _ => None,
            }),
            Name::Lang => Command::Lang(argument),
            Name::Quit => Command::Quit,
        })
    }
}

/// A decision's own word for what was typed.
fn canonical(word: &str) -> String {
    let lower = word.to_lowercase();
    let known = DECISIONS.iter().find(|(_, others)| others.contains(&lower.as_str()));
    known.map_or_else(|| word.to_owned(), |(word, _)| (*word).to_owned())
}

/// What words mean at a moment: at a transfer `busy` is enough, at a back end a status, a body, or the number of an example.
///
/// # Errors
/// The word that is none, with what may be written instead.
pub(super) fn decisions(
    words: &[String],
    moment: &Moment,
    examples: &[Decision],
) -> Result<Vec<Decision>, gudok_simulator::decide::NoDecision> {
    let Some((first, rest)) = words.split_first() else { return Ok(Vec::new()) };
    if let (Moment::Fetches(_), Some(answer)) = (moment, back_end(words, examples)) {
        return Ok(vec![answer]);
    }
    let prefix = match moment {
        Moment::Transfers(_) => "transfer:",
        Moment::Waits(_) => "queue:",
        Moment::Fetches(_) => "back-end:",
        Moment::Directory(_) => "directory:",
        Moment::Stores(_) => "store:",
        Moment::Promises(_) => "promise:",
        Moment::Asked(_) | Moment::Heard(_) | Moment::Records { .. } => "",
    };
    let short = format!("{prefix}{first}").parse::<Decision>();
    let mut all = vec![short.or_else(|_| first.parse())?];
    for word in rest {
        all.push(word.parse()?);
    }
    Ok(all)
}

/// `2` (an example), `503`, `{"a": 1}`, `404 {"why": "gone"}`.
fn back_end(words: &[String], examples: &[Decision]) -> Option<Decision> {
    let (first, rest) = words.split_first()?;
    let is_body = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    let answers = |status: u16, body: String| Decision::BackEnd(BackEndChoice::Answers(status, body));
    let whole = words.join(" ");
    if whole.starts_with(['{', '[']) && is_body(&whole) {
        return Some(answers(200, whole));
    }
    let number: u16 = first.parse().ok()?;
    let body = rest.join(" ");
    if (100..=599).contains(&number) && (body.is_empty() || is_body(&body)) {
        return Some(answers(number, body));
    }
    let example = usize::from(number).checked_sub(1).and_then(|at| examples.get(at));
    example.filter(|_| rest.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_simulator::decide::{Fetches, QueueChoice, TransferChoice, Transfers, Waits};
    use std::sync::Arc;
    use std::time::Duration;

    fn command(line: &str) -> Command {
        match Typed::read(line) {
            Typed::Command(command) => command,
            other => panic!("{line:?}: {other:?}"),
        }
    }

    #[test]
    fn commands_are_read_in_both_languages() {
        assert_eq!(command("?"), Command::Help);
        assert_eq!((command("back"), command("НАЗАД 3")), (Command::Back(1), Command::Back(3)));
        assert_eq!(command("back -1"), Command::Back(1), "what is no number is one step");
        assert_eq!(command("back 0"), Command::Back(1));
        assert_eq!(command("back 99999999999999999999"), Command::Back(1));
        let saved = |path: Option<&str>, title: Option<&str>| Command::Save {
            path: path.map(str::to_owned),
            title: title.map(str::to_owned),
        };
        assert_eq!(command("save"), saved(None, None));
        assert_eq!(command("save tests/a.talk Часы  работы"), saved(Some("tests/a.talk"), Some("Часы работы")));
        assert_eq!(
            (command("audio on"), command("звук выкл"), command("audio")),
            (Command::Audio(Some(true)), Command::Audio(Some(false)), Command::Audio(None))
        );
        assert_eq!(command("q"), Command::Quit);
    }

    #[test]
    fn everything_else_happens_in_the_call() {
        let happens = |line: &str| match Typed::read(line) {
            Typed::Happens(words) => words.join(" "),
            other => panic!("{line:?}: {other:?}"),
        };
        assert_eq!((Typed::read(""), Typed::read(" \t ")), (Typed::Usual, Typed::Usual));
        assert_eq!(happens("1  12345#"), "1 12345#");
        assert_eq!(happens("Молчу повесить"), "silence hang-up");
        assert_eq!(happens("backwards"), "backwards");
        assert_eq!(happens("\u{0} '; drop"), "\u{0} '; drop");
    }

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn check(moment: &Moment, line: &str, expect: &str) {
        let examples = [Decision::BackEnd(BackEndChoice::Answers(200, "{\"n\":1}".into()))];
        let shown = match decisions(&words(line), moment, &examples) {
            Ok(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => format!("no: {}", error.word),
        };
        assert_eq!(shown, expect, "{line}");
    }

    #[test]
    fn at_each_moment_the_short_word_is_enough() {
        let transfer = Moment::Transfers(Transfers {
            target: gudok_core::script::TransferTarget::Group(gudok_core::ids::Group::new("desk")),
            mode: gudok_core::script::TransferMode::Bridge,
            returns: false,
            step: None,
        });
        check(&transfer, "busy", &Decision::Transfer(TransferChoice::Busy).to_string());
        check(&transfer, "transfer:busy 1", "transfer:busy 1");
        check(&transfer, "hang-up", "hang-up");
        check(&transfer, "perhaps", "no: perhaps");
        let wait = Moment::Waits(Waits { queue: Arc::from("a"), wait_max: None, returns: false, step: None });
        check(&wait, "full", &Decision::Queue(QueueChoice::Full).to_string());
        let fetch = Moment::Fetches(Fetches {
            method: gudok_plugin_host::ports::FetchMethod::Get,
            url: "https://mfc.example/slots".into(),
            body: Vec::new(),
            timeout: Duration::from_secs(5),
            step: None,
        });
        check(&fetch, "1", "back-end:200:{\"n\":1}");
        check(&fetch, "503", "back-end:503");
        check(&fetch, "{ \"a\": [1, 2] }", "back-end:200:{\"a\":[1,2]}");
        check(&fetch, "404 {\"why\": \"gone\"}", "back-end:404:{\"why\":\"gone\"}");
        check(&fetch, "hangs", "back-end:hangs");
        check(&fetch, "2", "2");
    }
}
