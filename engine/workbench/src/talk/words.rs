//! What the tool itself says to the author, in English and Russian: one row a text, as data. What the script says is in the
//! call's language and not here.

/// In which language the tool speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UiLang {
    /// The language of every command.
    #[default]
    English,
    /// Where the environment asks for it.
    Russian,
}

impl UiLang {
    /// What LC_ALL, LC_MESSAGES or LANG say, in that order.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
        let tag = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
        if tag.to_lowercase().starts_with("ru") { Self::Russian } else { Self::English }
    }

    /// The text of a key; the key itself where there is none, which a test rules out.
    #[must_use]
    pub fn say(self, key: &'static str) -> &'static str {
        let row = WORDS.iter().find(|(known, _, _)| *known == key);
        row.map_or(key, |(_, english, russian)| match self {
            Self::English => english,
            Self::Russian => russian,
        })
    }

    /// The text of a key with its places `{}` filled, in order.
    #[must_use]
    pub fn tell(self, key: &'static str, filling: &[&str]) -> String {
        let mut pieces = self.say(key).split("{}");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for (place, piece) in pieces.enumerate() {
            text.push_str(filling.get(place).copied().unwrap_or_default());
            text.push_str(piece);
        }
        text
    }
}

/// Key, English, Russian.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "welcome",
        "{}, a call at {}. Keys as on a telephone, Enter for silence, ? for help.",
        "{}, звонок, {}. Кнопки как на телефоне, Enter — промолчать, ? — подсказка.",
    ),
    (
        "help",
        "Keys are pressed as typed: 1, 12345#. An empty line lets the time-out pass. Several at once, by blanks: 1 3 silence.",
        "Кнопки нажимаются как набраны: 1, 12345#. Пустая строка — промолчать. Можно несколько через пробел: 1 3 silence.",
    ),
    ("help-back", "one step back, or N: another key may be tried", "на шаг назад или на N: можно нажать другое"),
    (
        "help-save",
        "keep the talk so far as a test: save tests/FILE.talk [title]",
        "сохранить разговор как тест: save tests/ФАЙЛ.talk [название]",
    ),
    ("help-keys", "what may be pressed or decided here", "что здесь можно нажать или решить"),
    ("help-log", "what the script told its author: steps and log", "что сценарий сообщил автору: шаги и журнал"),
    ("help-why", "what the host did, call by call", "что делал узел, вызов за вызовом"),
    ("help-restart", "call again from the beginning", "позвонить снова, с начала"),
    ("help-audio", "audio on: hear every prompt; audio off", "audio on: слышать каждую фразу; audio off"),
    ("help-lang", "call again in another language: lang en-US", "позвонить снова на другом языке: lang en-US"),
    ("help-hang-up", "hang up", "повесить трубку"),
    ("help-quit", "leave", "выйти"),
    ("may-press", "may be pressed: {}", "можно нажать: {}"),
    ("any-time", "at any time: {}", "в любой момент: {}"),
    ("attempt", "attempt {} of {}", "попытка {} из {}"),
    ("digits", "{} to {} digits", "от {} до {} цифр"),
    ("digits-exact", "{} digits", "{} цифр"),
    ("ended-by", "ended by {}", "в конце {}"),
    ("yes-no", "1 yes, 2 no", "1 — да, 2 — нет"),
    ("date", "a date, DDMMYYYY", "дата, ДДММГГГГ"),
    ("money", "an amount, * for the comma", "сумма, * вместо запятой"),
    ("phone", "a telephone number", "номер телефона"),
    ("snils", "a SNILS, 11 digits", "СНИЛС, 11 цифр"),
    ("inn", "an INN, 10 or 12 digits", "ИНН, 10 или 12 цифр"),
    ("oms", "an OMS policy, 16 digits", "полис ОМС, 16 цифр"),
    ("postal-code", "a postal code, 6 digits", "индекс, 6 цифр"),
    ("free-speech", "speech: no keys", "речь: не кнопки"),
    ("sensitive", "sensitive: stars are shown", "скрытый ввод: показаны звёздочки"),
    ("silence-in", "silence: {} s", "промолчать: {} с"),
    ("transfer-asked", "the caller is handed to {}. What comes of it?", "звонящего соединяют: {}. Чем кончится?"),
    ("queue-asked", "the caller waits in {}. What comes of it?", "звонящий ждёт в очереди {}. Чем кончится?"),
    (
        "back-end-asked",
        "the back end is asked: {} {}. What does it answer?",
        "запрос к системе: {} {}. Что она ответит?",
    ),
    ("record-asked", "a message is recorded. For how long is spoken?", "идёт запись сообщения. Сколько говорить?"),
    ("promise-asked", "something is promised: {}. Can it be kept?", "даётся обещание: {}. Получится ли записать?"),
    ("other-asked", "{}: what comes of it?", "{}: чем кончится?"),
    ("usual", "Enter: {}", "Enter: {}"),
    ("not-understood", "{} is no key and no command here; ? lists them", "{} — не кнопка и не команда; ? — список"),
    ("not-here", "{} is not for here: {}", "{} здесь не к месту: {}"),
    ("nothing-before", "nothing was done yet", "ещё ничего не сделано"),
    ("back-told", "{} step(s) back", "шагов назад: {}"),
    (
        "call-over",
        "the call is over: {}. back, save, log, why, restart or quit",
        "звонок окончен: {}. back, save, log, why, restart или quit",
    ),
    ("journal-kept", "the call's journal is in {}: gudok replay {}", "журнал звонка в файле {}: gudok replay {}"),
    ("saved", "{} is kept, and passes", "{} сохранён и проходит"),
    (
        "saved-failing",
        "{} is not kept: run again, the talk went another way: {}",
        "{} не сохранён: при повторе разговор пошёл иначе: {}",
    ),
    ("save-where", "say where: save tests/first.talk [title]", "укажите файл: save tests/first.talk [название]"),
    (
        "save-there",
        "{} has a conversation {} already: choose another title",
        "в {} уже есть разговор {}: выберите другое название",
    ),
    ("no-log", "the script has told nothing yet", "сценарий пока ничего не сообщил"),
    ("no-why", "the host has done nothing yet", "узел пока ничего не делал"),
    ("audio-on", "audio is on: {}", "звук включён: {}"),
    ("audio-off", "audio is off", "звук выключен"),
    ("audio-kept", "sound: {}", "звук: {}"),
    ("audio-none", "no sound: {}", "звука нет: {}"),
    (
        "audio-no-player",
        "no player on this machine (aplay, paplay, ffplay, afplay): the sound is kept in {}",
        "проигрывателя нет (aplay, paplay, ffplay, afplay): звук сохраняется в {}",
    ),
    (
        "lang-which",
        "the script speaks {}: lang TAG calls again in another",
        "языки сценария: {}: lang ТЕГ — позвонить снова на другом",
    ),
    ("left", "left unused: {}", "осталось неиспользованным: {}"),
    ("leaves", "the call is left here: {}", "звонок оставлен здесь: {}"),
    ("too-long", "a line of more than {} characters is not read", "строка длиннее {} знаков не читается"),
    (
        "broken",
        "the simulator found a fault of the engine's own, seed {}: {}",
        "симулятор нашёл ошибку самого узла, зерно {}: {}",
    ),
    ("hung-up", "the caller hung up", "звонящий повесил трубку"),
    ("not-run", "no script ran", "сценарий не запускался"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_the_language() {
        let check = |set: &[(&str, &str)], expect: UiLang| {
            let variable =
                |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(UiLang::of(variable), expect, "{set:?}");
        };
        check(&[], UiLang::English);
        check(&[("LANG", "ru_RU.UTF-8")], UiLang::Russian);
        check(&[("LANG", "ru_RU.UTF-8"), ("LC_ALL", "C")], UiLang::English);
        check(&[("LANG", "en_GB"), ("LC_ALL", "")], UiLang::English);
        check(&[("LC_MESSAGES", "RU"), ("LANG", "de_DE")], UiLang::Russian);
    }

    #[test]
    fn every_text_is_there_once_with_the_same_places() {
        for (at, (key, english, russian)) in WORDS.iter().enumerate() {
            assert!(!english.is_empty() && !russian.is_empty(), "{key}");
            assert_eq!(english.matches("{}").count(), russian.matches("{}").count(), "{key}");
            assert!(WORDS[..at].iter().all(|(other, _, _)| other != key), "{key} is there twice");
        }
        assert_eq!(UiLang::English.tell("attempt", &["2", "3"]), "attempt 2 of 3");
        assert_eq!(UiLang::Russian.tell("attempt", &["2"]), "попытка 2 из ");
    }
}
