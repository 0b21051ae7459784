//! The call, as the walk through the menu sees it.

use crate::model::{Asking, LookupOf, Wait};
use core::time::Duration;
use gudok_sdk::directory::{Office, Query};
use gudok_sdk::{
    Answer, Call, CallError, Datetime, Menu, Pace, Prompt, QueueOutcome, Result, Survey, Ticket, Transfer,
    TransferOutcome, phone, prompt, time,
};

/// What the walk needs of a call.
pub trait Line {
    /// The language the caller is spoken to in.
    fn language(&self) -> String;
    /// The moment in the agency's time zone.
    fn now(&self) -> Datetime;
    /// Names a step of the dialog.
    fn step(&mut self, name: &str);
    /// Speaks another language.
    ///
    /// # Errors
    /// As every host call; so with all that follow.
    fn set_language(&mut self, tag: &str) -> Result<()>;
    /// Says something.
    ///
    /// # Errors
    /// As every host call.
    fn say(&mut self, prompt: Prompt) -> Result<()>;
    /// Asks, and answers with the place of the key among `keys` or `global_keys`.
    ///
    /// # Errors
    /// As every host call.
    fn ask(&mut self, ask: Ask<'_>) -> Result<Answer<usize>>;
    /// Hands the caller over.
    ///
    /// # Errors
    /// As every host call.
    fn transfer(&mut self, transfer: Transfer) -> Result<TransferOutcome>;
    /// Lets the caller wait for an operator; none where that cannot be.
    ///
    /// # Errors
    /// As every host call.
    fn queue(&mut self, wait: Waiting<'_>) -> Result<Option<QueueOutcome>>;
    /// Lets the host offer a callback.
    ///
    /// # Errors
    /// As every host call.
    fn offer_callback(&mut self, queue: &str, topic: &str, intro: Option<Prompt>) -> Result<Booking>;
    /// Asks the directory: what was found, none where nothing was, and none of it where it could not be asked.
    ///
    /// # Errors
    /// As every host call.
    fn look_up(&mut self, what: &LookupOf, municipality: Option<&str>) -> Result<Option<Option<Told>>>;
    /// Tells an entry's owner that it is wrong; answers the registration number, none where it could not be registered.
    ///
    /// # Errors
    /// As every host call.
    fn notify(&mut self, notice: Notice<'_>) -> Result<Option<String>>;
    /// Records a message and answers its id; none where the caller did not consent, none of it where it could not be.
    ///
    /// # Errors
    /// As every host call.
    fn record(&mut self, message: &Message<'_>) -> Result<Option<Option<String>>>;
    /// Registers a complaint with a recorded message; answers the registration number, none where it could not be
    /// registered.
    ///
    /// # Errors
    /// As every host call.
    fn complaint(&mut self, message: &Message<'_>, recording: &str) -> Result<Option<String>>;
    /// Keeps a mark.
    ///
    /// # Errors
    /// The end of the call only.
    fn mark(&mut self, survey: &str, question: &str, score: i32) -> Result<()>;
    /// Speaks slower, or as usual again.
    ///
    /// # Errors
    /// As every host call.
    fn set_pace(&mut self, slow: bool) -> Result<()>;
    /// Says goodbye and hangs up.
    ///
    /// # Errors
    /// As every host call.
    fn hangup(&mut self, goodbye: Prompt) -> Result<()>;
    /// Tells the author what a caller got to feel.
    fn complain(&mut self, what: &str);
}

/// One question of the walk.
pub struct Ask<'tree> {
    /// What is asked.
    pub prompt: Prompt,
    /// The keys of the choices.
    pub keys: Vec<&'tree str>,
    /// The keys that leave the question at once.
    pub global_keys: Vec<&'tree str>,
    /// Said before asking again.
    pub no_input: Prompt,
    /// Said before asking again.
    pub no_match: Prompt,
    pub(crate) asking: &'tree Asking,
}

/// How a caller is to wait.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'tree> {
    /// For whom.
    pub queue: &'tree str,
    /// From 0.
    pub priority: u8,
    /// What the operator should be good at, and how good.
    pub skills: &'tree [(String, u8)],
    /// A recording of the bundle.
    pub music: Option<&'tree str>,
    /// For the operator's screen.
    pub show: &'tree [(String, String)],
    /// After the talk the caller is asked something.
    pub and_back: bool,
}

impl<'tree> From<&'tree Wait> for Waiting<'tree> {
    fn from(wait: &'tree Wait) -> Self {
        Self {
            queue: &wait.queue,
            priority: wait.priority,
            skills: &wait.skills,
            music: wait.music.as_deref(),
            show: &wait.show,
            and_back: wait.then.is_some(),
        }
    }
}

/// What became of an offered callback.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Booking {
    /// The caller is called by then.
    Booked(Datetime),
    /// The caller wants none.
    Declined,
    /// It could not be offered.
    Impossible,
}

/// What the directory tells of an entry, each where it is known.
#[derive(Clone, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Told {
    pub id: String,
    pub version: u32,
    pub name: Option<Prompt>,
    pub words: Option<Prompt>,
    pub address: Option<Prompt>,
    pub phone: Option<Prompt>,
    /// There, and without words, while the office is open.
    pub open: Option<Prompt>,
    /// There, and without words, while it is not.
    pub closed: Option<Prompt>,
    /// At what time it opens next.
    pub opens: Option<Prompt>,
}

/// A notice that an entry is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice<'tree> {
    /// Whose it is.
    pub to: &'tree str,
    /// The entry.
    pub entry: &'tree str,
    /// In which version it was heard.
    pub version: u32,
}

/// A complaint's message.
#[derive(Clone, PartialEq, Debug)]
pub struct Message<'tree> {
    /// Whom it goes to.
    pub to: &'tree str,
    /// What the menu's author adds.
    pub fields: &'tree [(String, String)],
    /// Longer is cut.
    pub seconds_max: u16,
    /// Asked first.
    pub consent: Option<Prompt>,
}

/// The real thing.
pub(crate) struct OverCall<'call> {
    call: &'call Call,
    /// Tickets so far: a second notice in one call is another ticket than the first.
    tickets: u32,
}

impl<'call> OverCall<'call> {
    pub(crate) const fn new(call: &'call Call) -> Self {
        Self { call, tickets: 0 }
    }
}

impl Line for OverCall<'_> {
    fn language(&self) -> String {
        self.call.language()
    }

    fn now(&self) -> Datetime {
        gudok_sdk::host::now()
    }

    fn step(&mut self, name: &str) {
        gudok_sdk::host::step(name);
    }

    fn set_language(&mut self, tag: &str) -> Result<()> {
        self.call.set_language(tag)
    }

    fn say(&mut self, prompt: Prompt) -> Result<()> {
        self.call.say(prompt).map(drop)
    }

    fn ask(&mut self, ask: Ask<'_>) -> Result<Answer<usize>> {
        let mut menu = Menu::new(ask.prompt)
            .attempts(ask.asking.attempts)
            .first_timeout(Duration::from_millis(ask.asking.first_timeout_ms.into()))
            .digit_gap(Duration::from_millis(ask.asking.digit_gap_ms.into()));
        for (place, key) in ask.keys.into_iter().enumerate() {
            menu = menu.on(key, place);
        }
        for (place, key) in ask.global_keys.into_iter().enumerate() {
            menu = menu.global(key, place);
        }
        if !ask.no_input.segments.is_empty() {
            menu = menu.no_input(ask.no_input);
        }
        if !ask.no_match.segments.is_empty() {
            menu = menu.no_match(ask.no_match);
        }
        menu.ask(self.call)
    }

    fn transfer(&mut self, transfer: Transfer) -> Result<TransferOutcome> {
        match transfer.of(self.call) {
            Err(error @ CallError::Ended(_)) => Err(error),
            Err(error) => {
                self.complain(&format!("transfer: {error}"));
                Ok(TransferOutcome::Unavailable)
            }
            outcome => outcome,
        }
    }

    fn queue(&mut self, wait: Waiting<'_>) -> Result<Option<QueueOutcome>> {
        let mut queue = self.call.queue(wait.queue).priority(wait.priority);
        for (name, level) in wait.skills {
            queue = queue.skill(name, *level);
        }
        for (name, value) in wait.show {
            queue = queue.show(name, value.as_str());
        }
        if let Some(music) = wait.music {
            queue = queue.music(music);
        }
        if wait.and_back {
            queue = queue.and_back();
        }
        CallError::unless_ended(queue.wait(), "queue")
    }

    fn offer_callback(&mut self, queue: &str, topic: &str, intro: Option<Prompt>) -> Result<Booking> {
        let offer = self.call.offer_callback(queue).topic(topic);
        let offer = match intro {
            Some(intro) => offer.intro(intro),
            None => offer,
        };
        Ok(match CallError::unless_ended(offer.ask(), "callback")? {
            Some(Some(promise)) => Booking::Booked(promise.due),
            Some(None) => Booking::Declined,
            None => Booking::Impossible,
        })
    }

    fn look_up(&mut self, what: &LookupOf, municipality: Option<&str>) -> Result<Option<Option<Told>>> {
        CallError::unless_ended(look_up(self.call, what, municipality), "directory")
    }

    fn notify(&mut self, notice: Notice<'_>) -> Result<Option<String>> {
        self.submit(Ticket::outdated(notice.to, notice.entry, notice.version))
    }

    fn record(&mut self, message: &Message<'_>) -> Result<Option<Option<String>>> {
        let mut wish = gudok_sdk::Message::of_at_most(Duration::from_secs(message.seconds_max.into()));
        if let Some(consent) = &message.consent {
            wish = wish.asking_consent(consent);
        }
        match wish.record(self.call) {
            Ok(recording) => Ok(Some(Some(recording.id))),
            Err(CallError::Denied(what)) if what == "consent" => Ok(Some(None)),
            Err(error) => CallError::unless_ended(Err(error), "recording"),
        }
    }

    fn complaint(&mut self, message: &Message<'_>, recording: &str) -> Result<Option<String>> {
        let ticket = Ticket::complaint(message.to).recording(recording).contact(self.call.info().caller.as_deref());
        let ticket = message.fields.iter().fold(ticket, |ticket, (name, value)| ticket.field(name, value.as_str()));
        self.submit(ticket)
    }

    fn mark(&mut self, survey: &str, question: &str, score: i32) -> Result<()> {
        CallError::unless_ended(Survey::new(survey).score(question, score).submit(), "survey").map(drop)
    }

    fn set_pace(&mut self, slow: bool) -> Result<()> {
        self.call.set_pace(if slow { Pace::Slow } else { Pace::Normal })
    }

    fn hangup(&mut self, goodbye: Prompt) -> Result<()> {
        self.call.hangup(goodbye)
    }

    fn complain(&mut self, what: &str) {
        gudok_sdk::host::error(what);
    }
}

impl OverCall<'_> {
    fn submit(&mut self, ticket: Ticket) -> Result<Option<String>> {
        self.tickets += 1;
        let number = ticket.submit(self.call, &format!("menu-{}", self.tickets));
        CallError::unless_ended(number, "ticket")
    }
}

fn look_up(call: &Call, what: &LookupOf, municipality: Option<&str>) -> Result<Option<Told>> {
    let query = Query::of(call).limit(1);
    let query = match municipality {
        Some(code) => query.municipality(code),
        None => query,
    };
    Ok(match what {
        LookupOf::Office(having) => {
            let having: Vec<_> = having.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            query.offices(&having)?.into_iter().next().map(office)
        }
        LookupOf::Entry(kind, topic) => query.entries(*kind, topic.as_deref())?.into_iter().next().map(|entry| {
            let (name, words) = (text(entry.title), text(entry.spoken));
            Told { id: entry.id, version: entry.version, name, words, ..Told::default() }
        }),
        LookupOf::Faq(words) => query.faq(words)?.into_iter().next().map(|answer| {
            let (name, words) = (text(answer.title), text(answer.spoken));
            Told { id: answer.id, version: answer.version, name, words, ..Told::default() }
        }),
    })
}

fn office(office: Office) -> Told {
    let words = text(office.spoken).or_else(|| text(format!("{}, {}", office.name, office.address)));
    Told {
        id: office.id,
        version: office.version,
        name: text(office.name),
        words,
        address: text(office.address),
        phone: office.phone.map(|number| prompt![phone(number)]),
        open: office.open_now.then(Prompt::new),
        closed: (!office.open_now).then(Prompt::new),
        opens: office.opens_next.map(|moment| prompt![time(moment.time)]),
    }
}

fn text(text: String) -> Option<Prompt> {
    (!text.is_empty()).then(|| prompt![text])
}
