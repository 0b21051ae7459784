//! What came of a call: for its caller, its agency and its record.

use super::Asked;
use crate::journal::{JournalEnd, Masks, plain};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What came of a call. Texts are masked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The result code, "error KIND" where the script returned an error; empty where it did not come to its end.
    pub result: String,
    /// Fields of the result.
    pub fields: Vec<String>,
    /// Of a campaign's call: what became of the contact.
    pub disposition: Option<String>,
    /// Callbacks that were promised.
    pub promises: Vec<String>,
    /// Tickets and surveys that were registered.
    pub tickets: Vec<String>,
    /// To whom the caller was handed, where the caller waited, and how that went.
    pub transfers: Vec<String>,
    /// The host ended it, for this cause.
    pub by_host: Option<String>,
}

/// Something that is not as it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// "result", "fields", "disposition", "promises", "tickets", "transfers", "end".
    pub what: String,
    /// In the call; masked.
    pub was: String,
    /// In the replay; masked.
    pub is: String,
}

/// One thing that came of a call, exactly and for people.
#[derive(Clone, PartialEq, Debug)]
struct Item {
    what: &'static str,
    exact: Value,
    shown: String,
}

/// All that came of a call.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Exactly(Vec<Item>);

/// What is compared, in the order in which it is told.
const COMPARED: [&str; 7] = ["result", "fields", "disposition", "promises", "tickets", "transfers", "end"];

impl Exactly {
    /// Of a run's host calls, and its end.
    pub(super) fn of(calls: &[Asked], end: &JournalEnd, mut masks: Masks) -> Self {
        let mut items = Vec::new();
        for (seq, call) in (1..).zip(calls) {
            let step = masks.step(seq, 0, &call.function, call.args.clone(), call.result.clone());
            items.extend(of_call(call, &step.args, step.result.as_ref()));
        }
        items.extend(of_end(end, &masks));
        Self(items)
    }

    pub(super) fn shown(&self) -> Outcome {
        let all = |what: &str| -> Vec<String> {
            self.0.iter().filter(|item| item.what == what).map(|item| item.shown.clone()).collect()
        };
        Outcome {
            result: all("result").pop().unwrap_or_default(),
            fields: all("fields"),
            disposition: all("disposition").pop(),
            promises: all("promises"),
            tickets: all("tickets"),
            transfers: all("transfers"),
            by_host: all("end").pop(),
        }
    }

    /// What is not as it was.
    pub(super) fn changes(&self, is: &Self) -> Vec<Change> {
        let of = |items: &Self, what: &str| -> Vec<Item> {
            items.0.iter().filter(|item| item.what == what).cloned().collect()
        };
        let mut changes = Vec::new();
        for what in COMPARED {
            let (was, is) = (of(self, what), of(is, what));
            let exact = |items: &[Item]| items.iter().map(|item| item.exact.clone()).collect::<Vec<_>>();
            if exact(&was) == exact(&is) {
                continue;
            }
            let shown = |items: &[Item]| match items {
                [] => "none".to_owned(),
                items => items.iter().map(|item| item.shown.as_str()).collect::<Vec<_>>().join("; "),
            };
            let (was, mut is) = (shown(&was), shown(&is));
            if was == is {
                is.push_str(" (it differs in what is masked)");
            }
            changes.push(Change { what: what.to_owned(), was, is });
        }
        changes
    }
}

fn of_call(call: &Asked, args: &Value, result: Option<&Value>) -> Option<Item> {
    let answer = result?.get("ok")?;
    let exact_answer = call.result.as_ref()?.get("ok")?;
    let (shown, exact) = (args, &call.args);
    Some(match &*call.function {
        "promises.request-callback" => Item {
            what: "promises",
            exact: json!([exact[0], exact_answer]),
            shown: format!("callback by {}", plain(&shown[0]["queue"])),
        },
        "promises.offer-callback" if !answer.is_null() => Item {
            what: "promises",
            exact: json!([exact[1]["queue"], exact[1]["topic"], exact[1]["fields"], exact_answer]),
            shown: format!("callback by {}, agreed with the caller", plain(&shown[1]["queue"])),
        },
        "queues.queue-ticket.convert-to-callback" => Item {
            what: "promises",
            exact: json!([exact[1], exact_answer]),
            shown: "callback in the place of the wait".to_owned(),
        },
        "promises.submit-ticket" => Item {
            what: "tickets",
            exact: exact[0].clone(),
            shown: format!("{} to {}", plain(&shown[0]["kind"]).to_lowercase(), plain(&shown[0]["to_agency"])),
        },
        "promises.submit-survey" => {
            Item { what: "tickets", exact: json!([exact[0], exact[1]]), shown: format!("survey {}", plain(&shown[0])) }
        }
        "transfer.transfer" => Item {
            what: "transfers",
            exact: json!([exact[1], exact[2]["mode"], exact_answer]),
            shown: format!("to {}: {}", plain(&shown[1]), plain(answer).to_lowercase()),
        },
        "queues.enqueue" => Item {
            what: "transfers",
            exact: json!([exact[1]["queue"], exact[1]["priority"]]),
            shown: format!("waits in {}", plain(&shown[1]["queue"])),
        },
        "queues.queue-ticket.next-event" if ends_the_wait(exact_answer) => {
            Item { what: "transfers", exact: exact_answer.clone(), shown: plain(answer).to_lowercase() }
        }
        _ => return None,
    })
}

fn ends_the_wait(event: &Value) -> bool {
    let is = |kind: &str| event.get(kind).is_some() || event.as_str() == Some(kind);
    ["Answered", "Returned", "Callback", "Peer", "Closed", "Full", "TimedOut"].into_iter().any(is)
}

fn of_end(end: &JournalEnd, masks: &Masks) -> Vec<Item> {
    let item = |what, text: &str| Item { what, exact: json!(text), shown: masks.hide(text) };
    match end {
        JournalEnd::Returned { code, fields } => {
            let field = |(name, value): &(String, String)| item("fields", &format!("{name} = {value}"));
            [item("result", code)].into_iter().chain(fields.iter().map(field)).collect()
        }
        JournalEnd::Informed { kind, words } => {
            vec![item("disposition", format!("{kind} {words}").trim_end())]
        }
        JournalEnd::Failed { kind, words } => vec![item("result", format!("error {kind} {words}").trim_end())],
        JournalEnd::Stopped(cause) => vec![item("end", cause)],
        JournalEnd::Dropped => vec![item("end", "the engine let go of it")],
    }
}
