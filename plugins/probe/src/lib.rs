//! The scripts that tests look into the engine with, one entry each: what they find out, they say, so that it is in
//! the transcript.
//!
//! - `count`: counts its calls in the storage and says which one this is, once that is acknowledged; then it waits.
//! - `keep`: writes to the storage and says whether that was taken, or why not.
//! - `echo`: says every row of keys back; `*` ends it.
//! - `tell`: says the bundle's line, waits for a key, and says it again.
//! - `ring`: waits and does not answer.

use core::time::Duration;
use gudok_sdk::prelude::*;
use gudok_sdk::storage::Bucket;

gudok_sdk::service!(run);

const BUCKET: &str = "probe";
/// Longer than any test's call.
const PATIENCE: Duration = Duration::from_secs(60);
/// Keys of one row of `echo`.
pub const ROW_KEYS: u8 = 20;
/// A row in which keys are lost ends so long after its last one.
const ROW_GAP: Duration = Duration::from_secs(2);

fn run(call: &Call) -> Result<Summary> {
    match call.info().entry.as_str() {
        "count" => count(call)?,
        "keep" => keep(call)?,
        "echo" => echo(call)?,
        "tell" => tell(call)?,
        "ring" => call.wait(PATIENCE)?,
        entry => {
            gudok_sdk::error!("entry {entry}: this bundle has count, keep, echo, tell and ring");
            return Ok(Summary::no_service());
        }
    }
    call.hangup_now()?;
    Ok(Summary::served())
}

fn count(call: &Call) -> Result<()> {
    let calls = Bucket::open(BUCKET)?.increment("calls", 1)?;
    call.say(format!("Звонок {calls}."))?;
    call.wait(PATIENCE)
}

fn keep(call: &Call) -> Result<()> {
    match Bucket::open(BUCKET)?.set("kept", &call.info().caller.is_some(), None) {
        Ok(()) => call.say("Записано.")?,
        Err(error) if error.is_end() => return Err(error),
        Err(error) => call.say(format!("Не записано: {error}."))?,
    };
    Ok(())
}

fn echo(call: &Call) -> Result<()> {
    call.say("Слушаю.")?;
    loop {
        let row: Ask<String, ()> = Ask::digits(Prompt::new(), 1..=ROW_KEYS)
            .global("*", ())
            .attempts(1)
            .first_timeout(PATIENCE)
            .digit_gap(ROW_GAP);
        match row.ask(call)? {
            Answer::Given(keys) => call.say(format!("Принято {keys}."))?,
            _ => return Ok(()),
        };
    }
}

fn tell(call: &Call) -> Result<()> {
    let line = gudok_sdk::host::data_text("line.txt")?;
    let question: Ask<String, ()> = Ask::digits(line.trim(), 1..=1).attempts(1).first_timeout(PATIENCE);
    question.ask(call)?;
    call.say(line.trim())?;
    Ok(())
}
