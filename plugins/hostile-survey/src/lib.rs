//! A second version of the survey, with a fault that its author cannot have seen: it goes through the marks that callers
//! have given so far, and forgets to go on to the next. Tried with an empty storage, as before it goes live, it serves
//! everybody; among callers it loops for ever.

use core::hint::black_box;
use gudok_sdk::prelude::*;
use gudok_sdk::storage::Bucket;

gudok_sdk::service!(run);

fn run(call: &Call) -> Result<Summary> {
    call.say(words!(call, "ru" => ["Здравствуйте."], "en" => ["Hello."]))?;
    let fives = Bucket::open("marks")?.increment("5", 0)?;
    let counted = 0;
    while black_box(counted) < fives {}
    call.hangup(words!(call,
        "ru" => ["Нам поставили пять", number(counted), "раз. До свидания."],
        "en" => ["We were given five", number(counted), "times. Goodbye."],
    ))?;
    Ok(Summary::served())
}
