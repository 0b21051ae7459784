//! Which keys a prompt announces, in the languages that samples speak: "нажмите два", "press 2", "өч төймәсенә басыгыз".
//!
//! It is a reading by words, not by meaning: what it does not know it takes for nothing. Whoever asks it must not make
//! anything of an answer in which there is no key at all.

/// How a language announces a key.
struct Words {
    /// A key follows: the beginnings of words.
    press: &'static [&'static str],
    /// From 0 to 9: the beginnings of words, any of them.
    numerals: [&'static [&'static str]; 10],
    star: &'static [&'static str],
    hash: &'static [&'static str],
    /// The key comes before the verb, with at most so many words between.
    verb_follows: bool,
    /// Between the ends of a range.
    to: &'static [&'static str],
}

const ALL: [Words; 3] = [
    Words {
        press: &["нажмите", "нажав", "нажать", "наберите"],
        numerals: [
            &["ноль", "нуля", "нуль"],
            &["один", "одного", "единиц"],
            &["два", "двух", "двойк"],
            &["три", "трех", "трёх", "тройк"],
            &["четыр"],
            &["пять", "пяти"],
            &["шест"],
            &["семь", "семи"],
            &["восемь", "восьми"],
            &["девят"],
        ],
        star: &["звёздочк", "звездочк"],
        hash: &["решётк", "решетк"],
        verb_follows: false,
        to: &["до", "по"],
    },
    Words {
        press: &["press", "pressing", "dial"],
        numerals: [
            &["zero"],
            &["one"],
            &["two"],
            &["three"],
            &["four"],
            &["five"],
            &["six"],
            &["seven"],
            &["eight"],
            &["nine"],
        ],
        star: &["star"],
        hash: &["hash", "pound"],
        verb_follows: false,
        to: &["to", "through"],
    },
    Words {
        press: &["басыгыз", "төймәсенә"],
        numerals: [
            &["нуль", "ноль"],
            &["бер"],
            &["ике"],
            &["өч"],
            &["дүрт"],
            &["биш"],
            &["алты"],
            &["җиде"],
            &["сигез"],
            &["тугыз"],
        ],
        star: &["йолдызчык"],
        hash: &["рәшәткә"],
        verb_follows: true,
        to: &["кадәр"],
    },
];

/// Words after or before the verb in which a key may stand: "press the digit two".
const REACH: usize = 3;

/// The keys that a prompt in any of the known languages announces. None where it announces nothing.
pub(super) fn announced(text: &str) -> Vec<char> {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !(c.is_alphanumeric() || c == '*' || c == '#')).filter(|word| !word.is_empty()).collect();
    let mut keys = Vec::new();
    for language in &ALL {
        for (at, word) in words.iter().enumerate() {
            if !language.press.iter().any(|press| word.starts_with(press)) {
                continue;
            }
            let near: Vec<&str> = if language.verb_follows {
                words[at.saturating_sub(REACH)..at].iter().rev().copied().collect()
            } else {
                words[at + 1..].iter().take(REACH).copied().collect()
            };
            keys.extend(near.iter().find_map(|word| key(language, word)));
        }
        keys.extend(range(language, &words));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The keys that stand alone behind a colon, as menus of the SDKs say their items: "Паспорт: один." It may be any number, so
/// it says only what is announced, never what is offered.
pub(super) fn labelled(text: &str) -> Vec<char> {
    let lower = text.to_lowercase();
    let alone = lower.split(':').skip(1).filter_map(|rest| {
        let mut words = rest.split(['.', ',', ';']).next()?.split_whitespace();
        words.next().filter(|_| words.next().is_none())
    });
    alone.filter_map(|word| ALL.iter().find_map(|language| key(language, word))).collect()
}

/// "from one to five", "от одного до пяти", "бердән бишкә кадәр".
fn range(language: &Words, words: &[&str]) -> Vec<char> {
    let digit = |at: Option<usize>| key(language, words.get(at?)?)?.to_digit(10);
    let between = |at: usize| {
        let (from, to) = if language.verb_follows {
            (at.checked_sub(2), at.checked_sub(1))
        } else {
            (at.checked_sub(1), Some(at + 1))
        };
        Some((digit(from)?, digit(to)?))
    };
    let to = words.iter().enumerate().filter(|(_, word)| language.to.contains(word));
    let ends = to.map(|(at, _)| at).find_map(between);
    ends.map_or_else(Vec::new, |(from, to)| (from..=to).filter_map(|digit| char::from_digit(digit, 10)).collect())
}

fn key(language: &Words, word: &str) -> Option<char> {
    let mut characters = word.chars();
    if let (Some(only), None) = (characters.next(), characters.next())
        && matches!(only, '0'..='9' | '*' | '#')
    {
        return Some(only);
    }
    if language.star.iter().any(|star| word.starts_with(star)) {
        return Some('*');
    }
    if language.hash.iter().any(|hash| word.starts_with(hash)) {
        return Some('#');
    }
    let place = language.numerals.iter().position(|forms| forms.iter().any(|form| word.starts_with(form)))?;
    char::from_digit(u32::try_from(place).ok()?, 10)
}

/// The alphabets of a text: Cyrillic, Latin, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Alphabets {
    pub(super) cyrillic: usize,
    pub(super) latin: usize,
}

impl Alphabets {
    pub(super) fn of(text: &str) -> Self {
        let cyrillic = text.chars().filter(|c| matches!(c, '\u{400}'..='\u{52f}')).count();
        let latin = text.chars().filter(|c| c.is_alphabetic() && *c <= '\u{24f}').count();
        Self { cyrillic, latin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_words() {
        let check =
            |text: &str, keys: &str| assert_eq!(announced(text).into_iter().collect::<String>(), keys, "{text}");
        check("Готовность паспорта: нажмите 2 . Место в очереди: нажмите три.", "23");
        check("Для оператора нажмите звёздочку.", "*");
        check("For the state of your passport application, press 2. To hear this again, press star.", "*2");
        check("Балалар бакчасына чират: 3 төймәсенә басыгыз.", "3");
        check("Татар теле: өч төймәсенә басыгыз.", "3");
        check("Оцените разговор: нажмите цифру от одного до пяти, где пять значит хорошо.", "12345");
        check("Please press a digit from one to five; five means good.", "12345");
        check("Сөйләшүне бәяләгез: бердән бишкә кадәр санга басыгыз.", "12345");
        check("Спасибо за звонок. У нас три окна и пять дверей.", "");
    }

    #[test]
    fn items_behind_a_colon_are_announced_and_nothing_else() {
        let check = |text: &str, keys: &str| assert_eq!(labelled(text).into_iter().collect::<String>(), keys, "{text}");
        check("Выберите город. Для оператора нажмите ноль. Город: 1. Село: два.", "12");
        check("Opening hours: one.", "1");
        check("Часы работы: пять дней в неделю.", "");
    }

    #[test]
    fn a_text_tells_its_alphabets() {
        assert_eq!(Alphabets::of("Да, yes 1"), Alphabets { cyrillic: 2, latin: 3 });
        assert_eq!(Alphabets::of("Сөйләшү"), Alphabets { cyrillic: 7, latin: 0 });
    }
}
