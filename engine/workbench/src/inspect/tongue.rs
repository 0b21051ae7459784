//! In which language people are spoken to.

/// Russian or English.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Tongue {
    /// Russian.
    #[value(name = "ru")]
    Russian,
    /// English.
    #[value(name = "en")]
    English,
}

impl Tongue {
    /// As the system is set: Russian, unless it clearly asks for another language.
    #[must_use]
    pub fn of_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let set = variable("LC_ALL").or_else(|| variable("LC_MESSAGES")).or_else(|| variable("LANG"));
        Self::of_locale(set.as_deref())
    }

    /// By a locale's name: "ru_RU.UTF-8". Of machines without one ("C", "POSIX") nothing is known.
    fn of_locale(locale: Option<&str>) -> Self {
        match locale {
            None => Self::Russian,
            Some(name) if name.starts_with("ru") || name.starts_with("C.") || name == "C" || name == "POSIX" => {
                Self::Russian
            }
            Some(_) => Self::English,
        }
    }

    /// One of two.
    #[must_use]
    pub const fn say<'a>(self, russian: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Russian => russian,
            Self::English => english,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_comes_first() {
        let check = |locale: Option<&str>, expect: Tongue| assert_eq!(Tongue::of_locale(locale), expect, "{locale:?}");
        check(Some("ru_RU.UTF-8"), Tongue::Russian);
        check(Some("C.UTF-8"), Tongue::Russian);
        check(None, Tongue::Russian);
        check(Some("en_US.UTF-8"), Tongue::English);
        check(Some("de_DE.UTF-8"), Tongue::English);
    }
}
