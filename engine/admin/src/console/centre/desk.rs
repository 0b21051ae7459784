//! The operator's desk, as its page shows it: what I do, who is on the line, whom we owe a call, what I did today.

use crate::console::calls::party;
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form, Wrong};
use crate::console::format;
use crate::console::versions::Fact;
use crate::ports::{CallbackRow, DeskCall, OperatorRow, TraceLine};
use crate::service::desk::Desk;
use crate::service::guides;
use askama::Template;

/// Callbacks shown beside the desk: the next ones; the list has all.
pub(crate) const OWED_MAX: usize = 5;
/// Steps of a caller's way that an operator reads in a glance; the last ones.
const WAY_MAX: usize = 12;

/// What was done by a form of a page that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
}

impl Done {
    pub(crate) fn well(text: impl Into<String>) -> Self {
        Self { tone: "good", text: text.into() }
    }

    pub(crate) fn not(wrong: &Wrong) -> Self {
        Self { tone: "bad", text: format!("{} {}", wrong.problem, wrong.remedy) }
    }
}

/// What the operator does now, and may do next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bar {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
    pub(crate) since_ms: Option<u64>,
    pub(crate) lasts: String,
    /// A wrap-up's end, and how long it is until then.
    pub(crate) until: Option<(u64, String)>,
    pub(crate) reason: Option<String>,
    /// Not at work.
    pub(crate) off: bool,
    pub(crate) may_ready: bool,
    pub(crate) may_wrap_up: bool,
    pub(crate) reachable: bool,
    pub(crate) pauses: Vec<Choice>,
    pub(crate) codes: Vec<Choice>,
    /// Why what was asked for did not happen.
    pub(crate) wrong: Option<Wrong>,
}

/// A step of the caller's way to the operator.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) class: &'static str,
    pub(crate) at: String,
    pub(crate) text: String,
}

/// The caller who is rung for, talked to, or written up.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) id: String,
    pub(crate) tone: &'static str,
    pub(crate) heading: String,
    /// Masked where it is due.
    pub(crate) caller: String,
    /// Agency and queue.
    pub(crate) place: String,
    pub(crate) since_ms: Option<u64>,
    pub(crate) lasts: String,
    /// In a callback: what was promised.
    pub(crate) callback: Option<String>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) fields: Vec<Fact>,
    pub(crate) way: Vec<Way>,
}

/// A call that is owed to somebody.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub(crate) id: String,
    pub(crate) tone: &'static str,
    pub(crate) due: String,
    pub(crate) number: String,
    /// Agency and queue.
    pub(crate) place: String,
    pub(crate) topic: String,
    pub(crate) state: String,
    pub(crate) unknown: bool,
    pub(crate) may_decide: bool,
    pub(crate) may_retry: bool,
    pub(crate) may_cancel: bool,
}

impl Owed {
    pub(crate) fn act(&self, what: &str) -> String {
        format!("/console/callbacks/{}/{what}", self.id)
    }

    pub(crate) fn id_of(&self, what: &str) -> String {
        format!("{what}-{}", self.id)
    }
}

/// A paragraph of a guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) text: String,
    /// Where it ends in the address of a page: that of an agency's appointments, for example.
    pub(crate) href: Option<String>,
}

impl Step {
    /// Paragraphs are divided by empty lines, however the lines end.
    pub(crate) fn all(text: &str) -> Vec<Self> {
        let text = text.replace("\r\n", "\n");
        let paragraphs = text.split("\n\n").map(str::trim);
        paragraphs.filter(|paragraph| !paragraph.is_empty()).map(Self::of).collect()
    }

    fn of(paragraph: &str) -> Self {
        let (text, href) = paragraph.rsplit_once(char::is_whitespace).unwrap_or(("", paragraph));
        if href.starts_with("https://") && !href.contains(['"', '<', '>']) {
            let text = text.trim_end_matches([':', ' ']);
            let text = if text.is_empty() { href } else { text };
            return Self { text: text.to_owned(), href: Some(href.to_owned()) };
        }
        Self { text: paragraph.to_owned(), href: None }
    }
}

/// What to say, by topic.
#[derive(Clone, Debug)]
pub(crate) struct Guide {
    /// AGENCY/TOPIC.
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) steps: Vec<Step>,
}

impl Guide {
    pub(crate) fn of(guide: &guides::Guide) -> Self {
        let title = if guide.title.is_empty() { &guide.topic } else { &guide.title };
        Self {
            name: format!("{}/{}", guide.agency, guide.topic),
            of: format!("{} · {title}", guide.agency),
            steps: Step::all(&guide.text),
        }
    }
}

/// An answer that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) title: String,
    pub(crate) lang: String,
    /// As it is to be said.
    pub(crate) spoken: String,
    pub(crate) text: String,
    pub(crate) facts: Vec<Fact>,
    /// Whose, of when.
    pub(crate) of: String,
    pub(crate) may_blame: bool,
}

impl Bar {
    pub(crate) fn of(c: &Ctx, me: &OperatorRow, pauses: &[String], codes: &[String]) -> Self {
        let tone = tone_of(&me.state);
        let reason = me.reason.as_deref().filter(|_| me.state == "paused").map(|reason| c.word("pause", reason));
        let words = |group: &str, words: &[String]| -> Vec<Choice> {
            words.iter().map(|word| Choice::new(word, c.word(group, word))).collect()
        };
        Self {
            tone,
            text: c.word("operator.state", &me.state),
            since_ms: me.since_ms,
            lasts: me.since_ms.map(|since| lasts(c, since)).unwrap_or_default(),
            until: me.until_ms.map(|until| (until, format::duration(until.saturating_sub(c.now_ms)))),
            reason,
            off: me.state == "logged-out",
            may_ready: matches!(me.state.as_str(), "paused" | "wrap-up"),
            may_wrap_up: matches!(me.state.as_str(), "wrap-up" | "on-call"),
            reachable: me.reachable,
            pauses: words("pause", pauses),
            codes: words("code", codes),
            wrong: None,
        }
    }
}

/// How an operator's state looks.
pub(crate) fn tone_of(state: &str) -> &'static str {
    match state {
        "ready" => "good",
        "ringing" | "on-call" => "info",
        "wrap-up" | "paused" => "warn",
        _ => "off",
    }
}

pub(crate) fn lasts(c: &Ctx, since_ms: u64) -> String {
    format::duration(c.now_ms.saturating_sub(since_ms))
}

fn fact(name: &str, value: impl Into<String>) -> Fact {
    Fact { name: name.to_owned(), value: value.into() }
}

impl Talk {
    pub(crate) fn of(c: &Ctx, call: &DeskCall, callback: Option<&CallbackRow>) -> Self {
        let (tone, heading) = match call.state.as_str() {
            "ringing" => ("info", "desk.ringing"),
            "talking" => ("good", "desk.talking"),
            _ => ("off", "desk.after"),
        };
        let mut facts = vec![fact(c.t("desk.waited"), format::duration(call.waited_ms))];
        if !call.lang.is_empty() {
            facts.push(fact(c.t("desk.lang"), c.word("tongue", &call.lang)));
        }
        if !call.called.is_empty() {
            facts.push(fact(c.t("desk.called"), call.called.as_str()));
        }
        if !call.step.is_empty() {
            facts.push(fact(c.t("calls.step"), call.step.as_str()));
        }
        let way: Vec<Way> = call.so_far.iter().filter_map(|line| Way::of(c, line)).collect();
        let promised = |row: &CallbackRow| {
            let due = format::hour(&c.zone, row.due_ms);
            c.w("desk.calls_back", [("topic", row.topic.as_str()), ("due", due.as_str())])
        };
        Self {
            tone,
            heading: c.t(heading).to_owned(),
            caller: party(c, &call.caller),
            place: if call.queue.is_empty() {
                call.agency.clone()
            } else {
                format!("{} · {}", call.agency, call.queue)
            },
            since_ms: Some(call.since_ms),
            lasts: lasts(c, call.since_ms),
            callback: callback.map(promised),
            fields: call.fields.iter().map(|field| fact(&field.name, field.value.as_str())).collect(),
            way: way[way.len().saturating_sub(WAY_MAX)..].to_vec(),
            id: call.call.clone(),
            facts,
        }
    }
}

impl Way {
    /// What the caller chose; what the script said and did in between is no help while somebody waits for an answer.
    fn of(c: &Ctx, line: &TraceLine) -> Option<Self> {
        let text = match line.kind.as_str() {
            "step" => line.text.clone(),
            "key" => c.w("desk.pressed", [("keys", line.text.as_str())]),
            _ => return None,
        };
        let class = if line.kind == "step" { "step" } else { "key" };
        Some(Self { class, at: format::duration(u64::from(line.at_ms)), text })
    }
}

impl Owed {
    pub(crate) fn of(c: &Ctx, row: &CallbackRow, decide: Decide) -> Self {
        let at = format::hour(&c.zone, row.due_ms);
        let at = [("at", at.as_str())];
        let late = row.due_ms <= c.now_ms || row.escalated_ms.is_some();
        let near = row.due_ms.saturating_sub(c.now_ms) < NEAR_MS;
        let ended = matches!(row.state.as_str(), "connected" | "given-up");
        let unknown = row.state == "unknown";
        let tone = match (ended, late, unknown || near) {
            (true, ..) => "off",
            (_, true, _) => "bad",
            (.., true) => "warn",
            _ => "good",
        };
        Self {
            id: row.id.clone(),
            tone,
            due: if ended || !late { c.w("callback.due", at) } else { c.w("callback.late", at) },
            number: party(c, &row.number),
            place: format!("{} · {}", row.agency, row.queue),
            topic: row.topic.clone(),
            state: state_of(c, row),
            unknown,
            may_decide: decide.any() && row.state != "connected",
            may_retry: decide.retry && (unknown || row.state == "given-up"),
            may_cancel: decide.cancel && !ended && row.state != "claimed",
        }
    }
}

/// So long before its time a callback is looked at.
const NEAR_MS: u64 = 120_000;

/// What the reader may decide about a callback.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Decide {
    pub(crate) cancel: bool,
    pub(crate) retry: bool,
    pub(crate) connected: bool,
}

impl Decide {
    const fn any(self) -> bool {
        self.cancel || self.retry || self.connected
    }
}

/// Where a callback stands, in words, with what was tried.
pub(crate) fn state_of(c: &Ctx, row: &CallbackRow) -> String {
    let state = match (&row.given_up, &row.cancelled_by) {
        (Some(_), Some(by)) => c.w("callback.given_up.cancelled", [("by", by.as_str())]),
        (Some(why), None) => c.word("callback.given_up", why),
        _ => c.word("callback.state", &row.state),
    };
    let tried = row.attempts.len();
    if tried == 0 { state } else { format!("{state} · {}", c.n("callback.attempts", tried)) }
}

impl Now {
    /// Puts the desk together. `guide`: the one that was chosen instead of the topic's own.
    pub(crate) fn of(
        c: &Ctx,
        desk: &Desk,
        callbacks: &[CallbackRow],
        decide: Decide,
        guide: Option<&guides::Guide>,
        guides: Vec<Choice>,
    ) -> Self {
        let (me, call) = (&desk.operator, desk.call.as_ref());
        let fulfilled = call.and_then(|call| callbacks.iter().find(|row| Some(&row.id) == call.callback.as_ref()));
        let talk = call.map(|call| Talk::of(c, call, fulfilled));
        let guide = guide.or(desk.guide.as_ref()).map(Guide::of);
        let idle = match me.state.as_str() {
            "logged-out" => "desk.off",
            "paused" => "desk.paused_now",
            _ => "desk.waits",
        };
        let said = talk
            .as_ref()
            .filter(|_| me.state == "ringing")
            .map(|talk| c.w("desk.said.ringing", [("caller", talk.caller.as_str()), ("place", talk.place.as_str())]));
        Self {
            said: said.unwrap_or_default(),
            bar: Bar::of(c, me, &desk.pause_reasons, &desk.wrap_up_codes),
            talk,
            idle: c.t(idle).to_owned(),
            owed: callbacks.iter().take(OWED_MAX).map(|row| Owed::of(c, row, decide)).collect(),
            owed_total: callbacks.len(),
            day: vec![fact(c.t("day.answered"), c.number(me.answered)), fact(c.t("day.missed"), c.number(me.missed))],
            guide_name: guide.as_ref().map(|guide| guide.name.clone()).unwrap_or_default(),
            guide,
            guides,
        }
    }
}

/// All of the desk that moves by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Now {
    /// For those who hear the page.
    pub(crate) said: String,
    pub(crate) bar: Bar,
    pub(crate) talk: Option<Talk>,
    /// Said where nobody is on the line.
    pub(crate) idle: String,
    pub(crate) owed: Vec<Owed>,
    pub(crate) owed_total: usize,
    pub(crate) day: Vec<Fact>,
    pub(crate) guide: Option<Guide>,
    pub(crate) guide_name: String,
    pub(crate) guides: Vec<Choice>,
}

/// The forms of the desk: what was written into them, and what they have done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forms {
    pub(crate) transfer: Form,
    pub(crate) transfer_done: Option<Done>,
    pub(crate) search: Form,
    pub(crate) found: Option<Vec<Found>>,
    pub(crate) ticket: Form,
    pub(crate) ticket_done: Option<Done>,
    pub(crate) promise: Form,
    pub(crate) promise_done: Option<Done>,
}

/// What the forms choose from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    pub(crate) targets: Vec<Choice>,
    pub(crate) municipalities: Vec<Choice>,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) queues: Vec<Choice>,
}

/// The desk.
#[derive(Template)]
#[template(path = "desk.html")]
pub(crate) struct DeskPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) now: Now,
    pub(crate) transfer: Form,
    pub(crate) transfer_done: Option<Done>,
    pub(crate) search: Form,
    pub(crate) found: Option<Vec<Found>>,
    pub(crate) ticket: Form,
    pub(crate) ticket_done: Option<Done>,
    pub(crate) promise: Form,
    pub(crate) promise_done: Option<Done>,
    pub(crate) targets: Vec<Choice>,
    pub(crate) municipalities: Vec<Choice>,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) queues: Vec<Choice>,
    pub(crate) ticket_kinds: Vec<Choice>,
}

impl<'a> DeskPage<'a> {
    pub(crate) fn of(c: &'a Ctx, now: Now, forms: Forms, choices: Choices) -> Self {
        Self {
            c,
            now,
            transfer: known_transfer(forms.transfer),
            transfer_done: forms.transfer_done,
            search: known(forms.search, "search-", &["q", "municipality"]),
            found: forms.found,
            ticket: known_ticket(forms.ticket),
            ticket_done: forms.ticket_done,
            promise: known_promise(forms.promise),
            promise_done: forms.promise_done,
            targets: choices.targets,
            municipalities: choices.municipalities,
            agencies: choices.agencies,
            queues: choices.queues,
            ticket_kinds: ticket_kinds(c),
        }
    }
}

impl Choices {
    /// To whom callers may be given, and whom one may promise for.
    pub(crate) fn of(c: &Ctx, desk: &Desk, agencies: Vec<String>) -> Self {
        let target = |to: &crate::service::desk::TransferTo| {
            let key =
                if to.target.starts_with("queue:") { "transfer.target.queue" } else { "transfer.target.operator" };
            let free = c.t(if to.free { "transfer.free" } else { "transfer.busy" });
            Choice::new(&to.target, c.w(key, [("name", to.shown_name.as_str()), ("state", free)]))
        };
        let mut targets: Vec<Choice> = desk.transfer_to.iter().map(target).collect();
        targets.push(Choice::new("", c.t("transfer.target.other")));
        Self {
            targets,
            municipalities: Vec::new(),
            agencies: Choice::all(agencies),
            queues: Choice::all(desk.queues.iter().map(|queue| queue.name.as_str())),
        }
    }
}

/// Every field has a value, so that the summary of what is wrong can lead to it.
fn known(form: Form, prefix: &'static str, fields: &[&str]) -> Form {
    fields.iter().fold(form.named(prefix), |form, field| form.or(field, ""))
}

pub(crate) fn known_transfer(form: Form) -> Form {
    known(form, "transfer-", &["target", "other"])
}

pub(crate) fn known_ticket(form: Form) -> Form {
    known(form, "ticket-", &["call", "kind", "agency", "topic", "contact", "story"])
}

pub(crate) fn known_promise(form: Form) -> Form {
    known(form, "promise-", &["number", "queue", "topic"])
}

/// What an operator may register.
pub(crate) fn ticket_kinds(c: &Ctx) -> Vec<Choice> {
    ["complaint", "outdated-information", "request"]
        .map(|kind| Choice::new(kind, c.t(&format!("ticket.kind.{kind}"))))
        .to_vec()
}

macro_rules! fragment {
    ($(#[$doc:meta] $name:ident $path:literal { $($field:ident: $type:ty),* })+) => {$(
        #[$doc]
        #[derive(Template)]
        #[template(path = $path)]
        pub(crate) struct $name<'a> {
            #[allow(dead_code, reason = "some parts have no words of their own")]
            pub(crate) c: &'a Ctx,
            $(pub(crate) $field: $type,)*
        }
    )+};
}

fragment! {
    /// What is said to those who hear the page.
    SaidFragment "desk_said.html" { now: &'a Now }
    /// The bar alone.
    BarFragment "desk_bar.html" { now: &'a Now }
    /// The caller alone.
    CallFragment "desk_call.html" { now: &'a Now }
    /// Whom we owe a call.
    OwedFragment "desk_owed.html" { now: &'a Now }
    /// The guide alone.
    GuideFragment "desk_guide.html" { now: &'a Now }
    /// The day's figures alone.
    DayFragment "desk_day.html" { now: &'a Now }
    /// What was found.
    FoundFragment "desk_found.html" { found: Option<Vec<Found>> }
    /// What a form has done, in its place.
    DoneFragment "desk_done.html" { done: Done }
    /// The form by which a caller is passed on.
    TransferFragment "desk_transfer.html" { transfer: Form, transfer_done: Option<Done>, targets: Vec<Choice> }
    /// The form of a ticket.
    TicketFragment "desk_ticket.html" {
        ticket: Form, ticket_done: Option<Done>, ticket_kinds: Vec<Choice>, agencies: Vec<Choice>
    }
    /// The form of a callback.
    PromiseFragment "desk_promise.html" { promise: Form, promise_done: Option<Done>, queues: Vec<Choice> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_that_ends_in_an_address_is_a_link() {
        let text = "Поздоровайтесь.\r\n\r\nЗапись на приём: https://mfc.example/slots\n\n\n\nhttps://a.example\n\njavascript:alert(1)";
        let found = Step::all(text);
        let steps: Vec<(&str, Option<&str>)> =
            found.iter().map(|step| (step.text.as_str(), step.href.as_deref())).collect();
        assert_eq!(
            steps,
            [
                ("Поздоровайтесь.", None),
                ("Запись на приём", Some("https://mfc.example/slots")),
                ("https://a.example", Some("https://a.example")),
                ("javascript:alert(1)", None),
            ]
        );
    }
}
