//! How a string of digits falls into groups that can be written down while listening.

use crate::prompt::DigitGrouping;

const PHONE_WITH_COUNTRY: [usize; 5] = [1, 3, 3, 2, 2];
const PHONE_WITH_AREA: [usize; 4] = [3, 3, 2, 2];
const PHONE_LOCAL_7: [usize; 3] = [3, 2, 2];
const PHONE_LOCAL_5: [usize; 3] = [1, 2, 2];
const SNILS: [usize; 4] = [3, 3, 3, 2];

/// The groups, in order. `*` and `#` stand alone; a leading `+` stands in the first group.
pub(super) fn groups(text: &str, grouping: DigitGrouping) -> Vec<String> {
    let plus = text.trim_start().starts_with('+');
    let mut groups = Vec::new();
    let mut run = String::new();
    for symbol in text.chars() {
        match symbol {
            '0'..='9' => run.push(symbol),
            '*' | '#' => {
                split(&mut run, grouping, plus && groups.is_empty(), &mut groups);
                groups.push(symbol.to_string());
            }
            _ => {} // A separator: the grouping rules, not the writer's taste.
        }
    }
    split(&mut run, grouping, plus && groups.is_empty(), &mut groups);
    match groups.first_mut() {
        Some(first) if plus => first.insert(0, '+'),
        None if plus => groups.push("+".to_owned()),
        _ => {}
    }
    groups
}

/// Cuts a run of digits by its grouping and empties it.
fn split(run: &mut String, grouping: DigitGrouping, plus: bool, groups: &mut Vec<String>) {
    let digits = std::mem::take(run);
    let mut rest = digits.as_str();
    let mut sizes = sizes(rest, grouping, plus).into_iter();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(2).clamp(1, rest.len());
        let (group, tail) = rest.split_at(size);
        groups.push(group.to_owned());
        rest = tail;
    }
}

fn sizes(digits: &str, grouping: DigitGrouping, plus: bool) -> Vec<usize> {
    let length = digits.len();
    match grouping {
        DigitGrouping::OneByOne => vec![1; length],
        DigitGrouping::Pairs => vec![2; length],
        DigitGrouping::Triples => vec![3; length],
        DigitGrouping::Snils => SNILS.to_vec(),
        DigitGrouping::PhoneRu => phone_ru(length),
        DigitGrouping::Auto => match length {
            11 if plus || digits.starts_with(['7', '8']) => phone_ru(length),
            10 if !plus => phone_ru(length),
            0..=3 => vec![1; length],
            _ if length.is_multiple_of(2) => vec![2; length],
            _ if length.is_multiple_of(3) => vec![3; length],
            _ => vec![1; length],
        },
    }
}

fn phone_ru(length: usize) -> Vec<usize> {
    match length {
        11 => PHONE_WITH_COUNTRY.to_vec(),
        10 => PHONE_WITH_AREA.to_vec(),
        7 => PHONE_LOCAL_7.to_vec(),
        5 => PHONE_LOCAL_5.to_vec(),
        3 => vec![3], // 112
        _ => vec![2; length],
    }
}

/// "005" is "ноль ноль пять": a zero in front is said, or the number is written down wrong.
pub(super) fn zeros_then_number(group: &str, number: impl Fn(i64) -> String) -> String {
    let significant = group.trim_start_matches('0');
    let zeros = group.len() - significant.len();
    let mut said = vec![number(0); zeros];
    if let Ok(value) = significant.parse() {
        said.push(number(value));
    }
    said.join(" ")
}

/// Every digit for itself: how English reads codes.
pub(super) fn one_by_one(group: &str, number: impl Fn(i64) -> String) -> String {
    group.chars().filter_map(|digit| digit.to_digit(10)).map(|digit| number(digit.into())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(digits: &str, grouping: DigitGrouping, expect: &str) {
        assert_eq!(groups(digits, grouping).join(" "), expect, "{digits} {grouping:?}");
    }

    #[test]
    fn digits_fall_into_groups() {
        check("12345", DigitGrouping::OneByOne, "1 2 3 4 5");
        check("12345", DigitGrouping::Pairs, "12 34 5");
        check("12345", DigitGrouping::Triples, "123 45");
        check("+7 (913) 000-11-22", DigitGrouping::PhoneRu, "+7 913 000 11 22");
        check("89130001122", DigitGrouping::PhoneRu, "8 913 000 11 22");
        check("9130001122", DigitGrouping::PhoneRu, "913 000 11 22");
        check("7001122", DigitGrouping::PhoneRu, "700 11 22");
        check("581122", DigitGrouping::PhoneRu, "58 11 22");
        check("21122", DigitGrouping::PhoneRu, "2 11 22");
        check("112", DigitGrouping::PhoneRu, "112");
        check("112-233-445 95", DigitGrouping::Snils, "112 233 445 95");
        check("89130001122", DigitGrouping::Auto, "8 913 000 11 22");
        check("+79130001122", DigitGrouping::Auto, "+7 913 000 11 22");
        check("11223344595", DigitGrouping::Auto, "1 1 2 2 3 3 4 4 5 9 5");
        check("0512", DigitGrouping::Auto, "05 12");
        check("123456789", DigitGrouping::Auto, "123 456 789");
        check("105", DigitGrouping::Auto, "1 0 5");
        check("*21#", DigitGrouping::Pairs, "* 21 #");
        check("+", DigitGrouping::Auto, "+");
        check("", DigitGrouping::Auto, "");
    }
}
