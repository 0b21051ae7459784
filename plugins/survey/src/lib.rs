//! Connects the caller with an operator. When the operator hangs up, the caller is asked for a mark from one to five,
//! which is kept with the centre's surveys, counted in the agency's storage and attached to the call's record.

use gudok_sdk::prelude::*;
use gudok_sdk::storage::Bucket;

gudok_sdk::service!(run);

const TOPIC: &str = "survey";
/// One counter a mark, by the mark.
const BUCKET: &str = "marks";
const MARKS: [&str; 5] = ["1", "2", "3", "4", "5"];
/// The queue, or the group of operators, where the configuration has no `operators`.
const OPERATORS_DEFAULT: &str = "operators";

fn run(call: &Call) -> Result<Summary> {
    call.speak_one_of(&gudok_desk::LANGUAGES)?;
    gudok_sdk::host::step("operator");
    call.say(words!(call,
        "ru" => ["Здравствуйте. Соединяю с оператором."],
        "en" => ["Hello. I am connecting you to an operator."],
    ))?;
    let operators = gudok_sdk::host::config("operators").unwrap_or_else(|| OPERATORS_DEFAULT.to_owned());
    let waited = call.queue(&operators).show("topic", TOPIC).and_back().wait();
    match CallError::unless_ended(waited, "the queue of the operators")? {
        Some(QueueOutcome::Returned { .. }) => return survey(call),
        Some(QueueOutcome::Callback(_)) => return Ok(Summary::callback_booked()),
        Some(QueueOutcome::Peer(_)) => return Ok(Summary::transferred()),
        Some(QueueOutcome::Closed(_) | QueueOutcome::Full | QueueOutcome::TimedOut) => {}
        // A centre without queues.
        None => {
            let outcome = Transfer::to_group(&operators).and_back().show("topic", TOPIC).of(call);
            match CallError::unless_ended(outcome, "transfer to the operators")? {
                Some(TransferOutcome::BridgedThenReturned(_)) => return survey(call),
                Some(TransferOutcome::Moved) => return Ok(Summary::transferred()),
                _ => {}
            }
        }
    }
    call.hangup(words!(call,
        "ru" => ["Сейчас все операторы заняты. Позвоните, пожалуйста, позже. До свидания."],
        "en" => ["All operators are busy now. Please call again later. Goodbye."],
    ))?;
    Ok(Summary::new(ResultCode::Custom("no-operator".to_owned())))
}

fn survey(call: &Call) -> Result<Summary> {
    gudok_sdk::host::step("mark");
    let question = words!(call,
        "ru" => ["Оцените, пожалуйста, разговор: нажмите цифру от одного до пяти."],
        "en" => ["How was the talk? Please press a digit from one to five."],
    );
    let menu = MARKS.into_iter().fold(Menu::new(question).attempts(2), |menu, mark| menu.on(mark, mark));
    if let Answer::Given(mark) = menu.ask(call)? {
        // A caller is thanked, and not asked again, whatever becomes of the mark.
        if let Err(error) = keep(call, mark) {
            if error.is_end() {
                return Err(error);
            }
            gudok_sdk::warn!("the mark was not kept: {error}");
        }
        gudok_sdk::host::step("thanks");
        call.say(words!(call, "ru" => ["Спасибо за оценку."], "en" => ["Thank you for your mark."]))?;
    }
    gudok_desk::goodbye(call)
}

fn keep(call: &Call, mark: &str) -> Result<()> {
    call.tag(&[("mark", mark)])?;
    gudok_sdk::host::count("marks", 1);
    let score = mark.parse().unwrap_or_default();
    CallError::unless_ended(gudok_sdk::Survey::new("talk").score("operator", score).submit(), "survey")?;
    Bucket::open(BUCKET)?.increment(mark, 1).map(drop)
}
