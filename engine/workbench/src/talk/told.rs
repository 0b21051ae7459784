//! What a moment asks of the author, in a line: which keys, which outcomes, and what an empty line does.

use super::words::UiLang;
use gudok_core::input::{Choice, Grammar};
use gudok_core::privacy::mask_digit_runs;
use gudok_simulator::decide::{BackEndChoice, Decision, Moment, Promised, Question, QueueChoice, TransferChoice};

/// Of an example's body, so much is shown.
const BODY_CHARS_SHOWN: usize = 60;

/// What is decided where the author says nothing; none where the moment goes by without a question.
pub(super) fn usual(moment: &Moment, examples: &[Decision]) -> Option<Decision> {
    Some(match moment {
        Moment::Asked(_) => Decision::Silence,
        Moment::Records { .. } => Decision::Speak(std::time::Duration::from_secs(5)),
        Moment::Transfers(_) => Decision::Transfer(TransferChoice::Answered),
        Moment::Waits(_) => Decision::Queue(QueueChoice::Answered),
        Moment::Fetches(_) => examples.first().cloned().unwrap_or(Decision::BackEnd(BackEndChoice::Unreachable)),
        Moment::Heard(_) | Moment::Stores(_) | Moment::Promises(_) | Moment::Directory(_) => return None,
    })
}

/// The lines that ask for a decision.
pub(super) fn invitation(moment: &Moment, examples: &[Decision], ui: UiLang) -> Vec<String> {
    let mut lines = Vec::new();
    match moment {
        Moment::Asked(question) => lines.push(format!("? {}", asked(question, ui))),
        Moment::Transfers(transfer) => {
            lines.push(format!("? {}", ui.tell("transfer-asked", &[&transfer.target.label()])));
        }
        Moment::Waits(waits) => lines.push(format!("? {}", ui.tell("queue-asked", &[&waits.queue]))),
        Moment::Fetches(fetches) => {
            let url = mask_digit_runs(&fetches.url);
            lines.push(format!("? {}", ui.tell("back-end-asked", &[fetches.method.as_str(), &url])));
            for (at, example) in examples.iter().enumerate() {
                lines.push(format!("    {} {}", at + 1, shortened(&answer(example))));
            }
        }
        Moment::Records { .. } => lines.push(format!("? {}", ui.say("record-asked"))),
        Moment::Promises(promised) => {
            lines.push(format!("? {}", ui.tell("promise-asked", &[&self::promised(promised)])));
        }
        Moment::Heard(_) | Moment::Stores(_) | Moment::Directory(_) => {
            lines.push(format!("? {}", ui.tell("other-asked", &[moment.name()])));
        }
    }
    if !matches!(moment, Moment::Asked(_)) {
        let choices = choices(moment).join(", ");
        let usual = usual(moment, examples).map(|usual| short(&usual)).unwrap_or_default();
        let usual = ui.tell("usual", &[&shortened(&usual)]);
        lines.push(if choices.is_empty() { format!("    {usual}") } else { format!("    {choices}; {usual}") });
    }
    lines
}

/// Everything that may be done at a moment, for `keys`.
pub(super) fn keys(moment: &Moment, examples: &[Decision], ui: UiLang) -> Vec<String> {
    let Moment::Asked(question) = moment else { return invitation(moment, examples, ui) };
    let mut lines = vec![ui.tell("may-press", &[&grammar(&question.grammar, ui)])];
    if let Grammar::Choices(all) = &question.grammar {
        lines.extend(meanings(all));
    }
    if !question.global_keys.is_empty() {
        lines.push(ui.tell("any-time", &[&pressed(&question.global_keys)]));
        lines.extend(meanings(&question.global_keys));
    }
    if question.attempts > 0 {
        let (attempt, attempts) = (question.attempt.to_string(), question.attempts.to_string());
        lines.push(ui.tell("attempt", &[&attempt, &attempts]));
    }
    if !question.first_timeout.is_zero() {
        lines.push(ui.tell("silence-in", &[&seconds(question.first_timeout)]));
    }
    lines
}

/// In a line: what may be done here.
pub(super) fn possible(moment: &Moment, ui: UiLang) -> String {
    match moment {
        Moment::Asked(question) => asked(question, ui),
        other => choices(other).join(", "),
    }
}

/// Choices with what they stand for, where that says more than their place in a list.
fn meanings(choices: &[Choice]) -> impl Iterator<Item = String> {
    let told = choices.iter().filter(|choice| choice.value.parse::<u32>().is_err());
    told.map(|choice| format!("    {:<5} {}", choice.key, choice.value))
}

fn asked(question: &Question, ui: UiLang) -> String {
    let mut parts = vec![grammar(&question.grammar, ui)];
    if !question.global_keys.is_empty() {
        parts.push(pressed(&question.global_keys));
    }
    if question.sensitive {
        parts.push(ui.say("sensitive").to_owned());
    }
    if question.attempt > 1 {
        let (attempt, attempts) = (question.attempt.to_string(), question.attempts.to_string());
        parts.push(ui.tell("attempt", &[&attempt, &attempts]));
    }
    parts.join("; ")
}

fn grammar(grammar: &Grammar, ui: UiLang) -> String {
    match grammar {
        Grammar::Digits { min, max, terminators } => {
            let (least, most) = (min.to_string(), max.to_string());
            let digits =
                if min == max { ui.tell("digits-exact", &[&least]) } else { ui.tell("digits", &[&least, &most]) };
            if terminators.is_empty() { digits } else { format!("{digits}, {}", ui.tell("ended-by", &[terminators])) }
        }
        Grammar::Choices(choices) => pressed(choices),
        Grammar::YesNo => ui.say("yes-no").to_owned(),
        Grammar::Date => ui.say("date").to_owned(),
        Grammar::Money => ui.say("money").to_owned(),
        Grammar::Phone => ui.say("phone").to_owned(),
        Grammar::Snils => ui.say("snils").to_owned(),
        Grammar::Inn => ui.say("inn").to_owned(),
        Grammar::OmsPolicy => ui.say("oms").to_owned(),
        Grammar::PostalCode => ui.say("postal-code").to_owned(),
        Grammar::FreeSpeech(_) => ui.say("free-speech").to_owned(),
    }
}

fn pressed(choices: &[Choice]) -> String {
    choices.iter().map(|choice| choice.key.as_str()).collect::<Vec<_>>().join(" ")
}

fn seconds(time: std::time::Duration) -> String {
    format!("{}", time.as_secs())
}

/// The outcomes that may be chosen, in their short words.
fn choices(moment: &Moment) -> Vec<&'static str> {
    match moment {
        Moment::Transfers(_) => TransferChoice::ALL.iter().map(|choice| choice.as_str()).chain(["hang-up"]).collect(),
        Moment::Waits(_) => QueueChoice::ALL.iter().map(|choice| choice.as_str()).chain(["hang-up"]).collect(),
        Moment::Fetches(_) => vec!["200", "404", "500", "{…}", "unreachable", "hangs", "nonsense"],
        Moment::Records { .. } => vec!["speak:SECONDS", "hang-up"],
        _ => Vec::new(),
    }
}

/// A decision as it is typed at its moment.
pub(super) fn short(decision: &Decision) -> String {
    let whole = decision.to_string();
    match decision {
        Decision::Transfer(_) | Decision::Queue(_) | Decision::BackEnd(_) | Decision::Directory(_) => {
            whole.split_once(':').map_or_else(|| whole.clone(), |(_, short)| short.to_owned())
        }
        _ => whole,
    }
}

fn answer(example: &Decision) -> String {
    match example {
        Decision::BackEnd(BackEndChoice::Answers(status, body)) => format!("{status} {body}"),
        other => short(other),
    }
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(BODY_CHARS_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn promised(promised: &Promised) -> String {
    match promised {
        Promised::Ticket(_, agency) => format!("ticket, {agency}"),
        Promised::Survey(survey) => format!("survey, {survey}"),
        Promised::Callback(queue) => format!("callback, {queue}"),
    }
}

/// A decision as it is shown: no sensitive key is.
pub(super) fn shown(decision: &Decision, sensitive: bool) -> String {
    match decision {
        Decision::Keys(keys) if sensitive => "*".repeat(keys.chars().count()),
        other => other.to_string(),
    }
}

/// A line of the transcript in the author's language. Russian has a form for each; what has none stays as it is.
pub(super) fn line(text: &str, ui: UiLang) -> String {
    /// What the simulator says, and how it is told; `{}` is a name.
    const RUSSIAN: &[(&str, &str)] = &[
        ("caller: {}", "звонящий: {}"),
        ("caller hangs up", "звонящий кладёт трубку"),
        ("caller speaks for {} s", "звонящий говорит {} с"),
        ("host hangs up", "узел кладёт трубку"),
        ("host rejects ({})", "узел отклоняет звонок ({})"),
        ("host → {}", "узел → {}"),
        ("host refers the caller to {}", "узел переводит звонящего: {}"),
        ("host joins the caller with {}", "узел соединяет звонящего: {}"),
        ("caller ↔ {}", "звонящий ↔ {}"),
        ("script: stopped ({})", "сценарий остановлен ({})"),
        ("script: failed ({})", "ошибка сценария ({})"),
        ("{} answers", "{}: отвечает"),
        ("{} does not answer", "{}: не отвечает"),
        ("{} hangs up", "{}: кладёт трубку"),
        ("{} is busy", "{}: занято"),
    ];
    if ui == UiLang::English {
        return text.to_owned();
    }
    let told = RUSSIAN.iter().find_map(|(english, russian)| match english.split_once("{}") {
        None => (text == *english).then(|| (*russian).to_owned()),
        Some((before, after)) => {
            let name = text.strip_prefix(before)?.strip_suffix(after)?;
            Some(russian.replacen("{}", name, 1))
        }
    });
    told.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transcript_is_told_in_russian_too() {
        let check = |text: &str, expect: &str| assert_eq!(line(text, UiLang::Russian), expect);
        check("caller: 1", "звонящий: 1");
        check("caller hangs up", "звонящий кладёт трубку");
        check("desk-operator does not answer", "desk-operator: не отвечает");
        check("host → desk-operator", "узел → desk-operator");
        check("(something else)", "(something else)");
        assert_eq!(line("caller: 1", UiLang::English), "caller: 1");
    }

    #[test]
    fn no_sensitive_key_is_shown() {
        let keys = Decision::Keys("12345#".into());
        assert_eq!((shown(&keys, true), shown(&keys, false)), ("******".to_owned(), "12345#".to_owned()));
        assert_eq!(shown(&Decision::Silence, true), "silence");
    }
}
