//! Text to stems: "паспорта" and "паспортов" are one word.

use rust_stemmers::{Algorithm, Stemmer};

/// Letters of a word that count; what is longer is no word.
const WORD_CHARS_MAX: usize = 64;

/// Words that say nothing of what is asked, in the languages that questions are asked in.
const IDLE: &[&str] = &[
    "а",
    "без",
    "более",
    "бы",
    "был",
    "быть",
    "в",
    "вам",
    "вас",
    "вы",
    "где",
    "для",
    "до",
    "если",
    "есть",
    "же",
    "за",
    "и",
    "из",
    "или",
    "их",
    "к",
    "как",
    "какая",
    "какие",
    "какой",
    "когда",
    "ли",
    "мне",
    "можно",
    "мы",
    "на",
    "надо",
    "не",
    "но",
    "о",
    "об",
    "от",
    "по",
    "при",
    "с",
    "со",
    "то",
    "у",
    "что",
    "я",
    "a",
    "an",
    "and",
    "are",
    "can",
    "do",
    "for",
    "how",
    "i",
    "in",
    "is",
    "of",
    "the",
    "to",
    "what",
    "where",
];

/// The stemmers for the languages of the directory's texts. A word is stemmed by the alphabet that it is written in, so that
/// "справка ru-RU" and "SNILS" in one sentence both find their own.
pub(super) struct Words {
    russian: Stemmer,
    english: Stemmer,
}

impl Default for Words {
    fn default() -> Self {
        Self { russian: Stemmer::create(Algorithm::Russian), english: Stemmer::create(Algorithm::English) }
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words")
    }
}

impl Words {
    /// The stems of a text, in order.
    pub(super) fn stems(&self, text: &str) -> Vec<String> {
        let lower = text.to_lowercase().replace('ё', "е");
        lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty() && !IDLE.contains(word))
            .map(|word| word.chars().take(WORD_CHARS_MAX).collect::<String>())
            .map(|word| self.stem(&word))
            .collect()
    }

    fn stem(&self, word: &str) -> String {
        let stemmer = if word.chars().any(|c| ('а'..='я').contains(&c)) { &self.russian } else { &self.english };
        stemmer.stem(word).into_owned()
    }
}

impl bm25::Tokenizer for Words {
    fn tokenize(&self, input_text: &str) -> Vec<String> {
        self.stems(input_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_are_one_stem() {
        let words = Words::default();
        let one = |text: &str| {
            let stems = words.stems(text);
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
        };
        one("паспорт паспорта паспорту паспортом паспорте паспорта");
        one("справка справки справку справкой");
        one("очередь очереди");
        one("ребёнок ребенок");
        one("passport passports");
        assert_eq!(words.stems("Где и как, для чего?"), ["чег"]);
        assert!(words.stems("!?… — 🦀").is_empty());
        assert_eq!(words.stems(&"я".repeat(100_000)).len(), 1);
    }
}
