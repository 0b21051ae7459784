//! Questions: menus, rows of digits, dates, yes or no. The host repeats them and checks their sums.

use crate::bindings::gudok::ivr::input::{Choice, CollectOptions, DigitRule, Grammar, Modes, Outcome, Retry, Value};
use crate::call::millis;
use crate::prompt::{IntoPrompt, key};
use crate::{Call, Date, Failure, Money, Result, Talk};
use core::ops::RangeInclusive;
use core::time::Duration;

/// How often a question is asked where the script does not say.
const ATTEMPTS_DEFAULT: u8 = 3;
/// From the end of the prompt to the first key.
const FIRST_TIMEOUT_DEFAULT_MS: u32 = 6_000;
/// From key to key: long, because older callers look for the keys.
const DIGIT_GAP_DEFAULT_MS: u32 = 4_000;

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<V, G = V> {
    /// An answer that fits.
    Given(V),
    /// A key that leaves the question at once; see [`Ask::global`].
    Global(G),
    /// Nothing was entered in any attempt.
    NoInput,
    /// The last entry did not fit.
    NoMatch,
}

impl<T> Answer<T, T> {
    /// What was chosen, by whichever key of a [`Menu`].
    ///
    /// # Errors
    /// [`Failure::NoAnswer`].
    pub fn chosen(self) -> Talk<T> {
        match self {
            Self::Given(value) | Self::Global(value) => Ok(value),
            Self::NoInput | Self::NoMatch => Err(Failure::NoAnswer),
        }
    }
}

impl<V> Answer<V, ()> {
    /// What was entered. A global key, which stands for nothing here, is the one for a person.
    ///
    /// # Errors
    /// [`Failure::NoAnswer`], [`Failure::Operator`].
    pub fn given(self) -> Talk<V> {
        match self {
            Self::Given(value) => Ok(value),
            Self::Global(()) => Err(Failure::Operator),
            Self::NoInput | Self::NoMatch => Err(Failure::NoAnswer),
        }
    }
}

/// A menu: its choices and its global keys stand for values of one type.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn script(call: &Call) -> Result<()> {
/// #[derive(Clone)]
/// enum Wish { Address, Hours, Operator }
///
/// let wish = Menu::new("Адрес: один. Часы работы: два. Оператор: ноль.")
///     .on("1", Wish::Address)
///     .on("2", Wish::Hours)
///     .global("0", Wish::Operator)
///     .no_match("Такого пункта нет.")
///     .ask(call)?;
/// # Ok(()) }
/// ```
pub type Menu<T> = Ask<T, T>;

/// A question to the caller: what is asked, what counts as an answer, and how patiently.
#[derive(Clone)]
pub struct Ask<V, G = ()> {
    options: CollectOptions,
    reader: Reader<V>,
    globals: Vec<G>,
    step: Option<String>,
}

enum Reader<V> {
    /// The value of a choice is its place in this list.
    Choices(Vec<V>),
    Value(fn(Value) -> Option<V>),
}

impl<T> Ask<T, T> {
    /// A menu without choices yet.
    #[must_use]
    pub fn new(question: impl IntoPrompt) -> Self {
        Self::choice(question)
    }
}

impl<V, G> Ask<V, G> {
    /// A choice between keys, none yet; its global keys may stand for something else, as in a form.
    #[must_use]
    pub fn choice(question: impl IntoPrompt) -> Self {
        Self::with_reader(question, Grammar::Choices(Vec::new()), Reader::Choices(Vec::new()))
    }

    /// A key that is announced, and what it stands for: adds "часы работы: два." to the question.
    ///
    /// ```
    /// # use gudok_sdk::prelude::*;
    /// # fn talk(call: &Call) -> Talk<()> {
    /// let hours = Menu::new("Что вам сказать?").item("1", "Адрес", false).item("2", "Часы работы", true).ask(call)?.chosen()?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn item(mut self, keys: &str, words: impl IntoPrompt, value: V) -> Self {
        let question = self.options.prompt.take().unwrap_or_default();
        self.options.prompt = Some(question.with(words).with(":").with(key(keys)).with("."));
        self.on(keys, value)
    }

    /// A key, or a row of keys, and what it stands for.
    #[must_use]
    pub fn on(mut self, keys: &str, value: V) -> Self {
        if let (Grammar::Choices(choices), Reader::Choices(values)) = (&mut self.options.grammar, &mut self.reader) {
            choices.push(choice(keys, values.len()));
            values.push(value);
        }
        self
    }
}

impl<G> Ask<String, G> {
    /// A row of digits. Where its length may vary, "#" ends it.
    #[must_use]
    pub fn digits(question: impl IntoPrompt, length: RangeInclusive<u8>) -> Self {
        let (min, max) = length.into_inner();
        let terminators = if min == max { String::new() } else { "#".to_owned() };
        Self::valued(question, Grammar::Digits(DigitRule { min, max, terminators }), text)
    }

    /// An insurance number; the host verifies its check sum.
    #[must_use]
    pub fn snils(question: impl IntoPrompt) -> Self {
        Self::valued(question, Grammar::Snils, text)
    }

    /// A telephone number, answered as "+7…"; "#" ends it.
    #[must_use]
    pub fn phone(question: impl IntoPrompt) -> Self {
        Self::valued(question, Grammar::Phone, |value| match value {
            Value::Phone(number) => Some(number),
            _ => None,
        })
    }
}

impl<G> Ask<bool, G> {
    /// Yes is 1, no is 2: the question has to say so.
    #[must_use]
    pub fn yes_no(question: impl IntoPrompt) -> Self {
        Self::valued(question, Grammar::YesNo, |value| match value {
            Value::Flag(yes) => Some(yes),
            _ => None,
        })
    }
}

impl<G> Ask<Date, G> {
    /// Eight digits, day first.
    #[must_use]
    pub fn date(question: impl IntoPrompt) -> Self {
        Self::valued(question, Grammar::Date, |value| match value {
            Value::Date(date) => Some(date),
            _ => None,
        })
    }
}

impl<G> Ask<Money, G> {
    /// Rubles, then "*" and kopecks; "#" ends it.
    #[must_use]
    pub fn money(question: impl IntoPrompt) -> Self {
        Self::valued(question, Grammar::Money, |value| match value {
            Value::Money(money) => Some(money),
            _ => None,
        })
    }
}

impl<V, G> Ask<V, G> {
    fn valued(question: impl IntoPrompt, grammar: Grammar, read: fn(Value) -> Option<V>) -> Self {
        Self::with_reader(question, grammar, Reader::Value(read))
    }

    fn with_reader(question: impl IntoPrompt, grammar: Grammar, reader: Reader<V>) -> Self {
        let question = question.into_prompt();
        let options = CollectOptions {
            grammar,
            modes: Modes::DTMF,
            prompt: (!question.segments.is_empty()).then_some(question),
            first_timeout: FIRST_TIMEOUT_DEFAULT_MS,
            inter_digit: DIGIT_GAP_DEFAULT_MS,
            retry: Retry { attempts: ATTEMPTS_DEFAULT, no_input: None, no_match: None },
            sensitive: false,
            global_keys: Vec::new(),
        };
        Self { options, reader, globals: Vec::new(), step: None }
    }

    /// Names the step in which this is asked: for traces, coverage and the picture of the script.
    #[must_use]
    pub fn step(mut self, name: &str) -> Self {
        self.step = Some(name.to_owned());
        self
    }

    /// A key that leaves the question at once, wherever the caller is in it.
    #[must_use]
    pub fn global(mut self, key: &str, value: G) -> Self {
        self.options.global_keys.push(choice(key, self.globals.len()));
        self.globals.push(value);
        self
    }

    /// How often is asked in all, 1 to 10.
    #[must_use]
    pub const fn attempts(mut self, attempts: u8) -> Self {
        self.options.retry.attempts = attempts;
        self
    }

    /// Said before the question is repeated, where nothing was entered.
    #[must_use]
    pub fn no_input(mut self, say: impl IntoPrompt) -> Self {
        self.options.retry.no_input = Some(say.into_prompt());
        self
    }

    /// Said before the question is repeated, where the entry did not fit.
    #[must_use]
    pub fn no_match(mut self, say: impl IntoPrompt) -> Self {
        self.options.retry.no_match = Some(say.into_prompt());
        self
    }

    /// From the end of the question to the first key.
    #[must_use]
    pub fn first_timeout(mut self, patience: Duration) -> Self {
        self.options.first_timeout = millis(patience);
        self
    }

    /// From key to key.
    #[must_use]
    pub fn digit_gap(mut self, patience: Duration) -> Self {
        self.options.inter_digit = millis(patience);
        self
    }

    /// Masks the keys in logs, traces, journals and recordings.
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.options.sensitive = true;
        self
    }

    /// Asks, with repeats, until there is an answer or none is to be had.
    ///
    /// # Errors
    /// As every host call.
    pub fn ask(self, call: &Call) -> Result<Answer<V, G>> {
        self.begin();
        let outcome = call.raw().collect(&self.options)?;
        Ok(read(outcome, self.reader, self.globals))
    }

    /// Asks, reads the answer back and has it confirmed with yes or no; on "no", or silence, asks again, so often as
    /// the attempts say.
    ///
    /// # Errors
    /// As every host call.
    pub fn ask_confirmed<P: IntoPrompt>(self, call: &Call, read_back: impl Fn(&V) -> P) -> Result<Answer<V, G>>
    where
        V: Clone,
        G: Clone,
    {
        for _ in 0..self.options.retry.attempts.max(1) {
            self.begin();
            let outcome = call.raw().collect(&self.options)?;
            let answer = read(outcome, self.reader.clone(), self.globals.clone());
            let Answer::Given(value) = answer else { return Ok(answer) };
            let mut confirm: Ask<bool> = Ask::yes_no(read_back(&value));
            confirm.options.sensitive = self.options.sensitive;
            if confirm.attempts(2).ask(call)? == Answer::Given(true) {
                return Ok(Answer::Given(value));
            }
        }
        Ok(Answer::NoMatch)
    }

    pub(crate) const fn is_sensitive(&self) -> bool {
        self.options.sensitive
    }

    fn begin(&self) {
        if let Some(step) = &self.step {
            crate::host::step(step);
        }
    }
}

impl<V: Clone> Clone for Reader<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Choices(values) => Self::Choices(values.clone()),
            Self::Value(read) => Self::Value(*read),
        }
    }
}

fn choice(key: &str, place: usize) -> Choice {
    Choice { key: key.to_owned(), value: place.to_string(), phrases: Vec::new() }
}

/// Turns the host's outcome into the question's own values. The host answers with the values it was given; one that it
/// was not given counts as no match.
fn read<V, G>(outcome: Outcome, reader: Reader<V>, globals: Vec<G>) -> Answer<V, G> {
    match outcome {
        Outcome::Ok(collected) => {
            let value = match (reader, collected.value) {
                (Reader::Choices(values), Value::Text(place)) => at(values, &place),
                (Reader::Value(read), value) => read(value),
                (Reader::Choices(_), _) => None,
            };
            value.map_or(Answer::NoMatch, Answer::Given)
        }
        Outcome::Global(place) => at(globals, &place).map_or(Answer::NoMatch, Answer::Global),
        Outcome::NoInput => Answer::NoInput,
        Outcome::NoMatch(_) => Answer::NoMatch,
    }
}

fn at<T>(values: Vec<T>, place: &str) -> Option<T> {
    values.into_iter().nth(place.parse().ok()?)
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::gudok::ivr::input::{Collected, Mode};

    fn collected(value: Value) -> Outcome {
        Outcome::Ok(Collected { value, raw: String::new(), mode: Mode::ByKeys, confidence: 100, attempt: 1 })
    }

    fn menu() -> Menu<char> {
        Menu::new("?").on("1", 'a').on("12", 'b').global("0", 'z').global("*", 'y')
    }

    fn answer(outcome: Outcome) -> Answer<char> {
        let menu = menu();
        read(outcome, menu.reader, menu.globals)
    }

    #[test]
    fn a_menu_answers_with_its_own_values() {
        assert_eq!(answer(collected(Value::Text("1".to_owned()))), Answer::Given('b'));
        assert_eq!(answer(Outcome::Global("1".to_owned())), Answer::Global('y'));
        assert_eq!(answer(Outcome::NoInput), Answer::NoInput);
        assert_eq!(answer(Outcome::NoMatch("7".to_owned())), Answer::NoMatch);
    }

    #[test]
    fn an_item_says_its_key() {
        let menu = Menu::new("Что вам сказать?").item("1", "Адрес", 'a').item("*", "Оператор", 'z');
        let said = crate::prompt!["Что вам сказать?", "Адрес", ":", key("1"), ".", "Оператор", ":", key("*"), "."];
        assert_eq!(menu.options.prompt, Some(said));
        let Grammar::Choices(choices) = menu.options.grammar else { unreachable!("a menu has choices") };
        assert_eq!(choices.iter().map(|choice| choice.key.as_str()).collect::<Vec<_>>(), ["1", "*"]);
    }

    #[test]
    fn an_answer_is_a_value_or_a_failure() {
        assert_eq!(answer(Outcome::Global("0".to_owned())).chosen(), Ok('z'));
        assert_eq!(answer(Outcome::NoInput).chosen(), Err(Failure::NoAnswer));
        assert_eq!(Answer::<u8, ()>::Given(1).given(), Ok(1));
        assert_eq!(Answer::<u8, ()>::Global(()).given(), Err(Failure::Operator));
        assert_eq!(Answer::<u8, ()>::NoMatch.given(), Err(Failure::NoAnswer));
    }

    #[test]
    fn a_value_nobody_offered_is_no_match() {
        for value in [Value::Text("2".to_owned()), Value::Text("x".to_owned()), Value::Flag(true)] {
            assert_eq!(answer(collected(value)), Answer::NoMatch);
        }
        assert_eq!(answer(Outcome::Global("2".to_owned())), Answer::NoMatch);
    }

    #[test]
    fn a_row_of_fixed_length_needs_no_terminator() {
        for (length, expected) in [(6..=6, ""), (4..=6, "#")] {
            let ask: Ask<String> = Ask::digits("?", length);
            let Grammar::Digits(rule) = ask.options.grammar else { unreachable!("digits make a digit rule") };
            assert_eq!(rule.terminators, expected);
        }
    }
}
