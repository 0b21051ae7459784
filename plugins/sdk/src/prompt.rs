//! What the caller hears: text and typed pieces. Numbers, dates and amounts are pieces of their own, because the host
//! inflects them for the call's language; a script that writes them into a text gets them wrong.

pub use crate::bindings::gudok::ivr::prompts::{
    BargeIn, DigitGrouping as Grouping, Gender, GrammaticalCase as Case, Prompt, Segment,
};
use crate::bindings::gudok::ivr::prompts::{
    CountedSpec, DateSpec, DecimalSpec, DigitsSpec, Inflection, NounForms, NumberSpec,
};
use crate::bindings::gudok::ivr::types::{Date, Money, TimeOfDay};
use core::time::Duration;

/// A prompt of pieces: `prompt!["Вы", ordinal(21), "в очереди"]`.
#[macro_export]
macro_rules! prompt {
    ($($piece:expr),* $(,)?) => {
        $crate::Prompt::new()$(.with($piece))*
    };
}

impl Prompt {
    /// Nothing yet. A key interrupts it, and its sound may be kept on the host's disk.
    #[must_use]
    pub const fn new() -> Self {
        Self { segments: Vec::new(), lang: None, voice: None, barge_in: BargeIn::DTMF, cacheable: true }
    }

    /// With one more piece.
    #[must_use]
    pub fn with(mut self, piece: impl IntoPrompt) -> Self {
        piece.add_to(&mut self);
        self
    }

    /// In another language than the call's.
    #[must_use]
    pub fn in_language(mut self, tag: &str) -> Self {
        self.lang = Some(tag.to_owned());
        self
    }

    /// By a voice of the host's configuration.
    #[must_use]
    pub fn in_voice(mut self, voice: &str) -> Self {
        self.voice = Some(voice.to_owned());
        self
    }

    /// Heard to its end; keys pressed meanwhile wait for the next question.
    #[must_use]
    pub const fn uninterrupted(mut self) -> Self {
        self.barge_in = BargeIn::empty();
        self
    }

    /// Said once, a name or a result: its sound is not kept on the host's disk.
    #[must_use]
    pub const fn private(mut self) -> Self {
        self.cacheable = false;
        self
    }
}

impl Default for Prompt {
    fn default() -> Self {
        Self::new()
    }
}

/// Whatever can be said: texts, pieces, prompts, lists and options of them.
pub trait IntoPrompt: Sized {
    /// Adds it to the end of a prompt.
    fn add_to(self, prompt: &mut Prompt);

    /// As a prompt of its own.
    fn into_prompt(self) -> Prompt {
        let mut prompt = Prompt::new();
        self.add_to(&mut prompt);
        prompt
    }
}

impl IntoPrompt for Prompt {
    /// Its pieces. Its language, voice and rules stay behind, but what is private stays private.
    fn add_to(self, prompt: &mut Prompt) {
        prompt.segments.extend(self.segments);
        prompt.cacheable &= self.cacheable;
    }

    fn into_prompt(self) -> Prompt {
        self
    }
}

impl IntoPrompt for Segment {
    fn add_to(self, prompt: &mut Prompt) {
        prompt.segments.push(self);
    }
}

impl IntoPrompt for &Prompt {
    fn add_to(self, prompt: &mut Prompt) {
        self.clone().add_to(prompt);
    }

    fn into_prompt(self) -> Prompt {
        self.clone()
    }
}

impl IntoPrompt for &str {
    fn add_to(self, prompt: &mut Prompt) {
        prompt.segments.push(Segment::Text(self.to_owned()));
    }
}

impl IntoPrompt for String {
    fn add_to(self, prompt: &mut Prompt) {
        prompt.segments.push(Segment::Text(self));
    }
}

impl IntoPrompt for &String {
    fn add_to(self, prompt: &mut Prompt) {
        self.as_str().add_to(prompt);
    }
}

impl<P: IntoPrompt> IntoPrompt for Option<P> {
    fn add_to(self, prompt: &mut Prompt) {
        if let Some(piece) = self {
            piece.add_to(prompt);
        }
    }
}

impl<P: IntoPrompt> IntoPrompt for Vec<P> {
    fn add_to(self, prompt: &mut Prompt) {
        for piece in self {
            piece.add_to(prompt);
        }
    }
}

/// A number; see [`number()`] and [`ordinal`].
#[derive(Clone, Debug)]
pub struct Number {
    spec: NumberSpec,
    ordinal: bool,
}

impl Number {
    /// Of a feminine noun: "двадцать одна".
    #[must_use]
    pub const fn feminine(self) -> Self {
        self.gender(Gender::Feminine)
    }

    /// Of a neuter noun: "двадцать одно".
    #[must_use]
    pub const fn neuter(self) -> Self {
        self.gender(Gender::Neuter)
    }

    /// Of a noun of that gender; masculine where nothing is said.
    #[must_use]
    pub const fn gender(mut self, gender: Gender) -> Self {
        self.spec.inflection.gender = gender;
        self
    }

    /// In that case; nominative where nothing is said.
    #[must_use]
    pub const fn case(mut self, case: Case) -> Self {
        self.spec.inflection.gram_case = case;
        self
    }
}

impl IntoPrompt for Number {
    fn add_to(self, prompt: &mut Prompt) {
        prompt.segments.push(if self.ordinal { Segment::Ordinal(self.spec) } else { Segment::Number(self.spec) });
    }
}

/// "двадцать один"
#[must_use]
pub fn number(value: impl Into<i64>) -> Number {
    Number { spec: spec(value.into()), ordinal: false }
}

/// "двадцать первый"
#[must_use]
pub fn ordinal(value: impl Into<i64>) -> Number {
    Number { spec: spec(value.into()), ordinal: true }
}

const fn spec(value: i64) -> NumberSpec {
    NumberSpec { value, inflection: Inflection { gender: Gender::Masculine, gram_case: Case::Nominative } }
}

/// The forms of a noun behind a number.
#[derive(Clone, Copy, Debug)]
pub struct Noun {
    forms: [&'static str; 4],
    gender: Gender,
}

impl Noun {
    /// The noun after 1, 2, 5 and 1.5: `Noun::new("рубль", "рубля", "рублей", "рубля", Gender::Masculine)`.
    #[must_use]
    pub const fn new(
        one: &'static str,
        few: &'static str,
        many: &'static str,
        other: &'static str,
        gender: Gender,
    ) -> Self {
        Self { forms: [one, few, many, other], gender }
    }

    /// A noun of a language with a singular and a plural: `Noun::plain("day", "days")`.
    #[must_use]
    pub const fn plain(one: &'static str, other: &'static str) -> Self {
        Self::new(one, other, other, other, Gender::Neuter)
    }
}

/// A number and its noun; see [`counted()`].
#[derive(Clone, Debug)]
pub struct Counted(CountedSpec);

impl Counted {
    /// In that case; nominative where nothing is said.
    #[must_use]
    pub const fn case(mut self, case: Case) -> Self {
        self.0.gram_case = case;
        self
    }
}

impl IntoPrompt for Counted {
    fn add_to(self, prompt: &mut Prompt) {
        prompt.segments.push(Segment::Counted(self.0));
    }
}

/// "двадцать одна заявка"
#[must_use]
pub fn counted(value: impl Into<i64>, noun: Noun) -> Counted {
    let [one, few, many, other] = noun.forms.map(str::to_owned);
    let noun = NounForms { one, few, many, other, gender: noun.gender };
    Counted(CountedSpec { value: value.into(), noun, gram_case: Case::Nominative })
}

/// A day; see [`date()`].
#[derive(Clone, Debug)]
pub struct DateWords(DateSpec);

impl DateWords {
    /// In that case; nominative where nothing is said: "с пятого мая" is genitive.
    #[must_use]
    pub const fn case(mut self, case: Case) -> Self {
        self.0.gram_case = case;
        self
    }

    /// "пятое мая"
    #[must_use]
    pub const fn without_year(mut self) -> Self {
        self.0.say_year = false;
        self
    }

    /// "вторник, пятое мая"
    #[must_use]
    pub const fn with_weekday(mut self) -> Self {
        self.0.say_weekday = true;
        self
    }
}

impl IntoPrompt for DateWords {
    fn add_to(self, prompt: &mut Prompt) {
        prompt.segments.push(Segment::Date(self.0));
    }
}

/// "пятое мая две тысячи двадцать шестого года"
#[must_use]
pub const fn date(value: Date) -> DateWords {
    DateWords(DateSpec { value, gram_case: Case::Nominative, say_year: true, say_weekday: false })
}

/// "восемь часов тридцать минут"
#[must_use]
pub const fn time(value: TimeOfDay) -> Segment {
    Segment::Time(value)
}

/// "сто двадцать три рубля сорок пять копеек"
#[must_use]
pub const fn money(value: Money) -> Segment {
    Segment::Money(value)
}

/// A decimal fraction: 3,14 is `decimal(314, 2)`.
#[must_use]
pub const fn decimal(unscaled: i64, scale: u8) -> Segment {
    Segment::Decimal(DecimalSpec { unscaled, scale })
}

/// A row of digits as the host groups it best.
#[must_use]
pub fn digits(row: impl Into<String>) -> Segment {
    Segment::Digits(DigitsSpec { digits: row.into(), grouping: Grouping::Auto })
}

/// Keys by their names: "один", "звёздочка", "решётка".
#[must_use]
pub fn key(keys: &str) -> Segment {
    Segment::Digits(DigitsSpec { digits: keys.to_owned(), grouping: Grouping::OneByOne })
}

/// A telephone number.
#[must_use]
pub fn phone(number: impl Into<String>) -> Segment {
    Segment::Digits(DigitsSpec { digits: number.into(), grouping: Grouping::Phone })
}

/// "две минуты пять секунд"
#[must_use]
pub fn duration(value: Duration) -> Segment {
    Segment::Duration(crate::call::millis(value))
}

/// A recording of the bundle, by its name without language and ending.
#[must_use]
pub fn media(name: &str) -> Segment {
    Segment::Media(name.to_owned())
}

/// Letter by letter.
#[must_use]
pub fn spell(text: &str) -> Segment {
    Segment::Spell(text.to_owned())
}

/// Text with a small set of SSML 1.1.
#[must_use]
pub fn ssml(text: &str) -> Segment {
    Segment::Ssml(text.to_owned())
}

/// A pause.
#[must_use]
pub fn silence(length: Duration) -> Segment {
    Segment::Silence(crate::call::millis(length))
}

/// A tone by its name: "beep", "ringback", "busy".
#[must_use]
pub fn tone(name: &str) -> Segment {
    Segment::Tone(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_their_order_and_their_types() {
        let hello = prompt!["Вы", ordinal(21).feminine(), None::<&str>, vec!["в", "очереди"]];
        let expected =
            NumberSpec { value: 21, inflection: Inflection { gender: Gender::Feminine, gram_case: Case::Nominative } };
        assert_eq!(
            hello.segments,
            [
                Segment::Text("Вы".to_owned()),
                Segment::Ordinal(expected),
                Segment::Text("в".to_owned()),
                Segment::Text("очереди".to_owned()),
            ]
        );
        assert!(hello.cacheable && hello.barge_in == BargeIn::DTMF);
    }

    #[test]
    fn a_private_piece_makes_the_whole_prompt_private() {
        let name = prompt!["Иванов"].private();
        assert!(!prompt!["Здравствуйте,", &name].cacheable);
        assert!(!name.into_prompt().cacheable);
    }

    #[test]
    fn a_prompt_that_is_said_as_it_is_keeps_its_rules() {
        let warning = prompt!["Внимание"].uninterrupted().in_language("ru-RU").into_prompt();
        assert!(warning.barge_in.is_empty());
        assert_eq!(warning.lang.as_deref(), Some("ru-RU"));
    }
}
