//! A million contacts over eleven time zones and three virtual days, with everything that goes wrong: the engine killed, a
//! trunk that answers 503 for an hour, the clock set forward and back, edits, opt-outs, inbound load. Checkers with rules of
//! their own watch every step; the program ends with 1 where a promise was broken.
//!
//! `cargo run --release -p gudok-simulator --example campaign [-- SEED [CONTACTS]]`: the seed replays it exactly.
//! `cargo run --release -p gudok-simulator --example campaign -- seeds 1000`: that many small worlds, one a seed.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for people")]

use gudok_core::campaign::{
    CampaignSettings, CampaignsSettings, OptOutScope, Pace, RetryRule, TrunkShare, UnknownRule, Urgency,
};
use gudok_core::ids::{Agency, Trunk};
use gudok_simulator::Dice;
use gudok_simulator::campaigns::{
    CampaignTrouble, CampaignWorld, CampaignsReport, Incident, SimCampaign, opt_out, samples,
};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CONTACTS: u32 = 1_000_000;
const CONTACTS_OF_SMALL_WORLD: u32 = 60;
const HOUR: Duration = Duration::from_hours(1);
const DAYS: Duration = Duration::from_hours(72);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|argument| argument.parse::<u64>().ok());
    if arguments.first().is_some_and(|first| first == "seeds") {
        return many(number(1).unwrap_or(1_000));
    }
    let contacts = number(1).and_then(|contacts| u32::try_from(contacts).ok()).unwrap_or(CONTACTS);
    let seed = number(0).unwrap_or(1);
    println!(
        "{contacts} contacts in {} zones, {} hours, seed {seed}",
        samples::ELEVEN_ZONES.len(),
        DAYS.as_secs() / 3_600
    );
    let started = Instant::now();
    let report = world(seed, contacts).quiet().run();
    println!("{report}");
    let took = started.elapsed().as_secs_f64();
    let faster = report.steps as f64 / took;
    println!("simulated in {took:.1} s, {faster:.0} steps a second; peak memory {}", peak_memory());
    println!("digest {:016x}", report.digest);
    end(&report)
}

/// Small worlds, so that one seed's failure can be read.
fn many(seeds: u64) -> ExitCode {
    let mut calls = 0;
    for seed in 0..seeds {
        let report = world(seed, CONTACTS_OF_SMALL_WORLD).trouble(CampaignTrouble::bad_day()).run();
        if report.verdict().is_err() {
            return end(&report);
        }
        calls += report.engine.calls;
    }
    println!("{seeds} worlds of {CONTACTS_OF_SMALL_WORLD} contacts, {calls} calls, every promise kept");
    ExitCode::SUCCESS
}

fn end(report: &CampaignsReport) -> ExitCode {
    match report.verdict() {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The kernel's count of this process.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

/// Calls a second that let a list of that size go through in three days.
fn pace(contacts: u32, share_percent: u32) -> Pace {
    let calls_per_s_max = (contacts / 1_000 * share_percent / 100 / 25).max(1);
    Pace { calls_per_s_max, calls_max: calls_per_s_max * 40 }
}

fn shared(contacts: u32) -> CampaignsSettings {
    let mut shared = samples::shared(&samples::ELEVEN_ZONES);
    let calls_per_s_max = pace(contacts, 150).calls_per_s_max;
    let rest_after_failure = Duration::from_secs(10);
    let share = TrunkShare { calls_max: calls_per_s_max * 30, calls_per_s_max, rest_after_failure };
    shared.trunks.insert(Trunk::new(samples::TRUNK), share);
    shared.calls_max = calls_per_s_max * 30;
    shared.calls_per_s_max = calls_per_s_max;
    shared.attempts_per_number_per_day_max = 3;
    shared
}

fn world(seed: u64, contacts: u32) -> CampaignWorld {
    let mut dice = Dice::new(seed);
    let reminder = CampaignSettings {
        pace: pace(contacts, 60),
        unknown: UnknownRule::TakeForUnanswered,
        agency: Agency::new("tax"),
        ..samples::campaign("reminder")
    };
    let notice = CampaignSettings { pace: pace(contacts, 40), priority: 7, ..samples::campaign("notice") };
    let mut flood = CampaignSettings {
        pace: pace(contacts, 100),
        urgency: Urgency::Emergency { over_opt_outs: true },
        confirm: true,
        unknown: UnknownRule::TakeForUnanswered,
        ..samples::campaign("flood")
    };
    let again = RetryRule { after: Duration::from_mins(15), jitter: Duration::from_mins(5), attempts_max: 3 };
    flood.retries.rules.extend([("delivered", again), ("voicemail", again)]);
    let edited = CampaignSettings {
        pace: Pace { calls_per_s_max: notice.pace.calls_per_s_max.div_ceil(2), ..notice.pace },
        window: gudok_core::campaign::CallWindow {
            week: std::array::from_fn(|_| vec![samples::hours(10, 19)]),
            ..samples::window()
        },
        ..notice.clone()
    };
    let (first, second, third) = (contacts / 10 * 6, contacts / 10 * 3, contacts / 10);
    let mut world = CampaignWorld::new(seed, Arc::new(shared(contacts)))
        .lasts(DAYS)
        .campaign(SimCampaign::new(Arc::new(reminder), first))
        // A tenth of the numbers is on both lists.
        .campaign(SimCampaign::new(Arc::new(notice), second).numbers_from(first - first / 10))
        .campaign(SimCampaign::new(Arc::new(flood), third).numbers_from(first / 2).starts(Some(HOUR * 30)))
        .happens(HOUR * 6, Incident::Edit(Arc::new(edited)))
        .happens(HOUR * 9, Incident::Inbound(2_500))
        .happens(HOUR * 10, Incident::Inbound(700))
        .happens(HOUR * 20, Incident::Dies(Duration::from_secs(8)))
        .happens(HOUR * 22, Incident::TrunkFails(Trunk::new(samples::TRUNK), HOUR))
        .happens(HOUR * 26, Incident::ClockMoves { seconds: 3_600 })
        .happens(HOUR * 44, Incident::ClockMoves { seconds: -3_600 })
        .happens(HOUR * 31, Incident::Dies(Duration::from_secs(3)))
        .happens(HOUR * 50, Incident::Dies(Duration::from_secs(30)));
    for at in 0..200 {
        let number = u32::try_from(dice.roll() % u64::from(contacts.max(1))).unwrap_or_default();
        let scope = if at % 2 == 0 { OptOutScope::Global } else { OptOutScope::Agency(Agency::new("tax")) };
        world = world.happens(HOUR * at / 3, Incident::OptOut(opt_out(number, scope, at % 5 == 0)));
    }
    world
}
