//! What takes a way, in words: decisions as the explorer writes them (`1`, `silence`, `back-end:503`), for people.

use super::sheet::Label;
use super::words::Lang;
use gudok_simulator::explore::FlowLabel;

/// Of a badge; more digits are an entry, not a key.
const KEY_CHARS_MAX: usize = 4;

/// What a place is about, where exploring has words of its own for it.
pub(crate) fn about(said: &str, lang: Lang) -> String {
    const OWN: [(&str, &str); 11] = [
        ("the call is over", "Разговор окончен"),
        ("handed over to", "Передан:"),
        ("the caller has left", "Звонящий положил трубку"),
        ("the script fails", "Сценарий упал"),
        ("a message is recorded", "Записывается сообщение"),
        ("directory:", "Справочник:"),
        ("survey", "Опрос"),
        ("[callback offer]", "Предложение перезвонить"),
        ("[callback offer, number unknown]", "Предложение перезвонить на названный номер"),
        ("reads", "Читает"),
        ("writes", "Записывает"),
    ];
    let own = OWN.iter().find_map(|(en, ru)| said.strip_prefix(en).map(|rest| (ru, rest)));
    let whole_word = |rest: &str| rest.is_empty() || rest.starts_with([' ', ',', ';', '(']);
    match (lang, own) {
        (Lang::Ru, Some((ru, rest))) if whole_word(rest) => {
            format!("{ru}{}", rest.replace("; the host lands the caller", "; звонящего принимает оператор"))
        }
        _ => said.to_owned(),
    }
}

/// A way's label, and whether no caller wants to go it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) label: Label,
    pub(crate) trouble: bool,
    pub(crate) hang_up: bool,
}

impl Taken {
    /// Where nobody says what a key stands for, it is a wrong one.
    pub(crate) fn or_wrong_key(self, lang: Lang) -> Self {
        if self.label.key.is_none() || !self.label.text.is_empty() {
            return self;
        }
        Self { label: Label::outcome(lang.of("неверная клавиша", "a wrong key")), trouble: true, ..self }
    }
}

/// Puts a decision into words.
pub(crate) fn taken(label: &FlowLabel, lang: Lang) -> Taken {
    let decision = label.decision.as_str();
    let stands_for = match label.stands_for.as_deref().unwrap_or_default() {
        // The host's own dialog.
        "own-number" => lang.of("на этот номер", "this number"),
        "other-number" => lang.of("на другой номер", "another number"),
        own => own,
    };
    let (label, trouble) = match decision {
        // As exploring sums up the keys that a question does not take.
        "any other key" => (Label::outcome(lang.of("другая клавиша", "any other key")), true),
        "go-on" | "" => (Label::outcome(stands_for), false),
        "silence" => (Label::outcome(lang.of("молчание", "silence")), true),
        "hang-up" => (Label::outcome(lang.of("повесил трубку", "hangs up")), true),
        _ => match decision.split_once(':') {
            Some((what, how)) => outcome(what, how, stands_for, lang),
            None => (keys(decision, stands_for, lang), false),
        },
    };
    Taken { label, trouble, hang_up: decision == "hang-up" }
}

fn keys(keys: &str, stands_for: &str, lang: Lang) -> Label {
    if keys.chars().count() <= KEY_CHARS_MAX {
        return Label::key(keys, stands_for);
    }
    let digits = keys.chars().filter(char::is_ascii_digit).count();
    let digits = lang.counted(digits, ["цифра", "цифры", "цифр"], ["digit", "digits"]);
    Label::key(&digits, stands_for)
}

fn outcome(what: &str, how: &str, stands_for: &str, lang: Lang) -> (Label, bool) {
    let (text, trouble) = match (what, how) {
        ("ahead", pressed) => return (keys(pressed, stands_for, lang), false),
        ("speak", _) => (lang.of("сказал", "has spoken"), false),
        ("transfer" | "queue", "answered") => (lang.of("ответили", "answered"), false),
        ("transfer", "busy") => (lang.of("занято", "busy"), true),
        ("transfer", "no-answer") | ("queue", "nobody") => (lang.of("никто не ответил", "nobody answers"), true),
        ("transfer", "rejected") => (lang.of("отказались", "refused"), true),
        ("transfer" | "queue", "closed") => (lang.of("закрыто", "closed"), true),
        ("transfer", "unavailable") => (lang.of("нет связи", "out of reach"), true),
        ("queue", "full") => (lang.of("очередь полна", "the queue is full"), true),
        ("transfer" | "queue", "failed") => (lang.of("некому", "there is nobody"), true),
        ("back-end", "unreachable" | "hangs" | "nonsense") => {
            (lang.of("система не отвечает", "the system fails"), true)
        }
        ("back-end", answer) => return back_end(answer, stands_for, lang),
        ("store", _) => (lang.of("хранилище недоступно", "storage fails"), true),
        ("promise", _) => (lang.of("не записать обещание", "nothing can be promised"), true),
        ("directory", "nothing") => (lang.of("ничего не найдено", "nothing found"), true),
        ("directory", _) => (lang.of("справочник недоступен", "the directory fails"), true),
        _ => (stands_for, false),
    };
    (Label::outcome(text), trouble)
}

fn back_end(answer: &str, stands_for: &str, lang: Lang) -> (Label, bool) {
    let status: u16 = answer.split(':').next().and_then(|status| status.parse().ok()).unwrap_or(0);
    match status {
        200..=299 if stands_for.is_empty() => {
            (Label::outcome(lang.of("система ответила", "the system answers")), false)
        }
        200..=299 => (Label::outcome(stands_for), false),
        404 => (Label::outcome(lang.of("не найдено", "not found")), false),
        400..=499 => (Label::outcome(lang.of("система отказала", "the system refuses")), true),
        _ => (Label::outcome(lang.of("система не отвечает", "the system fails")), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exploring_says_is_said_in_russian() {
        let check = |said: &str, ru: &str| assert_eq!(about(said, Lang::Ru), ru);
        check("the call is over (served)", "Разговор окончен (served)");
        check("handed over to operators", "Передан: operators");
        check(
            "the script fails (trap); the host lands the caller",
            "Сценарий упал (trap); звонящего принимает оператор",
        );
        check("readsomething", "readsomething");
        check("[callback offer]", "Предложение перезвонить");
        assert_eq!(about("the caller has left", Lang::En), "the caller has left");
    }

    #[test]
    fn a_number_in_a_menu_is_not_told() {
        assert_eq!((Label::key("1", "0").told(), Label::key("1", "паспорт").told()), ("", "паспорт"));
        assert_eq!(Label::outcome("404").told(), "404");
    }

    #[test]
    fn decisions_are_put_into_words() {
        let check = |decision: &str, key: Option<&str>, text: &str, trouble: bool| {
            let label = FlowLabel { decision: decision.into(), stands_for: Some("паспорт".into()) };
            let taken = taken(&label, Lang::Ru);
            let label = Label { key: key.map(Into::into), text: text.into() };
            assert_eq!((taken.label, taken.trouble), (label, trouble), "{decision}");
        };
        check("2", Some("2"), "паспорт", false);
        check("12345678", Some("8 цифр"), "паспорт", false);
        check("ahead:1", Some("1"), "паспорт", false);
        check("silence", None, "молчание", true);
        check("queue:nobody", None, "никто не ответил", true);
        check("transfer:answered", None, "ответили", false);
        check("back-end:503", None, "система не отвечает", true);
        check("back-end:200:{\"a\":1}", None, "паспорт", false);
        check("back-end:404", None, "не найдено", false);
        check("any other key", None, "другая клавиша", true);
        check("go-on", None, "паспорт", false);
    }
}
