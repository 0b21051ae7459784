//! Cardinal numerals: every word of the number stands in the case; the last one or two agree in gender.

use super::{Forms, class};
use crate::prompt::{Case, Gender, NumberSpec};
use crate::words::PluralClass;

pub(super) const MINUS: &str = "минус";

/// A whole number in gender and case, any i64.
pub(super) fn words(spec: NumberSpec) -> String {
    let mut out = String::new();
    if spec.value < 0 {
        out.push_str(MINUS);
    }
    push(&mut out, spec.value.unsigned_abs(), spec.gender, spec.case);
    out
}

/// Adds the words of `n` to a sentence.
pub(super) fn push(out: &mut String, n: u64, gender: Gender, case: Case) {
    if n == 0 {
        add(out, ZERO[case as usize]);
        return;
    }
    for (power, scale) in SCALES.iter().enumerate().rev() {
        let triad = n / 1000_u64.pow(u32::try_from(power + 1).unwrap_or(u32::MAX)) % 1000;
        if triad > 0 {
            push_triad(out, triad, scale.gender, case);
            add(out, scale.agree(triad, case));
        }
    }
    push_triad(out, n % 1000, gender, case);
}

/// 0 to 999; nothing for 0.
pub(super) fn push_triad(out: &mut String, triad: u64, gender: Gender, case: Case) {
    let case = case as usize;
    if let Some(forms) = at(&HUNDREDS, triad / 100) {
        add(out, forms[case]);
    }
    let below_hundred = triad % 100;
    if below_hundred < 20 {
        if let Some(forms) = small(below_hundred, gender) {
            add(out, forms[case]);
        }
        return;
    }
    if let Some(forms) = at(&TENS, below_hundred / 10 - 1) {
        add(out, forms[case]);
    }
    if let Some(forms) = small(below_hundred % 10, gender) {
        add(out, forms[case]);
    }
}

/// 1 to 19 in a gender; `None` for 0.
fn small(n: u64, gender: Gender) -> Option<&'static Forms> {
    match n {
        1 => Some(&ONE[gender as usize]),
        2 => Some(if gender == Gender::Feminine { &TWO_FEMININE } else { &TWO }),
        _ => at(&FROM_THREE, n.checked_sub(2)?),
    }
}

/// The entry for `n`, counted from 1; `None` for 0.
fn at(table: &'static [Forms], n: u64) -> Option<&'static Forms> {
    usize::try_from(n).ok()?.checked_sub(1).and_then(|place| table.get(place))
}

fn add(out: &mut String, word: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

/// тысяча, миллион …: nouns that are counted themselves.
struct Scale {
    gender: Gender,
    singular: Forms,
    plural: Forms,
}

impl Scale {
    fn agree(&self, count: u64, case: Case) -> &'static str {
        let direct = matches!(case, Case::Nominative | Case::Accusative);
        match class(count) {
            PluralClass::One => self.singular[case as usize],
            PluralClass::Few if direct => self.singular[Case::Genitive as usize],
            PluralClass::Many | PluralClass::Other if direct => self.plural[Case::Genitive as usize],
            PluralClass::Few | PluralClass::Many | PluralClass::Other => self.plural[case as usize],
        }
    }
}

/// In oblique cases of the terms of arithmetic "нуль" is the usual one: "от нуля до пяти".
const ZERO: Forms = ["ноль", "нуля", "нулю", "ноль", "нулём", "нуле"];

const ONE: [Forms; 3] = [
    ["один", "одного", "одному", "один", "одним", "одном"],
    ["одна", "одной", "одной", "одну", "одной", "одной"],
    ["одно", "одного", "одному", "одно", "одним", "одном"],
];
const TWO: Forms = ["два", "двух", "двум", "два", "двумя", "двух"];
const TWO_FEMININE: Forms = ["две", "двух", "двум", "две", "двумя", "двух"];

const FROM_THREE: [Forms; 17] = [
    ["три", "трёх", "трём", "три", "тремя", "трёх"],
    ["четыре", "четырёх", "четырём", "четыре", "четырьмя", "четырёх"],
    ["пять", "пяти", "пяти", "пять", "пятью", "пяти"],
    ["шесть", "шести", "шести", "шесть", "шестью", "шести"],
    ["семь", "семи", "семи", "семь", "семью", "семи"],
    ["восемь", "восьми", "восьми", "восемь", "восемью", "восьми"],
    ["девять", "девяти", "девяти", "девять", "девятью", "девяти"],
    ["десять", "десяти", "десяти", "десять", "десятью", "десяти"],
    ["одиннадцать", "одиннадцати", "одиннадцати", "одиннадцать", "одиннадцатью", "одиннадцати"],
    ["двенадцать", "двенадцати", "двенадцати", "двенадцать", "двенадцатью", "двенадцати"],
    ["тринадцать", "тринадцати", "тринадцати", "тринадцать", "тринадцатью", "тринадцати"],
    ["четырнадцать", "четырнадцати", "четырнадцати", "четырнадцать", "четырнадцатью", "четырнадцати"],
    ["пятнадцать", "пятнадцати", "пятнадцати", "пятнадцать", "пятнадцатью", "пятнадцати"],
    ["шестнадцать", "шестнадцати", "шестнадцати", "шестнадцать", "шестнадцатью", "шестнадцати"],
    ["семнадцать", "семнадцати", "семнадцати", "семнадцать", "семнадцатью", "семнадцати"],
    ["восемнадцать", "восемнадцати", "восемнадцати", "восемнадцать", "восемнадцатью", "восемнадцати"],
    ["девятнадцать", "девятнадцати", "девятнадцати", "девятнадцать", "девятнадцатью", "девятнадцати"],
];

/// 20, 30 … 90.
const TENS: [Forms; 8] = [
    ["двадцать", "двадцати", "двадцати", "двадцать", "двадцатью", "двадцати"],
    ["тридцать", "тридцати", "тридцати", "тридцать", "тридцатью", "тридцати"],
    ["сорок", "сорока", "сорока", "сорок", "сорока", "сорока"],
    ["пятьдесят", "пятидесяти", "пятидесяти", "пятьдесят", "пятьюдесятью", "пятидесяти"],
    ["шестьдесят", "шестидесяти", "шестидесяти", "шестьдесят", "шестьюдесятью", "шестидесяти"],
    ["семьдесят", "семидесяти", "семидесяти", "семьдесят", "семьюдесятью", "семидесяти"],
    ["восемьдесят", "восьмидесяти", "восьмидесяти", "восемьдесят", "восемьюдесятью", "восьмидесяти"],
    ["девяносто", "девяноста", "девяноста", "девяносто", "девяноста", "девяноста"],
];

const HUNDREDS: [Forms; 9] = [
    ["сто", "ста", "ста", "сто", "ста", "ста"],
    ["двести", "двухсот", "двумстам", "двести", "двумястами", "двухстах"],
    ["триста", "трёхсот", "трёмстам", "триста", "тремястами", "трёхстах"],
    ["четыреста", "четырёхсот", "четырёмстам", "четыреста", "четырьмястами", "четырёхстах"],
    ["пятьсот", "пятисот", "пятистам", "пятьсот", "пятьюстами", "пятистах"],
    ["шестьсот", "шестисот", "шестистам", "шестьсот", "шестьюстами", "шестистах"],
    ["семьсот", "семисот", "семистам", "семьсот", "семьюстами", "семистах"],
    ["восемьсот", "восьмисот", "восьмистам", "восемьсот", "восемьюстами", "восьмистах"],
    ["девятьсот", "девятисот", "девятистам", "девятьсот", "девятьюстами", "девятистах"],
];

/// 10^3, 10^6 … 10^18: all that an i64 holds.
const SCALES: [Scale; 6] = [
    Scale {
        gender: Gender::Feminine,
        singular: ["тысяча", "тысячи", "тысяче", "тысячу", "тысячей", "тысяче"],
        plural: ["тысячи", "тысяч", "тысячам", "тысячи", "тысячами", "тысячах"],
    },
    Scale {
        gender: Gender::Masculine,
        singular: ["миллион", "миллиона", "миллиону", "миллион", "миллионом", "миллионе"],
        plural: ["миллионы", "миллионов", "миллионам", "миллионы", "миллионами", "миллионах"],
    },
    Scale {
        gender: Gender::Masculine,
        singular: ["миллиард", "миллиарда", "миллиарду", "миллиард", "миллиардом", "миллиарде"],
        plural: ["миллиарды", "миллиардов", "миллиардам", "миллиарды", "миллиардами", "миллиардах"],
    },
    Scale {
        gender: Gender::Masculine,
        singular: ["триллион", "триллиона", "триллиону", "триллион", "триллионом", "триллионе"],
        plural: ["триллионы", "триллионов", "триллионам", "триллионы", "триллионами", "триллионах"],
    },
    Scale {
        gender: Gender::Masculine,
        singular: ["квадриллион", "квадриллиона", "квадриллиону", "квадриллион", "квадриллионом", "квадриллионе"],
        plural: ["квадриллионы", "квадриллионов", "квадриллионам", "квадриллионы", "квадриллионами", "квадриллионах"],
    },
    Scale {
        gender: Gender::Masculine,
        singular: ["квинтиллион", "квинтиллиона", "квинтиллиону", "квинтиллион", "квинтиллионом", "квинтиллионе"],
        plural: ["квинтиллионы", "квинтиллионов", "квинтиллионам", "квинтиллионы", "квинтиллионами", "квинтиллионах"],
    },
];
