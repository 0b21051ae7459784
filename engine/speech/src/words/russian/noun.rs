//! The noun beside a number. An author gives 1 заявка, 2 заявки, 5 заявок; the other cases are made from these.
//!
//! What is made is regular declension (a phrase of adjectives, a noun, and what depends on it). A noun that
//! declines irregularly is written out by its author as `text`.

use super::class;
use crate::prompt::{Case, Gender, NounForms};
use crate::words::PluralClass;

/// The phrase that stands after `n` in a case.
pub(super) fn agree(noun: &NounForms, n: u64, case: Case) -> String {
    let class = class(n);
    // "К нулю заявок, с тысячей рублей": zero, thousand and million govern the genitive plural in every case.
    let governs = n.is_multiple_of(1000);
    match case {
        Case::Nominative => noun.form(class).to_owned(),
        Case::Accusative if class == PluralClass::One && noun.gender == Gender::Feminine => accusative(noun),
        Case::Accusative => noun.form(class).to_owned(),
        Case::Genitive if class == PluralClass::One => phrase(noun, genitive_singular),
        Case::Genitive => noun.form(PluralClass::Many).to_owned(),
        _ if governs => noun.form(PluralClass::Many).to_owned(),
        Case::Dative => oblique(noun, class, Oblique::Dative),
        Case::Instrumental => oblique(noun, class, Oblique::Instrumental),
        Case::Prepositional => oblique(noun, class, Oblique::Prepositional),
    }
}

/// The cases that the author's forms do not contain.
#[derive(Clone, Copy)]
enum Oblique {
    Dative,
    Instrumental,
    Prepositional,
}

impl Oblique {
    fn pick(self, forms: [&'static str; 3]) -> &'static str {
        forms[self as usize]
    }
}

fn oblique(noun: &NounForms, class: PluralClass, case: Oblique) -> String {
    match class {
        PluralClass::One => phrase(noun, |word| word.singular(noun.gender, case)),
        PluralClass::Few | PluralClass::Many | PluralClass::Other => phrase(noun, |word| word.plural(case)),
    }
}

/// One word of the phrase in the three forms that the author gave.
struct Word<'a> {
    one: &'a str,
    few: &'a str,
    many: &'a str,
    /// A substantivised adjective counts: "дежурный, двое дежурных".
    adjective: bool,
}

/// Applies a rule to the adjectives and the noun; what depends on the noun stays: "заявка на паспорт".
fn phrase(noun: &NounForms, rule: impl Fn(&Word<'_>) -> String) -> String {
    let [one, few, many] = [PluralClass::One, PluralClass::Few, PluralClass::Many].map(|class| noun.form(class));
    let mut said = Vec::new();
    let mut head_passed = false;
    let mut fews = few.split(' ');
    let mut manies = many.split(' ');
    for one in one.split(' ') {
        let (few, many) = (fews.next().unwrap_or(one), manies.next().unwrap_or(one));
        if head_passed || (one == few && one == many) {
            said.push(one.to_owned()); // It depends on the noun, or does not decline: "евро".
            continue;
        }
        let adjective = many.ends_with("ых") || many.ends_with("их");
        said.push(rule(&Word { one, few, many, adjective }));
        head_passed = !adjective;
    }
    said.join(" ")
}

fn genitive_singular(word: &Word<'_>) -> String {
    if word.adjective {
        return format!("{}{}", word.adjective_stem(), word.adjective_endings()[0]);
    }
    word.few.to_owned()
}

fn accusative(noun: &NounForms) -> String {
    phrase(noun, |word| {
        let endings = [("ая", "ую"), ("яя", "юю"), ("а", "у"), ("я", "ю")];
        let changed = endings.into_iter().find_map(|(from, to)| Some(format!("{}{to}", word.one.strip_suffix(from)?)));
        changed.unwrap_or_else(|| word.one.to_owned())
    })
}

impl Word<'_> {
    fn singular(&self, gender: Gender, case: Oblique) -> String {
        if self.adjective {
            let [_, endings @ ..] = self.adjective_endings();
            return format!("{}{}", self.adjective_stem(), case.pick(endings));
        }
        let stem = without_last(self.few);
        match gender {
            Gender::Feminine => self.feminine_singular(case),
            _ if self.one.ends_with("мя") => {
                let instrumental = format!("{stem}ем");
                if matches!(case, Oblique::Instrumental) { instrumental } else { self.few.to_owned() }
            }
            // комментарий, заявление
            _ if self.few.ends_with("ия") => format!("{stem}{}", case.pick(["ю", "ем", "и"])),
            _ if self.few.ends_with('я') => {
                let unstressed = ["тель", "й", "е"].iter().any(|ending| self.one.ends_with(ending));
                format!("{stem}{}", case.pick(["ю", if unstressed { "ем" } else { "ём" }, "е"]))
            }
            _ if self.few.ends_with('а') => {
                let soft = self.one.ends_with('ц') || self.one.ends_with("ще") || self.one.ends_with("це");
                format!("{stem}{}", case.pick(["у", if soft { "ем" } else { "ом" }, "е"]))
            }
            _ => self.few.to_owned(),
        }
    }

    fn feminine_singular(&self, case: Oblique) -> String {
        let stem = without_last(self.one);
        if self.one.ends_with('ь') {
            let instrumental = format!("{}ю", self.one);
            return if matches!(case, Oblique::Instrumental) { instrumental } else { self.few.to_owned() };
        }
        let endings = match self.one {
            one if one.ends_with("ия") => ["и", "ей", "и"],
            one if one.ends_with('я') || hushes(stem) || stem.ends_with('ц') => ["е", "ей", "е"],
            one if one.ends_with('а') => ["е", "ой", "е"],
            _ => return self.few.to_owned(),
        };
        format!("{stem}{}", case.pick(endings))
    }

    fn adjective_stem(&self) -> &str {
        without_last(without_last(self.one))
    }

    /// Singular endings: genitive, dative, instrumental, prepositional.
    fn adjective_endings(&self) -> [&'static str; 4] {
        let stem = self.adjective_stem();
        let back = stem.ends_with(['к', 'г', 'х']);
        match self.one {
            one if one.ends_with("яя") || (one.ends_with("ая") && hushes(stem)) => ["ей"; 4],
            one if one.ends_with("ая") => ["ой"; 4],
            one if one.ends_with("ее") || (one.ends_with("ий") && !back) => ["его", "ему", "им", "ем"],
            _ if back || hushes(stem) => ["ого", "ому", "им", "ом"],
            _ => ["ого", "ому", "ым", "ом"],
        }
    }

    fn plural(&self, case: Oblique) -> String {
        if self.adjective {
            return format!("{}{}", without_last(self.many), case.pick(["м", "ми", "х"]));
        }
        if let Some((_, forms)) = PLURALS_APART.iter().find(|(one, _)| *one == self.one) {
            return case.pick(*forms).to_owned();
        }
        let stem = without_last(self.few);
        let hard = match self.few.chars().next_back() {
            Some('а' | 'ы') => true,
            Some('и') => stem.ends_with(['к', 'г', 'х']) || hushes(stem) || self.one.ends_with("мя"),
            Some('я') => false,
            _ => return self.many.to_owned(),
        };
        format!("{stem}{}", case.pick(if hard { ["ам", "ами", "ах"] } else { ["ям", "ями", "ях"] }))
    }
}

/// Nouns whose plural has another stem and that are counted in daily life.
const PLURALS_APART: [(&str, [&str; 3]); 3] = [
    ("человек", ["людям", "людьми", "людях"]),
    ("ребёнок", ["детям", "детьми", "детях"]),
    ("дочь", ["дочерям", "дочерьми", "дочерях"]),
];

fn hushes(stem: &str) -> bool {
    stem.ends_with(['ж', 'ш', 'ч', 'щ'])
}

fn without_last(word: &str) -> &str {
    word.char_indices().next_back().map_or("", |(last, _)| &word[..last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(forms: [&str; 3], gender: Gender, singular: [&str; 5], plural: [&str; 4]) {
        let [one, few, many] = forms.map(str::to_owned);
        let noun = NounForms { one, few, many, other: String::new(), gender };
        let cases = [Case::Genitive, Case::Dative, Case::Accusative, Case::Instrumental, Case::Prepositional];
        for (case, expect) in cases.into_iter().zip(singular) {
            assert_eq!(agree(&noun, 21, case), expect, "21 {case:?}");
        }
        for (case, expect) in
            [Case::Genitive, Case::Dative, Case::Instrumental, Case::Prepositional].into_iter().zip(plural)
        {
            assert_eq!(agree(&noun, 2, case), expect, "2 {case:?}");
            assert_eq!(agree(&noun, 15, case), expect, "15 {case:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn nouns_that_services_count() {
        use Gender::{Feminine, Masculine, Neuter};
        check(["рубль", "рубля", "рублей"], Masculine, ["рубля", "рублю", "рубль", "рублём", "рубле"], ["рублей", "рублям", "рублями", "рублях"]);
        check(["день", "дня", "дней"], Masculine, ["дня", "дню", "день", "днём", "дне"], ["дней", "дням", "днями", "днях"]);
        check(["час", "часа", "часов"], Masculine, ["часа", "часу", "час", "часом", "часе"], ["часов", "часам", "часами", "часах"]);
        check(["месяц", "месяца", "месяцев"], Masculine, ["месяца", "месяцу", "месяц", "месяцем", "месяце"], ["месяцев", "месяцам", "месяцами", "месяцах"]);
        check(["платёж", "платежа", "платежей"], Masculine, ["платежа", "платежу", "платёж", "платежом", "платеже"], ["платежей", "платежам", "платежами", "платежах"]);
        check(["показатель", "показателя", "показателей"], Masculine, ["показателя", "показателю", "показатель", "показателем", "показателе"], ["показателей", "показателям", "показателями", "показателях"]);
        check(["комментарий", "комментария", "комментариев"], Masculine, ["комментария", "комментарию", "комментарий", "комментарием", "комментарии"], ["комментариев", "комментариям", "комментариями", "комментариях"]);
        check(["человек", "человека", "человек"], Masculine, ["человека", "человеку", "человек", "человеком", "человеке"], ["человек", "людям", "людьми", "людях"]);
        check(["минута", "минуты", "минут"], Feminine, ["минуты", "минуте", "минуту", "минутой", "минуте"], ["минут", "минутам", "минутами", "минутах"]);
        check(["неделя", "недели", "недель"], Feminine, ["недели", "неделе", "неделю", "неделей", "неделе"], ["недель", "неделям", "неделями", "неделях"]);
        check(["организация", "организации", "организаций"], Feminine, ["организации", "организации", "организацию", "организацией", "организации"], ["организаций", "организациям", "организациями", "организациях"]);
        check(["очередь", "очереди", "очередей"], Feminine, ["очереди", "очереди", "очередь", "очередью", "очереди"], ["очередей", "очередям", "очередями", "очередях"]);
        check(["задача", "задачи", "задач"], Feminine, ["задачи", "задаче", "задачу", "задачей", "задаче"], ["задач", "задачам", "задачами", "задачах"]);
        check(["заявление", "заявления", "заявлений"], Neuter, ["заявления", "заявлению", "заявление", "заявлением", "заявлении"], ["заявлений", "заявлениям", "заявлениями", "заявлениях"]);
        check(["место", "места", "мест"], Neuter, ["места", "месту", "место", "местом", "месте"], ["мест", "местам", "местами", "местах"]);
        check(["имя", "имени", "имён"], Neuter, ["имени", "имени", "имя", "именем", "имени"], ["имён", "именам", "именами", "именах"]);
        check(["евро", "евро", "евро"], Masculine, ["евро"; 5], ["евро"; 4]);
    }

    #[test]
    #[rustfmt::skip]
    fn phrases() {
        use Gender::{Feminine, Masculine, Neuter};
        check(["новая заявка на паспорт", "новые заявки на паспорт", "новых заявок на паспорт"], Feminine,
            ["новой заявки на паспорт", "новой заявке на паспорт", "новую заявку на паспорт", "новой заявкой на паспорт", "новой заявке на паспорт"],
            ["новых заявок на паспорт", "новым заявкам на паспорт", "новыми заявками на паспорт", "новых заявках на паспорт"]);
        check(["рабочий день", "рабочих дня", "рабочих дней"], Masculine,
            ["рабочего дня", "рабочему дню", "рабочий день", "рабочим днём", "рабочем дне"],
            ["рабочих дней", "рабочим дням", "рабочими днями", "рабочих днях"]);
        check(["срочное обращение", "срочных обращения", "срочных обращений"], Neuter,
            ["срочного обращения", "срочному обращению", "срочное обращение", "срочным обращением", "срочном обращении"],
            ["срочных обращений", "срочным обращениям", "срочными обращениями", "срочных обращениях"]);
    }
}
