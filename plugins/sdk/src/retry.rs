//! Trying again, so often and no more, and telling the caller why.

use crate::prompt::IntoPrompt;
use crate::{Call, Failure, Talk};

/// Tries up to so many times until there is a value, and says `again` whenever there was none. Afterwards it is
/// [`Failure::NotAccepted`]. `attempt` is given its number, from 1; an error ends it at once.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn look_up(number: &str) -> Talk<Option<u32>> { Ok(Some(1)) }
/// # fn talk(call: &Call) -> Talk<()> {
/// let place = retry(call, 3, "Заявления с таким номером нет.", |_| {
///     let number = Ask::digits("Введите шесть цифр номера заявления.", 6..=6).ask(call)?.given()?;
///     look_up(&number)
/// })?;
/// call.say(prompt!["Ваш номер в очереди:", ordinal(place), "."].private())?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Failure::NotAccepted`] after the last attempt, and what `attempt` fails with.
pub fn retry<T>(
    call: &Call,
    attempts: u32,
    again: impl IntoPrompt,
    attempt: impl FnMut(u32) -> Talk<Option<T>>,
) -> Talk<T> {
    let again = again.into_prompt();
    up_to(attempts, || call.say(&again).map(drop).map_err(Failure::from), attempt)
}

fn up_to<T>(
    attempts: u32,
    mut say_again: impl FnMut() -> Talk<()>,
    mut attempt: impl FnMut(u32) -> Talk<Option<T>>,
) -> Talk<T> {
    for number in 1..=attempts {
        if let Some(value) = attempt(number)? {
            return Ok(value);
        }
        say_again()?;
    }
    Err(Failure::NotAccepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result, how often it was tried, and how often the caller was told why.
    fn tried(attempts: u32, good: u32) -> (Talk<u32>, u32, u32) {
        let (mut tried, mut told) = (0, 0);
        let result = up_to(
            attempts,
            || {
                told += 1;
                Ok(())
            },
            |number| {
                tried = number;
                Ok((number == good).then_some(number))
            },
        );
        (result, tried, told)
    }

    #[test]
    fn the_first_value_ends_it() {
        assert_eq!(tried(3, 1), (Ok(1), 1, 0));
        assert_eq!(tried(3, 3), (Ok(3), 3, 2));
    }

    #[test]
    fn after_the_last_attempt_it_is_not_accepted_and_said_so() {
        assert_eq!(tried(3, 4), (Err(Failure::NotAccepted), 3, 3));
        assert_eq!(tried(0, 1), (Err(Failure::NotAccepted), 0, 0));
    }

    #[test]
    fn a_failure_is_not_tried_again() {
        let result: Talk<u8> = up_to(3, || Ok(()), |_| Err(Failure::Operator));
        assert_eq!(result, Err(Failure::Operator));
    }
}
