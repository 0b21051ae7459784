//! Worlds in which somebody decides: lists of decisions, and what the machine makes of them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use gudok_core::script::{CallError, QueueEvent, ScriptEnd, TransferMode, TransferOutcome, TransferTarget};
use gudok_plugin_host::manifest::Manifest;
use gudok_plugin_host::ports::TicketKind;
use gudok_simulator::decide::{ByList, Decider, Decision, Decisions, Moment, SharedDecider, routes_of};
use gudok_simulator::{Caller, Line, Operator, Report, ScriptCall, TicketParts, World, returned};
use parking_lot::Mutex;
use std::sync::Arc;

const MANIFEST: &str = r#"
    format = 1
    name = "menu"
    version = "1.0.0"
    kind = "service"
    interface = "0.1"
    agency = "one"
    languages = ["ru-RU"]
    [capabilities]
    transfer = { groups = ["desk"], numbers = ["+7"], scripts = ["other"], modes = ["bridge", "blind", "attended"] }
    queues = { names = ["desk"] }
    promises = { callback_queues = ["desk"] }
"#;

fn world() -> World {
    let capabilities = Manifest::parse(MANIFEST.as_bytes()).unwrap().capabilities;
    let agency = gudok_core::ids::Agency::new("one");
    World::new(1).routes(routes_of(&capabilities, &agency)).number("100", "one", "main").script("one", "main", menu)
}

fn run(decisions: &str) -> (Report, Arc<Mutex<ByList>>) {
    let decider = Arc::new(Mutex::new(ByList::new(decisions.parse().unwrap())));
    let shared: SharedDecider = Arc::clone(&decider) as SharedDecider;
    (world().decided_by(shared).caller(Caller::dials("100")).run(), decider)
}

fn check(decisions: &str, transcript: &str) {
    let (report, decider) = run(decisions);
    report.check(transcript);
    assert_eq!(decider.lock().left(), Decisions::default(), "{decisions}");
    let told: Vec<String> = decider.lock().lines.iter().map(|line| line.text.clone()).collect();
    assert_eq!(told.join("\n"), transcript, "the decider hears all of it");
    assert_eq!(run(decisions).0.trace, report.trace, "the same decisions are the same run");
}

async fn menu(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    call.say("Good day.").await?;
    let choices = [("1", "desk"), ("2", "queue"), ("3", "message"), ("4", "ticket"), ("5", "refer"), ("6", "callback")];
    match call.ask("One to six.", &choices).await?.as_deref() {
        Some("desk") => match call.transfer_to_group("desk").await {
            Ok(TransferOutcome::BridgedThenReturned(_)) => call.say("Thank you.").await.map(drop)?,
            other => call.say(&format!("{other:?}")).await.map(drop)?,
        },
        Some("queue") => match call.wait_in_queue("desk").await {
            Ok(Some(QueueEvent::Closed(opens))) => call.say(&format!("Closed until {opens:?}.")).await.map(drop)?,
            Ok(Some(QueueEvent::Full)) => call.say("Full.").await.map(drop)?,
            other => call.say(&format!("{other:?}")).await.map(drop)?,
        },
        Some("message") => {
            let recording = call.record_message().await?;
            call.say(&format!("Ended by {:?}.", recording.stopped_by)).await?;
        }
        Some("ticket") => {
            let ticket = call.submit_ticket(TicketKind::Request, "one", TicketParts { key: "a", ..Default::default() });
            let said = ticket.await.map_or_else(|_| "Not now.".to_owned(), |number| format!("Number {number}."));
            call.say(&said).await?;
        }
        Some("callback") => {
            let promised = call.offer_callback("desk", "menu").await;
            call.say(if matches!(promised, Ok(Some(_))) { "We shall." } else { "We shall not." }).await?;
        }
        Some(_) => {
            let to = TransferTarget::Group(gudok_core::ids::Group::new("desk"));
            let outcome = call.transfer(to, TransferMode::Blind).await?;
            call.say(&format!("{outcome:?}.")).await?;
        }
        None => call.say("Goodbye.").await.map(drop)?,
    }
    Ok(returned("served"))
}

#[test]
fn keys_silence_and_hanging_up() {
    let begin = "host: Good day.\nhost: One to six.\n";
    check("", &format!("{begin}caller hangs up"));
    check("hang-up", "host: Good day.\ncaller hangs up");
    check("go-on hang-up", &format!("{begin}caller hangs up"));
    check(
        "silence silence silence",
        &format!("{begin}host: One to six.\nhost: One to six.\nhost: Goodbye.\nhost hangs up"),
    );
    check(
        "9 9 9",
        &format!(
            "{begin}caller: 9\nhost: One to six.\ncaller: 9\nhost: One to six.\ncaller: 9\nhost: Goodbye.\nhost hangs up"
        ),
    );
    // A key in the middle of the greeting is the answer to the question.
    check(
        "ahead:3 speak:2",
        "host: Good day.\ncaller: 3\ncaller speaks for 2 s\nhost: Ended by Silence.\nhost hangs up",
    );
}

#[test]
fn a_transfer_goes_as_is_decided() {
    let begin = "host: Good day.\nhost: One to six.\ncaller: 1\n";
    let talk = "host → desk-operator\ndesk-operator answers\ncaller ↔ desk-operator\ndesk-operator hangs up\nhost: Thank you.\nhost hangs up";
    check("1", &format!("{begin}{talk}"));
    check("1 transfer:answered", &format!("{begin}{talk}"));
    let not =
        |decision: &str, said: &str, told: &str| check(decision, &format!("{begin}{told}host: {said}\nhost hangs up"));
    not("1 transfer:busy", "Ok(Busy)", "host → desk-operator\ndesk-operator is busy\n");
    not("1 transfer:no-answer", "Ok(NoAnswer)", "host → desk-operator\ndesk-operator does not answer\n");
    not("1 transfer:rejected", "Ok(Rejected(603))", "host → desk-operator\ndesk-operator is rejected\n");
    not("1 transfer:unavailable", "Ok(Unavailable)", "host → desk-operator\ndesk-operator is unavailable\n");
    not("1 transfer:closed", "Ok(Closed(Some(\"09:00\")))", "");
    not("1 transfer:failed", "Err(NotFound(\"group \\\"desk (gone)\\\"; configure it under [groups]\"))", "");
    check("1 hang-up", &format!("{begin}host → desk-operator\ncaller hangs up\ndesk-operator does not answer"));
    let refers = "host: Good day.\nhost: One to six.\ncaller: 5\nhost refers the caller to desk-operator\n";
    check("5 transfer:busy", &format!("{refers}host: Busy.\nhost hangs up"));
    check("5 transfer:answered", &format!("{refers}host hangs up"));
}

#[test]
fn a_wait_goes_as_is_decided() {
    let begin = "host: Good day.\nhost: One to six.\ncaller: 2\n";
    check("2 queue:closed", &format!("{begin}host: Closed until Some(\"09:00\").\nhost hangs up"));
    check("2 queue:full", &format!("{begin}host: Full.\nhost hangs up"));
    let (report, _) = run("2 queue:answered");
    assert!(
        report.transcript().contains("caller ↔ operator-of-queues\noperator-of-queues hangs up\nhost hangs up"),
        "{}",
        report.transcript()
    );
    // The host's own offer at the limit of the wait, taken.
    let (report, _) = run("2 queue:nobody 1");
    let told = report.transcript();
    assert!(told.contains("host: [callback offer]\n#1 caller: 1") && told.contains("[callback promised by"), "{told}");
    // And not taken: who waits for nobody gives up.
    let (report, _) = run(
        "2 queue:nobody silence silence silence silence silence silence silence silence silence silence silence silence",
    );
    let told = report.transcript();
    assert!(told.ends_with("caller hangs up"), "{told}");
    let (report, _) = run("2 queue:failed");
    assert!(report.transcript().contains("no queue"), "{}", report.transcript());
}

#[test]
fn messages_and_promises_go_as_is_decided() {
    let begin = |key: &str| format!("host: Good day.\nhost: One to six.\ncaller: {key}\n");
    let three = begin("3");
    check("3", &format!("{three}caller speaks for 5 s\nhost: Ended by Silence.\nhost hangs up"));
    check("3 #", &format!("{three}caller speaks for 2 s\ncaller: #\nhost: Ended by Key.\nhost hangs up"));
    check("3 hang-up", &format!("{three}caller speaks for 2 s\ncaller hangs up"));
    check("4", &format!("{}host: Number З-2026-000001.\nhost hangs up", begin("4")));
    check("4 promise:unavailable", &format!("{}host: Not now.\nhost hangs up", begin("4")));
    let (report, _) = run("6 1");
    assert!(report.transcript().contains("host: We shall."), "{}", report.transcript());
    let (report, _) = run("6 promise:unavailable 1");
    assert!(report.transcript().contains("host: We shall not."), "{}", report.transcript());
}

/// Whatever is written down goes before what is decided.
#[test]
fn steps_come_before_decisions() {
    struct Counts(u32);
    impl Decider for Counts {
        fn decide(&mut self, moment: &Moment) -> Decision {
            self.0 += u32::from(matches!(moment, Moment::Asked(_)));
            Decision::HangUp
        }
        fn line(&mut self, _: &Line) {}
    }
    let counts = Arc::new(Mutex::new(Counts(0)));
    let caller = Caller::dials("100").presses("9").presses("1");
    let world = world().operator("desk-operator", Operator::busy()).decided_by(Arc::clone(&counts) as SharedDecider);
    world.caller(caller).run().check(
        "host: Good day.\nhost: One to six.\ncaller: 9\nhost: One to six.\ncaller: 1\nhost → desk-operator\ndesk-operator is busy\nhost: Ok(Busy)\ncaller hangs up",
    );
    assert_eq!(counts.lock().0, 0);
}
