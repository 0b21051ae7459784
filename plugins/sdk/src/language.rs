//! Texts in several languages.

/// What fits a language tag best: the same tag, else the same language ("ru" for "ru-RU"), else the first.
///
/// ```
/// let texts = [("ru-RU", "Здравствуйте"), ("en", "Hello")];
/// assert_eq!(gudok_sdk::choose("en-GB", &texts), Some(&"Hello"));
/// assert_eq!(gudok_sdk::choose("tt", &texts), Some(&"Здравствуйте"));
/// ```
pub fn choose<'texts, T>(tag: &str, texts: &'texts [(impl AsRef<str>, T)]) -> Option<&'texts T> {
    let same_tag = texts.iter().find(|(of, _)| of.as_ref().eq_ignore_ascii_case(tag));
    let same_language = || texts.iter().find(|(of, _)| primary(of.as_ref()).eq_ignore_ascii_case(primary(tag)));
    same_tag.or_else(same_language).or(texts.first()).map(|(_, text)| text)
}

pub(crate) fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// A prompt in the call's language, the first where there are no words in it:
/// `words!(call, "ru" => ["Вы", ordinal(21)], "en" => ["You are number", number(21)])`.
#[macro_export]
macro_rules! words {
    ($call:expr, $default:literal => [$($first:expr),* $(,)?] $(, $language:literal => [$($piece:expr),* $(,)?])* $(,)?) => {
        match $call {
            $(call if call.speaks($language) => $crate::prompt![$($piece),*],)*
            _ => $crate::prompt![$($first),*],
        }
    };
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn the_closest_language_wins() {
        let texts = [("ru-RU", 1), ("en-GB", 2), ("en-US", 3)];
        for (tag, expected) in [("ru-RU", 1), ("ru", 1), ("en-US", 3), ("en-AU", 2), ("EN-gb", 2), ("", 1), ("de", 1)] {
            assert_eq!(choose(tag, &texts), Some(&expected), "{tag}");
        }
        assert_eq!(choose::<u8>("ru", &[] as &[(&str, u8)]), None);
    }
}
