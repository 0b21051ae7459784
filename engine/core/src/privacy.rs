//! Redaction as a type: what must not be written down cannot be, because its `Debug` and `Display` mask it.

use std::fmt;
use std::sync::Arc;

/// A telephone number or SIP user part of a person. `Debug` and `Display` show the last two digits only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(Arc<str>);

impl PhoneNumber {
    /// Takes the number as it came.
    #[must_use]
    pub fn new(number: &str) -> Self {
        Self(Arc::from(number))
    }

    /// The number in clear, for dialling and for the script that the caller talks to. Never for writing down.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The masked form, for writing down: `+7*********67`.
    #[must_use]
    pub fn masked(&self) -> String {
        const SHOWN_AT_END: usize = 2;
        const SHORT_NUMBER_LEN_MAX: usize = 4;
        let count = self.0.chars().count();
        if count <= SHORT_NUMBER_LEN_MAX {
            return "*".repeat(count);
        }
        let country = usize::from(self.0.starts_with('+')) * 2;
        self.0
            .chars()
            .enumerate()
            .map(|(at, c)| if at < country || at + SHOWN_AT_END >= count { c } else { '*' })
            .collect()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Keys that a caller pressed. Shown as a count only: whether a question was sensitive is known before its keys come,
/// but not to everything that handles them.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Keys(String);

impl Keys {
    /// Takes the keys as pressed.
    #[must_use]
    pub fn new(keys: String) -> Self {
        Self(keys)
    }

    /// The keys in clear: for the script, never for writing down.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} keys>", self.0.chars().count())
    }
}

/// A password, token or other secret. Shows nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes the secret.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The secret in clear, for the one place that uses it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Masks every run of seven or more digits (spaces, dashes and brackets between them allowed) in free text, such as a
/// script's log line: it may hold a telephone or a document number.
#[must_use]
pub fn mask_digit_runs(text: &str) -> String {
    const RUN_LEN_MIN: usize = 7;
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let mut end = at;
        let mut digits = 0;
        for (offset, c) in chars[at..].iter().enumerate() {
            if c.is_ascii_digit() {
                digits += 1;
                end = at + offset + 1;
            } else if !matches!(c, ' ' | '-' | '(' | ')') {
                break;
            }
        }
        let run = &chars[at..end];
        if digits >= RUN_LEN_MIN {
            out.extend(run.iter().map(|c| if c.is_ascii_digit() { '*' } else { *c }));
        } else {
            out.extend(run);
        }
        at = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_country_and_last_two_digits() {
        let check = |number: &str, expect: &str| assert_eq!(format!("{:?}", PhoneNumber::new(number)), expect);
        check("+79131234567", "+7********67");
        check("89131234567", "*********67");
        check("122", "***");
        check("", "");
        check("анна иванова", "**********ва");
    }

    #[test]
    fn keys_and_secrets_show_nothing() {
        assert_eq!(format!("{:?}", Keys::new("1234".into())), "<4 keys>");
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "<secret>");
    }

    #[test]
    fn free_text_loses_long_digit_runs() {
        let check = |text: &str, expect: &str| assert_eq!(mask_digit_runs(text), expect);
        check("звонил +7 913 123-45-67, код 42", "звонил +* *** ***-**-**, код 42");
        check("снилс 112-233-445 95", "снилс ***-***-*** **");
        check("в 2026 году", "в 2026 году");
        check("", "");
    }
}
