//! The scripts that tests look into the engine with, one entry each: what they find out, they say, so that it is in
//! the transcript.
//!
//! - `count`: counts its calls in the storage and says which one this is, once that is acknowledged; then it waits.
//! - `keep`: writes to the storage and says whether that was taken, or why not.
//! - `echo`: says every row of keys back; `*` ends it.
//! - `tell`: says the bundle's line, waits for a key, and says it again.
//! - `ring`: waits and does not answer.
//! - `ask`: a key asks something of the centre, and what came of it is said: 1 a queue, 2 an offered callback, 3 a callback at
//!   the calling number, 4 a ticket, 5 a mark, 6 offices of the directory, 7 a frequent question, 8 another pace; `*` ends it.
//! - `twice`: tags the call with the bundle's line and says it, reads it anew, tags and says that, and hangs up. Where the
//!   bundle has a `fuse.txt` (`loop`, `trap`, `memory`), that happens between the two, but only once `count` has counted a
//!   call: a fault that waits for what the agency's callers have left in its storage, which no check before knows of.

use core::hint::black_box;
use core::time::Duration;
use gudok_sdk::directory::Query;
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
        "ask" => ask(call)?,
        "twice" => twice(call)?,
        entry => {
            gudok_sdk::error!("entry {entry}: this bundle has count, keep, echo, tell, ring, ask and twice");
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

fn ask(call: &Call) -> Result<()> {
    loop {
        let row: Ask<String, ()> =
            Ask::digits("Что спросить?", 1..=1).global("*", ()).attempts(1).first_timeout(PATIENCE);
        let Answer::Given(key) = row.ask(call)? else { return Ok(()) };
        let came = match key.as_str() {
            "1" => {
                call.queue("operators").show("topic", "probe").and_back().wait().map(|outcome| format!("{outcome:?}"))
            }
            "2" => call.offer_callback("operators").topic("probe").ask().map(|promise| format!("{promise:?}")),
            "3" => {
                let number = call.info().caller.clone().unwrap_or_default();
                Callback::by("operators", &number).topic("probe").request().map(|promise| format!("{promise:?}"))
            }
            "4" => Ticket::request("probe").field("answer", "42").submit(call, "probe"),
            "5" => Survey::new("talk").score("operator", 5).submit().map(|()| "kept".to_owned()),
            "6" => Query::of(call).offices(&[]).map(|offices| format!("{} offices", offices.len())),
            "7" => Query::of(call).faq("паспорт").map(|answers| format!("{} answers", answers.len())),
            _ => call.set_pace(Pace::Slow).map(|()| "slow".to_owned()),
        };
        match came {
            Ok(came) => call.say(format!("Вышло: {came}."))?,
            Err(error) if error.is_end() => return Err(error),
            Err(error) => call.say(format!("Не вышло: {error}."))?,
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

fn twice(call: &Call) -> Result<()> {
    let line = gudok_sdk::host::data_text("line.txt")?;
    call.tag(&[("first", line.trim())])?;
    call.say(line.trim())?;
    blow_fuse()?;
    let line = gudok_sdk::host::data_text("line.txt")?;
    call.tag(&[("last", line.trim())])?;
    call.say(line.trim())?;
    Ok(())
}

#[expect(clippy::panic, reason = "that is what it is for")]
fn blow_fuse() -> Result<()> {
    let Ok(fuse) = gudok_sdk::host::data_text("fuse.txt") else { return Ok(()) };
    if Bucket::open(BUCKET)?.increment("calls", 0)? == 0 {
        return Ok(());
    }
    match fuse.trim() {
        "trap" => panic!("the fuse is lit"),
        "memory" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![0xAA_u8; 1 << 20]);
                black_box(&hoard);
            }
        }
        _ => loop {
            black_box(fuse.len());
        },
    }
}
