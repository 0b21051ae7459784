//! The scripts that the engine is attacked with. The entry names the attack; see [`ATTACKS`].
//!
//! Each answers the caller first, so that a test hears what follows: the host's apology and the way to the operator.
//! An attack that the host withstood in another way than by stopping the script says so in the summary's code
//! (`refused`, `harmless`) and hangs up.
//!
//! The attack by a forbidden import is no entry: such a bundle is refused at load. It is `plugins/hostile-clock`.

use core::hint::black_box;
use core::time::Duration;
use gudok_sdk::fetch::Request;
use gudok_sdk::host::{self, Level};
use gudok_sdk::prelude::*;
use gudok_sdk::storage::Bucket;

gudok_sdk::service!(run);

/// One attack.
type Attack = fn(&Call) -> Result<()>;

/// The attacks by entry.
pub const ATTACKS: [(&str, Attack); 19] = [
    ("loop", endless_loop),
    ("memory", memory_bomb),
    ("memory-slow", memory_by_prompts),
    ("recursion", deep_recursion),
    ("large-frames", deep_recursion_with_large_frames),
    ("panic", panic),
    ("storm", host_call_storm),
    ("log-flood", log_flood),
    ("many-segments", prompt_of_many_pieces),
    ("long-text", prompt_of_long_text),
    ("huge-text", prompt_of_huge_text),
    ("many-choices", question_of_many_choices),
    ("many-handles", handles_without_end),
    ("spin-between-prompts", spin_between_prompts),
    ("linger", never_return_after_hangup),
    ("silent-return", return_without_goodbye),
    ("no-answer", return_before_answer),
    ("foreign-bucket", foreign_bucket),
    ("foreign-origin", foreign_origin),
];

fn run(call: &Call) -> Result<Summary> {
    let entry = call.info().entry.as_str();
    let Some((_, attack)) = ATTACKS.iter().find(|(name, _)| *name == entry) else {
        gudok_sdk::error!("entry {entry}: there is no such attack");
        return Ok(Summary::no_service());
    };
    if entry != "no-answer" {
        call.say("Проверка.")?;
    }
    match attack(call) {
        Ok(()) => Ok(Summary::new(ResultCode::Custom("harmless".to_owned()))),
        Err(error) if error.is_end() => Err(error),
        Err(error) => {
            gudok_sdk::info!("withstood: {error}");
            call.hangup_now()?;
            Ok(Summary::new(ResultCode::Custom("refused".to_owned())).with("error", error.to_string()))
        }
    }
}

fn endless_loop(_: &Call) -> Result<()> {
    spin(u64::MAX);
    Ok(())
}

/// As fast as memory grows.
fn memory_bomb(_: &Call) -> Result<()> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![0xAA_u8; 1 << 20]);
        black_box(&hoard);
    }
}

/// A little more with every prompt, so that no single step stands out.
fn memory_by_prompts(call: &Call) -> Result<()> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![0xAA_u8; 1 << 18]);
        black_box(&hoard);
        call.wait(Duration::from_millis(10))?;
    }
}

/// Runs the machine's stack over, which WebAssembly code cannot see.
fn deep_recursion(_: &Call) -> Result<()> {
    #[expect(unconditional_recursion, reason = "that is the attack")]
    fn deeper(depth: u32) -> u32 {
        deeper(depth.wrapping_add(1)).rotate_left(depth % 32) ^ depth
    }
    black_box(deeper(black_box(0)));
    Ok(())
}

/// Runs the stack in linear memory over: it lies at the bottom, so the next frame is out of bounds.
fn deep_recursion_with_large_frames(_: &Call) -> Result<()> {
    #[expect(unconditional_recursion, reason = "that is the attack")]
    fn deeper(depth: u64) -> u64 {
        let frame = black_box([depth; 64]);
        deeper(depth + 1).wrapping_add(frame.iter().sum())
    }
    black_box(deeper(0));
    Ok(())
}

#[expect(clippy::panic, reason = "that is the attack")]
fn panic(_: &Call) -> Result<()> {
    panic!("a script may have a fault like this one")
}

fn host_call_storm(_: &Call) -> Result<()> {
    loop {
        black_box(host::now_millis());
    }
}

/// Flooding alone stops nothing: lines over the allowance are dropped.
fn log_flood(call: &Call) -> Result<()> {
    let line = "x".repeat(1_000);
    for _ in 0..5_000 {
        host::log(Level::Error, &line, &[("field", &line)]);
    }
    call.hangup_now()
}

fn prompt_of_many_pieces(call: &Call) -> Result<()> {
    call.say(vec!["а"; 1_000]).map(drop)
}

/// More than a prompt may hold.
fn prompt_of_long_text(call: &Call) -> Result<()> {
    call.say("а".repeat(32 * 1024)).map(drop)
}

/// More than a host call may carry.
fn prompt_of_huge_text(call: &Call) -> Result<()> {
    call.say("а".repeat(1024 * 1024)).map(drop)
}

fn question_of_many_choices(call: &Call) -> Result<()> {
    let mut menu = Menu::new("Что?");
    for choice in 0..10_000_u32 {
        menu = menu.on(&choice.to_string(), choice);
    }
    menu.ask(call).map(drop)
}

fn handles_without_end(call: &Call) -> Result<()> {
    let mut players = Vec::new();
    loop {
        players.push(call.play_in_background(silence(Duration::from_secs(1)), true)?);
        black_box(&players);
    }
}

/// Just under the limit of a step, for ever: the limit of the whole call ends it.
fn spin_between_prompts(call: &Call) -> Result<()> {
    loop {
        spin(5_000_000);
        call.wait(Duration::from_millis(1))?;
    }
}

/// Learns that the caller is gone, and does not care.
fn never_return_after_hangup(call: &Call) -> Result<()> {
    while call.wait(Duration::from_secs(1)).is_ok() {}
    spin(u64::MAX);
    Ok(())
}

fn return_without_goodbye(_: &Call) -> Result<()> {
    Ok(())
}

fn return_before_answer(_: &Call) -> Result<()> {
    Ok(())
}

/// Names that would be another agency's, if a script could name one.
fn foreign_bucket(call: &Call) -> Result<()> {
    for name in ["attempts", "../migration/own", "migration/passport/own", "own/../../migration", "", "own\0"] {
        if Bucket::open(name).is_ok() {
            gudok_sdk::error!("bucket {name:?} was opened");
            return call.hangup_now();
        }
    }
    Bucket::open("foreign").map(drop)
}

/// Origins that nobody granted, some of them dressed up as the granted one.
fn foreign_origin(call: &Call) -> Result<()> {
    for url in [
        "http://127.0.0.1:8091/",
        "http://localhost:8090/",
        "http://127.0.0.1:8090@127.0.0.2/",
        "http://2130706433:8090/",
        "https://127.0.0.1:8090/",
        "file:///etc/passwd",
        "http://[::1]:8090/",
    ] {
        if Request::get(url).send().is_ok() {
            gudok_sdk::error!("{url} was fetched");
            return call.hangup_now();
        }
    }
    Request::get("http://169.254.169.254/latest/meta-data/").send().map(drop)
}

/// Burns so many rounds of CPU.
fn spin(rounds: u64) {
    for round in 0..rounds {
        black_box(round);
    }
}
