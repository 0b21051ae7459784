//! The campaign that the engine is attacked with. Each contact names its attack in the column `attack`; who names none is
//! informed as usual, so that a list may hold one contact that the script cannot stand among thousands that it can.
//!
//! | attack | before dialling | on the call |
//! | --- | --- | --- |
//! | `prepare-panic`, `prepare-loop`, `prepare-memory` | panics, loops, wants more memory than it may | |
//! | `prepare-survey` | promises something where there is no call: refused, and the contact is skipped | |
//! | `prepare-no-day` | puts the contact off to a day that there is not | |
//! | `run-panic`, `run-loop`, `run-memory` | | the same in the middle of the talk |
//! | `run-error` | | returns an error |
//! | `run-no-day` | | wants to call again on a day that there is not |
//! | `run-silent` | | returns without a word |
//! | `run-linger` | | does not care that the callee has hung up |

use core::hint::black_box;
use core::time::Duration;
use gudok_sdk::prelude::*;

gudok_sdk::campaign!(prepare, run);

fn prepare(contact: &Contact) -> Plan {
    match contact.field("attack").unwrap_or_default() {
        "prepare-panic" => panicked(),
        "prepare-loop" => spin(),
        "prepare-memory" => hoard(),
        "prepare-survey" => match Survey::new("talk").score("operator", 5).submit() {
            Ok(()) => Plan::Dial,
            Err(error) => Plan::skip(&error.to_string()),
        },
        "prepare-no-day" => Plan::NotBefore(no_day()),
        _ => Plan::Dial,
    }
}

fn run(call: &Call, contact: &Contact) -> Result<Disposition> {
    let attack = contact.field("attack").unwrap_or_default();
    if attack == "run-silent" {
        return Ok(Disposition::Delivered);
    }
    call.say("Проверка.")?;
    match attack {
        "run-panic" => panicked(),
        "run-loop" => spin(),
        "run-memory" => hoard(),
        "run-error" => return Err(CallError::Invalid("the script's own fault".to_owned())),
        "run-no-day" => return Ok(Disposition::RetryAt(no_day())),
        "run-linger" => {
            while call.wait(Duration::from_secs(1)).is_ok() {}
            spin()
        }
        _ => {}
    }
    let answer = Menu::new("Если слышно, нажмите один.").on("1", ()).attempts(1).ask(call)?;
    call.hangup("До свидания.")?;
    Ok(if answer == Answer::Given(()) { Disposition::confirmed("heard") } else { Disposition::Delivered })
}

#[expect(clippy::panic, reason = "that is the attack")]
fn panicked() -> ! {
    panic!("a script may have a fault like this one")
}

fn spin() -> ! {
    let mut round = 0_u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

fn hoard() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![0xAA_u8; 1 << 16]);
        black_box(&hoard);
    }
}

/// The thirty-first of a month that has no such day.
fn no_day() -> Datetime {
    let mut day = gudok_sdk::host::now();
    (day.date.month, day.date.day) = (2, 31);
    day
}
