//! Напоминает о записи на приём и спрашивает, придёт ли человек.
//!
//! Столбцы списка: `date` («01.12.2026» или «2026-12-01»), `time` («09:30»), `place` (что говорят после слова «место»).

use gudok_sdk::host::{config_required, step};
use gudok_sdk::prelude::*;

gudok_sdk::campaign!(prepare, run);

/// Кто переслушал столько раз, тот запомнил.
const REPEATS_MAX: u32 = 3;

#[derive(Clone)]
enum Reply {
    Comes,
    DoesNotCome,
    Again,
    NoMoreCalls,
}

/// Незадолго до набора номера: звонить ли. Пропущенного с причиной поправят в списке.
fn prepare(contact: &Contact) -> Plan {
    match (contact.date("date"), at(contact)) {
        (Some(_), Some(_)) => Plan::Dial,
        (None, _) => Plan::skip("the column date has no date"),
        (_, None) => Plan::skip("the column time has no time"),
    }
}

/// Человек или автоответчик взял трубку.
fn run(call: &Call, contact: &Contact) -> Result<Disposition> {
    let reminder = reminder(contact)?;
    if call.is_on_machine() {
        step("machine");
        call.hangup(prompt![&reminder, "До свидания."])?;
        return Ok(Disposition::Voicemail);
    }
    step("reminder");
    call.say(&reminder)?;
    match talk(call, &reminder) {
        // Напоминание уже услышали: положить трубку после него не ошибка.
        Err(error) if error.is_end() => Ok(Disposition::Delivered),
        other => other,
    }
}

fn talk(call: &Call, reminder: &Prompt) -> Result<Disposition> {
    for _ in 0..=REPEATS_MAX {
        let answer = Ask::choice("Вы придёте?")
            .item("1", "Да", Reply::Comes)
            .item("2", "Нет, запись отменить", Reply::DoesNotCome)
            .item("3", "Повторить", Reply::Again)
            .item("9", "Больше не звонить", Reply::NoMoreCalls)
            .global("*", ())
            .step("confirm")
            .ask(call)?;
        match answer {
            Answer::Given(Reply::Comes) => return part(call, "Спасибо, ждём вас.", Disposition::confirmed("comes")),
            Answer::Given(Reply::DoesNotCome) => {
                return part(call, "Запись отменена.", Disposition::confirmed("does not come"));
            }
            Answer::Given(Reply::NoMoreCalls) if is_sure(call)? => {
                return part(call, "Мы больше не будем звонить.", Disposition::DoNotCall);
            }
            Answer::Given(Reply::Again | Reply::NoMoreCalls) | Answer::Global(()) => {
                call.say(reminder)?;
            }
            Answer::NoInput | Answer::NoMatch => break,
        }
    }
    part(call, "", Disposition::Delivered)
}

/// Девятку легко нажать нечаянно.
fn is_sure(call: &Call) -> Result<bool> {
    let answer: Answer<bool, ()> = Ask::yes_no("Вы не хотите, чтобы мы вам звонили? Да: один. Нет: два.").ask(call)?;
    Ok(answer == Answer::Given(true))
}

fn part(call: &Call, words: &str, disposition: Disposition) -> Result<Disposition> {
    step("goodbye");
    match call.hangup(prompt![words, "До свидания."]) {
        // Всё сказано: кто первым положил трубку, уже неважно.
        Err(error) if !error.is_end() => Err(error),
        _ => Ok(disposition),
    }
}

fn reminder(contact: &Contact) -> Result<Prompt> {
    Ok(prompt![
        "Здравствуйте.",
        config_required("sender")?,
        ". Напоминаем: вы записаны на приём. Дата:",
        contact.date("date").map(date),
        "в",
        at(contact).map(time),
        contact.field("place").map(|place| prompt![". Место:", place]),
        ".",
    ])
}

fn at(contact: &Contact) -> Option<TimeOfDay> {
    TimeOfDay::parse(contact.field("time")?)
}
