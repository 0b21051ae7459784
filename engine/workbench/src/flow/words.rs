//! The picture's own words, in the languages of those who look at it.

use serde::{Deserialize, Serialize};

/// The language of a picture's own words. What the script says stays in the script's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Русский.
    #[default]
    Ru,
    /// English.
    En,
}

impl Lang {
    /// BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The one of two.
    pub(crate) const fn of(self, ru: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Ru => ru,
            Self::En => en,
        }
    }

    /// A count with its noun: `1 путь`, `2 пути`, `5 путей`.
    pub(crate) fn counted(self, count: usize, ru: [&str; 3], en: [&str; 2]) -> String {
        let noun = match self {
            Self::Ru => match (count % 100, count % 10) {
                (11..=14, _) => ru[2],
                (_, 1) => ru[0],
                (_, 2..=4) => ru[1],
                _ => ru[2],
            },
            Self::En => en[usize::from(count != 1)],
        };
        format!("{count} {noun}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_counts_have_three_forms() {
        let places = |count| Lang::Ru.counted(count, ["место", "места", "мест"], ["place", "places"]);
        let said: Vec<String> = [1, 3, 5, 11, 21, 112].into_iter().map(places).collect();
        assert_eq!(said, ["1 место", "3 места", "5 мест", "11 мест", "21 место", "112 мест"]);
        assert_eq!(Lang::En.counted(1, ["", "", ""], ["place", "places"]), "1 place");
    }
}
