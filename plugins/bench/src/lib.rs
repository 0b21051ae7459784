//! The scripts that the engine is measured with, one entry each: `sig`, `ivr`, `l30`, `wait`.
//!
//! Their clips are made by `examples/clips.rs` when the bundle is built.

use core::time::Duration;
use gudok_sdk::prelude::*;

gudok_sdk::service!(run);

fn run(call: &Call) -> Result<Summary> {
    match call.info().entry.as_str() {
        "sig" => call.answer()?,
        "ivr" => ivr(call)?,
        "l30" => drop(call.say(media("p30"))?),
        "wait" => {
            call.answer()?;
            call.wait(Duration::from_secs(20))?;
        }
        entry => {
            gudok_sdk::error!("entry {entry}: this bundle has sig, ivr, l30 and wait");
            return Ok(Summary::no_service());
        }
    }
    call.hangup_now()?;
    Ok(Summary::served())
}

/// Three seconds of prompt, one key, and one second more for who pressed 1.
fn ivr(call: &Call) -> Result<()> {
    let question = Menu::new(media("p3")).on("1", true).on("2", false).attempts(1);
    if question.ask(call)? == Answer::Given(true) {
        call.say(media("p1"))?;
    }
    Ok(())
}
