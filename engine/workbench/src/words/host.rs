//! The host's own words: one text a key and language, as data, with places for what is told: `{time}`, `{position}`,
//! `{minutes}`, `{number}`, `{topic}`, `{date}`. Numbers are never written into a text: they go to the speech room as
//! data, which declines them ("одну минуту, две минуты, пять минут").
//!
//! Russian and English are built in. A configuration adds any other language by its keys; a key that it leaves out is
//! said in the built-in words, which is better than nothing.

use gudok_core::prompt::{Date, HostPrompt};
use gudok_speech::{
    Case, Counted, DateSpec, DigitGrouping, DigitsSpec, Gender, LangTag, Languages, NounForms, NumberSpec, Prompt,
    Segment, SpeechError, TimeOfDay,
};
use std::collections::BTreeMap;

/// Digits of a number that an operator hears before the caller is dialled; the screen shows what they may see.
const WHISPERED_DIGITS: usize = 4;

/// Every key with its Russian and English words. `minute` is the noun in its forms: one, few, many, other.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "apology",
        "Приносим извинения: сервис временно недоступен. Соединяю вас с оператором.",
        "We are sorry: this service is not available right now. Connecting you to an operator.",
    ),
    ("connecting", "Соединяю вас с оператором.", "Connecting you to an operator."),
    ("operators_closed", "Сейчас операторы не работают.", "Our operators are not available at this hour."),
    ("operators_from", "Операторы начинают работу в {time}", "Operators are available from {time}"),
    (
        "operators_unavailable",
        "К сожалению, все операторы заняты. Пожалуйста, позвоните позже. До свидания.",
        "We are sorry, all operators are busy. Please call again later. Goodbye.",
    ),
    (
        "information_offer",
        "Чтобы прослушать справочную информацию, нажмите один. Или дождитесь ответа оператора.",
        "For information, press one. Or stay on the line for an operator.",
    ),
    ("queue_position", "Ваш номер в очереди: {position}.", "Your place in the queue: {position}."),
    (
        "queue_minutes",
        "Вам ответят примерно через {minutes:accusative}.",
        "Your call will be answered in about {minutes}.",
    ),
    ("queue_soon", "Вам ответят меньше чем через минуту.", "Your call will be answered in less than a minute."),
    ("queue_full", "Сейчас очень много обращений.", "We are receiving very many calls right now."),
    (
        "takes_longer",
        "Ожидание займёт больше времени, чем обычно. Пожалуйста, оставайтесь на линии.",
        "The wait will be longer than usual. Please stay on the line.",
    ),
    (
        "connecting_elsewhere",
        "Соединяю вас с другим центром. Пожалуйста, подождите.",
        "Connecting you to another centre. Please wait.",
    ),
    (
        "callback_offer",
        "Мы можем вам перезвонить. На этот номер: нажмите один. На другой номер: нажмите два. Или оставайтесь на линии.",
        "We can call you back. At this number: press one. At another number: press two. Or stay on the line.",
    ),
    (
        "callback_offer_unknown",
        "Мы можем вам перезвонить. Чтобы оставить номер телефона, нажмите один. Или оставайтесь на линии.",
        "We can call you back. To leave a telephone number, press one. Or stay on the line.",
    ),
    (
        "callback_enter_number",
        "Введите номер телефона с кодом города или оператора и нажмите решётку.",
        "Enter the telephone number with its area code, then press the hash key.",
    ),
    ("not_a_number", "Такого номера нет.", "There is no such number."),
    ("nothing_entered", "Номер не введён.", "No number was entered."),
    (
        "callback_read_back",
        "Вы ввели номер: {number}. Если всё верно, нажмите один. Чтобы ввести номер ещё раз, нажмите два.",
        "You entered: {number}. If this is right, press one. To enter the number again, press two.",
    ),
    (
        "callback_promised",
        "Мы вам перезвоним. Самое позднее время звонка: {time}. Спасибо.",
        "We will call you back. At the latest: {time}. Thank you.",
    ),
    (
        "callback_promised_date",
        "Мы вам перезвоним. Самое позднее время звонка: {date}, {time}. Спасибо.",
        "We will call you back. At the latest: {date}, {time}. Thank you.",
    ),
    (
        "callback_not_dialable",
        "К сожалению, на этот номер мы перезвонить не можем.",
        "We are sorry, we cannot call this number back.",
    ),
    (
        "callback_refused",
        "К сожалению, сейчас мы не можем обещать вам обратный звонок.",
        "We are sorry, we cannot promise to call you back now.",
    ),
    ("stay_on_line", "Вы остаётесь в очереди.", "You keep your place in the queue."),
    ("goodbye", "До свидания.", "Goodbye."),
    (
        "campaign_apology",
        "Приносим извинения: произошёл технический сбой. До свидания.",
        "We are sorry: something has gone wrong on our side. Goodbye.",
    ),
    (
        "callback_greeting",
        "Здравствуйте. Вы просили вам перезвонить. Соединяю вас с оператором.",
        "Hello. You asked us to call you back. Connecting you to an operator.",
    ),
    (
        "callback_whisper",
        "Обратный звонок. Номер оканчивается на: {number}.",
        "A callback. The number ends in: {number}.",
    ),
    ("callback_topic", "Тема: {topic}.", "About: {topic}."),
    ("minute", "минута|минуты|минут|минуты", "minute|minutes|minutes|minutes"),
];

/// What fills the places in a text.
#[derive(Default)]
struct Told<'a> {
    time: Option<TimeOfDay>,
    date: Option<Date>,
    position: Option<u32>,
    minutes: Option<u32>,
    number: Option<String>,
    topic: Option<&'a str>,
}

/// The host's words in every language.
#[derive(Clone)]
pub struct HostWords {
    /// By primary language and key.
    texts: BTreeMap<String, BTreeMap<String, String>>,
    languages: Languages,
}

impl HostWords {
    /// The built-in words, and over them what was configured: by language tag, then key.
    ///
    /// # Errors
    /// A language tag that is none, a key that does not exist, a text with a place that nothing fills.
    pub fn new<'a>(
        configured: impl IntoIterator<Item = (&'a str, Vec<(&'a str, &'a str)>)>,
    ) -> Result<Self, SpeechError> {
        let built_in = |english: bool| {
            WORDS.iter().map(|(key, ru, en)| ((*key).to_owned(), (*if english { en } else { ru }).to_owned())).collect()
        };
        let mut texts: BTreeMap<String, BTreeMap<String, String>> =
            BTreeMap::from([("ru".to_owned(), built_in(false)), ("en".to_owned(), built_in(true))]);
        for (lang, words) in configured {
            let lang: LangTag = lang.parse()?;
            let known = texts.entry(lang.primary().to_owned()).or_default();
            for (key, text) in words {
                check(key, text)?;
                known.insert(key.to_owned(), text.to_owned());
            }
        }
        Ok(Self { texts, languages: Languages::default() })
    }

    /// What is said in a language; in the fallback's words where that language has none for it.
    pub fn prompt(&self, said: &HostPrompt, lang: &LangTag, fallback: &LangTag) -> Prompt {
        let told = told(said);
        let mut segments = Vec::new();
        let mut private = false;
        // One prompt is in one language: a translation that lacks one of its texts is not mixed with another.
        let keys = keys(said);
        let whole =
            |lang: &str| self.texts.get(lang).is_some_and(|texts| keys.iter().all(|key| texts.contains_key(*key)));
        let spoken = [lang.primary(), fallback.primary(), "ru"].into_iter().find(|lang| whole(lang)).unwrap_or("ru");
        for key in keys {
            let text = self.texts.get(spoken).and_then(|texts| texts.get(key)).map_or("", String::as_str);
            for piece in pieces(text) {
                segments.extend(match piece {
                    Piece::Text(text) => Some(Segment::Text(text.to_owned())),
                    Piece::Place(place, case) => {
                        private |= matches!(place, "number" | "topic");
                        self.fill(place, case, &told, spoken)
                    }
                });
            }
        }
        let lang = (spoken != lang.primary()).then(|| spoken.parse().ok()).flatten();
        Prompt { segments, lang, voice: None, cacheable: !private }
    }

    fn fill(&self, place: &str, case: &str, told: &Told<'_>, lang: &str) -> Option<Segment> {
        let grammar = lang.parse::<LangTag>().is_ok_and(|lang| self.languages.find(&lang).is_ok());
        let case = case_of(case).unwrap_or(Case::Nominative);
        Some(match place {
            // A voice without a grammar of ours reads figures by itself.
            "time" if !grammar => Segment::Text(told.time.map(|time| format!("{}:{:02}", time.hour(), time.minute()))?),
            "date" if !grammar => Segment::Text(told.date.map(|date| format!("{:02}.{:02}.", date.day, date.month))?),
            "position" if !grammar => Segment::Text(told.position?.to_string()),
            "minutes" if !grammar => {
                let (minutes, noun) = (told.minutes?, self.minute(lang));
                Segment::Text(format!("{minutes} {}", if minutes == 1 { noun.one } else { noun.other }))
            }
            "number" if !grammar => {
                let spaced: Vec<String> = told.number.as_ref()?.chars().map(String::from).collect();
                Segment::Text(spaced.join(" "))
            }
            "time" => Segment::Time(told.time?),
            "date" => {
                let date = told.date?;
                let value = gudok_speech::Date::new(date.year, date.month, date.day)?;
                Segment::Date(DateSpec { value, case, say_year: false, say_weekday: false })
            }
            "position" => Segment::Number(NumberSpec { value: told.position?.into(), gender: Gender::Masculine, case }),
            "minutes" => Segment::Counted(Counted { value: told.minutes?.into(), noun: self.minute(lang), case }),
            "number" => Segment::Digits(DigitsSpec { digits: told.number.clone()?, grouping: DigitGrouping::OneByOne }),
            "topic" => Segment::Text(told.topic?.to_owned()),
            _ => return None,
        })
    }

    fn minute(&self, lang: &str) -> NounForms {
        let forms = self.texts.get(lang).and_then(|texts| texts.get("minute")).map_or("", String::as_str);
        let mut forms = forms.split('|').map(str::to_owned);
        let one = forms.next().unwrap_or_default();
        let mut next = || forms.next().unwrap_or_else(|| one.clone());
        let (few, many, other) = (next(), next(), next());
        NounForms { few, many, other, gender: Gender::Feminine, one }
    }
}

/// A text cut at its places.
enum Piece<'a> {
    Text(&'a str),
    /// With the case that a number is to stand in, where the text says one.
    Place(&'a str, &'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((place, after)) = after.split_once('}') else { break };
        if !before.trim().is_empty() {
            found.push(Piece::Text(before.trim()));
        }
        let (place, case) = place.split_once(':').unwrap_or((place, ""));
        found.push(Piece::Place(place, case));
        rest = after;
    }
    if !rest.trim().is_empty() {
        found.push(Piece::Text(rest.trim()));
    }
    found
}

fn check(key: &str, text: &str) -> Result<(), SpeechError> {
    let wrong = |problem: String| Err(SpeechError::Config { problem });
    let Some((_, built_in, _)) = WORDS.iter().find(|(known, _, _)| *known == key) else {
        let known: Vec<&str> = WORDS.iter().map(|(key, _, _)| *key).collect();
        return wrong(format!("the host has no words {key:?}; there are: {}", known.join(", ")));
    };
    for piece in pieces(text) {
        if let Piece::Place(place, case) = piece {
            let fits = pieces(built_in).iter().any(|piece| matches!(piece, Piece::Place(known, _) if *known == place));
            if !fits || !(case.is_empty() || case_of(case).is_some()) {
                return wrong(format!(
                    "words {key:?}: nothing fills the place {{{place}{}{case}}}",
                    if case.is_empty() { "" } else { ":" }
                ));
            }
        }
    }
    Ok(())
}

fn case_of(word: &str) -> Option<Case> {
    Some(match word {
        "nominative" => Case::Nominative,
        "genitive" => Case::Genitive,
        "dative" => Case::Dative,
        "accusative" => Case::Accusative,
        "instrumental" => Case::Instrumental,
        "prepositional" => Case::Prepositional,
        _ => return None,
    })
}

/// The texts of a prompt, in order.
fn keys(said: &HostPrompt) -> Vec<&'static str> {
    match said {
        HostPrompt::Apology => vec!["apology"],
        HostPrompt::Connecting => vec!["connecting"],
        HostPrompt::OperatorsClosed { opens } => match opens.as_deref().and_then(time_of_day) {
            Some(_) => vec!["operators_closed", "operators_from"],
            None => vec!["operators_closed"],
        },
        HostPrompt::OperatorsUnavailable => vec!["operators_unavailable"],
        HostPrompt::InformationOffer => vec!["information_offer"],
        HostPrompt::QueuePosition { minutes: None, .. } => vec!["queue_position"],
        HostPrompt::QueuePosition { minutes: Some(0), .. } => vec!["queue_position", "queue_soon"],
        HostPrompt::QueuePosition { minutes: Some(_), .. } => vec!["queue_position", "queue_minutes"],
        HostPrompt::QueueFull => vec!["queue_full"],
        HostPrompt::TakesLonger => vec!["takes_longer"],
        HostPrompt::ConnectingElsewhere => vec!["connecting_elsewhere"],
        HostPrompt::CallbackOffer { own_number: true } => vec!["callback_offer"],
        HostPrompt::CallbackOffer { own_number: false } => vec!["callback_offer_unknown"],
        HostPrompt::CallbackEnterNumber => vec!["callback_enter_number"],
        HostPrompt::NotANumber => vec!["not_a_number"],
        HostPrompt::NothingEntered => vec!["nothing_entered"],
        HostPrompt::CallbackReadBack { .. } => vec!["callback_read_back"],
        HostPrompt::CallbackPromised { date: None, .. } => vec!["callback_promised"],
        HostPrompt::CallbackPromised { date: Some(_), .. } => vec!["callback_promised_date"],
        HostPrompt::CallbackNotDialable => vec!["callback_not_dialable"],
        HostPrompt::CallbackRefused => vec!["callback_refused"],
        HostPrompt::StayOnLine => vec!["stay_on_line"],
        HostPrompt::Goodbye => vec!["goodbye"],
        HostPrompt::CampaignApology => vec!["campaign_apology"],
        HostPrompt::CallbackGreeting => vec!["callback_greeting"],
        HostPrompt::CallbackWhisper { topic, .. } if topic.is_empty() => vec!["callback_whisper"],
        HostPrompt::CallbackWhisper { .. } => vec!["callback_whisper", "callback_topic"],
    }
}

fn told(said: &HostPrompt) -> Told<'_> {
    match said {
        HostPrompt::OperatorsClosed { opens } => {
            Told { time: opens.as_deref().and_then(time_of_day), ..Told::default() }
        }
        HostPrompt::QueuePosition { position, minutes } => {
            Told { position: Some(*position), minutes: *minutes, ..Told::default() }
        }
        HostPrompt::CallbackReadBack { number } => Told { number: Some(digits(number.reveal())), ..Told::default() },
        HostPrompt::CallbackPromised { by, date } => Told { time: time_of_day(by), date: *date, ..Told::default() },
        HostPrompt::CallbackWhisper { number, topic } => {
            let digits = digits(number.reveal());
            let last = digits.get(digits.len().saturating_sub(WHISPERED_DIGITS)..).unwrap_or_default().to_owned();
            Told { number: Some(last), topic: Some(topic), ..Told::default() }
        }
        _ => Told::default(),
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

fn time_of_day(text: &str) -> Option<TimeOfDay> {
    let (hour, minute) = text.split_once(':')?;
    TimeOfDay::new(hour.parse().ok()?, minute.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::privacy::PhoneNumber;
    use gudok_speech::{NoMedia, RenderOptions, Speech, SpeechConfig};
    use std::sync::Arc;

    fn check_words(lang: &str, said: &HostPrompt, expect: &str) {
        let uzbek = vec![
            ("queue_position", "Navbat: {position}."),
            ("queue_minutes", "{minutes} kutish."),
            ("minute", "daqiqa"),
        ];
        let words = HostWords::new([("uz", uzbek)]).unwrap();
        let tag: LangTag = lang.parse().unwrap();
        let prompt = words.prompt(said, &tag, &"ru".parse().unwrap());
        let speech = Speech::new(SpeechConfig::default(), Arc::new(NoMedia)).unwrap();
        let options = RenderOptions { default_lang: tag, ..RenderOptions::default() };
        assert_eq!(speech.words(&prompt, &options, &NoMedia).unwrap(), expect, "{said:?} in {lang}");
    }

    #[test]
    fn numbers_are_declined_not_written() {
        for (minutes, expect) in [
            (0, "Ваш номер в очереди: три. Вам ответят меньше чем через минуту."),
            (1, "Ваш номер в очереди: три. Вам ответят примерно через одну минуту."),
            (2, "Ваш номер в очереди: три. Вам ответят примерно через две минуты."),
            (5, "Ваш номер в очереди: три. Вам ответят примерно через пять минут."),
            (21, "Ваш номер в очереди: три. Вам ответят примерно через двадцать одну минуту."),
        ] {
            check_words("ru-RU", &HostPrompt::QueuePosition { position: 3, minutes: Some(minutes) }, expect);
        }
        let said = HostPrompt::QueuePosition { position: 1, minutes: Some(1) };
        check_words("en", &said, "Your place in the queue: one. Your call will be answered in about one minute.");
    }

    #[test]
    fn a_third_language_is_data() {
        check_words("uz", &HostPrompt::QueuePosition { position: 2, minutes: Some(4) }, "Navbat: 2. 4 daqiqa kutish.");
        // What it has no words for is said in the centre's own language, and spoken by that one's voice.
        check_words("uz", &HostPrompt::Goodbye, "До свидания.");
    }

    #[test]
    fn numbers_and_times_are_read_out() {
        let number = PhoneNumber::new("+79130000412");
        check_words(
            "ru",
            &HostPrompt::CallbackReadBack { number: number.clone() },
            "Вы ввели номер: семь, девять, один, три, ноль, ноль, ноль, ноль, четыре, один, два. Если всё верно, нажмите \
             один. Чтобы ввести номер ещё раз, нажмите два.",
        );
        let by = Arc::from("14:35");
        check_words(
            "ru",
            &HostPrompt::CallbackPromised { by, date: None },
            "Мы вам перезвоним. Самое позднее время звонка: четырнадцать часов тридцать пять минут. Спасибо.",
        );
        let date = Some(Date { year: 2026, month: 5, day: 6 });
        check_words(
            "ru",
            &HostPrompt::CallbackPromised { by: Arc::from("06:10"), date },
            "Мы вам перезвоним. Самое позднее время звонка: шестое мая, шесть часов десять минут. Спасибо.",
        );
        let topic = Arc::from("паспорт");
        check_words(
            "ru",
            &HostPrompt::CallbackWhisper { number, topic },
            "Обратный звонок. Номер оканчивается на: ноль, четыре, один, два. Тема: паспорт.",
        );
    }

    #[test]
    fn every_prompt_has_its_words_and_none_keeps_a_number() {
        let number = PhoneNumber::new("+79130000412");
        let words = HostWords::new([]).unwrap();
        let tag: LangTag = "ru".parse().unwrap();
        let read_back = words.prompt(&HostPrompt::CallbackReadBack { number }, &tag, &tag);
        assert!(!read_back.cacheable, "a caller's number is kept on disk");
        for key in WORDS.iter().map(|(key, _, _)| *key).filter(|key| *key != "minute") {
            assert!(WORDS.iter().filter(|(known, _, _)| *known == key).count() == 1, "{key} twice");
        }
    }

    #[test]
    fn words_that_nothing_says_are_refused() {
        let wrong = |key, text| HostWords::new([("uz", vec![(key, text)])]).err().unwrap().to_string();
        assert!(wrong("farewell", "x").contains("goodbye"), "the keys that there are");
        assert!(wrong("goodbye", "{time}").contains("{time}"));
        assert!(wrong("queue_minutes", "{minutes:sideways}").contains("sideways"));
    }
}
