//! What is written for a number, and what becomes of it.

use super::Bad;
use gudok_core::privacy::PhoneNumber;
use gudok_core::routing::{E164_DIGITS_MAX, E164_DIGITS_MIN, NumberPlan};

const COLUMN: &str = "number";
const WHOLE: &str = "Write it whole, such as +79130000000.";

/// A number that can be dialled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Number {
    /// E.164.
    pub(super) number: PhoneNumber,
    /// Of another country than the plan's.
    pub(super) foreign: bool,
}

/// Reads a number as people write it: ten digits, with 8 or 7 or +7 before, with spaces, brackets and hyphens.
///
/// # Errors
/// Where it is none that can be dialled.
pub(super) fn read(plan: &NumberPlan, written: &str) -> Result<Number, Bad> {
    // A spreadsheet's mark for "this is text".
    let written = written.trim().trim_start_matches('\'').trim();
    if written.is_empty() {
        return Err(Bad::new(COLUMN, "number-empty", "There is no number.", "Fill it in, or leave the row out."));
    }
    if is_rounded(written) {
        let remedy = "In the spreadsheet, make the column text, fill the numbers in anew and save it again.";
        return Err(Bad::new(COLUMN, "number-rounded", "A spreadsheet has rounded the number.", remedy));
    }
    let is_sign = |c: char| matches!(c, '+' | '-' | '(' | ')' | '.' | '/' | '‐' | '‑' | '–') || c.is_whitespace();
    if written.chars().any(|c| !c.is_ascii_digit() && !is_sign(c)) {
        let problem = "The number has letters or signs in it.";
        return Err(Bad::new(COLUMN, "number-letters", problem, "Write digits only; one number in a row."));
    }
    let digits = written.chars().filter(char::is_ascii_digit).count();
    if written.chars().skip(1).any(|c| c == '+') || digits > E164_DIGITS_MAX + longest_prefix(plan) {
        let problem = format!("The number has {digits} digits.");
        return Err(Bad::new(
            COLUMN,
            "number-long",
            problem,
            "Write one number in a row; the others in rows of their own.",
        ));
    }
    match plan.normalise(written) {
        Some(number) => {
            let foreign = !number.reveal().trim_start_matches('+').starts_with(plan.country_code.as_str());
            Ok(Number { number, foreign })
        }
        None => {
            let short = digits < plan.national_len.max(E164_DIGITS_MIN);
            let problem = format!("The number has {digits} digits.");
            Err(if short {
                Bad::new(COLUMN, "number-short", problem, WHOLE)
            } else {
                Bad::new(
                    COLUMN,
                    "number-unknown",
                    format!("{problem} It is none of this country, and has no + before it."),
                    WHOLE,
                )
            })
        }
    }
}

fn longest_prefix(plan: &NumberPlan) -> usize {
    plan.international_prefixes.iter().map(String::len).max().unwrap_or_default()
}

/// "7,9131E+10"
fn is_rounded(written: &str) -> bool {
    let Some((mantissa, exponent)) = written.split_once(['E', 'e', 'Е', 'е']) else { return false };
    let number = |text: &str, signs: &[char]| {
        let digits = text.trim_matches(|c| signs.contains(&c));
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
    };
    number(mantissa, &[]) && number(exponent, &['+'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> NumberPlan {
        NumberPlan {
            country_code: "7".to_owned(),
            trunk_prefix: "8".to_owned(),
            international_prefixes: vec!["810".to_owned(), "00".to_owned()],
            national_len: 10,
        }
    }

    fn outcome(written: &str) -> String {
        match read(&plan(), written) {
            Ok(Number { number, foreign }) => format!("{}{}", number.reveal(), if foreign { " foreign" } else { "" }),
            Err(bad) => bad.kind.to_owned(),
        }
    }

    #[test]
    fn every_way_of_writing_has_its_outcome() {
        for (written, expect) in [
            ("9131234567", "+79131234567"),
            ("89131234567", "+79131234567"),
            ("79131234567", "+79131234567"),
            ("+79131234567", "+79131234567"),
            ("8 (913) 123-45-67", "+79131234567"),
            (" '+7 913\u{a0}123\u{2011}45–67 ", "+79131234567"),
            ("+375291234567", "+375291234567 foreign"),
            ("810375291234567", "+375291234567 foreign"),
            ("+77011234567", "+77011234567"),
            ("112", "number-short"),
            ("231-45-67", "number-short"),
            ("+7913", "number-short"),
            ("375291234567", "number-unknown"),
            ("", "number-empty"),
            ("   ", "number-empty"),
            ("'", "number-empty"),
            ("звонить вечером", "number-letters"),
            ("89131234567 доб. 12", "number-letters"),
            ("8913123456O", "number-letters"),
            ("89131234567, 89131234568", "number-letters"),
            ("89131234567 89131234568", "number-long"),
            ("+7913123+456", "number-long"),
            ("7,9131E+10", "number-rounded"),
            ("7.91312E10", "number-rounded"),
            ("٧٩١٣١٢٣٤٥٦٧", "number-letters"),
        ] {
            assert_eq!(outcome(written), expect, "{written:?}");
        }
    }

    #[test]
    fn a_problem_says_nothing_of_the_number() {
        for written in ["89131234567 доб. 12", "231-45-67", "89131234567 89131234568"] {
            let bad = read(&plan(), written).unwrap_err();
            let said = format!("{} {}", bad.problem, bad.remedy);
            assert!(!said.contains("1234567") && !said.contains("231"), "{said}");
        }
    }
}
