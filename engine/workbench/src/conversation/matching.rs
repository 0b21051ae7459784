//! When something that was said is what was expected: word by word, as it is heard.

/// What stands for any words.
const GAP: char = '…';

/// Words that are expected, with gaps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// Runs of words, with a gap between each and the next.
    runs: Vec<Vec<String>>,
    open_before: bool,
    open_behind: bool,
}

impl Expected {
    /// Of a text with `…` where words are left out. Three full stops are one `…`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.replace("...", "…");
        let text = text.trim();
        let runs = text.split(GAP).map(words).filter(|run| !run.is_empty()).collect();
        Self { runs, open_before: text.starts_with(GAP), open_behind: text.ends_with(GAP) }
    }

    /// A part is enough.
    #[must_use]
    pub fn anywhere(self) -> Self {
        Self { open_before: true, open_behind: true, ..self }
    }

    /// Whether that is it.
    #[must_use]
    pub fn is_said_in(&self, said: &str) -> bool {
        let said = words(said);
        let (Some(first), Some(last)) = (self.runs.first(), self.runs.last()) else {
            return self.open_before || said.is_empty();
        };
        if self.runs.len() == 1 && !self.open_before && !self.open_behind {
            return said == *first;
        }
        if !self.open_behind && !said.ends_with(last) {
            return false;
        }
        let end = if self.open_behind { said.len() } else { said.len() - last.len() };
        let mut at = 0;
        let count = self.runs.len();
        for (nth, run) in self.runs.iter().enumerate() {
            if nth == count - 1 && !self.open_behind {
                return at <= end && (nth > 0 || self.open_before || end == 0);
            }
            let place = match nth {
                0 if !self.open_before => said.starts_with(run).then_some(0),
                _ => (at..=said.len()).find(|from| said[*from..].starts_with(run)),
            };
            let Some(place) = place else { return false };
            at = place + run.len();
        }
        true
    }
}

/// Whether what was said is what was expected.
#[must_use]
pub fn words_match(expected: &str, said: &str) -> bool {
    Expected::new(expected).is_said_in(said)
}

/// As they are heard: without case, punctuation and the dots of `ё`.
pub(super) fn words(text: &str) -> Vec<String> {
    let heard = |word: &str| word.to_lowercase().replace('ё', "е");
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(heard).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_as_they_are_heard() {
        let said = "Здравствуйте. Ваш паспорт ещё не готов, ждите двадцать один день.";
        for (expected, fits) in [
            ("Здравствуйте! Ваш паспорт еще не готов; ждите двадцать один день", true),
            ("Здравствуйте…", true),
            ("…двадцать один день", true),
            ("…паспорт…готов…", true),
            ("Здравствуйте … ждите ... день", true),
            ("Здравствуйте", false),
            ("паспорт", false),
            ("…паспорт", false),
            ("паспорт…", false),
            ("…готов…паспорт…", false),
            ("…паспор…", false),
            ("Здравствуйте…Здравствуйте…", false),
            ("…день день", false),
            ("…", true),
        ] {
            assert_eq!(words_match(expected, said), fits, "{expected}");
        }
        assert!(Expected::new("паспорт ещё").anywhere().is_said_in(said));
        assert!(!Expected::new("Алло…алло").is_said_in("Алло"));
        assert!(words_match("[media:welcome]", "[media:welcome]"));
    }
}
