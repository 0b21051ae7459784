//! Complaints about housing services: the address code of the bill, a message of up to a minute, and a registration number
//! that is read back digit by digit.
//!
//! Nothing is said to be registered before it is. Who has spoken and hangs up instead of waiting for the number has
//! complained all the same: that is registered too.

use core::time::Duration;
use gudok_desk::{Afterwards, afterwards, goodbye, land, to_operator};
use gudok_sdk::prelude::*;
use gudok_sdk::{Recording, StoppedBy};

gudok_sdk::service!(run);

const TOPIC: &str = "utilities";
/// Whom complaints go to, where the configuration has no `to_agency`.
const AGENCY_DEFAULT: &str = "utilities";
const CODE_DIGITS_MIN: u8 = 4;
const CODE_DIGITS_MAX: u8 = 8;
const MESSAGE_MAX: Duration = Duration::from_secs(60);
/// Shorter than this is no complaint, but a key or a cough.
const MESSAGE_MIN: Duration = Duration::from_secs(1);
const MESSAGES_MAX: u32 = 3;
/// What is denied where the caller does not agree to be recorded.
const CONSENT: &str = "consent";
/// Until the complaint is answered, and some time for who asks again.
const KEPT_DAYS: u16 = 90;

fn run(call: &Call) -> Result<Summary> {
    call.speak_one_of(&gudok_desk::LANGUAGES)?;
    call.say(words!(call,
        "ru" => ["Жалобы на жилищно-коммунальные услуги."],
        "en" => ["Complaints about housing services."],
    ))?;
    let Some(code) = ask_code(call)? else { return land(call, TOPIC, Prompt::new()) };
    for _ in 0..MESSAGES_MAX {
        gudok_sdk::host::step("message");
        let recording = match record(call) {
            Ok(recording) => recording,
            Err(CallError::Denied(what)) if what == CONSENT => return land(call, TOPIC, without_recording(call)),
            Err(error) if error.is_end() => return Err(error),
            Err(error) => {
                gudok_sdk::warn!("recording: {error}");
                return land(call, TOPIC, not_taken(call));
            }
        };
        if is_too_short(&recording) {
            if recording.stopped_by == StoppedBy::Hangup {
                return Ok(Summary::abandoned());
            }
            call.say(words!(call, "ru" => ["Сообщения не слышно."], "en" => ["There is no message to be heard."]))?;
            continue;
        }
        return register(call, &code, &recording);
    }
    land(call, TOPIC, Prompt::new())
}

/// The code of the address, read back; none where the caller enters nothing that fits, or wants a person.
fn ask_code(call: &Call) -> Result<Option<String>> {
    gudok_sdk::host::step("address-code");
    let question = words!(call,
        "ru" => ["Введите код адреса с квитанции и нажмите решётку. Для оператора нажмите звёздочку."],
        "en" => ["Enter the address code of your bill and press hash. For an operator, press star."],
    );
    let answer: Answer<String, ()> = Ask::digits(question, CODE_DIGITS_MIN..=CODE_DIGITS_MAX)
        .sensitive()
        .global("*", ())
        .no_input(words!(call, "ru" => ["Я ничего не услышал."], "en" => ["I have not heard anything."]))
        .no_match(words!(call, "ru" => ["Такого кода нет."], "en" => ["There is no such code."]))
        .ask_confirmed(call, |code| {
            words!(call,
                "ru" => ["Код адреса:", registration_number(code), ". Верно: нажмите", number(1), ". Неверно: нажмите", number(2), "."],
                "en" => ["The address code is", registration_number(code), ". If that is right, press", number(1), ". If not, press", number(2), "."],
            )
        })?;
    Ok(match answer {
        Answer::Given(code) => Some(code),
        Answer::Global(()) | Answer::NoInput | Answer::NoMatch => None,
    })
}

fn record(call: &Call) -> Result<Recording> {
    Message::of_at_most(MESSAGE_MAX)
        .kept_days(KEPT_DAYS)
        .asking_consent(words!(call,
            "ru" => [
                "Ваше сообщение будет записано и передано в управляющую организацию. Согласны: нажмите", number(1),
                ". Не согласны: нажмите", number(2),
                ". После сигнала расскажите, что случилось. На это есть одна минута. В конце нажмите решётку.",
            ],
            "en" => [
                "Your message will be recorded and passed on to the managing company. If you agree, press", number(1),
                ". If not, press", number(2),
                ". After the tone, say what happened. There is one minute for that. At the end press hash.",
            ],
        ))
        .record(call)
}

fn is_too_short(recording: &Recording) -> bool {
    Duration::from_millis(recording.duration.into()) < MESSAGE_MIN
}

fn register(call: &Call, code: &str, recording: &Recording) -> Result<Summary> {
    gudok_sdk::host::step("register");
    let agency = gudok_sdk::host::config("to_agency").unwrap_or_else(|| AGENCY_DEFAULT.to_owned());
    let ticket = Ticket::complaint(&agency)
        .contact(call.info().caller.as_deref())
        .field("address_code", code)
        .field("recording_sha256", &recording.sha256)
        .recording(&recording.id);
    match ticket.submit(call, "complaint") {
        Ok(number) => tell(call, &number),
        Err(error) if error.is_end() => Err(error),
        Err(error) => {
            gudok_sdk::host::count("not-registered", 1);
            gudok_sdk::error!("the complaint was not registered: {error}");
            land(call, TOPIC, not_taken(call))
        }
    }
}

/// Whoever hangs up from here on is registered all the same.
fn tell(call: &Call, ticket: &str) -> Result<Summary> {
    call.tag(&[("ticket", ticket)])?;
    loop {
        gudok_sdk::host::step("number");
        call.say(words!(call,
            "ru" => ["Ваше обращение зарегистрировано. Номер:", registration_number(ticket), ". Повторяю:", registration_number(ticket), "."],
            "en" => ["Your complaint is registered. Its number is", registration_number(ticket), ". I repeat:", registration_number(ticket), "."],
        ))?;
        match afterwards(call)? {
            Afterwards::Again => {}
            Afterwards::Goodbye => return goodbye(call),
            Afterwards::Operator => {
                if let Some(summary) = to_operator(call, TOPIC)? {
                    return Ok(summary);
                }
            }
        }
    }
}

fn without_recording(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Хорошо, записи не будет. Оператор примет жалобу с ваших слов."],
        "en" => ["Very well, nothing is recorded. An operator will take your complaint."],
    )
}

fn not_taken(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Извините, принять сообщение сейчас не удалось."],
        "en" => ["I am sorry, your message cannot be taken now."],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(duration: u32) -> Recording {
        Recording { id: "r".to_owned(), duration, stopped_by: StoppedBy::Key, sha256: String::new() }
    }

    #[test]
    fn a_cough_is_no_complaint() {
        assert!(is_too_short(&recording(999)));
        assert!(!is_too_short(&recording(1_000)));
    }
}
